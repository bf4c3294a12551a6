"""What missing genotypes cost a reliability."""

import numpy as np
import pytest

from snpredict.formulas.encoding import genotype_frequencies
from snpredict.matching.match import effect_weights
from tests.bundles import Tiny
from train.bundle.reliability import Lines, squared_within_families
from train.bundle.reliability_called import called_shares

N, SNPS, FOLDS = 900, 60, 3


@pytest.fixture(scope="module")
def case():
    """Lines whose values are the predictions of their folds and noise."""
    tiny = Tiny(n_snps=SNPS, n_folds=FOLDS)
    tiny.weights[:, :, 1:] = tiny.weights[:, :, :1]
    codes = tiny.draw(N)
    fold = np.arange(N) % FOLDS
    predicted = tiny.expected(codes)[np.arange(N), fold]
    noise = np.random.default_rng(2).normal(0, predicted.std(), N)
    lines = Lines(predicted + noise, np.full(N, np.nan), None, fold, np.zeros(N))
    return tiny, codes, lines, predicted


def shares(case, **changed):
    tiny, codes, lines, _ = case
    effects = effect_weights(genotype_frequencies(codes), tiny.saliency().effects, None)
    arguments = {"codes": codes, "lines": lines} | changed
    return called_shares(function=tiny.function(), trait=tiny.trait, effects=effects, **arguments)


def test_the_fewer_effects_the_less_is_left(case):
    found = shares(case)
    called, left = np.array(found).T
    assert len(found) == 7
    assert called.tolist() == sorted(called)
    assert left.tolist() == sorted(left)
    # A tenth of the genotypes is missing, and half of the SNPs at most.
    assert called[-1] == pytest.approx(0.9, abs=0.02)
    assert called[0] == pytest.approx(0.45, abs=0.1)
    assert left[-1] == 1
    assert left[0] < 0.8


def test_as_they_are_lines_are_predicted_by_their_folds(case, monkeypatch):
    from train.bundle import reliability_called

    seen = []
    monkeypatch.setattr(
        reliability_called,
        "squared_within_families",
        lambda lines: seen.append(lines.predicted) or squared_within_families(lines),
    )
    shares(case)
    np.testing.assert_allclose(seen[0], case[3], rtol=1e-5)


def test_nothing_where_nothing_is_predicted(case):
    lines = case[2]
    assert shares(case, lines=lines._replace(observed=-lines.observed)) == ()


def test_the_same_bits_again(case):
    assert shares(case) == shares(case)
