"""The model of a linear bundle: one effect per SNP, in numpy alone."""

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import InvalidBundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.score_function import ScoreFunction, TableCells, flat_by_fold

#: Genotypes that are looked up at a time.
_CELLS = 1 << 20


class LinearModel:
    """The `FoldModels` of a linear bundle.

    A missing genotype counts as the mean code, a dosage as itself.

    Parameters
    ----------
    bundle : Bundle
        With a table of effects.

    Raises
    ------
    InvalidBundle
        Its effects are so large that a prediction may be infinite.
    """

    def __init__(self, bundle: Bundle):
        assert bundle.effects is not None
        self._function = bundle.effects.function(bundle.manifest.intercept)
        self._trait = bundle.manifest.trait_scale
        (self._table,) = flat_by_fold(self._function.weights)
        with np.errstate(over="ignore"):
            largest = np.abs(self._function.weights).max(axis=1).sum()
            ends = self._function.bias + np.array([[-largest], [largest]])
            finite = np.isfinite(self._trait.predictions(ends).astype(np.float32)).all()
        if not finite:
            raise InvalidBundle(f"{bundle.path}: its effects add up to more than a number can be")

    def predict(self, genotypes: Genotypes, covariates: np.ndarray | None = None) -> np.ndarray:
        """See `FoldModels.predict`."""
        step = max(1, _CELLS // genotypes.n_snps)
        sums = [
            # Row by row: a sample's sum does not depend on its neighbours.
            TableCells(genotypes.rows(slice(at, at + step))).look_up(self._table).sum(axis=1)
            for at in range(0, len(genotypes), step)
        ]
        z = self._function.bias + np.concatenate(sums)[:, None]
        return self._trait.predictions(z).astype(np.float32)

    def score_function(self) -> ScoreFunction:
        """See `FoldModels.score_function`."""
        return self._function
