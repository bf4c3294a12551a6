"""PLINK files: .bed with .bim and .fam, .pgen with .pvar and .psam, and .raw."""

import os
from pathlib import Path

import numpy as np

from snpredict.genotypes.variants import Variant

#: Two bits of a .bed by code + 1: missing 01, no copy of A1 11, one 10, two 00.
_BED_BITS = np.array([0b01, 0b11, 0b10, 0b00], np.uint8)


def write_bed(prefix: Path, samples: list[str], variants: list[Variant], codes: np.ndarray) -> Path:
    """Write PREFIX.bed, PREFIX.bim and PREFIX.fam; the counted allele is A1."""
    rows = []
    for column in codes.T:
        bits = _BED_BITS[column + 1]
        quads = np.pad(bits, (0, -len(bits) % 4)).reshape(-1, 4)
        rows.append((quads << np.array([0, 2, 4, 6], np.uint8)).sum(axis=1).astype(np.uint8))
    bed = Path(f"{prefix}.bed")
    bed.write_bytes(b"\x6c\x1b\x01" + b"".join(row.tobytes() for row in rows))
    Path(f"{prefix}.bim").write_text("".join(map(bim_line, variants)))
    Path(f"{prefix}.fam").write_text("".join(f"0\t{sample}\t0\t0\t0\t-9\n" for sample in samples))
    return bed


def bim_line(variant: Variant) -> str:
    """A line of a .bim, or of a .pvar without header."""
    return (
        f"{variant.chromosome or 0}\t{variant.id or '.'}\t0\t{variant.position or 0}\t"
        f"{variant.counted or 0}\t{variant.other or 0}\n"
    )


def write_raw(
    path: Path,
    samples: list[str],
    variants: list[Variant],
    codes: np.ndarray,
    *,
    delimiter: str = "\t",
    other_allele: bool = True,
    phenotype: list[str] | None = None,
) -> Path:
    """As `plink2 --export A` writes it; plink 1.9 separates the fields by blanks.

    Parameters
    ----------
    other_allele : bool
        As with the modifier include-alt.
    phenotype : list of str, optional
        -9 for all when left out.
    """
    names = [f"{v.id or '.'}_{v.counted}" for v in variants]
    if other_allele:
        names = [f"{name}(/{v.other})" for name, v in zip(names, variants, strict=True)]
    lines = [["FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE", *names]]
    phenotypes = phenotype or ["-9"] * len(samples)
    for sample, value, row in zip(samples, phenotypes, codes.tolist(), strict=True):
        cells = ["NA" if code < 0 else str(code) for code in row]
        lines.append(["0", sample, "0", "0", "0", value, *cells])
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
    return path


def write_pgen(
    prefix: Path,
    samples: list[str],
    variants: list[Variant],
    codes: np.ndarray,
    *,
    dosages: np.ndarray | None = None,
    phased: bool = False,
) -> Path:
    """Write PREFIX.pgen, PREFIX.pvar and PREFIX.psam; the counted allele is ALT.

    Parameters
    ----------
    dosages : ndarray (samples, variants) of float, optional
        Written instead of the codes; NaN is missing.
    phased : bool
        Heterozygous genotypes are 1|0.
    """
    import pgenlib

    pgen = Path(f"{prefix}.pgen")
    with pgenlib.PgenWriter(
        os.fsencode(pgen),
        len(samples),
        variant_ct=len(variants),
        dosage_present=dosages is not None,
        hardcall_phase_present=phased,
    ) as writer:
        for at, column in enumerate(codes.T):
            if dosages is not None:
                row = np.nan_to_num(dosages[:, at], nan=-9)
                writer.append_dosages(np.ascontiguousarray(row, np.float32))
            elif phased:
                alleles = np.array([[-9, -9], [0, 0], [1, 0], [1, 1]], np.int32)[column + 1]
                writer.append_alleles(alleles.reshape(-1), all_phased=True)
            else:
                row = np.where(column < 0, -9, column)
                writer.append_biallelic(np.ascontiguousarray(row, np.int8))
    write_lists(prefix, samples, [(variant, [variant.counted]) for variant in variants])
    return pgen


def write_multi_allelic(
    prefix: Path,
    samples: list[str],
    variants: list[tuple[Variant, list[str | None]]],
    alleles: np.ndarray,
) -> Path:
    """Write a .pgen of variants with several alternative alleles.

    Parameters
    ----------
    variants : list of (Variant, list of str)
        The second are the alternative alleles.
    alleles : ndarray (variants, samples, 2) of int
        Numbers of the alleles, 0 for REF; −9 is missing.
    """
    import pgenlib

    pgen = Path(f"{prefix}.pgen")
    most = 1 + max(len(alternatives) for _, alternatives in variants)
    with pgenlib.PgenWriter(
        os.fsencode(pgen), len(samples), variant_ct=len(variants), allele_ct_limit=most
    ) as writer:
        for (_, alternatives), row in zip(variants, alleles, strict=True):
            writer.append_alleles(row.astype(np.int32).reshape(-1), allele_ct=1 + len(alternatives))
    write_lists(prefix, samples, variants)
    return pgen


def write_lists(
    prefix: Path, samples: list[str], variants: list[tuple[Variant, list[str | None]]]
) -> None:
    """Write PREFIX.pvar and PREFIX.psam as PLINK 2 does."""
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT"]
    for variant, alternatives in variants:
        alt = ",".join(allele or "." for allele in alternatives)
        lines.append(
            f"{variant.chromosome or 0}\t{variant.position or 0}\t{variant.id or '.'}\t"
            f"{variant.other or '.'}\t{alt}"
        )
    Path(f"{prefix}.pvar").write_text("".join(line + "\n" for line in lines))
    lines = ["#IID\tSEX", *(f"{sample}\tNA" for sample in samples)]
    Path(f"{prefix}.psam").write_text("".join(line + "\n" for line in lines))
