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

NETWORKS = tuple(HIDDEN)

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
        (annotations,).
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


_BODIES: dict[str, Callable[[Any, str], Any]] = {"constant": _constant}


def clipped(log_prior: np.ndarray) -> np.ndarray:
    """Within `LOWEST` and `HIGHEST`."""
    return np.clip(log_prior, LOWEST, HIGHEST)
