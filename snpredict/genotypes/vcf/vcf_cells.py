"""The samples' cells of a VCF record: from text to allele numbers and dosages, all at once.

Most cells begin with a call of three bytes such as ``0/1``. The first four bytes of every cell
are looked up as two halves: an allele with the separator, an allele with what ends the call. In a
record of nothing but such calls the cells are one array already; otherwise the tabs tell where
they begin. Calls that the look-up does not know (haploid, polyploid, allele numbers of two
digits, mistakes) are read one by one, and so are dosages other than ``d`` and ``d.ddd``.
"""

import re
from functools import cached_property, lru_cache

import numpy as np

from snpredict.genotypes.vcf.calls import ABSENT, MORE, NO_CALL, short

_TAB, _COLON, _ZERO, _POINT = b"\t:0."

#: What the look-up does not know.
_ODD = -128

#: Digits of a dosage that are read at once: their number fits a float64 without rounding.
_DOSAGE_BYTES = 12

_TENS = np.array([float(10**digits) for digits in range(_DOSAGE_BYTES + 1)])

#: So that the bytes behind a cell's beginning can be read also for the last cell.
_PADDING = b"\t" * _DOSAGE_BYTES

_CALL = re.compile(rb"[/|]?(?:\d{1,4}|\.)(?:[/|](?:\d{1,4}|\.))*")
_MAX_NUMBER_BYTES = 40
_DOSAGE = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")


class BadCell(Exception):
    """A cell that cannot be read; the reader knows the file and the sample.

    Parameters
    ----------
    sample : int
        Place among the samples.
    problem : str
        What was found and what was expected.
    """

    def __init__(self, sample: int, problem: str):
        super().__init__(sample, problem)
        self.sample = sample
        self.problem = problem


class WrongNumberOfCells(Exception):
    """There is not one cell per sample."""


