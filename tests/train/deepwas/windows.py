"""A small window with real correlations, for tests."""

import numpy as np

from train.deepwas.cutting import Span
from train.deepwas.window import Window, correlations, make_window


def people(n: int = 400, variants: int = 30, seed: int = 1) -> np.ndarray:
    """Genotype codes of neighbours that correlate, (people, variants) int8."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, n, variants))
    for at in range(1, variants):
        x[..., at] = 0.8 * x[..., at - 1] + 0.6 * x[..., at]
    return (x > random.uniform(-1, 1, variants)).sum(axis=0).astype(np.int8)


def small_window(seed: int = 1, dtype: type = np.float64) -> tuple[Window, np.ndarray]:
    """Ten core variants amid thirty, and the correlations (30, 30)."""
    codes = people(seed=seed)
    position = np.arange(30) * 1000
    every = correlations(codes, slice(0, 30), position).astype(np.float64)
    z = np.random.default_rng(seed).normal(size=10) * 2
    span = Span(0, 30, 10, 20)
    return make_window(span, every[10:20], z, dtype=dtype), every
