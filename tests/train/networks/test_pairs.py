"""The scan of all pairs: z by an ordinary regression, and what it finds."""

import numpy as np
import pytest

from train.networks import pairs
from train.networks.pairs import snps_of, strongest_pairs


def standardised(x):
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)


def by_regression(x, y, first, second):
    """z of the product's slope beside both SNPs, the error being that without it."""
    both = np.stack([np.ones(len(y)), x[:, first], x[:, second]], axis=1).astype(np.float64)
    product = (x[:, first] * x[:, second]).astype(np.float64)
    product -= both @ np.linalg.lstsq(both, product)[0]
    rest = y - both @ np.linalg.lstsq(both, y)[0]
    return product @ rest / np.sqrt(product @ product * (rest @ rest) / len(y))


@pytest.fixture(scope="module")
def population():
    random = np.random.default_rng(1)
    codes = random.binomial(2, random.uniform(0.1, 0.9, 30), (400, 30))
    x = standardised(codes + 0.0)
    y = 20 + x[:, 3] + 0.5 * x[:, 7] * x[:, 21] + random.normal(size=400)
    return x, y


def test_z_is_that_of_a_regression(population):
    x, y = population
    found = strongest_pairs(x, y, 30)
    assert len(found) == 30
    for z, first, second in found:
        assert first < second
        assert z == pytest.approx(by_regression(x, y, first, second), rel=1e-3, abs=1e-3)
    assert (found[0].first, found[0].second) == (7, 21)
    sizes = [abs(pair.z) for pair in found]
    assert sizes == sorted(sizes, reverse=True)


def test_all_pairs_are_looked_at(population):
    x, y = population
    every = strongest_pairs(x, y, 1000)
    assert {(p.first, p.second) for p in every} == {(a, b) for b in range(30) for a in range(b)}


def test_blocks_do_not_matter(population, monkeypatch):
    x, y = population
    whole = strongest_pairs(x, y, 40)
    monkeypatch.setattr(pairs, "_BLOCK", 7)
    told = []
    cut = strongest_pairs(x, y, 40, tell=told.append)
    assert [pair[1:] for pair in cut] == [pair[1:] for pair in whole]
    assert told[-1] == 1


def test_a_snp_and_its_copy_are_no_pair(population):
    x, y = population
    doubled = np.concatenate([x, x[:, [3]]], axis=1)
    assert (3, 30) not in [(p.first, p.second) for p in strongest_pairs(doubled, y, 1000)]


def test_shuffled_phenotypes_show_nothing(population):
    """435 pairs: the largest of as many normal numbers is above 4.5 once in 300 times."""
    x, y = population
    found = strongest_pairs(x, np.random.default_rng(2).permutation(y), 1)
    assert abs(found[0].z) < 4.5


def test_the_snps_of_pairs(population):
    x, y = population
    assert {7, 21} <= {*snps_of(strongest_pairs(x, y, 3)).tolist()}
