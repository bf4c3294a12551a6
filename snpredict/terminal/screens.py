"""Results for people: summaries for stderr as plain text, tables for a terminal with rich.

rich is imported inside the functions that draw, so that a piped run does not wait for it.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from snpredict import __version__
from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import Manifest
from snpredict.bundle.out_of_fold import SEEN_BY_ALL
from snpredict.explaining.snp_report import SnpReport
from snpredict.matching.matched_file import InputFile
from snpredict.matching.report import MatchReport
from snpredict.matching.sample_measures import SampleMeasures
from snpredict.predicting import FilePrediction, SampleExplanation
from snpredict.scoring.predictions import Coverage
from snpredict.terminal.streams import printable
from snpredict.terminal.tables import (
    FIRST_ROWS,
    LAST_ROWS,
    MAX_ROWS,
    bar,
    heading_table,
    say,
    show,
    shown_rows,
    signed_bar,
)
from snpredict.terminal.wrapping import fact_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Below this share of the model's SNPs, or of its effects, a file gets a warning.
FEW_SNPS = 0.9

#: A term of a sum is not wrapped to less than this.
_LEAST_ROOM = 15

# --- stderr ------------------------------------------------------------------------------------


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
        ("model", f"{manifest.name} (manifest {bundle.digest[:12]}), {_pcc(manifest)}"),
        ("trait", _trait(manifest)),
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


# --- tables on a terminal ----------------------------------------------------------------------


def decimals(bundle: Bundle) -> int:
    """Digits behind the point that show a hundredth of the trait's standard deviation, about."""
    scale = float(np.mean([fold.scale for fold in bundle.manifest.folds]))
    return min(8, max(0, 3 - math.ceil(math.log10(scale))))


#: Shorter headings of `predict`, where the terminal has no room for the columns' own names.
_SHORT = {
    "predicted_by": "by",
    "low_call_rate": "low calls",
    "distance_percentile": "distance %",
    "unlike_training": "unlike",
    "unlike_because": "because",
}

#: Columns of `predict` from the most to the least wanted; what is not here comes behind.
_WANTED = ("sample", "prediction", "lower", "upper", "largest", "unlike_training", "spread")
_LEAST_WANTED = ("distance_percentile", "predicted_by")


def show_predictions(console: "Console", prediction: FilePrediction, per_fold: bool) -> None:
    """One row per sample; of many samples the first and the last ones."""
    digits = decimals(prediction.bundle)
    unit = prediction.bundle.manifest.unit
    columns = prediction.results(per_fold).columns
    headings = [f"{name} ({unit})" if name == "prediction" else name for name in columns]
    if prediction.top:
        headings.append("largest contributions")
    table = heading_table(*headings, right=range(1, len(columns)))
    n = len(prediction.scores.samples)
    for row in shown_rows(n):
        if row is None:
            table.add_row(*["⋮"] * len(headings))
            continue
        values = [column[row] for column in columns.values()]
        cells = [
            _result_cell(value, 1 if name == "distance_percentile" else digits)
            for name, value in zip(columns, values, strict=True)
        ]
        if prediction.top:
            cells.append(_top_lines(prediction.top[row], digits + 1))
        table.add_row(*cells)
    show(console, table, way_out="--out FILE", short=_SHORT, rank=_prediction_rank)
    if n > MAX_ROWS:
        text = (
            f"{FIRST_ROWS + LAST_ROWS} of {n:,} samples; all of them with --out predictions.tsv "
            "or in a pipe"
        )
        say(console, text)


def _prediction_rank(heading: str) -> int:
    name = heading.split()[0]
    if name in _WANTED:
        return _WANTED.index(name)
    return len(_WANTED) + (name in _LEAST_WANTED)


def _top_lines(pairs: Sequence[tuple[str, float]], digits: int) -> str:
    """A SNP and its contribution per line."""
    values = [f"{value:+.{digits}f}" for _, value in pairs]
    names, numbers = max(len(snp) for snp, _ in pairs), max(map(len, values))
    return "\n".join(
        f"{snp:{names}} {value:>{numbers}}" for (snp, _), value in zip(pairs, values, strict=True)
    )


def _result_cell(value: object, digits: int) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.{digits}f}"
        case _:
            return printable(str(value))


def show_contributions(console: "Console", explanation: SampleExplanation, top: int) -> None:
    """The SNPs that contributed most, with bars, and the sum of all."""
    digits = decimals(explanation.bundle) + 2
    unit = explanation.bundle.manifest.unit
    order = explanation.order[:top]
    limit = float(np.abs(explanation.contributions).max())
    table = heading_table("snp", "genotype", f"contribution ({unit})", "", right=(1, 2))
    for at in order:
        value = float(explanation.contributions[at])
        genotype = float(explanation.genotypes[at])
        table.add_row(
            explanation.bundle.snps.ids[at],
            "missing" if math.isnan(genotype) else f"{genotype:.3g}",
            f"{value:+.{digits}f}",
            signed_bar(value, limit),
        )
    show(console, table, way_out="--out FILE")
    console.print(balance(explanation, len(order), console.width), soft_wrap=True)


