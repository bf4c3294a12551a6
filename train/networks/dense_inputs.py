"""What goes into a dense network: standardised genotypes, covariates, principal components."""

from dataclasses import dataclass, replace

import numpy as np

from train.data.covariates import CovariateScale
from train.model import Inputs


@dataclass(frozen=True)
class Encoder:
    """From what is seen of a line to the inputs of the network.

    Attributes
    ----------
    snps : ndarray (inputs,) of int64
        Places of the SNPs that go in.
    means, sds : ndarray (SNPs,) of float32
        Of the copies in the training rows, of all SNPs; 1 where a SNP does not vary.
    loadings : ndarray (SNPs, components) of float32
        From standardised genotypes of all SNPs to components of SD 1 in the training rows.
    covariates : CovariateScale or None
    """

    snps: np.ndarray
    means: np.ndarray
    sds: np.ndarray
    loadings: np.ndarray
    covariates: CovariateScale | None

    @staticmethod
    def of(train: Inputs, components: int, seed: int) -> "Encoder":
        """By training rows."""
        means = train.genotypes.means()
        x = train.genotypes.centred(means)
        sds = np.sqrt(np.einsum("ij,ij->j", x, x, dtype=np.float64) / len(x))
        sds = np.where(sds > 0, sds, 1).astype(np.float32)
        scale = None if train.covariates is None else CovariateScale.of(train.covariates)
        loadings = np.zeros((x.shape[1], 0), np.float32)
        if components:
            loadings = _loadings(x / sds, components, seed)
        return Encoder(np.arange(x.shape[1]), means, sds, loadings, scale)

    def only(self, snps: np.ndarray) -> "Encoder":
        """With some of the SNPs going in; components are still of all of them."""
        return replace(self, snps=snps)

    def genotypes(self, inputs: Inputs) -> np.ndarray:
        """Standardised genotypes that go in, (samples, inputs) float32."""
        chosen = inputs.genotypes.snps(self.snps)
        return chosen.centred(self.means[self.snps]) / self.sds[self.snps]

    def others(self, inputs: Inputs) -> np.ndarray:
        """Covariates, then components, (samples, numbers) float32."""
        parts = [np.zeros((len(inputs), 0), np.float32)]
        if self.covariates is not None:
            assert inputs.covariates is not None
            parts.append(self.covariates.standardised(inputs.covariates).astype(np.float32))
        if self.loadings.shape[1]:
            x = inputs.genotypes.centred(self.means)
            parts.append(x @ (self.loadings / self.sds[:, None]))
        return np.concatenate(parts, axis=1)

    def inputs(self, inputs: Inputs) -> np.ndarray:
        """All of them side by side, (samples, inputs) float32."""
        return np.concatenate([self.genotypes(inputs), self.others(inputs)], axis=1)


def _loadings(x: np.ndarray, components: int, seed: int) -> np.ndarray:
    """Loadings of the first components, each of SD 1 in the rows of x."""
    from sklearn.utils.extmath import randomized_svd

    count = min(components, *x.shape)
    _, sizes, axes = randomized_svd(x, count, random_state=seed % 2**32)
    kept = sizes > 1e-6 * sizes[:1]
    return (axes[kept].T / sizes[kept] * len(x) ** 0.5).astype(np.float32)
