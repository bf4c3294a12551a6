"""What a run has found: one reading of its folds, then tables, plots and the bundle.

Written into the run folder: ``fold_pcc_summary.csv``, ``summary.json``, ``loss_curves.png``,
``saliency.csv`` (all SNPs), ``top_saliency_snps.csv``, ``avg_saliency_across_folds.png`` and
``predicted_observed.png``.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from snpredict.bundle.typed_json import as_json
from snpredict.files import write_file
from snpredict.terminal.tables import heading_table, show
from train.errors import IncompleteRun
from train.evaluation.differences import Difference
from train.evaluation.run_figures import cross_validated_metrics, pcc_table
from train.networks.presets import HIDDEN
from train.runs.destinations import check_bundle
from train.runs.folder import GBLUP, Run, compare_folder, fold_folder, read_run
from train.runs.left_out import read_left_out
from train.runs.settings import SETTINGS

TOP = 20


def summarize_run(
    path: Path, bundle: Path | None, console: Console, evaluation: Path | None = None
) -> None:
    """Write tables, plots and, when all folds are there, the bundle; print the fold table.

    Parameters
    ----------
    bundle : Path or None
        The bundle's folder; None for the one that the run was started with.
    evaluation : Path or None
        Folder of ``evaluate`` on the same data, whose figures enter the bundle.

    Raises
    ------
    IncompleteRun
        No fold is finished.
    TrainingTableError
        The evaluation is of other data.
    ParityError
        The exported models disagree: no bundle is written.
    """
    from train.evaluation.entry import evaluation_entry

    run = read_run(path)
    target = bundle or (Path(run.settings.bundle.out) if run.settings.bundle.out else None)
    if target is not None:
        check_bundle(target, path)
    evaluated = evaluation_entry(evaluation, run) if evaluation is not None else None
    others, gblup = _beside(path, console)
    rows = pcc_table(run, others, gblup)
    _write_csv(path / "fold_pcc_summary.csv", rows)
    figures = cross_validated_metrics(run)
    against = None if gblup is None else Difference.of(run, gblup)
    if against is not None:
        figures |= against.figures()
    left_out, unfinished = None, None
    try:
        left_out = read_left_out(run)
    except IncompleteRun as error:
        unfinished = error.message
    if left_out is not None:
        figures |= left_out.figures()
        console.print(_in_new_families(figures), soft_wrap=True)
    _write_summary(run, figures)
    _print_table(console, rows, run)
    for sentence in _differences(run, others, against):
        console.print(sentence, soft_wrap=True)
    _plot(run)
    if run.has("saliency.npz"):
        _rank_snps(run)
    if run.attributions:
        _write_attributions(run)
    console.print(f"summary, tables and plots: {path}", soft_wrap=True)
    why_not = _no_bundle(run, unfinished)
    if why_not or target is None:
        console.print(why_not or "no bundle: name one with --out", soft_wrap=True)
        return
    from train.bundle.assemble import assemble_bundle

    info = run.data_folder.snp_info
    assemble_bundle(run, target, figures, info, console, left_out, evaluated)
    console.print(f"bundle: {target}", soft_wrap=True)


def _write_summary(run: Run, figures: dict[str, float | None]) -> None:
    summary = {
        "folds": run.folds,
        "metrics": figures,
        "settings": as_json(run.settings),
        "table_sha256": run.data.sha256,
    }
    text = json.dumps(summary, indent=1) + "\n"
    (run.path / "summary.json").write_text(text, encoding="utf-8")


def _beside(path: Path, console: Console) -> tuple[list[Run], Run | None]:
    """The runs on other tables and that of GBLUP, as far as they have a finished fold."""

    def read(folder: str) -> Run | None:
        if not (path / folder / SETTINGS).exists():
            return None
        try:
            return read_run(path / folder)
        except IncompleteRun as error:
            console.print(f"no comparison yet: {error.message}", soft_wrap=True)
            return None

    names = [compare_folder(number) for number in range(1, 1 + len(list(path.glob("compare*"))))]
    others = [run for run in map(read, names) if run is not None]
    return others, read(GBLUP)


def _differences(run: Run, others: Sequence[Run], against: Difference | None) -> list[str]:
    """What other tables and GBLUP do to the PCC on the same folds, in a sentence each."""
    found = [(Difference.of(run, each), run.data.source, each.data.source) for each in others]
    found.append((against, "this model", "GBLUP"))
    return [one.sentence(us, them) for one, us, them in found if one is not None]


def _no_bundle(run: Run, unfinished: str | None) -> str:
    """Why a run has no bundle (yet); empty where it can have one."""
    if run.settings.control is not None:
        return "no bundle: a control's model predicts nothing on purpose"
    if not run.is_complete:
        missing = sorted(set(range(1, run.settings.n_folds + 1)) - set(run.folds))
        return (
            f"no bundle yet: folds {', '.join(map(str, missing))} are not finished "
            "(run the same command without --fold, or summarize again)"
        )
    if unfinished is not None:
        return f"no bundle yet: {unfinished} (run the same command again)"
    if not run.has("model.onnx"):
        return f"no bundle: the model {run.settings.model} writes no ONNX file"
    return ""


def _plot(run: Run) -> None:
    """Loss curves of a model that has epochs, and predictions against phenotypes."""
    from train.plots import loss_curves, predicted_against_observed

    path, preset = run.path, run.settings.preset
    if preset is not None:
        histories = {
            fold: read_history(fold_folder(path, fold) / "history.csv", preset.network == HIDDEN)
            for fold in run.folds
        }
        has_dropout = getattr(preset.architecture, "dropout", 0) > 0
        loss_curves(histories, run.settings.unit, path / "loss_curves.png", has_dropout)
    test_rows = np.concatenate(run.rows)
    name = f"model {run.settings.model}" if preset is None else f"preset {preset.name}"
    predicted_against_observed(
        np.concatenate(run.predicted),
        run.data.phenotype[test_rows],
        run.settings.unit,
        f"{run.settings.trait}, {name}, out of fold",
        path / "predicted_observed.png",
    )


def _rank_snps(run: Run) -> None:
    """The SNPs by saliency, as tables and along the genome."""
    from train.plots import saliency_along_genome

    path = run.path
    mean, centered = run.over_samples(run.saliency), run.over_samples(run.centered)
    order = np.argsort(-mean, kind="stable")
    ranked = [[run.data.snps[i], f"{mean[i]:.8g}", f"{centered[i]:.8g}"] for i in order]
    header = ["SNP", "saliency", "centered_saliency"]
    _write_csv(path / "saliency.csv", [header, *ranked])
    _write_csv(path / "top_saliency_snps.csv", [header[:2], *(row[:2] for row in ranked[:TOP])])
    saliency_along_genome(
        run.data.snps,
        mean,
        run.data_folder.snp_info.chromosome,
        run.data_folder.snp_info.position,
        f"{run.settings.trait}: how strongly predictions react to each SNP "
        f"({sum(map(len, run.rows)):,} test samples, {len(run.folds)} folds)",
        path / "avg_saliency_across_folds.png",
    )


def _write_attributions(run: Run) -> None:
    """``attribution.tsv``: every method's scores, which ``gwas --compare`` draws below a GWAS."""
    info, scores = run.data_folder.snp_info, run.attributions
    rows = [["snp", "chromosome", "position", *scores]]
    for at, snp in enumerate(run.data.snps):
        place = [info.chromosome[at] or "", str(info.position[at] or "")]
        rows.append([snp, *place, *(f"{values[at]:.8g}" for values in scores.values())])
    text = "".join("\t".join(row) + "\n" for row in rows)
    write_file(text.encode(), run.path / "attribution.tsv")


