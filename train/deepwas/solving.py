"""Which way a window's likelihood is computed."""

import numpy as np

from train.deepwas.iterative import sampled_loss
from train.deepwas.likelihood import Loss, exact_loss
from train.deepwas.window import Window

#: Exactly, with random probes, or by the window's size.
SOLVERS = ("auto", "exact", "iterative")

#: Directions of the core from which on probes are faster on two cores; docs/deepwas.md has the
#: seconds.
LARGE = 2_000


def full_loss(
    window: Window, prior: np.ndarray, sigma: float = 1.0, solver: str = "auto", seed: int = 0
) -> Loss:
    """The likelihood and its gradient.

    Parameters
    ----------
    prior : ndarray (all,)
        Λ, of core and halo.
    solver : str
        One of `SOLVERS`.
    seed : int
        Of the probes.
    """
    if solver == "iterative" or (solver == "auto" and len(window.y) > LARGE):
        return sampled_loss(window, prior, sigma, seed=seed).loss
    return exact_loss(window, prior, sigma)
