"""The pictures of a run: losses per fold, saliency along the genome, predicted against observed."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

_DARK, _LIGHT, _ACCENT = "#1f4e79", "#8fb3d9", "#c0392b"

#: Of SNPs nearer to each other than this, the strongest one alone is named.
REGION_BASES = 5_000_000

#: With more, such as scaffolds, there is no room for their names.
_MAX_CHROMOSOMES = 60

#: Share of a picture's width that a SNP's name takes, about.
_NAME_WIDTH = 0.13

#: So many points hide each other.
_DENSE = 500


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
    position: Sequence[int | None],
    title: str,
    path: Path,
    n_named: int = 8,
) -> None:
    """Mean saliency of every SNP along the genome, the strongest SNP of each of some regions named.

    In the order of the file where a SNP has no place. Named are the strongest SNPs; a SNP within
    `REGION_BASES` of a stronger one is not (in the order of the file: within a fiftieth of the
    SNPs).
    """
    x, labels, starts = _along_genome(chromosome, position)
    placed = labels is not None
    figure, axis = plt.subplots(figsize=(11, 4))
    chromosomes = np.searchsorted(starts, x, side="right") - 1
    colors = np.where(chromosomes % 2 == 0, _DARK, _LIGHT)
    axis.scatter(x, saliency, s=7, c=colors, linewidths=0)
    span = float(x.max()) + 1
    if labels is not None:
        ends = np.r_[starts[1:], span]
        axis.set_xticks((starts + ends) / 2, labels, fontsize=7, rotation=45)
        axis.set_xlabel("chromosome, by position")
    else:
        axis.set_xlabel("SNP, in file order (positions are not known)")
    region = REGION_BASES if placed else span / 50
    named = _strongest(x, chromosomes, saliency, region, n_named)
    axis.scatter(x[named], saliency[named], s=22, color=_ACCENT, zorder=3)
    top = float(saliency.max()) or 1.0
    highest = _write_names(axis, [(names[n], x[n], saliency[n]) for n in named], span, top)
    axis.set_xlim(-0.01 * span, 1.01 * span)
    axis.set_ylim(0, max(1.05 * top, highest + 0.08 * top))
    axis.set_ylabel("importance of the SNP\n(mean saliency, SD of the trait)")
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _write_names(
    axis: plt.Axes, points: Sequence[tuple[str, float, float]], span: float, top: float
) -> float:
    """Write a name beside each point (name, x, y), none on another; gives the highest place."""
    taken: list[tuple[float, float]] = []
    for name, x, y in points:
        right = x > 0.87 * span
        left = x - (_NAME_WIDTH * span if right else 0)
        height = float(y)
        # A name that would lie on another one goes above it.
        while any(
            abs(left - u) < _NAME_WIDTH * span and abs(height - v) < 0.05 * top for u, v in taken
        ):
            height += 0.01 * top
        taken.append((left, height))
        axis.annotate(
            name,
            (x, y),
            xytext=(x + (-0.006 if right else 0.006) * span, height),
            arrowprops={
                "arrowstyle": "-",
                "lw": 0.4,
                "color": "grey",
                "relpos": (1 if right else 0, 0),
                "shrinkA": 0,
            },
            ha="right" if right else "left",
            va="bottom",
            fontsize=7,
        )
    return max((height for _, height in taken), default=0.0)


def _along_genome(
    chromosome: Sequence[str | None], position: Sequence[int | None]
) -> tuple[np.ndarray, list[str] | None, np.ndarray]:
    """Where each SNP is drawn, the chromosomes' names, and where each of them begins.

    Bases, chromosomes behind each other; without names the places in the file.
    """
    names = list(dict.fromkeys(chromosome))
    if None in names or None in position or len(names) > _MAX_CHROMOSOMES:
        return np.arange(len(chromosome), dtype=float), None, np.zeros(1)
    of = np.array([names.index(name) for name in chromosome])
    bases = np.array(position, float)
    lengths = np.array([bases[of == at].max() for at in range(len(names))])
    # A gap between two chromosomes.
    starts = np.r_[0, np.cumsum(lengths + 0.005 * lengths.sum())[:-1]]
    return starts[of] + bases, [str(name) for name in names], starts


def _strongest(
    x: np.ndarray, chromosomes: np.ndarray, saliency: np.ndarray, region: float, n: int
) -> list[int]:
    """The SNPs of the largest saliency, none within a region's length of a stronger one."""
    chosen: list[int] = []
    for candidate in np.argsort(-saliency, kind="stable").tolist():
        if len(chosen) == n or saliency[candidate] <= 0:
            break
        if all(
            chromosomes[candidate] != chromosomes[other] or abs(x[candidate] - x[other]) > region
            for other in chosen
        ):
            chosen.append(candidate)
    return chosen


def predicted_against_observed(
    predicted: np.ndarray, observed: np.ndarray, unit: str, title: str, path: Path
) -> None:
    """Out-of-fold predictions of all samples, with correlation, slope and number.

    Many samples are drawn as a density, few as points. The slope is that of observed on predicted
    values: 1 where a prediction that is larger by 1 goes with a value that is larger by 1.
    """
    figure, axis = plt.subplots(figsize=(5.6, 5))
    low, high = min(observed.min(), predicted.min()), max(observed.max(), predicted.max())
    if len(observed) >= _DENSE:
        # One sample is not white.
        shown = {"bins": "log", "mincnt": 1, "vmin": 0.3, "cmap": "Blues", "linewidths": 0.1}
        drawn = axis.hexbin(observed, predicted, gridsize=45, **shown)
        bar = figure.colorbar(drawn, ax=axis, label="samples", shrink=0.7, format="%d")
        bar.ax.set_ylim(bottom=1)
    else:
        axis.scatter(observed, predicted, color=_DARK, s=9, alpha=0.6, linewidths=0)
    axis.plot([low, high], [low, high], color="black", lw=0.8)
    axis.text(
        *(0.03, 0.97, _agreement(predicted, observed)),
        transform=axis.transAxes,
        va="top",
        fontsize=8,
    )
    axis.set_xlabel(f"observed ({unit})")
    axis.set_ylabel(f"predicted, out of fold ({unit})")
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _agreement(predicted: np.ndarray, observed: np.ndarray) -> str:
    """Number, correlation and slope, in words; the number alone where nothing varies."""
    n = f"n = {len(observed):,}"
    x, y = predicted - predicted.mean(), observed - observed.mean()
    xx, yy, xy = float(x @ x), float(y @ y), float(x @ y)
    if not xx * yy > 0:
        return n
    return f"{n}\nr = {xy / (xx * yy) ** 0.5:.3f}\nslope = {xy / xx:.2f} (observed on predicted)"


def _save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    # No date in the file: the same run draws the same bytes.
    figure.savefig(path, dpi=150, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
