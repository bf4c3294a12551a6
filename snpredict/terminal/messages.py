"""TODO"""

import math
import textwrap

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import Manifest
from snpredict.bundle.out_of_fold import SEEN_BY_ALL
from snpredict.matching.matched_file import InputFile
from snpredict.matching.report import MatchReport
from snpredict.matching.sample_measures import SampleMeasures
from snpredict.predicting import FilePrediction, SampleExplanation
from snpredict.scoring.predictions import Coverage
from snpredict.terminal.wrapping import fact_lines
from snpredict.version import __version__

#: A term of a sum is not wrapped to less than this.
_LEAST_ROOM = 15

#: Below this share of the model's SNPs, or of its effects, a file gets a warning.
FEW_SNPS = 0.9


def input_summary(
    bundle: Bundle,
    source: InputFile,
    match: MatchReport,
    coverage: Coverage,
    measures: SampleMeasures,
    samples: str,
) -> str:
    """What was read and with which model, one fact per line."""
    manifest = bundle.manifest
    column = f", ids from column {source.id_column!r}" if source.id_column else ""
    facts: list[tuple[str, object]] = [
        ("model", f"{manifest.name} (manifest {bundle.digest[:12]}), {pcc(manifest)}"),
        ("trait", trait_and_unit(manifest)),
        ("input", f"{source.path} ({source.format}), SHA-256 {source.sha256}"),
        ("samples", f"{samples}{column}"),
        *_match_facts(match),
        (
            "missing",
            f"{coverage.missing_rate_found:.1%} of the genotypes of these SNPs "
            f"({coverage.missing_rate:.1%} of the model's input, "
            f"{1 - measures.weighted_call_rate.mean():.1%} of its effects)",
        ),
        *(("note", f"{count:,} {what}") for what, count in source.notes.items()),
    ]
    coding = ["-1, 0, 1 read as 0, 1, 2 (--coding -101)"] if source.coding == "-101" else []
    if not source.has_alleles:
        coding.append("codes 0, 1, 2 are assumed to count the model's counted alleles")
    if coding:
        facts.append(("coding", "; ".join(coding)))
    return fact_lines([*facts, ("snpredict", __version__)])


def _match_facts(match: MatchReport) -> list[tuple[str, object]]:
    found = " and ".join(
        f"{count:,} by {how}"
        for how, count in (("id", match.by_id), ("position", match.by_position))
        if count
    )
    facts: list[tuple[str, object]] = [
        (
            "SNPs",
            f"{match.matched:,} of {match.model_snps:,} found ({found or 'none'}) among "
            f"{match.variants:,} variants, {match.weighted_rate:.1%} of the model's effects",
        )
    ]
    if match.used:
        facts.append(("alleles", _counted(match.used)))
    if match.unused:
        facts.append(("not used", _counted(match.unused)))
    if match.moved:
        facts.append(
            (
                "places",
                f"{match.moved:,} SNPs found by id lie elsewhere in the model: another build of "
                "the genome?",
            )
        )
    return [*facts, *(("cause", cause) for cause in match.causes)]


def _counted(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())


def few_snps_warning(match: MatchReport) -> str | None:
    """A sentence when the file has too few of the model's SNPs, else None."""
    if min(match.rate, match.weighted_rate) >= FEW_SNPS:
        return None
    return (
        f"warning: the file has {match.rate:.1%} of the model's SNPs, with "
        f"{match.weighted_rate:.1%} of its effects; the others count as missing, and the "
        "predictions are worse than the cross-validated accuracy says"
    )


def training_note(prediction: FilePrediction) -> str | None:
    """A sentence on samples that the model was trained on, else None."""
    held_out = int(np.count_nonzero(prediction.scores.held_out >= 0))
    seen = int(np.count_nonzero(prediction.scores.held_out == SEEN_BY_ALL))
    said = []
    if held_out:
        said.append(
            f"training   {held_out:,} samples were in the training set; each is predicted by the "
            "one fold model that did not see it"
        )
    if seen:
        said.append(
            f"warning: {seen:,} samples have genotypes that all fold models were trained on; "
            "their predictions are better than those of new samples can be"
        )
    return "\n".join(said) or None


