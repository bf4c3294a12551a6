"""What is said of samples that are unlike a model's training set."""

import math
from typing import Any, NamedTuple

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.formulas.similarity import Similarity
from snpredict.matching.sample_measures import SampleMeasures


class _Unlike:
    """Which samples of a file are unlike the training set, and why."""

    def __init__(self, similarity: Similarity, measures: SampleMeasures, distances: np.ndarray):
        self.similarity = similarity
        self.distances = distances
        self.because = similarity.unlike_because(distances, measures.rates)
        self.any = np.logical_or.reduce(list(self.because.values()))
        # A sample without a distance may still be unlike for another reason.
        self.unknown = np.isnan(distances) & ~self.any
        self.beyond = similarity.beyond_all(distances)

    @property
    def unmeasured(self) -> np.ndarray:
        """Unlike in a way for which the bundle has no measured error."""
        others = [rows for reason, rows in self.because.items() if reason != "distance"]
        return np.logical_or.reduce([self.beyond, *others])


def _unlike(bundle: Bundle, measures: SampleMeasures) -> _Unlike | None:
    """None where the bundle has no table."""
    if bundle.similarity is None or measures.distances is None:
        return None
    return _Unlike(bundle.similarity, measures, measures.distances)


def similarity_columns(bundle: Bundle, measures: SampleMeasures) -> dict[str, list]:
    """Columns ``distance_percentile``, ``unlike_training`` and ``unlike_because``.

    None for no distance, for what cannot be told, and for no reason. No columns where the bundle
    has no table.
    """
    found = _unlike(bundle, measures)
    if found is None:
        return {}
    percentiles = found.similarity.percentiles(found.distances).tolist()
    unlike = zip(found.any.tolist(), found.unknown.tolist(), strict=True)
    names = list(found.because)
    reasons = np.stack(list(found.because.values()), axis=1).tolist()
    return {
        "distance_percentile": [None if math.isnan(p) else p for p in percentiles],
        "unlike_training": [None if unknown else far for far, unknown in unlike],
        "unlike_because": [
            ", ".join(name for name, is_it in zip(names, row, strict=True) if is_it) or None
            for row in reasons
        ],
    }


def similarity_facts(bundle: Bundle, measures: SampleMeasures) -> dict[str, Any] | None:
    """Counts and the measured errors as JSON values; None where the bundle has no table."""
    found = _unlike(bundle, measures)
    if found is None:
        return None
    said = bundle.manifest.raw.get("similarity") or {}
    limits = found.similarity.rates
    return {
        "unlike_training": int(found.any.sum()),
        "unlike_because": {name: int(rows.sum()) for name, rows in found.because.items()},
        "beyond_all_training": int(found.beyond.sum()),
        "no_distance": int(np.isnan(found.distances).sum()),
        "limit": found.similarity.limit,
        "heterozygosity_limits": limits and list(limits.heterozygosity),
        "call_rate_limit": limits and limits.call_rate,
        "errors": said.get("errors"),
        "errors_new_families": said.get("errors_new_families"),
    }


def similarity_text(bundle: Bundle, measures: SampleMeasures) -> str | None:
    """How many samples are unlike the training set, for each reason what is known of it.

    The first line begins with ``similarity``, further ones are indented. None where the bundle has
    no table.
    """
    found = _unlike(bundle, measures)
    if found is None:
        return None
    n, unknown = len(found.any), int(found.unknown.sum())
    if unknown == n:
        return f"similarity unknown: all {n:,} samples have too few of its SNPs called to tell"
    lines = [f"{int(found.any.sum()):,} of {n:,} samples are unlike the training set"]
    if far := int(found.because["distance"].sum()):
        measured = error_words(bundle)
        lines.append(
            f"distance: {far:,} farther from it than 99 % of its own lines"
            + (f"; {measured}" if measured else "")
        )
    if beyond := int(found.beyond.sum()):
        lines.append(f"distance: {beyond:,} farther than any of them, where no error was measured")
    for reason, beyond_which in _limits(found.similarity).items():
        if outside := int(found.because[reason].sum()):
            lines.append(f"{reason}: {outside:,} {beyond_which}; their error was not measured")
    if unknown:
        lines.append(f"unknown: {unknown:,} have too few of its SNPs called to tell")
    return "similarity " + "\n           ".join(lines)


