"""The likelihood of z-scores and its peer, against what they are by definition."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from scipy.stats import multivariate_normal

from tests.train.deepwas.windows import small_window
from train.deepwas.cutting import Span
from train.deepwas.iterative import sampled_loss
from train.deepwas.ld_score import ld_score_loss
from train.deepwas.likelihood import exact_loss, posterior
from train.deepwas.window import make_window

PRIOR = np.exp(np.random.default_rng(3).normal(size=30))


@pytest.mark.parametrize("sigma", [1.0, 1.7])
def test_the_value_is_that_of_the_density(sigma: float) -> None:
    window, r = small_window()
    core = slice(10, 20)

    def density(prior: np.ndarray, sigma: float) -> float:
        covariance = r[core] @ (prior[:, None] * r[:, core]) + sigma * r[core, core]
        return -multivariate_normal(np.zeros(10), covariance).logpdf(window.z)

    expected = density(PRIOR, sigma) - density(0 * PRIOR, 1.0)
    assert exact_loss(window, PRIOR, sigma).value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("loss", [exact_loss, ld_score_loss])
def test_the_gradients_are_those_of_the_value(loss) -> None:
    window, _ = small_window()
    found = loss(window, PRIOR, 1.3)
    step = 1e-5
    for at in (0, 12, 29):
        by = np.where(np.arange(30) == at, step, 0)
        up, down = (loss(window, PRIOR * np.exp(s * by), 1.3).value for s in (1, -1))
        assert found.by_log_prior[at] == pytest.approx((up - down) / (2 * step), abs=1e-6)
    up, down = (loss(window, PRIOR, 1.3 * np.exp(s * step)).value for s in (1, -1))
    assert found.by_log_sigma == pytest.approx((up - down) / (2 * step), abs=1e-6)


def test_effects_are_the_best_linear_predictor() -> None:
    window, r = small_window()
    core = slice(10, 20)
    covariance = r[core] @ (PRIOR[:, None] * r[:, core]) + r[core, core]
    cross = PRIOR[:, None] * r[:, core]
    found = posterior(window, PRIOR)
    np.testing.assert_allclose(found.mean, cross @ np.linalg.solve(covariance, window.z), atol=1e-8)
    left = PRIOR - np.einsum("ij,ji->i", cross, np.linalg.solve(covariance, cross.T))
    np.testing.assert_allclose(found.variance, left, atol=1e-8)


def test_one_variant_alone() -> None:
    """z is N(0, Λ + σ): at Λ = 3 and z = 2 the loss is ½ [log 4 + 4 / 4 − 4] = −0.807."""
    window = make_window(Span(0, 1, 0, 1), np.ones((1, 1)), np.array([2.0]))
    found = exact_loss(window, np.array([3.0]))
    assert found.value == pytest.approx(0.5 * (np.log(4) + 1 - 4), abs=1e-6)
    # ½ [3/4 − 3 · (2/4)²]: z² is as expected, so nothing pulls.
    assert found.by_log_prior[0] == pytest.approx(0, abs=1e-6)
    effect = posterior(window, np.array([3.0]))
    assert (effect.mean[0], effect.variance[0]) == pytest.approx((1.5, 0.75), abs=1e-6)
    assert ld_score_loss(window, np.array([3.0])).value == pytest.approx(0, abs=1e-6)


def test_few_people_are_shrunk_and_their_ld_scores_corrected() -> None:
    """Of variants that do not correlate most of r² is noise."""
    random = np.random.default_rng(1)
    r = np.corrcoef(random.normal(size=(100, 50)).T)
    span = Span(0, 50, 0, 50)
    window = make_window(span, r, random.normal(size=50), people=100)
    off = window.squares.sum() - 50
    assert abs(off) < 0.2 * ((r**2).sum() - 50)
    own = make_window(span, r, random.normal(size=50))
    # Whitened and mixed, the core is its own LD: G Gᵀ = L^½ ....
    assert np.abs(window.g @ window.g.T - np.diag(np.diag(window.g @ window.g.T))).max() < 1e-3
    assert np.linalg.cond(window.g) < 2 < np.linalg.cond(own.g)


def test_with_all_probes_the_sampled_likelihood_is_the_exact_one() -> None:
    window, _ = small_window()
    k = len(window.y)
    exact = exact_loss(window, PRIOR, 1.3)
    found = sampled_loss(window, PRIOR, 1.3, probes=np.eye(k) * k**0.5, tolerance=1e-12)
    assert found.loss.value == pytest.approx(exact.value, abs=1e-6)
    np.testing.assert_allclose(found.loss.by_log_prior, exact.by_log_prior, atol=1e-6)
    assert found.loss.by_log_sigma == pytest.approx(exact.by_log_sigma, abs=1e-6)


def test_few_probes_are_off_by_their_own_error() -> None:
    window, _ = small_window()
    exact = exact_loss(window, PRIOR)
    many = [sampled_loss(window, PRIOR, probes=25, seed=seed) for seed in range(40)]
    off = np.array([one.loss.value - exact.value for one in many])
    errors = np.array([one.value_error for one in many])
    assert abs(off.mean()) < 4 * off.std() / 40**0.5
    assert off.std() == pytest.approx(errors.mean(), rel=0.4)
    gradients = np.array([one.loss.by_log_prior - exact.by_log_prior for one in many])
    told = np.mean([one.gradient_error for one in many], axis=0)
    assert np.sqrt((gradients**2).mean()) == pytest.approx(np.sqrt((told**2).mean()), rel=0.3)
