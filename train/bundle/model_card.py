"""The model card: what a person must know before believing a bundle."""

import math
from typing import Any

from train.evaluation.entry import card_lines as evaluation_lines
from train.networks.presets import HIDDEN
from train.runs.left_out import card_lines, groups, shown

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


def model_card(manifest: dict[str, Any]) -> str:
    """Markdown for ``MODEL_CARD.md``, from the manifest alone, so that both say the same."""
    m, training, figures = manifest, manifest["training"], manifest["metrics"]
    unit = m["unit"]

    def figure(name: str, digits: int = 3) -> str:
        return shown(figures.get(name), digits)

    scheme = {
        "column": "the folds given in the training table",
        "random": "random folds",
        "family": "folds of whole families",
    }[training["fold_scheme"]]
    lines = [
        f"# {m['name']}",
        "",
        f"Predicts **{m['trait']}** ({unit}) from {m['n_snps']} SNPs with the mean of "
        f"{len(m['folds'])} fold models.",
        "",
        "## Data",
        "",
        f"- Source: {m['source'] or 'not stated'}",
        f"- Licence of the data: {m['licence'] or 'not stated'}",
        f"- Table `{training['table']}`, SHA-256 `{training['sha256']}`",
        f"- {training['samples']} samples"
        + (f" in {training['families']} families" if training["families"] else "")
        + f", {100 * training['missing_rate']:.1f} % of the genotypes missing",
        f"- {m['trait']}: {_spread(training['phenotype_mean'], training['phenotype_sd'], unit)}",
        *(
            ["- Several rows of one line were averaged to one value per line (`--repeats mean`)"]
            if training.get("repeats")
            else []
        ),
        f"- Genotypes: {m['genotype_coding']}; the counted allele of each SNP is in `snps.parquet`",
        "",
        "## How well it predicts",
        "",
        f"Cross-validated on {scheme}; every figure is on samples that the fold's model did not "
        "see. A fold trains on the rest but one fold, which chooses its settings."
        + _CHOSEN.get(m["preset"]["name"], ""),
        "",
        "| fold | PCC | MAE | R² | epochs |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {f['fold']} | {shown(f['metrics']['pcc'])} | {shown(f['metrics']['mae'])} "
            f"| {shown(f['metrics']['r2'])} | {f['epochs']} |"
            for f in m["folds"]
        ),
        f"| **mean** | **{figure('pcc_mean')}** | {figure('mae_mean')} | {figure('r2_mean')} | |",
        "",
        f"- SD of PCC over folds: {figure('pcc_sd')}; all samples pooled: {figure('pcc_pooled')}",
    ]
    if figures.get("within_family_pcc_mean") is not None:
        lines.append(f"- PCC inside families, mean: {figure('within_family_pcc_mean')}")
    if figures.get("family_mean_pcc_mean") is not None:
        lines.append(
            f"- What family means alone reach on the same folds: {figure('family_mean_pcc_mean')}"
        )
    lines += card_lines(m)
    lines += evaluation_lines(m.get("evaluation"), f"network-{m['preset']['name']}")
    lines += _similarity(m)
    lines += [
        "",
        "## How it was trained",
        "",
        f"Preset `{m['preset']['name']}`: {m['preset']['description']}.",
    ]
    if m["preset"].get("network") == HIDDEN:
        lines += [
            "",
            "**The network learns from two teachers.** The SNPs with the largest squared ridge "
            "effects enter one hidden layer with a linear shortcut beside it. Each fold's network "
            "was trained on what a Gaussian-kernel regression and boosted trees, both of the "
            "fold's training rows, say in the mean of those rows and of virtual recombinants of "
            "them. The kernel's two numbers are those of the largest likelihood; the validation "
            "fold chose the shrinkage of the ridge and the number of trees. Contributions stay "
            "exact: see docs/methods.md.",
        ]
    elif m["preset"]["start"]["method"] == "ridge":
        again = m["preset"]["start"]["reweightings"]
        lines += [
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
    lines += [
        "",
        "## What it must not be used for",
        "",
        _other_populations(m),
        "- Files whose codes count another allele than this bundle's: the predictions would be "
        "wrong without looking wrong.",
        "- Causal claims. A large saliency or contribution marks a SNP that the model uses; "
        "linkage spreads one locus over its neighbours.",
        "- Decisions on single samples without their error: `predict --interval 0.9` gives it.",
        "",
        f"Seed {m['seed']}, created {m['created']} with "
        + ", ".join(f"{name} {version}" for name, version in m["software"].items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _spread(mean: float, sd: float, unit: str) -> str:
    """Mean and SD of the trait, in words where it was standardised before."""
    if abs(mean) < 0.005 and abs(sd - 1) < 0.005:
        return "standardised already (mean 0, SD 1)"
    digits = 2 if sd >= 0.1 else 2 - math.floor(math.log10(sd))
    return f"mean {shown(mean, digits)} {unit}, SD {shown(sd, digits)} {unit}"


def _other_populations(manifest: dict[str, Any]) -> str:
    if manifest["training"]["fold_scheme"] == "family":
        return (
            "- Samples from other populations than the training families: the folds left whole "
            "families out, but families of the same populations."
        )
    if manifest["training"]["families"]:
        return (
            "- Samples from other populations than the training families: random folds hold "
            "siblings of every sample that is predicted, a new family has none."
        )
    return (
        "- Samples from other populations than the training set: the held-out samples of the "
        "figures above are from the same population as those trained on."
    )


def _similarity(manifest: dict[str, Any]) -> list[str]:
    entry, unit = manifest.get("similarity"), manifest["unit"]
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
    for name, what in (("errors", tested.known), ("errors_new_families", tested.new)):
        errors = entry.get(name) or {}
        for part in ("flagged", "others") if errors else ():
            figures = errors[part]
            ratio = ""
            if part == "flagged" and errors["mae_ratio"] is not None:
                ratio = (
                    f"{errors['mae_ratio']:.2f} ({errors['mae_ratio_low']:.2f} to "
                    f"{errors['mae_ratio_high']:.2f})"
                )
            lines.append(
                f"| of {what} | {part} | {figures['n']} | {shown(figures['mae'])} "
                f"| {shown(figures['rmse'])} | {shown(figures['pcc'])} | {ratio} |"
            )
    return lines
