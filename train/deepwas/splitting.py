"""Which windows train, which stop the training, and which are held out for the figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.deepwas.cutting import Span
from train.errors import StudyFileError

#: Chromosomes of a genome by place: those of the publication are held out.
_HELD_OUT, _VALIDATION = ("6", "7", "8"), ("9", "10")

#: Pieces that fewer chromosomes are cut into; every fourth is held out, beginning with the second.
_PIECES = 12


@dataclass(frozen=True)
class Split:
    """Places of windows, (windows,) of int64 each; those of `gap` serve nothing."""

    train: np.ndarray
    validation: np.ndarray
    held_out: np.ndarray
    gap: np.ndarray


def split_windows(
    spans: Sequence[Span],
    chromosome: np.ndarray,
    position: np.ndarray,
    held_out: Sequence[str] = (),
    validation: Sequence[str] = (),
) -> Split:
    """Chromosomes where there are enough, and pieces of them otherwise.

    A training window whose variants are among those of a held-out core is in the gap, as its
    z-scores are correlated with held-out ones.

    Parameters
    ----------
    held_out, validation : sequence of str
        Chromosomes. Without them 6, 7, 8 and 9, 10 where there are these, and otherwise stretches
        of the genome, 3 of 12 and 2 of 12.

    Raises
    ------
    StudyFileError
        A chromosome is not there, or no window is left for one of the three.
    """
    own = chromosome[[span.core_start for span in spans]]
    there = set(own.tolist())
    if not held_out and {*_HELD_OUT, *_VALIDATION} < there:
        held_out, validation = _HELD_OUT, validation or _VALIDATION
    if missing := {*held_out, *validation} - there:
        raise StudyFileError(f"no window is on chromosome {sorted(missing)[0]}")
    at = np.arange(len(spans))
    if held_out:
        out = np.isin(own, list(held_out))
        rest = np.flatnonzero(~out)
        check = np.isin(own, list(validation))
        if not validation and len(rest):
            check[rest[_piece(len(rest)) % 6 == 3]] = True
    else:
        piece = _piece(len(spans))
        out, check = np.isin(piece, (1, 5, 9)), np.isin(piece, (3, 7))
    near_out, near_check = _near(spans, at[out]), _near(spans, at[check])
    check &= ~out & ~near_out
    train = ~out & ~check & ~near_out & ~near_check
    gap = ~(train | check | out)
    found = Split(at[train], at[check], at[out], at[gap])
    for rows, what in ((found.train, "train"), (found.validation, "stop"), (out, "test")):
        if not np.any(rows if rows.dtype == bool else len(rows)):
            raise StudyFileError(
                f"{len(spans)} windows are too few: none is left to {what} with",
                "smaller windows: --core 250000 --halo 250000",
            )
    return found


def _piece(count: int) -> np.ndarray:
    return np.arange(count) * _PIECES // max(count, 1)


def _near(spans: Sequence[Span], which: np.ndarray) -> np.ndarray:
    """Whether a window's core or halo reaches into one of those cores."""
    found = np.zeros(len(spans), bool)
    for at in which.tolist():
        core = spans[at]
        found |= [s.start < core.core_stop and s.stop > core.core_start for s in spans]
    found[which] = False
    return found
