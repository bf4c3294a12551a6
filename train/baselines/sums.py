"""Models that are a sum over SNPs, as the score function that exact contributions need."""

import numpy as np

from snpredict.formulas.encoding import channel_weights
from snpredict.formulas.links import Identity, TraitScale
from snpredict.formulas.score_function import ScoreFunction


def sum_over_snps(
    effects: np.ndarray,
    means: np.ndarray,
    center: np.ndarray | float,
    scale: np.ndarray | float = 1.0,
) -> tuple[ScoreFunction, TraitScale]:
    """``center + scale · Σ_j effect_j (code_j − mean_j)``, a missing genotype being the mean.

    Parameters
    ----------
    effects : ndarray (SNPs, targets)
    means : ndarray (SNPs,)
    center, scale : ndarray (targets,), or a number
    """
    n_targets = effects.shape[1]
    weights = [channel_weights(effects[:, target], means) for target in range(n_targets)]
    function = ScoreFunction(np.stack(weights, axis=2), np.zeros(n_targets))
    of_targets = np.broadcast_arrays(np.asarray(center, np.float64), scale, np.zeros(n_targets))
    return function, TraitScale(of_targets[0], of_targets[1], Identity())
