"""How well effects predict people that the study has not seen."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.genotypes.variants import VariantColumns
from snpredict.matching.match import match_variants
from train.data.phenotypes import numbers, read_phenotypes
from train.deepwas.genome import THRESHOLDS
from train.deepwas.inputs.ld_reference import LdReference, open_ld_reference
from train.errors import StudyFileError

#: Genotypes that are held at a time, about.
_BLOCK = 1 << 24


def scores(people: LdReference, snps: SnpTable, effects: np.ndarray) -> np.ndarray:
    """Scores of people, (people, columns) float64.

    Parameters
    ----------
    people : LdReference
    snps : SnpTable
        The study's variants.
    effects : ndarray (variants, columns)
        Per copy of the counted allele; NaN counts as 0.
    """
    weights = np.full(len(snps), 1 / len(snps))
    theirs = people.snps.columns.rename_columns(
        ["id", "chromosome", "position", "counted", "other"]
    )
    match = match_variants(snps, VariantColumns.of_table(theirs), weights=weights)
    rows = np.flatnonzero(match.matched)
    if not len(rows):
        raise StudyFileError(f"{people.path} has no variant of the study")
    order = rows[np.argsort(match.variant[rows])]
    found = np.zeros((people.people, effects.shape[1]))
    step = max(1, _BLOCK // people.people)
    for start in range(0, len(order), step):
        own = order[start : start + step]
        codes = people.codes(match.variant[own]).astype(np.float32)
        codes[codes < 0] = np.nan
        codes -= np.nanmean(codes, axis=0)
        codes[np.isnan(codes)] = 0
        sign = np.where(match.recoded[own], -1.0, 1.0)[:, None]
        found += codes @ (sign * np.nan_to_num(effects[own]))
    return found


def prediction_r2(
    genotypes: Path, phenotypes: Path, snps: SnpTable, effects: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Squared correlation of each score with the trait.

    Parameters
    ----------
    effects : mapping of str to ndarray (variants,)
        Per copy of the counted allele.
    """
    people = open_ld_reference(genotypes)
    y = _trait(phenotypes, people)
    found = scores(people, snps, np.stack(list(effects.values()), axis=1))
    with np.errstate(invalid="ignore"):
        r = [float(np.corrcoef(column, y)[0, 1]) for column in found.T]
    return {name: value**2 for name, value in zip(effects, r, strict=True)}


def _trait(path: Path, people: LdReference) -> np.ndarray:
    """The first column of a phenotype table, in the people's order."""
    table = read_phenotypes(path)
    name, texts = next(iter(table.columns.items()))
    values = dict(zip(table.lines.samples, texts, strict=True))
    if lacking := [sample for sample in people.samples if sample not in values]:
        raise StudyFileError(f"{path} has no row of {lacking[0]}, whose genotypes are there")
    own = [values[sample] for sample in people.samples]
    return numbers(path, name, people.samples, own)


def thresholded(index: np.ndarray, z: np.ndarray) -> dict[str, np.ndarray]:
    """Effects of clumping and thresholding (C+T), √N b, by threshold.

    Parameters
    ----------
    index : ndarray (variants,) of bool
        See `train.deepwas.genome.clumped`.
    """
    return {
        threshold_name(p): np.where(index & (np.abs(z) > least), z, 0.0)
        for p, least in THRESHOLDS.items()
    }


def threshold_name(p: float) -> str:
    """Of the score with that threshold."""
    return f"C+T, p < {p:g}"
