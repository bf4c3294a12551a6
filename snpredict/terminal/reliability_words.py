"""What is said of the reliability of predictions."""

import numpy as np

from snpredict.bundle.reliability_entry import MeasuredReliability
from snpredict.choices import FAMILIES
from snpredict.reliability import measured_of
from snpredict.results.of_files import FilePrediction
from snpredict.terminal.wrapping import COLUMN, Line, labelled

_OF_WHICH = {
    "known": "families that the model was trained on",
    "new": "families that it was not trained on",
}


def reliability_note(prediction: FilePrediction) -> list[Line]:
    """How large it is, for whom, of what it was measured, and for how many samples it is not."""
    values, bundle = prediction.reliability, prediction.check.bundle
    if values is None:
        return []
    measured = measured_of(bundle, prediction.families)
    (other,) = set(FAMILIES) - {prediction.families}
    of_others = measured_of(bundle, other)
    if measured is None:
        lines = [f"not measured for samples of {prediction.families} families"]
        if of_others is not None:
            lines[0] += f"; --families {other} is for those of {other} ones"
        return _lines(lines)
    lines = [f"{_in_words(measured)} for samples of {_OF_WHICH[prediction.families]}"]
    if of_others is not None:
        way = f"--families {other}"
        lines.append(f"{_in_words(of_others)} for samples of {_OF_WHICH[other]}: {way}")
    within = " inside families" if measured.families is not None else ""
    lines.append(f"squared correlation of prediction and phenotype{within}, in cross-validation")
    if said := _of_these(values, measured):
        lines.append(said)
    if without := int(np.isnan(values).sum()):
        lines.append(f"{without:,} of these samples have none: it was not measured for such lines")
    return _lines(lines)


def _of_these(values: np.ndarray, measured: MeasuredReliability) -> str:
    """The range of the samples' own reliabilities, where it is another one."""
    known = values[~np.isnan(values)]
    if not len(known):
        return ""
    low, high = f"{known.min():.2f}", f"{known.max():.2f}"
    if {low, high} == {f"{measured.reliability:.2f}"}:
        return ""
    own = low if low == high else f"{low} to {high}"
    return f"{own} for these samples, by their distances and missing genotypes"


def _in_words(measured: MeasuredReliability) -> str:
    return f"{measured.reliability:.2f} ({measured.low:.2f} to {measured.high:.2f})"


def _lines(texts: list[str]) -> list[Line]:
    labels = ["reliable", *[""] * len(texts)]
    return labelled(zip(labels, texts, strict=False), COLUMN)
