"""What goes into a dense network, by the training rows."""

import numpy as np

from snpredict.formulas.dense_function import DenseInputs
from train.data.covariates import CovariateScale
from train.model import Inputs


def inputs_by(train: Inputs, components: int, seed: int) -> DenseInputs:
    """All SNPs, covariates and so many principal components, standardised in training rows."""
    means = train.genotypes.means()
    x = train.genotypes.centred(means)
    sds = np.sqrt(np.einsum("ij,ij->j", x, x, dtype=np.float64) / len(x))
    sds = np.where(sds > 0, sds, 1).astype(np.float32)
    covariates = np.zeros((len(x), 0)) if train.covariates is None else train.covariates
    scale = CovariateScale.of(covariates)
    loadings = np.zeros((x.shape[1], 0), np.float32)
    if components:
        loadings = _loadings(x / sds, components, seed) / sds[:, None]
    return DenseInputs(np.arange(x.shape[1]), means, sds, scale.means, scale.sds, loadings)


def _loadings(x: np.ndarray, components: int, seed: int) -> np.ndarray:
    """Loadings of the first components, each of SD 1 in the rows of x."""
    from sklearn.utils.extmath import randomized_svd

    count = min(components, *x.shape)
    _, sizes, axes = randomized_svd(x, count, random_state=seed % 2**32)
    kept = sizes > 1e-6 * sizes[:1]
    return (axes[kept].T / sizes[kept] * len(x) ** 0.5).astype(np.float32)
