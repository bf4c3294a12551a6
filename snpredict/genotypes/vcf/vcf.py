"""VCF files, plain, gzip or bgzip.

Of a record that is no SNP of the model only chromosome, position and id are looked at: most of a
file is passed over as fast as it is unpacked.
"""

import re
from pathlib import Path

import numpy as np

from snpredict.errors import (
    BadGenotype,
    BadVariant,
    NoGenotypes,
    NotATable,
    RaggedRow,
    TruncatedFile,
)
from snpredict.genotypes.formats import cannot_open
from snpredict.genotypes.reader import ReadOptions
from snpredict.genotypes.sample_ids import check_samples
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.spool import SpooledReader
from snpredict.genotypes.variants import Variants, Wanted
from snpredict.genotypes.vcf.calls import CallRows, Site, short
from snpredict.genotypes.vcf.vcf_cells import BadCell, Cells, WrongNumberOfCells

#: Unpacked bytes at a time, about: few enough to stay in the processor's cache.
BLOCK_BYTES = 1 << 17

_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_N_COLUMNS = len(_COLUMNS)

#: Longer ones would be no number of base pairs, and slow to read.
_MAX_DIGITS = 18

#: How a block of bgzip begins: gzip with one extra field, BC, of two bytes.
_BGZF_HEAD = re.compile(rb"\x1f\x8b\x08\x04.{6}\x06\0BC\x02\0", re.DOTALL)
BGZF_HEAD_BYTES = 16

