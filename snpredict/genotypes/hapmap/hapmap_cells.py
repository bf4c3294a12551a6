"""Cells of a HapMap file: from their letters to codes, all cells of a line at once."""

from collections import Counter
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

from snpredict.errors import BadGenotype
from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.spool import Spool
from snpredict.names import short

#: Genotypes that are packed at a time.
_BATCH_GENOTYPES = 1 << 22

BASES = frozenset("ACGT")
INDEL = frozenset("+-")
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
_HALF_CALL, _UNTOLDINDEL, _NOT_LISTED, _UNKNOWN = range(-2, -6, -1)

_NOTES = {
    _HALF_CALL: "half-calls, taken as missing",
    _UNTOLDINDEL: 'heterozygous indels "0" at multi-allelic sites, taken as missing',
}

_LETTERS = "".join({c + c.lower() for c in (*_PAIR_OF_IUPAC, *_NO_CALL)}) + "0"


class Calls:
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
            f"{self._path}, line {line}, SNP {short(name)}, sample {short(self._samples[column])}"
        )

    def _other_style(self, column: int, cell: str, line: int, name: str) -> BadGenotype:
        assert self._style is not None
        letters, since = self._style
        style = "two letters" if letters == 2 else "one letter"
        return BadGenotype(
            f"{self._place(column, line, name)}: found {short(cell)}, expected {style} as in "
            f"line {since}",
            "write all genotypes of the file in one style, for example with TASSEL",
        )

    def _wrong(
        self, code: int, column: int, cell: str, alleles: tuple[str, ...], line: int, name: str
    ) -> BadGenotype:
        place = self._place(column, line, name)
        if code == _NOT_LISTED:
            return BadGenotype(
                f"{place}: found {short(cell)}, expected no other alleles than "
                f"{'/'.join(alleles)}, which the line lists",
                "correct the alleles column, or let TASSEL write the file again",
            )
        hint = "HapMap genotypes are letters; write the file again with TASSEL"
        if cell in ("0", "1", "2"):
            hint = "codes 0, 1, 2 are read from a table with one row per sample or per SNP"
        return BadGenotype(
            f"{place}: found {short(cell)}, expected two letters such as AG, one IUPAC letter "
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
        if cell == "0" and not INDEL.isdisjoint(alleles):
            # TASSEL has one letter for all pairs with an insertion or a deletion.
            return 1 if len(alleles) == 2 else _UNTOLDINDEL
        pair = _PAIR_OF_IUPAC.get(cell, "")
    else:
        pair = cell[0] + cell[2] if len(cell) == 3 and cell[1] == "/" else cell
    if len(pair) != 2 or not set(pair) <= BASES | INDEL | no_call:
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
