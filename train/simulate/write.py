"""Simulated lines as files that every command reads, with traits and truth as tables."""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.spool import pack
from train.simulate.lines import Lines
from train.simulate.traits import Trait

FORMATS = ("bed", "vcf", "table")

#: By code + 1.
_CALLS = np.array(["./.", "0/0", "0/1", "1/1"])
_CELLS = np.array(["NA", "0", "1", "2"])


def genotype_files(lines: Lines, prefix: Path, format: str) -> dict[Path, Iterable[bytes]]:
    """The files of a format, as pieces that are made while they are written.

    Parameters
    ----------
    prefix : Path
        Of the files' names.
    format : str
        One of `FORMATS`. ``table`` holds all genotypes in memory, the others a block of SNPs.
    """
    if format == "bed":
        return {
            prefix.with_suffix(".bed"): _bed(lines),
            prefix.with_suffix(".bim"): [_bim(lines)],
            prefix.with_suffix(".fam"): [
                "".join(f"0 {sample} 0 0 0 -9\n" for sample in lines.samples).encode()
            ],
        }
    if format == "vcf":
        return {prefix.with_suffix(".vcf.gz"): _vcf(lines)}
    return {prefix.with_suffix(".tsv.gz"): _table(lines)}


def _bed(lines: Lines) -> Iterator[bytes]:
    yield b"\x6c\x1b\x01"
    for _, block in lines.blocks():
        yield pack(block).tobytes()


def _bim(lines: Lines) -> bytes:
    sites = lines.sites
    rows = zip(
        sites.chromosome,
        sites.names,
        sites.centimorgan.tolist(),
        sites.position.tolist(),
        sites.counted,
        sites.other,
        strict=True,
    )
    return "".join(
        f"{c}\t{name}\t{cm:.6g}\t{p}\t{counted or 0}\t{other or 0}\n"
        for c, name, cm, p, counted, other in rows
    ).encode()


def _compressed(pieces: Iterable[str]) -> Iterator[bytes]:
    """Each piece a member of its own; without a time, so that the same lines are the same bytes."""
    for piece in pieces:
        yield gzip.compress(piece.encode(), compresslevel=6, mtime=0)


def _vcf(lines: Lines) -> Iterator[bytes]:
    sites = lines.sites

    def pieces() -> Iterator[str]:
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
        head = ["##fileformat=VCFv4.2"]
        head += [f"##contig=<ID={name}>" for name in dict.fromkeys(sites.chromosome)]
        head.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
        yield "\n".join([*head, "\t".join([*columns, *lines.samples])]) + "\n"
        for at, block in lines.blocks():
            rows = []
            for snp, codes in enumerate(block, at.start):
                alleles = f"{sites.other[snp] or 'N'}\t{sites.counted[snp] or 'N'}"
                about = f"{sites.chromosome[snp]}\t{sites.position[snp]}\t{sites.names[snp]}"
                calls = "\t".join(_CALLS[codes + 1].tolist())
                rows.append(f"{about}\t{alleles}\t.\tPASS\t.\tGT\t{calls}\n")
            yield "".join(rows)

    return _compressed(pieces())


def _table(lines: Lines) -> Iterator[bytes]:
    def pieces() -> Iterator[str]:
        yield "\t".join(["sample", *lines.sites.names]) + "\n"
        for sample, codes in zip(lines.samples, lines.codes(), strict=True):
            yield "\t".join([sample, *_CELLS[codes - MISSING].tolist()]) + "\n"

    return _compressed(pieces())


def phenotype_table(samples: list[str], columns: Mapping[str, np.ndarray | list[str]]) -> bytes:
    """A line per sample: traits and covariates."""
    rows = [["sample", *columns]]
    for at, sample in enumerate(samples):
        cells = [values[at] for values in columns.values()]
        rows.append([sample, *(c if isinstance(c, str) else f"{c:.8g}" for c in cells)])
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def truth_table(lines: Lines, name: str, trait: Trait) -> bytes:
    """A line per locus and decoy."""
    sites = lines.sites
    rows = ["trait\tsnp\tchromosome\tposition\tkind\teffect\tpartner\tvariance_share\n"]
    for locus in trait.loci:
        partner = "" if locus.partner is None else sites.names[locus.partner]
        rows.append(
            f"{name}\t{sites.names[locus.snp]}\t{sites.chromosome[locus.snp]}\t"
            f"{sites.position[locus.snp]}\t{locus.kind}\t{locus.effect:.8g}\t{partner}\t"
            f"{locus.variance_share:.8g}\n"
        )
    return "".join(rows).encode()
