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
from snpredict.formulas.genotypes import Genotypes
from train.baselines.boosting import Trees, fit_trees
from train.baselines.ridge import RidgeSolution, fit_ridge
from train.baselines.teacher import Teacher, fit_teacher
from train.model import FoldData, Record
from train.networks.fitted import Epochs, FittedNetwork, Standardised
from train.networks.fitting import seed_everything
from train.networks.genotype_model import GenotypeModel, isru
from train.networks.presets import HiddenArchitecture, HiddenTraining, Preset
from train.networks.score import HiddenPart, NetworkScore
from train.simulate.virtual import virtual_lines

#: Largest whole number of a weight: it fits a signed byte, and 0 stays 0.
GRID = 127


#: What an epoch is recorded by: squared (``loss``) and absolute (``mae``) distance to the
#: phenotypes of training and validation rows, and to the lessons, which the training makes small.
COLUMNS = ("loss", "mae", "val_loss", "val_mae", "lesson_loss", "lesson_mae")


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


def fit_hidden(preset: Preset, data: FoldData, record: Record | None) -> FittedNetwork:
    """Train the network on the training rows of a fold, whose SNPs are in genome order.

    The validation rows choose the ridge's shrinkage and the number of trees.
    """
    a, recipe = preset.architecture, preset.training
    assert isinstance(a, HiddenArchitecture)
    assert isinstance(recipe, HiddenTraining)
    seed = data.seed + data.fold
    seed_everything(seed)
    rng = np.random.default_rng(seed)
    targets = Standardised.of(data)
    ridge = fit_ridge(
        data.train.genotypes,
        targets.train,
        data.validation.genotypes,
        targets.validation,
        reweightings=preset.start.reweightings,
    )
    weighted, x = _weighted_codes(ridge, a, preset.start.shrinkage_floor, data.train.genotypes)
    x_validation = weighted.of(data.validation.genotypes)
    teachers = Teachers(
        fit_teacher(x, targets.train),
        fit_trees(
            *(x, targets.train, x_validation, targets.validation), seed=seed, threads=data.threads
        ),
        recipe.tree_share,
    )
    lines = np.concatenate([x, virtual_lines(x, recipe.virtual_lines, recipe.segments, rng)])
    student = _student(a, len(weighted.snps), a.isru_alpha)

    def tell(epoch: int, logs: dict[str, float]) -> None:
        error = student(x, training=False).numpy() - targets.train
        measures = {f"lesson_{name}": logs[name] for name in ("loss", "mae")}
        measures |= {"loss": float(np.mean(error**2)), "mae": float(np.mean(np.abs(error)))}
        targets.record(record, COLUMNS, epoch + 1, {**logs, **measures})

    held_out = (x_validation, targets.validation)
    _train(student, lines, teachers.lesson(lines), held_out, recipe, rng, tell)
    score = _as_numbers(student, weighted, data.train.genotypes.n_snps)
    error = teachers.lesson(x_validation) - targets.validation
    return FittedNetwork(
        GenotypeModel(as_keras(score), alpha=a.isru_alpha),
        data,
        targets,
        Epochs(trained=recipe.epochs, best=recipe.epochs),
        {
            "ridge_heritability": ridge.heritability,
            **teachers.chosen(),
            "teacher_validation_mse": float(np.mean(error**2)),
        },
        score,
    )


@dataclass(frozen=True)
class WeightedCodes:
    """The inputs of the layer: centred codes of the weightiest SNPs, times a factor each.

    Attributes
    ----------
    snps : ndarray (inputs,) of int64
        Their places, ascending.
    means : ndarray (inputs,) of float32
    gain : ndarray (inputs,) of float32
    """

    snps: np.ndarray
    means: np.ndarray
    gain: np.ndarray

    def of(self, genotypes: Genotypes) -> np.ndarray:
        """Genotypes of all SNPs as inputs (lines, inputs) of float32."""
        return genotypes.snps(self.snps).centred(self.means) * self.gain


