"""Links: from a model's score to what it predicts, stated once for both packages.

A fold's prediction is ``center + scale · value(z)`` of its score z. The link is the value: the
identity; the ISRU, which keeps predictions of unheard-of genotypes within the range of the trait;
or the logistic function, whose value is a probability (center 0, scale 1; named after its inverse,
the logit, as in generalized linear models).

Contributions share a difference of values out over the SNPs by the slope of the chord between two
scores (the rescale rule of DeepLIFT: Shrikumar, Greenside, Kundaje 2017, eq. 10).
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np


class Link(ABC):
    """A function of the score, and its slopes; arrays of any shape, elementwise.

    Attributes
    ----------
    name : str
        In a bundle's manifest.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def reach(self) -> float:
        """How far apart two values can be."""

    @abstractmethod
    def value(self, z: np.ndarray) -> np.ndarray:
        """The prediction in standardised units."""

    @abstractmethod
    def slope(self, z: np.ndarray) -> np.ndarray:
        """Derivative of `value`."""

    @abstractmethod
    def chord_slope(self, z: np.ndarray, z_ref: np.ndarray) -> np.ndarray:
        """``(value(z) − value(z_ref)) / (z − z_ref)``, or the derivative where the two meet."""


@dataclass(frozen=True)
class Identity(Link):
    """The score itself."""

    name: ClassVar[str] = "identity"

    @property
    def reach(self) -> float:
        """Without bound."""
        return math.inf

    def value(self, z: np.ndarray) -> np.ndarray:
        """z."""
        return z

    def slope(self, z: np.ndarray) -> np.ndarray:
        """1."""
        return np.ones(np.shape(z))

    def chord_slope(self, z: np.ndarray, z_ref: np.ndarray) -> np.ndarray:
        """1."""
        return np.ones(np.broadcast_shapes(np.shape(z), np.shape(z_ref)))


@dataclass(frozen=True)
class Isru(Link):
    """Inverse square root unit ``z / sqrt(1 + α z²)`` (Carlile et al. 2017, arXiv:1710.09967).

    Attributes
    ----------
    alpha : float
        α, above 0 in a bundle; values lie between ±1 / sqrt(α).
    """

    alpha: float
    name: ClassVar[str] = "isru"

    @property
    def reach(self) -> float:
        """Both ends; infinite for α = 0."""
        return 2 / self.alpha**0.5 if self.alpha > 0 else math.inf

    def value(self, z: np.ndarray) -> np.ndarray:
        """``z / sqrt(1 + α z²)``."""
        return z / np.sqrt(1 + self.alpha * z * z)

    def slope(self, z: np.ndarray) -> np.ndarray:
        """``(1 + α z²)^(−3/2)``."""
        return (1 + self.alpha * z**2) ** -1.5

    def chord_slope(self, z: np.ndarray, z_ref: np.ndarray) -> np.ndarray:
        """See `Link`.

        With r = sqrt(1 + α z²) and q the same of z_ref, r² z_ref² and q² z² differ by z² − z_ref²,
        so that the quotient equals

            (z + z_ref) / (r q (z q + z_ref r))

        in which nothing cancels as long as z and z_ref have the same sign. With opposite signs
        nothing cancels in the plain quotient.
        """
        r, q = np.sqrt(1 + self.alpha * z * z), np.sqrt(1 + self.alpha * z_ref * z_ref)
        same_sign = z * z_ref > 0
        above = np.where(same_sign, z + z_ref, z / r - z_ref / q)
        below = np.where(same_sign, r * q * (z * q + z_ref * r), z - z_ref)
        # What remains is z = z_ref = 0, where the slope is 1.
        return np.divide(above, below, out=np.ones(np.shape(above)), where=below != 0)


@dataclass(frozen=True)
class Logit(Link):
    """The logistic function ``1 / (1 + exp(−z))``: the probability whose logit is z."""

    name: ClassVar[str] = "logit"

    @property
    def reach(self) -> float:
        """From 0 to 1."""
        return 1.0

    def value(self, z: np.ndarray) -> np.ndarray:
        """``1 / (1 + exp(−z))``."""
        return sigmoid(z)

    def slope(self, z: np.ndarray) -> np.ndarray:
        """``p (1 − p)``."""
        p = sigmoid(z)
        return p * (1 - p)

    def chord_slope(self, z: np.ndarray, z_ref: np.ndarray) -> np.ndarray:
        """See `Link`; from tanh a − tanh b = tanh(a − b) (1 − tanh a · tanh b)."""
        half = 0.5 * (z - z_ref)
        shrunk = np.divide(np.tanh(half), half, out=np.ones(np.shape(half)), where=half != 0)
        return 0.25 * shrunk * (1 - np.tanh(0.5 * z) * np.tanh(0.5 * z_ref))


def sigmoid(s: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(−s))``; by tanh, which neither overflows nor loses digits."""
    return 0.5 * (1 + np.tanh(0.5 * s))


@dataclass(frozen=True)
class TraitScale:
    """What turns the folds' scores into predictions: trait units, or a probability.

    Attributes
    ----------
    center, scale : ndarray (folds,) of float64
        Trait units: of the folds' training rows; 0 and 1 for a probability.
    link : Link
    """

    center: np.ndarray
    scale: np.ndarray
    link: Link

    def only(self, fold: int) -> "TraitScale":
        """That of the fold model at that place by itself."""
        at = slice(fold, fold + 1)
        return replace(self, center=self.center[at], scale=self.scale[at])

    def additive(self) -> "TraitScale":
        """The scale on which contributions add up: logits of a probability, else trait units."""
        if not isinstance(self.link, Logit):
            return self
        return TraitScale(np.zeros(len(self.center)), np.ones(len(self.center)), Identity())

    def predictions(self, z: np.ndarray) -> np.ndarray:
        """Scores (samples, folds) or (folds,) as predictions of the same shape."""
        return self.center + self.scale * self.link.value(z)

    def of_fold(self, fold: int, z: np.ndarray) -> np.ndarray:
        """Scores of one fold, of any shape, as its predictions."""
        return self.center[fold] + self.scale[fold] * self.link.value(z)

    def slopes(self, z: np.ndarray) -> np.ndarray:
        """What a small step of each fold's score (folds,) adds to that fold's prediction."""
        return self.scale * self.link.slope(z)

    def change(self, fold: int, z: np.ndarray, z_ref: np.ndarray) -> np.ndarray:
        """What one fold adds to the mean over the folds when its score goes from z_ref to z."""
        return self._weight(fold) * (self.link.value(z) - self.link.value(z_ref))

    def chord(self, fold: int, z: np.ndarray, z_ref: np.ndarray) -> np.ndarray:
        """`change` for each unit of ``z − z_ref``: the factor of a step's contribution."""
        return self._weight(fold) * self.link.chord_slope(z, z_ref)

    def largest_difference(self) -> float:
        """How far apart two predictions can be, mean over the folds; may be infinite."""
        return float(np.mean(self.scale)) * self.link.reach

    def _weight(self, fold: int) -> float:
        return self.scale[fold] / len(self.scale)