def show_snp(console: "Console", report: SnpReport, bundle: Bundle) -> None:
    """Everything about one SNP."""
    unit = bundle.manifest.unit
    place = "unknown"
    if report.chromosome is not None:
        at = "" if report.position is None else f", position {report.position:,}"
        place = f"{report.chromosome}{at}"
    counted, other = report.counted_allele, report.other_allele
    say(
        console,
        fact_lines(
            {
                "SNP": report.id,
                "chromosome": place,
                "alleles": f"{counted or '?'} counted, {other or '?'} other",
                "saliency": f"{report.saliency:.6g} (centred {report.centered_saliency:.6g})",
                "rank": f"{report.rank:,} of {report.n_snps:,}, percentile {report.percentile:.2f}",
            }.items()
        ),
    )
    digits = decimals(bundle) + 2
    ranges = report.effect_ranges
    in_lines = ["in 90 % of lines"] if ranges else []
    headings = ["genotype", "in training", f"effect ({unit})", *in_lines, ""]
    effects = heading_table(*headings, right=range(1, len(headings) - 1))
    limit = max(map(abs, report.effects.values()), default=0.0)
    for genotype, frequency in report.frequencies.items():
        effect = report.effects.get(genotype)
        effects.add_row(
            _genotype_words(genotype, counted, other),
            f"{frequency:.1%}",
            "not known" if effect is None else f"{effect:+.{digits}f}",
            *([" to ".join(f"{end:+.{digits}f}" for end in ranges[genotype])] if ranges else []),
            "" if effect is None else signed_bar(effect, limit),
        )
    console.print()
    show(console, effects)
    say(console, _where_effects_hold(report))
    folds = heading_table("fold", "saliency", "", right=(1,))
    limit = max(report.fold_saliency.values())
    for fold, value in report.fold_saliency.items():
        folds.add_row(fold, f"{value:.6g}", bar(value, limit))
    show(console, folds)
    if report.neighbours:
        show(console, _neighbour_table(report))


def _where_effects_hold(report: SnpReport) -> str:
    if report.effects_hold is None:
        return "no effects: the model has no fused ensemble to take them from\n"
    sentences = [f"The effects hold for {report.effects_hold}."]
    if report.effect_ranges:
        sentences.append("In nine tenths of the training lines they lie within the range shown.")
    return " ".join(sentences) + "\n"


def show_models(console: "Console", models: Sequence[tuple[Manifest, int]]) -> None:
    """One row per bundle; with each its size in bytes."""
    table = heading_table(
        "model", "trait", "unit", "SNPs", "folds", "cross-validated PCC", "size", right=(3, 4, 5, 6)
    )
    for manifest, size in models:
        table.add_row(
            manifest.name,
            manifest.trait,
            manifest.unit,
            f"{manifest.n_snps:,}",
            str(len(manifest.folds)),
            _number(manifest.metrics.get("pcc_mean"), ".3f"),
            f"{size / 1e6:.1f} MB",
        )
    wanted = ("model", "trait", "unit", "cross-validated PCC")
    show(console, table, rank=lambda name: wanted.index(name) if name in wanted else len(wanted))


def show_model(console: "Console", bundle: Bundle) -> None:
    """What a bundle's manifest says, and its figures per fold."""
    manifest, raw = bundle.manifest, bundle.manifest.raw
    training = raw.get("training")
    facts = {
        "model": manifest.name,
        "description": raw.get("description"),
        "trait": _trait(manifest),
        "accuracy": _pcc(manifest),
        "SNPs": f"{manifest.n_snps:,}",
        "coding": raw.get("genotype_coding"),
        **{key: value for key, value in manifest.metrics.items() if value is not None},
        **({f"training {k}": v for k, v in training.items()} if isinstance(training, dict) else {}),
        "licence": raw.get("licence"),
        "source": raw.get("source"),
        "created": raw.get("created"),
        "folder": bundle.path,
        "manifest": f"SHA-256 {bundle.digest}",
        "files": f"{len(bundle.files)}, {bundle.size_bytes / 1e6:.1f} MB, all as the manifest says",
    }
    shown = {
        key: _number(value, ".4g") if isinstance(value, float) else value
        for key, value in facts.items()
        if isinstance(value, str | int | float) or key == "folder"
    }
    say(console, fact_lines(shown.items()))
    names = list(dict.fromkeys(name for fold in manifest.folds for name in fold.metrics))
    table = heading_table("fold", *names, right=range(1, len(names) + 1))
    for fold in manifest.folds:
        table.add_row(fold.name, *(_number(fold.metrics.get(name), ".4g") for name in names))
    console.print()
    show(console, table)


# --- pieces ------------------------------------------------------------------------------------


def _neighbour_table(report: SnpReport) -> "Table":
    here, there = report.position or 0, report.neighbours
    table = heading_table(
        "neighbour", "position", "distance", "saliency", "rank", "", right=(1, 2, 3, 4)
    )
    limit = max([report.saliency, *(n.saliency for n in there)])
    rows = [(n.position, n.id, n.saliency, n.rank) for n in there]
    own = (here, report.id, report.saliency, report.rank)
    for position, name, saliency, rank in sorted([*rows, own]):
        table.add_row(
            name,
            f"{position:,}",
            f"{position - here:+,}" if name != report.id else "this SNP",
            f"{saliency:.6g}",
            f"{rank:,}",
            bar(saliency, limit),
            style="bold" if name == report.id else None,
        )
    return table


def _genotype_words(genotype: str, counted: str | None, other: str | None) -> str:
    if genotype == "missing" or counted is None or other is None:
        return genotype
    copies = int(genotype)
    return f"{genotype} ({counted * copies}{other * (2 - copies)})"


def _trait(manifest: Manifest) -> str:
    return f"{manifest.trait} ({manifest.unit})" if manifest.unit else manifest.trait


def _pcc(manifest: Manifest) -> str:
    mean, sd = manifest.metrics.get("pcc_mean"), manifest.metrics.get("pcc_sd")
    if mean is None:
        return "accuracy not recorded"
    return f"cross-validated PCC {mean:.3f}" + (f" ± {sd:.3f}" if sd is not None else "")


def _number(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)
