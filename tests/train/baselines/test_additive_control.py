"""The additive control: a trait's own additive values and noise."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.formulas.genotypes import Genotypes
from train.baselines.additive_control import additive_phenotypes, additive_values
from train.data.dataset import Dataset
from train.errors import TrainingTableError

RANDOM = np.random.default_rng(3)


def lines() -> Dataset:
    """A trait of two additive loci and a strong pair."""
    random = np.random.default_rng(1)
    codes = random.integers(0, 3, (1500, 10)).astype(np.int8)
    x = codes - 1.0
    y = 50 + 2 * x[:, 0] - x[:, 1] + 3 * x[:, 2] * x[:, 3] + random.normal(size=1500)
    names = [f"L{at}" for at in range(10)]
    samples = [f"i{at}" for at in range(1500)]
    return Dataset(Genotypes(codes), names, samples, y, None, None, "t.tsv", "", 0)


def test_additive_effects_stay_and_the_pair_goes() -> None:
    data = lines()
    made = additive_phenotypes(data, 0)
    assert made.mean() == pytest.approx(data.phenotype.mean(), abs=0.3)
    assert made.std() == pytest.approx(data.phenotype.std(), rel=0.1)
    x = data.codes - 1.0
    slopes = np.linalg.lstsq(np.c_[np.ones(1500), x], made)[0][1:]
    np.testing.assert_allclose(slopes, [2, -1] + 8 * [0], atol=0.35)
    product = x[:, 2] * x[:, 3]
    assert abs(np.corrcoef(product, data.phenotype)[0, 1]) > 0.5
    assert abs(np.corrcoef(product, made)[0, 1]) < 0.08
    np.testing.assert_array_equal(made, additive_phenotypes(data, 0))


def test_the_heritability_is_the_additive_share() -> None:
    """A locus of three equally frequent codes has the variance 2/3: of 8.3, 3.3 are additive."""
    assert additive_values(lines(), RANDOM)[1] == pytest.approx(3.33 / 8.33, abs=0.06)
    noise = replace(lines(), phenotype=np.random.default_rng(2).normal(size=1500))
    assert additive_values(noise, RANDOM)[1] < 0.03


def test_the_values_are_drawn_and_not_their_predictions() -> None:
    """Values vary as the heritability says, and more than their predictions do."""
    random = np.random.default_rng(4)
    codes = random.integers(0, 3, (300, 2000)).astype(np.int8)
    x = codes - codes.mean(axis=0)
    value = x @ random.normal(size=2000)
    y = value / value.std() + random.normal(size=300)
    names, samples = [f"L{at}" for at in range(2000)], [f"i{at}" for at in range(300)]
    data = Dataset(Genotypes(codes), names, samples, y, None, None, "t.tsv", "", 0)
    draws = np.array([additive_values(data, random)[0] for _ in range(20)])
    heritability = additive_values(data, random)[1]
    assert draws.var(axis=1).mean() == pytest.approx(heritability * y.var(), rel=0.1)
    assert draws.mean(axis=0).var() < 0.9 * draws.var(axis=1).mean()


def test_two_classes_are_refused() -> None:
    data = replace(lines(), phenotype=np.arange(1500) % 2.0)
    with pytest.raises(TrainingTableError, match="more than two values"):
        additive_phenotypes(data, 0)
