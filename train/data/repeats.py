"""Several rows of one line, averaged to one (``--repeats mean``).

Rows of one line have the same genotype. With ids of their own they would fall into several folds,
and a line would be predicted by a model that has seen it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.errors import DuplicateSample
from snpredict.formulas.encoding import MISSING
from snpredict.names import quoted, short
from train.errors import TrainingTableError

#: Share of the calls in which two rows of one line may differ, as genotyping errors do.
_MOST_DIFFERING = 0.05

_WAY_OUT = (
    "average the rows of a line with --repeats mean, or name another column of ids with "
    "--id-column NAME; rows with ids of their own would put one line into several folds"
)


def repeated_ids(error: DuplicateSample) -> DuplicateSample:
    """The reader's error with the way out of training."""
    return DuplicateSample(error.message, _WAY_OUT)


@dataclass(frozen=True)
class Lines:
    """Which rows of a table are which line.

    Attributes
    ----------
    path : Path
        The table, for messages.
    ids : list of str
        The lines, in the order of their first rows.
    of_row : ndarray (rows,) of int64
        Place of each row's line in `ids`.
    """

    path: Path
    ids: list[str]
    of_row: np.ndarray

    @staticmethod
    def of(path: Path, samples: Sequence[str]) -> "Lines":
        """Lines of rows by their ids."""
        place = {sample: at for at, sample in enumerate(dict.fromkeys(samples))}
        of_row = np.fromiter((place[sample] for sample in samples), np.int64, len(samples))
        return Lines(path, list(place), of_row)

    @property
    def samples(self) -> list[str]:
        """The id of every row."""
        return [self.ids[line] for line in self.of_row]

    @property
    def repeated(self) -> np.ndarray:
        """Lines of more than one row, ascending int64."""
        return np.flatnonzero(np.bincount(self.of_row, minlength=len(self.ids)) > 1)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of each line's measured values, (rows,) to (lines,) float64; NaN where none is."""
        measured = np.isfinite(values)
        sums = np.bincount(self.of_row, np.where(measured, values, 0.0), len(self.ids))
        numbers = np.bincount(self.of_row, measured, len(self.ids))
        return np.divide(sums, numbers, out=np.full(len(self.ids), np.nan), where=numbers > 0)

    def label(self, column: str, texts: Sequence[str]) -> list[str]:
        """What all rows of each line say in a column, such as the family.

        Raises
        ------
        TrainingTableError
            Rows of one line say different things.
        """
        found: list[str | None] = [None] * len(self.ids)
        for line, text in zip(self.of_row.tolist(), texts, strict=True):
            before = found[line]
            if before is not None and before != text:
                raise TrainingTableError(
                    f"{self.path}: rows of line {short(self.ids[line])} hold {short(before)} and "
                    f"{short(text)} in column '{column}'; expected one value per line",
                    "correct the column; where every row has a fold of its own, deal folds of "
                    "lines with --folds random, or --folds random,family in 'evaluate'",
                )
            found[line] = text
        return [text for text in found if text is not None]

    def codes(self, codes: np.ndarray) -> tuple[np.ndarray, int]:
        """One genotype per line; what its rows call differently is missing.

        Parameters
        ----------
        codes : ndarray (rows, SNPs) of int8

        Returns
        -------
        codes : ndarray (lines, SNPs) of int8
        differing : int
            Genotypes of lines that became missing because rows differ.

        Raises
        ------
        TrainingTableError
            Rows of one id differ in more than 5 % of the genotypes that both call, so that they
            are not one line.
        """
        repeated = self.repeated
        if not len(repeated):
            return codes, 0
        first = np.unique(self.of_row, return_index=True)[1]
        merged = codes[first]
        order = np.argsort(self.of_row, kind="stable")
        ends = np.cumsum(np.bincount(self.of_row))
        total = 0
        for line in repeated:
            rows = codes[order[ends[line - 1] if line else 0 : ends[line]]]
            called = rows != MISSING
            lowest = np.where(called, rows, np.int8(127)).min(axis=0)
            highest = rows.max(axis=0)
            differing = called.any(axis=0) & (lowest < highest)
            compared = int((called.sum(axis=0) > 1).sum())
            if differing.sum() > _MOST_DIFFERING * compared:
                raise TrainingTableError(
                    f"{self.path}: {len(rows)} rows of line {short(self.ids[line])} differ in "
                    f"{int(differing.sum())} of {compared} genotypes that several of them call; "
                    f"expected at most {100 * _MOST_DIFFERING:g} % in rows of one line",
                    "these are not the same line: give them ids of their own, or correct the "
                    "genotypes",
                )
            merged[line] = np.where(differing, np.int8(MISSING), highest)
            total += int(differing.sum())
        return merged, total

    def note(self, differing: int = 0) -> str:
        """What was averaged, for people; empty where no line has more than one row."""
        repeated = self.repeated
        if not len(repeated):
            return ""
        n_rows = int(np.isin(self.of_row, repeated).sum())
        text = (
            f"{n_rows} rows of {len(repeated)} lines averaged to one value per line "
            f"({self.path.name}), such as {quoted([self.ids[line] for line in repeated], 3)}"
        )
        if differing:
            text += f"; genotypes missing because rows of one line differ: {differing}"
        return text
