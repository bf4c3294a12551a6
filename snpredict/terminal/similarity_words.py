"""What is said of samples that are unlike a model's training set."""

import math

from snpredict.bundle.entries import DistanceErrors
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
    unlike = int(found.any.sum())
    lines = [
        f"{unlike:,} of {n:,} samples {'is' if unlike == 1 else 'are'} unlike the training set"
    ]
    if far := int(found.because["distance"].sum()):
        errors = _Errors.of(check.bundle)
        lines.append(
            f"distance: {far:,} farther from it than 99 % of its own lines"
            + (f"; {errors.in_words}" if errors else "")
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
        lie = "lies" if unlike == 1 else "lie"
        said = f"{unlike:,} of {n:,} samples {lie} outside the training set; "
        said += _error_in_short(found, check.bundle)
    return _lines([f"{said}. More: snpredict check FILE"])


def _error_in_short(found: Unlike, bundle: Bundle) -> str:
    unmeasured = int((found.any & found.unmeasured).sum())
    if unmeasured == int(found.any.sum()):
        return "the error of such lines is unknown"
    if unmeasured:
        return f"of {unmeasured:,} the error is unknown"
    errors = _Errors.of(bundle)
    return "their error was not measured" if errors is None else f"such lines had {errors.times}"


def sample_report(check: FileCheck) -> list[Line]:
    """As `similarity_report`, of the first and only sample, in a few lines of a terminal."""
    found = check.unlike
    if found is None:
        return []
    percentile = float(found.percentiles[0])
    if math.isnan(percentile):
        said = ["unknown distance: too few of the SNPs that tell it are called"]
    else:
        said = [f"farther from the training set than {percentile:.1f} % of its own lines"]
    rates = check.measures.rates
    shown = {"heterozygosity": rates.heterozygosity[0], "call rate": rates.call_rate[0]}
    for reason, beyond_which in _limits(found.similarity).items():
        if found.because[reason][0]:
            said.append(f"{reason} {shown[reason]:.1%}, {beyond_which}")
    text = "; ".join(said)
    if found.any[0]:
        text = f"{text}: unlike it; {_error_of_sample(found, check.bundle)}"
    return _lines([text])


def _error_of_sample(found: Unlike, bundle: Bundle) -> str:
    errors = _Errors.of(bundle)
    if any(rows[0] for reason, rows in found.because.items() if reason != "distance"):
        return "the error of such lines was not measured"
    if errors is None:
        return "their error was not measured"
    clear = "" if errors.low > 1 else ", no clear difference"
    had = f"had {errors.times}{clear} (cross-validated {errors.figures})"
    if found.beyond[0]:
        return f"no error was measured there; lines beyond 99 % {had}"
    return f"such lines {had}"


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


class _Errors:
    """The measured errors of lines beyond the limit, in words."""

    def __init__(self, errors: DistanceErrors, ratio: tuple[float, float, float], unit: str):
        self.ratio, self.low, self.high = ratio
        flagged, others = errors.flagged, errors.others
        self.figures = f"MAE {flagged.mae:.3g} against {others.mae:.3g} {unit}"
        if flagged.pcc is not None and others.pcc is not None:
            self.figures += f"; PCC {flagged.pcc:.2f} against {others.pcc:.2f}"
        self.figures += f"; {flagged.n:,} lines"

    @staticmethod
    def of(bundle: Bundle) -> "_Errors | None":
        """None where the manifest has none."""
        entry = bundle.manifest.similarity
        if entry is None or entry.errors is None or entry.errors.ratio is None:
            return None
        return _Errors(entry.errors, entry.errors.ratio, bundle.manifest.unit)

    @property
    def times(self) -> str:
        """Their ratio with its 95 % interval."""
        return f"{self.ratio:.2f} ({self.low:.2f} to {self.high:.2f}) times the error"

    @property
    def in_words(self) -> str:
        """The ratio, whether it is a clear one, and what it is of."""
        if self.low > 1:
            return (
                f"in cross-validation such lines were predicted with {self.ratio:.2f} times the "
                f"error ({self.figures})"
            )
        return (
            f"in cross-validation the error of such lines was {self.ratio:.2f} times that of the "
            f"others, no clear difference (95 % interval {self.low:.2f} to {self.high:.2f}; "
            f"{self.figures})"
        )
