"""``similarity.parquet`` and the distances of the training samples, as one `Similarity`."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from snpredict.bundle.manifest import SimilarityEntry
from snpredict.bundle.out_of_fold import OutOfFold
from snpredict.bundle.parquet_columns import NUMBERS, WHOLE, Columns
from snpredict.errors import InvalidBundle
from snpredict.formulas.sample_rates import rate_limits
from snpredict.formulas.similarity import (
    MAX_LOADING,
    MAX_SNPS,
    STEPS,
    UNLIKE_BEYOND,
    Similarity,
    SimilarityTable,
)

#: Mean squares of codes, in squared steps.
_VARIANCES = (1e-6, (2 * STEPS) ** 2)


def _loading_names(components: int) -> list[str]:
    return [f"pc_{number:03d}" for number in range(1, components + 1)]


def similarity_to_arrow(table: SimilarityTable) -> pa.Table:
    """The columns of the file."""
    loadings = zip(_loading_names(table.loadings.shape[1]), table.loadings.T, strict=True)
    return pa.table(
        {
            "snp": pa.array(table.snps, pa.int32()),
            "mean": pa.array(table.means, pa.int8()),
            "variance": pa.array(table.variances, pa.float32()),
            **{name: pa.array(values, pa.int8()) for name, values in loadings},
        }
    )


def read_similarity(
    content: bytes, path: Path, entry: SimilarityEntry, n_snps: int
) -> SimilarityTable:
    """The table of a bundle; InvalidBundle where it holds anything out of range.

    Parameters
    ----------
    content : bytes
    path : Path
    entry : SimilarityEntry
        What the manifest says of it.
    n_snps : int
        Of the model.
    """
    loadings = _loading_names(entry.components)
    columns = Columns(
        content,
        path,
        kinds={"snp": WHOLE, "mean": WHOLE, "variance": NUMBERS, **dict.fromkeys(loadings, WHOLE)},
    )
    table = SimilarityTable(
        snps=columns.whole(["snp"], 0, n_snps - 1)[:, 0],
        means=columns.whole(["mean"], 0, 2 * STEPS)[:, 0],
        variances=columns.matrix(["variance"])[:, 0],
        loadings=columns.whole(loadings, -MAX_LOADING, MAX_LOADING),
        scale=entry.scale,
    )
    if len(table.snps) > MAX_SNPS or (np.diff(table.snps) <= 0).any():
        raise InvalidBundle(
            f"{path}: expected at most {MAX_SNPS} SNPs in ascending order, each once"
        )
    least, most = _VARIANCES
    if not ((table.variances >= least) & (table.variances <= most)).all():
        raise InvalidBundle(f"{path}: column 'variance' holds numbers outside {least} to {most}")
    return table


def similarity_of(table: SimilarityTable, training: OutOfFold, path: Path) -> Similarity:
    """The table together with its training samples; InvalidBundle where these have no distance.

    Parameters
    ----------
    table : SimilarityTable
    training : OutOfFold
    path : Path
        Of the training samples, for messages.
    """
    if training.distance is None:
        raise InvalidBundle(f"{path} has no column 'distance', which the table of similarity needs")
    known = np.sort(training.distance[~np.isnan(training.distance)])
    if not len(known) or not (np.isfinite(known).all() and known[0] >= 0):
        raise InvalidBundle(f"{path}: column 'distance' holds no distances")
    rates = training.rates
    return Similarity(table, known, None if rates is None else rate_limits(rates, UNLIKE_BEYOND))
