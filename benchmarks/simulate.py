"""Genotype files of any size for benchmarks, for the SNPs of a model; no real line is in them.

Samples are descendants of a few invented founders: along a chromosome a sample copies one founder
after another, which gives files the runs of equal genotypes that real ones have (and that gzip and
.pgen live on).
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.genotypes.spool import pack

MISSING_RATE = 0.015
N_FOUNDERS = 40

_BATCH_SNPS = 64


def sample_ids(n_samples: int) -> list[str]:
    return [f"S{number:07d}" for number in range(1, n_samples + 1)]


def genotypes(n_samples: int, n_snps: int, seed: int = 1) -> Iterator[np.ndarray]:
    """Codes in batches of SNPs, each (SNPs, samples) int8: mostly homozygous, 1.5 % missing."""
    random = np.random.default_rng(seed)
    founder = random.integers(0, N_FOUNDERS, (2, n_samples))
    for start in range(0, n_snps, _BATCH_SNPS):
        n = min(_BATCH_SNPS, n_snps - start)
        codes = np.empty((n, n_samples), np.int8)
        for row in range(n):
            switch = random.random((2, n_samples), dtype=np.float32) < 0.02
            founder[switch] = random.integers(0, N_FOUNDERS, np.count_nonzero(switch))
            alleles = random.random(N_FOUNDERS) < random.uniform(0.05, 0.95)
            first = alleles[founder[0]]
            # Inbred lines: the second haplotype is the first one in 19 of 20 samples.
            inbred = random.random(n_samples, dtype=np.float32) < 0.95
            codes[row] = first.astype(np.int8) + np.where(inbred, first, alleles[founder[1]])
            codes[row, random.random(n_samples, dtype=np.float32) < MISSING_RATE] = -1
        yield codes


def write_bed(prefix: Path, snps: SnpTable, n_samples: int, seed: int = 1) -> Path:
    """PREFIX.bed, .bim and .fam; A1 is the model's counted allele."""
    bed = prefix.with_suffix(".bed")
    with bed.open("wb") as file:
        file.write(b"\x6c\x1b\x01")
        for codes in genotypes(n_samples, len(snps), seed):
            file.write(pack(codes).tobytes())
    with prefix.with_suffix(".bim").open("w") as file:
        for row in zip(
            snps.chromosome,
            snps.ids,
            snps.position,
            snps.counted_allele,
            snps.other_allele,
            strict=True,
        ):
            file.write("{}\t{}\t0\t{}\t{}\t{}\n".format(*row))
    with prefix.with_suffix(".fam").open("w") as file:
        file.writelines(f"0 {sample} 0 0 0 -9\n" for sample in sample_ids(n_samples))
    return bed


def write_vcf(path: Path, snps: SnpTable, n_samples: int, seed: int = 1) -> Path:
    """A bgzip-compressed VCF; ALT is the model's counted allele. Needs bgzip of htslib."""
    calls = np.frombuffer(b"./.\t0/0\t0/1\t1/1\t", "S4")
    plain = path.with_suffix("")
    with plain.open("wb") as file:
        file.write(b'##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n')
        for name in dict.fromkeys(snps.chromosome):
            file.write(f"##contig=<ID={name}>\n".encode())
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
        file.write(("\t".join([*columns, *sample_ids(n_samples)]) + "\n").encode())
        at = 0
        for codes in genotypes(n_samples, len(snps), seed):
            for row in codes:
                file.write(
                    f"{snps.chromosome[at]}\t{snps.position[at]}\t{snps.ids[at]}\t"
                    f"{snps.other_allele[at]}\t{snps.counted_allele[at]}\t.\tPASS\t.\tGT\t".encode()
                )
                file.write(calls[row + 1].tobytes()[:-1] + b"\n")
                at += 1
    subprocess.run(["bgzip", "--force", plain], check=True)
    return path


def write_table(path: Path, snps: SnpTable, n_samples: int, seed: int = 1) -> Path:
    """A gzip-compressed wide table, samples in rows."""
    import gzip

    codes = np.concatenate(list(genotypes(n_samples, len(snps), seed))).T
    cells = np.array(["nan", "0", "1", "2"])
    with gzip.open(path, "wt", compresslevel=6) as file:
        file.write("\t".join(["sample", *snps.ids]) + "\n")
        for sample, row in zip(sample_ids(n_samples), codes, strict=True):
            file.write(sample + "\t" + "\t".join(cells[row + 1]) + "\n")
    return path
