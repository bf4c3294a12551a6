"""Windows of a genome: core variants, whose likelihood counts, and the halo around them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Span(NamedTuple):
    """Places of variants in the genome's order.

    Attributes
    ----------
    start, stop : int
        Of core and halo.
    core_start, core_stop : int
        Of the core, in the same places.
    """

    start: int
    stop: int
    core_start: int
    core_stop: int

    @property
    def core(self) -> slice:
        """The core among the window's variants."""
        return slice(self.core_start - self.start, self.core_stop - self.start)


def even_windows(chromosome: np.ndarray, position: np.ndarray, core: int, halo: int) -> list[Span]:
    """Cores of equal length from each chromosome's first variant on, where they hold any.

    Parameters
    ----------
    chromosome : ndarray (variants,)
        Each chromosome's variants in one piece.
    position : ndarray (variants,) of int64
        Base pairs, ascending within a chromosome.
    core, halo : int
        Base pairs, of the core and of the halo on either side of it.
    """
    found = []
    for first, last in _pieces(chromosome):
        where = position[first:last]
        edges = np.arange(where[0], where[-1] + 1, core)
        found += _spans(first, where, edges, edges + core, halo)
    return found


def blocks_as_windows(
    chromosome: np.ndarray, position: np.ndarray, blocks: Sequence[tuple[str, int, int]], halo: int
) -> list[Span]:
    """Cores that are named, such as LD blocks; variants outside of them are in no core.

    Parameters
    ----------
    blocks : sequence of (chromosome, start, end)
        As in a BED file: the first base is 0, and the end is not part of the block.
    """
    found = []
    for first, last in _pieces(chromosome):
        own = sorted((s, e) for c, s, e in blocks if c == chromosome[first])
        if own:
            start, end = np.array(own).T
            # A BED's base 0 is position 1.
            found += _spans(first, position[first:last], start + 1, end + 1, halo)
    return found


def _pieces(chromosome: np.ndarray) -> list[tuple[int, int]]:
    changes = np.flatnonzero(chromosome[1:] != chromosome[:-1]) + 1
    edges = [0, *changes.tolist(), len(chromosome)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _spans(
    first: int, where: np.ndarray, start: np.ndarray, end: np.ndarray, halo: int
) -> list[Span]:
    core_start, core_stop = np.searchsorted(where, start), np.searchsorted(where, end)
    all_start, all_stop = np.searchsorted(where, start - halo), np.searchsorted(where, end + halo)
    table = np.stack([all_start, all_stop, core_start, core_stop], axis=1) + first
    return [Span(*row) for row in table[core_stop > core_start].tolist()]
