"""Virtual lines: recombinants of two training lines."""

import numpy as np


def virtual_lines(x: np.ndarray, count: int, segments: int, rng: np.random.Generator) -> np.ndarray:
    """Lines whose genome alternates between two random training lines.

    Parameters
    ----------
    x : ndarray (lines, inputs) of float32
        Training lines, SNPs in genome order.
    count : int
    segments : int
        Expected number of changes from one parent to the other along the genome. Chromosomes are
        not asked for: a change that misses their ends only makes some segments longer.

    Returns
    -------
    ndarray (count, inputs) of float32
    """
    one, other = rng.integers(len(x), size=(2, count))
    changes = rng.random((count, x.shape[1]), np.float32) < segments / x.shape[1]
    changes[:, 0] = rng.random(count) < 0.5
    from_one = np.logical_xor.accumulate(changes, axis=1)
    return np.where(from_one, x[one], x[other])
