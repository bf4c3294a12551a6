"""Known effects of simulated traits, and how well estimates meet them.

A table of known effects has the columns trait, locus, additive, partner, epistatic and, for
diploids, may have dominance. Of a haploid trait x is −1 and 1:

    y = Σ a_i x_i + Σ e_ij x_i x_j

Of a diploid one x is −1, 0, 1 and h is 1 in heterozygotes:

    y = Σ a_i x_i + Σ d_i h_i + Σ e_ij x_i x_j

An average effect of an allele is then α_i = a_i + d_i Cov(h, x) / Var x + Σ_j e_ij mean(x_j),
at the genotype frequencies of the lines. In Hardy-Weinberg proportions the second term is
d (q − p).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from train.decomposition.contrasts import Contrasts
from train.decomposition.over_folds import ADDITIVE_BY_ADDITIVE, Decomposed
from train.errors import SimulationError

COLUMNS = ("trait", "locus", "additive", "partner", "epistatic")
#: May be there.
DOMINANCE = "dominance"


@dataclass(frozen=True)
class Truth:
    """Of one trait: effects by locus, and by pair."""

    additive: dict[str, float] = field(default_factory=dict)
    dominance: dict[str, float] = field(default_factory=dict)
    pairs: dict[frozenset[str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """Figures by name, and true values and estimates by what they are of."""

    figures: dict[str, float]
    points: dict[str, tuple[np.ndarray, np.ndarray]]


def read_truth(path: Path) -> dict[str, Truth]:
    """By trait.

    Raises
    ------
    SimulationError
        The file cannot be read, or lacks a column or a number.
    """
    texts = dict.fromkeys(("trait", "locus", "partner"), str)
    try:
        table = pd.read_csv(path, sep="\t", dtype=texts)
    except (OSError, ValueError) as error:
        raise SimulationError(
            f"{path} cannot be read: {' '.join(str(error).split())}",
            "name a table of known effects, tab-separated",
        ) from None
    if lacking := [name for name in COLUMNS if name not in table]:
        raise SimulationError(
            f"{path} has no column {lacking[0]}; expected {', '.join(COLUMNS)}",
            "name a table of known effects",
        )
    if DOMINANCE not in table:
        table[DOMINANCE] = 0.0
    numbers = ["additive", "epistatic", DOMINANCE]
    values = table[numbers].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    if len(wrong := np.argwhere(~np.isfinite(values))):
        row, column = wrong[0]
        raise SimulationError(
            f"{path}, line {row + 2}: found {table[numbers[column]].iloc[row]!r} for "
            f"{numbers[column]}, expected a number",
            "write 0 where there is no effect",
        )
    found: dict[str, Truth] = {}
    labels = table[["trait", "locus", "partner"]].itertuples(index=False)
    for (trait, locus, partner), (a, e, d) in zip(labels, values.tolist(), strict=True):
        of_trait = found.setdefault(trait, Truth())
        of_trait.additive[locus] = a
        of_trait.dominance[locus] = d
        if e:
            of_trait.pairs[frozenset((locus, partner))] = e
    return found


def against_truth(found: Decomposed, truth: Truth, contrasts: Contrasts) -> Compared:
    """r and slope of the estimates on known effects: of loci, of all pairs, of true pairs.

    A pair that the truth does not name has no effect. ``true_pairs_found`` is the share of true
    ones among as many strongest pairs; ``true_pairs_r`` needs three. Of haploids, ``quadratic`` is
    the coefficient of the variances of the sensitivities on the squared effects of their pairs.

    Raises
    ------
    SimulationError
        The truth lacks a locus.
    """
    if lacking := [snp for snp in found.snps if snp not in truth.additive]:
        raise SimulationError(
            f"the truth of {found.trait} lacks locus {lacking[0]}; expected every SNP of the run",
            "name the table that belongs to these lines",
        )
    varies = contrasts.additive_variance > 0
    points = {"additive effects": (_additive(found, truth, contrasts), found.additive.mean)}
    if any(truth.dominance.values()):
        d = np.array([truth.dominance[snp] for snp in found.snps])
        points["dominance"] = d, found.dominance.mean
    points = {name: (one[varies], other[varies]) for name, (one, other) in points.items()}
    figures: dict[str, float] = {}
    for name, (true, estimated) in points.items():
        figures |= _line(name.split()[0], true, estimated)
    if truth.pairs:
        points["effects of pairs"] = of_pairs = _of_pairs(found, truth.pairs)
        figures |= _figures_of_pairs(*of_pairs)
        if found.haploid and len(truth.pairs) > 1:
            # With one partner the variance of a sensitivity is the squared effect of the pair.
            of_locus = np.array([_of_partner(snp, truth.pairs) for snp in found.snps])
            variances = found.epistatic_variance.mean
            figures["quadratic"] = float(np.polyfit(of_locus, variances, 2)[0])
    return Compared(figures, points)


def _additive(found: Decomposed, truth: Truth, contrasts: Contrasts) -> np.ndarray:
    """The average effects that the truth amounts to."""
    a = np.array([truth.additive[snp] for snp in found.snps])
    if found.haploid:
        return a
    p = contrasts.shares
    d = np.array([truth.dominance[snp] for snp in found.snps])
    variance = contrasts.additive_variance
    with_het = p[:, 1] * contrasts.additive[:, 1]
    a = a + d * np.divide(with_het, variance, out=np.zeros(len(a)), where=variance > 0)
    at = {snp: place for place, snp in enumerate(found.snps)}
    mean = p @ np.array([-1.0, 0.0, 1.0])
    for pair, effect in truth.pairs.items():
        one, other = (at[snp] for snp in pair)
        a[one] += effect * mean[other]
        a[other] += effect * mean[one]
    return a


def _of_pairs(
    found: Decomposed, pairs: Mapping[frozenset[str], float]
) -> tuple[np.ndarray, np.ndarray]:
    """True effects and estimates of all pairs whose effect can be known."""
    each = found.pairs[ADDITIVE_BY_ADDITIVE]
    rows, columns = each.cells()
    estimated = each.standardised.mean[rows, columns] * each.per_unit(rows, columns)
    true = np.zeros((len(each.chosen), len(found.snps)))
    row_of = {found.snps[place]: row for row, place in enumerate(each.chosen.tolist())}
    column_of = {snp: column for column, snp in enumerate(found.snps)}
    for pair, effect in pairs.items():
        one, other = pair
        for a, b in ((one, other), (other, one)):
            if a in row_of:
                true[row_of[a], column_of[b]] = effect
    return true[rows, columns], estimated


def _figures_of_pairs(true: np.ndarray, estimated: np.ndarray) -> dict[str, float]:
    figures = _line("pairs", true, estimated)
    real = true != 0
    strongest = np.argsort(-np.abs(estimated), kind="stable")[: real.sum()]
    figures["true_pairs_found"] = float(real[strongest].mean())
    if real.sum() > 2:
        figures["true_pairs_r"] = _line("", true[real], estimated[real])["_r"]
    return figures


def _line(name: str, true: np.ndarray, estimated: np.ndarray) -> dict[str, float]:
    """r, and the slope of the estimates on the truth; nothing where either is constant."""
    if true.std() == 0 or estimated.std() == 0:
        return {}
    r = float(np.corrcoef(true, estimated)[0, 1])
    return {f"{name}_r": r, f"{name}_slope": r * float(estimated.std() / true.std())}


def _of_partner(snp: str, pairs: Mapping[frozenset[str], float]) -> float:
    """The root of the summed squares of a locus' effects, with the sign of a single one."""
    own = [effect for pair, effect in pairs.items() if snp in pair]
    return own[0] if len(own) == 1 else float(np.linalg.norm(own))
