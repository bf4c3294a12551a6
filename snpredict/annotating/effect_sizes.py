"""Expected effect variances of variants, and which annotations made them.

The model gives log Λ of standardised annotations, with Λ = N f and the study's people N; f is the
variance of an effect in standard deviations of the trait per standard deviation of the genotype.
What an annotation does to log Λ is counted from a variant whose annotations are all average:
exactly by difference where the model is linear, and by integrated gradients along the straight way
from there otherwise (Sundararajan et al. 2017), with gradients by central differences.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import InvalidBundle, WrongKindOfModel

if TYPE_CHECKING:
    from snpredict.bundle.entries import VariantModel

#: log Λ stays within: smaller ones cannot be told from 0.
LOWEST, HIGHEST = -10.0, 10.0

#: Standardised annotations are cut there.
MOST = 100.0

#: Places along the way, half steps of a difference, and rows that are evaluated at once.
_STEPS, _HALF, _AT_ONCE = 16, 0.01, 1 << 16


class EffectSizes(NamedTuple):
    """Of variants.

    Attributes
    ----------
    variance : ndarray (variants,) of float64
        f.
    rank : ndarray (variants,) of int64
        1 is the largest; equal ones in the order of the table.
    by : ndarray (variants, annotations) of float64
        What each annotation adds to log f.
    """

    variance: np.ndarray
    rank: np.ndarray
    by: np.ndarray


class VariantScorer:
    """A bundle of variant effects, ready to run.

    Raises
    ------
    WrongKindOfModel
        The bundle is of another kind, or has no model.
    InvalidBundle
        The model cannot be run, or gives something else than one finite number.
    """

    def __init__(self, bundle: Bundle):
        from snpredict.scoring.onnx_session import open_session

        entry = bundle.manifest.variant_model
        if entry is None:
            raise WrongKindOfModel(
                f"model {bundle.manifest.name!r} is of kind {bundle.manifest.kind}: it does not "
                "say how large effects of variants are expected to be",
                "python -m train deepwas run writes a bundle that does",
            )
        self.entry: VariantModel = entry
        self._path = bundle.path / entry.model
        try:
            self._session = open_session(bundle.files[entry.model])
            self._run(np.zeros((1, len(entry.annotations))))
        except InvalidBundle:
            raise
        except Exception as error:
            raise InvalidBundle(f"{self._path} cannot be run: {error}") from None

    def log_prior(self, values: np.ndarray) -> np.ndarray:
        """log Λ of annotations as the table has them, (variants,) float64."""
        return np.clip(self._run(self.standardised(values)), LOWEST, HIGHEST)

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """Annotations on the scale that the model was trained on; a missing one is average."""
        scaled = (values - np.array(self.entry.means)) / np.array(self.entry.scales)
        return np.clip(np.nan_to_num(scaled, nan=0.0), -MOST, MOST)

    def effect_sizes(
        self, values: np.ndarray, tell: Callable[[int], None] = lambda rows: None
    ) -> EffectSizes:
        """Expected effect variances, and what made them.

        Parameters
        ----------
        values : ndarray (variants, annotations)
            As the table has them, NaN for missing.
        tell : callable
            Told of so many more rows that are done.
        """
        variance = np.exp(self.log_prior(values)) / self.entry.people
        order = np.argsort(-variance, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(1, len(order) + 1)
        x = self.standardised(values)
        by = np.empty(x.shape)
        step = max(1, _AT_ONCE // (2 * x.shape[1]))
        for start in range(0, len(x), step):
            own = x[start : start + step]
            by[start : start + step] = self._contributions(own)
            tell(len(own))
        return EffectSizes(variance, rank, by)

    def _contributions(self, x: np.ndarray) -> np.ndarray:
        n, p = x.shape
        if self.entry.network in ("constant", "linear"):
            alone = (x[:, None, :] * np.eye(p)).reshape(-1, p)
            return (self._run(alone) - self._run(np.zeros((1, p)))).reshape(n, p)
        total = np.zeros((n, p))
        for place in (np.arange(_STEPS) + 0.5) / _STEPS:
            sides = []
            for half in (_HALF, -_HALF):
                moved = place * x[:, None, :] + half * np.eye(p)
                sides.append(self._run(moved.reshape(-1, p)).reshape(n, p))
            total += (sides[0] - sides[1]) / (2 * _HALF)
        return x * total / _STEPS

    def _run(self, x: np.ndarray) -> np.ndarray:
        (found,) = self._session.run(["log_prior"], {"annotations": x.astype(np.float32)})
        if found.shape != (len(x),) or not np.isfinite(found).all():
            raise InvalidBundle(
                f"{self._path}: expected a finite number for each variant, found shape "
                f"{list(found.shape)}"
            )
        return found.astype(np.float64)
