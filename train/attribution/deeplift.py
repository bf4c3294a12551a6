"""DeepLIFT, rescale rule, with the mean genotype as reference (Shrikumar, Greenside, Kundaje 2017).

Complete: a sample's contributions, those of covariates among them, add up to its output less that
of the reference.
"""

import numpy as np

from train.attribution.explained import Explained, by_snp


def deeplift(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Contributions, (samples, SNPs)."""
    return by_snp(network.multipliers(x) * (x - network.reference), network)
