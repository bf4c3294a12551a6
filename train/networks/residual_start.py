"""A residual network's weights, set so that it starts at a ridge solution."""

from typing import TYPE_CHECKING

import numpy as np

from train.data.folds import Split
from train.networks.presets import Start

if TYPE_CHECKING:
    # At run time it would load TensorFlow, which the ridge regression itself does not need.
    from train.networks.residual import GenotypeModel
from train.baselines.ridge import fit_ridge


def start_at_ridge(
    model: "GenotypeModel", codes: np.ndarray, target: np.ndarray, split: Split, start: Start
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
        np.asarray(codes[split.train]),
        target[split.train],
        np.asarray(codes[split.validation]),
        target[split.validation],
        reweightings=start.reweightings,
        floor=start.shrinkage_floor,
    )
    set_channel_weights(model, solution.channel_weights())
    return {
        "heritability": solution.heritability,
        "validation_mse": solution.validation_mse,
        "validation_pcc": solution.validation_pcc,
    }


def set_channel_weights(model: "GenotypeModel", weights: np.ndarray) -> None:
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
