"""Shapley values by sampling: the check of the other methods (Štrumbelj & Kononenko 2014).

In a random order the SNPs go, one after the other, from the reference to what they are in the
sample, and what each changes is its own; the mean over orders. Complete for every order.
Covariates, if any, go first. Costs an output per SNP with a weight, order and sample.
"""

import numpy as np

from train.attribution.explained import NO_SNP, Explained

_ORDERS = 16


def shapley(network: Explained, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Estimates, (samples, SNPs)."""
    of_snps = np.flatnonzero(network.snp_of != NO_SNP)
    snps = np.unique(network.snp_of[of_snps])
    found = np.zeros((len(x), network.n_snps))
    columns = [np.flatnonzero(network.snp_of == snp) for snp in snps]
    for row, sample in enumerate(x):
        for _ in range(_ORDERS):
            order = random.permutation(len(snps))
            steps = np.tile(sample, (len(snps) + 1, 1))
            for place, at in enumerate(order):
                # Before its turn a SNP is as in the reference.
                steps[: place + 1, columns[at]] = network.reference[columns[at]]
            outputs = network.outputs(steps)
            found[row, snps[order]] += np.diff(outputs) / _ORDERS
    return found
