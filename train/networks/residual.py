"""The paper's residual network in Keras, and its start at a ridge solution."""

import keras
import numpy as np

from snpredict.formulas.encoding import N_CHANNELS
from train.baselines.ridge import fit_ridge
from train.model import FoldData
from train.networks.fitted import Standardised
from train.networks.genotype_model import GenotypeModel
from train.networks.presets import Architecture, Start


def residual_network(architecture: Architecture, n_snps: int) -> keras.Model:
    """The residual network of the CNN SNP GWAS Predictor paper, before its ISRU.

    ``x → conv(4) → conv(20) → dropout ─┐``
    ``x → conv(4) ──────────────────── add → conv(4) → dropout → flatten → dropout → dense(1)``

    All layers are linear, so the score is affine in the one-hot input once dropout is off.
    """
    a = architecture

    def convolution(width: int, name: str) -> keras.layers.Layer:
        return keras.layers.Conv1D(
            a.filters,
            width,
            padding="same",
            kernel_initializer=a.initializer,
            kernel_regularizer=keras.regularizers.L2(a.kernel_l2) if a.kernel_l2 else None,
            bias_regularizer=keras.regularizers.L2(a.bias_l2) if a.bias_l2 else None,
            name=name,
        )

    x = keras.Input((n_snps, N_CHANNELS), name="one_hot")
    main = convolution(a.kernel, "main_short")(x)
    main = convolution(a.long_kernel, "main_long")(main)
    main = keras.layers.Dropout(a.dropout)(main)
    shortcut = convolution(a.kernel, "shortcut")(x)
    h = keras.layers.Add()([main, shortcut])
    h = convolution(a.kernel, "merge")(h)
    h = keras.layers.Dropout(a.dropout)(h)
    h = keras.layers.Flatten()(h)
    h = keras.layers.Dropout(a.dropout)(h)
    score = keras.layers.Dense(
        1,
        kernel_initializer=a.initializer,
        bias_regularizer=keras.regularizers.L2(a.bias_l2) if a.bias_l2 else None,
        name="dense",
    )(h)
    return keras.Model(x, score, name="residual")


def start_at_ridge(
    model: GenotypeModel, data: FoldData, targets: Standardised, start: Start
) -> dict[str, float]:
    """Set a residual network's weights so that it equals the ridge solution before its ISRU.

    The shortcut and the merging convolution pass the four channels through their first four
    filters, the dense layer holds the ridge weights there, and the long convolution is zero, so
    that the main path adds nothing until it is trained. All other kernels keep their random
    start, which gives the remaining filters a gradient.

    Returns
    -------
    dict
        What the validation rows chose, for the record.
    """
    solution = fit_ridge(
        data.train.genotypes,
        targets.train,
        data.validation.genotypes,
        targets.validation,
        reweightings=start.reweightings,
        floor=start.shrinkage_floor,
    )
    set_channel_weights(model, solution.channel_weights())
    return {
        "heritability": solution.heritability,
        "validation_mse": solution.validation_mse,
        "validation_pcc": solution.validation_pcc,
    }


def set_channel_weights(model: GenotypeModel, weights: np.ndarray) -> None:
    """Make a residual network's score equal ``Σ_j weights[j, channel_j]``.

    Parameters
    ----------
    weights : ndarray (SNPs, 4) of float32
        The network needs at least four filters.
    """
    network = model.network
    n_snps, n_channels = weights.shape

    def pass_through(name: str) -> None:
        kernel, bias = network.get_layer(name).get_weights()
        # "same" padding puts (width − 1) // 2 zeros on the left: that tap sees the SNP itself.
        kernel[:, :, :n_channels] = 0.0
        kernel[(kernel.shape[0] - 1) // 2, range(n_channels), range(n_channels)] = 1.0
        network.get_layer(name).set_weights([kernel, np.zeros_like(bias)])

    pass_through("shortcut")
    pass_through("merge")
    long_kernel, long_bias = network.get_layer("main_long").get_weights()
    network.get_layer("main_long").set_weights(
        [np.zeros_like(long_kernel), np.zeros_like(long_bias)]
    )
    dense, dense_bias = network.get_layer("dense").get_weights()
    by_position = np.zeros((n_snps, dense.shape[0] // n_snps), np.float32)
    by_position[:, :n_channels] = weights
    network.get_layer("dense").set_weights(
        [by_position.reshape(dense.shape), np.zeros_like(dense_bias)]
    )
