"""A decomposition as PNG: pairs by chromosome, effects along the genome, shares of variance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import SymLogNorm

from train.data.snpinfo import SnpInfo
from train.decomposition.over_folds import ADDITIVE_BY_ADDITIVE, Decomposed

#: Cells of a map on each side, at most.
_CELLS = 360

_COLOURS = ("#1f5f8b", "#8fb8d0")
_NAMES = {
    "additive": "additive",
    "epistatic": "pairs",
    "dominance": "dominance",
    "additive_by_additive": "additive × additive",
    "additive_by_dominance": "additive × dominance",
    "dominance_by_dominance": "dominance × dominance",
    "higher": "three and more loci",
}
_SHARE_COLOURS = ("#1f5f8b", "#c8963e", "#a63d40", "#7a5195", "#5f6f52", "#9a9a9a")


@dataclass(frozen=True)
class Genome:
    """Loci in the order of their places, and where chromosomes end.

    Attributes
    ----------
    order : ndarray (loci,) of int64
    chromosome : list of str or None
        In that order; None where places are not known.
    """

    order: np.ndarray
    chromosome: list[str] | None

    @staticmethod
    def of(info: SnpInfo) -> "Genome":
        """As the SNPs stand along the chromosomes, or as they come."""
        if None in info.chromosome:
            return Genome(np.arange(len(info.chromosome)), None)
        order = info.along
        return Genome(order, [str(info.chromosome[at]) for at in order])

    def borders(self) -> list[tuple[str, int, int]]:
        """Name, first and last + 1 place in the order of every chromosome."""
        if self.chromosome is None:
            return []
        named = np.array(self.chromosome)
        starts = [0, *(np.flatnonzero(named[1:] != named[:-1]) + 1).tolist(), len(named)]
        return [(self.chromosome[one], one, two) for one, two in pairwise(starts)]


@dataclass(frozen=True)
class Drawn:
    """What the pictures need of a trait once its pairs are put away.

    Attributes
    ----------
    map : ndarray (cells, cells)
        The strongest pair of each cell with its sign, the SD that it adds to the trait.
    additive : ndarray (loci,)
        In the order of the genome: what an allele adds, in the SD of the locus.
    variances : dict of str to (float, float)
        Mean over the folds and its SD.
    """

    trait: str
    unit: str
    genome: Genome
    map: np.ndarray
    additive: np.ndarray
    variances: dict[str, tuple[float, float]]


def drawn(
    found: Decomposed,
    info: SnpInfo,
    locus_sd: np.ndarray,
    variances: Mapping[str, Mapping[str, float | None]],
) -> Drawn:
    """Of a decomposition; `locus_sd` (loci,) is that of the locus' code, or of x."""
    genome = Genome.of(info)
    shares = {
        name: (v["mean"] or 0.0, v["sd"] or 0.0) for name, v in variances.items() if name in _NAMES
    }
    return Drawn(
        found.trait,
        found.unit,
        genome,
        _cells(found, genome),
        (found.additive.mean * locus_sd)[genome.order],
        shares,
    )


def pairs_map(each: Sequence[Drawn]) -> bytes:
    """A map per trait: the strongest pairs, loci in the order of the genome on both sides."""
    n = len(each)
    figure, axes = plt.subplots(1, n, figsize=(4.6 * n, 4.1), squeeze=False)
    for axis, one in zip(axes[0], each, strict=True):
        reach = float(np.nanmax(np.abs(one.map), initial=0)) or 1.0
        extent = (0, len(one.additive), len(one.additive), 0)
        # A few pairs may be a hundred times as strong as all others.
        scale = SymLogNorm(reach / 50, vmin=-reach, vmax=reach)
        shown = axis.imshow(one.map, cmap="RdBu_r", norm=scale, extent=extent)
        for name, start, end in one.genome.borders():
            for line in (axis.axhline, axis.axvline):
                line(end, color="0.8", linewidth=0.4)
            axis.text((start + end) / 2, -0.01 * len(one.additive), name.removeprefix("Gm"),
                      fontsize=5, ha="center")  # fmt: skip
        if one.genome.chromosome is not None:
            axis.set(xticks=[], yticks=[], xlabel="locus, by chromosome", ylabel="locus")
        else:
            axis.set(xlabel="locus", ylabel="locus")
        axis.set_title(f"{one.trait}: pairs", pad=14)
        figure.colorbar(shown, ax=axis, shrink=0.8, label=f"SD that a pair adds, {one.unit}")
    figure.tight_layout()
    return _png(figure)


