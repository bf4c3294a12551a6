"""VCF files, plain or packed, and BCF files made of them."""

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from snpredict.genotypes.variants import Variant

COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")

#: Cells of the codes 0, 1, 2 and −1.
UNPHASED = ("0/0", "0/1", "1/1", "./.")
PHASED = ("0|0", "1|0", "1|1", ".|.")

#: A field's declaration and what stands in its cells.
_FIELDS = {
    "GT": ("1", "String", ""),
    "DS": ("A", "Float", "."),
    "AD": ("R", "Integer", "12,3"),
    "DP": ("1", "Integer", "15"),
    "GQ": ("1", "Integer", "99"),
    "PL": ("G", "Integer", "0,30,255"),
}

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def write(
    path: Path,
    samples: Sequence[str],
    variants: Sequence[Variant],
    codes: np.ndarray,
    *,
    calls: Sequence[str] = UNPHASED,
    fields: str = "GT",
    dosages: np.ndarray | None = None,
    pack: Callable[[bytes], bytes] = bytes,
) -> Path:
    """Write a VCF file; ALT is the counted allele.

    Parameters
    ----------
    calls : sequence of str
        The cells of the codes 0, 1, 2 and −1: `UNPHASED` or `PHASED`.
    fields : str
        The column FORMAT.
    dosages : ndarray (samples, variants) of float, optional
        What DS says; NaN for missing.
    pack : callable
        Bytes to bytes, such as `gzip.compress` or `bgzf`.
    """
    records = []
    for at, variant in enumerate(variants):
        values = [[_FIELDS[name][2]] * len(samples) for name in fields.split(":")]
        for name, cells in zip(fields.split(":"), values, strict=True):
            if name == "GT":
                cells[:] = [calls[code] for code in codes[:, at]]
            elif name == "DS" and dosages is not None:
                cells[:] = ["." if np.isnan(d) else f"{d:.10g}" for d in dosages[:, at]]
        site = (
            variant.chromosome or ".",
            str(variant.position or 0),
            variant.id or ".",
            variant.other or ".",
            variant.counted or ".",
        )
        records.append([*site, ".", "PASS", ".", fields, *map(":".join, zip(*values, strict=True))])
    path.write_bytes(pack(text(samples, records).encode()))
    return path


def text(samples: Sequence[str], records: Sequence[Sequence[str]]) -> str:
    """A VCF file with these records, each given as its columns."""
    contigs = dict.fromkeys(record[0] for record in records)
    lines = [
        "##fileformat=VCFv4.2",
        *(f"##contig=<ID={name}>" for name in contigs),
        *(
            f'##FORMAT=<ID={name},Number={number},Type={type},Description="{name}">'
            for name, (number, type, _) in _FIELDS.items()
        ),
        "\t".join((*COLUMNS, *samples)),
        *map("\t".join, records),
    ]
    return "".join(line + "\n" for line in lines)


def bgzf(content: bytes, block_bytes: int = 1 << 15) -> bytes:
    """The content in blocks as bgzip writes them, with the empty one at the end."""
    blocks = []
    for start in range(0, len(content), block_bytes):
        piece = content[start : start + block_bytes]
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(piece) + packer.flush()
        blocks.append(
            BGZF_END[:16]
            + struct.pack("<H", len(packed) + 25)
            + packed
            + struct.pack("<II", zlib.crc32(piece), len(piece))
        )
    return b"".join([*blocks, BGZF_END])


def write_bcf(path: Path, vcf: Path) -> Path:
    """Write the same as BCF; cyvcf2 must be installed."""
    import cyvcf2

    source = cyvcf2.VCF(str(vcf))
    writer = cyvcf2.Writer(str(path), source, mode="wb")
    for record in source:
        writer.write_record(record)
    writer.close()
    source.close()
    return path
