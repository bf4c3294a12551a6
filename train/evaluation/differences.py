"""A run held against another on the same folds: GBLUP, or the same model on another table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from train.evaluation.figures import Interval, mean_interval
from train.runs.folder import Run

#: Fewer folds say nothing about how far another draw of them would be.
_FEWEST_FOLDS = 3

_GBLUP = ("pcc_above_gblup", "pcc_above_gblup_low", "pcc_above_gblup_high")


@dataclass(frozen=True)
class Difference:
    """The PCC of a run less that of another.

    Attributes
    ----------
    folds : int
        In which both have a PCC.
    ours, theirs : float
        Mean PCC over these folds.
    gain : Interval
        Of ours − theirs, paired by fold, with its 95 % bootstrap interval over folds; NaN ends
        with fewer than three folds.
    """

    folds: int
    ours: float
    theirs: float
    gain: Interval

    @staticmethod
    def of(run: Run, other: Run) -> "Difference | None":
        """None where they have no fold with a PCC in common."""
        one, two = ({r["fold"]: r["metrics"]["pcc"] for r in each.results} for each in (run, other))
        shared = [n for n in one if one[n] is not None and two.get(n) is not None]
        if not shared:
            return None
        ours, theirs = (np.array([pcc[n] for n in shared], np.float64) for pcc in (one, two))
        gain = mean_interval(ours - theirs, run.settings.seed)
        if len(shared) < _FEWEST_FOLDS:
            gain = Interval(gain.value)
        return Difference(len(shared), float(ours.mean()), float(theirs.mean()), gain)

    def figures(self) -> dict[str, float | None]:
        """Against GBLUP, by the names of a bundle's metrics."""
        gain = (self.gain.value, self.gain.low, self.gain.high)
        ends = {name: v if math.isfinite(v) else None for name, v in zip(_GBLUP, gain, strict=True)}
        return {"gblup_pcc_mean": self.theirs, **ends}

    @staticmethod
    def of_figures(metrics: Mapping[str, float | None], folds: int) -> "Difference | None":
        """The reverse of `figures`, of a bundle whose model was held against GBLUP on all folds."""
        ours, theirs = metrics.get("pcc_mean"), metrics.get("gblup_pcc_mean")
        if ours is None or theirs is None:
            return None
        ends = [math.nan if (v := metrics.get(name)) is None else v for name in _GBLUP]
        return Difference(folds, ours, theirs, Interval(*ends))

    def sentence(self, us: str, them: str) -> str:
        """What it says, in words."""
        if not math.isfinite(self.gain.low):
            verdict = "too few folds to tell more"
        elif self.gain.low > 0:
            verdict = f"{us} predicts better than {them}"
        elif self.gain.high < 0:
            verdict = f"{them} predicts better than {us}"
        else:
            verdict = "the interval holds 0, so that no difference is shown"
        interval = "95 % interval over" if math.isfinite(self.gain.low) else "of"
        return (
            f"PCC of {us} {Interval(self.ours).text()}, of {them} {Interval(self.theirs).text()}; "
            f"difference {self.gain.text(signed=True)} ({interval} {self.folds} folds): {verdict}"
        )
