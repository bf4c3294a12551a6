"""The score of a network as numbers, and its hidden layer as the fused ensemble takes it."""

from dataclasses import dataclass

import numpy as np

from snpredict.formulas.fixed_effects import FixedEffects
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction


@dataclass(frozen=True)
class HiddenPart:
    """The hidden layers of all folds, their weights as whole numbers and two scales.

    ``U[f, j, h] = grid[f, j, h] · snp_scale[f, j] · unit_scale[f, h]``: a byte per weight in the
    file. See `train.networks.hidden.on_grid`, after which a network's weights are exactly these.

    Attributes
    ----------
    snps : ndarray (folds, inputs) of int64
    means : ndarray (folds, inputs) of float32
    grid : ndarray (folds, inputs, units) of int8
    snp_scale : ndarray (folds, inputs) of float32
    unit_scale : ndarray (folds, units) of float32
    bias, output : ndarray (folds, units) of float32
    """

    snps: np.ndarray
    means: np.ndarray
    grid: np.ndarray
    snp_scale: np.ndarray
    unit_scale: np.ndarray
    bias: np.ndarray
    output: np.ndarray


@dataclass(frozen=True)
class NetworkScore:
    """The score of one fold's network, before its ISRU.

    Attributes
    ----------
    weights : ndarray (SNPs, 4) of float32
        W, channel order.
    bias : float
        b.
    hidden : HiddenPart or None
        Of one fold.
    """

    weights: np.ndarray
    bias: float
    hidden: HiddenPart | None = None

    def function(self) -> ScoreFunction:
        """The same as a function of one fold."""
        return function_of(self.weights[:, :, None], np.array([self.bias]), self.hidden)


def function_of(
    weights: np.ndarray,
    bias: np.ndarray,
    hidden: HiddenPart | None,
    fixed: FixedEffects | None = None,
) -> ScoreFunction:
    """The score of all folds as the runtime knows it.

    Parameters
    ----------
    weights : ndarray (SNPs, 4, folds)
    bias : ndarray (folds,)
    """
    if hidden is None:
        return ScoreFunction(weights, bias, None, fixed)
    kernel = hidden.grid * hidden.snp_scale[:, :, None] * hidden.unit_scale[:, None, :]
    numbers = (hidden.means, kernel, hidden.bias, hidden.output)
    layer = HiddenLayer(hidden.snps, *(array.astype(np.float64) for array in numbers))
    return ScoreFunction(weights, bias, layer, fixed)
