"""Contrasts of three genotypes and what they make of functions whose answer is known."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.formulas.encoding import CHANNEL_CODES
from train.decomposition.contrasts import Contrasts
from train.decomposition.diploid import (
    COMPONENTS,
    DiploidSensitivities,
    coded,
    pair_effects,
    sensitivities_of,
    variance_components,
)

SHARES = np.array(
    [[0.49, 0.42, 0.09], [0.25, 0.5, 0.25], [0.4, 0.1, 0.5], [0.6, 0.4, 0.0], [1.0, 0.0, 0.0]]
)


def contrasts(shares: np.ndarray = SHARES, missing: float = 0.0) -> Contrasts:
    of_code = {0: 0, 1: 1, 2: 2}
    columns = [
        np.full(len(shares), missing) if code == -1 else shares[:, of_code[code]] * (1 - missing)
        for code in CHANNEL_CODES
    ]
    return Contrasts.of(np.stack(columns, axis=1))


def with_each_genotype(function):
    """The function of lines (lines, loci) asked for every genotype of every locus."""

    def asked(codes: np.ndarray):
        for locus in range(codes.shape[1]):
            found = []
            for code in (0, 1, 2):
                changed = codes.copy()
                changed[:, locus] = code
                found.append(function(changed))
            yield np.stack(found, axis=1)

    return asked


def of_function(function, shares: np.ndarray, lines: int, seed: int = 1) -> DiploidSensitivities:
    at = contrasts(shares)
    codes = at.draw(lines, np.random.default_rng(seed))
    return sensitivities_of(with_each_genotype(function), at, codes)


def test_contrasts_are_orthogonal_at_any_frequencies() -> None:
    found = contrasts(missing=0.2)
    p = found.shares
    np.testing.assert_allclose(p, SHARES)
    for unit in (found.additive, found.dominance):
        np.testing.assert_allclose((p * unit).sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose((p * found.additive * found.dominance).sum(axis=1), 0, atol=1e-12)
    # In Hardy-Weinberg proportions these are 2pq and (2pq)².
    np.testing.assert_allclose(found.additive_variance[:2], [0.42, 0.5])
    np.testing.assert_allclose(found.dominance_variance[:2], [0.42**2, 0.25])
    # Without one of the genotypes there is no dominance, without two nothing.
    np.testing.assert_allclose(found.dominance_variance[3:], 0)
    assert found.additive_variance[4] == 0


def test_an_average_effect_is_a_plus_d_times_q_less_p() -> None:
    a, d, q = 2.0, 1.0, 0.3
    found = contrasts()
    values = np.array([[-a, d, a]])
    assert found.average_effects(values, 0)[0] == pytest.approx(a + d * (1 - 2 * q))
    assert found.deviations(values, 0)[0] == pytest.approx(d)
    assert found.deviations(values, 3)[0] == 0


def test_drawn_lines_have_the_frequencies() -> None:
    codes = contrasts().draw(20_000, np.random.default_rng(1))
    for code in (0, 1, 2):
        np.testing.assert_allclose((codes == code).mean(axis=0), SHARES[:, code], atol=0.015)


def trait(x: np.ndarray) -> np.ndarray:
    """a = 1 and d = 0.5 of locus 0, and pairs of every kind."""
    w = contrasts()
    of_a = np.stack([w.additive[j][x[:, j]] for j in range(3)], axis=1)
    of_d = np.stack([w.dominance[j][x[:, j]] for j in range(3)], axis=1)
    pairs = 0.8 * of_a[:, 0] * of_a[:, 1] + 0.6 * of_a[:, 0] * of_d[:, 2]
    return 5 + (x[:, 0] - 1) + 0.5 * (x[:, 0] == 1) + pairs + 0.7 * of_d[:, 0] * of_d[:, 1]


def test_components_of_a_known_trait() -> None:
    """By hand: each term's squared coefficient times the variances of its contrasts."""
    found = of_function(trait, SHARES, 4000)
    w = contrasts()
    v_a, v_d = w.additive_variance, w.dominance_variance
    expected = {
        "additive": (1 + 0.5 * (1 - 0.6)) ** 2 * v_a[0],
        "dominance": 0.5**2 * v_d[0],
        "additive_by_additive": 0.8**2 * v_a[0] * v_a[1],
        "additive_by_dominance": 0.6**2 * v_a[0] * v_d[2],
        "dominance_by_dominance": 0.7**2 * v_d[0] * v_d[1],
    }
    told = variance_components(found)
    for name, value in expected.items():
        assert told[name].value == pytest.approx(value, abs=max(4 * told[name].se, 2e-3)), name
    genetic = told["genetic"]
    assert genetic.value == pytest.approx(sum(expected.values()), abs=4 * genetic.se)
    # Better than the variance of the lines as they were drawn, whose error is √(2/n) of itself.
    assert genetic.se < 0.9 * genetic.value * np.sqrt(2 / 4000)
    assert abs(told["higher"].value) < 4 * told["higher"].se
    a, d = coded(found)
    every = np.arange(5)
    by_a, by_d = pair_effects(a, a, every), pair_effects(a, d, every)
    assert by_a[0, 1] == pytest.approx(0.8 * np.sqrt(v_a[0] * v_a[1]), abs=0.03)
    assert by_d[0, 2] == pytest.approx(0.6 * np.sqrt(v_a[0] * v_d[2]), abs=0.03)
    np.testing.assert_allclose(by_a, by_a.T, atol=1e-6)
    np.testing.assert_allclose(by_d, pair_effects(d, a, every).T, atol=1e-6)
    assert np.isnan(np.diag(by_a)).all()
    assert np.nanmax(np.abs(by_a[2:])) < 0.03


def test_components_are_right_in_the_mean_with_few_lines() -> None:
    told = [
        variance_components(of_function(trait, SHARES, 100, seed))["additive_by_additive"].value
        for seed in range(60)
    ]
    expected = 0.8**2 * 0.42 * 0.5
    assert np.mean(told) == pytest.approx(expected, abs=3 * np.std(told) / np.sqrt(60))


def test_an_additive_function_has_nothing_else() -> None:
    told = variance_components(of_function(lambda x: x @ np.arange(5.0), SHARES, 500))
    for name in COMPONENTS[1:]:
        assert told[name].value == pytest.approx(0, abs=1e-9)


def test_three_loci_are_of_higher_order() -> None:
    shares = np.tile([[0.25, 0.5, 0.25]], (3, 1))
    told = variance_components(of_function(lambda x: np.prod(x - 1.0, axis=1), shares, 4000))
    assert told["higher"].value == pytest.approx(told["genetic"].value, abs=4 * told["higher"].se)
    assert told["higher"].value == pytest.approx(0.125, abs=0.02)
