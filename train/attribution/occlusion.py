"""Occlusion by expectation: what the output loses when a SNP, or a window of them, is not known.

The output less its mean over what else the SNP might be. A SNP alone takes the values that the
other samples of the block have, each as often as they have it; a window takes the window of whole
samples, so that its SNPs stay together. Not complete where SNPs interact.
"""

from collections.abc import Sequence

import numpy as np

from train.attribution.explained import NO_SNP, Explained

#: Samples whose values are put in, at most.
_DRAWN = 32


def occlusion(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """SNP by SNP, (samples, SNPs)."""
    snps = np.unique(network.snp_of[network.snp_of != NO_SNP])
    found = np.zeros((len(x), network.n_snps))
    found[:, snps] = window_occlusion(network, x, random, [np.array([snp]) for snp in snps])
    return found


def window_occlusion(
    network: Explained,
    x: np.ndarray,
    random: np.random.Generator,
    windows: Sequence[np.ndarray],
) -> np.ndarray:
    """Window by window, (samples, windows).

    Parameters
    ----------
    windows : sequence of ndarray of int
        Places of the SNPs of each.
    """
    whole = network.outputs(x)
    found = np.zeros((len(x), len(windows)))
    drawn = random.permutation(len(x))[:_DRAWN]
    for number, window in enumerate(windows):
        columns = np.flatnonzero(np.isin(network.snp_of, window))
        if not len(columns):
            continue
        values, counts = np.unique(x[drawn][:, columns], axis=0, return_counts=True)
        without = np.zeros(len(x))
        changed = x.copy()
        for value, count in zip(values, counts, strict=True):
            changed[:, columns] = value
            without += count / len(drawn) * network.outputs(changed)
        found[:, number] = whole - without
    return found
