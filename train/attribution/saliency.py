"""Saliency: how strongly the output moves with a SNP's inputs (Simonyan, Vedaldi, Zisserman 2014).

``max_c |∂f/∂x_c|`` over the inputs of the SNP. The centred variant first takes off the gradient's
mean over the channels that occur in training: a constant added to all channels of a SNP changes no
prediction. Of a SNP with one input both are the absolute gradient. Not signed, not complete.
"""

import numpy as np

from train.attribution.explained import NO_SNP, Explained


def saliency(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The paper's, (samples, SNPs)."""
    return _largest(np.abs(network.gradients(x)), network)


def centred_saliency(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Less the mean over the SNP's channels that occur, which alone are looked at."""
    gradients = network.gradients(x)
    _, group, size = np.unique(network.snp_of, return_inverse=True, return_counts=True)
    occurs = network.occurs
    count = np.bincount(group, occurs)
    several = (size > 1)[group]
    sums = np.zeros((len(x), len(size)))
    starts = np.flatnonzero(np.diff(network.snp_of, prepend=-2))
    order = group[starts]
    sums[:, order] = np.add.reduceat(gradients * occurs, starts, axis=1)
    mean = (sums / np.maximum(count, 1))[:, group]
    return _largest(np.abs(gradients - np.where(several, mean, 0)) * occurs, network)


def _largest(values: np.ndarray, network: Explained) -> np.ndarray:
    found = np.zeros((len(values), network.n_snps))
    of_snps = np.flatnonzero(network.snp_of != NO_SNP)
    snps = network.snp_of[of_snps]
    if len(snps):
        starts = np.flatnonzero(np.diff(snps, prepend=-1))
        found[:, snps[starts]] = np.maximum.reduceat(values[:, of_snps], starts, axis=1)
    return found
