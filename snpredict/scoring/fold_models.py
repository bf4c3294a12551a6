"""What can be scored: the interface of a bundle's models, whatever they are made of."""

from typing import Protocol

import numpy as np

from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.score_function import ScoreFunction


class FoldModels(Protocol):
    """What every kind of bundle offers to be scored: its fold models, loaded and tried out."""

    def predict(self, genotypes: Genotypes, covariates: np.ndarray | None = None) -> np.ndarray:
        """Prediction of every fold model, trait units; called from several threads.

        Parameters
        ----------
        genotypes : Genotypes
            A tile: all its rows take part in one computation of a fixed shape.
        covariates : ndarray (samples, columns) of float32, or None
            Of models that take them; NaN for a missing value.

        Returns
        -------
        ndarray (samples, folds) of float32

        Raises
        ------
        InvalidBundle
            A model fails.
        UsageError
            There are dosages, and the models have no prediction for them.
        """
        ...

    def score_function(self) -> ScoreFunction | DenseFunction | None:
        """The fold models as numbers, or None where their layers are not known.

        Raises
        ------
        InvalidBundle
            The numbers do not have the shapes that the manifest implies.
        """
        ...
