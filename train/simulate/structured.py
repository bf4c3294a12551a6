"""The design of Hao et al. (2016) as Tran and Blei (2018) and the DeepLIFT paper took it up.

``x_mn ~ Binomial(2, π_mn)``, ``π = Γ S``: the frequencies of a SNP are a mixture over two axes of
ancestry. S has the rows Beta(a, a), Beta(a, a) and 1. Γ is read in two ways:

- ``code``, Tran and Blei's program: 0.45 U(0, 1), 0.45 U(0, 1), 0.05; π stays below 1.
- ``written``, the text: U(0, 0.5), U(0, 0.5), 0.5; π reaches 1.5 and is cut at 1.

The trait: ``logit P(y = 1) = Σ β x + λ + ε`` with β ~ N(0, 1) of the first SNPs, λ the number of
the sample's cluster (K-means, K = 3, on S), and ε ~ N(0, σ²_k) with σ²_k ~ InverseGamma(3, 1) of
that cluster. It has no intercept, so that cases may be nearly all or nearly none; centred, they are
about half.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from train.simulate.lines import Lines, even_sites, sample_names

READINGS = ("code", "written")

_CLUSTERS = 3


class Structured(Lines):
    """Genotypes of admixed samples.

    Parameters
    ----------
    n_samples, n_snps : int
    a : float
        Of the Beta distribution: small values make distinct populations.
    reading : str
        One of `READINGS`.
    seed : int

    Attributes
    ----------
    ancestry : ndarray (samples, 2) of float64
        The rows of S that are not 1.
    """

    def __init__(self, n_samples: int, n_snps: int, *, a: float, reading: str, seed: int):
        self.samples, self.sites = sample_names(n_samples), even_sites(n_snps, 10)
        self._seed = seed
        random = np.random.default_rng([seed, 1])
        half = 0.45 if reading == "code" else 0.5
        third = 0.05 if reading == "code" else 0.5
        self._gamma = np.column_stack([half * random.random((n_snps, 2)), np.full(n_snps, third)])
        self.ancestry = random.beta(a, a, (n_samples, 2))

    def snps(self) -> Iterator[np.ndarray]:
        """See `Lines`."""
        random = np.random.default_rng([self._seed, 2])
        s = np.column_stack([self.ancestry, np.ones(len(self.ancestry))]).T
        for gamma in self._gamma:
            share = np.minimum(gamma @ s, 1).astype(np.float32)
            drawn = random.random((2, len(share)), np.float32) < share
            yield drawn.sum(axis=0, dtype=np.int8)


@dataclass(frozen=True)
class StructuredTrait:
    """The published trait and its truth.

    Attributes
    ----------
    y : ndarray (samples,) of float64
        0 or 1.
    effects : ndarray (causal,) of float64
        β of the first SNPs.
    cluster : ndarray (samples,) of int64
        λ.
    """

    y: np.ndarray
    effects: np.ndarray
    cluster: np.ndarray


def structured_trait(
    causal: np.ndarray, ancestry: np.ndarray, *, seed: int, centred: bool
) -> StructuredTrait:
    """Draw the trait.

    Parameters
    ----------
    causal : ndarray (samples, causal) of int8
        The first SNPs.
    ancestry : ndarray (samples, 2)
    centred : bool
        Whether the mean of the linear predictor is taken off.
    """
    from sklearn.cluster import KMeans

    random = np.random.default_rng([seed, 3])
    cluster = KMeans(_CLUSTERS, n_init=4, random_state=seed).fit_predict(ancestry)
    effects = random.standard_normal(causal.shape[1])
    spread = 1 / random.gamma(3.0, 1.0, _CLUSTERS)
    score = causal @ effects + cluster
    score = score + random.standard_normal(len(score)) * np.sqrt(spread[cluster])
    if centred:
        score = score - score.mean()
    y = random.random(len(score)) < 0.5 * (1 + np.tanh(0.5 * score))
    return StructuredTrait(y.astype(np.float64), effects, cluster.astype(np.int64))
