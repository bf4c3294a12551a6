"""The score of fold models that are dense networks, as numbers, and its shares per SNP.

A fold's network takes standardised copies of some SNPs, 0 for a missing genotype, then
standardised covariates, 0 where one is missing, then principal components:

    x = ((copies_j − mean_j) / sd_j of j in S, (c_k − mean_k) / sd_k, Σ_j (copies_j − mean_j) L_j)

and `snpredict.formulas.dense_layers` makes the score of it. Components are sums over all SNPs, so
that what a component adds is shared out among them exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from snpredict.formulas.dense_layers import DenseEnsemble, DenseLayers
from snpredict.formulas.encoding import N_CHANNELS, centred_codes, channel_of
from snpredict.formulas.genotypes import Genotypes


@dataclass(frozen=True)
class DenseInputs:
    """From what is seen of a sample to the inputs of a network.

    Attributes
    ----------
    snps : ndarray (inputs,) of int64
        Places of the SNPs that go in one by one.
    means : ndarray (SNPs,) of float32
        Mean copies in the training rows, of all SNPs of the model.
    sds : ndarray (inputs,) of float32
        Of the SNPs that go in.
    covariate_means, covariate_sds : ndarray (numbers,)
        Of the numbers that covariates are coded as.
    loadings : ndarray (SNPs, components) of float32
        Per copy.
    """

    snps: np.ndarray
    means: np.ndarray
    sds: np.ndarray
    covariate_means: np.ndarray
    covariate_sds: np.ndarray
    loadings: np.ndarray

    @property
    def n_snps(self) -> int:
        """SNPs that go in one by one, the first of the inputs."""
        return len(self.snps)

    @property
    def n_covariates(self) -> int:
        """Numbers of covariates, the inputs behind the SNPs; components are the last."""
        return len(self.covariate_means)

    def only(self, which: np.ndarray) -> "DenseInputs":
        """With some of the SNPs going in, by mask or places; components are still of all."""
        return replace(self, snps=self.snps[which], sds=self.sds[which])

    def of_snps(self, genotypes: Genotypes) -> np.ndarray:
        """Standardised genotypes, (samples, inputs of SNPs) float32."""
        return genotypes.snps(self.snps).centred(self.means[self.snps]) / self.sds

    def of_others(self, genotypes: Genotypes, covariates: np.ndarray | None) -> np.ndarray:
        """Covariates, then components, (samples, numbers) float32.

        Parameters
        ----------
        genotypes : Genotypes
            Of all SNPs.
        covariates : ndarray (samples, numbers), or None
            NaN for a missing value; None where all are missing.
        """
        numbers = np.zeros((len(genotypes), self.n_covariates), np.float32)
        if covariates is not None:
            away = (covariates - self.covariate_means) / self.covariate_sds
            numbers[:] = np.nan_to_num(away, nan=0.0)
        parts = [numbers]
        if self.loadings.shape[1]:
            parts.append(genotypes.centred(self.means) @ self.loadings)
        return np.concatenate(parts, axis=1)

    def of(self, genotypes: Genotypes, covariates: np.ndarray | None = None) -> np.ndarray:
        """All of them side by side, (samples, inputs) float32."""
        return np.concatenate(
            [self.of_snps(genotypes), self.of_others(genotypes, covariates)], axis=1
        )

    def average(self, frequencies: np.ndarray) -> np.ndarray:
        """Average copies less the means of the fold, gaps at the latter: (SNPs,) float64.

        Parameters
        ----------
        frequencies : ndarray (SNPs, 4)
            Channel order; rows add up to 1.
        """
        return (frequencies * centred_codes(self.means.astype(np.float64))).sum(axis=1)


@dataclass(frozen=True)
class DenseFold:
    """One fold's networks and what goes into them."""

    inputs: DenseInputs
    layers: DenseLayers | DenseEnsemble


