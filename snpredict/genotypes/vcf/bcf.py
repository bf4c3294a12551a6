"""BCF files, through cyvcf2.

Only files in bgzip blocks are handed to it. Each block carries a checksum, so that a damaged one
is noticed; of a damaged file without them htslib may read what is not there.
"""

import gzip
import importlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.errors import (
    BadGenotype,
    MissingPackage,
    NotATable,
    TruncatedFile,
    UnsupportedFile,
)
from snpredict.genotypes.formats import GZIP_MAGIC, cannot_open
from snpredict.genotypes.reader import ReadOptions
from snpredict.genotypes.spool import SpooledReader
from snpredict.genotypes.variants import Variants, Wanted
from snpredict.genotypes.vcf.calls import ABSENT, MORE, CallRows, Site
from snpredict.genotypes.vcf.vcf import (
    BGZF_HEAD_BYTES,
    check_end_of_bgzf,
    is_bgzf,
    samples_of_header,
)

_MAGIC = b"BCF\x02"

#: No header is that long; a damaged length would fill the memory.
_MAX_HEADER_BYTES = 1 << 28


class BcfReader(SpooledReader):
    """A BCF file, of which only the header has been read.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        Its `dosages` say what to do with the field DS.
    snps : Wanted, optional
        Not used.

    Attributes
    ----------
    path, files, format, size_bytes, n_samples, id_column, notes
        See `snpredict.genotypes.reader.GenotypeReader`.

    Raises
    ------
    MissingPackage
        cyvcf2 is not installed.
    FileNotFound, TruncatedFile
        The file cannot be opened, is damaged, or lacks the mark that bgzip ends a file with.
    NotATable, UnsupportedFile
        It is no BCF file, or one that is not compressed.
    NoGenotypes, NoSampleColumn, DuplicateSample
        The header names no samples, leaves one without a name, or names one twice.
    """

    format = "bcf"

    def __init__(self, path: Path, options: ReadOptions, snps: Wanted | None = None):
        self.path = path
        self.files = [path]
        self.notes: dict[str, int] = {}
        self._dosages = options.dosages
        self._samples = samples_of_header(path, _header_line(path))
        self.n_samples: int | None = len(self._samples)
        try:
            self._cyvcf2: Any = importlib.import_module("cyvcf2")
        except ImportError:
            raise MissingPackage(
                f"{path}: reading BCF files needs cyvcf2", 'pip install "snpredict[bcf]"'
            ) from None
        try:
            # Opened here: its place tells the progress, and no name is taken for a URL.
            self._file = path.open("rb", buffering=0)
            self.size_bytes = path.stat().st_size
        except OSError as error:
            raise cannot_open(path, error) from None

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        return self.size_bytes if self._file.closed else self._file.tell()

    def variants(self, wanted: Wanted) -> Variants:
        """The variants that may be SNPs of the model; the file is read to its end.

        The counted allele is ALT. A record with several gives one variant for each.

        Parameters
        ----------
        wanted : Wanted

        Returns
        -------
        Variants

        Raises
        ------
        NoRows
            There is nothing below the header.
        BadVariant
            The alleles of a candidate cannot be read.
        BadGenotype
            A candidate's dosage cannot be read, or a call names an allele that is not there.
        NoGenotypes
            None of the candidates has genotypes.
        TruncatedFile
            The file is damaged.
        """
        rows = CallRows(self.path, self._samples, wanted, self._dosages)
        self._spool = rows.spool
        with self._file:
            for number, record in enumerate(self._records(), 1):
                place = f"record {number}"
                with self._damage(place):
                    chromosome, position, ids = record.CHROM, record.POS, record.ID
                variant = rows.see(chromosome, max(position, 0), ids or ".")
                if variant is None:
                    continue
                with self._damage(place):
                    ref, alts, keys = record.REF, record.ALT, record.FORMAT
                site = rows.site(variant, place, ref, alts)
                if site is None:
                    continue
                calls, dosages = rows.fields(site, keys)
                if calls is None and dosages is None:
                    continue
                with self._damage(place):
                    alleles = None if calls is None else record.genotype.array()
                    copies = None if dosages is None else record.format("DS")
                rows.add(
                    site,
                    None if alleles is None else self._calls(alleles, place),
                    None if copies is None else self._copies(copies, site),
                )
        variants = rows.finish()
        self.notes = dict(rows.notes)
        return variants

    def _records(self) -> Iterator[Any]:
        # Its messages would stand between ours; errors come as exceptions all the same.
        self._cyvcf2.cyvcf2.set_htslib_log_level(0)
        with self._damage("the header"):
            records = self._cyvcf2.VCF(self._file.fileno())
            if records.samples != self._samples:
                raise ValueError
        number = 0
        while True:
            number += 1
            with self._damage(f"record {number}"):
                record = next(records, None)
            if record is None:
                return
            yield record

    @contextmanager
    def _damage(self, place: str) -> Iterator[None]:
        try:
            yield
        except Exception:  # cyvcf2 raises that very class
            raise TruncatedFile(
                f"{self.path} is damaged: {place} cannot be read", "copy it again"
            ) from None

    def _calls(self, alleles: np.ndarray, place: str) -> tuple[np.ndarray, np.ndarray]:
        """First and second alleles of (samples, ploidy + 1) allele numbers and phases."""
        numbers = alleles[:, :-1].T.copy()
        n_alleles, n_samples = numbers.shape
        if n_samples != len(self._samples) or n_alleles < 1:
            with self._damage(place):
                raise ValueError
        first = numbers[0]
        second = numbers[1] if n_alleles > 1 else np.full_like(first, ABSENT)
        if n_alleles > 2:
            more = numbers[2] != ABSENT
            first = np.where(more, numbers.max(axis=0), first)
            second = np.where(more, MORE, second)
        return first, second

    def _copies(self, dosages: np.ndarray, site: Site) -> np.ndarray:
        """Dosages (alternative alleles, samples) of (samples, numbers)."""
        if dosages.dtype.kind == "i":
            # The two lowest numbers mean missing and the end of a shorter list.
            dosages = np.where(dosages <= np.iinfo(np.int32).min + 1, np.nan, dosages)
        if dosages.dtype.kind != "f":
            raise BadGenotype(f"{site.where}: found text for DS, expected numbers")
        there = ~np.isnan(dosages)
        counts = there.shape[1] - there[:, ::-1].argmax(axis=1)
        bad = there.any(axis=1) & (counts != site.n_alts)
        if bad.any():
            at = int(bad.argmax())
            raise BadGenotype(
                f"{site.where}, sample {self._samples[at]!r}: found {counts[at]} numbers for DS, "
                f"expected {site.n_alts}"
            )
        result = np.full((site.n_alts, len(dosages)), np.nan, np.float32)
        used = min(site.n_alts, dosages.shape[1])
        result[:used] = dosages[:, :used].T
        return result


