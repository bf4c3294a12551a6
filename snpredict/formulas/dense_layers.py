"""A network of dense layers with ReLU units as numbers: its scores, gradients and multipliers.

    a_0 = x        a_k = relu(a_{k−1} K_k + b_k)        score = a_{n−1} K_n + b_n

with relu(s) = s above 0 and leak · s below; the leak is 0 unless a network says otherwise.

Gradients are exact: between the kinks of its units such a network is linear. Multipliers follow the
rescale rule of DeepLIFT (Shrikumar, Greenside, Kundaje 2017): what a unit passes on is the slope of
the chord between its input and that of the reference, so that

    Σ_j multiplier_j (x_j − reference_j) = score(x) − score(reference)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Closer to each other than this, two inputs of a unit have the unit's derivative for a chord.
_NEAR = 1e-6


@dataclass(frozen=True)
class DenseLayers:
    """Kernels and biases from the inputs to the scores.

    Attributes
    ----------
    kernels : sequence of ndarray (inputs of the layer, units)
    biases : sequence of ndarray (units,)
    leak : float
        Slope of the units below 0.
    """

    kernels: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    leak: float = 0.0

    @property
    def n_inputs(self) -> int:
        """Numbers per sample that it takes."""
        return self.kernels[0].shape[0]

    @property
    def n_outputs(self) -> int:
        """Scores per sample."""
        return self.kernels[-1].shape[1]

    def only(self, output: int) -> "DenseLayers":
        """With one of the scores alone."""
        at = slice(output, output + 1)
        kernels = [*self.kernels[:-1], self.kernels[-1][:, at]]
        return DenseLayers(kernels, [*self.biases[:-1], self.biases[-1][at]], self.leak)

    def inputs_of_units(self, x: np.ndarray) -> list[np.ndarray]:
        """What goes into the units of every layer; the last are the scores.

        Parameters
        ----------
        x : ndarray (samples, inputs)

        Returns
        -------
        list of ndarray (samples, units)
        """
        found = []
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            found.append(x @ kernel + bias)
            x = relu(found[-1], self.leak)
        return found

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores (samples, outputs) of inputs (samples, inputs)."""
        return self.inputs_of_units(x)[-1]

    def gradients(self, x: np.ndarray, output: int = 0) -> np.ndarray:
        """Derivatives of one output, (samples, inputs)."""
        *hidden, _ = self.inputs_of_units(x)
        return self._back([relu_slope(s, self.leak) for s in hidden], output)

    def multipliers(self, x: np.ndarray, reference: np.ndarray, output: int = 0) -> np.ndarray:
        """Contribution per unit of distance from the reference, (samples, inputs).

        Parameters
        ----------
        x : ndarray (samples, inputs)
        reference : ndarray (inputs,) or (samples, inputs)
            One for all samples, or one each.
        output : int
            Which of the scores.
        """
        *hidden, _ = self.inputs_of_units(x)
        *hidden_ref, _ = self.inputs_of_units(np.atleast_2d(reference))
        pairs = zip(hidden, hidden_ref, strict=True)
        chords = [relu_chord(s, s_ref, self.leak) for s, s_ref in pairs]
        return self._back(chords, output)

    def _back(self, slopes: Sequence[np.ndarray], output: int) -> np.ndarray:
        """The last kernel, passed back through units of these slopes (samples, units)."""
        passed = self.kernels[-1][:, output]
        for kernel, slope in zip(self.kernels[-2::-1], slopes[::-1], strict=True):
            passed = (slope * passed) @ kernel.T
        return passed


def relu(s: np.ndarray, leak: float = 0.0) -> np.ndarray:
    """s above 0, ``leak · s`` below."""
    return np.maximum(s, leak * s) if leak else np.maximum(s, 0)


def relu_slope(s: np.ndarray, leak: float = 0.0) -> np.ndarray:
    """Derivative of `relu`; that of the lower side at 0."""
    return np.where(s > 0, 1, leak).astype(s.dtype)


def relu_chord(s: np.ndarray, s_ref: np.ndarray, leak: float = 0.0) -> np.ndarray:
    """``(relu(s) − relu(s_ref)) / (s − s_ref)``, or the derivative where the two meet."""
    distance = s - s_ref
    near = np.abs(distance) < _NEAR
    quotient = (relu(s, leak) - relu(s_ref, leak)) / np.where(near, 1, distance)
    return np.where(near, relu_slope(s, leak), quotient)


@dataclass(frozen=True)
class DenseEnsemble:
    """Networks of the same inputs, whose scores are averaged: so are gradients and multipliers.

    Attributes
    ----------
    networks : sequence of DenseLayers
    """

    networks: Sequence[DenseLayers]

    @property
    def n_inputs(self) -> int:
        """Numbers per sample that it takes."""
        return self.networks[0].n_inputs

    def scores(self, x: np.ndarray) -> np.ndarray:
        """See `DenseLayers.scores`."""
        return np.mean([network.scores(x) for network in self.networks], axis=0)

    def gradients(self, x: np.ndarray, output: int = 0) -> np.ndarray:
        """See `DenseLayers.gradients`."""
        return np.mean([network.gradients(x, output) for network in self.networks], axis=0)

    def multipliers(self, x: np.ndarray, reference: np.ndarray, output: int = 0) -> np.ndarray:
        """See `DenseLayers.multipliers`."""
        each = [network.multipliers(x, reference, output) for network in self.networks]
        return np.mean(each, axis=0)
