"""Families from genotypes, for a table that does not name them."""

from collections.abc import Sequence

import numpy as np

from snpredict.formulas.genotypes import Genotypes
from train.data.dataset import Dataset, TraitTable
from train.data.folds import family_folds
from train.errors import TrainingTableError

_MOST_FOLDS = 10
_FEWEST_FAMILIES = 3
#: Genotype clusters per fold, where no column names the families.
_CLUSTERS_PER_FOLD = 4

_COMPONENTS = 20


def genotype_clusters(codes: np.ndarray, n_clusters: int, seed: int) -> list[str]:
    """Clusters of samples that are alike, as stand-ins for families.

    k-means on the first principal components of the centred codes (gaps at the mean). Genotypes of
    all rows are used, those of test rows too: the labels say how rows are split and grouped, and
    no phenotype has a part in it.

    Parameters
    ----------
    codes : ndarray (samples, SNPs) of int8

    Returns
    -------
    list of str
        ``"cluster 01"`` …, one per sample.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    genotypes = Genotypes(codes)
    x = genotypes.centred(genotypes.means())
    n_components = min(_COMPONENTS, *x.shape)
    scores = PCA(n_components, svd_solver="randomized", random_state=seed).fit_transform(x)
    labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(scores)
    return [f"cluster {label + 1:02d}" for label in labels]


def families_of(data: Dataset | TraitTable, seed: int) -> tuple[list[str], str]:
    """A family per sample, and where they come from: the table, or else genotype clusters."""
    if data.families is not None:
        return data.families, "column"

    n_clusters = min(_CLUSTERS_PER_FOLD * _MOST_FOLDS, len(data.samples) // 4)
    if n_clusters < _FEWEST_FAMILIES:
        raise TrainingTableError(
            f"{data.source} has no families, and {len(data.samples)} samples are too few to "
            "cluster by genotype",
            "leave --new-families out, or name the families with --family-column",
        )
    families = genotype_clusters(data.codes, n_clusters, seed)
    return families, f"{len(set(families))} genotype clusters"


def left_out_folds(families: Sequence[str], source: str, seed: int) -> np.ndarray:
    """Folds 1..K of whole families: ten, or one per family where there are fewer.

    Parameters
    ----------
    families : sequence of str
        Per sample.
    source : str
        The table's name, for messages.

    Raises
    ------
    TrainingTableError
        Fewer than three families: one to test, one to validate, one to train.
    """
    n_families = len(set(families))
    if n_families < _FEWEST_FAMILIES:
        raise TrainingTableError(
            f"{source} has {n_families} families; leaving families out needs at least "
            f"{_FEWEST_FAMILIES}",
            "leave --new-families out",
        )
    return family_folds(families, min(_MOST_FOLDS, n_families), seed)
