"""The text of an evaluation's report, Markdown."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from train.data.controls import CONTROLS
from train.evaluation.command_line import told
from train.evaluation.figures import SCHEME_TITLES, Evaluation, Interval, mean_interval
from train.evaluation.fits import REFIT
from train.registry import BASELINES, REFERENCE

#: Mean PCC of the missing mask above which the report says what it means.
MASK_WARNS_AT = 0.2

#: Name in `metrics.csv`, heading, decimals.
FIGURES = (
    ("pcc", "mean PCC", 3),
    ("pcc_pooled", "pooled PCC", 3),
    ("within", "within families", 3),
    ("mae", "MAE", 3),
    ("r2", "R²", 3),
    ("slope", "slope", 2),
    ("top10", "top 10 %", 2),
)


#: Of a trait of 0 and 1 as well.
BINARY_FIGURES = (
    ("auc", "AUC", 3),
    ("average_precision", "average precision", 3),
    ("brier", "Brier score", 3),
)


def figures_of(found: Evaluation, trait: str) -> tuple[tuple[str, str, int], ...]:
    """The figures of a trait."""
    return FIGURES + BINARY_FIGURES if trait in found.settings.binary else FIGURES


def title(model: str) -> str:
    """A model's name for people."""
    base = model.removesuffix(REFIT)
    named = BASELINES[base].title if base in BASELINES else base.replace("network-", "network, ")
    return f"{named}, refit" if model.endswith(REFIT) else named


def _reference(model: str) -> str:
    """What a model is compared with: GBLUP on the same number of rows."""
    return REFERENCE + REFIT if model.endswith(REFIT) else REFERENCE


def ahead(found: Evaluation, trait: str, scheme: str, model: str, name: str) -> Interval:
    """Paired difference of a figure to `REFERENCE` on the same folds; NaN without one."""
    reference = found.scores.get((trait, scheme, _reference(model)))
    mine = found.scores.get((trait, scheme, model))
    if reference is None or mine is None or model == _reference(model):
        return Interval(math.nan)
    return mine.ahead_of(reference, name, found.settings.seed)


def markdown(found: Evaluation, plots: dict[str, str]) -> str:
    """The whole report; ``plots`` has the file name of each trait's picture."""
    settings = found.settings
    lines = [f"# Evaluation: {', '.join(settings.traits)}", ""]
    lines += _provenance(found)
    lines += _explanation(found)
    lines += _mean_over_traits(found)
    lines += _against_the_best(found)
    for trait in settings.traits:
        lines += _trait_section(found, trait, plots.get(trait))
    lines += _control_section(found)
    return "\n".join(lines).rstrip("\n") + "\n"


def _provenance(found: Evaluation) -> list[str]:
    s = found.settings
    lines = [
        *told(found.commands, found.fits_by),
        f"- {found.n_fits} fits, {_duration(found.fit_seconds)} if one follows the other; "
        f"threads of a fit: {', '.join(map(str, found.threads))}",
    ]
    tables = f"`{s.table}` (SHA-256 `{s.table_sha256[:16]}…`)"
    if s.phenotypes and s.phenotypes_sha256:
        tables += f", `{s.phenotypes}` (SHA-256 `{s.phenotypes_sha256[:16]}…`)"
    versions = ", ".join(f"{name} {v}" for name, v in s.software.items())
    return [
        *lines,
        f"- data: {tables}; {s.n_samples} samples × {s.n_snps} SNPs, "
        f"{100 * s.missing:.1f} % missing; {s.n_families} families from {s.families}; "
        f"digest `{s.data_digest[:16]}…`",
        f"- seed {s.seed}; {versions}",
        "",
    ]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds > 2 * 3600:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 60:.0f} min"


