"""What is said of a file and of its predictions: summary, notes and warnings, as lines."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import BINARY, Manifest
from snpredict.bundle.out_of_fold import SEEN_BY_ALL
from snpredict.matching.file_check import FileCheck, InputFile
from snpredict.matching.low_call_rate import low_call_rate
from snpredict.names import listed
from snpredict.results.of_files import FilePrediction, SampleExplanation
from snpredict.scoring_files.words import missing_rule, unknown_type
from snpredict.terminal.reliability_words import reliability_note
from snpredict.terminal.similarity_words import sample_report, similarity_report, similarity_warning
from snpredict.terminal.streams import printable
from snpredict.terminal.wrapping import COLUMN, Line, labelled
from snpredict.version import __version__

#: A term of a sum is not wrapped to less than this.
_LEAST_ROOM = 15

_VERSION = ("snpredict", __version__)

#: Below this share of the model's SNPs, or of its effects, a file gets a warning.
FEW_SNPS = 0.9


def told_of_predictions(predictions: Sequence[FilePrediction], quiet: bool) -> list[Line]:
    """All that is said beside the predictions of some models; of a quiet run the warnings."""
    if len(predictions) == 1:
        (only,) = predictions
        summary = input_summary(only.check, f"{len(only.check.samples):,}")
        return ([] if quiet else summary + _notes(only)) + warnings_of(only.check)
    lines = []
    if not quiet:
        check = predictions[0].check
        facts = [*_file_facts(check, f"{len(check.samples):,}"), *_reading_facts(check)]
        lines += labelled([*facts, _VERSION], COLUMN)
        for one in predictions:
            facts = [*_model_facts(one.check), *_match_facts(one.check)]
            lines += [("", ""), *labelled(facts, COLUMN), *_notes(one)]
    return lines + [
        (label, f"{one.check.bundle.manifest.name}: {text}")
        for one in predictions
        for label, text in warnings_of(one.check)
    ]


def _notes(prediction: FilePrediction) -> list[Line]:
    """What is said of one model's predictions behind the summary of the file."""
    return [
        *_training_note(prediction),
        *_interval_note(prediction),
        *reliability_note(prediction),
        *similarity_warning(prediction.check),
    ]


def told_of_check(check: FileCheck) -> list[Line]:
    """How a file fits a model."""
    return [*input_summary(check, f"{len(check.samples):,}"), *similarity_report(check)]


def told_of_explanation(explanation: SampleExplanation, quiet: bool) -> list[Line]:
    """All that is said beside the contributions; of a quiet run the warnings."""
    check = explanation.check
    lines = []
    if not quiet:
        explained = f"{printable(check.samples[0])!r} explained"
        lines = [*input_summary(check, explained), *sample_report(check)]
    return lines + warnings_of(check)


def warnings_of(check: FileCheck) -> list[Line]:
    """Warnings of a file that lacks some of what the model needs."""
    texts = (_few_snps(check), _assumed_alleles(check), _little_called(check))
    return [("warning: ", text) for text in texts if text]


def input_summary(check: FileCheck, samples: str) -> list[Line]:
    """What was read and with which model, one fact per line."""
    facts = [
        *_model_facts(check),
        *_file_facts(check, samples),
        *_match_facts(check),
        *_reading_facts(check),
    ]
    return labelled([*facts, _VERSION], COLUMN)


def _model_facts(check: FileCheck) -> list[tuple[str, str]]:
    bundle, manifest = check.bundle, check.bundle.manifest
    return [
        ("model", f"{manifest.name} (manifest {bundle.digest[:12]}), {pcc(manifest)}"),
        ("trait", trait_and_unit(manifest)),
        *weights_facts(manifest),
    ]


