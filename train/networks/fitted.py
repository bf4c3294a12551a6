"""A trained network of one fold: what it predicts, and what a run folder keeps of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import Isru, TraitScale
from snpredict.formulas.score_function import ScoreFunction
from snpredict.scoring.onnx_session import onnx_predictions
from train.attribution.explained import Explained, ExplainedScore, channels_of
from train.model import FittedModel, FoldData, Inputs, Record
from train.networks.genotype_model import GenotypeModel, as_tensor_input
from train.networks.onnx_export import fold_onnx
from train.networks.saliency import mean_saliency
from train.networks.score import NetworkScore
from train.parity import parity_genotypes, require_parity


@dataclass(frozen=True)
class Standardised:
    """A fold's phenotypes in standard deviations of its training rows, from their mean.

    Attributes
    ----------
    center, scale : float
        Trait units.
    train, validation : ndarray (samples,) of float32
    """

    center: float
    scale: float
    train: np.ndarray
    validation: np.ndarray

    @staticmethod
    def of(data: FoldData) -> "Standardised":
        """By the one target of `data`."""
        train, validation = data.train_targets[:, 0], data.validation_targets[:, 0]
        center, scale = float(train.mean()), float(train.std())
        parts = (((part - center) / scale).astype(np.float32) for part in (train, validation))
        return Standardised(center, scale, *parts)

    def record(
        self, record: Record | None, columns: tuple[str, ...], epoch: int, logs: dict[str, float]
    ) -> None:
        """Tell of an epoch: those columns of Keras's, absolute errors in trait units."""
        if record is not None:
            scale = {name: self.scale if name.endswith("mae") else 1 for name in columns}
            record(epoch, {name: logs[name] * scale[name] for name in columns})


@dataclass(frozen=True)
class Epochs:
    """How many were trained, and which of them the weights are of, 0 being the start."""

    trained: int
    best: int


class FittedNetwork(FittedModel):
    """``center + scale · model(codes)``; both come from the training rows alone.

    Parameters
    ----------
    model : GenotypeModel
    data : FoldData
        That it was fitted to.
    targets : Standardised
    chosen : dict
        What the validation rows chose, for the record.
    score : NetworkScore or None
        None where the score cannot be told as numbers.
    """

    def __init__(
        self,
        model: GenotypeModel,
        data: FoldData,
        targets: Standardised,
        epochs: Epochs,
        chosen: dict[str, Any],
        score: NetworkScore | None,
    ):
        self.model, self.epochs, self.score = model, epochs, score
        self.center, self.scale = targets.center, targets.scale
        self.chosen = [chosen]
        self._fold, self._seed = data.fold, data.seed
        self._frequencies = data.train.genotypes.frequencies()

    def predict(self, inputs: Inputs, batch_size: int = 64) -> np.ndarray:
        """By Keras."""
        x = as_tensor_input(inputs.genotypes)
        outputs = [
            self.model(tf.constant(x[i : i + batch_size]), training=False).numpy()
            for i in range(0, len(inputs), batch_size)
        ]
        predicted = self.center + self.scale * np.concatenate(outputs).astype(np.float64)
        return predicted[:, None]

    def score_function(self) -> tuple[ScoreFunction, TraitScale] | None:
        """The network's, where it can be told as numbers."""
        if self.score is None:
            return None
        scale = TraitScale(np.array([self.center]), np.array([self.scale]), Isru(self.model.alpha))
        return self.score.function(), scale

    def explained(self) -> tuple[Explained, Callable[[Inputs], np.ndarray]] | None:
        """By its score, where it can be told as numbers."""
        found = self.score_function()
        if found is None:
            return None
        network = ExplainedScore(*found, self._frequencies)
        return network, lambda inputs: channels_of(inputs.genotypes)

    def save(self, folder: Path, test: Inputs) -> dict[str, Any]:
        """Write what a bundle is made of.

        ``saliency.npz``, mean over the test rows; ``model.onnx``; ``score.npz``, the score as
        numbers where there are such, and predictions of random genotypes by which a bundle's parts
        are compared; ``network.weights.h5``.

        Raises
        ------
        ParityError
            Keras and the ONNX file disagree.
        """
        plain, centered = mean_saliency(
            self.model, as_tensor_input(test.genotypes), self._frequencies > 0
        )
        np.savez(folder / "saliency.npz", saliency=plain, centered=centered)

        onnx = fold_onnx(self.model, self.center, self.scale)
        (folder / "model.onnx").write_bytes(onnx)
        codes = parity_genotypes(test.genotypes.n_snps, self._seed)
        by_keras = self.predict(Inputs(Genotypes(codes)))[:, 0]
        parity = require_parity(
            f"fold {self._fold}: Keras and ONNX",
            by_keras,
            onnx_predictions(onnx, codes),
            self.scale,
        )
        numbers: dict[str, Any] = {}
        if self.score is not None:
            numbers = {"weights": self.score.weights, "bias": self.score.bias}
            hidden = {} if self.score.hidden is None else vars(self.score.hidden)
            numbers |= {f"hidden_{name}": array for name, array in hidden.items()}
        np.savez(folder / "score.npz", parity_predictions=by_keras, **numbers)
        self.model.network.save_weights(folder / "network.weights.h5")
        return {
            "center": self.center,
            "scale": self.scale,
            "epochs": self.epochs.trained,
            "best_epoch": self.epochs.best,
            "parity_keras_onnx": parity,
        }
