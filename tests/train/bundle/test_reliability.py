"""How well lines are predicted out of fold: within families, by distance, and checked."""

import numpy as np
import pytest

from train.bundle.reliability import Lines, measured_reliability

N = 2000


def lines(accuracy, families=40, between=0.0, seed=1):
    """Lines whose prediction and value correlate with `accuracy` (lines,) inside families."""
    rng = np.random.default_rng(seed)
    family = np.arange(N) % families
    means = between * rng.normal(size=families)
    predicted = rng.normal(size=N)
    noise = rng.normal(size=N)
    observed = accuracy * predicted + np.sqrt(1 - accuracy**2) * noise
    return Lines(
        observed=100 + observed + means[family],
        predicted=predicted + means[family],
        family=family,
        fold=np.arange(N) % 10,
        distance=np.linspace(0, 1, N)[rng.permutation(N)],
    )


def test_families_do_not_flatter():
    found = measured_reliability(lines(np.full(N, 0.5), between=3.0))
    assert found.reliability == pytest.approx(0.25, abs=0.04)
    assert found.low < 0.25 < found.high
    assert found.families == 40


def test_by_hand_without_families():
    one = lines(np.full(N, 0.5))
    found = measured_reliability(one.rows(np.arange(N) < 150)._replace(family=None))
    squared = np.corrcoef(one.predicted[:150], one.observed[:150])[0, 1] ** 2
    assert found.reliability == pytest.approx(squared)
    assert found.families is None
    (check,) = found.check
    assert (check.up_to, check.n) == (None, 150)
    assert found.farthest == one.distance[:150].max()


def test_one_value_where_distance_does_not_matter():
    found = measured_reliability(lines(np.full(N, 0.6)))
    assert found.bands == ()
    assert found.near_minus_far[1] < 0 < found.near_minus_far[2]
    assert [band.n for band in found.check] == pytest.approx([N / 3] * 3, abs=2)


def test_one_value_where_far_lines_are_predicted_better():
    flat = lines(np.full(N, 0.6))
    found = measured_reliability(_by_distance(flat, near=0.3, far=0.9))
    assert found.bands == ()
    assert found.near_minus_far[2] < 0


def test_bands_never_rise_and_hold_on_other_folds():
    found = measured_reliability(_by_distance(lines(np.full(N, 0.6)), near=0.9, far=0.3))
    values = [band.reliability for band in found.bands]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(0.81, abs=0.06)
    assert values[-1] == pytest.approx(0.09, abs=0.06)
    assert found.bands[-1].up_to == found.farthest == 1
    assert [band.up_to for band in found.check] == [band.up_to for band in found.bands]
    for band in found.check:
        assert band.low < band.said < band.high


def _by_distance(flat, near, far):
    accuracy = np.where(flat.distance < 0.5, near, far)
    noise = np.random.default_rng(5).normal(size=N)
    observed = accuracy * flat.predicted + np.sqrt(1 - accuracy**2) * noise
    return flat._replace(observed=observed)


def test_a_negative_correlation_is_no_reliability():
    one = lines(np.full(N, 0.8))
    assert measured_reliability(one._replace(predicted=-one.predicted)).reliability == 0


def test_too_little_to_tell():
    one = lines(np.full(N, 0.5))
    assert measured_reliability(one.rows(np.arange(N) < 99)) is None
    assert measured_reliability(one._replace(predicted=np.ones(N))) is None


def test_missing_values_and_distances():
    one = lines(np.full(N, 0.5))
    one.observed[:5] = np.nan
    found = measured_reliability(one._replace(distance=np.full(N, np.nan)))
    assert found.lines == N - 5
    assert (found.farthest, found.near_minus_far) == (None, None)


def test_families_of_one_line_are_no_families():
    one = lines(np.full(N, 0.5))
    assert measured_reliability(one._replace(family=np.arange(N))).families is None


def test_the_same_bits_again():
    one = lines(np.full(N, 0.5))
    assert measured_reliability(one) == measured_reliability(one)
