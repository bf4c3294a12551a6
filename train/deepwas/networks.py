"""Networks of a variant's annotations; the output is the logarithm of its prior variance."""

from collections.abc import Callable
from typing import Any

import numpy as np

#: Units of each hidden layer, by name.
HIDDEN: dict[str, tuple[int, ...]] = {
    "constant": (),
    "linear": (),
    "mlp": (16, 16, 16),
    "mlp-large": (128, 128, 128),
}

NETWORKS = (*HIDDEN, "attention")

#: Neighbours on either side that ``attention`` looks at.
REACH = 7

#: What is made small: the likelihood, or the squared error of LD-score regression.
OBJECTIVES = ("full", "ldsr")

#: log Λ stays within: smaller ones cannot be told from 0.
LOWEST, HIGHEST = -10.0, 10.0


def build(name: str, shape: tuple[int, ...], start: float, seed: int) -> Any:
    """A Keras model of features (variants, *shape) → log Λ (variants,).

    The last layer starts at `start` for all variants, so that training begins with the constant.

    Parameters
    ----------
    shape : tuple of int
        (annotations,), and for ``attention`` (2 · REACH + 1, annotations); see `Inputs`.
    start : float
        log Λ of all variants.
    """
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input(shape, name="annotations")
    last = keras.layers.Dense(
        1, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(start)
    )
    body = _BODIES.get(name, _dense)(inputs, name)
    output = keras.layers.Reshape(())(last(body))
    return keras.Model(inputs, output, name=name.replace("-", "_"))


def _constant(inputs: Any, name: str) -> Any:
    from keras import ops

    return ops.zeros_like(inputs[:, :1])


def _dense(inputs: Any, name: str) -> Any:
    import keras

    x = inputs
    for units in HIDDEN[name]:
        x = keras.layers.Dense(units, activation="silu")(x)
    return x


def _attention(inputs: Any, name: str) -> Any:
    """Two convolutions and a transformer block over the neighbours, read at the variant itself."""
    from keras import layers

    x = layers.Conv1D(16, 5, padding="same", activation="silu")(inputs)
    x = x + layers.Conv1D(16, 5, padding="same", activation="silu")(x)
    normed = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(2, 8)(normed, normed)
    x = x + layers.Dense(16)(layers.Dense(32, activation="silu")(layers.LayerNormalization()(x)))
    own = layers.Concatenate()([x[:, REACH], inputs[:, REACH]])
    return layers.Dense(32, activation="silu")(own)


_BODIES: dict[str, Callable[[Any, str], Any]] = {"constant": _constant, "attention": _attention}


class Inputs:
    """What a network is given of each variant, made when it is asked for.

    ``attention`` is given the annotations of the variant and of its neighbours, and how far away
    they are; beyond the end of a chromosome all are 0. Other networks are given the variant's own.

    Parameters
    ----------
    name : str
        Of the network.
    features : ndarray (variants, annotations) of float32
    chromosome : ndarray (variants,)
    position : ndarray (variants,)
        Base pairs.
    """

    def __init__(
        self, name: str, features: np.ndarray, chromosome: np.ndarray, position: np.ndarray
    ):
        self._features, self._chromosome, self._position = features, chromosome, position
        self._neighbours = name == "attention"

    def __len__(self) -> int:
        """Number of variants."""
        return len(self._features)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one variant."""
        n = self._features.shape[1]
        return (2 * REACH + 1, n + 1) if self._neighbours else (n,)

    def rows(self, which: np.ndarray) -> np.ndarray:
        """Of those variants, (variants, *shape) float32."""
        if not self._neighbours:
            return np.asarray(self._features[which])
        at = which[:, None] + np.arange(-REACH, REACH + 1)
        inside = (at >= 0) & (at < len(self))
        at = np.clip(at, 0, len(self) - 1)
        inside &= self._chromosome[at] == self._chromosome[which, None]
        away = np.abs(self._position[at] - self._position[which, None])
        found = np.concatenate([self._features[at], np.log10(1 + away)[..., None] / 5], axis=2)
        return np.where(inside[..., None], found, 0).astype(np.float32)


def clipped(log_prior: np.ndarray) -> np.ndarray:
    """Within `LOWEST` and `HIGHEST`."""
    return np.clip(log_prior, LOWEST, HIGHEST)
