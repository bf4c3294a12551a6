"""Blocks of samples turned into tiles that all have the same number of rows.

A model that computes a tile adds in the same order whatever the samples are and however the file
was cut: a sample's prediction is the same to the last bit alone and within a cohort.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock

#: Rows of a tile, at most: the masks of a few thousand SNPs then fit a processor's cache.
MAX_ROWS = 64

#: Genotypes of a tile, about, which bounds the memory of models with very many SNPs.
_MAX_GENOTYPES = 1 << 22


@dataclass(frozen=True)
class Tile:
    """Consecutive samples, filled up to the rows of a tile.

    Attributes
    ----------
    samples : list of str
        At least one.
    genotypes : Genotypes
        Those of the samples, then rows of missing genotypes.
    """

    samples: list[str]
    genotypes: Genotypes


def tiles(blocks: Iterable[GenotypeBlock], n_snps: int) -> Iterator[Tile]:
    """The samples of all blocks, in their order.

    Parameters
    ----------
    blocks : iterable of GenotypeBlock
        Of any number of samples each.
    n_snps : int
        SNPs of the model, which say how many rows a tile has.
    """
    rows = min(MAX_ROWS, max(1, _MAX_GENOTYPES // n_snps))
    filling = _Filling(rows, n_snps)
    for block in blocks:
        start, n = 0, len(block.samples)
        while start < n:
            end = min(n, start + rows - len(filling.samples))
            part = slice(start, end)
            if end - start == rows:
                # A whole tile at once needs no copy.
                yield Tile(block.samples[part], block.genotypes.rows(part))
            else:
                filling.add(block.samples[part], block.genotypes.rows(part))
                if len(filling.samples) == rows:
                    yield filling.tile()
                    # New arrays: those handed out are in use.
                    filling = _Filling(rows, n_snps)
            start = end
    if filling.samples:
        yield filling.tile()


class _Filling:
    """A tile that is put together from parts of several blocks."""

    def __init__(self, rows: int, n_snps: int):
        self.samples: list[str] = []
        self._codes = np.full((rows, n_snps), MISSING, np.int8)
        self._fractions: np.ndarray | None = None

    def add(self, samples: list[str], genotypes: Genotypes) -> None:
        into = slice(len(self.samples), len(self.samples) + len(samples))
        self._codes[into] = genotypes.codes
        if genotypes.fractions is not None:
            if self._fractions is None:
                self._fractions = np.zeros(self._codes.shape, np.float32)
            self._fractions[into] = genotypes.fractions
        self.samples += samples

    def tile(self) -> Tile:
        return Tile(self.samples, Genotypes(self._codes, self._fractions))