@dataclass(frozen=True)
class DenseFunction:
    """The networks of all folds.

    Attributes
    ----------
    folds : sequence of DenseFold
    """

    folds: Sequence[DenseFold]

    @property
    def n_folds(self) -> int:
        """Number of fold models."""
        return len(self.folds)

    @property
    def n_covariates(self) -> int:
        """Numbers that covariates are coded as."""
        return self.folds[0].inputs.n_covariates

    def only(self, fold: int) -> "DenseFunction":
        """The fold model at that place by itself."""
        return DenseFunction([self.folds[fold]])

    def scores(self, genotypes: Genotypes, covariates: np.ndarray | None = None) -> np.ndarray:
        """Scores (samples, folds) float64."""
        z = [f.layers.scores(f.inputs.of(genotypes, covariates))[:, 0] for f in self.folds]
        return np.stack(z, axis=1).astype(np.float64)

    def reference(self, frequencies: np.ndarray) -> np.ndarray:
        """Scores (folds,) of the average genotype of a population and average covariates."""
        z = [f.layers.scores(_average_inputs(f.inputs, frequencies))[0, 0] for f in self.folds]
        return np.array(z, np.float64)

    def steps(
        self,
        fold: int,
        genotypes: Genotypes,
        covariates: np.ndarray | None,
        frequencies: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """What leads from the score of the average sample to those of samples, by DeepLIFT.

        Parameters
        ----------
        fold : int
        genotypes : Genotypes
        covariates : ndarray (samples, numbers), or None
        frequencies : ndarray (SNPs, 4)

        Returns
        -------
        (ndarray (samples, SNPs), ndarray (samples, numbers)) of float64
            Of the SNPs and of the numbers that covariates are coded as; with the reference's score
            they add up to the sample's.
        """
        inputs, layers = self.folds[fold].inputs, self.folds[fold].layers
        reference = _average_inputs(inputs, frequencies)
        x = inputs.of(genotypes, covariates).astype(np.float64)
        each = layers.multipliers(x, reference) * (x - reference)
        ends = np.cumsum([inputs.n_snps, inputs.n_covariates])
        by_snp, by_number, by_component = np.split(each, ends, axis=1)
        steps = np.zeros((len(x), genotypes.n_snps))
        steps[:, inputs.snps] = by_snp
        if by_component.shape[1]:
            # What a component adds, per unit of it, and its unit's share per copy.
            away = x[:, ends[1] :] - reference[:, ends[1] :]
            rate = np.divide(by_component, away, out=np.zeros_like(away), where=away != 0)
            copies = genotypes.centred(inputs.means) - inputs.average(frequencies)
            steps += (rate @ inputs.loadings.T) * copies
        return steps, by_number

    def average_steps(self, frequencies: np.ndarray, snps: np.ndarray) -> np.ndarray:
        """What each genotype of some SNPs changes the folds' scores by in the average sample.

        Parameters
        ----------
        frequencies : ndarray (SNPs, 4)
        snps : ndarray (n,) of int
            Their places.

        Returns
        -------
        ndarray (n, 4, folds) of float64, channel order
        """
        found = np.zeros((len(snps), N_CHANNELS, self.n_folds))
        for fold, (inputs, layers) in enumerate((f.inputs, f.layers) for f in self.folds):
            reference = _average_inputs(inputs, frequencies)
            now = layers.scores(reference)[0, 0]
            away = centred_codes(inputs.means.astype(np.float64))
            away -= inputs.average(frequencies)[:, None]
            place = np.full(len(inputs.means), -1)
            place[inputs.snps] = np.arange(inputs.n_snps)
            for row, snp in enumerate(snps):
                if place[snp] < 0 and not inputs.loadings[snp].any():
                    continue
                x = np.repeat(reference, N_CHANNELS, axis=0)
                if place[snp] >= 0:
                    x[:, place[snp]] += away[snp] / inputs.sds[place[snp]]
                x[:, inputs.n_snps + inputs.n_covariates :] += np.outer(
                    away[snp], inputs.loadings[snp]
                )
                found[row, :, fold] = layers.scores(x)[:, 0] - now
        return found

    def scores_in_average_line(
        self, frequencies: np.ndarray, snps: np.ndarray, codes: np.ndarray
    ) -> np.ndarray:
        """See `snpredict.formulas.average_line`; covariates are at the means of the folds."""
        found = np.empty((len(codes), self.n_folds))
        channels = channel_of(codes)
        for fold, (inputs, layers) in enumerate((f.inputs, f.layers) for f in self.folds):
            x = np.repeat(_average_inputs(inputs, frequencies), len(codes), axis=0)
            average = inputs.average(frequencies)
            of_channels = centred_codes(inputs.means.astype(np.float64))
            for at, snp in enumerate(snps):
                away = of_channels[snp, channels[:, at]] - average[snp]
                for place in np.flatnonzero(inputs.snps == snp):
                    x[:, place] += away / inputs.sds[place]
                first = inputs.n_snps + inputs.n_covariates
                x[:, first:] += np.outer(away, inputs.loadings[snp])
            found[:, fold] = layers.scores(x)[:, 0]
        return found


def _average_inputs(inputs: DenseInputs, frequencies: np.ndarray) -> np.ndarray:
    """Inputs (1, inputs) of the average sample; covariates are at the means of the fold."""
    copies = inputs.average(frequencies)
    parts = [
        copies[inputs.snps] / inputs.sds,
        np.zeros(inputs.n_covariates),
        copies @ inputs.loadings,
    ]
    return np.concatenate(parts)[None]
