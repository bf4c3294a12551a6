"""What is said of samples that are unlike a model's training set."""

import math

from snpredict.bundle.load import Bundle
from snpredict.formulas.similarity import Similarity
from snpredict.matching.file_check import FileCheck
from snpredict.matching.unlike import Unlike
from snpredict.terminal.wrapping import COLUMN, Line, labelled


def similarity_report(check: FileCheck) -> list[Line]:
    """How many samples are unlike the training set, for each reason what is known of it."""
    found = check.unlike
    if found is None:
        return []
    n, unknown = len(found.any), int(found.unknown.sum())
    if unknown == n:
        return _lines([f"unknown: all {n:,} samples have too few of its SNPs called to tell"])
    lines = [f"{int(found.any.sum()):,} of {n:,} samples are unlike the training set"]
    if far := int(found.because["distance"].sum()):
        measured = _error_words(check.bundle)
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
    return _lines(lines)


def similarity_warning(check: FileCheck) -> list[Line]:
    """One short line where a sample is flagged or cannot be judged."""
    found = check.unlike
    if found is None or not (found.any | found.unknown).any():
        return []
    n, unlike, unknown = len(found.any), int(found.any.sum()), int(found.unknown.sum())
    if not unlike:
        said = f"of {unknown:,} of {n:,} samples is unknown: too little is called"
    else:
        said = f"{unlike:,} of {n:,} samples lie outside the training set; "
        said += _error_in_short(found, check.bundle)
    return _lines([f"{said}. More: snpredict check FILE"])


def _error_in_short(found: Unlike, bundle: Bundle) -> str:
    unmeasured = int((found.any & found.unmeasured).sum())
    if unmeasured == int(found.any.sum()):
        return "the error of such lines is unknown"
    if unmeasured:
        return f"of {unmeasured:,} the error is unknown"
    entry = bundle.manifest.similarity
    if entry is None or entry.errors is None or entry.errors.ratio is None:
        return "their error was not measured"
    ratio, low, high = entry.errors.ratio
    return f"such lines had {ratio:.2f} ({low:.2f} to {high:.2f}) times the error"


def sample_report(check: FileCheck) -> list[Line]:
    """As `similarity_report`, of the first and only sample."""
    found = check.unlike
    if found is None:
        return []
    percentile = float(found.percentiles[0])
    if math.isnan(percentile):
        lines = ["unknown distance: too few of the SNPs that tell it are called"]
    else:
        lines = [f"farther from the training set than {percentile:.1f} % of its own lines"]
    if found.because["distance"][0]:
        measured = _error_words(check.bundle)
        lines[0] += ": unlike it" + (f"; {measured}" if measured else "")
    if found.beyond[0]:
        lines.append("farther than any of its lines, where no error was measured")
    shown = {
        "heterozygosity": check.measures.rates.heterozygosity[0],
        "call rate": check.measures.rates.call_rate[0],
    }
    for reason, beyond_which in _limits(found.similarity).items():
        if found.because[reason][0]:
            lines.append(
                f"{reason} {shown[reason]:.1%}, {beyond_which}: unlike it; the error of such lines "
                "was not measured"
            )
    return _lines(lines)


def _lines(texts: list[str]) -> list[Line]:
    labels = ["similarity", *[""] * len(texts)]
    return labelled(zip(labels, texts, strict=False), COLUMN)


def _limits(similarity: Similarity) -> dict[str, str]:
    """Beyond what a sample is unlike the training set, for reasons other than its distance."""
    if similarity.rates is None:
        return {}
    lowest, highest = similarity.rates.heterozygosity
    return {
        "heterozygosity": f"outside that of 98 % of its own lines ({lowest:.1%} to {highest:.1%})",
        "call rate": f"below that of 99 % of its own lines ({similarity.rates.call_rate:.1%})",
    }


def _error_words(bundle: Bundle) -> str | None:
    """The measured figure in words, or None where the manifest has none."""
    entry = bundle.manifest.similarity
    errors = entry.errors if entry is not None else None
    if errors is None or errors.ratio is None:
        return None
    ratio, low, high = errors.ratio
    flagged, others = errors.flagged, errors.others
    correlations = ""
    if flagged.pcc is not None and others.pcc is not None:
        correlations = f"; PCC {flagged.pcc:.2f} against {others.pcc:.2f}"
    figures = (
        f"MAE {flagged.mae:.3g} against {others.mae:.3g} {bundle.manifest.unit}"
        f"{correlations}; {flagged.n:,} lines"
    )
    if low > 1:
        return (
            f"in cross-validation such lines were predicted with {ratio:.2f} times the "
            f"error ({figures})"
        )
    return (
        f"in cross-validation the error of such lines was {ratio:.2f} times that of the "
        f"others, no clear difference (95 % interval {low:.2f} to {high:.2f}; "
        f"{figures})"
    )
