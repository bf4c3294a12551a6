"""Gradient saliency: how strongly a prediction moves with each SNP's one-hot input.

For a sample x and a fold model f in standardised units, the paper's saliency of SNP i is
``S_i = max_c |∂f(x)/∂x_{i,c}|`` over the four channels c. A constant added to the four channels
of one SNP changes no prediction on a valid one-hot input, yet changes S_i; the centred variant
therefore subtracts, before the maximum, the gradient's mean over the channels that occur in
training.
"""

import numpy as np
import tensorflow as tf

from train.networks.genotype_model import GenotypeModel, isru, one_hot


def mean_saliency(
    model: GenotypeModel, codes: np.ndarray, occurs: np.ndarray, batch_size: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """Mean saliency and mean centred saliency over samples, by back-propagation.

    Parameters
    ----------
    model : GenotypeModel
    codes : ndarray (samples, SNPs) of int8, or of float32
        The test samples of the model's fold; see `train.networks.genotype_model.one_hot`.
    occurs : ndarray (SNPs, 4) of bool
        Which channels occur in the fold's training rows.

    Returns
    -------
    (saliency, centered) : two ndarrays (SNPs,) of float64
        In standard deviations of the trait per unit of input.
    """
    mask = tf.constant(occurs, tf.float32)
    count = tf.reduce_sum(mask, axis=1, keepdims=True)

    # Nothing here branches on a tensor: reading the source for that costs more than all batches.
    @tf.function(reduce_retracing=True, autograph=False)
    def batch_sums(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = one_hot(batch)
        with tf.GradientTape() as tape:
            tape.watch(x)
            prediction = isru(model.score(x), model.alpha)
        gradient = tape.gradient(prediction, x)
        mean = tf.reduce_sum(gradient * mask, axis=2, keepdims=True) / count
        centered = tf.abs(gradient - mean) * mask
        return (
            tf.reduce_sum(tf.reduce_max(tf.abs(gradient), axis=2), axis=0),
            tf.reduce_sum(tf.reduce_max(centered, axis=2), axis=0),
        )

    plain = np.zeros(codes.shape[1])
    centered = np.zeros(codes.shape[1])
    for start in range(0, len(codes), batch_size):
        sums = batch_sums(tf.constant(codes[start : start + batch_size]))
        plain += sums[0].numpy()
        centered += sums[1].numpy()
    return plain / len(codes), centered / len(codes)
