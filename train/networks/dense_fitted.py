"""The dense networks of a fold, trained: what they predict, and what a run folder keeps of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.dense_function import DenseInputs
from snpredict.formulas.dense_layers import DenseEnsemble, DenseLayers
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import sigmoid
from train.attribution.explained import NO_SNP, Explained, ExplainedDense
from train.model import FittedModel, FoldData, Inputs
from train.networks.proximal import Rows
from train.parity import parity_genotypes, require_parity


class FittedDense(FittedModel):
    """The averaged networks of a fold.

    Attributes
    ----------
    encoder : DenseInputs
    networks : list of DenseLayers
        Those that are averaged; their inputs are what `encoder.of` gives.
    slope, intercept : float
        From their mean score to the score that the prediction is made of.
    """

    def __init__(
        self,
        encoder: DenseInputs,
        networks: list[DenseLayers],
        center: float,
        scale: float,
        data: FoldData,
        chosen: dict[str, Any],
    ):
        # Of SNPs without a weight in any of the networks nothing is kept.
        n = len(encoder.snps)
        used = np.any([(net.kernels[0][:n] != 0).any(axis=1) for net in networks], axis=0)
        rows = np.concatenate([used, np.ones(networks[0].n_inputs - n, bool)])
        self.encoder = encoder.only(used)
        self.networks = [
            DenseLayers([net.kernels[0][rows], *net.kernels[1:]], net.biases, net.leak)
            for net in networks
        ]
        self.center, self.scale, self.chosen = center, scale, [chosen]
        self.slope, self.intercept = 1.0, 0.0
        self._used, self._binary = used, data.task == BINARY
        self._fold, self._seed, self._n_snps = data.fold, data.seed, data.train.genotypes.n_snps

    def calibrated(self, validation: Rows) -> "FittedDense":
        """With slope and intercept of the logit fitted to validation rows.

        Where the score does not rise with the trait there, all that remains is the share of 1.
        """
        from sklearn.linear_model import LogisticRegression

        y = validation.targets[:, 0]
        share = np.clip(y.mean(), 0.5 / len(y), 1 - 0.5 / len(y))
        self.slope, self.intercept = 0.0, float(np.log(share / (1 - share)))
        x = np.concatenate([validation.snps[:, self._used], validation.others], axis=1)
        score = DenseEnsemble(self.networks).scores(x).astype(np.float64)
        if 0 < y.mean() < 1 and np.ptp(score) > 0:
            found = LogisticRegression(C=np.inf, tol=1e-8).fit(score, y)
            if found.coef_[0, 0] > 0:
                self.slope, self.intercept = float(found.coef_[0, 0]), float(found.intercept_[0])
        self.chosen[0] |= {"slope": self.slope, "intercept": self.intercept}
        return self

    def calibrated_networks(self) -> list[DenseLayers]:
        """Networks from the inputs to scores whose mean is the score of the fold."""
        slope, intercept = np.float32(self.slope), np.float32(self.intercept)
        return [
            DenseLayers(
                [*net.kernels[:-1], net.kernels[-1] * slope],
                [*net.biases[:-1], net.biases[-1] * slope + intercept],
                net.leak,
            )
            for net in self.networks
        ]

    def network(self) -> DenseEnsemble:
        """The averaged networks as one, from the inputs to the score."""
        return DenseEnsemble(self.calibrated_networks())

    def scores(self, inputs: Inputs) -> np.ndarray:
        """Scores (samples,) float64: logits, or standardised predictions."""
        return self.network().scores(self._inputs(inputs))[:, 0].astype(np.float64)

    def _inputs(self, inputs: Inputs) -> np.ndarray:
        return self.encoder.of(inputs.genotypes, inputs.covariates)

    def predict(self, inputs: Inputs) -> np.ndarray:
        """Probabilities, or trait units."""
        z = self.scores(inputs)
        return (sigmoid(z) if self._binary else self.center + self.scale * z)[:, None]

    def explained(self) -> tuple[Explained, Callable[[Inputs], np.ndarray]]:
        """The averaged network; covariates and components are inputs of no SNP."""
        network = self.network()
        snps = self.encoder.snps
        others = np.full(network.n_inputs - len(snps), NO_SNP)
        places = np.concatenate([snps, others])
        return ExplainedDense(network, self._n_snps, places), self._inputs

    def save(self, folder: Path, test: Inputs) -> dict[str, Any]:
        """Write ``saliency.npz``, and ``model.onnx``, held against the network.

        Saliency is the mean absolute derivative by a SNP's copies over the test rows; of one input
        per SNP the centred one is the same.

        Raises
        ------
        ParityError
            They disagree.
        """
        from snpredict.scoring.onnx_session import open_session
        from train.networks.dense_onnx import dense_onnx

        saliency = np.zeros(self._n_snps)
        gradients = np.abs(self.network().gradients(self._inputs(test))).mean(axis=0)
        snps = self.encoder.snps
        saliency[snps] = gradients[: len(snps)] / self.encoder.sds
        np.savez(folder / "saliency.npz", saliency=saliency, centered=saliency)
        scale = None if self._binary else (self.center, self.scale)
        onnx = dense_onnx(self.encoder, self.calibrated_networks(), scale)
        (folder / "model.onnx").write_bytes(onnx)
        codes = parity_genotypes(self._n_snps, self._seed)
        feeds: dict[str, np.ndarray] = {"genotypes": codes}
        covariates = None
        if width := self.encoder.n_covariates:
            covariates = np.random.default_rng(self._seed).normal(size=(len(codes), width))
            covariates = covariates * self.encoder.covariate_sds + self.encoder.covariate_means
            covariates[:2] = np.nan
            feeds["covariates"] = covariates.astype(np.float32)
        by_onnx = open_session(onnx, 1).run(["prediction"], feeds)[0].astype(np.float64)
        parity = require_parity(
            f"fold {self._fold}: the network and its ONNX",
            self.predict(Inputs(Genotypes(codes), covariates))[:, 0],
            by_onnx,
            self.scale,
        )
        return {"center": self.center, "scale": self.scale, "parity_network_onnx": parity}
