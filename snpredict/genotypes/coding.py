"""Which numbers stand for the genotypes in a file of bare codes: 0, 1, 2, or −1, 0, 1.

A cell of −1 is a missing genotype in the one coding and a homozygote in the other. What it is, is
decided here for all formats, by the values that a reader has found and not by how they are spelt.
"""

from pathlib import Path

import numpy as np

from snpredict.choices import CODINGS
from snpredict.errors import UnclearCoding
from snpredict.formulas.encoding import MISSING

#: Note of a reader on cells of −1.
MINUS_ONES = "cells of -1, taken as missing"

#: Of 2s beside −1s, at least this share tells that −1 means missing. Fewer may be typing errors in
#: the coding −1, 0, 1, where a whole file has none.
_TWOS_THAT_TELL = 0.01

#: Values of cells beside 0, 1, 2 and `MISSING`: one of −1, and one that is none of them all.
MINUS_ONE = -2
UNKNOWN = -128


def _shifted() -> np.ndarray:
    """Code of each value in the coding −1, 0, 1, by the value as an unsigned byte."""
    codes = np.full(256, UNKNOWN, np.int8)
    codes[[MINUS_ONE, 0, 1, MISSING]] = 0, 1, 2, MISSING
    return codes


_SHIFTED = _shifted()


class Coding:
    """The coding that one file is read in, and whether the file's values fit it.

    Parameters
    ----------
    path : Path
        The file, for messages.
    said : str, optional
        One of `CODINGS`, where a person says it. Then nothing is judged.

    Attributes
    ----------
    name : str
        One of `CODINGS`.
    """

    def __init__(self, path: Path, said: str | None = None):
        self.name = said or CODINGS[0]
        self._path = path
        self._said = said is not None
        self._minus_ones = 0
        self._called = 0
        self._twos = 0

    @property
    def expected(self) -> str:
        """What a cell may hold, in words."""
        if self.name == "-101":
            return "-1, 0, 1 or missing (NA, nan, -9, empty)"
        return "0, 1, 2 or missing (NA, nan, -9, -1, empty)"

    def unread(self, values: np.ndarray) -> np.ndarray:
        """Which values are no genotypes in this coding, bool of the same shape."""
        unknown = values == UNKNOWN
        return unknown | (values == 2) if self.name == "-101" else unknown

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Genotype codes of a file's values, which are counted for `check`.

        Parameters
        ----------
        values : ndarray of int8, any shape
            0, 1, 2, `MINUS_ONE`, `MISSING` or `UNKNOWN`; each cell of the file once.

        Returns
        -------
        ndarray of int8, same shape
            0, 1, 2 or `MISSING`; `UNKNOWN` where `unread` is true.
        """
        if self.name == "-101":
            return _SHIFTED[values.view(np.uint8)]
        minus_one = values == MINUS_ONE
        found = int(np.count_nonzero(minus_one))
        self._minus_ones += found
        self._twos += int(np.count_nonzero(values == 2))
        self._called += int(np.count_nonzero(values >= 0))
        return np.where(minus_one, np.int8(MISSING), values) if found else values

    def check(self) -> None:
        """Refuse values that do not tell what −1 means; called when all have been read.

        Raises
        ------
        UnclearCoding
            There are −1s and no 2, or hardly any, and nobody has said what the coding is.
        """
        if self._said or not self._minus_ones or self._twos > _TWOS_THAT_TELL * self._minus_ones:
            return
        twos = f"only {self._twos:,} of 2" if self._twos else "no 2"
        raise UnclearCoding(
            f"{self._path}: found {self._minus_ones:,} cells of -1 and {twos} among "
            f"{self._called:,} genotypes, expected 0, 1, 2; this looks like the coding -1, 0, 1",
            "--coding -101 reads -1, 0, 1 as 0, 1, 2 copies; --coding 012 says that -1 is missing",
        )

    def notes(self) -> dict[str, int]:
        """What was taken otherwise than one might expect, and how often."""
        return {MINUS_ONES: self._minus_ones} if self._minus_ones else {}
