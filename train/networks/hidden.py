"""The network with one hidden layer and a linear shortcut beside it.

    z = b + Σ_j W[j, c_j] + Σ_h v_h φ(a_h + Σ_{j in S} U[j, h] x_j)

in the terms of `snpredict.formulas.score_function`. Some 4,000 lines with noisy phenotypes are too
few for such a network to be trained on them directly: it learns the noise of a trait of low
heritability before its signal. So it learns from a teacher (Hinton, Vinyals, Dean 2015):

- **Weights.** A ridge regression's squared effects give each SNP a weight D_j; the weightiest
  SNPs enter as ``x_j · sqrt(D_j)``, so that thousands of small effects cannot drown a major locus.
- **Teachers.** A Gaussian-kernel regression on these inputs, shrunk as the likelihood says
  (`train.baselines.teacher`), and boosted trees (`train.baselines.boosting`) err differently: the
  mean of the two predicts better than either. But one needs all its training lines to predict, the
  other a thousand trees, and neither can be explained line by line as a sum.
- **Student.** The network learns what the teachers say, in the mean, of the training lines and of
  as many virtual lines (`train.simulate.virtual`) as it takes to follow them between these.

The layer sees no one-hot input but centred codes, so that it trains on a matrix of (lines, inputs)
that is made once. The finished network is a Keras model of one-hot genotypes as any other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from snpredict.formulas.encoding import N_CHANNELS, centred_codes, channel_weights
from train.baselines.boosting import fit_trees
from train.baselines.ridge import fit_ridge
from train.baselines.teacher import fit_teacher
from train.data.centred import centered
from train.data.folds import Split
from train.networks.hidden_part import HiddenPart
from train.networks.presets import HiddenArchitecture, HiddenTraining, Preset
from train.simulate.virtual import virtual_lines

#: Largest whole number of a weight: it fits a signed byte, and 0 stays 0.
GRID = 127


@dataclass(frozen=True)
class HiddenScore:
    """A finished network as numbers, before its ISRU.

    Attributes
    ----------
    weights : ndarray (SNPs, 4) of float32
        W, channel order.
    bias : float
        b.
    part : HiddenPart
        Of one fold.
    """

    weights: np.ndarray
    bias: float
    part: HiddenPart


class CentredCodes(keras.layers.Layer):
    """One-hot genotypes (batch, SNPs, 4) → centred codes (batch, inputs) of some of the SNPs.

    Parameters
    ----------
    snps : ndarray (inputs,) of int64
    means : ndarray (inputs,)
        What is taken off a code; a missing genotype gives 0.
    """

    def __init__(self, snps: np.ndarray, means: np.ndarray, **options: Any):
        super().__init__(**options)
        self.snps = [int(snp) for snp in snps]
        self.values = centred_codes(means).astype(np.float32)

    def call(self, one_hot: tf.Tensor) -> tf.Tensor:
        """Look the codes up."""
        chosen = tf.gather(one_hot, self.snps, axis=1)
        return tf.reduce_sum(chosen * self.values, axis=2)


def fit_hidden(
    codes: np.ndarray,
    target: np.ndarray,
    split: Split,
    preset: Preset,
    *,
    alpha: float,
    seed: int,
    record: Callable[[int, dict[str, float]], None],
) -> tuple[HiddenScore, dict[str, float]]:
    """Train the network on the training rows of a fold.

    Parameters
    ----------
    codes : ndarray (samples, SNPs) of int8
        SNPs in genome order.
    target : ndarray (samples,) of float32, standardised on the training rows
    split : Split
        Validation rows choose the ridge's shrinkage and the number of trees; test rows are not
        used.
    alpha : float
        ISRU α.
    record : callable
        Gets every epoch's number, from 1, and its errors: squared (``loss``) and absolute (``mae``)
        distance to the training rows' phenotypes, ``val_`` to those of the validation rows, and
        ``lesson_`` to the lessons, which is what the training makes small.

    Returns
    -------
    (score, chosen)
        What the validation rows and the likelihood chose, for the record.
    """
    a, recipe = preset.architecture, preset.training
    assert isinstance(a, HiddenArchitecture) and isinstance(recipe, HiddenTraining)
    rng = np.random.default_rng(seed)
    y, y_validation = target[split.train], target[split.validation]
    ridge = fit_ridge(
        np.asarray(codes[split.train]),
        y,
        np.asarray(codes[split.validation]),
        y_validation,
        reweightings=preset.start.reweightings,
    )
    variances = squared_shares(ridge.effects, preset.start.shrinkage_floor)
    # In genome order, for the virtual lines.
    snps = np.sort(np.argsort(-variances, kind="stable")[: a.inputs])
    means = ridge.means[snps]
    gain = np.sqrt(variances[snps])
    x = centered(np.asarray(codes[split.train][:, snps]), means)
    norm = float(np.sqrt(np.mean(np.sum((x * gain).astype(np.float64) ** 2, axis=1))))
    gain = (gain * (a.input_norm / max(norm, 1e-12))).astype(np.float32)
    x *= gain
    x_validation = centered(np.asarray(codes[split.validation][:, snps]), means) * gain

    kernel = fit_teacher(x, y)
    # As many as the process has been given, see `train.runtime`.
    threads = tf.config.threading.get_intra_op_parallelism_threads() or 1
    trees = fit_trees(x, y, x_validation, y_validation, seed=seed, threads=threads)
    lines = np.concatenate([x, virtual_lines(x, recipe.virtual_lines, recipe.segments, rng)])

    def lesson(inputs: np.ndarray) -> np.ndarray:
        share = np.float32(recipe.tree_share)
        return (1 - share) * kernel.predict(inputs) + share * trees.predict(inputs)

    lessons = lesson(lines)

    model = _student(a, len(snps), alpha)
    steps = -(-len(lines) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate, max(1, recipe.epochs * steps)
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay),
        loss="mse",
        metrics=["mae"],
    )

    # Order and batches are drawn here: faster than a tf.data shuffle of whole rows, and as random.
    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        error = model(x, training=False).numpy() - y
        lesson = {f"lesson_{name}": logs[name] for name in ("loss", "mae")}
        validation = {name: value for name, value in logs.items() if name.startswith("val_")}
        training = {"loss": float(np.mean(error**2)), "mae": float(np.mean(np.abs(error)))}
        record(epoch + 1, {**training, **validation, **lesson})

    order = np.stack([rng.permutation(len(lines)) for _ in range(recipe.epochs)])
    if recipe.epochs:
        model.fit(
            _batches(lines, lessons, order, recipe.batch_size),
            steps_per_epoch=steps,
            validation_data=(x_validation, y_validation),
            # In one batch: Keras weighs the means of batches alike, however few rows the last has.
            validation_batch_size=len(x_validation),
            epochs=recipe.epochs,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)],
            verbose=0,
            shuffle=False,
        )
    chosen = {
        "ridge_heritability": ridge.heritability,
        "kernel_heritability": kernel.heritability,
        "kernel_gamma": kernel.gamma_relative,
        "trees": trees.count,
        "teacher_validation_mse": float(np.mean((lesson(x_validation) - y_validation) ** 2)),
    }
    return _as_numbers(model, snps, means, gain, codes.shape[1]), chosen


def squared_shares(effects: np.ndarray, floor: float) -> np.ndarray:
    """Weights of SNPs by squared effect, ``b² / mean(b²) + floor``: (SNPs,) float32."""
    squared = effects.astype(np.float64) ** 2
    return (squared / max(squared.mean(), 1e-300) + floor).astype(np.float32)


def _batches(
    lines: np.ndarray, lessons: np.ndarray, order: np.ndarray, batch_size: int
) -> tf.data.Dataset:
    """All batches of all epochs, in the given order of rows (epochs, lines)."""
    rows = tf.data.Dataset.from_tensor_slices(order).flat_map(
        lambda epoch: tf.data.Dataset.from_tensor_slices(epoch).batch(batch_size)
    )
    x, y = tf.constant(lines), tf.constant(lessons)
    return rows.map(lambda at: (tf.gather(x, at), tf.gather(y, at))).prefetch(2)


def _student(a: HiddenArchitecture, n_inputs: int, alpha: float) -> keras.Model:
    """Inputs (batch, inputs) → standardised predictions (batch,)."""
    from train.networks.residual import isru

    x = keras.Input((n_inputs,), name="weighted_codes")
    units = keras.layers.Dense(
        a.units,
        "silu",
        kernel_initializer=keras.initializers.RandomNormal(stddev=a.initial_sd),
        name="units",
    )(x)
    curved = keras.layers.Dense(
        1,
        use_bias=False,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.5 / np.sqrt(a.units)),
        name="output",
    )(units)
    linear = keras.layers.Dense(1, kernel_initializer="zeros", name="linear")(x)
    score = keras.layers.Add(name="score")([curved, linear])
    return keras.Model(x, keras.layers.Lambda(lambda z: isru(z[:, 0], alpha))(score))


def _as_numbers(
    model: keras.Model, snps: np.ndarray, means: np.ndarray, gain: np.ndarray, n_snps: int
) -> HiddenScore:
    """The trained layers in the terms of the score function, their weights on the grid."""
    kernel, bias = model.get_layer("units").get_weights()
    (output,) = model.get_layer("output").get_weights()
    linear, offset = model.get_layer("linear").get_weights()
    grid, unit_scale = on_grid(kernel)
    part = HiddenPart(
        snps=snps[None].astype(np.int64),
        means=means[None].astype(np.float32),
        grid=grid[None],
        snp_scale=gain[None],
        unit_scale=unit_scale[None],
        bias=bias[None],
        output=output[:, 0][None],
    )
    weights = np.zeros((n_snps, N_CHANNELS), np.float32)
    weights[snps] = channel_weights(linear[:, 0] * gain, means)
    return HiddenScore(weights, float(offset[0]), part)


def on_grid(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights as whole numbers −127..127 times a scale per unit.

    The rounding is at most half a step of the grid, a 254th of a unit's largest weight, and falls
    on all inputs alike; docs/experiments.md has what it does to predictions.

    Parameters
    ----------
    kernel : ndarray (inputs, units) of float32

    Returns
    -------
    (grid, scale)
        int8 (inputs, units) and float32 (units,).
    """
    scale = np.abs(kernel).max(axis=0) / GRID
    scale = np.where(scale > 0, scale, 1.0).astype(np.float32)
    return np.rint(kernel / scale).astype(np.int8), scale


def as_keras(score: HiddenScore) -> keras.Model:
    """The finished network from one-hot (batch, SNPs, 4) to scores (batch, 1)."""
    n_snps = len(score.weights)
    part = score.part
    kernel = part.grid[0] * part.snp_scale[0][:, None] * part.unit_scale[0]
    x = keras.Input((n_snps, N_CHANNELS), name="one_hot")
    shortcut = keras.layers.Dense(1, name="shortcut")
    units = keras.layers.Dense(kernel.shape[1], "silu", name="units")
    output = keras.layers.Dense(1, use_bias=False, name="output")
    linear = shortcut(keras.layers.Flatten()(x))
    curved = output(units(CentredCodes(part.snps[0], part.means[0], name="codes")(x)))
    network = keras.Model(x, keras.layers.Add()([linear, curved]), name="hidden")
    shortcut.set_weights([score.weights.reshape(-1, 1), np.array([score.bias], np.float32)])
    units.set_weights([kernel.astype(np.float32), part.bias[0]])
    output.set_weights([part.output[0][:, None]])
    return network
