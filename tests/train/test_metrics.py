"""Figures by hand."""

import numpy as np
import pytest

from train.metrics import (
    BINARY,
    CONTINUOUS,
    bootstrap_interval,
    calibration_slope,
    figures,
    fold_figures,
    group_pearsons,
    metrics,
    pearson,
    pooled_pearson_interval,
    top_hit_rate,
    within_group_pearson,
)


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


def test_calibration_slope_by_hand() -> None:
    observed = np.array([1.0, 2.0, 3.0])
    assert calibration_slope(observed, observed) == pytest.approx(1)
    # Differences twice as large as they are: observed rises by half of what was predicted.
    assert calibration_slope(2 * observed, observed) == pytest.approx(0.5)
    assert np.isnan(calibration_slope(np.ones(3), observed))


@pytest.mark.parametrize(
    ("predicted", "rate"),
    [
        (np.arange(20.0), 1.0),
        (-np.arange(20.0), 0.0),
        (np.r_[np.arange(18.0), 30, 20], 1.0),
        (np.r_[0, 50, np.arange(17.0), 40], 0.5),
        (np.zeros(20), 0.1),
    ],
    ids=["all", "none", "order inside the top", "one of two", "ties are chance"],
)
def test_top_hit_rate_by_hand(predicted: np.ndarray, rate: float) -> None:
    assert top_hit_rate(predicted, np.arange(20.0)) == pytest.approx(rate)


def test_bootstrap_interval_is_seeded_and_shrinks_with_units() -> None:
    random = np.random.default_rng(0)
    few, many = random.normal(size=10), random.normal(size=1000)
    assert bootstrap_interval(few, seed=1) == bootstrap_interval(few, seed=1)
    low, high = bootstrap_interval(few, seed=1)
    assert low < few.mean() < high
    # The mean of 1000 standard normals: ± 1.96 / sqrt(1000)
    low, high = bootstrap_interval(many, seed=1)
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(1000), rel=0.1)
    assert np.isnan(bootstrap_interval(np.array([1.0, np.nan]), seed=1)).all()


def test_interval_of_the_pooled_pcc_holds_it() -> None:
    random = np.random.default_rng(0)
    observed = [random.normal(100, 1, 50) for _ in range(8)]
    predicted = [o + random.normal(0, 1, 50) for o in observed]
    value = pearson(np.concatenate(predicted), np.concatenate(observed))
    low, high = pooled_pearson_interval(predicted, observed, seed=1)
    assert value - 0.15 < low < value < high < value + 0.15


def test_pccs_by_family_leave_small_families_out() -> None:
    groups = np.array(["a"] * 6 + ["b"] * 4)
    values, folds = np.arange(10.0), np.zeros(10)
    assert group_pearsons(values, values, groups, folds) == {"a": pytest.approx(1)}


def test_a_mean_of_the_other_folds_is_no_correlation_inside_a_family() -> None:
    """A tall fold leaves a low mean: without taking fold means out the PCC would be below 0."""
    observed = np.array([1.0, 2, 3, 11, 12, 13])
    folds = np.repeat([1, 2], 3)
    left_out_means = np.repeat([12.0, 2.0], 3)
    one = np.array(["a"] * 6)
    assert pearson(left_out_means, observed) < -0.9
    assert np.isnan(group_pearsons(left_out_means, observed, one, folds)["a"])
    tilted = left_out_means + np.tile([0.1, 0.2, 0.3], 2)
    assert group_pearsons(tilted, observed, one, folds)["a"] == pytest.approx(1)


def test_figures_of_a_binary_trait_by_hand() -> None:
    observed = np.array([0.0, 0.0, 1.0, 1.0])
    found = figures(BINARY)(np.array([0.1, 0.4, 0.35, 0.8]), observed)
    # Three of the four pairs of a 0 and a 1 are in order. Going down, the first 1 is met at
    # precision 1, the second at 2 of 3. (0.1² + 0.4² + 0.65² + 0.2²) / 4.
    assert found == pytest.approx({"auc": 0.75, "average_precision": 5 / 6, "brier": 0.158125})


def test_equal_probabilities_say_nothing() -> None:
    observed = np.array([0.0, 0.0, 0.0, 1.0])
    found = figures(BINARY)(np.full(4, 0.25), observed)
    assert found == pytest.approx({"auc": 0.5, "average_precision": 0.25, "brier": 0.1875})


def test_one_class_alone_has_no_order() -> None:
    found = figures(BINARY)(np.array([0.2, 0.6]), np.ones(2))
    assert np.isnan(found["auc"])
    assert np.isnan(found["average_precision"])
    assert found["brier"] == pytest.approx((0.8**2 + 0.4**2) / 2)


def test_a_number_is_judged_by_the_figures_of_a_fold() -> None:
    predicted, observed = np.array([1.0, 2, 4]), np.array([1.0, 3, 4])
    assert figures(CONTINUOUS)(predicted, observed) == fold_figures(predicted, observed)
