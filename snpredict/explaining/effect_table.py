"""The effects of all SNPs of a model as a table, and the best line through each.

The **average effect** of a SNP (Fisher 1918; Falconer and Mackay, chapter 7) is the slope of the
regression of the genotypes' effects on the copies of the counted allele, weighted by how frequent
the genotypes are in the training set. Of a model that is a sum of weights it is the weight, and of
any model it is the part of a SNP that a linear score can hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import LINEAR
from snpredict.explaining.contributions import read_ensemble
from snpredict.formulas.effects import average_effects
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, assumed_frequencies
from snpredict.scoring.scorer import Scorer

_CALLED = [at for at, code in enumerate(CHANNEL_CODES) if code != MISSING]
_NONE, _TWO = CHANNEL_CODES.index(0), CHANNEL_CODES.index(2)
_CODES = np.array([CHANNEL_CODES[at] for at in _CALLED], float)


@dataclass(frozen=True)
class EffectsOfSnps:
    """What one SNP does to a prediction in the average line, for all SNPs; trait units.

    Attributes
    ----------
    by_genotype : ndarray (SNPs, 4) of float64
        Channel order; means over the folds.
    average : ndarray (SNPs,) of float64
        Average effects, means over the folds. Where one genotype alone occurs in training, those of
        a sum of weights are the weights, and those of a network NaN.
    sd : ndarray (SNPs,) of float64
        Standard deviation of the folds' average effects, ddof = 1; NaN of a model with one fold.
    agreement : ndarray (SNPs,) of float64
        Share of the folds whose average effect has the sign of the mean; NaN likewise.
    frequency : ndarray (SNPs,) of float64
        Of the counted allele among called genotypes of the training set; NaN where none is known.
    """

    by_genotype: np.ndarray
    average: np.ndarray
    sd: np.ndarray
    agreement: np.ndarray
    frequency: np.ndarray


def effects_of_snps(bundle: Bundle, scorer: Scorer) -> EffectsOfSnps:
    """The effects of a model's SNPs, of the very weights that predict.

    Raises
    ------
    NotExplainable
        The layers of the model are not known.
    """
    ensemble = read_ensemble(bundle, scorer)
    frequencies, n_folds = ensemble.frequencies, ensemble.function.n_folds
    by_fold = [
        average_effects(one.function, one.trait, frequencies)
        for one in map(ensemble.only, range(n_folds))
    ]
    average = np.stack(
        [average_effect(effects, assumed_frequencies(frequencies)) for effects in by_fold], axis=1
    )
    if bundle.manifest.kind == LINEAR:
        # All genotypes of a sum of weights lie on one line, also those that training lacks.
        slopes = [(effects[:, _TWO] - effects[:, _NONE]) / 2 for effects in by_fold]
        average = np.where(np.isnan(average), np.stack(slopes, axis=1), average)
    mean = average.mean(axis=1)
    same_sign = (np.sign(average) == np.sign(mean)[:, None]).mean(axis=1)
    same_sign[np.isnan(mean)] = np.nan
    called = frequencies[:, _CALLED]
    with np.errstate(invalid="ignore"):
        frequency = called @ _CODES / (2 * called.sum(axis=1))
    return EffectsOfSnps(
        by_genotype=np.mean(by_fold, axis=0),
        average=mean,
        sd=average.std(axis=1, ddof=1) if n_folds > 1 else np.full(len(mean), np.nan),
        agreement=same_sign if n_folds > 1 else np.full(len(mean), np.nan),
        frequency=frequency,
    )


def average_effect(effects: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Slopes of the regression of effects on copies, over the genotypes that are called.

    Parameters
    ----------
    effects, frequencies : ndarray (SNPs, 4)
        Channel order.

    Returns
    -------
    ndarray (SNPs,) of float64
        Per copy of the counted allele; NaN where one genotype alone occurs.
    """
    shares = frequencies[:, _CALLED]
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = shares / shares.sum(axis=1, keepdims=True)
        copies = _CODES - (shares @ _CODES)[:, None]
        variance = (shares * copies**2).sum(axis=1)
        slope = (shares * copies * effects[:, _CALLED]).sum(axis=1) / variance
    return np.where(variance > 0, slope, np.nan)


def effect_columns(bundle: Bundle, effects: EffectsOfSnps) -> dict[str, Sequence[Any]]:
    """The table, one row per SNP in the model's order; None for what does not exist."""
    snps = bundle.snps
    by_genotype = {code: effects.by_genotype[:, at] for at, code in enumerate(CHANNEL_CODES)}
    return {
        "snp": list(snps.ids),
        "chromosome": list(snps.chromosome),
        "position": list(snps.position),
        "counted_allele": list(snps.counted_allele),
        "other_allele": list(snps.other_allele),
        "frequency": _or_none(effects.frequency),
        **{f"effect_{code}": by_genotype[code].tolist() for code in (0, 1, 2)},
        "effect_missing": by_genotype[MISSING].tolist(),
        "average_effect": _or_none(effects.average),
        "effect_sd": _or_none(effects.sd),
        "sign_agreement": _or_none(effects.agreement),
        "saliency": bundle.saliency.saliency.tolist(),
        "rank": bundle.saliency.rank.tolist(),
    }


def _or_none(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
