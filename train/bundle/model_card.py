"""The model card: what a person must know before believing a bundle."""

import math

from snpredict.bundle.entries import EvaluationEntry, Training
from snpredict.bundle.manifest import BINARY, Manifest
from snpredict.names import squared
from train.bundle.card_measured import (
    interval_lines,
    new_family_lines,
    reliability_lines,
    shown,
    similarity_lines,
)
from train.evaluation.differences import Difference
from train.evaluation.figures import SCHEME_TITLES, Interval
from train.evaluation.markdown import FIGURES
from train.metrics import BINARY_FIGURES
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
        *similarity_lines(m),
        *_learned(m),
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
        names += BINARY_FIGURES

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
    if manifest.task == BINARY:
        lines.append(f"- SD of AUC over folds: {figure('auc_sd')}")
    against = Difference.of_figures(figures, len(manifest.folds))
    if against is not None:
        lines.append(f"- On the same folds: {against.sentence('this model', 'GBLUP')}")
    if figures.get("within_family_pcc_mean") is not None:
        lines.append(f"- PCC inside families, mean: {figure('within_family_pcc_mean')}")
    if figures.get("family_mean_pcc_mean") is not None:
        lines.append(
            f"- What family means alone reach on the same folds: {figure('family_mean_pcc_mean')}"
        )
    return lines


def _learned(m: Manifest) -> list[str]:
    """The components of variance in one sentence."""
    found = m.decomposition
    if found is None or not (genetic := found.variances.get("genetic")):
        return []
    names = {
        "additive": "additive",
        "dominance": "dominance",
        "additive_by_additive": "pairs of loci",
        "epistatic": "pairs of loci",
    }
    shares = []
    for name, words in names.items():
        if name in found.variances:
            sd = found.sds.get(name)
            spread = "" if sd is None else f" ± {sd / genetic:.1%}"
            shares.append(f"{found.variances[name] / genetic:.1%}{spread} {words}")
    real = ""
    if (share := found.additive_share_of_real_lines) is not None:
        real = (
            f" Over the training lines, where loci go together, {share:.1%} of the variance of the "
            "predictions is additive."
        )
    return [
        "",
        "## What it has learned",
        "",
        f"- Of its genetic variance of {genetic:.4g} {squared(m.unit)} in linkage equilibrium are "
        f"{', '.join(shares)} (± SD over the folds).{real} `snpredict explain --snp` and `--pair` "
        "say which SNPs.",
    ]


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
