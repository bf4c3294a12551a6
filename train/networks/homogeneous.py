"""The network of an equivalent linear mapping: dense layers of leaky ReLU units without biases.

Such a network is positively homogeneous: at every input it equals its own Jacobian times the input
(Golden 2025, arXiv 2505.24293 has the idea for language models), which is what
`train.decomposition` takes apart. Inputs are −1 and 1 for the codes 0 and 1 of haploid lines, or
−1, 0, 1 for those of diploids, 0 for a missing one. Several traits are outputs of one network.
Weights are drawn uniformly within ±1 / √inputs.
"""

from typing import Any

import keras
import numpy as np

from snpredict.formulas.dense_function import DenseInputs
from snpredict.formulas.dense_layers import DenseLayers
from train.model import FoldData, Inputs, Record
from train.networks.dense_fitted import FittedDense
from train.networks.fitting import seed_everything
from train.networks.presets import HomogeneousArchitecture, HomogeneousTraining, Preset

#: What an epoch is recorded by.
COLUMNS = ("loss", "mae", "val_loss", "val_mae")

#: Mean and SD by which codes become inputs.
_CODED = {"haploid": (0.5, 0.5), "diploid": (1.0, 1.0)}

#: Seeds of networks lie so far apart that those of neighbouring folds do not meet.
_SEEDS_APART = 1000


def fit_homogeneous(preset: Preset, data: FoldData, record: Record | None) -> list[FittedDense]:
    """Train the networks of a fold, which share all targets; a fitted model per target."""
    a, recipe = preset.architecture, preset.training
    assert isinstance(a, HomogeneousArchitecture)
    assert isinstance(recipe, HomogeneousTraining)
    encoder = inputs_of_codes(data.train, a.coding)
    center, scale = data.train_targets.mean(axis=0), data.train_targets.std(axis=0)
    x, x_validation = (encoder.of(part.genotypes) for part in (data.train, data.validation))
    y, y_validation = (
        ((targets - center) / scale).astype(np.float32)
        for targets in (data.train_targets, data.validation_targets)
    )
    networks, chosen, told = [], [], 0
    for number in range(recipe.networks):
        seed_everything(_SEEDS_APART * (data.seed + data.fold) + number)
        model = _model(a, x.shape[1], y.shape[1])
        model.compile(
            keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay),
            loss="mae",
            metrics=["mae"],
        )
        begin = told

        def tell(at: int, logs: dict[str, float], begin: int = begin) -> None:
            if record is not None:
                unit = {name: float(scale.mean()) if "mae" in name else 1.0 for name in COLUMNS}
                record(begin + at + 1, {name: logs[name] * unit[name] for name in COLUMNS})

        history = model.fit(
            x,
            y,
            validation_data=(x_validation, y_validation),
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            callbacks=[
                keras.callbacks.ReduceLROnPlateau(
                    factor=0.5, patience=recipe.halve_after, min_delta=recipe.least_gain
                ),
                keras.callbacks.EarlyStopping(
                    patience=recipe.patience,
                    min_delta=recipe.least_gain,
                    restore_best_weights=True,
                ),
                keras.callbacks.LambdaCallback(on_epoch_end=tell),
            ],
            verbose=0,
        ).history["val_loss"]
        told += len(history)
        kernels = [layer.get_weights()[0] for layer in model.layers if layer.get_weights()]
        biases = [np.zeros(kernel.shape[1], np.float32) for kernel in kernels]
        networks.append(DenseLayers(kernels, biases, a.leak))
        chosen.append({"epochs": len(history), "validation_loss": float(min(history))})
    about: dict[str, Any] = {"networks": chosen}
    return [
        FittedDense(
            encoder,
            [network.only(at) for network in networks],
            float(center[at]),
            float(scale[at]),
            data.target(at),
            dict(about),
        )
        for at in range(data.n_targets)
    ]


def inputs_of_codes(train: Inputs, coded: str) -> DenseInputs:
    """All SNPs by the coding alone: nothing is taken from the lines."""
    n = train.genotypes.n_snps
    mean, sd = _CODED[coded]
    nothing = np.zeros(0)
    return DenseInputs(
        np.arange(n),
        np.full(n, mean, np.float32),
        np.full(n, sd, np.float32),
        nothing,
        nothing,
        np.zeros((n, 0), np.float32),
    )


def _model(a: HomogeneousArchitecture, n_inputs: int, n_targets: int) -> keras.Model:
    """Freshly drawn, from inputs (batch, inputs) to scores (batch, targets)."""
    x = at = keras.Input((n_inputs,))
    for units in a.layers:
        at = keras.layers.LeakyReLU(negative_slope=a.leak)(_dense(at, units))
    return keras.Model(x, _dense(at, n_targets))


def _dense(at: keras.KerasTensor, units: int) -> keras.KerasTensor:
    reach = at.shape[1] ** -0.5
    start = keras.initializers.RandomUniform(-reach, reach)
    return keras.layers.Dense(units, use_bias=False, kernel_initializer=start)(at)
