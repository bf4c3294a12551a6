"""Which format a file has, by its first bytes and not by its name."""

import re
from pathlib import Path

from snpredict.errors import (
    FileNotFound,
    NotATable,
    SnpredictError,
    UnsupportedFile,
)

GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
BED_MAGIC = b"\x6c\x1b\x01"

#: Columns that PLINK's .raw has before the SNPs.
PEDIGREE = ("FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE")
_RAW_HEADER = re.compile(rb"[ \t]+".join(name.encode() for name in PEDIGREE) + rb"[ \t]+[^\s]")


_UNPACK = "unpack it first; of compressed files only gzip is read"
_SAVE_AS = "save it as UTF-8 text, tab- or comma-separated"

#: How a file that is not read begins (after gzip, if any), what it is, and the way out.
_UNREAD: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF", "an HDF5 file", "export it as VCF, HapMap or a table"),
    (b"PK\x03\x04", "an Excel workbook or a zip archive", _SAVE_AS),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _SAVE_AS),
    (b"\xff\xfe", "UTF-16 text", _SAVE_AS),
    (b"\xfe\xff", "UTF-16 text", _SAVE_AS),
    (b"BZh91AY&SY", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK),
)


def format_of_head(head: bytes, path: Path, compressed: bool = False) -> str:
    """Format of a file that begins so, unpacked and without byte-order mark.

    Raises
    ------
    NotATable, UnsupportedFile
        See `sniff`.
    """
    for magic, kind, hint in _UNREAD:
        if head.startswith(magic):
            raise NotATable(f"{path} looks like {kind}, which is not read", hint)
    if head.startswith((b"##fileformat=VCF", b"#CHROM\tPOS\t")):
        return "vcf"
    if head.startswith(b"BCF\x02"):
        return "bcf"
    if head[:3].lower() in (b"rs\t", b"rs#"):
        return "hapmap"
    if _RAW_HEADER.match(head):
        return "raw"
    binary = None
    if head.startswith(BED_MAGIC):
        binary = "bed"
    elif head.startswith(b"\x6c\x1b\x00"):
        raise UnsupportedFile(
            f"{path} is a PLINK .bed file in sample-major order",
            "write it again in variant-major order: plink --bfile PREFIX --make-bed --out NEW",
        )
    elif head.startswith(b"\x6c\x1b"):
        binary = "pgen"
    elif head.startswith(b"PAR1"):
        binary = "parquet"
    if binary and compressed:
        raise UnsupportedFile(f"{path} is a {binary} file within gzip", "unpack it first")
    return binary or "table"


def cannot_open(path: Path, error: OSError | ValueError) -> SnpredictError:
    """The error of ours for a file that cannot be opened or read."""
    match error:
        case FileNotFoundError():
            return FileNotFound(f"{path} does not exist")
        case PermissionError():
            return FileNotFound(f"{path} cannot be read: no permission")
        case OSError():
            return FileNotFound(f"{path} cannot be read: {error.strerror or error}")
        case _:
            return FileNotFound(f"{str(path)!r} is not a file name")