def similarity_warning(bundle: Bundle, measures: SampleMeasures) -> str | None:
    """One short line where a sample is flagged or cannot be judged, else None."""
    found = _unlike(bundle, measures)
    if found is None or not (found.any | found.unknown).any():
        return None
    n, unlike, unknown = len(found.any), int(found.any.sum()), int(found.unknown.sum())
    if not unlike:
        said = f"of {unknown:,} of {n:,} samples is unknown: too little is called"
    else:
        said = f"{unlike:,} of {n:,} samples lie outside the training set; "
        said += _error_in_short(found, bundle)
    return f"similarity {said}. More: snpredict check FILE"


def _error_in_short(found: _Unlike, bundle: Bundle) -> str:
    unmeasured = int((found.any & found.unmeasured).sum())
    if unmeasured == int(found.any.sum()):
        return "the error of such lines is unknown"
    if unmeasured:
        return f"of {unmeasured:,} the error is unknown"
    errors = _errors(bundle)
    if errors is None:
        return "their error was not measured"
    between = f"{errors.low:.2f} to {errors.high:.2f}"
    return f"such lines had {errors.ratio:.2f} ({between}) times the error"


def sample_text(bundle: Bundle, measures: SampleMeasures) -> str | None:
    """As `similarity_text` for one sample, measures of one row."""
    found = _unlike(bundle, measures)
    if found is None:
        return None
    percentile = float(found.similarity.percentiles(found.distances)[0])
    if math.isnan(percentile):
        lines = ["unknown distance: too few of the SNPs that tell it are called"]
    else:
        lines = [f"farther from the training set than {percentile:.1f} % of its own lines"]
    if found.because["distance"][0]:
        measured = error_words(bundle)
        lines[0] += ": unlike it" + (f"; {measured}" if measured else "")
    if found.beyond[0]:
        lines.append("farther than any of its lines, where no error was measured")
    shown = {
        "heterozygosity": measures.rates.heterozygosity[0],
        "call rate": measures.rates.call_rate[0],
    }
    for reason, beyond_which in _limits(found.similarity).items():
        if found.because[reason][0]:
            lines.append(
                f"{reason} {shown[reason]:.1%}, {beyond_which}: unlike it; the error of such lines "
                "was not measured"
            )
    return "similarity " + "\n           ".join(lines)


def _limits(similarity: Similarity) -> dict[str, str]:
    """Beyond what a sample is unlike the training set, for reasons other than its distance."""
    if similarity.rates is None:
        return {}
    lowest, highest = similarity.rates.heterozygosity
    return {
        "heterozygosity": f"outside that of 98 % of its own lines ({lowest:.1%} to {highest:.1%})",
        "call rate": f"below that of 99 % of its own lines ({similarity.rates.call_rate:.1%})",
    }


class _Errors(NamedTuple):
    """Mean absolute errors of lines beyond the limit and of the others, and their ratio."""

    ratio: float
    low: float
    high: float
    flagged: float
    others: float
    n: int
    pcc: tuple[float, float] | None


def _errors(bundle: Bundle) -> _Errors | None:
    """Figures of the manifest's ``errors``, or None where it holds none that can be read."""
    try:
        errors = bundle.manifest.raw["similarity"]["errors"]
        pcc = [errors[part]["pcc"] for part in ("flagged", "others")]
        return _Errors(
            ratio=float(errors["mae_ratio"]),
            low=float(errors["mae_ratio_low"]),
            high=float(errors["mae_ratio_high"]),
            flagged=float(errors["flagged"]["mae"]),
            others=float(errors["others"]["mae"]),
            n=int(errors["flagged"]["n"]),
            pcc=None if None in pcc else (float(pcc[0]), float(pcc[1])),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def error_words(bundle: Bundle) -> str | None:
    """The measured figure in words, or None where the manifest holds none that can be read."""
    errors = _errors(bundle)
    if errors is None:
        return None
    correlations = ""
    if errors.pcc is not None:
        correlations = "; PCC {:.2f} against {:.2f}".format(*errors.pcc)
    figures = (
        f"MAE {errors.flagged:.3g} against {errors.others:.3g} {bundle.manifest.unit}"
        f"{correlations}; {errors.n:,} lines"
    )
    if errors.low > 1:
        return (
            f"in cross-validation such lines were predicted with {errors.ratio:.2f} times the "
            f"error ({figures})"
        )
    return (
        f"in cross-validation the error of such lines was {errors.ratio:.2f} times that of the "
        f"others, no clear difference (95 % interval {errors.low:.2f} to {errors.high:.2f}; "
        f"{figures})"
    )
