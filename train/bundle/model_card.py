"""The model card: what a person must know before believing a bundle."""

import math
from typing import NamedTuple

from snpredict.bundle.entries import EvaluationEntry, IntervalsEntry, Training
from snpredict.bundle.manifest import BINARY, Manifest
from train.bundle.interval_coverage import LEVELS
from train.evaluation.differences import Difference
from train.evaluation.figures import SCHEME_TITLES, Interval
from train.evaluation.markdown import FIGURES
from train.networks.presets import HIDDEN

#: Where the figures of a preset's own choice were looked at; see docs/experiments.md.
_CHOSEN = {
    "default": " The preset `default` was chosen by looking at test figures of the given folds of "
    "the SoyNAM data, so that its figures on these folds may be a little too good. Random folds, "
    "dealt by another seed, had no part in the choice (docs/experiments.md).",
    **dict.fromkeys(
        ("linear", "reweighted"),
        " The preset's settings were chosen by validation figures of the given folds of the SoyNAM "
        "data, which are other folds' test rows (docs/experiments.md).",
    ),
}


_HEADINGS = {
    "pcc": "PCC",
    "mae": "MAE",
    "r2": "R²",
    "auc": "AUC",
    "average_precision": "average precision",
    "brier": "Brier score",
}


def model_card(manifest: Manifest) -> str:
    """Markdown for ``MODEL_CARD.md``, from the manifest alone, so that both say the same."""
    m = manifest
    assert m.training is not None
    preset = m.preset["name"] if m.preset is not None else ""
    lines = [
        f"# {m.name}",
        "",
        f"Predicts **{m.trait}** ({m.unit}) from {m.n_snps} SNPs with the mean of "
        f"{len(m.folds)} fold models.",
        "",
        "## Data",
        "",
        *_data(m, m.training),
        "",
        "## How well it predicts",
        "",
        *_accuracy(m, m.training, preset),
        *new_family_lines(m),
        *interval_lines(m),
        *evaluation_lines(m.evaluation, f"network-{preset}"),
        *reliability_lines(m),
        *_similarity(m),
        "",
        "## How it was trained",
        "",
        *_recipe(m),
        "",
        "## What it must not be used for",
        "",
        _other_populations(m.training),
        "- Files whose codes count another allele than this bundle's: the predictions would be "
        "wrong without looking wrong.",
        "- Causal claims. A large saliency or contribution marks a SNP that the model uses; "
        "linkage spreads one locus over its neighbours.",
        "- Decisions on single samples without their error: `predict --interval 0.9` gives it.",
        "",
        f"Seed {m.seed}, created {m.created} with "
        + ", ".join(f"{name} {version}" for name, version in m.software.items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _data(m: Manifest, training: Training) -> list[str]:
    unit = m.unit
    return [
        f"- Source: {m.source or 'not stated'}",
        f"- Licence of the data: {m.licence or 'not stated'}",
        f"- Table `{training.table}`, SHA-256 `{training.sha256}`",
        f"- {training.samples} samples"
        + (f" in {training.families} families" if training.families else "")
        + f", {100 * (training.missing_rate or 0):.1f} % of the genotypes missing",
        f"- {m.trait}: {_spread(training.phenotype_mean, training.phenotype_sd, unit)}",
        *(
            ["- Several rows of one line were averaged to one value per line (`--repeats mean`)"]
            if training.repeats
            else []
        ),
        f"- Genotypes: {m.genotype_coding}; the counted allele of each SNP is in `snps.parquet`",
        *_filters(m, training),
        *(
            [f"- Covariates beside the genotypes: {', '.join(c.name for c in m.covariates)}"]
            if m.covariates
            else []
        ),
    ]


def _filters(m: Manifest, training: Training) -> list[str]:
    """Which SNPs the folds took, and how many."""
    if training.snp_filters is None:
        return []
    kept = [(fold.chosen or {}).get("snps_kept") for fold in m.folds]
    numbers = ", ".join("?" if n is None else f"{n:,}" for n in kept)
    return [
        f"- SNPs inside each fold's training rows: {training.snp_filters}. Of {m.n_snps:,} the "
        f"folds kept {numbers}; the others have a weight of 0 in that fold"
    ]


def _accuracy(manifest: Manifest, training: Training, preset: str) -> list[str]:
    """The cross-validated figures, per fold and over them."""
    figures = manifest.metrics
    names = ["pcc", "mae", "r2"]
    if manifest.task == BINARY:
        names += ["auc", "average_precision", "brier"]

    def figure(name: str) -> str:
        return shown(figures.get(name))

    scheme = {
        "given": "the folds given in the training table",
        "column": "the folds given in the training table",  # in older bundles
        "random": "random folds",
        "family": "folds of whole families",
    }[training.fold_scheme or "random"]
    lines = [
        f"Cross-validated on {scheme}; every figure is on samples that the fold's model did not "
        "see. A fold trains on the rest but one fold, which chooses its settings."
        + _CHOSEN.get(preset, ""),
        "",
        f"| fold | {' | '.join(_HEADINGS[name] for name in names)} | epochs |",
        "| --- |" + " --- |" * (len(names) + 1),
        *(
            f"| {fold.number} | "
            + " | ".join(shown(fold.metrics.get(name)) for name in names)
            + f" | {'' if fold.epochs is None else fold.epochs} |"
            for fold in manifest.folds
        ),
        f"| **mean** | **{figure('pcc_mean')}** | "
        + "".join(f"{figure(f'{name}_mean')} | " for name in names[1:])
        + "|",
        "",
        f"- SD of PCC over folds: {figure('pcc_sd')}; all samples pooled: {figure('pcc_pooled')}",
    ]
    against = Difference.of_figures(figures, len(manifest.folds))
    if against is not None:
        lines.append(f"- {against.sentence('this model', 'GBLUP')}, on the same folds")
    if figures.get("within_family_pcc_mean") is not None:
        lines.append(f"- PCC inside families, mean: {figure('within_family_pcc_mean')}")
    if figures.get("family_mean_pcc_mean") is not None:
        lines.append(
            f"- What family means alone reach on the same folds: {figure('family_mean_pcc_mean')}"
        )
    return lines


def _recipe(manifest: Manifest) -> list[str]:
    """What a person must know of how the networks are made."""
    preset = manifest.preset
    if preset is None:
        return [f"{manifest.description}."]
    named = f"Preset `{preset['name']}`: {preset['description']}."
    if preset.get("network") == HIDDEN:
        return [
            named,
            "",
            "**The network learns from two teachers.** The SNPs with the largest squared ridge "
            "effects enter one hidden layer with a linear shortcut beside it. Each fold's network "
            "was trained on what a Gaussian-kernel regression and boosted trees, both of the "
            "fold's training rows, say in the mean of those rows and of virtual recombinants of "
            "them. The kernel's two numbers are those of the largest likelihood; the validation "
            "fold chose the shrinkage of the ridge and the number of trees. Contributions stay "
            "exact: see docs/methods.md.",
        ]
    if preset["start"]["method"] != "ridge":
        return [named]
    again = preset["start"]["reweightings"]
    return [
        named,
        "",
        "**The network does not start from random weights.** It starts at a ridge regression "
        "(GBLUP) solution of the fold's training rows"
        + (
            f", re-weighted {again} time(s) by the squared effects so that major loci are "
            "shrunk less"
            if again
            else ""
        )
        + ". The strength of the shrinkage and the epoch to stop at were chosen on the "
        "validation fold. Most of its accuracy is that start's; see docs/experiments.md for "
        "what the training adds. All hidden layers are linear, so each fold model is a "
        "weighted sum of genotypes passed through one bounded, S-shaped function.",
    ]


def _spread(mean: float | None, sd: float | None, unit: str) -> str:
    """Mean and SD of the trait, in words where it was standardised before."""
    if mean is None or sd is None:
        return "not stated"
    if abs(mean) < 0.005 and abs(sd - 1) < 0.005:
        return "standardised already (mean 0, SD 1)"
    digits = 2 if sd >= 0.1 else 2 - math.floor(math.log10(sd))
    return f"mean {shown(mean, digits)} {unit}, SD {shown(sd, digits)} {unit}"


def _other_populations(training: Training) -> str:
    if training.fold_scheme == "family":
        return (
            "- Samples from other populations than the training families: the folds left whole "
            "families out, but families of the same populations."
        )
    if training.families:
        return (
            "- Samples from other populations than the training families: random folds hold "
            "siblings of every sample that is predicted, a new family has none."
        )
    return (
        "- Samples from other populations than the training set: the held-out samples of the "
        "figures above are from the same population as those trained on."
    )


def _similarity(manifest: Manifest) -> list[str]:
    entry, unit = manifest.similarity, manifest.unit
    if entry is None:
        return []
    tested = groups(manifest)
    lines = [
        "",
        "## Samples unlike the training set",
        "",
        "`predict` flags samples that are farther from the training set than 99 % of its own "
        "lines are from the rest, or whose heterozygosity is outside that of 98 % of them, or "
        "whose call rate is below that of 99 % of them. Out-of-fold errors of lines that are far, "
        "and of the others:",
        "",
        f"| tested lines | | n | MAE ({unit}) | RMSE ({unit}) | PCC | MAE ratio (95 % interval) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for errors, what in ((entry.errors, tested.known), (entry.errors_new_families, tested.new)):
        if errors is None:
            continue
        ratio = ""
        if errors.ratio is not None:
            ratio = "{:.2f} ({:.2f} to {:.2f})".format(*errors.ratio)
        for part, found, beside in (
            ("flagged", errors.flagged, ratio),
            ("others", errors.others, ""),
        ):
            lines.append(
                f"| of {what} | {part} | {found.n} | {shown(found.mae)} "
                f"| {shown(found.rmse)} | {shown(found.pcc)} | {beside} |"
            )
    return lines


def reliability_lines(manifest: Manifest) -> list[str]:
    """What the model card says of the column ``reliability``, and how it was checked."""
    entry = manifest.reliability
    if entry is None:
        return []
    tested = groups(manifest)
    parts = [
        (measured, what)
        for measured, what in ((entry.known, tested.known), (entry.new, tested.new))
        if measured is not None
    ]
    within = any(measured.families is not None for measured, _ in parts)
    lines = [
        "",
        "## Reliability",
        "",
        "The column `reliability` of `predict`: the squared correlation of predicted and observed "
        + ("values within families" if within else "values")
        + ", out of fold. It is of the phenotype and not of the breeding value. In brackets 95 % "
        "intervals" + (", from families drawn again and again." if within else "."),
        "",
        "| tested lines | n | all together | nearer half − farther half | so `reliability` is |",
        "| --- | --- | --- | --- | --- |",
    ]
    for measured, what in parts:
        difference = "–"
        if measured.near_minus_far is not None:
            value, low, high = measured.near_minus_far
            difference = _with_ends(value, low, high, signed=True)
        values = [band.reliability for band in measured.bands]
        said = "one value for all"
        if values:
            said = f"{shown(max(values))} for near lines to {shown(min(values))} for far ones"
        lines.append(
            f"| of {what} | {measured.lines} "
            f"| {_with_ends(measured.reliability, measured.low, measured.high)} "
            f"| {difference} | {said} |"
        )
    lines += [
        "",
        "Check: every fold's lines, grouped by their distance from the training set, with the "
        "reliability that the other folds' lines give them, and their own squared correlation:",
        "",
        "| tested lines | distance up to | n | reliability given | observed |",
        "| --- | --- | --- | --- | --- |",
    ]
    for measured, what in parts:
        for band in measured.check:
            up_to = "any" if band.up_to is None else shown(band.up_to)
            observed = _with_ends(band.observed, band.low, band.high)
            lines.append(f"| of {what} | {up_to} | {band.n} | {shown(band.said)} | {observed} |")
    return lines


def _with_ends(value: float, low: float, high: float, signed: bool = False) -> str:
    """A figure with its interval in brackets."""
    plus = "+" if signed and value >= 0.0005 else ""
    return f"{plus}{shown(value)} ({shown(low)} to {shown(high)})".replace("-", "−")


class Groups(NamedTuple):
    """What a card calls the samples whose like was in training, and those whose was not."""

    known: str
    new: str


def groups(manifest: Manifest) -> Groups:
    """Families only where the training table names them."""
    training = manifest.training or Training()
    new = None if manifest.intervals is None else manifest.intervals.new
    if training.fold_scheme == "family":
        return Groups("left-out families", "new families")
    clusters = new is not None and new.families_from != "column"
    return Groups(
        "known families" if training.families else "the training population",
        "left-out groups of alike genotypes" if clusters else "new families",
    )


def new_family_lines(manifest: Manifest) -> list[str]:
    """What the model card says of families left out."""
    figures, unit = manifest.metrics, manifest.unit
    told = manifest.intervals or IntervalsEntry()
    known, new, names = told.known, told.new, groups(manifest)
    by_column = new is not None and new.families_from == "column"
    lines = []
    pooled = figures.get("new_families_pcc_pooled")
    if pooled is not None and new is not None:
        inside = figures["new_families_within_family_pcc_mean"]
        left_out = (
            f"**Families that were left out** as a whole, {new.families} families from "
            "the training table: "
            if by_column
            else "**Groups of alike genotypes that were left out** as a whole, in place of "
            f"families, which the training table does not name ({new.families_from}): "
        )
        lines += [
            "",
            f"{left_out}PCC of all samples pooled {shown(pooled)}, mean PCC inside a family "
            + shown(inside)
            + f", MAE {shown(figures['new_families_mae'], 2)} {unit}."
            + (
                f" This, and not the table above, is for {names.new if by_column else 'others'}."
                if known
                else ""
            ),
        ]
    return lines


def interval_lines(manifest: Manifest) -> list[str]:
    """What the model card says of prediction intervals."""
    told = manifest.intervals or IntervalsEntry()
    known, new, names = told.known, told.new, groups(manifest)
    by_column = new is not None and new.families_from == "column"
    rows = [(names.known, known.coverage)] if known else []
    if known and new:
        misused = f"those for {names.known}, used for {'new ones' if by_column else names.new}"
        rows.append((misused, known.coverage_in_new_families or {}))
    rows += [(names.new, new.coverage)] if new else []
    levels = [f"{level:g}" for level in LEVELS]
    lines = [
        "",
        "Prediction intervals (`predict --interval`), each fold's samples against intervals made "
        "without that fold:",
        "",
        "| share of the values that the intervals hold | "
        + " | ".join(f"{100 * float(level):g} %" for level in levels)
        + " |",
        "| --- |" + " --- |" * len(levels),
    ]
    for name, coverage in rows:
        cells = [
            "–" if (share := coverage.get(level)) is None else f"{100 * share:.1f} %"
            for level in levels
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if new is not None and (by_family := new.coverage_by_family.get("0.9")):
        lines += [
            "",
            f"In {names.new} this is an average: at level 90 % the worst "
            f"{'family' if by_column else 'group'} had "
            f"{100 * by_family.lowest:.0f} % of its values inside, and a tenth of the "
            f"{'families' if by_column else 'groups'} less than {100 * by_family.tenth:.0f} %.",
        ]
    elif new is None:
        training = manifest.training or Training()
        others = "new families" if training.families else "other populations"
        lines += ["", f"Intervals for {others} were not made: for them, these are too short."]
    return lines


def shown(value: float | None, digits: int = 3) -> str:
    """A figure in a card."""
    # Rounded first, and 0 added: a small negative number is not "-0.00".
    return "not available" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def evaluation_lines(entry: EvaluationEntry | None, network: str) -> list[str]:
    """What the model card says of the evaluation: a table per scheme."""
    if entry is None:
        return []
    lines = [
        "",
        "## Compared with baselines",
        "",
        "All models on the same folds, trained and tuned on the same samples; in brackets 95 % "
        "bootstrap intervals over folds (within families: over families). Made by `python -m "
        "train evaluate`; its report, docs/accuracy.md for the shipped models, says how to read it "
        "and how it was made.",
    ]
    for scheme, n_folds in entry.schemes.items():
        rows = [m for m in entry.models if m.scheme == scheme]
        if not rows:
            continue
        heads = [heading for _, heading, _ in FIGURES]
        lines += [
            "",
            f"**{SCHEME_TITLES[scheme].capitalize()}** ({n_folds})",
            "",
            f"| model | {' | '.join(heads)} |",
            "| --- |" + " --- |" * len(heads),
        ]
        for row in rows:
            cells = [
                Interval(*(math.nan if v is None else v for v in row.figures[name])).text(decimals)
                for name, _, decimals in FIGURES
            ]
            name = f"**{row.title}**" if row.model == network else row.title
            if row.folds < n_folds:
                name += f" ({row.folds} folds)"
            lines.append(f"| {name} | {' | '.join(cells)} |")
    for control in entry.controls:
        if not lines[-1].startswith("- "):
            lines += [
                "",
                "Controls, the same network trained on phenotypes without signal (mean PCC over "
                "folds; shuffled phenotypes must give 0, one random value per family must give 0 "
                "with families left out, within about 0.15 for 39 families):",
                "",
            ]
        lines.append(
            f"- {control.control} (made from {control.trait}), {SCHEME_TITLES[control.scheme]}: "
            f"{Interval(control.pcc).text(signed=True)} ({control.seeds} seed(s))"
        )
    return lines