def _weighted_codes(
    ridge: RidgeSolution, a: HiddenArchitecture, floor: float, genotypes: Genotypes
) -> tuple[WeightedCodes, np.ndarray]:
    """The inputs by the ridge's effects, and those of the training rows, of the preset's norm."""
    variances = squared_shares(ridge.effects, floor)
    # In genome order, for the virtual lines.
    snps = np.sort(np.argsort(-variances, kind="stable")[: a.inputs])
    gain = np.sqrt(variances[snps])
    x = genotypes.snps(snps).centred(ridge.means[snps])
    norm = float(np.sqrt(np.mean(np.sum((x * gain).astype(np.float64) ** 2, axis=1))))
    gain = (gain * (a.input_norm / max(norm, 1e-12))).astype(np.float32)
    x *= gain
    return WeightedCodes(snps, ridge.means[snps], gain), x


@dataclass(frozen=True)
class Teachers:
    """What the network learns from: a kernel regression and boosted trees, mixed."""

    kernel: Teacher
    trees: Trees
    tree_share: float

    def lesson(self, inputs: np.ndarray) -> np.ndarray:
        """What they say of inputs (lines, inputs), in the mean: (lines,) float32."""
        share = np.float32(self.tree_share)
        return (1 - share) * self.kernel.predict(inputs) + share * self.trees.predict(inputs)

    def chosen(self) -> dict[str, float]:
        """What the likelihood and the validation rows chose."""
        return {
            "kernel_heritability": self.kernel.heritability,
            "kernel_gamma": self.kernel.gamma_relative,
            "trees": self.trees.count,
        }


def _train(
    student: keras.Model,
    lines: np.ndarray,
    lessons: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    recipe: HiddenTraining,
    rng: np.random.Generator,
    tell: Callable[[int, dict[str, float]], None],
) -> None:
    """AdamW on the squared distance to the lessons, the rate falling along half a cosine."""
    steps = -(-len(lines) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate, max(1, recipe.epochs * steps)
    )
    student.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay),
        loss="mse",
        metrics=["mae"],
    )
    if not recipe.epochs:
        return
    # Order and batches are drawn here: faster than a tf.data shuffle of whole rows, and as random.
    order = np.stack([rng.permutation(len(lines)) for _ in range(recipe.epochs)])
    student.fit(
        _batches(lines, lessons, order, recipe.batch_size),
        steps_per_epoch=steps,
        validation_data=validation,
        # In one batch: Keras weighs the means of batches alike, however few rows the last has.
        validation_batch_size=len(validation[0]),
        epochs=recipe.epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=tell)],
        verbose=0,
        shuffle=False,
    )


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


def _as_numbers(model: keras.Model, weighted: WeightedCodes, n_snps: int) -> NetworkScore:
    """The trained layers in the terms of the score function, their weights on the grid."""
    kernel, bias = model.get_layer("units").get_weights()
    (output,) = model.get_layer("output").get_weights()
    linear, offset = model.get_layer("linear").get_weights()
    grid, unit_scale = on_grid(kernel)
    part = HiddenPart(
        snps=weighted.snps[None].astype(np.int64),
        means=weighted.means[None].astype(np.float32),
        grid=grid[None],
        snp_scale=weighted.gain[None],
        unit_scale=unit_scale[None],
        bias=bias[None],
        output=output[:, 0][None],
    )
    weights = np.zeros((n_snps, N_CHANNELS), np.float32)
    weights[weighted.snps] = channel_weights(linear[:, 0] * weighted.gain, weighted.means)
    return NetworkScore(weights, float(offset[0]), part)


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


def as_keras(score: NetworkScore) -> keras.Model:
    """The finished network from one-hot (batch, SNPs, 4) to scores (batch, 1)."""
    n_snps = len(score.weights)
    part = score.hidden
    assert part is not None
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
