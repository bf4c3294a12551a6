"""HapMap files as TASSEL and GAPIT write them: one SNP per line, genotypes as letters.

Eleven columns of annotation, then one column per sample. A genotype is two letters ("AG") or one
IUPAC letter ("R"), in one style per file. Nearly all lines have cells of one width, so the
letters of a line index a look-up table made for the line's alleles. Lines that this cannot settle
(mixed widths, half-calls, mistakes) are read cell by cell, where errors get their words.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

from snpredict.encoding import MISSING
from snpredict.errors import (
    BadGenotype,
    BadVariant,
    NoRows,
    NotATable,
    RaggedRow,
    TruncatedFile,
)
from snpredict.genotypes import GenotypeBlock, ReadOptions, Selection
from snpredict.genotypes.packed import Spool
from snpredict.genotypes.samples import check_samples
from snpredict.genotypes.sniffing import cannot_open
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.variants import Variant, Variants, Wanted

_N_ANNOTATIONS = 11

#: Genotypes that are packed at a time.
_BATCH_GENOTYPES = 1 << 22

#: Longer ones would be no number of base pairs, and slow to read.
_MAX_DIGITS = 18

_NO_NAME = ("", ".", "NA")
_NO_CHROMOSOME = ("", ".", "NA", "0")
_NO_ALLELES = ("", ".", "?", "N", "NA", "N/A", "N/N", "X", "0")

_BASES = frozenset("ACGT")
_INDEL = frozenset("+-")
_NO_CALL = frozenset("NX.?")
_PAIR_OF_IUPAC = {base: base * 2 for base in "ACGT+-"} | {
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
}

#: What a cell means where it is none of the codes.
_HALF_CALL, _UNTOLD_INDEL, _NOT_LISTED, _UNKNOWN = range(-2, -6, -1)

_NOTES = {
    _HALF_CALL: "half-calls, taken as missing",
    _UNTOLD_INDEL: 'heterozygous indels "0" at multi-allelic sites, taken as missing',
}

_LETTERS = "".join({c + c.lower() for c in (*_PAIR_OF_IUPAC, *_NO_CALL)}) + "0"


class HapMapReader:
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
        See `snpredict.genotypes.GenotypeReader`.

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
    id_column = ""

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
        self._spool: Spool | None = None

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
        self._spool = Spool(self._samples)
        calls = _Calls(self.path, self._samples, self._spool)
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
                notes["multi-allelic sites, split into one variant per alternative allele"] += 1
            # A site with one allele: its genotypes count another that has no name.
            for counted in listed[1:] or (None,):
                variants.candidates.append(record._replace(counted=counted, other=listed[0]))
            calls.add(cells[_N_ANNOTATIONS], listed, number, name)
        if not variants.total:
            raise NoRows(f"{self.path} has a header and no SNPs")
        calls.flush()
        self.notes = dict(notes + calls.notes)
        return variants

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """Genotypes of the selected variants, block by block.

        Parameters
        ----------
        selection : Selection

        Yields
        ------
        GenotypeBlock
            Hard calls only.
        """
        if self._spool is None:
            raise RuntimeError("genotypes() is called after variants()")
        with self._spool as spool:
            yield from spool.blocks(selection)

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
                f"{self.path}, line {number}: found {_short(text)} for the position, expected a "
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
        if not all(allele in _INDEL or (set(allele) <= _BASES and allele) for allele in listed):
            raise BadVariant(
                f"{self.path}, line {number}: found {_short(text)} for the alleles, expected such "
                "as A/G, A/G/T, +/- or A",
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
        f"{', '.join(map(_short, header[:_N_ANNOTATIONS]))}; expected 'rs#', 'alleles', 'chrom', "
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


class _Calls:
    """Turns the genotypes of candidate records into codes, and packs them batch by batch.

    Attributes
    ----------
    notes : Counter of str
        What was taken as missing.
    """

    def __init__(self, path: Path, samples: list[str], spool: Spool):
        self._path = path
        self._samples = samples
        self._spool = spool
        size = max(1, _BATCH_GENOTYPES // len(samples))
        self._batch = np.empty((size, len(samples)), np.int8)
        self._filled = 0
        #: Letters of a genotype in this file, and the line that showed it.
        self._style: tuple[int, int] | None = None
        self.notes: Counter[str] = Counter()

    def add(self, cells: bytes, alleles: tuple[str, ...], line: int, name: str) -> None:
        """Add one row of codes per variant of a record."""
        for counted in range(1, max(2, len(alleles))):
            if self._filled == len(self._batch):
                self.flush()
            row = self._batch[self._filled]
            if not self._look_up(cells, alleles, counted, line, row):
                row[:] = self._one_by_one(cells, alleles, counted, line, name)
            self._filled += 1

    def flush(self) -> None:
        """Hand the rows of the batch over to the spool."""
        if self._filled:
            self._spool.append(self._batch[: self._filled])
        self._filled = 0

    def _look_up(
        self, cells: bytes, alleles: tuple[str, ...], counted: int, line: int, row: np.ndarray
    ) -> bool:
        """Codes of a line whose cells are all of one width, if nothing in it needs a word."""
        # With the line feed that follows, every cell is as wide as the next.
        data = np.frombuffer(cells + b"\t", np.uint8)
        width, rest = divmod(len(data), len(row))
        if rest or width not in (2, 3, 4):
            return False
        columns = data.reshape(-1, width)
        if not (columns[:, -1] == ord("\t")).all():
            return False
        one, two = _tables(alleles, counted)
        if width == 2:
            letters, codes = 1, one[columns[:, 0]]
        else:
            if width == 4 and not (columns[:, 1] == ord("/")).all():
                return False
            pairs = columns[:, 0].astype(np.uint16) << 8
            pairs |= columns[:, width - 2]
            letters, codes = 2, two[pairs]
        if codes.min() < MISSING or (codes.max() > MISSING and not self._in_style(letters, line)):
            return False
        row[:] = codes
        return True

    def _one_by_one(
        self, cells: bytes, alleles: tuple[str, ...], counted: int, line: int, name: str
    ) -> np.ndarray:
        texts = cells.split(b"\t")
        code_of: dict[bytes, int] = {}
        for text, count in Counter(texts).items():
            cell = text.decode().strip().upper()
            code = _meaning(cell, alleles, counted)
            if code in _NOTES:
                # The rows of one record hold the same cells.
                self.notes[_NOTES[code]] += count if counted == 1 else 0
            elif code < MISSING:
                raise self._wrong(code, texts.index(text), cell, alleles, line, name)
            letters = min(2, len(cell))
            if code > MISSING and not self._in_style(letters, line):
                raise self._other_style(texts.index(text), cell, line, name)
            code_of[text] = max(code, MISSING)
        return np.array([code_of[text] for text in texts], np.int8)

    def _in_style(self, letters: int, line: int) -> bool:
        # A two-letter genotype cut to its first letter would look like a homozygous one.
        if self._style is None:
            self._style = letters, line
        return self._style[0] == letters

    def _place(self, column: int, line: int, name: str) -> str:
        return (
            f"{self._path}, line {line}, SNP {_short(name)}, sample {_short(self._samples[column])}"
        )

    def _other_style(self, column: int, cell: str, line: int, name: str) -> BadGenotype:
        assert self._style is not None
        letters, since = self._style
        style = "two letters" if letters == 2 else "one letter"
        return BadGenotype(
            f"{self._place(column, line, name)}: found {_short(cell)}, expected {style} as in "
            f"line {since}",
            "write all genotypes of the file in one style, for example with TASSEL",
        )

    def _wrong(
        self, code: int, column: int, cell: str, alleles: tuple[str, ...], line: int, name: str
    ) -> BadGenotype:
        place = self._place(column, line, name)
        if code == _NOT_LISTED:
            return BadGenotype(
                f"{place}: found {_short(cell)}, expected no other alleles than "
                f"{'/'.join(alleles)}, which the line lists",
                "correct the alleles column, or let TASSEL write the file again",
            )
        hint = "HapMap genotypes are letters; write the file again with TASSEL"
        if cell in ("0", "1", "2"):
            hint = "codes 0, 1, 2 are read from a table with one row per sample or per SNP"
        return BadGenotype(
            f"{place}: found {_short(cell)}, expected two letters such as AG, one IUPAC letter "
            "such as R, or missing (NN, N, -, ., NA, empty)",
            hint,
        )


def _meaning(cell: str, alleles: tuple[str, ...], counted: int) -> int:
    """Code of a cell for the variant that counts ``alleles[counted]`` against the first.

    Parameters
    ----------
    cell : str
        In capitals.
    alleles : tuple of str
        Of one letter each.
    counted : int
        1 for a record with one allele too, where it stands for one without a name.

    Returns
    -------
    int
        0, 1, 2, `MISSING`, or what the constants above name.
    """
    if cell in ("", "NA"):
        return MISSING
    no_call = _NO_CALL if "-" in alleles else _NO_CALL | {"-"}
    if len(cell) == 1:
        if cell in no_call:
            return MISSING
        if cell == "0" and not _INDEL.isdisjoint(alleles):
            # TASSEL has one letter for all pairs with an insertion or a deletion.
            return 1 if len(alleles) == 2 else _UNTOLD_INDEL
        pair = _PAIR_OF_IUPAC.get(cell, "")
    else:
        pair = cell[0] + cell[2] if len(cell) == 3 and cell[1] == "/" else cell
    if len(pair) != 2 or not set(pair) <= _BASES | _INDEL | no_call:
        return _UNKNOWN
    called = [letter for letter in pair if letter not in no_call]
    if not set(called) <= set(alleles):
        return _NOT_LISTED
    if len(called) < 2:
        return _HALF_CALL if called else MISSING
    places = [alleles.index(letter) for letter in called]
    if not set(places) <= {0, counted}:
        return MISSING
    return sum(place == counted for place in places)


@lru_cache(maxsize=64)
def _tables(alleles: tuple[str, ...], counted: int) -> tuple[np.ndarray, np.ndarray]:
    """`_meaning` of one letter, (256,) int8, and of two, (65536,) int8: the first is the high byte.

    Cells of other bytes are unknown here, also those with a space at the side.
    """
    one = np.full(1 << 8, _UNKNOWN, np.int8)
    two = np.full(1 << 16, _UNKNOWN, np.int8)
    for letter in _LETTERS:
        one[ord(letter)] = _meaning(letter.upper(), alleles, counted)
    for first, second in product(_LETTERS, _LETTERS):
        cell = (first + second).upper()
        two[ord(first) << 8 | ord(second)] = _meaning(cell, alleles, counted)
    return one, two


def _short(value: str, limit: int = 40) -> str:
    return repr(value if len(value) <= limit else value[:limit] + "...")
