"""The hidden layer of one fold, as the fused ensemble takes it."""

from dataclasses import dataclass

import numpy as np


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
