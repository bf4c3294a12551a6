"""Fit one fold: standardise on its training rows, train, keep what the preset says to keep."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from train.data.folds import Split
from train.networks.hidden import as_keras, fit_hidden
from train.networks.hidden_part import HiddenPart
from train.networks.presets import HIDDEN, Preset, Training
from train.networks.residual import GenotypeModel, affine_map, build_model
from train.networks.residual_start import start_at_ridge


@dataclass(frozen=True)
class FittedFold:
    """A trained fold model and the scale that turns its output into trait units.

    ``prediction = center + scale * model(codes)``; both come from the training rows alone.
    ``best_epoch`` has the lowest validation MAE, 0 being the start; ``epochs`` were trained.
    ``chosen`` is what the validation rows chose at the start and at the end, for the record.
    ``weights`` (SNPs, 4), ``bias`` and ``hidden`` are the score before the ISRU as numbers, see
    `snpredict.formulas.score_function`; of a network that the fused ensemble cannot hold
    (`train.bundle.assemble.FUSED_NETWORKS`), ``weights`` and ``bias`` say nothing.
    """

    model: GenotypeModel
    center: float
    scale: float
    best_epoch: int
    epochs: int
    chosen: dict[str, float]
    weights: np.ndarray
    bias: float
    hidden: HiddenPart | None = None


class _History(keras.callbacks.Callback):
    """Append every epoch to a CSV at once, so that a watcher can read along.

    ``mae`` and ``val_mae`` are the distances to the phenotypes of training and validation rows, in
    trait units; a taught network's ``lesson_mae`` is that to its lessons.
    """

    def __init__(self, path: Path, scale: float, taught: bool = False):
        super().__init__()
        self.path = path
        self.scale = scale
        self.columns = ["loss", "mae", "val_loss", "val_mae"]
        if taught:
            self.columns += ["lesson_loss", "lesson_mae"]
        self._write(["epoch", *self.columns], "w")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.add(epoch + 1, logs or {})

    def add(self, epoch: int, logs: dict[str, float]) -> None:
        """Write one row; epoch 0 is the start."""
        values = [logs[name] * (self.scale if name.endswith("mae") else 1) for name in self.columns]
        self._write([epoch, *(f"{value:.6g}" for value in values)], "a")

    def _write(self, row: list, mode: str) -> None:
        with self.path.open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)


def fit(
    codes: np.ndarray,
    phenotype: np.ndarray,
    split: Split,
    preset: Preset,
    *,
    seed: int,
    history_path: Path,
) -> FittedFold:
    """Train one fold model on its training rows, stopping on its validation rows.

    Parameters
    ----------
    codes : ndarray (samples, SNPs) of int8
    phenotype : ndarray (samples,) of float64, trait units
    split : Split
        The test rows are never looked at here.
    seed : int
        Fixes initial weights, dropout and the order of the batches.
    history_path : Path
        CSV that gets one line per epoch, see `_History`.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()

    train_y = phenotype[split.train]
    center, scale = float(train_y.mean()), float(train_y.std())
    target = ((phenotype - center) / scale).astype(np.float32)

    if preset.network == HIDDEN:
        return _fit_hidden(codes, target, split, preset, center, scale, seed, history_path)
    model = build_model(preset, codes.shape[1])
    start: dict[str, float] = {}
    if preset.start.method == "ridge":
        start = start_at_ridge(model, codes, target, split, preset.start)

    recipe = preset.training
    assert isinstance(recipe, Training)
    model.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate), loss="mse", metrics=["mae"]
    )
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_mae",
        mode="min",
        patience=recipe.patience,
        restore_best_weights=recipe.restore_best,
    )
    callbacks: list[keras.callbacks.Callback] = [stopping]
    if recipe.learning_rate_decay != 1.0:
        callbacks.append(
            keras.callbacks.LearningRateScheduler(
                lambda epoch: recipe.learning_rate * math.pow(recipe.learning_rate_decay, epoch)
            )
        )

    train = (
        tf.data.Dataset.from_tensor_slices((codes[split.train], target[split.train]))
        .shuffle(len(split.train), seed=seed)
        .batch(recipe.batch_size)
        .prefetch(2)
    )
    validation = tf.data.Dataset.from_tensor_slices(
        (codes[split.validation], target[split.validation])
    ).batch(64)
    record = _History(history_path, scale)
    started_at = math.inf
    if preset.start.method != "random":
        # A start that is a model already competes with every epoch for the best weights.
        begin = model.evaluate(train, return_dict=True, verbose=0)
        begin |= {
            f"val_{name}": value
            for name, value in model.evaluate(validation, return_dict=True, verbose=0).items()
        }
        record.add(0, begin)
        started_at = begin["val_mae"]
    start_weights = model.get_weights()
    history = model.fit(
        train,
        validation_data=validation,
        epochs=recipe.epochs,
        callbacks=[*callbacks, record],
        verbose=0,
        shuffle=False,
    ).history.get("val_mae", [])
    best_epoch = int(np.argmin(history)) + 1 if history else 0
    if history and recipe.restore_best and started_at <= min(history):
        model.set_weights(start_weights)
        best_epoch = 0
    weights, bias = affine_map(model.network)
    return FittedFold(
        model=model,
        center=center,
        scale=scale,
        best_epoch=best_epoch,
        epochs=len(history),
        chosen=start,
        weights=weights.numpy(),
        bias=float(bias),
    )


def _fit_hidden(
    codes: np.ndarray,
    target: np.ndarray,
    split: Split,
    preset: Preset,
    center: float,
    scale: float,
    seed: int,
    history_path: Path,
) -> FittedFold:
    """The network with one hidden layer, which has a loop of its own."""
    alpha = preset.architecture.isru_alpha
    score, chosen = fit_hidden(
        codes,
        target,
        split,
        preset,
        alpha=alpha,
        seed=seed,
        record=_History(history_path, scale, taught=True).add,
    )
    return FittedFold(
        model=GenotypeModel(as_keras(score), alpha=alpha),
        center=center,
        scale=scale,
        best_epoch=preset.training.epochs,
        epochs=preset.training.epochs,
        chosen=chosen,
        weights=score.weights,
        bias=score.bias,
        hidden=score.part,
    )


def predict(fitted: FittedFold, codes: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Predictions in trait units, (samples,) float64, by Keras."""
    outputs = [
        fitted.model(tf.constant(codes[i : i + batch_size]), training=False).numpy()
        for i in range(0, len(codes), batch_size)
    ]
    return fitted.center + fitted.scale * np.concatenate(outputs).astype(np.float64)
