"""Prediction intervals from the residuals that a bundle's training left behind.

Two kinds, for two kinds of samples:

``known``
    The sample is of a family that the model was trained on. CV+ from the out-of-fold residuals of
    the bundle's own folds, see `snpredict.formulas.conformal`.
``new``
    No line of the sample's family was in the training set. The prediction ± a quantile of the
    absolute residuals of lines whose whole family was left out of training. Lines of a family err
    together, so every family has the same weight, however many lines it has ("CDF pooling" of
    Dunn, Wasserman and Ramdas 2023, arXiv:1809.07441). Right on average over many families; no
    promise for any one of them.

Coverage is measured on the same residuals, each fold's against intervals made without it.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import BINARY, OUT_OF_FOLD
from snpredict.bundle.out_of_fold import FamilyResiduals
from snpredict.choices import FAMILIES, check_choice
from snpredict.errors import InvalidBundle, NoInterval, UsageError
from snpredict.formulas.conformal import (
    coverage_known,
    coverage_new,
    cv_plus,
    family_quantile,
    rank_of,
)
from snpredict.scoring.predictions import Scores

METHODS = {
    "known": "CV+ over the folds",
    "new": "pooled quantile over families left out",
}

#: Below it the ends of a CV+ interval may cross; above it they cannot.
_LOWEST_LEVEL = 0.5


@dataclass(frozen=True)
class Intervals:
    """Intervals of one level, made for a bundle before anything is scored.

    Attributes
    ----------
    level : float
        Share of samples whose trait value they are to hold.
    families : str
        One of `FAMILIES`.
    n_residuals, n_families : int
        What they were made from; families are 0 for ``known``.
    coverage : float or None
        Share that they were measured to hold; None where too few residuals are left to measure.
    by_family : tuple of float, or None
        The smallest and the largest share of a family's samples, for ``new``.
    others : bool
        Whether the bundle has intervals for the other kind of families too.
    """

    level: float
    families: str
    n_residuals: int
    n_families: int
    coverage: float | None
    by_family: tuple[float, float] | None
    others: bool
    _by_fold: list[np.ndarray]
    _radius: float | None

    @property
    def method(self) -> str:
        """In words."""
        return METHODS[self.families]

    def bounds(self, scores: Scores) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends, (samples,) float64, trait units.

        A sample of the training set is predicted by the one fold that did not see it, and that
        fold's prediction then stands in for those of all folds.
        """
        if self._radius is not None:
            return scores.prediction - self._radius, scores.prediction + self._radius
        folds = scores.folds.astype(np.float64)
        rows = np.flatnonzero(scores.held_out >= 0)
        folds[rows] = folds[rows, scores.held_out[rows]][:, None]
        return cv_plus(folds, self._by_fold, self.level)

    def facts(self) -> dict[str, object]:
        """Everything but the ends, as JSON values."""
        return {
            "level": self.level,
            "families": self.families,
            "method": self.method,
            "residuals": self.n_residuals,
            "measured_coverage": self.coverage,
        }


def intervals_of(bundle: Bundle, level: float, families: str = FAMILIES[0]) -> Intervals:
    """Prepare intervals of one level.

    Parameters
    ----------
    bundle : Bundle
    level : float
        From 0.5 to below 1.
    families : str
        One of `FAMILIES`.

    Raises
    ------
    UsageError
        The level or `families` is none.
    NoInterval
        The bundle has no residuals of this kind, or too few for the level.
    InvalidBundle
        Its residuals contradict its manifest.
    """
    check_request(level, families)
    has = _has(bundle)
    if not has[families]:
        raise _not_there(bundle, families, has)
    folds, residuals = _own_residuals(bundle)
    if families == "known":
        n = len(residuals)
        if rank_of(level, n) > n:
            raise _too_few(bundle, level, f"{n} residuals", Fraction(n, n + 1))
        return Intervals(
            level=level,
            families=families,
            n_residuals=n,
            n_families=0,
            coverage=coverage_known(residuals, folds, level),
            by_family=None,
            others=has["new"],
            _by_fold=[
                np.sort(residuals[folds == place]) for place in range(len(bundle.manifest.folds))
            ],
            _radius=None,
        )
    left_out = _family_residuals(bundle)
    residuals, family = np.abs(left_out.residual), left_out.family
    n_families = len(np.unique(family))
    radius = family_quantile(residuals, family, level)
    if not math.isfinite(radius):
        largest = Fraction(n_families, n_families + 1)
        raise _too_few(bundle, level, f"residuals of {n_families} families", largest)
    shares = coverage_new(residuals, family, left_out.fold, level)
    return Intervals(
        level=level,
        families=families,
        n_residuals=len(residuals),
        n_families=n_families,
        coverage=None if shares is None else float(shares.mean()),
        by_family=None if shares is None else (float(shares.min()), float(shares.max())),
        others=has["known"],
        _by_fold=[],
        _radius=radius,
    )


