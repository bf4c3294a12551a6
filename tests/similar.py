"""A tiny bundle with a table of similarity, learnt from invented families."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.sample_rates import sample_rates
from tests.bundles import Tiny
from tests.simulated import simulate
from train.bundle.similarity_table import (
    held_out_distances,
    manifest_entry,
    similarity_table,
)

N_SNPS = 300


class Similar:
    """Lines of six families, most of them in the training set of a bundle.

    Attributes
    ----------
    codes, folds : ndarray
        The training lines (540, 300) int8, and their folds 1 to 20.
    new : ndarray (60, 300) of int8
        Further lines of the same families.
    strange : ndarray (20, 300) of int8
        Random genotypes.
    """

    def __init__(self) -> None:
        _, codes, phenotype, _ = simulate(600, N_SNPS, 6)
        order = np.random.default_rng(3).permutation(600)
        self.new, self.codes = codes[order[:60]], codes[order[60:]]
        self.folds = np.arange(540) % 20 + 1
        self.distances = held_out_distances(self.codes, self.folds)
        self.strange = 2 * np.random.default_rng(4).integers(0, 2, (20, N_SNPS)).astype(np.int8)
        self.table = similarity_table(self.codes)
        assert self.table is not None
        # Errors that grow with the distance.
        self.observed = phenotype[order[60:]]
        self.predicted = self.observed + np.where(np.arange(540) % 2, 1, -1) * (
            1 + 50 * np.maximum(self.distances - np.quantile(self.distances, 0.98), 0)
        )
        self.tiny = Tiny(n_snps=N_SNPS)

    def write(self, target: Path, rates: bool = True) -> Path:
        """The bundle; without `rates` one of a release that knew only distances."""
        entry = manifest_entry(self.table, self.observed, self.predicted, self.distances)
        return self.tiny.write(
            target,
            manifest=replace(self.tiny.manifest(), similarity=entry),
            out_of_fold=self.tiny.out_of_fold(
                tuple(f"{row:064x}" for row in range(540)),
                tuple(self.folds.tolist()),
                distance=self.distances,
                rates=sample_rates(Genotypes(self.codes)) if rates else None,
            ),
            similarity=self.table,
        )
