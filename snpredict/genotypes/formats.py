"""Which format a file has, by its first bytes and not by its name."""

import re
import zlib
from pathlib import Path

from snpredict.errors import (
    EmptyFile,
    FileNotFound,
    NotATable,
    SnpredictError,
    TruncatedFile,
    UnsupportedFile,
    UsageError,
)

#: What `--input-format` takes.
FORMATS = ("table", "vcf", "bcf", "bed", "pgen", "hapmap", "parquet", "raw")

GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
BED_MAGIC = b"\x6c\x1b\x01"

#: Columns that PLINK's .raw has before the SNPs.
PEDIGREE = ("FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE")
_RAW_HEADER = re.compile(rb"[ \t]+".join(name.encode() for name in PEDIGREE) + rb"[ \t]+[^\s]")

_HEAD_BYTES = 1 << 16

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

#: Parts of a PLINK file set that people name instead of the file with the genotypes.
_PARTS = {".bim": ".bed", ".fam": ".bed", ".pvar": ".pgen", ".psam": ".pgen"}


def sniff(path: Path) -> tuple[Path, str]:
    """The file to open and its format.

    Parameters
    ----------
    path : Path
        A file, or the prefix of a PLINK file set.

    Returns
    -------
    path : Path
        As given, or the .bed or .pgen that the prefix stands for.
    format : str
        One of `FORMATS`.

    Raises
    ------
    FileNotFound, EmptyFile, TruncatedFile
        It cannot be opened or unpacked.
    NotATable
        It is a known kind of file that is not read, such as an Excel workbook.
    UnsupportedFile
        It is a PLINK .bed in sample-major order, or a compressed binary file.
    UsageError
        It is a .bim, .fam, .pvar or .psam; the hint names the file to give.
    """
    try:
        if not path.exists() and (sets := _file_sets(path)):
            if len(sets) > 1:
                raise UsageError(
                    f"{path} stands for {sets[0].name} and {sets[1].name}", "name one of the two"
                )
            path = sets[0]
        if path.exists() and not path.is_file():
            kind = "a directory" if path.is_dir() else "not a regular file"
            raise FileNotFound(f"{path} is {kind}", "name a file")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except (OSError, ValueError) as error:
        raise cannot_open(path, error) from None
    if (whole := _PARTS.get(path.suffix)) and path.with_suffix(whole).is_file():
        raise UsageError(
            f"{path} is a part of a PLINK file set and holds no genotypes",
            f"name {path.with_suffix(whole)}",
        )
    compressed = head.startswith(GZIP_MAGIC)
    if compressed:
        head = _unpacked(path, head)
    head = head.removeprefix(BOM)
    if not head:
        raise EmptyFile(f"{path} is empty")
    return path, format_of_head(head, path, compressed)


def files_of(path: Path) -> list[Path]:
    """Every file that is read, or would be, where `path` is named; `path` first.

    The other parts of a PLINK file set, as far as they are there. Only the beginning is read; a
    file that cannot be is handed back as it is.
    """
    try:
        named, format = sniff(path)
    except SnpredictError:
        return [path]
    if format not in ("bed", "pgen"):
        return [path]
    parts = [named.with_suffix(suffix) for suffix in (".bed", ".pgen", *_PARTS)]
    packed = [part.with_name(part.name + ".zst") for part in parts]
    return [path, *(part for part in (named, *parts, *packed) if part.exists())]


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


def _file_sets(prefix: Path) -> list[Path]:
    if not prefix.name:
        return []
    named = [prefix.with_name(prefix.name + suffix) for suffix in (".bed", ".pgen")]
    return [path for path in named if path.is_file()]


def _unpacked(path: Path, head: bytes) -> bytes:
    try:
        text = zlib.decompressobj(wbits=31).decompress(head, _HEAD_BYTES)
    except zlib.error:
        raise TruncatedFile(
            f"{path} is damaged: its gzip data cannot be unpacked", "copy it again"
        ) from None
    if not text and path.stat().st_size < _HEAD_BYTES:
        # Either an empty member or a cut: reading on tells the two apart.
        from snpredict.genotypes.source import TextSource

        TextSource(path)
    return text
