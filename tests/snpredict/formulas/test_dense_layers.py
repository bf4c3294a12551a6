"""Dense networks: a tiny one worked by hand, and what holds for all of them."""

from itertools import pairwise

import numpy as np
import pytest

from snpredict.formulas.dense_layers import DenseEnsemble, DenseLayers

# score = 3 relu(x1 + 2 x2) − relu(x1 − x2 − 1) + 0.5
BY_HAND = DenseLayers(
    [np.array([[1.0, 1.0], [2.0, -1.0]]), np.array([[3.0], [-1.0]])],
    [np.array([0.0, -1.0]), np.array([0.5])],
)


def drawn(seed, *sizes, leak=0.0):
    random = np.random.default_rng(seed)
    kernels = [random.normal(size=pair) for pair in pairwise(sizes)]
    return DenseLayers(kernels, [random.normal(size=size) for size in sizes[1:]], leak)


def test_scores_by_hand():
    x = np.array([[1.0, 1.0], [3.0, 0.0], [-1.0, 0.0]])
    assert BY_HAND.scores(x)[:, 0].tolist() == [9.5, 9 - 2 + 0.5, 0.5]


def test_a_leak_by_hand():
    """Units at −2 and −2 with a tenth of their slope: 3 · −0.2 − (−0.2) + 0.5."""
    leaky = DenseLayers(BY_HAND.kernels, BY_HAND.biases, 0.1)
    x = np.array([[-4 / 3, -1 / 3]])
    np.testing.assert_allclose(leaky.scores(x), [[-0.6 + 0.2 + 0.5]])
    np.testing.assert_allclose(leaky.gradients(x), [[0.3 - 0.1, 0.6 + 0.1]])


def test_without_biases_the_gradient_is_the_map():
    """Such networks are homogeneous: f(x) = J(x) x (Golden 2025)."""
    layers = drawn(4, 6, 5, 4, 1, leak=0.2)
    network = DenseLayers(layers.kernels, [np.zeros_like(b) for b in layers.biases], 0.2)
    x = np.random.default_rng(1).normal(size=(20, 6))
    mapped = (network.gradients(x) * x).sum(axis=1)
    np.testing.assert_allclose(mapped, network.scores(x)[:, 0], rtol=1e-12, atol=1e-12)


def test_gradients_by_hand():
    x = np.array([[1.0, 1.0], [3.0, 0.0], [-1.0, 0.0]])
    assert BY_HAND.gradients(x).tolist() == [[3, 6], [3 - 1, 6 + 1], [0, 0]]


def test_multipliers_by_hand():
    """From (0, 0) to (3, 0): the first unit goes 0 → 3, the second −1 → 2 and gives 2 of 3."""
    (found,) = BY_HAND.multipliers(np.array([[3.0, 0.0]]), np.zeros(2))
    np.testing.assert_allclose(found, [3 - 2 / 3, 6 + 2 / 3])
    (at_reference,) = BY_HAND.multipliers(np.array([[2.0, 1.0]]), np.array([2.0, 1.0]))
    assert at_reference.tolist() == [3, 6]


@pytest.mark.parametrize("seed", range(5))
def test_contributions_are_complete(seed):
    network = drawn(seed, 6, 5, 4, 2, leak=0.3 if seed % 2 else 0.0)
    random = np.random.default_rng(seed)
    x, reference = random.normal(size=(9, 6)), random.normal(size=6)
    for output in (0, 1):
        parts = network.multipliers(x, reference, output) * (x - reference)
        difference = network.scores(x) - network.scores(reference[None])
        np.testing.assert_allclose(parts.sum(axis=1), difference[:, output], rtol=1e-9, atol=1e-9)


def test_gradients_are_those_of_finite_differences():
    network, step = drawn(3, 6, 5, 4, 1), 1e-6
    x = np.random.default_rng(0).normal(size=(4, 6))
    for at in range(6):
        away = np.zeros(6)
        away[at] = step
        numeric = (network.scores(x + away) - network.scores(x - away))[:, 0] / (2 * step)
        np.testing.assert_allclose(network.gradients(x)[:, at], numeric, rtol=1e-5, atol=1e-7)


def test_an_ensemble_gives_the_mean():
    ensemble = DenseEnsemble([drawn(seed, 6, 3 + seed, 4 - seed, 2) for seed in range(3)])
    random = np.random.default_rng(0)
    x, reference = random.normal(size=(7, 6)), random.normal(size=6)
    for name, more in (("scores", ()), ("gradients", (1,)), ("multipliers", (reference, 1))):
        each = [getattr(network, name)(x, *more) for network in ensemble.networks]
        np.testing.assert_allclose(getattr(ensemble, name)(x, *more), np.mean(each, axis=0))
    # What a mean of complete contributions adds up to is the mean.
    parts = ensemble.multipliers(x, reference, 1) * (x - reference)
    difference = ensemble.scores(x) - ensemble.scores(reference[None])
    np.testing.assert_allclose(parts.sum(axis=1), difference[:, 1], atol=1e-9)