def weights_facts(manifest: Manifest) -> list[tuple[str, str]]:
    """Where the weights of an imported score are from, and what they are taken for."""
    about = manifest.scoring_file
    if about is None:
        return []
    build = about.genome_build or "a genome build that the file of weights does not name"
    placed = about.without_place < manifest.n_snps
    places = [("build", f"positions are those of {build}; they are not lifted to another build")]
    return [
        ("weights", f"{about.file} ({about.format}), SHA-256 {about.sha256}"),
        *([("type", unknown)] if (unknown := unknown_type(about)) else []),
        *(places if placed else []),
        ("gaps", f"a missing genotype counts as {missing_rule(about, manifest.n_snps)}"),
    ]


def _file_facts(check: FileCheck, samples: str) -> list[tuple[str, str]]:
    source = check.source
    column = f", ids from column {source.id_column!r}" if source.id_column else ""
    return [
        ("input", f"{source.path} ({source.format}{_n_files(source)}), SHA-256 {source.sha256}"),
        ("samples", f"{samples}{column}"),
    ]


def _n_files(source: InputFile) -> str:
    """How many files a pattern stood for; nothing where one file was named."""
    return "" if str(source.path) in source.files else f", {len(source.files)} files"


def _reading_facts(check: FileCheck) -> list[tuple[str, str]]:
    source = check.source
    coding = ["-1, 0, 1 read as 0, 1, 2 (--coding -101)"] if source.coding == "-101" else []
    if not source.has_alleles:
        coding.append("codes 0, 1, 2 are assumed to count the model's counted alleles")
    return [
        *(("note", f"{count:,} {what}") for what, count in source.notes.items()),
        *([("coding", "; ".join(coding))] if coding else []),
    ]


