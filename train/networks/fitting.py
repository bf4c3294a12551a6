"""Train a Keras network on a fold's phenotypes, stopping on its validation rows."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from train.model import FoldData, Record
from train.networks.fitted import Epochs, FittedNetwork, Standardised
from train.networks.genotype_model import GenotypeModel, affine_map, as_tensor_input
from train.networks.presets import Architecture, Preset, Training
from train.networks.score import NetworkScore

#: What an epoch is recorded by.
COLUMNS = ("loss", "mae", "val_loss", "val_mae")


def seed_everything(seed: int) -> None:
    """Fix initial weights, dropout, the order of batches, and names of layers in files."""
    # Layers are numbered through a process: what an earlier fold counted would be in this one's.
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit_network(
    preset: Preset,
    data: FoldData,
    record: Record | None,
    *,
    layers: Callable[[int], keras.Model],
    start: Callable[[GenotypeModel, FoldData, Standardised], dict[str, Any] | None],
    affine: bool,
) -> FittedNetwork:
    """Train one fold model, by the recipe of its preset.

    Parameters
    ----------
    layers, start, affine
        As of `train.networks.network.KerasNetwork`.
    """
    recipe = preset.training
    assert isinstance(recipe, Training)
    assert isinstance(preset.architecture, Architecture)
    seed = data.seed + data.fold
    seed_everything(seed)
    targets = Standardised.of(data)
    model = GenotypeModel(
        layers(data.train.genotypes.n_snps), preset.architecture.isru_alpha, recipe.folded
    )
    chosen = start(model, data, targets)
    model.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate), loss="mse", metrics=["mae"]
    )
    train, validation = _batches(data, targets, recipe.batch_size, seed)

    def tell(epoch: int, logs: dict[str, float]) -> None:
        targets.record(record, COLUMNS, epoch, logs)

    started_at = math.inf
    if chosen is not None:
        # A start that is a model already competes with every epoch for the best weights.
        begin = _evaluated(model, train, validation)
        tell(0, begin)
        started_at = begin["val_mae"]
    start_weights = model.get_weights()
    history = model.fit(
        train,
        validation_data=validation,
        epochs=recipe.epochs,
        callbacks=[
            *_callbacks(recipe),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda at, logs: tell(at + 1, logs)),
        ],
        verbose=0,
        shuffle=False,
    ).history.get("val_mae", [])
    best = int(np.argmin(history)) + 1 if history else 0
    if history and recipe.restore_best and started_at <= min(history):
        model.set_weights(start_weights)
        best = 0
    return FittedNetwork(
        model,
        data,
        targets,
        Epochs(trained=len(history), best=best),
        chosen or {},
        _score(model) if affine else None,
    )


def _batches(
    data: FoldData, targets: Standardised, batch_size: int, seed: int
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Those of the training rows, in another order in every epoch, and of the validation rows."""
    learned = as_tensor_input(data.train.genotypes)
    train = (
        tf.data.Dataset.from_tensor_slices((learned, targets.train))
        .shuffle(len(data.train), seed=seed)
        .batch(batch_size)
        .prefetch(2)
    )
    held_out = (as_tensor_input(data.validation.genotypes), targets.validation)
    return train, tf.data.Dataset.from_tensor_slices(held_out).batch(64)


def _callbacks(recipe: Training) -> list[keras.callbacks.Callback]:
    callbacks: list[keras.callbacks.Callback] = [
        keras.callbacks.EarlyStopping(
            monitor="val_mae",
            mode="min",
            patience=recipe.patience,
            restore_best_weights=recipe.restore_best,
        )
    ]
    if recipe.learning_rate_decay != 1.0:
        callbacks.append(
            keras.callbacks.LearningRateScheduler(
                lambda epoch: recipe.learning_rate * math.pow(recipe.learning_rate_decay, epoch)
            )
        )
    return callbacks


def _evaluated(
    model: GenotypeModel, train: tf.data.Dataset, validation: tf.data.Dataset
) -> dict[str, Any]:
    """What an epoch's logs hold, of the weights as they are."""
    on_train = model.evaluate(train, return_dict=True, verbose=0)
    held_out = model.evaluate(validation, return_dict=True, verbose=0)
    return on_train | {f"val_{name}": value for name, value in held_out.items()}


def _score(model: GenotypeModel) -> NetworkScore:
    weights, bias = affine_map(model.network)
    return NetworkScore(weights.numpy(), float(bias))
