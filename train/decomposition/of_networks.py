"""Networks of one trait, decomposed: haploid lines by their own estimators, diploids by contrasts.

All pairs are taken up to `ALL_PAIRS` loci. With more, a first look at fewer lines says at which
loci most of the interaction is; their pairs with all others are taken. Pairs with dominance are
taken where heterozygotes are common; components of variance with dominance always are.
"""

from dataclasses import dataclass, replace

import numpy as np

from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from train.decomposition.contrasts import Contrasts
from train.decomposition.diploid import (
    DiploidSensitivities,
    Tell,
    coded,
    pair_effects,
    sensitivities_of,
    variance_components,
)
from train.decomposition.fold_functions import FoldFunction
from train.decomposition.haploid import decompose
from train.decomposition.networks import Networks
from train.decomposition.over_folds import (
    ADDITIVE_BY_ADDITIVE,
    ADDITIVE_BY_DOMINANCE,
    DOMINANCE_BY_ADDITIVE,
    DOMINANCE_BY_DOMINANCE,
    Decomposed,
    OverFolds,
    Pairs,
)
from train.decomposition.sensitivities import KINDS, haploid_sensitivities

#: Loci up to which all pairs are taken.
ALL_PAIRS = 5000

#: Loci whose pairs with all others are taken where there are more, and lines of the first look.
CHOSEN, FIRST_LOOK = 1000, 500

#: Share of heterozygous genotypes from which on pairs with dominance are taken.
HETEROZYGOUS = 0.1

#: Lines in which the linear map is held against the network.
_MAPPED = 200


@dataclass(frozen=True, kw_only=True)
class How:
    """Lines of a diploid decomposition, the notion of sensitivity of a haploid one, and the seed.

    Attributes
    ----------
    pairs_of : ndarray of int64 or None
        Places of the loci whose pairs are asked for; None for all, see `ALL_PAIRS`.
    """

    sensitivity: str = KINDS[0]
    lines: int = 2000
    seed: int = 0
    pairs_of: np.ndarray | None = None


def decompose_networks(networks: Networks, how: How, tell: Tell = lambda: None) -> Decomposed:
    """Fold by fold; `tell` is called after every locus of every fold, see `steps`.

    Raises
    ------
    UnsuitableModel
        Gradients are asked of a network that is not all gradient.
    """
    return (_haploid if networks.haploid else _diploid)(networks, how, tell)


def steps(networks: Networks, how: How) -> int:
    """How often `decompose_networks` tells of a locus."""
    n = len(networks.snps)
    first_look = not networks.haploid and how.pairs_of is None and n > ALL_PAIRS
    return n * (len(networks.functions) + first_look)


