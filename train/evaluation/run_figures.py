"""The figures of one run: over its folds, and inside families."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from snpredict.bundle.manifest import BINARY
from train.data.folds import split
from train.metrics import BINARY_FIGURES, pearson, within_group_pearson
from train.runs.folder import Run


def cross_validated_metrics(run: Run) -> dict[str, float | None]:
    """Figures over the finished folds; None where a figure does not exist.

    ``pcc_pooled`` correlates all test samples at once; ``within_family_pcc_mean`` is the mean
    over folds of the PCC inside families (families of five test samples or more, weighted by
    size); ``family_mean_pcc_mean`` is what the training means of the families alone predict.
    Traits of 0 and 1 have ``auc``, ``average_precision`` and ``brier`` besides; a fold with one of
    the two classes alone has no part in the means of the former two.
    """
    y = run.data.phenotype
    figures: dict[str, float | None] = {}
    binary = BINARY_FIGURES if run.settings.task == BINARY else ()
    for name in ("pcc", "mae", "mse", "r2", *binary):
        values = np.array([result["metrics"].get(name) for result in run.results], float)
        if name in binary:
            values = values[np.isfinite(values)]
        figures[f"{name}_mean"] = _finite(values.mean()) if len(values) else None
        if name in ("pcc", "auc"):
            figures[f"{name}_sd"] = _finite(values.std(ddof=1)) if len(values) > 1 else None
    rows, predicted = np.concatenate(run.rows), np.concatenate(run.predicted)
    figures["pcc_pooled"] = _finite(pearson(predicted, y[rows]))
    figures["within_family_pcc_mean"] = figures["family_mean_pcc_mean"] = None
    if run.data.families is not None:
        families = np.array(run.data.families)
        inside = [
            within_group_pearson(p, y[r], families[r])
            for r, p in zip(run.rows, run.predicted, strict=True)
        ]
        figures["within_family_pcc_mean"] = _finite(np.mean(inside))
        if run.settings.scheme != "family":
            figures["family_mean_pcc_mean"] = _finite(
                np.mean([_family_mean_pcc(run, families, fold) for fold in run.folds])
            )
    return figures


def _family_mean_pcc(run: Run, families: np.ndarray, fold: int) -> float:
    parts = split(run.fold_of, fold, run.settings.seed)
    y = run.data.phenotype
    overall = y[parts.train].mean()
    means = {
        family: y[parts.train][families[parts.train] == family].mean()
        for family in np.unique(families[parts.train])
    }
    predicted = np.array([means.get(family, overall) for family in families[parts.test]])
    return pearson(predicted, y[parts.test])


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


#: What tables are called that gaps do not tell apart.
_ORDER = ("first", "second", "third")


def _label(run: Run) -> str:
    """``imputed`` for a table without gaps, else ``non_imputed``: the paper's two words."""
    return "non_imputed" if np.any(run.data.codes == -1) else "imputed"


def pcc_table(run: Run, others: Sequence[Run] = (), gblup: Run | None = None) -> list[list[Any]]:
    """Rows of ``fold_pcc_summary.csv``: a header, a row per fold, mean and SD.

    One run has columns pcc, mae, mse and r2, of a trait of 0 and 1 auc, average_precision, brier
    and pcc; a comparison has the PCC of each table, called
    ``pcc_imputed`` and ``pcc_non_imputed``, or by their order where these do not tell them apart.
    Behind them stands ``pcc_gblup``.
    """
    names = ("pcc", "mae", "mse", "r2")
    if run.settings.task == BINARY:
        names = (*BINARY_FIGURES, "pcc")
    columns = [(name, run, name) for name in names]
    if others:
        runs = [run, *others]
        labels = [_label(each) for each in runs]
        if len(set(labels)) < len(runs):
            labels = [_ORDER[at] if at < len(_ORDER) else str(at + 1) for at in range(len(runs))]
        columns = [(f"pcc_{label}", each, "pcc") for label, each in zip(labels, runs, strict=True)]
    if gblup is not None:
        columns.append(("pcc_gblup", gblup, "pcc"))
    by_fold = [({r["fold"]: r["metrics"] for r in each.results}, name) for _, each, name in columns]
    table: list[list[Any]] = [["fold", *(title for title, _, _ in columns)]]
    for fold in sorted(set().union(*(results for results, _ in by_fold))):
        cells = [results.get(fold, {}).get(name) for results, name in by_fold]
        table.append([fold, *(float("nan") if cell is None else cell for cell in cells)])
    values = np.array([row[1:] for row in table[1:]], float)
    # Over the folds that both tables have: means of different folds are not comparable.
    shared = values[np.isfinite(values).all(axis=1)]
    table.append(["mean", *(shared.mean(axis=0) if len(shared) else values[0] * np.nan)])
    if len(shared) > 1:
        table.append(["sd", *shared.std(axis=0, ddof=1)])
    return table
