"""The pictures of a run: losses per fold, saliency along the genome, predicted against observed."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

_DARK, _LIGHT, _ACCENT = "#1f4e79", "#8fb3d9", "#c0392b"


def loss_curves(
    histories: dict[int, dict[str, np.ndarray]], unit: str, path: Path, dropout: bool = False
) -> None:
    """Distance to the phenotypes of training and validation rows by epoch, a panel per fold.

    A taught network learns lessons, not phenotypes: its distance to them is another measure and
    has a panel of its own, the last one, with a line per fold.

    Parameters
    ----------
    histories : dict
        Fold → columns of its ``history.csv``, see `train.runs.history`.
    dropout : bool
        Whether the training rows' error was measured with dropout, which makes it larger.
    """
    taught = {f: h for f, h in sorted(histories.items()) if "lesson_mae" in h}
    n_panels = len(histories) + bool(taught)
    columns = min(5, n_panels)
    rows = -(-n_panels // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.6 * columns, 2.3 * rows), squeeze=False, sharex=True
    )
    for axis in axes.flat:
        axis.tick_params(labelsize=7, labelbottom=True)
    for axis in axes.flat[n_panels:]:
        axis.set_visible(False)
    label = "training rows, with dropout" if dropout else "training rows"
    for axis, (fold, history) in zip(axes.flat, sorted(histories.items()), strict=False):
        line = "." if len(history["epoch"]) == 1 else "-"
        if "mae" in history:
            axis.plot(history["epoch"], history["mae"], line, color=_LIGHT, label=label)
        axis.plot(history["epoch"], history["val_mae"], color=_DARK, label="validation rows")
        best = int(np.argmin(history["val_mae"]))
        axis.plot(
            *(history["epoch"][best], history["val_mae"][best], "o"),
            color=_ACCENT,
            ms=4,
            label="lowest",
        )
        axis.set_title(f"fold {fold}: phenotypes", fontsize=9)
    folds = axes.flat[: len(histories)]
    limits = [axis.get_ylim() for axis in folds]
    for axis in folds:
        axis.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    axes[0, 0].legend(fontsize=7, frameon=False)
    if taught:
        axis = axes.flat[len(histories)]
        for history in taught.values():
            axis.plot(history["epoch"], history["lesson_mae"], color=_ACCENT, lw=0.8)
        axis.set_title("all folds: lessons (own scale)", fontsize=8)
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel(f"mean absolute error ({unit})", fontsize=9)
    _save(figure, path)


def saliency_along_genome(
    names: Sequence[str],
    saliency: np.ndarray,
    chromosome: Sequence[str | None],
    title: str,
    path: Path,
    n_named: int = 8,
) -> None:
    """Mean saliency of every SNP in model order, chromosomes marked, the top SNPs named."""
    figure, axis = plt.subplots(figsize=(11, 4))
    x = np.arange(len(saliency))
    labels = np.array([c or "" for c in chromosome], dtype=object).astype(str)
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    ends = np.r_[starts[1:], len(x)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        color = _DARK if number % 2 == 0 else _LIGHT
        axis.scatter(x[start:end], saliency[start:end], s=7, color=color, linewidths=0)
    if len(starts) <= 60 and labels[0]:
        axis.set_xticks((starts + ends) / 2, labels[starts], fontsize=7, rotation=45)
        axis.set_xlabel("chromosome")
    else:
        axis.set_xlabel("SNP, in model order")

    # Names would overprint each other: a SNP stays unnamed beside a stronger one.
    named: list[int] = []
    for candidate in np.argsort(-saliency, kind="stable"):
        if all(
            abs(candidate - other) > 0.13 * len(x)
            or (
                abs(candidate - other) > 0.02 * len(x)
                and abs(saliency[candidate] - saliency[other]) > 0.05 * saliency.max()
            )
            for other in named
        ):
            named.append(int(candidate))
        if len(named) == n_named:
            break
    axis.scatter(x[named], saliency[named], s=22, color=_ACCENT, zorder=3)
    for number in named:
        right = number > 0.97 * len(x)
        axis.annotate(
            names[number],
            (x[number], saliency[number]),
            xytext=(-5 if right else 5, 3),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7,
        )
    axis.set_xlim(-0.01 * len(x), 1.01 * len(x))
    axis.set_ylim(0, float(saliency.max()) * 1.1)
    axis.set_ylabel("mean saliency (SD of the trait)")
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def predicted_against_observed(
    predicted: np.ndarray,
    observed: np.ndarray,
    families: Sequence[str] | None,
    unit: str,
    title: str,
    path: Path,
) -> None:
    """Out-of-fold predictions of all samples, coloured by family where there are families."""
    figure, axis = plt.subplots(figsize=(5.2, 5))
    colors = np.unique(families, return_inverse=True)[1] if families else _DARK
    palette = "tab20" if families else None
    axis.scatter(observed, predicted, c=colors, cmap=palette, s=6, alpha=0.6, linewidths=0)
    low, high = min(observed.min(), predicted.min()), max(observed.max(), predicted.max())
    axis.plot([low, high], [low, high], color="black", lw=0.8)
    axis.set_xlabel(f"observed ({unit})")
    axis.set_ylabel(f"predicted, out of fold ({unit})")
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    # No date in the file: the same run draws the same bytes.
    figure.savefig(path, dpi=150, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
