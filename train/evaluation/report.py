"""The report of an evaluation, made from the files on disk alone.

Written into the folder: ``report.md``, ``metrics.csv`` (every figure with its interval),
``predictions.parquet`` (every out-of-fold prediction) and one ``predicted-TRAIT.png`` per trait.
"""

import csv
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from snpredict.files import write_file
from train.evaluation.figures import SCHEME_TITLES, Evaluation, read_evaluation
from train.evaluation.markdown import ahead, figures_of, markdown, mask_warning, plotted, title
from train.runs.data_folder import file_name


def write_report(folder: Path, console: Console, path: Path | None = None) -> Path:
    """Write the report, its tables and its plots; also to ``path`` when it is given.

    Raises
    ------
    IncompleteRun
        Nothing is finished.
    """
    found = read_evaluation(folder)
    _write_metrics(found)
    _write_predictions(found)
    plots = _plot(found)
    _write_text(folder / "report.md", markdown(found, {t: p.name for t, p in plots.items()}))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        names = {}
        for trait, plot in plots.items():
            names[trait] = f"{path.stem}-{file_name(trait)}.png"
            shutil.copyfile(plot, path.with_name(names[trait]))
        _write_text(path, markdown(found, names))
    if text := mask_warning(found, list(found.settings.traits)):
        console.print(f"warning: {text}", soft_wrap=True)
    console.print(f"report: {path or folder / 'report.md'}", soft_wrap=True)
    return folder / "report.md"


def _write_text(path: Path, text: str) -> None:
    write_file(text.encode(), path)


def _plot(found: Evaluation) -> dict[str, Path]:
    from train.plots import predicted_against_observed

    plots = {}
    for trait in found.settings.traits:
        if not any(key[0] == trait for key in found.scores):
            continue
        scheme, model = plotted(found, trait)
        mine = found.scores[trait, scheme, model]
        plots[trait] = found.folder / f"predicted-{file_name(trait)}.png"
        predicted_against_observed(
            np.concatenate(mine.predicted),
            np.concatenate(mine.observed),
            found.settings.units.get(trait, "trait units"),
            f"{trait}: {title(model)}, {SCHEME_TITLES[scheme]}",
            plots[trait],
        )
    return plots


def _write_metrics(found: Evaluation) -> None:
    seed = found.settings.seed
    header = ["trait", "scheme", "model", "figure", "value", "low", "high", "folds"]
    rows: list[list[Any]] = []
    for (trait, scheme, model), mine in found.scores.items():
        first = [trait, scheme, model]
        for name, _, _ in figures_of(found, trait):
            x = mine.figure(name, seed)
            rows.append([*first, name, x.value, x.low, x.high, len(mine.folds)])
        rows.append(
            [
                *first,
                "within_by_fold",
                float(mine.by_fold["within"].mean()),
                "",
                "",
                len(mine.folds),
            ]
        )
        for name in ("pcc", "within"):
            x = ahead(found, trait, scheme, model, name)
            if math.isfinite(x.value):
                rows.append([*first, f"{name}ahead", x.value, x.low, x.high, len(mine.folds)])
        rows += [
            [*first, f"pcc_fold_{fold:02d}", float(value), "", "", 1]
            for fold, value in zip(mine.folds, mine.by_fold["pcc"], strict=True)
        ]
        rows.append([*first, "seconds_per_fold", mine.seconds, "", "", len(mine.folds)])
    with (found.folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [header, *([f"{x:.6g}" if isinstance(x, float) else x for x in row] for row in rows)]
        )


def _write_predictions(found: Evaluation) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for (trait, scheme, model), mine in found.scores.items():
        rows = np.concatenate(mine.rows)
        fold = np.repeat(mine.folds, [len(r) for r in mine.rows]).astype(np.int16)

        def repeated(text: str, n: int = len(rows)) -> Any:
            return pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), [text])

        tables.append(
            pa.table(
                {
                    "trait": repeated(trait),
                    "scheme": repeated(scheme),
                    "model": repeated(model),
                    "fold": fold,
                    "sample": found.samples[rows].tolist(),
                    "family": found.families[rows].tolist(),
                    "observed": np.concatenate(mine.observed),
                    "predicted": np.concatenate(mine.predicted),
                }
            )
        )
    pq.write_table(pa.concat_tables(tables), found.folder / "predictions.parquet")