def _explanation(found: Evaluation) -> list[str]:
    n = {scheme: found.settings.schemes[scheme] for scheme in found.schemes}
    meaning = {
        "given": "the folds of the table's column",
        "random": "samples dealt at random",
        "family": "every family whole in one fold, so that the tested families were never seen",
    }
    lines = ["## How to read this", ""]
    lines += [f"- **{SCHEME_TITLES[s]}**: {meaning[s]} ({n[s]} folds)." for s in found.schemes]
    lines += [
        "- A fold is tested by models that trained on all folds but it and the next one; on that "
        "next one, the validation fold, they chose their settings or stopped. No model is "
        "fitted to its test samples.",
        *_about_options(found),
        *(
            [
                "- The preset `default` was chosen by looking at test figures of the given folds "
                "of the SoyNAM data (docs/experiments.md): on these folds its figures may be a "
                "little too good. Random folds had no part in the choice."
            ]
            if "network-default" in found.models
            else []
        ),
        "- **mean PCC**: Pearson's correlation of predicted and observed in each fold, mean over "
        "folds. **pooled PCC**: of all folds' samples together. **within families**: the "
        "correlation inside each family (five samples or more) over its out-of-fold predictions, "
        "as deviations from the family's mean in each fold; mean over families. **slope**: of "
        "observed on predicted, 1 being right and less meaning "
        "that differences are overstated. **top 10 %**: part of a fold's best tenth that is in its "
        "predicted best tenth; chance is 0.10.",
        "- In brackets: 95 % bootstrap intervals over folds, for within families over families. "
        "Folds share most of their training samples and are few, so that these intervals are "
        "rather too short.",
        f"- **Δ**: paired difference to {title(REFERENCE)} on the same folds or families, "
        "with its interval. An interval that holds 0 is a tie.",
    ]
    if any(model.endswith(REFIT) for model in found.models):
        lines.append(
            "- **refit**: fitted again on training and validation samples with the settings "
            "chosen before, and compared with GBLUP, refit. A network has no such row, because it "
            "needs the validation fold to choose or to stop; the rows without refit are those that "
            "saw the same samples as the network."
        )
    lines += [""]
    used = dict.fromkeys(model.removesuffix(REFIT) for model in found.models)
    lines += [f"- *{title(m)}*: {BASELINES[m].about}." for m in used if m in BASELINES]
    return [*lines, ""]


