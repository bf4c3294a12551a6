"""Manhattan, Miami and QQ plots of a GWAS."""

from collections.abc import Sequence
from io import BytesIO

import matplotlib
import numpy as np
from scipy import special

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from train.gwas.result import Points

_DARK, _LIGHT, _ACCENT = "#1f4e79", "#8fb3d9", "#c0392b"

#: Names of the strongest SNPs, one per region of so many bases.
_NAMED, _REGION = 6, 5_000_000

#: With more chromosomes there is no room for their names.
_MAX_CHROMOSOMES = 60


class Genome:
    """Where SNPs stand on an axis on which the chromosomes follow each other.

    Parameters
    ----------
    points : sequence of Points
        All that are drawn on one axis.
    """

    def __init__(self, points: Sequence[Points]):
        ends: dict[str, float] = {}
        for each in points:
            for name, position in zip(each.chromosome, each.position.tolist(), strict=True):
                ends[name] = max(ends.get(name, 0.0), position)
        self.names = sorted(ends, key=_natural)
        gap = 0.01 * sum(ends.values())
        self.starts, at = {}, 0.0
        for name in self.names:
            self.starts[name] = at
            at += ends[name] + gap
        self.middles = [self.starts[name] + ends[name] / 2 for name in self.names]

    def at(self, points: Points) -> np.ndarray:
        """Places of the SNPs on the axis."""
        return points.position + np.array([self.starts[name] for name in points.chromosome])

    def odd(self, points: Points) -> np.ndarray:
        """Whether a SNP's chromosome has the second colour."""
        number = {name: at for at, name in enumerate(self.names)}
        return np.array([number[name] % 2 == 1 for name in points.chromosome], bool)


def manhattan(points: Points, title: str, line: float | None) -> bytes:
    """PNG: values along the genome.

    Parameters
    ----------
    line : float or None
        Where a threshold is drawn.
    """
    genome = Genome([points])
    figure, axis = plt.subplots(figsize=(10, 3.4))
    _draw(axis, genome, points, line)
    axis.set_title(title, fontsize=10)
    axis.set_ylabel(points.label)
    _name_chromosomes(axis, genome)
    return _png(figure)


def miami(above: Points, below: Points, title: str, line: float | None) -> bytes:
    """PNG: two sets of values along one genome, the second one downwards."""
    genome = Genome([above, below])
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(10, 5.6), sharex=True)
    _draw(top, genome, above, line)
    _draw(bottom, genome, below, None)
    bottom.invert_yaxis()
    top.set_title(title, fontsize=10)
    top.set_ylabel(above.label)
    bottom.set_ylabel(below.label)
    bottom.xaxis.tick_top()
    top.tick_params(labelbottom=False)
    _name_chromosomes(bottom, genome)
    # The names of the chromosomes stand between the two, upright where there are many.
    figure.subplots_adjust(hspace=0.32 if len(genome.names) > 12 else 0.15)
    return _png(figure)


def qq(values: np.ndarray, inflation: float, title: str) -> bytes:
    """PNG: −log10 p against what as many SNPs without any effect would show.

    With the band that holds each of their order statistics in 95 of 100 cases.
    """
    found = np.sort(values[np.isfinite(values)])[::-1]
    n = len(found)
    rank = np.arange(1, n + 1)
    # Of very many SNPs the small values lie on each other.
    kept = np.unique(np.concatenate([rank[:2000], np.geomspace(1, n, 2000).astype(int)])) - 1
    expected = -np.log10(rank / (n + 1))
    low, high = (
        -np.log10(special.betaincinv(rank[kept], n + 1 - rank[kept], q)) for q in (0.975, 0.025)
    )
    figure, axis = plt.subplots(figsize=(4, 4))
    axis.fill_between(expected[kept], low, high, color="#dddddd", lw=0)
    axis.plot([0, expected[0]], [0, expected[0]], color="#888888", lw=0.8)
    axis.plot(expected[kept], found[kept], ".", color=_DARK, ms=3)
    axis.set_xlabel("expected −log10 p")
    axis.set_ylabel("observed −log10 p")
    axis.set_title(f"{title}\ninflation factor λ = {inflation:.3f}", fontsize=9)
    return _png(figure)


def _draw(axis: plt.Axes, genome: Genome, points: Points, line: float | None) -> None:
    x, odd = genome.at(points), genome.odd(points)
    for which, colour in ((odd, _LIGHT), (~odd, _DARK)):
        axis.plot(x[which], points.values[which], ".", color=colour, ms=3, rasterized=True)
    if line is not None:
        axis.axhline(line, color=_ACCENT, lw=0.8, ls="--")
    for at in strongest(points, line):
        axis.annotate(
            points.snps[at],
            (x[at], points.values[at]),
            textcoords="offset points",
            xytext=(3, 3),
            fontsize=6,
        )
    axis.margins(x=0.01, y=0.12)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def strongest(points: Points, line: float | None) -> list[int]:
    """The strongest SNPs beyond the line, one per region."""
    chosen: list[int] = []
    for at in np.argsort(-points.values, kind="stable").tolist():
        if len(chosen) == _NAMED or (line is not None and points.values[at] < line):
            break
        near = (
            points.chromosome[at] == points.chromosome[other]
            and abs(points.position[at] - points.position[other]) < _REGION
            for other in chosen
        )
        if not any(near):
            chosen.append(at)
    return chosen


def _name_chromosomes(axis: plt.Axes, genome: Genome) -> None:
    if len(genome.names) > _MAX_CHROMOSOMES:
        axis.set_xticks([])
        axis.set_xlabel(f"{len(genome.names)} chromosomes and scaffolds")
        return
    axis.set_xticks(
        genome.middles, genome.names, fontsize=6, rotation=90 if len(genome.names) > 12 else 0
    )


def _natural(name: str) -> tuple:
    digits = "".join(c for c in name if c.isdigit())
    return (not digits, int(digits[:12] or 0), name)


def _png(figure: plt.Figure) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=150, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()