def _in_new_families(figures: dict[str, float | None]) -> str:
    pooled, inside = (
        figures[f"new_families_{name}"] for name in ("pcc_pooled", "within_family_pcc_mean")
    )
    shown = ["not available" if v is None else f"{v:.4f}" for v in (pooled, inside)]
    return f"families left out: pooled pcc {shown[0]}, mean pcc inside a family {shown[1]}"


def read_history(path: Path, taught: bool) -> dict[str, np.ndarray]:
    """Columns of a fold's ``history.csv``, see `train.runs.history`.

    Of a taught network's history in which one ``mae`` was all, it is the distance to the lessons.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    if taught and "lesson_mae" not in columns:
        columns["lesson_mae"] = columns.pop("mae")
    return columns


def _figure(value: float, digits: int) -> str:
    """That many decimals, or significant digits of what is too small or too large for them."""
    fits = value == 0 or 10 ** (1 - digits) <= abs(value) < 10 ** (2 * digits)
    return f"{value:.{digits}f}" if fits else f"{value:.{digits}g}"


def _write_csv(path: Path, rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [[_figure(x, 6) if isinstance(x, float) else x for x in row] for row in rows]
        )


def _print_table(console: Console, rows: list[list[Any]], run: Run) -> None:
    headings = [*map(str, rows[0]), "epochs", "seconds"]
    table = heading_table(*headings, right=range(1, len(headings)))
    by_fold = {r["fold"]: r for r in run.results}
    for row in rows[1:]:
        result = by_fold.get(row[0])
        cells = [_figure(x, 4) if isinstance(x, float) else str(x) for x in row]
        tail = [str(result.get("epochs", "")), f"{result['seconds']:.0f}"] if result else ["", ""]
        table.add_row(*cells, *tail, style="bold" if row[0] == "mean" else None)
    show(console, table, way_out="the tables of the run")
