"""HapMap files as TASSEL and GAPIT write them: one SNP per line, genotypes as letters.

Eleven columns of annotation, then one column per sample. A genotype is two letters ("AG") or one
IUPAC letter ("R"), in one style per file. Nearly all lines have cells of one width, so the
letters of a line index a look-up table made for the line's alleles. Lines that this cannot settle
(mixed widths, half-calls, mistakes) are read cell by cell, where errors get their words.
"""

from collections import Counter
from pathlib import Path

from snpredict.errors import (
    BadVariant,
    NoRows,
    NotATable,
    RaggedRow,
    TruncatedFile,
)
from snpredict.genotypes.formats import cannot_open
from snpredict.genotypes.hapmap.hapmap_cells import BASES, INDEL, Calls
from snpredict.genotypes.reader import SPLIT_NOTE, ReadOptions
from snpredict.genotypes.sample_ids import check_samples
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.spool import Spool, SpooledReader
from snpredict.genotypes.variants import Variant, Variants, Wanted
from snpredict.names import short

_N_ANNOTATIONS = 11

#: Longer ones would be no number of base pairs, and slow to read.
_MAX_DIGITS = 18

_NO_NAME = ("", ".", "NA")
_NO_CHROMOSOME = ("", ".", "NA", "0")
_NO_ALLELES = ("", ".", "?", "N", "NA", "N/A", "N/N", "X", "0")


