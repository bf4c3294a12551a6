"""The network of the deep-learning GWAS: two hidden layers over SNPs that an L1 penalty picks.

Standardised genotypes, a missing one being the mean, of the SNPs that go with the trait most
(`train.networks.strongest`, `train.networks.pairs`) go in, and beside them covariates and principal
components of the training genotypes, which are not penalised. The size of the layers and
the penalty are chosen by the loss on the validation rows, and the scores of several networks, which
start from other weights, are averaged: with correlated SNPs single trainings rely on different
ones. A binary trait's scores are logits. Their slope and intercept are fitted on the validation
rows (Platt 1999), so that the probabilities are calibrated, also where classes were balanced.

Source: docs/methods.md; the design is that of a workshop paper on genome-wide association by
feature attribution, with proximal steps, covariates and averaging added.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.dense_function import DenseInputs
from snpredict.formulas.dense_layers import DenseLayers, side_by_side
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import sigmoid
from train.attribution.explained import NO_SNP, Explained, ExplainedDense
from train.model import FittedModel, FoldData, Inputs, Record
from train.networks.dense_inputs import inputs_by
from train.networks.network import JointNetwork
from train.networks.pairs import snps_of, strongest_pairs
from train.networks.presets import DenseArchitecture, DenseTraining
from train.networks.proximal import Recipe, Rows, Trained, walk
from train.networks.strongest import residuals, strongest_snps
from train.parity import parity_genotypes, require_parity

#: Seeds of networks lie so far apart that those of neighbouring folds do not meet.
_SEEDS_APART = 1000


class DenseNetwork(JointNetwork):
    """Dense layers over the SNPs, trained along a path of penalties; see the module's text."""

    tasks = (CONTINUOUS, BINARY)
    covariates = True
    dosages = True

    def prepare(self, threads: int) -> None:
        """Nothing: it is trained in numpy, which the process has loaded."""

    def fit_all(self, data: FoldData, record: Record | None) -> list["FittedDense"]:
        """Choose the size, then train the networks that are averaged."""
        a, recipe = self.preset.architecture, self.preset.training
        assert isinstance(a, DenseArchitecture)
        assert isinstance(recipe, DenseTraining)
        seed = _SEEDS_APART * (data.seed + data.fold)
        y = data.train_targets
        center, scale = np.zeros(data.n_targets), np.ones(data.n_targets)
        if data.task != BINARY:
            center, scale = y.mean(axis=0), y.std(axis=0)
        encoder = inputs_by(data.train, a.components, seed)
        train = _rows(encoder, data.train, (y - center) / scale)
        validation = _rows(encoder, data.validation, (data.validation_targets - center) / scale)
        kept = _entering(a, train)
        encoder = encoder.only(kept)
        train, validation = (r._replace(snps=r.snps[:, kept]) for r in (train, validation))
        weights = _balanced(y) if recipe.balance and data.task == BINARY else None
        told = 0

        def trained(units: tuple[int, int], number: int) -> Trained:
            nonlocal told
            begin = told

            def tell(epoch: int, figures: dict[str, float]) -> None:
                nonlocal told
                told = begin + epoch
                if record is not None:
                    record(told, {**figures, "val_mae": float(scale.mean()) * figures["val_mae"]})

            return walk(
                train,
                validation,
                _recipe(recipe, units),
                task=data.task,
                seed=seed + number,
                weights=weights,
                tell=tell,
            )

        sizes = a.sizes
        tried = {
            units: [trained(units, number) for number in range(recipe.tried)]
            for units in (sizes if len(sizes) > 1 else ())
        }
        units = min(tried, key=lambda of: np.mean([t.loss for t in tried[of]]), default=sizes[0])
        networks = tried.get(units, [])[: recipe.networks]
        networks += [trained(units, n) for n in range(len(networks), recipe.networks)]
        chosen = {
            "units": list(units),
            "penalties": [round(network.penalty, 4) for network in networks],
            "snps": [network.n_snps for network in networks],
            "validation_loss": float(np.mean([network.loss for network in networks])),
        }
        found = []
        for at in range(data.n_targets):
            layers = [network.layers.only(at) for network in networks]
            moments = float(center[at]), float(scale[at])
            fitted = FittedDense(encoder, layers, *moments, data.target(at), dict(chosen))
            if data.task == BINARY:
                fitted = fitted.calibrated(
                    validation._replace(targets=validation.targets[:, at : at + 1])
                )
            found.append(fitted)
        return found


def _entering(a: DenseArchitecture, train: Rows) -> np.ndarray:
    """Places of the SNPs that go into the network, ascending; training rows choose them."""
    if a.snps == "all":
        return np.arange(train.snps.shape[1])
    kept = np.empty(0, np.int64)
    for y in train.targets.astype(np.float64).T:
        kept = np.union1d(kept, strongest_snps(train.snps, y, train.others, a.strongest))
        if a.snps == "pairs":
            left, _ = residuals(y, train.others)
            kept = np.union1d(kept, snps_of(strongest_pairs(train.snps, left, a.pairs)))
    return kept


def _rows(encoder: DenseInputs, inputs: Inputs, targets: np.ndarray) -> Rows:
    return Rows(
        encoder.of_snps(inputs.genotypes),
        encoder.of_others(inputs.genotypes, inputs.covariates),
        targets.astype(np.float32),
    )


def _recipe(recipe: DenseTraining, units: tuple[int, int]) -> Recipe:
    return Recipe(
        units=units,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        first_rate=recipe.first_rate,
        penalty_from=recipe.penalty_from,
        penalty_to=recipe.penalty_to,
    )


def _balanced(y: np.ndarray) -> np.ndarray:
    """Weights (rows, targets) by which both classes of a target weigh half, mean 1."""
    share = y.mean(axis=0)
    return np.where(y > 0, 0.5 / share, 0.5 / (1 - share))


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
        score = side_by_side(self.networks).scores(x).astype(np.float64)
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

    def network(self) -> DenseLayers:
        """The averaged networks as one, from the inputs to the score."""
        return side_by_side(self.calibrated_networks())

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