def _match_facts(check: FileCheck) -> list[tuple[str, str]]:
    match = check.match
    found = " and ".join(
        f"{count:,} by {how}"
        for how, count in (("id", match.by_id), ("position", match.by_position))
        if count
    )
    facts = [
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
    missing = (
        f"{check.missing_rate_found:.1%} of the genotypes of these SNPs "
        f"({check.missing_rate:.1%} of the model's input, "
        f"{1 - check.measures.weighted_call_rate.mean():.1%} of its effects)"
    )
    return [*facts, *(("cause", cause) for cause in match.causes), ("missing", missing)]


def _counted(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())


def _few_snps(check: FileCheck) -> str | None:
    match = check.match
    if min(match.rate, match.weighted_rate) >= FEW_SNPS:
        return None
    measured = ", and the predictions are worse than the cross-validated accuracy says"
    return (
        f"the file has {match.rate:.1%} of the model's SNPs, with "
        f"{match.weighted_rate:.1%} of its effects; the others count as missing"
        + measured
        * (check.bundle.manifest.scoring_file is None)
    )


def _assumed_alleles(check: FileCheck) -> str | None:
    """Effect alleles are chosen by their effect; no program's codes count them by themselves."""
    if check.bundle.manifest.scoring_file is None or check.source.has_alleles:
        return None
    return (
        f"{check.source.path} names no alleles: its codes are taken for copies of the effect "
        "alleles, and scores are wrong where they count the others"
    )


def _little_called(check: FileCheck) -> str | None:
    low = np.flatnonzero(low_call_rate(check))
    if not len(low):
        return None
    named = listed([check.samples[at] for at in low.tolist()])
    have = "1 sample has" if len(low) == 1 else f"{len(low):,} samples have"
    enough = f"less than {check.min_match:.1%}" if check.min_match > 0 else "none"
    return f"{have} calls for {enough} of the model's effects ({named}): too little to predict from"


def _training_note(prediction: FilePrediction) -> list[Line]:
    """What is to be known of samples that the model was trained on."""
    held_out = int(np.count_nonzero(prediction.scores.held_out >= 0))
    seen = int(np.count_nonzero(prediction.scores.held_out == SEEN_BY_ALL))
    lines = []
    if held_out:
        text = (
            f"{held_out:,} samples were in the training set; each is predicted by the one fold "
            "model that did not see it"
        )
        lines += labelled([("training", text)], COLUMN)
    if seen:
        text = (
            f"{seen:,} samples have genotypes that all fold models were trained on; their "
            "predictions are better than those of new samples can be"
        )
        lines.append(("warning: ", text))
    return lines


def _interval_note(prediction: FilePrediction) -> list[Line]:
    """Which intervals were made, what they assume and how well they held."""
    made = prediction.intervals
    if made is None:
        return []
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
    match = prediction.check.match
    if min(match.rate, match.weighted_rate) < FEW_SNPS:
        lines.append("measured with all SNPs; for a file that lacks some they are too short")
    return labelled(zip(["intervals", *[""] * len(lines)], lines, strict=False), COLUMN)


def balance(explanation: SampleExplanation, shown: int, columns: int | None) -> list[Line]:
    """The sum that the contributions make, one term per line, or wrapped to fewer columns."""
    shown = min(shown, len(explanation.order))
    digits = decimals(explanation.check.bundle) + 2
    unit = explanation.unit
    manifest = explanation.check.bundle.manifest
    largest = float(explanation.contributions[explanation.order[:shown]].sum())
    rest = float(explanation.contributions[explanation.order[shown:]].sum())
    n_rest = len(explanation.order) - shown
    binary = manifest.task == BINARY
    total = explanation.score if binary else explanation.prediction
    terms = [
        ("", f"reference: {reference_words(manifest)}", f"{explanation.reference:.{digits}f}"),
        *(
            ("+", f"{share.name} {printable(share.value)}", f"{share.contribution:+.{digits}f}")
            for share in explanation.covariates
        ),
    ]
    if n_rest:
        terms += [
            ("+", f"the {shown:,} SNPs with the largest contributions", f"{largest:+.{digits}f}"),
            ("+", f"the other {n_rest:,} SNPs", f"{rest:+.{digits}f}"),
        ]
    else:
        terms.append(("+", f"all {shown:,} SNPs", f"{largest:+.{digits}f}"))
    terms.append(
        ("=", _total_words(explanation) if binary else "prediction", f"{total:.{digits}f}")
    )
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
    lines.append(f"  (rounding: {explanation.residual:.1e} {manifest.unit or unit})")
    return [("", line) for line in lines]


def _total_words(explanation: SampleExplanation) -> str:
    """What the contributions to a probability add up to."""
    probability = f"the probability is {explanation.prediction:.4g}"
    if explanation.predicted_by == "ensemble" and len(explanation.check.bundle.manifest.folds) > 1:
        return f"mean logit of the fold models; {probability}, the mean of theirs"
    return f"logit; {probability}"


def reference_words(manifest: Manifest) -> str:
    """The genotype that contributions are counted from."""
    if manifest.scoring_file is not None:
        return "a sample of which nothing is called"
    covariates = " and average covariates" if manifest.covariates else ""
    return f"the average genotype of the training set{covariates}"


def decimals(bundle: Bundle) -> int:
    """Digits behind the point that show a hundredth of the trait's standard deviation, about."""
    scale = float(np.mean([fold.scale for fold in bundle.manifest.folds]))
    if bundle.manifest.scoring_file is not None and bundle.effects is not None:
        # No trait is known; the SD of scores of independent SNPs with equally common alleles.
        scale = float(np.linalg.norm(bundle.effects.effects)) * 0.5**0.5 or 1.0
    return min(8, max(0, 3 - math.ceil(math.log10(scale))))


def trait_and_unit(manifest: Manifest) -> str:
    """Such as ``height (cm)``."""
    return f"{manifest.trait} ({manifest.unit})" if manifest.unit else manifest.trait


def pcc(manifest: Manifest) -> str:
    """The cross-validated PCC of a model, or the AUC of a binary trait's, in words."""
    name = "auc" if manifest.metrics.get("auc_mean") is not None else "pcc"
    mean, sd = manifest.metrics.get(f"{name}_mean"), manifest.metrics.get(f"{name}_sd")
    if mean is None:
        return "accuracy not recorded"
    return f"cross-validated {name.upper()} {mean:.3f}" + (f" ± {sd:.3f}" if sd is not None else "")
