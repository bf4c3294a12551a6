"""Additive effects, epistasis and variance components of haploid lines from sensitivities.

For x of −1 and 1 in linkage equilibrium and a trait

    y = Σ_i β_i x_i + Σ_{i<j} β_ij x_i x_j

the sensitivity of locus i is s_i = β_i + Σ_j β_ij x_j. So

- its mean is β_i, where alleles are equally common; else β_i + Σ_j β_ij (p_j − q_j);
- its variance is Σ_j β_ij² 4 p_j q_j: all epistasis of the locus;
- with m(a, b) the mean of s_i over lines with x_i = a and x_j = b,
  e_ij = −[m(−,−) − m(−,+) + m(+,−) − m(+,+)] / 4 is β_ij, and so is e_ji: the pair's effect is the
  mean of the two;
- V_A = Σ mean², less the means' sampling error, V_I = ½ Σ variance, because every pair counts at
  both of its loci, and V_G = V_A + V_I.

Source: "A quantitative-genetic decomposition of a neural network" (Arcadia Science 2025,
10.5281/zenodo.17458438), whose V_G sums pairs twice.
"""

from dataclasses import dataclass

import numpy as np

from train.decomposition.sensitivities import Sensitivities


@dataclass(frozen=True)
class Decomposition:
    """Of one network and trait.

    Attributes
    ----------
    additive : ndarray (loci,)
        Trait units per unit of x.
    epistatic_variance : ndarray (loci,)
        Trait units squared.
    pairs : ndarray (loci, loci)
        Symmetric; NaN on the diagonal, and where one of the four combinations has no line.
    variances : dict of str to float
        ``additive``, ``epistatic``, ``genetic``.
    """

    additive: np.ndarray
    epistatic_variance: np.ndarray
    pairs: np.ndarray
    variances: dict[str, float]


def decompose(found: Sensitivities) -> Decomposition:
    """The estimators of the module's text; lines that miss a locus have no part in its pairs."""
    s, n = found.values, len(found.values)
    additive, variance = s.mean(axis=0), s.var(axis=0, ddof=1)
    v_a = float((additive**2).sum() - (variance / n).sum())
    v_i = float(0.5 * variance.sum())
    return Decomposition(
        additive,
        variance,
        pair_effects(found.x, s),
        {"additive": v_a, "epistatic": v_i, "genetic": v_a + v_i},
    )


def pair_effects(x: np.ndarray, s: np.ndarray) -> np.ndarray:
    """β_ij of all pairs: four products of matrices (loci, lines) · (lines, loci)."""
    sides = {sign: (x == sign).astype(np.float64) for sign in (-1, 1)}
    mean = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for a, own in sides.items():
            for b, other in sides.items():
                mean[a, b] = ((s * own).T @ other) / (own.T @ other)
        each = -(mean[-1, -1] - mean[-1, 1] + mean[1, -1] - mean[1, 1]) / 4
    pairs = (each + each.T) / 2
    np.fill_diagonal(pairs, np.nan)
    return pairs


def false_discovery(effects: np.ndarray, null: np.ndarray) -> np.ndarray:
    """q-values of effects by those of a null without any.

    The share of the null at least as large, by the share of the effects at least as large, made
    monotone: the smallest rate at which a pair is in the list (Storey 2002, with all pairs taken
    to be null).

    Parameters
    ----------
    effects, null : ndarray of float64
        Absolute values are compared.

    Returns
    -------
    ndarray, the shape of `effects`, at most 1
    """
    sizes = np.abs(effects)
    order = np.argsort(-sizes, kind="stable")
    ordered = np.sort(np.abs(null))
    beyond = (len(ordered) - np.searchsorted(ordered, sizes[order], "left")) / max(len(ordered), 1)
    rates = beyond / (np.arange(1, len(sizes) + 1) / max(len(sizes), 1))
    q = np.minimum.accumulate(rates[::-1])[::-1]
    found = np.empty(len(sizes))
    found[order] = np.minimum(q, 1)
    return found
