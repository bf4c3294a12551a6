"""How well lines are predicted out of fold: squared correlations within families, by distance.

See `snpredict.reliability` for what they are to a person. A family's lines differ from its mean
only by what they inherited otherwise, which is what a breeder selects on within it; over all lines
the correlation would be larger because families differ.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from snpredict.bundle.reliability_entry import (
    CheckedBand,
    MeasuredReliability,
    ReliabilityBand,
)
from snpredict.reliability import reliabilities

#: Fewer lines say too little.
MIN_LINES = 100

#: Bands of distance, at most, and lines in each, at least.
_BANDS, _MIN_IN_BAND = 5, 200

#: Parts in which one value for all is checked.
_PARTS = 3

#: Families that are drawn again and again for intervals, at least; else it is groups of lines.
_MIN_FAMILIES = 10
_LINE_GROUPS = 200
_DRAWS = 2000
_ENDS = (0.025, 0.975)


class Lines(NamedTuple):
    """Lines with predictions by models that did not see them, every array of (lines,).

    Attributes
    ----------
    observed, predicted : ndarray of float64
        Trait units.
    family : ndarray of int64, or None
    fold : ndarray of int64
    distance : ndarray of float64
        From a table without the line's fold; NaN where it is not known.
    """

    observed: np.ndarray
    predicted: np.ndarray
    family: np.ndarray | None
    fold: np.ndarray
    distance: np.ndarray

    def rows(self, which: np.ndarray) -> "Lines":
        """Some of them."""
        family = None if self.family is None else self.family[which]
        return Lines(
            self.observed[which],
            self.predicted[which],
            family,
            self.fold[which],
            self.distance[which],
        )


def measured_reliability(lines: Lines, seed: int = 1) -> MeasuredReliability | None:
    """The squared correlation within families, of bands of distance where these differ.

    Bands are told apart only where the nearer half of the lines has a clearly larger squared
    correlation than the farther half (95 % interval of the difference above 0); they are then made
    never to rise with the distance.

    Parameters
    ----------
    lines : Lines
    seed : int
        Of the draws for the intervals.

    Returns
    -------
    MeasuredReliability or None
        None for less than `MIN_LINES`, or where predictions or observations do not vary.
    """
    lines = _usable(lines)
    if len(lines.observed) < MIN_LINES:
        return None
    products = _Products(lines, seed)
    found = _estimate(lines, products)
    return None if found is None else found._replace(check=_checked(lines, found, products, seed))


def squared_within_families(lines: Lines) -> float:
    """Squared correlation of predicted and observed values within families; 0 for a negative one.

    NaN where they do not vary.
    """
    lines = _usable(lines)
    x, y = (_deviations(values, lines.family) for values in (lines.predicted, lines.observed))
    return float(_squared(np.array([x @ x, y @ y, x @ y])))


def _usable(lines: Lines) -> Lines:
    """Those with both values; families only where most lines have siblings to differ from."""
    finite = np.isfinite(lines.observed) & np.isfinite(lines.predicted)
    lines = lines.rows(finite)
    n_families = 0 if lines.family is None else len(np.unique(lines.family))
    return lines if 2 * n_families <= len(lines.observed) else lines._replace(family=None)


class _Products:
    """Squares and products of deviations from family means, and draws of groups of lines."""

    def __init__(self, lines: Lines, seed: int):
        x, y = (_deviations(values, lines.family) for values in (lines.predicted, lines.observed))
        self._of_line = np.stack([x * x, y * y, x * y], axis=1)
        rng = np.random.default_rng(seed)
        family = lines.family
        if family is not None and len(np.unique(family)) >= _MIN_FAMILIES:
            # Lines of a family err together.
            self._group = np.unique(family, return_inverse=True)[1]
        else:
            self._group = rng.permutation(len(x)) % _LINE_GROUPS
        n_groups = int(self._group.max()) + 1
        self._draws = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), _DRAWS)

    def squared(self, rows: np.ndarray) -> float:
        """Squared correlation of some lines; 0 for a negative correlation, NaN for none."""
        return float(_squared(self._of_line[rows].sum(axis=0)))

    def drawn(self, rows: np.ndarray) -> np.ndarray:
        """The same in every draw, (draws,)."""
        sums = np.zeros((self._draws.shape[1], 3))
        np.add.at(sums, self._group[rows], self._of_line[rows])
        return _squared(self._draws @ sums)

    def interval(self, rows: np.ndarray) -> tuple[float, float]:
        """95 % interval of the squared correlation."""
        return _ends(self.drawn(rows))


def _estimate(lines: Lines, products: _Products) -> MeasuredReliability | None:
    everything = np.ones(len(lines.observed), bool)
    reliability = products.squared(everything)
    if not np.isfinite(reliability):
        return None
    families = None if lines.family is None else len(np.unique(lines.family))
    low, high = products.interval(everything)
    found = MeasuredReliability(len(everything), families, reliability, low, high)
    known = np.isfinite(lines.distance)
    n_bands = min(_BANDS, int(known.sum()) // _MIN_IN_BAND)
    if n_bands < 2:
        farthest = float(lines.distance[known].max()) if known.any() else None
        return found._replace(farthest=farthest)
    near, far = _parts(lines.distance, 2)[1]
    difference = products.squared(near) - products.squared(far)
    ends = _ends(products.drawn(near) - products.drawn(far))
    return found._replace(
        farthest=float(lines.distance[known].max()),
        near_minus_far=(difference, *ends),
        bands=_bands(lines.distance, products, n_bands) if ends[0] > 0 else (),
    )


def _bands(distance: np.ndarray, products: _Products, n_bands: int) -> tuple[ReliabilityBand, ...]:
    """Bands of about equally many lines whose values never rise; equal neighbours are one."""
    edges, parts = _parts(distance, n_bands)
    values = [products.squared(rows) for rows in parts]
    sizes = [rows.sum() for rows in parts]
    smooth = isotonic_regression(values, weights=sizes, increasing=False).x.tolist()
    return tuple(
        ReliabilityBand(edge, value)
        for edge, value, following in zip(edges, smooth, [*smooth[1:], None], strict=True)
        if value != following
    )


def _checked(
    lines: Lines, found: MeasuredReliability, products: _Products, seed: int
) -> tuple[CheckedBand, ...]:
    """What lines were told by the lines of the other folds, against their squared correlation."""
    told = np.full(len(lines.observed), np.nan)
    for fold in np.unique(lines.fold):
        here = lines.fold == fold
        others = lines.rows(~here)
        of_others = _estimate(others, _Products(others, seed))
        if of_others is not None:
            told[here] = reliabilities(of_others._replace(farthest=None), lines.distance[here])
    known = np.isfinite(lines.distance)
    edges: list[float | None]
    if found.bands:
        edges = [band.up_to for band in found.bands]
        place = np.searchsorted([band.up_to for band in found.bands], lines.distance)
        parts = [known & (place == at) for at in range(len(edges))]
    elif known.sum() >= _PARTS * _MIN_IN_BAND:
        ends, parts = _parts(lines.distance, _PARTS)
        edges = [*ends]
    else:
        edges, parts = [None], [np.ones(len(told), bool)]
    return tuple(
        CheckedBand(
            up_to=edge,
            n=int(rows.sum()),
            said=float(told[rows].mean()),
            observed=products.squared(rows),
            low=products.interval(rows)[0],
            high=products.interval(rows)[1],
        )
        for edge, rows in zip(edges, parts, strict=True)
        if np.isfinite(told[rows]).all() and np.isfinite(products.squared(rows))
    )


def _parts(distance: np.ndarray, n: int) -> tuple[list[float], list[np.ndarray]]:
    """Upper ends of n parts of about equally many lines, and the lines of each, bool."""
    known = np.isfinite(distance)
    shares = np.arange(1, n + 1) / n
    edges = np.unique(np.quantile(distance[known], shares, method="higher"))
    place = np.searchsorted(edges, distance)
    return edges.tolist(), [known & (place == at) for at in range(len(edges))]


def _deviations(values: np.ndarray, family: np.ndarray | None) -> np.ndarray:
    if family is None:
        return values - values.mean()
    _, member = np.unique(family, return_inverse=True)
    return values - (np.bincount(member, values) / np.bincount(member))[member]


def _squared(sums: np.ndarray) -> np.ndarray:
    """Out of Σx², Σy² and Σxy on the last axis."""
    xx, yy, xy = np.moveaxis(sums, -1, 0)
    product = np.sqrt(xx * yy)
    varies = (xx > 0) & (yy > 0)
    return np.where(varies, np.maximum(xy, 0) / np.where(varies, product, 1), np.nan) ** 2


def _ends(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.nanquantile(drawn, _ENDS)
    return float(low), float(high)
