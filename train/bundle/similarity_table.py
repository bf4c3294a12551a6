"""The table that tells how far a sample is from the training set, and what distance costs.

See `snpredict.formulas.similarity` for the distance itself.
"""

import numpy as np

from snpredict.bundle.entries import DistanceErrors, GroupErrors, SimilarityEntry
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.similarity import MAX_LOADING, STEPS, UNLIKE_BEYOND, SimilarityTable
from train.data.folds import random_folds
from train.metrics import pearson

#: SNPs of the table, at most: every k-th of the model's.
TABLE_SNPS = 1100

#: Components, at most.
COMPONENTS = 128

#: Share of the trait's variance that the distance assumes to be additive.
_HERITABILITY = 0.5


def similarity_table(codes: np.ndarray) -> SimilarityTable | None:
    """The table of a training set.

    Parameters
    ----------
    codes : ndarray (samples, SNPs) of int8

    Returns
    -------
    SimilarityTable or None
        None where no SNP varies.
    """
    step = -(-codes.shape[1] // TABLE_SNPS)
    chosen = np.arange(step // 2, codes.shape[1], step)
    genotypes = codes[:, chosen]
    called = genotypes != MISSING
    n_called = called.sum(axis=0)
    sums = np.where(called, genotypes, 0).sum(axis=0)
    means = np.rint(STEPS * sums / np.maximum(n_called, 1)).astype(np.int64)
    x = np.where(called, STEPS * genotypes.astype(np.float32) - means.astype(np.float32), 0)
    variances = (x.astype(np.float64) ** 2).sum(axis=0) / np.maximum(n_called, 1)
    varies = (genotypes.max(axis=0) > np.where(called, genotypes, 2).min(axis=0)) & (variances > 0)
    if not varies.any():
        return None
    chosen, means, variances, x = chosen[varies], means[varies], variances[varies], x[:, varies]
    # float32 holds every product of two such numbers, and their sums nearly.
    values, vectors = np.linalg.eigh((x.T @ x).astype(np.float64))
    size = min(COMPONENTS, len(codes) - 1, len(chosen))
    values, vectors = values[::-1][:size], vectors[:, ::-1][:, :size]
    ratio = (1 - _HERITABILITY) / _HERITABILITY
    weights = np.maximum(values, 0) / (np.maximum(values, 0) + ratio * variances.sum())
    scaled = vectors * np.sqrt(weights)
    scale = float(np.abs(scaled).max()) / MAX_LOADING
    return SimilarityTable(
        snps=chosen,
        means=means,
        variances=variances,
        loadings=np.rint(scaled / scale).astype(np.int64),
        scale=scale,
    )


def held_out_distances(codes: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Distance of every row from a table that was made without the rows of its fold.

    Parameters
    ----------
    codes : ndarray (samples, SNPs) of int8
    folds : ndarray (samples,) of int

    Returns
    -------
    ndarray (samples,) of float64
        NaN where too little is called, or no SNP varies in the other folds.
    """
    distances = np.full(len(codes), np.nan)
    for fold in np.unique(folds):
        test = folds == fold
        table = similarity_table(codes[~test])
        if table is not None:
            distances[test] = table.distances(Genotypes(codes[test]))
    return distances


def known_family_folds(folds: np.ndarray, scheme: str, seed: int) -> np.ndarray:
    """Folds for the distances: the run's own, but never folds of whole families.

    A percentile compares a sample with lines whose siblings are in training; lines of families
    left out are farther away, and would make strangers look familiar.
    """
    if scheme != "family":
        return folds
    return random_folds(len(folds), int(folds.max()), seed)


def errors_by_distance(
    observed: np.ndarray, predicted: np.ndarray, distances: np.ndarray, limit: float
) -> DistanceErrors:
    """How well samples beyond a distance are predicted, and the others.

    Parameters
    ----------
    observed, predicted : ndarray (samples,)
        Trait units; out-of-fold predictions.
    distances : ndarray (samples,)
        From a table made without the sample's fold; rows with NaN are left out.

    Returns
    -------
    DistanceErrors
        The interval of the ratio is from the standard errors of both means.
    """
    known = np.isfinite(distances) & np.isfinite(observed) & np.isfinite(predicted)
    far = known & (distances > limit)
    near = known & ~far
    error = np.abs(predicted - observed)
    ratios: tuple[float, ...] | tuple[None, ...] = (None, None, None)
    if far.sum() > 1 and near.sum() > 1 and error[near].mean() > 0 and error[far].mean() > 0:
        ratio = error[far].mean() / error[near].mean()
        # Relative standard errors of a quotient add as squares.
        spread = np.sqrt(
            sum(error[at].var(ddof=1) / at.sum() / error[at].mean() ** 2 for at in (far, near))
        )
        low, high = max(0.0, 1 - 1.96 * spread), 1 + 1.96 * spread
        ratios = (float(ratio), float(ratio * low), float(ratio * high))
    return DistanceErrors(
        _figures(observed[far], predicted[far]), _figures(observed[near], predicted[near]), *ratios
    )


def _figures(observed: np.ndarray, predicted: np.ndarray) -> GroupErrors:
    if not len(observed):
        return GroupErrors(0, None, None, None)
    error = predicted - observed
    pcc = pearson(predicted, observed)
    return GroupErrors(
        n=len(observed),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        pcc=pcc if np.isfinite(pcc) else None,
    )


def distance_limit(distances: np.ndarray) -> float:
    """The `UNLIKE_BEYOND` quantile of held-out distances, as `Similarity.limit` takes it."""
    return float(np.quantile(distances[np.isfinite(distances)], UNLIKE_BEYOND, method="higher"))


def manifest_entry(
    table: SimilarityTable,
    observed: np.ndarray,
    predicted: np.ndarray,
    distances: np.ndarray,
) -> SimilarityEntry:
    """The table's scale, and the errors of the run's own rows."""
    limit = distance_limit(distances)
    return SimilarityEntry(
        components=table.loadings.shape[1],
        scale=table.scale,
        limit=limit,
        errors=errors_by_distance(observed, predicted, distances, limit),
    )