def effects_along_genome(each: Sequence[Drawn]) -> bytes:
    """A row per trait: the average effect of every locus in the SD of its genotype."""
    figure, axes = plt.subplots(len(each), 1, figsize=(9, 2.3 * len(each)), squeeze=False)
    for axis, one in zip(axes[:, 0], each, strict=True):
        at = np.arange(len(one.additive))
        colour = np.zeros(len(at), int)
        borders = one.genome.borders()
        for number, (_, start, end) in enumerate(borders):
            colour[start:end] = number % 2
        axis.vlines(at, 0, one.additive, colors=np.array(_COLOURS)[colour], linewidth=0.9)
        axis.axhline(0, color="0.6", linewidth=0.6)
        if borders:
            axis.set_xticks([(start + end) / 2 for _, start, end in borders])
            axis.set_xticklabels([name for name, _, _ in borders], fontsize=6)
        axis.set(ylabel=f"effect per SD, {one.unit}", title=f"{one.trait}: additive effects")
        axis.margins(x=0.01)
    figure.tight_layout()
    return _png(figure)


def variance_shares(each: Sequence[Drawn]) -> bytes:
    """A bar per trait: shares of the components in their sum, errors over the folds."""
    figure, axis = plt.subplots(figsize=(7.5, 1.2 + 0.55 * len(each)))
    names = list(each[0].variances)
    for row, one in enumerate(each):
        left, whole = 0.0, sum(max(value, 0) for value, _ in one.variances.values()) or 1.0
        for at, name in enumerate(names):
            value, sd = one.variances.get(name, (0.0, 0.0))
            width = max(value, 0) / whole
            axis.barh(row, width, left=left, color=_SHARE_COLOURS[at % len(_SHARE_COLOURS)],
                      label=_NAMES[name] if row == 0 else None)  # fmt: skip
            left += width
            if width > 0.01:
                axis.errorbar(left, row, xerr=sd / whole, color="0.15", linewidth=0.8, capsize=2)
    axis.set_yticks(range(len(each)), [one.trait for one in each])
    axis.invert_yaxis()
    axis.set(
        xlabel="share of the network's genetic variance in linkage equilibrium", xlim=(0, 1.02)
    )
    axis.legend(fontsize=6, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    figure.tight_layout()
    return _png(figure)


def estimates_against_truth(
    points: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
) -> bytes:
    """A row per trait, a panel per kind of effect: true values and estimates."""
    kinds = list(dict.fromkeys(kind for panels in points.values() for kind in panels))
    shape = len(points), len(kinds)
    figure, axes = plt.subplots(*shape, figsize=(4 * shape[1], 3.4 * shape[0]), squeeze=False)
    for row, (trait, panels) in zip(axes, points.items(), strict=True):
        for axis, kind in zip(row, kinds, strict=True):
            if kind not in panels:
                axis.set_axis_off()
                continue
            true, estimated = panels[kind]
            reach = 1.05 * max(np.abs(true).max(), np.nanmax(np.abs(estimated)))
            axis.plot([-reach, reach], [-reach, reach], color="0.7", linewidth=1, zorder=0)
            axis.scatter(true, estimated, s=10, color=_COLOURS[0], alpha=0.7, linewidths=0)
            axis.set(xlabel="true", ylabel="of the network", title=f"{trait}: {kind}")
            axis.set_aspect("equal")
    figure.tight_layout()
    return _png(figure)


def _cells(found: Decomposed, genome: Genome) -> np.ndarray:
    """The strongest pair of every cell, with its sign."""
    pairs = found.pairs[ADDITIVE_BY_ADDITIVE]
    n = len(found.snps)
    cells = min(_CELLS, n)
    cell = np.empty(n, np.int64)
    cell[genome.order] = np.arange(n) * cells // n
    drawn = np.zeros((cells, cells), np.float32)
    values = np.nan_to_num(pairs.standardised.mean)
    for sign in (1, -1):
        by_row = np.zeros((cells, n), np.float32)
        np.maximum.at(by_row, cell[pairs.chosen], sign * values)
        of_cells = np.zeros((cells, cells), np.float32)
        np.maximum.at(of_cells.T, cell, by_row.T)
        of_cells = np.maximum(of_cells, of_cells.T)
        drawn = np.where(of_cells > np.abs(drawn), sign * of_cells, drawn)
    return drawn


def _png(figure: plt.Figure) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()
