"""What is said of how far a file's samples are from a model's training set."""

import math
from typing import Any

import numpy as np

from snpredict.bundle import Bundle
from snpredict.similarity import ROWS, Similarity


class DistanceCollector:
    """Distances of all samples of a file, block by block.

    Parameters
    ----------
    similarity : Similarity or None
        None gives no distances.
    """

    def __init__(self, similarity: Similarity | None):
        self._similarity = similarity
        self._distances = [np.empty(0)]
        self._codes: list[np.ndarray] = []
        self._fractions: list[np.ndarray | None] = []
        self._waiting = 0

    def add(self, codes: np.ndarray, fractions: np.ndarray | None) -> None:
        """Take a block: codes (samples, SNPs) int8 and what dosages add to them, or None."""
        if self._similarity is None:
            return
        snps = self._similarity.table.snps
        for start in range(0, len(codes), ROWS):
            rows = slice(start, start + ROWS)
            # Of small blocks several are taken together: the table's few SNPs wait for others.
            self._codes.append(codes[rows, snps])
            self._fractions.append(None if fractions is None else fractions[rows, snps])
            self._waiting += len(self._codes[-1])
            if self._waiting >= ROWS:
                self._measure()

    def collected(self) -> np.ndarray | None:
        """Distances of all samples so far (samples,), or None without a table."""
        if self._similarity is None:
            return None
        self._measure()
        return np.concatenate(self._distances)

    def _measure(self) -> None:
        if self._similarity is None or not self._codes:
            return
        fractions = None
        if any(part is not None for part in self._fractions):
            fractions = np.concatenate(
                [
                    np.zeros(codes.shape, np.float32) if part is None else part
                    for codes, part in zip(self._codes, self._fractions, strict=True)
                ]
            )
        table = self._similarity.table
        self._distances.append(table.distances_of_chosen(np.concatenate(self._codes), fractions))
        self._codes, self._fractions, self._waiting = [], [], 0


def similarity_columns(similarity: Similarity, distances: np.ndarray) -> dict[str, list]:
    """Columns ``distance_percentile`` and ``unlike_training``; None for no distance."""
    unlike = similarity.unlike(distances).tolist()
    percentiles = similarity.percentiles(distances).tolist()
    return {
        "distance_percentile": [None if math.isnan(p) else p for p in percentiles],
        "unlike_training": [
            None if math.isnan(p) else far for p, far in zip(percentiles, unlike, strict=True)
        ],
    }


def similarity_facts(bundle: Bundle, distances: np.ndarray | None) -> dict[str, Any] | None:
    """Counts and the measured errors as JSON values; None where the bundle has no table."""
    if bundle.similarity is None or distances is None:
        return None
    said = bundle.manifest.raw.get("similarity") or {}
    return {
        "unlike_training": int(bundle.similarity.unlike(distances).sum()),
        "beyond_all_training": int(bundle.similarity.beyond_all(distances).sum()),
        "no_distance": int(np.isnan(distances).sum()),
        "limit": bundle.similarity.limit,
        "errors": said.get("errors"),
        "errors_new_families": said.get("errors_new_families"),
    }


def similarity_line(bundle: Bundle, distances: np.ndarray | None) -> str | None:
    """``3 of 24 samples …``, with what the model's cross-validation says of such samples."""
    if bundle.similarity is None or distances is None:
        return None
    unlike = int(bundle.similarity.unlike(distances).sum())
    unknown = int(np.isnan(distances).sum())
    n = len(distances)
    if unknown == n:
        return f"unknown: all {n:,} samples have too few of its SNPs called to tell"
    text = (
        f"{unlike:,} of {n:,} samples are unlike the training set: farther from it than 99 % of "
        "its own lines"
    )
    if unlike and (measured := error_words(bundle)):
        text += f"; {measured}"
    if beyond := int(bundle.similarity.beyond_all(distances).sum()):
        text += f"; {beyond:,} are farther than any of them, where no error was measured"
    if unknown:
        text += f"; {unknown:,} have too few of its SNPs called to tell"
    return text


def similarity_warning(bundle: Bundle, distances: np.ndarray | None) -> str | None:
    """`similarity_line` where a sample is flagged or cannot be judged, else None."""
    if bundle.similarity is None or distances is None:
        return None
    if not (bundle.similarity.unlike(distances).any() or np.isnan(distances).any()):
        return None
    return f"similarity {similarity_line(bundle, distances)}"


def sample_line(bundle: Bundle, distances: np.ndarray | None) -> str | None:
    """One sentence for one sample, or None where the bundle has no table."""
    if bundle.similarity is None or distances is None:
        return None
    percentile = float(bundle.similarity.percentiles(distances)[0])
    if math.isnan(percentile):
        return "similarity unknown: too few of the SNPs that tell it are called"
    text = f"similarity farther from the training set than {percentile:.1f} % of its own lines"
    if bundle.similarity.unlike(distances)[0]:
        measured = error_words(bundle)
        text += ": unlike it" + (f"; {measured}" if measured else "")
    if bundle.similarity.beyond_all(distances)[0]:
        text += "; this one is farther than any of them, where no error was measured"
    return text


def error_words(bundle: Bundle) -> str | None:
    """The measured figure in words, or None where the manifest holds none that can be read."""
    try:
        errors = bundle.manifest.raw["similarity"]["errors"]
        ratio, low, high = (
            float(errors[name]) for name in ("mae_ratio", "mae_ratio_low", "mae_ratio_high")
        )
        flagged, others = (float(errors[part]["mae"]) for part in ("flagged", "others"))
        n = int(errors["flagged"]["n"])
        pcc = [errors[part]["pcc"] for part in ("flagged", "others")]
        correlations = (
            "" if None in pcc else f"; PCC {float(pcc[0]):.2f} against {float(pcc[1]):.2f}"
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    unit = bundle.manifest.unit
    figures = f"MAE {flagged:.3g} against {others:.3g} {unit}{correlations}; {n:,} lines"
    if low > 1:
        return (
            f"in cross-validation such lines were predicted with {ratio:.2f} times the error "
            f"({figures})"
        )
    return (
        f"in cross-validation the error of such lines was {ratio:.2f} times that of the others, no "
        f"clear difference (95 % interval {low:.2f} to {high:.2f}; {figures})"
    )
