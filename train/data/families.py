"""Families from genotypes, for a table that does not name them."""

import numpy as np

from train.baselines.kernels import training_means
from train.baselines.ridge import centered

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

    x = centered(codes, training_means(codes))
    n_components = min(_COMPONENTS, *x.shape)
    scores = PCA(n_components, svd_solver="randomized", random_state=seed).fit_transform(x)
    labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(scores)
    return [f"cluster {label + 1:02d}" for label in labels]
