"""A selection index: traits with their weights, and the scales in which they count.

The index of a sample is ``Σ_t w_t · (prediction_t − mean_t) / SD_t`` with the weight of every trait
and the mean and SD of the trait in its model's training set. A positive weight selects for a large
trait value, a negative one for a small one. Predictions vary less than the trait does, the less
the less accurate a model is: a weight counts per SD of the trait and not per SD of its predictions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snpredict.bundle.manifest import CONTINUOUS, NETWORK, Manifest
from snpredict.errors import UsageError
from snpredict.names import did_you_mean, listed


@dataclass(frozen=True)
class IndexTerm:
    """One trait of a selection index.

    Attributes
    ----------
    column : str
        Of the trait.
    weight : float
        Finite, not 0.
    mean, sd : float
        Of the trait in the training set, trait units.
    """

    column: str
    weight: float
    mean: float
    sd: float


def index_terms(
    text: str, columns: Sequence[str], manifests: Sequence[Manifest]
) -> tuple[IndexTerm, ...]:
    """The traits of an index with their scales.

    Parameters
    ----------
    text : str
        Such as ``"yield:2,height:-1"``. A trait is named by its column or as its model spells it.
    columns : sequence of str
        What the trait of every model is called in the results.
    manifests : sequence of Manifest
        Of the models, in the same order.

    Raises
    ------
    UsageError
        As `parse_index`; or no model predicts a trait, or its mean and SD are not known.
    """
    traits = [manifest.trait for manifest in manifests]
    terms: dict[str, IndexTerm] = {}
    for trait, weight in parse_index(text).items():
        if trait in columns:
            at = columns.index(trait)
        elif traits.count(trait) == 1:
            at = traits.index(trait)
        else:
            near = did_you_mean(trait, columns)
            raise UsageError(
                f"--index: no model predicts {trait!r}; found {listed(columns)}",
                f"{f'{near} Else ' if near else ''}add the model that predicts it with --model",
            )
        scale = training_scale(manifests[at])
        if scale is None:
            raise UsageError(
                f"--index: model {manifests[at].name} does not say the mean and SD of "
                f"{trait} in its training set, in which an index counts",
                "leave the trait out of the index",
            )
        if columns[at] in terms:
            raise UsageError(f"--index: found {trait} twice, expected it once", "give one weight")
        terms[columns[at]] = IndexTerm(columns[at], weight, *scale)
    return tuple(terms.values())


def parse_index(text: str) -> dict[str, float]:
    """Weights by trait, out of such as ``"yield:2,height:-1"``.

    Raises
    ------
    UsageError
        A trait has no weight, two weights, or one that is 0 or not finite.
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        trait, colon, number = (piece.strip() for piece in part.rpartition(":"))
        if not (trait and colon and number):
            raise UsageError(
                f"--index: found {part.strip()!r}, expected a trait and its weight, TRAIT:WEIGHT",
                'for example --index "yield:2,height:-1"',
            )
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not math.isfinite(weight) or weight == 0:
            raise UsageError(
                f"--index: found the weight {number!r} of {trait}, expected a number other than 0",
                "leave a trait out that is not to count; a negative weight selects for low values",
            )
        if trait in weights:
            raise UsageError(f"--index: found {trait} twice, expected it once", "give one weight")
        weights[trait] = weight
    return weights


def training_scale(manifest: Manifest) -> tuple[float, float] | None:
    """Mean and SD of the trait in the training set, trait units; None where they are not known."""
    training = manifest.training
    mean, sd = (None, None)
    if training is not None:
        mean, sd = training.phenotype_mean, training.phenotype_sd
    if mean is not None and sd is not None and sd > 0:
        return mean, sd
    if manifest.kind == NETWORK and manifest.task == CONTINUOUS:
        # Of each fold's training rows, which are most of them.
        centers, scales = zip(*((fold.center, fold.scale) for fold in manifest.folds), strict=True)
        return float(np.mean(centers)), float(np.mean(scales))
    return None
