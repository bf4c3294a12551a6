"""Gradients as contributions: at the sample, smoothed around it, and along the way to it."""

import numpy as np

from train.attribution.explained import Explained, by_snp

#: Points of the path's midpoint rule.
_STEPS = 32

#: Noisy copies of a sample, and the noise in SDs of the inputs of the block.
_COPIES, _NOISE = 16, 0.3


def gradient_input(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Gradient times distance from the reference; complete where the network is linear.

    Source: Shrikumar et al. (2016). The distance takes the place of the input itself, whose zero
    has no meaning for a genotype.
    """
    return by_snp(network.gradients(x) * (x - network.reference), network)


def integrated_gradients(
    network: Explained, x: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """The gradient's mean along the straight line from the reference, times the distance.

    Complete up to the error of the midpoint rule of 32 points. Source: Sundararajan, Taly, Yan
    (2017).
    """
    away = x - network.reference
    total = np.zeros_like(away)
    for at in (np.arange(_STEPS) + 0.5) / _STEPS:
        total += network.gradients(network.reference + at * away)
    return by_snp(total / _STEPS * away, network)


def smooth_gradient(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The mean gradient of noisy copies of the sample, times the distance (Smilkov et al. 2017).

    Inputs that do not vary among the samples get no noise.
    """
    spread = _NOISE * x.std(axis=0)
    total = np.zeros(x.shape)
    for _ in range(_COPIES):
        total += network.gradients(x + spread * random.standard_normal(x.shape))
    return by_snp(total / _COPIES * (x - network.reference), network)
