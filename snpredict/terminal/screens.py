"""Results for people, as tables on a terminal.

rich is imported inside the functions that draw, so that a piped run does not wait for it.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import Manifest
from snpredict.bundle.typed_json import as_json
from snpredict.explaining.snp_report import SnpReport
from snpredict.results.of_files import SampleExplanation
from snpredict.terminal.messages import balance, decimals, pcc, trait_and_unit, weights_facts
from snpredict.terminal.tables import (
    bar,
    heading_table,
    say,
    show,
    signed_bar,
)
from snpredict.terminal.wrapping import labelled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show_contributions(console: "Console", explanation: SampleExplanation, top: int) -> None:
    """The SNPs that contributed most, with bars, and the sum of all."""
    digits = decimals(explanation.check.bundle) + 2
    unit = explanation.unit
    order = explanation.order[:top]
    of_covariates = [share.contribution for share in explanation.covariates]
    limit = float(np.abs([*explanation.contributions, *of_covariates]).max())
    table = heading_table("snp", "genotype", f"contribution ({unit})", "", right=(1, 2))
    for at in order:
        value = float(explanation.contributions[at])
        genotype = float(explanation.genotypes[at])
        table.add_row(
            explanation.check.bundle.snps.ids[at],
            "missing" if math.isnan(genotype) else f"{genotype:.3g}",
            f"{value:+.{digits}f}",
            signed_bar(value, limit),
        )
    show(console, table, way_out="--out FILE")
    if explanation.covariates:
        table = heading_table("covariate", "value", f"contribution ({unit})", "", right=(1, 2))
        for share in explanation.covariates:
            added = f"{share.contribution:+.{digits}f}"
            table.add_row(share.name, share.value, added, signed_bar(share.contribution, limit))
        show(console, table)
    say(console, balance(explanation, len(order), console.width))


def show_snp(console: "Console", report: SnpReport, bundle: Bundle) -> None:
    """Everything about one SNP."""
    unit = bundle.manifest.unit
    place = "unknown"
    if report.chromosome is not None:
        at = "" if report.position is None else f", position {report.position:,}"
        place = f"{report.chromosome}{at}"
    counted, other = report.counted_allele, report.other_allele
    facts = {
        "SNP": report.id,
        "chromosome": place,
        "alleles": f"{counted or '?'} counted, {other or '?'} other",
        "saliency": f"{report.saliency:.6g} (centred {report.centered_saliency:.6g})",
        "rank": f"{report.rank:,} of {report.n_snps:,}, percentile {report.percentile:.2f}",
    }
    for method, value in report.attributions.items():
        facts[method] = f"{value:.6g} on average, whatever its sign"
    say(console, labelled(facts.items()))
    digits = decimals(bundle) + 2
    ranges = report.effect_ranges
    in_lines = ["in 90 % of lines"] if ranges else []
    known = "in training" if bundle.manifest.scoring_file is None else "by the frequency"
    headings = ["genotype", known, f"effect ({unit})", *in_lines, ""]
    effects = heading_table(*headings, right=range(1, len(headings) - 1))
    limit = max(map(abs, report.effects.values()), default=0.0)
    for genotype, frequency in report.frequencies.items():
        effect = report.effects.get(genotype)
        effects.add_row(
            _genotype_words(genotype, counted, other),
            "not known" if frequency is None else f"{frequency:.1%}",
            "not known" if effect is None else f"{effect:+.{digits}f}",
            *([" to ".join(f"{end:+.{digits}f}" for end in ranges[genotype])] if ranges else []),
            "" if effect is None else signed_bar(effect, limit),
        )
    console.print()
    show(console, effects)
    say(console, [("", _where_effects_hold(report)), ("", "")])
    folds = heading_table("fold", "saliency", "", right=(1,))
    limit = max(report.fold_saliency.values())
    for fold, value in report.fold_saliency.items():
        folds.add_row(fold, f"{value:.6g}", bar(value, limit))
    show(console, folds)
    if report.neighbours:
        show(console, _neighbour_table(report))


def _where_effects_hold(report: SnpReport) -> str:
    if report.effects_hold is None:
        return "no effects: the layers of the model are not known"
    sentences = [f"The effects hold for {report.effects_hold}."]
    if report.effect_ranges:
        sentences.append("In nine tenths of the training lines they lie within the range shown.")
    return " ".join(sentences)


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
    manifest = bundle.manifest
    training = as_json(manifest.training) or {}
    facts = {
        "model": manifest.name,
        "description": manifest.description,
        "trait": trait_and_unit(manifest),
        "accuracy": pcc(manifest),
        "SNPs": f"{manifest.n_snps:,}",
        "coding": manifest.genotype_coding,
        **{key: value for key, value in manifest.metrics.items() if value is not None},
        **{f"training {key}": value for key, value in training.items()},
        **dict(weights_facts(manifest)),
        "licence": manifest.licence,
        "source": manifest.source,
        "created": manifest.created,
        "folder": bundle.path,
        "manifest": f"SHA-256 {bundle.digest}",
        "files": f"{len(bundle.files)}, {bundle.size_bytes / 1e6:.1f} MB, all as the manifest says",
    }
    shown = {
        key: _number(value, ".4g") if isinstance(value, float) else value
        for key, value in facts.items()
        if isinstance(value, str | int | float) or key == "folder"
    }
    say(console, labelled(shown.items()))
    names = list(dict.fromkeys(name for fold in manifest.folds for name in fold.metrics))
    if not names:
        return
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


def _number(value: float | None, how: str) -> str:
    return "-" if value is None else format(value, how)
