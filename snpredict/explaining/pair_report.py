"""Two SNPs of a model: what it predicts for each combination of their genotypes."""

from dataclasses import dataclass

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import NotExplainable, UsageError
from snpredict.formulas.average_line import scores_in_average_line
from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.encoding import CHANNEL_CODES, assumed_frequencies
from snpredict.formulas.links import Logit
from snpredict.formulas.score_function import ScoreFunction

#: Genotypes of a SNP, in the order of rows and columns.
GENOTYPES = (0, 1, 2)

_CHANNELS = [CHANNEL_CODES.index(code) for code in GENOTYPES]


@dataclass(frozen=True)
class PairReport:
    """Predictions for the average line with each combination of the genotypes of two SNPs.

    Rows are the genotypes 0, 1, 2 of `snp_a`, columns those of `snp_b`.

    Attributes
    ----------
    snp_a, snp_b : str
    unit : str
        Of the predictions.
    predictions : list of list of float
        Means over the folds; all other SNPs are at the average of the training set.
    interaction : list of list of float
        What a prediction has beyond the sum of both SNPs' own effects, at the genotype frequencies
        of the training set; in logits for a probability, else in `unit`.
    interaction_unit : str
    interaction_sd : float
        Its SD where both SNPs are independent of each other.
    fold_sd : float
        SD over the folds of the strongest entry of `interaction`.
    frequencies_a, frequencies_b : list of float
        Shares of the genotypes in the training set, among the known ones.
    alleles_a, alleles_b : tuple of (str or None, str or None)
        Counted and other allele.
    effect, effect_sd, q_value : float or None
        Additive-by-additive effect in the drawn lines of the bundle's decomposition, trait units
        per copy of both, its SD over the folds, and the false-discovery rate of a list that ends
        with the pair; None where the bundle does not have the pair.
    """

    snp_a: str
    snp_b: str
    unit: str
    predictions: list[list[float]]
    interaction: list[list[float]]
    interaction_unit: str
    interaction_sd: float
    fold_sd: float
    frequencies_a: list[float]
    frequencies_b: list[float]
    alleles_a: tuple[str | None, str | None]
    alleles_b: tuple[str | None, str | None]
    effect: float | None
    effect_sd: float | None
    q_value: float | None


def describe_pair(
    bundle: Bundle, snp_a: str, snp_b: str, function: ScoreFunction | DenseFunction | None
) -> PairReport:
    """Predictions of a pair.

    Parameters
    ----------
    bundle : Bundle
    snp_a, snp_b : str
        Exact ids.
    function : ScoreFunction, DenseFunction or None
        The bundle's, from a `Scorer`.

    Raises
    ------
    UsageError
        The SNPs are the same.
    NotExplainable
        The layers of the model are not known.
    """
    if snp_a == snp_b:
        raise UsageError(f"--pair: both SNPs are {snp_a}", "name two SNPs")
    if function is None:
        raise NotExplainable(
            f"the layers of model {bundle.manifest.name!r} are not known, of which pairs are made",
            "snpredict predict works without them",
        )
    trait, frequencies = bundle.manifest.trait_scale, bundle.snps.frequencies
    places = np.array([bundle.snps.ids.index(snp) for snp in (snp_a, snp_b)])
    codes = np.array([(a, b) for a in GENOTYPES for b in GENOTYPES], np.int8)
    z = scores_in_average_line(function, frequencies, places, codes).reshape(3, 3, -1)
    p_a, p_b = _shares(frequencies[places])
    adds_up = trait.additive().predictions(z)
    by_fold = np.stack([_interaction(each, p_a, p_b) for each in np.moveaxis(adds_up, 2, 0)])
    interaction = by_fold.mean(axis=0)
    strongest = np.unravel_index(np.abs(interaction).argmax(), interaction.shape)
    spread = by_fold[:, strongest[0], strongest[1]]
    unit = bundle.manifest.unit
    stored = None if bundle.decomposition is None else bundle.decomposition.pair(*places.tolist())
    return PairReport(
        snp_a=snp_a,
        snp_b=snp_b,
        unit=unit,
        predictions=trait.predictions(z).mean(axis=2).tolist(),
        interaction=interaction.tolist(),
        interaction_unit="logit" if isinstance(trait.link, Logit) else unit,
        interaction_sd=float(np.sqrt((p_a[:, None] * p_b * interaction**2).sum())),
        fold_sd=float(spread.std(ddof=1)) if len(spread) > 1 else 0.0,
        frequencies_a=p_a.tolist(),
        frequencies_b=p_b.tolist(),
        alleles_a=_alleles(bundle, places[0]),
        alleles_b=_alleles(bundle, places[1]),
        effect=None if stored is None else stored.effect,
        effect_sd=None if stored is None else stored.sd,
        q_value=None if stored is None else stored.q_value,
    )


def _shares(frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = assumed_frequencies(frequencies)[:, _CHANNELS]
    shares = known / known.sum(axis=1, keepdims=True)
    return shares[0], shares[1]


def _interaction(values: np.ndarray, p_a: np.ndarray, p_b: np.ndarray) -> np.ndarray:
    """(3, 3) less what rows and columns have on average, at independent genotypes."""
    of_a, of_b = values @ p_b, p_a @ values
    return values - of_a[:, None] - of_b + p_a @ of_a


def _alleles(bundle: Bundle, place: int) -> tuple[str | None, str | None]:
    return bundle.snps.counted_allele[place], bundle.snps.other_allele[place]