def check_request(level: float, families: str) -> None:
    """Refuse what no bundle can answer, before one is read.

    Raises
    ------
    UsageError
    """
    check_choice("--families", families, FAMILIES)
    if not _LOWEST_LEVEL <= level < 1:
        percent = f"; {level:g} percent is {level / 100:g}" if 50 <= level < 100 else ""
        raise UsageError(
            f"--interval {level:g} is not a level: expected a share of at least {_LOWEST_LEVEL} "
            "and below 1",
            f"for example --interval 0.9{percent}",
        )


def _own_residuals(bundle: Bundle) -> tuple[np.ndarray, np.ndarray]:
    """Place of the fold in the bundle, and absolute residual, of every training sample."""
    assert bundle.out_of_fold is not None  # every network has one
    folds = bundle.out_of_fold.fold
    numbers = [fold.number for fold in bundle.manifest.folds]
    unknown = ~np.isin(folds, numbers)
    if unknown.any():
        raise InvalidBundle(
            f"{bundle.path / OUT_OF_FOLD}: found a residual of fold {folds[unknown][0]:g}, "
            f"expected one of the manifest's folds, {', '.join(map(str, numbers))}"
        )
    order = np.argsort(numbers)
    places = order[np.searchsorted(np.sort(numbers), folds)]
    return places, np.abs(bundle.out_of_fold.residual)


def _family_residuals(bundle: Bundle) -> FamilyResiduals:
    if bundle.out_of_fold is None or bundle.out_of_fold.families is None:
        raise InvalidBundle(
            f"{bundle.path / OUT_OF_FOLD} has no column 'family_residual', from which the "
            "manifest says that there are intervals"
        )
    return bundle.out_of_fold.families


def _has(bundle: Bundle) -> dict[str, bool]:
    """Which kinds of intervals the bundle has."""
    manifest = bundle.manifest
    if manifest.task == BINARY:
        raise NoInterval(
            f"model {manifest.name} predicts a probability: prediction intervals are for traits "
            "that are measured, not for traits of 0 and 1",
            "the prediction itself says how sure it is",
        )
    if bundle.out_of_fold is None:
        raise NoInterval(
            f"model {manifest.name} keeps no residuals of training samples, which intervals are "
            "made of"
        )
    of_families = manifest.training is not None and manifest.training.fold_scheme == "family"
    new = manifest.intervals is not None and manifest.intervals.new is not None
    return {"known": not of_families, "new": new}


def _not_there(bundle: Bundle, families: str, has: dict[str, bool]) -> NoInterval:
    name = bundle.manifest.name
    if families == "known" or not has["known"]:
        return NoInterval(
            f"model {name} has no intervals for {families} families: its folds left whole families "
            "out" + ("" if has["new"] else ", and it was written before that was kept"),
            "say --families new"
            if has["new"]
            else "write the bundle again: python -m train summarize RUN",
        )
    return NoInterval(
        f"model {name} has no intervals for new families: it was trained without leaving families "
        "out",
        "train it with --new-families; --families known is for lines of the training families only",
    )


def _too_few(bundle: Bundle, level: float, of_what: str, largest: Fraction) -> NoInterval:
    # Rounded down, so that the level that is named can be asked for.
    digits = len(str(largest.denominator)) + 1
    level_possible = math.floor(largest * 10**digits) / 10**digits
    way_out = f"the largest level possible is {level_possible:.{digits}g}"
    return NoInterval(
        f"model {bundle.manifest.name} has {of_what}, too few for an interval of level {level:g}: "
        "it would be infinite",
        way_out if level_possible >= _LOWEST_LEVEL else "train on more samples",
    )
