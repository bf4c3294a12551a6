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
from snpredict.explaining.pair_report import GENOTYPES, PairReport
from snpredict.explaining.snp_report import SnpReport
from snpredict.names import squared
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
    if report.decomposition:
        say(console, _decomposition_lines(report, unit, digits))
    if report.partners:
        show(console, _partner_table(report, unit, digits))
    folds = heading_table("fold", "saliency", "", right=(1,))
    limit = max(report.fold_saliency.values())
    for fold, value in report.fold_saliency.items():
        folds.add_row(fold, f"{value:.6g}", bar(value, limit))
    show(console, folds)
    if report.neighbours:
        show(console, _neighbour_table(report))


def show_pair(console: "Console", report: PairReport, bundle: Bundle) -> None:
    """Predictions of all combinations of two SNPs' genotypes, and what interaction they have."""
    digits = decimals(bundle) + 2
    say(console, labelled([("rows", report.snp_a), ("columns", report.snp_b)]))
    for title, values, sign in (
        (f"prediction ({report.unit})", report.predictions, ""),
        (f"interaction ({report.interaction_unit})", report.interaction, "+"),
    ):
        headings = [
            f"{_genotype_words(str(code), *report.alleles_b)}, {report.frequencies_b[code]:.0%}"
            for code in GENOTYPES
        ]
        table = heading_table(title, *headings, right=range(1, 4))
        for code, row in zip(GENOTYPES, values, strict=True):
            words = _genotype_words(str(code), *report.alleles_a)
            cells = (f"{value:{sign}.{digits}f}" for value in row)
            table.add_row(f"{words}, {report.frequencies_a[code]:.0%}", *cells)
        console.print()
        show(console, table)
    sentences = [
        "All other SNPs are at the average of the training set. The interaction is what a "
        "prediction has beyond both SNPs' own effects. It adds "
        f"{report.interaction_sd:.{digits}f} {report.interaction_unit} (SD) where the SNPs are "
        f"independent; its strongest entry has an SD of {report.fold_sd:.{digits}f} over the folds."
    ]
    if report.effect is not None:
        q = "" if report.q_value is None else f", q-value {report.q_value:.2g}"
        sentences.append(
            f"In drawn lines the pair's effect is {report.effect:+.{digits}f} {report.unit} per "
            f"copy of both (SD over the folds {report.effect_sd:.{digits}f}{q})."
        )
    say(console, [("", " ".join(sentences))])


def _decomposition_lines(report: SnpReport, unit: str, digits: int) -> list[tuple[str, str]]:
    """Average effect, dominance and interactions of a SNP in words."""
    d = report.decomposition
    if not d:
        return []
    facts = [
        (
            "average effect",
            f"{d['additive']:+.{digits}f} {unit} per copy "
            f"(SD over the folds {d['additive_sd']:.{digits}f})",
        ),
        (
            "dominance",
            f"{d['dominance']:+.{digits}f} {unit}, heterozygote less the mean of the homozygotes "
            f"(SD {d['dominance_sd']:.{digits}f})",
        ),
        (
            "interactions",
            f"variance {d['epistatic_variance']:.3g} {squared(unit)} with all other SNPs "
            f"(SD {d['epistatic_variance_sd']:.2g})",
        ),
    ]
    return labelled(facts)


def _partner_table(report: SnpReport, unit: str, digits: int) -> "Table":
    with_q = any(partner.q_value is not None for partner in report.partners)
    headings = ["partner", f"effect per copy of both ({unit})", "SD over the folds"]
    table = heading_table(*headings, *(["q-value"] if with_q else []), right=range(1, 4))
    for partner in report.partners:
        q = [] if partner.q_value is None else [f"{partner.q_value:.2g}"]
        table.add_row(partner.id, f"{partner.effect:+.{digits}f}", f"{partner.sd:.{digits}f}", *q)
    return table


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
