"""What comes out of a run: figures of each network, effects of each variant, scores."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.deepwas.fits import Fit
from train.deepwas.likelihood import Posterior
from train.deepwas.study import Study


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A network and an objective, the logarithms of its seeds' priors averaged.

    Attributes
    ----------
    fits : list of Fit
        A seed each.
    log_prior : ndarray (variants,) of float64
    sigma : float
    losses, counts : ndarray (held-out windows,)
        See `train.deepwas.genome.losses`, and core variants.
    validation : float
        Loss per variant of the validation windows.
    correlations, correlation : list of float or None
        With the truth, of each seed and of the average.
    """

    network: str
    objective: str
    fits: list[Fit]
    log_prior: np.ndarray
    sigma: float
    losses: np.ndarray
    counts: np.ndarray
    validation: float
    correlations: list[float | None]
    correlation: float | None

    @property
    def name(self) -> str:
        """Network and objective."""
        return f"{self.network}, {self.objective}"

    def summary(self) -> dict[str, Any]:
        """For ``summary.json``."""
        mean, se = jackknife(self.losses, self.counts)
        found: dict[str, Any] = {
            "held_out_gain": mean,
            "held_out_gain_se": se,
            "validation_gain": self.validation,
            "sigma": self.sigma,
            "mean_log_prior": float(self.log_prior.mean()),
            "sd_log_prior": float(self.log_prior.std()),
            "seconds": [fit.seconds for fit in self.fits],
            "epochs": [len(fit.history) - 1 for fit in self.fits],
        }
        if len(self.fits) > 1:
            total = self.counts.sum()
            found["seeds"] = [float(fit.losses.sum() / total) for fit in self.fits]
        if self.correlation is not None:
            found["correlation_with_truth"] = self.correlation
            if len(self.fits) > 1:
                found["seeds_correlation"] = self.correlations
        return found


def jackknife(losses: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """Sum of losses by sum of counts, and its standard error when each window is left out.

    NaN for the error of fewer than two windows.
    """
    total, count = losses.sum(), counts.sum()
    mean = float(total / count)
    n = len(losses)
    if n < 2:
        return mean, float("nan")
    without = (total - losses) / (count - counts)
    return mean, float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))


def outcome_files(
    out: Path,
    study: Study,
    annotations: Mapping[str, np.ndarray],
    outcomes: list[Outcome],
    effects: Mapping[str, Posterior],
) -> dict[Path, bytes]:
    """``variants.parquet``: annotations, priors, and effects under each, of every variant."""
    import pandas

    columns: dict[str, Any] = {
        name: study.snps.columns[name].to_pylist() for name in study.snps.columns.column_names
    }
    columns |= {"frequency": study.frequency, "n": study.n, "z": study.z}
    columns = dict(annotations) | columns
    for one in outcomes:
        key = f"{one.network}_{one.objective}"
        columns[f"log_prior_{key}"] = one.log_prior
        columns[f"effect_{key}"] = effects[one.name].mean
        columns[f"effect_variance_{key}"] = effects[one.name].variance
    file = io.BytesIO()
    pandas.DataFrame(columns).to_parquet(file, index=False)
    return {out / "variants.parquet": file.getvalue()}