def _haploid(networks: Networks, how: How, tell: Tell) -> Decomposed:
    contrasts = networks.contrasts
    # x is −1 and 1: twice the SD of the code.
    sd = 2 * np.sqrt(contrasts.additive_variance)
    n, every = len(networks.snps), np.arange(len(networks.snps))
    pairs = Pairs(every, sd, sd, True)
    found = _empty(networks, {ADDITIVE_BY_ADDITIVE: pairs}, 0)
    off, n_lines = 0.0, 0
    for at, function in enumerate(networks.functions):
        if networks.run is None:
            codes = contrasts.draw(how.lines, _random(how.seed, function.number))
        else:
            codes = networks.run.data.genotypes.rows(networks.run.rows[at]).nearest()
        n_lines += len(codes)
        each = haploid_sensitivities(function, codes, how.sensitivity, tell)
        off = max(off, function.distance_of_map(codes[:_MAPPED]))
        of_fold = decompose(each)
        found.additive.add(of_fold.additive)
        found.dominance.add(np.zeros(n))
        found.epistatic_variance.add(of_fold.epistatic_variance)
        pairs.standardised.add(of_fold.pairs * sd[:, None] * sd)
        found.variances.append(of_fold.variances)
        found.errors.append({})
    return _finished(found, n_lines // len(networks.functions), off)


def _diploid(networks: Networks, how: How, tell: Tell) -> Decomposed:
    contrasts = networks.contrasts
    chosen = how.pairs_of
    if chosen is None:
        chosen = np.arange(len(networks.snps))
        if len(chosen) > ALL_PAIRS:
            chosen = _most_interaction(networks.functions[0], contrasts, how.seed, tell)
    found = _empty(networks, _pairs(contrasts, chosen), how.lines)
    v_a, v_d = contrasts.additive_variance, contrasts.dominance_variance
    off = 0.0
    for function in networks.functions:
        codes = contrasts.draw(how.lines, _random(how.seed, function.number))
        of_fold = sensitivities_of(function.each_genotype, contrasts, codes, tell)
        off = max(off, function.distance_of_map(_with_gaps(codes[:_MAPPED], networks)))
        found.additive.add(of_fold.additive.mean(axis=0, dtype=np.float64))
        found.dominance.add(of_fold.dominance.mean(axis=0, dtype=np.float64))
        found.epistatic_variance.add(
            of_fold.additive.var(axis=0, ddof=1) * v_a + of_fold.dominance.var(axis=0, ddof=1) * v_d
        )
        components = variance_components(of_fold)
        found.variances.append({name: each.value for name, each in components.items()})
        found.errors.append({name: each.se for name, each in components.items()})
        _add_pairs(found.pairs, of_fold)
    return _finished(found, how.lines, off)


def _empty(networks: Networks, pairs: dict[str, Pairs], lines: int) -> Decomposed:
    return Decomposed(
        networks.trait, networks.unit, networks.snps, networks.haploid, lines,
        OverFolds(), OverFolds(), OverFolds(), pairs, [], [], None,
    )  # fmt: skip


def _finished(found: Decomposed, lines: int, off: float) -> Decomposed:
    return replace(found, lines=lines, off=off)


def _pairs(contrasts: Contrasts, chosen: np.ndarray) -> dict[str, Pairs]:
    """Of every kind that the loci's genotypes allow."""
    a, d = (np.sqrt(v) for v in (contrasts.additive_variance, contrasts.dominance_variance))
    found = {ADDITIVE_BY_ADDITIVE: Pairs(chosen, a[chosen], a, True)}
    if contrasts.shares[:, 1].mean() >= HETEROZYGOUS:
        found[ADDITIVE_BY_DOMINANCE] = Pairs(chosen, a[chosen], d, False)
        if len(chosen) < len(d):
            found[DOMINANCE_BY_ADDITIVE] = Pairs(chosen, d[chosen], a, False)
        found[DOMINANCE_BY_DOMINANCE] = Pairs(chosen, d[chosen], d, True)
    return found


def _add_pairs(pairs: dict[str, Pairs], of_fold: DiploidSensitivities) -> None:
    a, d = coded(of_fold)
    sides = {
        ADDITIVE_BY_ADDITIVE: (a, a),
        ADDITIVE_BY_DOMINANCE: (a, d),
        DOMINANCE_BY_ADDITIVE: (d, a),
        DOMINANCE_BY_DOMINANCE: (d, d),
    }
    for kind, each in pairs.items():
        effects = pair_effects(*sides[kind], each.chosen)
        # A locus that lacks a genotype has no such contrast.
        effects[each.one_sd == 0] = np.nan
        effects[:, each.other_sd == 0] = np.nan
        each.standardised.add(effects)


def _most_interaction(
    function: FoldFunction, contrasts: Contrasts, seed: int, tell: Tell
) -> np.ndarray:
    """Places of the loci with the largest variance of interaction, ascending."""
    codes = contrasts.draw(FIRST_LOOK, _random(seed, 0))
    found = sensitivities_of(function.each_genotype, contrasts, codes, tell)
    variance = (
        found.additive.var(axis=0) * contrasts.additive_variance
        + found.dominance.var(axis=0) * contrasts.dominance_variance
    )
    return np.sort(np.argsort(-variance, kind="stable")[:CHOSEN])


def _with_gaps(codes: np.ndarray, networks: Networks) -> np.ndarray:
    """The lines with genotypes missing as often as in the training set: the map holds there too."""
    rates = networks.frequencies[:, CHANNEL_CODES.index(MISSING)]
    gaps = np.random.default_rng(1).random(codes.shape) < rates
    return np.where(gaps, MISSING, codes).astype(np.int8)


def _random(seed: int, fold: int) -> np.random.Generator:
    return np.random.default_rng([seed, fold, 31])
