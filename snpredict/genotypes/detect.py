"""Opening a genotype file: which format it is, told by its content, and the reader for it."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from snpredict.errors import (
    EmptyFile,
    FileNotFound,
    SnpredictError,
    TruncatedFile,
    UsageError,
)
from snpredict.genotypes.formats import BOM, GZIP_MAGIC, cannot_open, format_of_head
from snpredict.genotypes.reader import GenotypeReader, ReadOptions
from snpredict.genotypes.several import SeveralFiles, expanded, is_pattern
from snpredict.genotypes.source import TextSource

if TYPE_CHECKING:
    from snpredict.genotypes.variants import Wanted

_HEAD_BYTES = 1 << 16
#: Parts of a PLINK file set that people name instead of the file with the genotypes.
_PARTS = {".bim": ".bed", ".fam": ".bed", ".pvar": ".pgen", ".psam": ".pgen"}

#: Formats whose genotypes are bare codes.
_CODED = ("table", "parquet", "raw")


def open_genotypes(
    path: str | Path,
    *,
    format: str | None = None,
    options: ReadOptions | None = None,
    snps: "Wanted | None" = None,
) -> GenotypeReader:
    """Reader for the format that the file's content shows.

    Parameters
    ----------
    path : str or Path
        A PLINK file set is named by its .bed or .pgen, or by the prefix of the three files. A
        pattern such as ``chr*.vcf.gz`` stands for several files of the same samples.
    format : str, optional
        One of `snpredict.choices.INPUT_FORMATS`, where the content is not to decide.
    options : ReadOptions, optional
    snps : Wanted, optional
        The model's SNPs, which help to tell the columns of a table apart.

    Returns
    -------
    GenotypeReader
        Only the file's beginning has been read.

    Raises
    ------
    FileNotFound, EmptyFile, NotATable, UnsupportedFile, TruncatedFile
        The file cannot be opened, or is of no known format.
    UsageError
        `options` says a coding, and the format is not bare codes.
    MissingPackage
        The format's library is not installed.
    SnpredictError
        Whatever the format's reader finds at its beginning.
    """
    path, options = Path(path), options or ReadOptions()
    if is_pattern(path):
        files = expanded(path)
        if len(files) > 1:
            each = (open_genotypes(f, format=format, options=options, snps=snps) for f in files)
            return SeveralFiles(path, list(each))
        path = files[0]
    path, found = sniff(path)
    found = format or found
    if options.coding is not None and found not in _CODED:
        raise UsageError(
            f"--coding says what stands for the genotypes in a file of bare codes; {path} is "
            f"{found}, whose genotypes are not bare codes",
            "leave out --coding",
        )
    return _opener(found)(path, options, snps)


def _opener(format: str) -> Callable[[Path, ReadOptions, "Wanted | None"], GenotypeReader]:
    # Imported when needed: some bring a library of their own.
    match format:
        case "vcf":
            from snpredict.genotypes.vcf.vcf import VcfReader

            return VcfReader
        case "bcf":
            from snpredict.genotypes.vcf.bcf import BcfReader

            return BcfReader
        case "bed":
            from snpredict.genotypes.plink.bed import BedReader

            return BedReader
        case "pgen":
            from snpredict.genotypes.plink.pgen import PgenReader

            return PgenReader
        case "hapmap":
            from snpredict.genotypes.hapmap.hapmap import HapMapReader

            return HapMapReader
        case "parquet":
            from snpredict.genotypes.tables.parquet import open_parquet

            return open_parquet
        case "raw":
            from snpredict.genotypes.tables.raw import open_raw

            return open_raw
        case _:
            from snpredict.genotypes.tables.snp_rows import open_table

            return open_table


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
        One of `snpredict.choices.INPUT_FORMATS`.

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
        if is_pattern(path):
            return [path, *(file for each in expanded(path) for file in files_of(each))]
        named, format = sniff(path)
    except SnpredictError:
        return [path]
    if format not in ("bed", "pgen"):
        return [path]
    parts = [named.with_suffix(suffix) for suffix in (".bed", ".pgen", *_PARTS)]
    packed = [part.with_name(part.name + ".zst") for part in parts]
    return [path, *(part for part in (named, *parts, *packed) if part.exists())]


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
        TextSource(path)
    return text