def interval_note(prediction: FilePrediction) -> str | None:
    """Which intervals were made, what they assume and how well they held, else None."""
    made = prediction.intervals
    if made is None:
        return None
    known = made.families == "known"
    of_which = "was trained on" if known else "was not trained on"
    lines = [f"{100 * made.level:g} %, for samples of families that the model {of_which}"]
    if known:
        lines[0] += f"; CV+ from {made.n_residuals:,} out-of-fold residuals"
    else:
        lines[0] += (
            f"; from {made.n_residuals:,} residuals of {made.n_families:,} families, each "
            "predicted without its family"
        )
    if made.coverage is None:
        lines.append("coverage could not be measured: too few residuals")
    else:
        left_out = "samples" if known else "families"
        held = f"they held {100 * made.coverage:.1f} % of the values"
        lines.append(f"measured on {left_out} that were left out: {held}")
    if made.by_family is not None:
        low, high = made.by_family
        lines[-1] += (
            f" on average, {100 * low:.0f} to {100 * high:.0f} % within one family, whose samples "
            "err together"
        )
    if known:
        way_out = ": use --families new" if made.others else ", and this model has none for these"
        lines.append(f"for samples of other families they are too short{way_out}")
    elif made.others:
        lines.append("for samples of the training families they are too long: --families known")
    if min(prediction.match.rate, prediction.match.weighted_rate) < FEW_SNPS:
        lines.append("measured with all SNPs; for a file that lacks some they are too short")
    return "intervals  " + "\n           ".join(lines)


def balance(explanation: SampleExplanation, shown: int, columns: int | None = None) -> str:
    """The sum that the contributions make, one term per line, or wrapped to fewer columns."""
    digits = decimals(explanation.bundle) + 2
    unit = explanation.bundle.manifest.unit
    largest = float(explanation.contributions[explanation.order[:shown]].sum())
    rest = float(explanation.contributions[explanation.order[shown:]].sum())
    n_rest = len(explanation.order) - shown
    reference = f"{explanation.reference:.{digits}f}"
    prediction = f"{explanation.prediction:.{digits}f}"
    terms = [
        ("", "reference: the average genotype of the training set", reference),
        ("+", f"the {shown:,} SNPs with the largest contributions", f"{largest:+.{digits}f}"),
        ("+", f"the other {n_rest:,} SNPs", f"{rest:+.{digits}f}"),
        ("=", "prediction", prediction),
    ]
    if not n_rest:
        terms[1:3] = [("+", f"all {shown:,} SNPs", f"{largest:+.{digits}f}")]
    number = max(len(value) for _, _, value in terms)
    width = max(len(text) for _, text, _ in terms)
    if columns is not None:
        width = min(width, max(_LEAST_ROOM, columns - len(f"+   {'':{number}} {unit}")))
    lines = []
    for sign, text, value in terms:
        *above, last = textwrap.wrap(text, width)
        signs = [sign, *[""] * len(above)]
        last = f"{last:{width}}  {value:>{number}} {unit}"
        lines += [f"{sign:1} {part}" for sign, part in zip(signs, [*above, last], strict=True)]
    return "\n".join([*lines, f"  (rounding: {explanation.residual:.1e} {unit})"])


def decimals(bundle: Bundle) -> int:
    """Digits behind the point that show a hundredth of the trait's standard deviation, about."""
    scale = float(np.mean([fold.scale for fold in bundle.manifest.folds]))
    return min(8, max(0, 3 - math.ceil(math.log10(scale))))


def trait_and_unit(manifest: Manifest) -> str:
    """Such as ``height (cm)``."""
    return f"{manifest.trait} ({manifest.unit})" if manifest.unit else manifest.trait


def pcc(manifest: Manifest) -> str:
    """The cross-validated PCC of a model, in words."""
    mean, sd = manifest.metrics.get("pcc_mean"), manifest.metrics.get("pcc_sd")
    if mean is None:
        return "accuracy not recorded"
    return f"cross-validated PCC {mean:.3f}" + (f" ± {sd:.3f}" if sd is not None else "")
