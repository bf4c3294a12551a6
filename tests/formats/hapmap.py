"""HapMap files, in the style of two letters per genotype or of one IUPAC letter."""

from pathlib import Path

import numpy as np

from snpredict.genotypes.variants import Variant

ANNOTATIONS = (
    "rs#",
    "alleles",
    "chrom",
    "pos",
    "strand",
    "assembly#",
    "center",
    "protLSID",
    "assayLSID",
    "panelLSID",
    "QCcode",
)

IUPAC = {"AG": "R", "CT": "Y", "CG": "S", "AT": "W", "GT": "K", "AC": "M"}


def write(
    path: Path,
    samples: list[str],
    variants: list[Variant],
    codes: np.ndarray,
    *,
    style: str = "letters",
    pack=bytes,
) -> Path:
    """Write a HapMap file; the alleles column is other/counted.

    Parameters
    ----------
    style : {"letters", "slash", "iupac"}
        ``AG``, ``A/G`` or ``R``.
    pack : callable
        Bytes to bytes, such as `gzip.compress`.
    """
    lines = ["\t".join([*ANNOTATIONS, *samples])]
    for variant, row in zip(variants, codes.T, strict=True):
        cells = np.array(_cells(variant, style))[row]
        annotations = [
            variant.id or ".",
            "/".join(filter(None, (variant.other, variant.counted))),
            variant.chromosome or "0",
            str(variant.position or 0),
            "+",
            *["NA"] * 6,
        ]
        lines.append("\t".join([*annotations, *cells.tolist()]))
    path.write_bytes(pack("".join(line + "\n" for line in lines).encode()))
    return path


def _cells(variant: Variant, style: str) -> list[str]:
    """Cells of the codes 0, 1, 2 and −1."""
    first, second = variant.other or "N", variant.counted or "N"
    pairs = [first * 2, first + second, second * 2, "NN"]
    match style:
        case "letters":
            return pairs
        case "slash":
            return ["/".join(pair) for pair in pairs]
        case _:
            het = IUPAC.get("".join(sorted(pairs[1])), "0")
            return [first, het, second, "N"]
