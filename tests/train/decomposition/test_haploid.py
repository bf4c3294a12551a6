"""Additive effects and epistasis from sensitivities: polynomials whose answer is known."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from train.decomposition.haploid import decompose, false_discovery, pair_effects
from train.decomposition.sensitivities import Sensitivities


def every_line(n: int) -> np.ndarray:
    """All lines of n loci, each once: linkage equilibrium, and alleles equally common."""
    return 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1


def of_polynomial(x: np.ndarray, beta: np.ndarray, pairs: np.ndarray) -> Sensitivities:
    """Of ``Σ β_i x_i + Σ_{i<j} β_ij x_i x_j``: s_i = β_i + Σ_j β_ij x_j."""
    return Sensitivities(x, beta + x @ pairs)


BETA = np.array([1.0, -0.5, 0.25, 0.0])
PAIRS = np.zeros((4, 4))
PAIRS[0, 1] = PAIRS[1, 0] = 2.0
PAIRS[0, 3] = PAIRS[3, 0] = -1.0


def test_a_polynomial_by_hand() -> None:
    x = every_line(4)
    found = decompose(of_polynomial(x, BETA, PAIRS))
    np.testing.assert_allclose(found.additive, BETA)
    # Divided by 15 of 16 lines: 2² + 1², 2², nothing, 1².
    np.testing.assert_allclose(found.epistatic_variance, np.array([5, 4, 0, 1]) * 16 / 15)
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(found.pairs[off], PAIRS[off], atol=1e-12)
    assert np.isnan(np.diag(found.pairs)).all()
    # Every pair counts once: half of the sum over the loci, and the means' errors taken off.
    assert found.variances["epistatic"] == pytest.approx(5 * 16 / 15)
    additive = (BETA**2).sum() - 10 * 16 / 15 / 16
    assert found.variances["additive"] == pytest.approx(additive)
    assert found.variances["genetic"] == pytest.approx(additive + 5 * 16 / 15)


def test_variances_are_those_of_the_trait() -> None:
    random = np.random.default_rng(1)
    x = np.sign(random.normal(size=(40_000, 4)))
    y = x @ BETA + 2 * x[:, 0] * x[:, 1] - x[:, 0] * x[:, 3]
    found = decompose(of_polynomial(x, BETA, PAIRS))
    assert found.variances["genetic"] == pytest.approx(y.var(), rel=0.03)


def test_an_additive_network_has_no_epistasis() -> None:
    x = np.sign(np.random.default_rng(2).normal(size=(500, 4)))
    found = decompose(of_polynomial(x, BETA, np.zeros((4, 4))))
    assert found.variances["epistatic"] == pytest.approx(0, abs=1e-12)
    assert np.nanmax(np.abs(found.pairs)) < 1e-12


def test_lines_that_miss_a_locus_have_no_part_in_its_pairs() -> None:
    x = np.concatenate([every_line(4), every_line(4)])
    gaps = x.copy()
    gaps[:5, 2] = 0
    whole, some = (pair_effects(each, (BETA + x @ PAIRS)) for each in (x, gaps))
    others = np.ix_([0, 1, 3], [0, 1, 3])
    np.testing.assert_allclose(some[others], whole[others], atol=1e-12)
    expected = pair_effects(x[5:], (BETA + x @ PAIRS)[5:])
    np.testing.assert_allclose(some[2], expected[2], atol=1e-12)
    # Where a combination is not there a pair has no estimate.
    assert np.isnan(pair_effects(x[x[:, 0] == x[:, 1]], x[x[:, 0] == x[:, 1]])[0, 1])


def test_rates_of_false_discoveries_by_hand() -> None:
    # Of 4 null values none is beyond 5, one beyond 2 and 1.5, all beyond 0.1.
    q = false_discovery(np.array([0.1, -5.0, 2.0, 1.5]), np.array([0.2, -3.0, 1.0, 0.3]))
    # Rates: 5: 0; 2: (1/4) / (2/4); 1.5: (1/4) / (3/4), which holds for 2 as well; 0.1: 1.
    np.testing.assert_allclose(q, [1, 0, 1 / 3, 1 / 3])