def _about_options(found: Evaluation) -> list[str]:
    """What is to be said where there are covariates, filters, or traits of 0 and 1."""
    names = ", ".join(covariate.name for covariate in found.settings.covariates)
    about = f"- Covariates, for the models that use them: {names}."
    lines = [about] if names else []
    if found.settings.filters.active:
        lines.append(
            f"- SNPs inside each fold's training rows, for all models: {found.settings.filters}."
        )
    if not found.settings.binary:
        return lines
    return [
        *lines,
        f"- Traits of 0 and 1: {', '.join(found.settings.binary)}. **AUC**: chance that a sample "
        "of 1 is predicted above one of 0, 0.5 being none. **average precision**: the share of 1 "
        "is what no knowledge gives. **Brier score**: mean squared error of the probabilities.",
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"| {' | '.join('---' for _ in header)} |",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def _best(values: dict[str, float]) -> set[str]:
    """Names of the highest value to three decimals."""
    finite = {name: round(value, 3) for name, value in values.items() if math.isfinite(value)}
    return {name for name, value in finite.items() if value == max(finite.values())}


def _bold(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text


def _mean_over_traits(found: Evaluation) -> list[str]:
    """Means over traits: models × schemes, with the paired difference over folds."""
    traits = list(found.settings.traits)
    if len(traits) < 2:
        return []
    seed = found.settings.seed
    header, columns = ["model"], []
    for scheme in found.schemes:
        header += [f"{SCHEME_TITLES[scheme]}: mean PCC", "Δ", "within families"]
        values: dict[str, tuple[float, str, float]] = {}
        for model in found.models:
            cells = [found.scores.get((t, scheme, model)) for t in traits]
            complete = [cell for cell in cells if cell is not None]
            if len(complete) < len(traits) or len({tuple(c.folds) for c in complete}) > 1:
                continue
            pcc = float(np.mean([c.figure("pcc", seed).value for c in complete]))
            inside = float(np.mean([c.figure("within", seed).value for c in complete]))
            references = [found.scores.get((t, scheme, _reference(model))) for t in traits]
            delta = Interval(math.nan)
            if model != _reference(model) and all(
                r is not None and r.folds == complete[0].folds for r in references
            ):
                by_fold = np.mean(
                    [
                        c.by_fold["pcc"] - r.by_fold["pcc"]
                        for c, r in zip(complete, references, strict=True)
                        if r is not None
                    ],
                    axis=0,
                )
                delta = mean_interval(by_fold, seed)
            values[model] = (pcc, delta.text(signed=True), inside)
        columns.append(values)
    rows = []
    best = [
        (
            _best({m: v[0] for m, v in values.items()}),
            _best({m: v[2] for m, v in values.items()}),
        )
        for values in columns
    ]
    for model in found.models:
        row = [title(model)]
        for values, (best_pcc, best_inside) in zip(columns, best, strict=True):
            pcc, delta_text, inside = values.get(model, (math.nan, "–", math.nan))
            row += [
                _bold(Interval(pcc).text(), model in best_pcc),
                delta_text,
                _bold(Interval(inside).text(), model in best_inside),
            ]
        rows.append(row)
    return ["## Mean over the traits", "", *_table(header, rows)]


def _against_the_best(found: Evaluation) -> list[str]:
    """Every network against the baseline that is best for the trait, paired."""
    seed = found.settings.seed
    baselines = [m for m in found.models if m in BASELINES]
    lines: list[str] = []
    for network in (m for m in found.models if m.removesuffix(REFIT) not in BASELINES):
        rows = []
        for trait, scheme in product(found.settings.traits, found.schemes):
            mine = found.scores.get((trait, scheme, network))
            if mine is None:
                continue
            # A mean over other folds is no rival.
            rivals = {
                m: rival
                for m in baselines
                if (rival := found.scores.get((trait, scheme, m))) and rival.folds == mine.folds
            }
            for name, heading in (("pcc", "mean PCC"), ("within", "within families")):
                figures = {m: rival.figure(name, seed).value for m, rival in rivals.items()}
                figures = {m: value for m, value in figures.items() if math.isfinite(value)}
                if not figures:
                    continue
                best = max(figures, key=lambda m: figures[m])
                delta = mine.ahead_of(rivals[best], name, seed)
                rows.append(
                    [
                        trait,
                        SCHEME_TITLES[scheme],
                        heading,
                        Interval(mine.figure(name, seed).value).text(),
                        f"{title(best)} {Interval(figures[best]).text()}",
                        delta.text(signed=True),
                        _verdict(delta),
                    ]
                )
        header = ["trait", "folds", "figure", title(network), "best baseline", "Δ", ""]
        lines += _table(header, rows)
    if not lines:
        return []
    about = "The best baseline of each row is picked by its test figure, which favours it."
    return ["## Networks against the best baseline", "", about, "", *lines]


def _verdict(delta: Interval) -> str:
    if math.isnan(delta.low):
        return "not told: no interval"
    if delta.low > 0:
        return "ahead"
    return "behind" if delta.high < 0 else "tie"


def _trait_section(found: Evaluation, trait: str, plot: str | None) -> list[str]:
    seed = found.settings.seed
    unit = found.settings.units.get(trait, "")
    lines = [f"## {trait}{f' ({unit})' if unit else ''}", ""]
    header, best = ["model"], {}
    for scheme in found.schemes:
        header += [f"{SCHEME_TITLES[scheme]}: mean PCC", "Δ", "within families", "Δ within"]
        for name in ("pcc", "within"):
            best[scheme, name] = _best(
                {
                    model: found.scores[trait, scheme, model].figure(name, seed).value
                    for model in found.models
                    if (trait, scheme, model) in found.scores
                }
            )
    rows = []
    for model in found.models:
        row = [title(model)]
        for scheme in found.schemes:
            mine = found.scores.get((trait, scheme, model))
            for name in ("pcc", "within"):
                shown = mine.figure(name, seed).text() if mine is not None else "–"
                row.append(_bold(shown, model in best[scheme, name]))
                row.append(ahead(found, trait, scheme, model, name).text(signed=True))
        rows.append(row)
    lines += _table(header, rows)
    if warning := mask_warning(found, [trait]):
        lines += [f"**Note:** {warning}", ""]
    if plot is not None:
        scheme, model = plotted(found, trait)
        lines += [
            f"![{trait}, predicted against observed]({plot})",
            "",
            f"{title(model)}, {SCHEME_TITLES[scheme]}, out of fold; the darker, the more lines.",
            "",
        ]
    for scheme in found.schemes:
        lines += _details(found, trait, scheme)
    return lines


def _details(found: Evaluation, trait: str, scheme: str) -> list[str]:
    seed = found.settings.seed
    models = [m for m in found.models if (trait, scheme, m) in found.scores]
    if not models:
        return []
    figures = [f for f in figures_of(found, trait) if f[0] not in ("pcc", "within")]
    header = ["model", *(heading for _, heading, _ in figures), "PCC per fold", "seconds per fold"]
    rows = []
    for model in models:
        mine = found.scores[trait, scheme, model]
        by_fold = " ".join(
            f"{value:.3f}".replace("-", "−") if math.isfinite(value) else "–"
            for value in mine.by_fold["pcc"]
        )
        rows.append(
            [
                title(model),
                *(mine.figure(name, seed).text(decimals) for name, _, decimals in figures),
                by_fold,
                "with the above" if model.endswith(REFIT) else f"{mine.seconds:.1f}",
            ]
        )
    folds = {tuple(found.scores[trait, scheme, m].folds) for m in models}
    n_folds = found.settings.schemes[scheme]
    lines = [f"### {trait}, {SCHEME_TITLES[scheme]}", ""]
    if len(folds) > 1:
        lines += ["Not all models have the same folds yet: compare Δ, not the means.", ""]
    elif len(next(iter(folds))) < n_folds:
        numbers = ", ".join(map(str, next(iter(folds))))
        lines += [f"Folds {numbers} of {n_folds} alone: intervals over so few say little.", ""]
    return [*lines, *_table(header, rows)]


def mask_warning(found: Evaluation, traits: list[str]) -> str:
    """In words, what it means that the missing mask alone predicts; empty where it does not."""
    reached = []
    for trait in traits:
        for scheme in ("given", "random"):
            mine = found.scores.get((trait, scheme, "missing-mask"))
            pcc = mine.figure("pcc", found.settings.seed).value if mine is not None else 0.0
            if pcc > MASK_WARNS_AT:
                reached.append(f"{pcc:.2f} ({trait}, {SCHEME_TITLES[scheme]})")
    if not reached:
        return ""
    return (
        "the pattern of missing genotypes identifies families. It alone reaches a PCC of "
        f"{', '.join(reached)}, so that part of every model's PCC there is knowing the family, "
        "which a model with a missing channel gets for nothing. Judge by the figures within "
        "families and with families left out, and expect less on samples that were genotyped "
        "otherwise."
    )


def _control_section(found: Evaluation) -> list[str]:
    if not found.controls:
        return []
    lines = [
        "## Controls",
        "",
        "Phenotypes without signal: mean PCC over folds ± standard error (standard deviation over "
        "seeds by the square root of their number). Shuffled phenotypes must give 0 under every "
        "scheme; one random value per family must give 0 when families are left out, and is "
        "predicted well where siblings were seen, which is what knowing the family is worth.",
        "",
    ]
    schemes = [s for s in SCHEME_TITLES if any(key[1] == s for key in found.controls)]
    names = [c for c in CONTROLS if any(key[0] == c for key in found.controls)]
    header = ["model", "seeds", *(f"{c}: {SCHEME_TITLES[s]}" for c in names for s in schemes)]
    rows = []
    for model in found.models:
        cells, seeds = [], 0
        for control in names:
            for scheme in schemes:
                values = found.controls.get((control, scheme, model))
                if values is None:
                    cells.append("–")
                    continue
                seeds = max(seeds, len(values))
                text = f"{values.mean():+.3f}".replace("-", "−")
                if len(values) > 1:
                    text += f" ± {values.std(ddof=1) / math.sqrt(len(values)):.3f}"
                n_folds = found.control_folds[control, scheme, model]
                if n_folds < found.settings.schemes[scheme]:
                    text += f" ({n_folds} fold{'s' * (n_folds > 1)})"
                cells.append(text)
        if seeds:
            rows.append([title(model), str(seeds), *cells])
    return [*lines, *_table(header, rows)]


def plotted(found: Evaluation, trait: str) -> tuple[str, str]:
    """Scheme and model of the plot: the first scheme's network, or its best model."""
    scheme = next(s for s in found.schemes if any(k[:2] == (trait, s) for k in found.scores))
    seed = found.settings.seed
    values = {
        model: found.scores[trait, scheme, model].figure("pcc", seed).value
        for model in found.models
        if (trait, scheme, model) in found.scores
    }
    networks = {m: v for m, v in values.items() if m.removesuffix(REFIT) not in BASELINES}
    candidates = networks or values
    return scheme, max(
        candidates, key=lambda m: candidates[m] if math.isfinite(candidates[m]) else -2.0
    )