class HapMapReader(SpooledReader):
    """A HapMap file, plain or gzip, of which only the header has been read.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        Nothing in it concerns this format.
    snps : Wanted, optional
        Not used.

    Attributes
    ----------
    path, files, format, size_bytes, n_samples, id_column, notes
        See `snpredict.genotypes.reader.GenotypeReader`.

    Raises
    ------
    FileNotFound, EmptyFile
        The file cannot be opened, or is empty.
    NotATable
        It is binary, or its first line is not the header of a HapMap file.
    TruncatedFile
        The gzip stream is damaged, or the last line ends within its cells.
    NoGenotypes, NoSampleColumn, DuplicateSample
        The header names no samples, leaves one without a name, or names one twice.
    """

    format = "hapmap"

    def __init__(self, path: Path, options: ReadOptions, snps: Wanted | None = None):
        self._source = TextSource(path)
        self.path = path
        self.files = [path]
        self.size_bytes = self._source.size_bytes
        self.notes: dict[str, int] = {}
        line = next(self._source.chunks(1 << 16))[1].partition(b"\n")[0]
        header = [name.strip() for name in line.decode().split("\t")]
        _check_header(path, header)
        self._samples = header[_N_ANNOTATIONS:]
        self.n_samples: int | None = len(self._samples)
        check_samples(
            path,
            self._samples,
            "column",
            _N_ANNOTATIONS + 1,
            "give every sample a name of its own in the header",
        )
        self._check_end()

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        return self._source.bytes_read

    def variants(self, wanted: Wanted) -> Variants:
        """The variants that may be SNPs of the model; the file is read to its end.

        The counted allele is the second of the alleles column, the other one the first. A site
        with more alleles gives one variant per further allele, each against the first.

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
            A line has another number of columns than the header.
        BadVariant
            A position is no whole number, or the alleles of a candidate cannot be read.
        BadGenotype
            A candidate's genotype cannot be read, has alleles that the line does not list, or is
            written in the other of the two styles.
        NotATable, TruncatedFile
            The text or the gzip stream is damaged.
        """
        variants = Variants()
        self._spool = spool = Spool(self._samples)
        calls = Calls(self.path, self._samples, spool)
        notes: Counter[str] = Counter()
        for number, line in self._source.lines():
            if number == 1 or not line.strip(b" "):
                continue
            cells = line.split(b"\t", _N_ANNOTATIONS)
            if line.count(b"\t") != _N_ANNOTATIONS + len(self._samples) - 1:
                raise self._ragged(number, line)
            name, alleles, chromosome, position, strand = (
                cell.decode().strip() for cell in cells[:5]
            )
            record = Variant(
                None if name.upper() in _NO_NAME else name,
                None if chromosome.upper() in _NO_CHROMOSOME else chromosome,
                self._position(position, number),
                None,
                None,
            )
            variants.see(record)
            if not wanted(record.id, record.chromosome, record.position):
                continue
            listed = self._alleles(alleles, number)
            if skipped := _not_usable(listed):
                notes[skipped] += 1
                continue
            if strand == "-":
                notes["records on the minus strand, alleles taken as spelt"] += 1
            if len(listed) > 2:
                notes[SPLIT_NOTE] += 1
            # A site with one allele: its genotypes count another that has no name.
            for counted in listed[1:] or (None,):
                variants.candidates.append(record._replace(counted=counted, other=listed[0]))
            calls.add(cells[_N_ANNOTATIONS], listed, number, name)
        if not variants.total:
            raise NoRows(f"{self.path} has a header and no SNPs")
        calls.flush()
        self.notes = dict(notes + calls.notes)
        return variants

    def _check_end(self) -> None:
        # An empty cell is a missing genotype, but one at the very end that no line feed follows
        # is where a copy stopped. Elsewhere a cut leaves too few columns, or half of a cell.
        if self._source.compressed:
            return
        try:
            with self.path.open("rb") as file:
                file.seek(-1, 2)
                last = file.read(1)
        except OSError as error:
            raise cannot_open(self.path, error) from None
        if last == b"\t":
            raise TruncatedFile(
                f"{self.path} ends within a line: found a tab and nothing behind it",
                "copy it again; if the last genotype is meant to be empty, add a line feed",
            )

    def _ragged(self, number: int, line: bytes) -> RaggedRow:
        found, expected = line.count(b"\t") + 1, _N_ANNOTATIONS + len(self._samples)
        hint = None
        if found == 1 and len(line.split()) == expected:
            hint = "separate the columns by tabs, not by spaces"
        return RaggedRow(
            f"{self.path}, line {number}: found {found} columns, expected {expected} as in the "
            "header",
            hint,
        )

    def _position(self, text: str, number: int) -> int | None:
        if text.upper() in _NO_NAME:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
            raise BadVariant(
                f"{self.path}, line {number}: found {short(text)} for the position, expected a "
                "whole number of base pairs",
                "R writes 100000 as 1e+05 unless options(scipen = 999) is set",
            )
        return int(text) or None

    def _alleles(self, text: str, number: int) -> tuple[str, ...]:
        """The alleles that the line lists, each once; none where it says that they are unknown."""
        text = text.upper()
        if text in _NO_ALLELES:
            return ()
        listed = tuple(dict.fromkeys(a for a in text.split("/") if a not in _NO_ALLELES[1:]))
        if not all(allele in INDEL or (set(allele) <= BASES and allele) for allele in listed):
            raise BadVariant(
                f"{self.path}, line {number}: found {short(text)} for the alleles, expected "
                "alleles such as A/G, A/G/T, +/- or A",
            )
        return listed


def _check_header(path: Path, header: list[str]) -> None:
    plain = [name.lower() for name in header]
    # The last annotation too: with one column too few, a sample would be taken for it.
    fits = (
        plain[:1] in (["rs#"], ["rs"])
        and plain[1:4] == ["alleles", "chrom", "pos"]
        and plain[10:11] != []
        and plain[10].startswith("qc")
    )
    if fits:
        return
    hint = "if it is a table of codes 0, 1, 2, say so with --input-format table"
    if len(header) == 1:
        hint = "separate the columns by tabs"
    elif plain[0].startswith('"'):
        hint = "write the names without quotes; in R: write.table(..., quote = FALSE)"
    raise NotATable(
        f"{path} is not in HapMap format: found the columns "
        f"{', '.join(map(short, header[:_N_ANNOTATIONS]))}; expected 'rs#', 'alleles', 'chrom', "
        "'pos', six more, 'QCcode' as the eleventh, then one per sample",
        hint,
    )


def _not_usable(alleles: tuple[str, ...]) -> str | None:
    """Why a record with such alleles has no genotypes that can be read, in words."""
    if alleles in ((), ("-",)):
        return "records without alleles, skipped"
    if any(len(allele) > 1 for allele in alleles):
        return "records with alleles of more than one base, skipped"
    return None
