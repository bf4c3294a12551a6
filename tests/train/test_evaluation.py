"""Figures by hand."""

import numpy as np
import pytest

from train.evaluation import metrics, pearson, within_group_pearson
from train.summary import ranks


def test_pearson_by_hand() -> None:
    # deviations (-1, 0, 1) and (-1, 1, 0): 1 / sqrt(2 * 2)
    assert pearson(np.array([1, 2, 3]), np.array([4, 6, 5])) == pytest.approx(0.5)


@pytest.mark.parametrize("value", [2.0, 0.1], ids=["exact mean", "rounded mean"])
def test_nothing_correlates_with_a_constant(value: float) -> None:
    assert np.isnan(pearson(np.arange(7.0), np.full(7, value)))
    assert np.isnan(pearson(np.full(7, value), np.arange(7.0)))


def test_metrics_by_hand() -> None:
    found = metrics(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    assert found["mae"] == pytest.approx(1 / 3)
    assert found["mse"] == pytest.approx(1 / 3)
    assert found["r2"] == pytest.approx(1 - 1 / 2)


def test_family_means_alone_count_for_nothing_inside_families() -> None:
    families = np.repeat(["a", "b"], 10)
    random = np.random.default_rng(0)
    observed = np.repeat([0.0, 100.0], 10) + random.normal(size=20)
    predicted = np.repeat([0.0, 100.0], 10) + random.normal(size=20)
    assert pearson(predicted, observed) > 0.99
    inside = within_group_pearson(predicted, observed, families)
    by_hand = np.mean(
        [np.corrcoef(predicted[r], observed[r])[0, 1] for r in (slice(10), slice(10, 20))]
    )
    assert inside == pytest.approx(by_hand)
    assert abs(inside) < 0.9


def test_small_families_are_left_out() -> None:
    families = np.array(["a"] * 6 + ["b"] * 4)
    values = np.arange(10.0)
    assert within_group_pearson(values, -values, families) == pytest.approx(-1)
    assert np.isnan(within_group_pearson(values[:4], values[:4], families[6:]))


def test_ranks_count_from_the_largest() -> None:
    assert ranks(np.array([0.1, 0.5, 0.5, 0.2])).tolist() == [4, 1, 2, 3]
