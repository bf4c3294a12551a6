"""``decomposition.parquet`` and ``epistasis.parquet``: what a bundle's networks have learned.

`python -m train decompose --bundle` writes them, see docs/decomposition.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from snpredict.bundle.parquet_columns import NUMBERS, TEXT, WHOLE, Columns
from snpredict.errors import InvalidBundle
from snpredict.genotypes.text_columns import texts

#: Pairs of a bundle at most.
MAX_PAIRS = 100_000

#: Of loci; SDs are over the folds.
LOCUS_COLUMNS = (
    "additive",
    "additive_sd",
    "dominance",
    "dominance_sd",
    "epistatic_variance",
    "epistatic_variance_sd",
)
_PAIR_COLUMNS = ("effect", "sd", "trait_sd")


@dataclass(frozen=True)
class StoredPair:
    """One pair of loci.

    Attributes
    ----------
    effect, sd : float
        Additive by additive, trait units per copy of both counted alleles; SD over the folds.
    trait_sd : float
        SD that the interaction adds to the trait in linkage equilibrium, trait units.
    q_value : float or None
        None without a null.
    """

    effect: float
    sd: float
    trait_sd: float
    q_value: float | None


@dataclass(frozen=True)
class DecompositionTables:
    """Of all SNPs in the model's order, and of the strongest pairs, the strongest first.

    Attributes
    ----------
    loci : ndarray (SNPs, 6) of float64
        `LOCUS_COLUMNS`.
    pairs : ndarray (pairs, 2) of int64
        Places of the SNPs.
    of_pairs : ndarray (pairs, 3) of float64
        Effect, its SD over the folds, and the SD that it adds to the trait.
    q_values : ndarray (pairs,) of float64 or None
    """

    loci: np.ndarray
    pairs: np.ndarray
    of_pairs: np.ndarray
    q_values: np.ndarray | None

    def pair(self, one: int, other: int) -> StoredPair | None:
        """Of two places in either order; None where it is not among the strongest."""
        row = self._rows.get((min(one, other), max(one, other)))
        return None if row is None else self._stored(row)

    def partners(self, snp: int, most: int) -> list[tuple[int, StoredPair]]:
        """The strongest pairs of a SNP, by the place of the other one."""
        rows = np.flatnonzero((self.pairs == snp).any(axis=1))[:most]
        return [(int(self.pairs[row].sum() - snp), self._stored(int(row))) for row in rows]

    def loci_to_arrow(self, ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.Table:
        """The columns of ``decomposition.parquet``."""
        numbers = zip(LOCUS_COLUMNS, self.loci.T.astype(np.float32), strict=True)
        return pa.table({"id": texts(ids), **dict(numbers)})

    def pairs_to_arrow(self) -> pa.Table:
        """The columns of ``epistasis.parquet``."""
        columns = {f"snp_{at}": pa.array(self.pairs[:, k], pa.int32()) for k, at in enumerate("ab")}
        columns |= zip(_PAIR_COLUMNS, self.of_pairs.T.astype(np.float32), strict=True)
        if self.q_values is not None:
            columns["q_value"] = self.q_values.astype(np.float32)
        return pa.table(columns)

    @staticmethod
    def read(
        loci: bytes, pairs: bytes, folder: Path, ids: Sequence[str], names: tuple[str, str]
    ) -> "DecompositionTables":
        """Both tables of a bundle; InvalidBundle where they are not of these SNPs.

        Parameters
        ----------
        loci, pairs : bytes
        folder : Path
            Of the bundle, for messages.
        ids : sequence of str
            Of the model's SNPs.
        names : (str, str)
            Of both files.
        """
        of_loci, of_pairs = (folder / name for name in names)
        kinds = {"id": TEXT, **dict.fromkeys(LOCUS_COLUMNS, NUMBERS)}
        columns = Columns(loci, of_loci, kinds=kinds, n_rows=len(ids))
        if list(columns.texts("id", nullable=False)) != list(ids):
            raise InvalidBundle(f"{of_loci}: its ids are not those of the model's SNPs")
        table = columns.matrix(LOCUS_COLUMNS)
        if (table[:, 1::2] < 0).any() or (table[:, 4] < 0).any():
            raise InvalidBundle(f"{of_loci}: found a negative SD or variance")
        kinds = {"snp_a": WHOLE, "snp_b": WHOLE, **dict.fromkeys(_PAIR_COLUMNS, NUMBERS)}
        columns = Columns(pairs, of_pairs, kinds=kinds, optional={"q_value": NUMBERS})
        places = columns.whole(["snp_a", "snp_b"], 0, len(ids) - 1)
        numbers = columns.matrix(_PAIR_COLUMNS)
        q = columns.matrix(["q_value"])[:, 0] if columns.has("q_value") else None
        if len(places) > MAX_PAIRS:
            raise InvalidBundle(f"{of_pairs}: found {len(places):,} pairs, at most {MAX_PAIRS:,}")
        if (places[:, 0] >= places[:, 1]).any() or len(np.unique(places, axis=0)) < len(places):
            raise InvalidBundle(f"{of_pairs}: expected pairs of two SNPs in order, each once")
        if (numbers[:, 1:] < 0).any() or (np.diff(numbers[:, 2]) > 0).any():
            raise InvalidBundle(f"{of_pairs}: expected SDs of 0 or more, the strongest pair first")
        if q is not None and not ((q >= 0) & (q <= 1)).all():
            raise InvalidBundle(f"{of_pairs}: found a q-value that is not from 0 to 1")
        return DecompositionTables(table, places, numbers, q)

    @cached_property
    def _rows(self) -> dict[tuple[int, int], int]:
        return {(a, b): row for row, (a, b) in enumerate(self.pairs.tolist())}

    def _stored(self, row: int) -> StoredPair:
        q = None if self.q_values is None else float(self.q_values[row])
        effect, sd, trait_sd = self.of_pairs[row].tolist()
        return StoredPair(effect, sd, trait_sd, q)
