"""Occlusion by expectation: what the output loses when a SNP, or a window of them, is not known.

The output less its mean over what else the SNP might be. A SNP alone takes the values that the
other samples of the block have, each as often as they have it; a window takes the window of whole
samples, so that its SNPs stay together. Not complete where SNPs interact.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from train.attribution.explained import NO_SNP, Explained

#: SNPs on either side that are occluded with one.
_NEIGHBOURS = 5

#: Of the inputs of a SNP among sorted ones.
_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")

#: Samples whose values are put in, at most.
_DRAWN = 32


def occlusion(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """SNP by SNP, (samples, SNPs)."""
    snps = np.unique(network.snp_of[network.snp_of != NO_SNP])
    found = np.zeros((len(x), network.n_snps))
    found[:, snps] = window_occlusion(network, x, random, [np.array([snp]) for snp in snps])
    return found


def neighbour_occlusion(
    network: Explained, x: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """SNP by SNP with its `_NEIGHBOURS` on either side, (samples, SNPs).

    Neighbours are those in the model's order. Where SNPs go together, a network may rest on any of
    them: a window tells what the region is worth.
    """
    snps = np.unique(network.snp_of[network.snp_of != NO_SNP])
    found = np.zeros((len(x), network.n_snps))
    windows: dict[tuple[int, ...], list[int]] = {}
    for snp in range(network.n_snps):
        first, end = np.searchsorted(snps, (snp - _NEIGHBOURS, snp + _NEIGHBOURS + 1))
        if end > first:
            # Windows with the same SNPs of the network are one.
            windows.setdefault(tuple(snps[first:end].tolist()), []).append(snp)
    each = window_occlusion(network, x, random, [np.array(window) for window in windows])
    for column, members in enumerate(windows.values()):
        found[:, members] = each[:, column : column + 1]
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
    whole, replaced = network.outputs(x), network.replaced(x)
    found = np.zeros((len(x), len(windows)))
    drawn = x[random.permutation(len(x))[:_DRAWN]]
    order = np.argsort(network.snp_of, kind="stable")
    sorted_snps = network.snp_of[order]
    for number, window in enumerate(windows):
        firsts, ends = (np.searchsorted(sorted_snps, window, side) for side in _SIDES)
        parts = [order[first:end] for first, end in zip(firsts, ends, strict=True)]
        columns = np.concatenate(parts) if parts else order[:0]
        if not len(columns):
            continue
        values, counts = np.unique(drawn[:, columns], axis=0, return_counts=True)
        without = np.zeros(len(x))
        for value, count in zip(values, counts, strict=True):
            without += count / len(drawn) * replaced(columns, value)
        found[:, number] = whole - without
    return found