#: The empty last block that bgzip writes; a copy that stopped between two blocks lacks it.
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class VcfReader(SpooledReader):
    """A VCF file, of which only the header has been read.

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
    FileNotFound, EmptyFile, TruncatedFile
        The file cannot be opened or unpacked, or lacks the mark that bgzip ends a file with.
    NotATable
        It is binary, or its header is not that of a VCF file.
    NoGenotypes, NoSampleColumn, DuplicateSample
        The header names no samples, leaves one without a name, or names one twice.
    """

    format = "vcf"

    def __init__(self, path: Path, options: ReadOptions, snps: Wanted | None = None):
        self._source = TextSource(path)
        self.path = path
        self.files = [path]
        self.size_bytes = self._source.size_bytes
        self.notes: dict[str, int] = {}
        self._dosages = options.dosages
        check_end_of_bgzf(path)
        self._header_line, header = self._header()
        self._samples = samples_of_header(path, header)
        self.n_samples: int | None = len(self._samples)

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        return self._source.bytes_read

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
        RaggedRow
            A candidate or the last record has another number of columns than the header.
        BadVariant
            A position is no whole number, or the alleles of a candidate cannot be read.
        BadGenotype
            A candidate's call or dosage cannot be read, or names an allele that is not there.
        NoGenotypes
            None of the candidates has genotypes.
        NotATable, TruncatedFile
            The text or the gzip stream is damaged, or its last line may be.
        """
        rows = CallRows(self.path, self._samples, wanted, self._dosages)
        self._spool = rows.spool
        last, last_line, last_read = b"", 0, 0
        for number, line in self._source.lines(BLOCK_BYTES):
            if number <= self._header_line or not line:
                continue
            last, last_line = line, number
            # Not split: that would copy the rest of the line.
            tab = line.find(b"\t")
            tab2 = line.find(b"\t", tab + 1)
            tab3 = line.find(b"\t", tab2 + 1)
            chromosome, digits, ids = line[:tab], line[tab + 1 : tab2], line[tab2 + 1 : tab3]
            if not 0 < tab < tab2 < tab3 or not digits.isdigit() or len(digits) > _MAX_DIGITS:
                raise self._not_a_record(number, line)
            variant = rows.see(chromosome.decode(), int(digits), ids.decode())
            if variant is None:
                continue
            last_read = number
            cells = line.split(b"\t", _N_COLUMNS)
            if len(cells) <= _N_COLUMNS:
                raise self._ragged(number, line)
            alts = [] if cells[4] == b"." else cells[4].decode().split(",")
            site = rows.site(variant, f"line {number}", cells[3].decode(), alts)
            if site is None:
                continue
            keys = cells[8].decode().split(":")
            calls, dosages = rows.fields(site, keys)
            if calls is None and dosages is None:
                continue
            try:
                rows.add(site, *self._parse(cells[9], site, calls, dosages))
            except WrongNumberOfCells:
                raise self._ragged(number, line) from None
        if last and last.count(b"\t") + 1 != _N_COLUMNS + len(self._samples):
            raise self._ragged(last_line, last)
        if last and last_read == last_line:
            self._check_last_cell(last)
        variants = rows.finish()
        self.notes = dict(rows.notes)
        return variants

    # --- header ----------------------------------------------------------------------------

    def _header(self) -> tuple[int, str]:
        """The line with the column names and its number."""
        for number, line in self._source.lines(1 << 16):
            if line.startswith(b"##") or not line:
                continue
            if line.startswith(b"#CHROM"):
                return number, line.decode()
            raise NotATable(
                f"{self.path}, line {number}: found {short(line)}, expected the header line "
                "'#CHROM POS ID REF ALT ...' above the records",
                "put the header back: bcftools reheader, or copy it from the original file",
            )
        raise NotATable(f"{self.path} has no header line '#CHROM POS ID REF ALT ...'")

    # --- records ---------------------------------------------------------------------------

    def _parse(
        self, text: bytes, site: Site, calls: int | None, dosages: int | None
    ) -> tuple[tuple[np.ndarray, np.ndarray] | None, np.ndarray | None]:
        cells = Cells(text, len(self._samples))
        copies = None
        try:
            if dosages is not None:
                copies = cells.dosages(dosages, site.n_alts)
            return None if calls is None else cells.calls(calls), copies
        except BadCell as error:
            sample = self._samples[error.sample]
            raise BadGenotype(f"{site.where}, sample {sample!r}: {error.problem}") from None

    def _check_last_cell(self, line: bytes) -> None:
        # Only plain text can end within a cell without another sign of it: every compressed
        # file has an end mark.
        if self._source.compressed:
            return
        try:
            with self.path.open("rb") as file:
                file.seek(-1, 2)
                last = file.read(1)
        except OSError as error:
            raise cannot_open(self.path, error) from None
        if last in b"\r\n":
            return
        keys, cell = line.split(b"\t", _N_COLUMNS)[8].split(b":"), line.rpartition(b"\t")[2]
        read = {b"GT"} if self._dosages == "ignore" else {b"GT", b"DS"}
        last_read = max((keys.index(key) for key in read & {*keys}), default=0)
        fields = cell.split(b":")
        # Behind a call of one digit per allele nothing is lacking; a number may lack digits.
        whole = last_read + 1 < len(fields) or (
            last_read + 1 == len(fields)
            and keys[last_read] == b"GT"
            and re.fullmatch(rb"[0-9.][/|][0-9.]", fields[last_read]) is not None
        )
        if not whole:
            raise TruncatedFile(
                f"{self.path} may end within its last genotype: found {short(cell)} and no line "
                "feed behind it",
                "copy it again; if it is whole, add a line feed at its end",
            )

    def _ragged(self, number: int, line: bytes) -> RaggedRow:
        found, expected = line.count(b"\t") + 1, _N_COLUMNS + len(self._samples)
        hint = "the file may have been cut off: copy it again" if found < expected else None
        if found == 1 and len(line.split()) == expected:
            hint = "separate the columns by tabs, not by spaces"
        return RaggedRow(
            f"{self.path}, line {number}: found {found} columns, expected {expected} as in the "
            "header",
            hint,
        )

    def _not_a_record(self, number: int, line: bytes) -> RaggedRow | BadVariant:
        cells = line.split(b"\t", 3)
        if line.startswith(b"#"):
            return BadVariant(
                f"{self.path}, line {number}: found a header line below the records",
                "join files of the same samples with bcftools concat, others with bcftools merge",
            )
        if len(cells) < 4:
            return self._ragged(number, line)
        if not cells[0]:
            return BadVariant(f"{self.path}, line {number}: the chromosome is empty")
        return BadVariant(
            f"{self.path}, line {number}: found {short(cells[1])} for POS, expected a whole number"
        )


def samples_of_header(path: Path, line: str) -> list[str]:
    """Sample ids of the header line that begins with #CHROM, checked.

    Raises
    ------
    NotATable
        The columns in front of the samples are not those of a VCF file.
    NoGenotypes, NoSampleColumn, DuplicateSample
        No samples, one without a name, or a name that occurs twice.
    """
    columns = line.split("\t")
    if columns == list(_COLUMNS[:-1]):
        raise NoGenotypes(
            f"{path} has no samples: its header ends with the column INFO",
            "name the file with the genotypes; this one holds the sites alone",
        )
    if tuple(columns[:_N_COLUMNS]) != _COLUMNS:
        raise NotATable(
            f"{path}: found the columns {short(' '.join(columns[:_N_COLUMNS]), 100)}, "
            f"expected {' '.join(_COLUMNS)}, then one per sample",
            "separate the columns by tabs" if len(columns) == 1 else None,
        )
    samples = columns[_N_COLUMNS:]
    check_samples(
        path, samples, "column", _N_COLUMNS + 1, "give every sample a name of its own in the header"
    )
    return samples


def is_bgzf(head: bytes) -> bool:
    """Whether a file that begins so consists of blocks as bgzip writes them."""
    return _BGZF_HEAD.match(head) is not None


def check_end_of_bgzf(path: Path) -> None:
    """Refuse a bgzip file whose last block is missing; other files pass.

    Raises
    ------
    FileNotFound, TruncatedFile
    """
    try:
        with path.open("rb") as file:
            if not is_bgzf(file.read(BGZF_HEAD_BYTES)):
                return
            file.seek(max(0, file.seek(0, 2) - len(_BGZF_END)))
            end = file.read()
    except OSError as error:
        raise cannot_open(path, error) from None
    if end != _BGZF_END:
        raise TruncatedFile(
            f"{path} ends before the end mark that bgzip writes: it was cut off", "copy it again"
        )
