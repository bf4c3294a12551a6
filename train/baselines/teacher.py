"""The teacher: Gaussian-kernel regression on weighted genotypes, its two numbers by likelihood.

As a Gaussian process: y ~ N(μ, σ² (h² K + (1 − h²) I)) with ``K = exp(−γ d² / median d²)`` for the
squared distances d² of the inputs. γ and h² are those of the largest likelihood of the training
rows (Rasmussen and Williams 2006, eq. 5.8, with σ² profiled out), so that no validation row is
spent on them and a validation fold of foreign families cannot lead them astray.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.baselines.dual import TEACHER_SHARES, gaussian, solve_dual, squared_distances

GAMMAS = (0.1, 0.3, 1.0, 3.0)

#: Where the search begins: γ and h².
_BEGIN = (1, 7)

#: Rows that a prediction works on at a time.
_BLOCK = 2048


@dataclass(frozen=True)
class Teacher:
    """A fitted kernel regression.

    Attributes
    ----------
    inputs : ndarray (lines, inputs) of float32
        The training rows.
    dual : ndarray (lines,) of float32
    gamma : float
        γ over the median squared distance.
    heritability : float
        h².
    gamma_relative : float
        γ.
    """

    inputs: np.ndarray
    dual: np.ndarray
    gamma: float
    heritability: float
    gamma_relative: float

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Expected phenotypes of inputs (lines, inputs): ndarray (lines,) of float32."""
        out = np.empty(len(x), np.float32)
        for start in range(0, len(x), _BLOCK):
            rows = slice(start, start + _BLOCK)
            out[rows] = gaussian(_distances(x[rows], self.inputs), self.gamma) @ self.dual
        return out


def _distances(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    return squared_distances(x, other, np.sum(x * x, axis=1), np.sum(other * other, axis=1))


def fit_teacher(
    x: np.ndarray,
    y: np.ndarray,
    gammas: Sequence[float] = GAMMAS,
    heritabilities: Sequence[float] = TEACHER_SHARES,
) -> Teacher:
    """Fit by climbing the likelihood over a grid of γ and h².

    The likelihood has one hill in practice; climbing it takes a third of the fits of a full grid.

    Parameters
    ----------
    x : ndarray (lines, inputs) of float32
    y : ndarray (lines,) of float32
        Standardised: mean 0.
    """
    distances = _distances(x, x)
    median = float(np.median(distances[: min(len(x), 1500)])) or 1.0
    kernels: dict[int, np.ndarray] = {}
    seen: dict[tuple[int, int], tuple[float, np.ndarray]] = {}

    def fitted(place: tuple[int, int]) -> float:
        if place not in seen:
            at, share = place[0], heritabilities[place[1]]
            if at not in kernels:
                # One kernel at a time: each has lines × lines numbers.
                kernels.clear()
                kernels[at] = gaussian(distances, gammas[at] / median)
            dual, half_log_determinant = solve_dual(kernels[at], y, noise=1 - share, share=share)
            quadratic = max(float(y.astype(np.float64) @ dual), 1e-12)
            likelihood = -0.5 * len(x) * np.log(quadratic / len(x)) - half_log_determinant
            seen[place] = float(likelihood), share * dual
        return seen[place][0]

    here = (min(_BEGIN[0], len(gammas) - 1), min(_BEGIN[1], len(heritabilities) - 1))
    fitted(here)
    while True:
        # h² first: it needs no new kernel.
        steps = [(0, 1), (0, -1), (1, 0), (-1, 0)]
        around = [(here[0] + a, here[1] + b) for a, b in steps]
        inside = [p for p in around if 0 <= p[0] < len(gammas) and 0 <= p[1] < len(heritabilities)]
        better = next((p for p in inside if fitted(p) > fitted(here)), None)
        if better is None:
            break
        here = better
    return Teacher(
        inputs=x,
        dual=seen[here][1].astype(np.float32),
        gamma=gammas[here[0]] / median,
        heritability=heritabilities[here[1]],
        gamma_relative=gammas[here[0]],
    )