class Cells:
    """The cells of one record.

    Parameters
    ----------
    text : bytes
        What follows the column FORMAT.
    n_samples : int
        At least 1.
    """

    def __init__(self, text: bytes, n_samples: int):
        self._text = text
        self._n_samples = n_samples

    def calls(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """Allele numbers of the calls.

        Parameters
        ----------
        place : int
            Of GT among the fields of a cell.

        Returns
        -------
        first, second : ndarray (samples,) of int8 or int16
            See `snpredict.genotypes.vcf.calls`.

        Raises
        ------
        WrongNumberOfCells
        BadCell
            Anything but allele numbers and dots between ``/`` and ``|``.
        """
        if place == 0 and len(self._text) == 4 * self._n_samples - 1:
            halves = np.frombuffer(self._text + b"\t", "<u2")
            first = _FIRST.take(halves[0::2], mode="clip")
            second = _SECOND_BEFORE_TAB.take(halves[1::2], mode="clip")
            if min(first.min(), second.min()) > _ODD:
                return first, second
        starts, ends, there = self._field(place)
        words = np.ndarray(len(self._text) + 1, "<u4", self._padded, strides=(1,))[starts]
        begins = words & 0xFFFF
        first, second = _FIRST[begins], _SECOND[words >> 16]
        odd = (first == _ODD) | (second == _ODD) | ~there
        if odd.any():
            # Wide enough for what `_call` gives.
            first, second = first.astype(np.int16), second.astype(np.int16)
            unknown = (begins == _DOT_TAB) | (begins == _DOT_COLON) | ~there
            first[unknown] = second[unknown] = NO_CALL
            for at in np.flatnonzero(odd & ~unknown).tolist():
                text = self._piece(starts[at], ends[at])
                call = _call(text)
                if call is None:
                    raise BadCell(
                        at, f"found {short(text)} for GT, expected a call such as 0/1 or ./."
                    )
                first[at], second[at] = call
        return first, second

    def dosages(self, place: int, n_alts: int) -> np.ndarray:
        """Expected copies of every alternative allele.

        Parameters
        ----------
        place : int
            Of DS among the fields of a cell.
        n_alts : int
            Alternative alleles of the record, at least 1.

        Returns
        -------
        ndarray (alternative alleles, samples) of float64
            NaN for missing; not checked to be from 0 to 2.

        Raises
        ------
        WrongNumberOfCells
        BadCell
            No number, or not one per alternative allele.
        """
        starts, ends, there = self._field(place)
        dosages = np.full((n_alts, self._n_samples), np.nan)
        if n_alts == 1:
            dosages[0], settled = self._decimals(starts, ends)
            dosages[0, ~there] = np.nan
        else:
            settled = np.zeros(self._n_samples, bool)
        for at in np.flatnonzero(there & ~settled).tolist():
            text = self._piece(starts[at], ends[at])
            values = _dosages(text, n_alts)
            if values is None:
                expected = "a number" if n_alts == 1 else f"{n_alts} numbers"
                raise BadCell(at, f"found {short(text)} for DS, expected {expected} or a dot")
            dosages[:, at] = values
        return dosages

    @cached_property
    def _padded(self) -> bytes:
        return self._text + _PADDING

    def _field(self, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where a field starts and ends in every cell, and whether the cell has it at all.

        The first field is said to end with its cell; `_piece` cuts it.
        """
        data = np.frombuffer(self._padded, np.uint8, len(self._text) + 1)
        if place == 0:
            tabs = self._one_each(np.flatnonzero(data == _TAB))
            starts = np.zeros(self._n_samples, np.int64)
            np.add(tabs[:-1], 1, out=starts[1:])
            return starts, tabs, np.ones(self._n_samples, bool)
        separators = np.flatnonzero((data == _TAB) | (data == _COLON))
        last = self._one_each(np.flatnonzero(data[separators] == _TAB))
        at = np.zeros(self._n_samples, np.int64)
        np.add(last[:-1], 1, out=at[1:])
        at += place
        # Fields at the end of a cell may be left out.
        there = at <= last
        at = np.minimum(at, last)
        ends = separators[at]
        return np.where(there, separators[at - 1] + 1, ends), ends, there

    def _one_each(self, tabs: np.ndarray) -> np.ndarray:
        if len(tabs) != self._n_samples:
            raise WrongNumberOfCells
        return tabs

    def _piece(self, start: int, end: int) -> bytes:
        return self._text[start:end].partition(b":")[0]

    def _decimals(self, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers written ``d`` or ``d.ddd`` and lone dots, and which fields are such."""
        data = np.frombuffer(self._padded, np.uint8)
        widths = ends - starts
        digits = data[starts] - _ZERO
        point = data[starts + 1] == _POINT
        settled = (digits <= 9) & ((widths == 1) | ((widths > 2) & point))
        settled &= widths <= _DOSAGE_BYTES
        values = digits.astype(np.float64)
        for place in range(2, min(int(widths.max()), _DOSAGE_BYTES)):
            here = widths > place
            digits = data[starts + place] - _ZERO
            settled &= ~here | (digits <= 9)
            values = np.where(here, 10 * values + digits, values)
        values /= _TENS[(widths - 2).clip(0, _DOSAGE_BYTES)]
        dots = (widths == 1) & (data[starts] == _POINT)
        values[dots] = np.nan
        return values, settled | dots


def _halves(endings: bytes) -> np.ndarray:
    """Allele number by an allele's digit (or dot) and the byte behind it."""
    table = np.full(1 << 16, _ODD, np.int8)
    for ending in endings:
        table[_POINT | ending << 8] = NO_CALL
        for number in range(10):
            table[_ZERO + number | ending << 8] = number
    return table


_FIRST = _halves(b"/|")
_SECOND = _halves(b"\t:")
_SECOND_BEFORE_TAB = _halves(b"\t")
_DOT_TAB, _DOT_COLON = _POINT | _TAB << 8, _POINT | _COLON << 8


@lru_cache(maxsize=1 << 12)
def _call(text: bytes) -> tuple[int, int] | None:
    """Allele numbers of any call, None where it is none."""
    if not _CALL.fullmatch(text):
        return None
    alleles = [
        NO_CALL if allele == b"." else int(allele)
        for allele in text.lstrip(b"/|").replace(b"|", b"/").split(b"/")
    ]
    match alleles:
        case [only]:
            return only, ABSENT
        case [first, second]:
            return first, second
    return max(alleles), MORE


@lru_cache(maxsize=1 << 12)
def _dosages(text: bytes, n_alts: int) -> tuple[float, ...] | None:
    """One number per alternative allele, None where they are not that."""
    if text == b".":
        return (np.nan,) * n_alts
    parts = text.split(b",")
    if len(parts) != n_alts or any(len(part) > _MAX_NUMBER_BYTES for part in parts):
        return None
    if not all(part == b"." or _DOSAGE.fullmatch(part) for part in parts):
        return None
    return tuple(np.nan if part == b"." else float(part) for part in parts)
