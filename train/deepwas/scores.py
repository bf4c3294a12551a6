"""Scores of a study's effects, as scoring files of the PGS Catalog and as bundles."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.files import write_files
from snpredict.scoring_files.read import read_weights
from snpredict.scoring_files.to_bundle import Names, write_weights
from snpredict.scoring_files.write_pgs import pgs_file
from train.deepwas.study import Study


@dataclass(frozen=True, kw_only=True)
class Score:
    """Weights per copy of the counted allele, and how they came about.

    Attributes
    ----------
    name : str
    weights : ndarray (variants,) of float64
        In the trait's units; NaN for a variant without one.
    told : str
        A sentence or two on how they were made.
    trait, unit : str
    """

    name: str
    weights: np.ndarray
    told: str
    trait: str
    unit: str


def write_score(out: Path, study: Study, score: Score) -> None:
    """Write ``scores/NAME.txt`` and the bundle ``bundles/NAME``.

    Raises
    ------
    OutputError, InvalidBundle
        As `snpredict.scoring_files.to_bundle.write_weights`.
    """
    if study.snps.columns["counted_allele"].null_count == len(study.snps):
        return  # a scoring file names the allele of every weight
    path = out / "scores" / f"{score.name}.txt"
    path.parent.mkdir(exist_ok=True)
    # A weight of exactly 0 says nothing.
    weights = np.where(score.weights == 0, np.nan, score.weights)
    about = {"pgs_name": score.name, "trait_reported": score.trait, "weight_type": score.unit}
    content = pgs_file(study.snps, weights, study.frequency, about, [score.told])
    write_files({path: content})
    if np.isfinite(weights).any():
        names = Names(score.name, score.trait, score.unit)
        write_weights(out / "bundles" / score.name, read_weights(path), names, score.told)


def per_copy(study: Study, effects: np.ndarray) -> np.ndarray:
    """√N b per standard deviation of the genotype as effects per copy of the counted allele.

    In the trait's units where the study gives standard errors, and in its standard deviations
    otherwise.
    """
    p = study.frequency
    by_frequency = 1 / np.sqrt(study.n * 2 * p * (1 - p))
    return effects * np.where(np.isfinite(study.se), study.se, by_frequency)
