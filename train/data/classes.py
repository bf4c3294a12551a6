"""Traits of two classes, in the spellings that people use: which of them is the case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.data.phenotypes import number_of

#: Pairs of values in small letters, the case behind. PLINK codes cases 2 and controls 1.
_PAIRS = (
    ("0", "1"),
    ("1", "2"),
    ("no", "yes"),
    ("n", "y"),
    ("false", "true"),
    ("f", "t"),
    ("control", "case"),
    ("unaffected", "affected"),
    ("healthy", "diseased"),
    ("absent", "present"),
    ("negative", "positive"),
    ("s", "r"),
    ("susceptible", "resistant"),
)


@dataclass(frozen=True)
class Classes:
    """The two values of a trait, as the file spells them.

    Attributes
    ----------
    other, case : str
        What becomes 0 and 1.
    """

    other: str
    case: str

    @staticmethod
    def of(texts: Sequence[str], case: str | None = None) -> "Classes | None":
        """The classes of a trait's texts; None where these are not two values that are known.

        Parameters
        ----------
        case : str, optional
            Which value is the case; any two values are then taken.
        """
        spelled: dict[str, str] = {}
        for text in texts:
            if not _missing(text):
                spelled.setdefault(_key(text), text)
        if len(spelled) != 2:
            return None
        if case is not None:
            others = spelled.keys() - {_key(case)}
            if len(others) != 1:
                return None
            (other,) = others
            return Classes(spelled[other], spelled[_key(case)])
        for other, of_case in _PAIRS:
            if spelled.keys() == {other, of_case}:
                return Classes(spelled[other], spelled[of_case])
        return None

    def values(self, texts: Sequence[str]) -> np.ndarray:
        """1 for the case, 0 for the other, NaN for missing: (texts,) float64."""
        of_key = {_key(self.case): 1.0, _key(self.other): 0.0}
        return np.array([np.nan if _missing(t) else of_key[_key(t)] for t in texts])


def _key(text: str) -> str:
    number = number_of(text)
    return text.lower() if number is None else f"{number:g}"


def _missing(text: str) -> bool:
    number = number_of(text)
    return number is not None and math.isnan(number)
