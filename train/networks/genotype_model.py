"""A Keras network of one-hot genotypes, wrapped into a model of genotype codes."""

import keras
import numpy as np
import tensorflow as tf

from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, N_CHANNELS, channel_of
from snpredict.formulas.genotypes import Genotypes


def isru(z: tf.Tensor, alpha: float) -> tf.Tensor:
    """Inverse square root unit ``z / sqrt(1 + α z²)``, bounded by ``1 / sqrt(α)``."""
    return z * tf.math.rsqrt(1.0 + alpha * tf.square(z))


def as_tensor_input(genotypes: Genotypes) -> np.ndarray:
    """What `one_hot` takes, (samples, SNPs): int8, and float32 where there are dosages."""
    if genotypes.fractions is None:
        return genotypes.codes
    return genotypes.codes + genotypes.fractions


def one_hot(codes: tf.Tensor) -> tf.Tensor:
    """Genotypes (batch, SNPs), −1 for missing, as one-hot (batch, SNPs, 4) float32.

    Codes are int8. Of float32 what lies between two codes is so much of each of them.
    """
    if tf.as_dtype(codes.dtype).is_floating:
        shares = [
            tf.cast(codes < 0, tf.float32)
            if code == MISSING
            # A triangle around the code; the one around 0 would reach the missing ones.
            else tf.where(codes < 0, 0.0, tf.nn.relu(1 - tf.abs(codes - code)))
            for code in CHANNEL_CODES
        ]
        return tf.stack(shares, axis=-1)
    # code + 1 indexes a table of channels, which needs no negative index in the graph.
    channels = tf.constant(channel_of(np.array([-1, 0, 1, 2])).tolist(), tf.int32)
    return tf.one_hot(tf.gather(channels, tf.cast(codes, tf.int32) + 1), N_CHANNELS)


def affine_map(network: keras.Model) -> tuple[tf.Tensor, tf.Tensor]:
    """Weights (SNPs, 4) and bias () of a network that is affine in its one-hot input.

    The gradient at any one point is the weight matrix; the caller has to know that the network is
    affine (`train.networks.onnx_export` proves it on random genotypes). Differentiable in the
    network's own weights.
    """
    n_snps = network.input_shape[1]
    origin = tf.zeros((1, n_snps, N_CHANNELS))
    with tf.GradientTape() as tape:
        tape.watch(origin)
        score = network(origin, training=False)
    return tape.gradient(score, origin)[0], score[0, 0]


class GenotypeModel(keras.Model):
    """Genotypes (batch, SNPs), see `one_hot` → standardised phenotype (batch,) float32.

    Parameters
    ----------
    network : keras.Model
        One-hot (batch, SNPs, 4) → score (batch, 1).
    alpha : float
        ISRU α.
    folded : bool
        Multiply the affine network out into its (SNPs, 4) weights first and apply those to the
        batch. The same function and, without dropout, the same gradient for every kernel; but the
        convolutions run once per batch instead of once per sample.
    """

    def __init__(self, network: keras.Model, alpha: float, folded: bool = False):
        super().__init__(name="genotype_model")
        self.network = network
        self.alpha = alpha
        self.folded = folded

    def score(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """One-hot (batch, SNPs, 4) → score before the ISRU (batch,)."""
        if self.folded:
            weights, bias = affine_map(self.network)
            flat = tf.reshape(x, (-1, weights.shape[0] * N_CHANNELS))
            return tf.linalg.matvec(flat, tf.reshape(weights, (-1,))) + bias
        return self.network(x, training=training)[:, 0]

    def call(self, codes: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Standardised predictions of a batch of genotypes."""
        return isru(self.score(one_hot(codes), training), self.alpha)
