"""Estimates against a known truth, and all pairs as a map, as PNG."""

from collections.abc import Mapping
from io import BytesIO

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from train.decomposition.tables import Decomposed


def estimates_against_truth(
    points: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
) -> bytes:
    """A row per trait, a panel per kind of effect: true values and estimates."""
    kinds = list(next(iter(points.values())))
    shape = len(points), len(kinds)
    figure, axes = plt.subplots(*shape, figsize=(4 * shape[1], 3.4 * shape[0]), squeeze=False)
    for row, (trait, panels) in zip(axes, points.items(), strict=True):
        for axis, (kind, (true, estimated)) in zip(row, panels.items(), strict=True):
            reach = 1.05 * max(np.abs(true).max(), np.nanmax(np.abs(estimated)))
            axis.plot([-reach, reach], [-reach, reach], color="0.7", linewidth=1, zorder=0)
            axis.scatter(true, estimated, s=10, color="#1f5f8b", alpha=0.7, linewidths=0)
            axis.set(xlabel="true", ylabel="of the network", title=f"{trait}: {kind}")
            axis.set_aspect("equal")
    figure.tight_layout()
    return _png(figure)


def pairs_map(each: list[Decomposed]) -> bytes:
    """A map per trait: the effect of every pair, loci in the model's order on both sides."""
    n = len(each)
    figure, axes = plt.subplots(1, n, figsize=(4.2 * n, 3.8), squeeze=False)
    for axis, found in zip(axes[0], each, strict=True):
        effects = found.mean("pairs")
        reach = float(np.nanmax(np.abs(effects))) or 1.0
        drawn = axis.imshow(effects, cmap="RdBu_r", vmin=-reach, vmax=reach)
        axis.set(title=f"{found.trait}: effects of pairs", xlabel="locus", ylabel="locus")
        figure.colorbar(drawn, ax=axis, shrink=0.8)
    figure.tight_layout()
    return _png(figure)


def _png(figure: plt.Figure) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()
