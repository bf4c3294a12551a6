"""How reliable a prediction is, by how well lines like the sample were predicted out of fold.

The reliability is the squared correlation of predicted and observed phenotypes within families
(within the whole training set where no families are known). It is a predictive one: the phenotype
itself is not the breeding value, with which the squared correlation is higher by 1/h². No h² is
assumed here. Differences between families would make the correlation over all lines larger, and
do not help to choose among the lines of one family.

``known`` and ``new`` families are those of `snpredict.intervals`. Where genotypes are missing the
reliability is less, in the proportion that was measured on lines of known families with SNPs taken
away. Nothing is said of a sample beyond what was measured: farther from the training set than every
line that was predicted, with fewer called genotypes, or with a heterozygosity that hardly a
training line had.
"""

from typing import Any

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.out_of_fold import SEEN_BY_ALL
from snpredict.bundle.reliability_entry import MeasuredReliability
from snpredict.bundle.typed_json import as_json
from snpredict.matching.file_check import FileCheck
from snpredict.scoring.predictions import Scores


def measured_of(bundle: Bundle, families: str) -> MeasuredReliability | None:
    """What was measured for lines of such families; None where nothing was.

    Parameters
    ----------
    bundle : Bundle
    families : str
        One of `snpredict.choices.FAMILIES`.
    """
    entry = bundle.manifest.reliability
    if entry is None:
        return None
    return entry.known if families == "known" else entry.new


def reliabilities(measured: MeasuredReliability, distances: np.ndarray) -> np.ndarray:
    """Reliability of samples by their distance from the training set.

    Parameters
    ----------
    measured : MeasuredReliability
    distances : ndarray (samples,) of float64

    Returns
    -------
    ndarray (samples,) of float64
        NaN without a distance and beyond the farthest line, where the distance was measured.
    """
    found = np.full(len(distances), measured.reliability)
    if measured.bands:
        edges = np.array([band.up_to for band in measured.bands])
        values = np.array([band.reliability for band in measured.bands])
        found = values[np.minimum(np.searchsorted(edges, distances), len(edges) - 1)]
    if measured.farthest is not None:
        found = np.where(distances <= measured.farthest, found, np.nan)
    return found


def reliability_facts(bundle: Bundle, families: str) -> dict[str, Any]:
    """What the reliabilities of a file are, as JSON values."""
    measured = measured_of(bundle, families)
    facts: dict[str, Any] = {
        "families": families,
        "measure": "squared correlation of predicted and observed phenotypes, out of fold",
    }
    if measured is None:
        return facts
    return facts | {
        "within_families": measured.families is not None,
        "lines": measured.lines,
        "reliability": measured.reliability,
        "interval_95": [measured.low, measured.high],
        "bands": as_json(measured.bands),
    }


def reliability_of(check: FileCheck, scores: Scores, families: str) -> np.ndarray | None:
    """Reliability of every sample of a file, (samples,) float64.

    NaN where nothing was measured; None where the bundle says nothing of reliability at all.
    """
    if check.bundle.manifest.reliability is None:
        return None
    n = len(check.samples)
    measured = measured_of(check.bundle, families)
    if measured is None:
        return np.full(n, np.nan)
    distances = check.measures.distances
    found = reliabilities(measured, np.full(n, np.nan) if distances is None else distances)
    found = found * _left(check)
    limits = None if check.unlike is None else check.unlike.similarity.rates
    if limits is not None:
        outside = limits.heterozygosity_outside(check.measures.rates)
        found = np.where(outside, np.nan, found)
    return np.where(scores.held_out == SEEN_BY_ALL, np.nan, found)


def _left(check: FileCheck) -> np.ndarray:
    """What is left of a reliability where genotypes are missing, (samples,); NaN: not known."""
    entry = check.bundle.manifest.reliability
    measures, limits = check.measures, None
    if entry is not None and entry.called:
        shares, parts = np.array(entry.called).T
        return np.interp(measures.weighted_call_rate, shares, parts, left=np.nan)
    if check.unlike is not None:
        limits = check.unlike.similarity.rates
    # Of all SNPs of the model: lines were predicted with hardly one of them missing.
    called = 1 - measures.missing / check.match.model_snps
    return np.where(called < (0 if limits is None else limits.call_rate), np.nan, 1.0)