def _header_line(path: Path) -> str:
    """The line of a BCF file's header that begins with #CHROM."""
    try:
        with path.open("rb") as file:
            head = file.read(BGZF_HEAD_BYTES)
        if head.startswith(_MAGIC) or (head.startswith(GZIP_MAGIC) and not is_bgzf(head)):
            raise UnsupportedFile(
                f"{path} is not compressed by bgzip",
                "write it again: bcftools view -Ob -o NEW.bcf FILE",
            )
        if not is_bgzf(head):
            raise NotATable(f"{path} is not a BCF file: it does not begin with a block of bgzip")
        check_end_of_bgzf(path)
        with gzip.open(path) as unpacked:
            magic, length = unpacked.read(5), int.from_bytes(unpacked.read(4), "little")
            if not magic.startswith(_MAGIC):
                raise NotATable(
                    f"{path} is not a BCF file: found {magic!r}, expected {_MAGIC!r} at its "
                    "beginning"
                )
            text = unpacked.read(length) if length <= _MAX_HEADER_BYTES else b""
        if not text or len(text) != length:
            raise EOFError
        line = text.rstrip(b"\0\n\r").rpartition(b"\n")[2].decode()
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError):
        raise TruncatedFile(
            f"{path} is damaged: the header cannot be read", "copy it again"
        ) from None
    except OSError as error:
        raise cannot_open(path, error) from None
    return line
