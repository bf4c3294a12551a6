"""Prediction intervals: CV+ for known families, a pooled quantile for new ones."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict.bundle.entries import IntervalsEntry, NewIntervals, Training
from snpredict.bundle.load import Bundle, load_bundle
from snpredict.bundle.out_of_fold import FamilyResiduals
from snpredict.errors import InvalidBundle, NoInterval, UsageError
from snpredict.formulas.conformal import (
    coverage_known,
    coverage_new,
    cv_plus,
    family_quantile,
    rank_of,
    smallest_sum,
)
from snpredict.intervals import intervals_of
from snpredict.scoring.predictions import Scores
from tests.bundles import Tiny

TINY = Tiny(n_snps=6, n_folds=3)


def scores(folds: list[list[float]], held_out: list[int] | None = None) -> Scores:
    n = len(folds)
    where = np.array([-1] * n if held_out is None else held_out, np.int64)
    return Scores([f"s{i}" for i in range(n)], np.array(folds), where)


def families(family: list[int], fold: list[int], residual: list[float]) -> FamilyResiduals:
    return FamilyResiduals(np.array(family), np.array(fold), np.array(residual))


def write(folder, out_of_fold, *, new: bool = False, scheme: str = "random") -> Bundle:
    entry = IntervalsEntry(new=NewIntervals("left out", 3, 3, "column", {}, {}) if new else None)
    manifest = replace(TINY.manifest(), training=Training(fold_scheme=scheme), intervals=entry)
    return load_bundle(TINY.write(folder / "b", out_of_fold=out_of_fold, manifest=manifest))


# --- CV+ ---------------------------------------------------------------------------------------


def by_the_paper(folds, residuals, level):
    """Barber et al. 2021, from all n sums, with α = 1 − level in hundredths."""
    alpha = 100 - round(100 * level)
    means = np.concatenate([np.full(len(r), m) for m, r in zip(folds, residuals, strict=True)])
    sizes = np.concatenate(residuals)
    n = len(sizes)
    lower = np.sort(means - sizes)[alpha * (n + 1) // 100 - 1]
    upper = np.sort(means + sizes)[math.ceil((100 - alpha) * (n + 1) / 100) - 1]
    return lower, upper


def test_three_residuals_by_hand():
    residuals = [np.array([1.0, 2.0]), np.array([3.0])]
    # Sums 11, 12, 23; differences 9, 8, 17. Of three, half is the second.
    assert [end[0] for end in cv_plus(np.array([[10.0, 20.0]]), residuals, 0.5)] == [9, 12]
    assert [end[0] for end in cv_plus(np.array([[10.0, 20.0]]), residuals, 0.75)] == [8, 23]


@pytest.mark.parametrize(
    ("level", "n", "rank"),
    [(0.9, 9, 9), (0.9, 99, 90), (0.9, 100, 91), (0.5, 3, 2), (0.95, 19, 19), (0.7, 9, 7)],
)
def test_the_rank_is_that_of_the_decimal_number(level, n, rank):
    # In floats, 0.7 · 10 is 7.000000000000001 or 6.999999999999999 according to how it is written.
    assert rank_of(level, n) == rank


values = st.floats(-1000, 1000).map(lambda value: round(value, 2))


@settings(max_examples=200)
@given(st.data())
def test_as_all_sums_sorted(data):
    n_folds = data.draw(st.integers(1, 4))
    residuals = [
        np.sort(np.abs(data.draw(st.lists(values, min_size=k == 0, max_size=40))))
        for k in range(n_folds)
    ]
    folds = np.array(
        data.draw(
            st.lists(st.lists(values, min_size=n_folds, max_size=n_folds), min_size=1, max_size=4)
        )
    )
    rank = data.draw(st.integers(1, sum(map(len, residuals))))
    sums = np.concatenate([folds[:, [k]] + residuals[k] for k in range(n_folds)], axis=1)
    found = smallest_sum(folds, residuals, rank)
    np.testing.assert_allclose(found, np.sort(sums, axis=1)[:, rank - 1], rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.99])
def test_as_the_paper_says_for_many_samples_and_folds_of_other_sizes(level):
    random = np.random.default_rng(3)
    residuals = [np.sort(np.abs(random.normal(0, 5, n))) for n in (70, 3, 150, 20)]
    folds = random.normal(100, 8, (9000, 1)) + random.normal(0, 3, (9000, 4))
    lower, upper = cv_plus(folds, residuals, level)
    for row in (0, 1, 4000, 8191, 8192, 8999):  # either side of a block's end
        wanted = by_the_paper(folds[row], residuals, level)
        assert (lower[row], upper[row]) == pytest.approx(wanted, rel=1e-12)


def test_equal_residuals_and_equal_folds():
    residuals = [np.full(500, 2.0), np.full(500, 2.0)]
    lower, upper = cv_plus(np.array([[10.0, 10.0], [10.0, 14.0]]), residuals, 0.8)
    # Differences of the second sample are 8 and 12, sums 12 and 16, 500 of each.
    assert lower == pytest.approx([8, 8])
    assert upper == pytest.approx([12, 16])


def test_a_higher_level_holds_the_interval_of_a_lower_one():
    random = np.random.default_rng(4)
    residuals = [np.sort(np.abs(random.normal(0, 5, 60))) for _ in range(3)]
    folds = random.normal(100, 8, (50, 3))
    ends = [cv_plus(folds, residuals, level) for level in (0.5, 0.6, 0.8, 0.9, 0.99)]
    for (lower, upper), (further, higher) in itertools.pairwise(ends):
        assert (further <= lower).all()
        assert (higher >= upper).all()
    # From a half on the ends cannot cross, and the median of the folds lies between them.
    median = np.median(folds, axis=1)
    assert (ends[0][0] <= median).all()
    assert (median <= ends[0][1]).all()


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_coverage_of_new_samples(level):
    """Fold models that err a little each, over noise: both counts below are of 4,000."""
    random = np.random.default_rng(5)
    n, n_folds = 4000, 10

    def draw():
        true = random.normal(100, 10, (n, 1))
        folds = true + random.normal(0, 0.5, (n, n_folds))
        return folds, true[:, 0] + random.normal(0, 4, n)

    folds, observed = draw()
    tested = np.arange(n) % n_folds
    sizes = np.abs(observed - folds[np.arange(n), tested])
    residuals = [np.sort(sizes[tested == fold]) for fold in range(n_folds)]
    folds, observed = draw()
    lower, upper = cv_plus(folds, residuals, level)
    held = np.mean((lower <= observed) & (observed <= upper))
    # Four standard errors: of the quantile, and of the count.
    assert held == pytest.approx(level, abs=4 * math.sqrt(2 * level * (1 - level) / n))
    assert coverage_known(sizes, tested, level) == pytest.approx(
        level, abs=4 * math.sqrt(2 * level * (1 - level) / n)
    )


def test_measured_coverage_by_hand():
    residuals, folds = np.array([1.0, 2, 3, 4, 5, 6]), np.array([1, 1, 1, 2, 2, 2])
    # Two thirds of 3 + 1 is the third: fold 1 against 6 holds all, fold 2 against 3 none.
    assert coverage_known(residuals, folds, 0.66) == 0.5
    assert coverage_known(residuals, folds, 0.8) is None  # would be the fourth of three


# --- new families ------------------------------------------------------------------------------


def test_every_family_weighs_the_same():
    residuals = np.array([1.0, 1, 1, 1, 2, 9])
    family = np.array([1, 1, 1, 1, 2, 3])
    # A third of the weight lies at 1, two thirds up to 2, all of it up to 9.
    assert family_quantile(residuals, family, 0.5) == 2
    assert family_quantile(residuals, family, 0.66) == 2
    assert family_quantile(residuals, family, 0.7) == 9
    assert family_quantile(residuals, family, 0.75) == 9
    assert family_quantile(residuals, family, 0.76) == math.inf  # beyond 3 of 3 + 1 families


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_coverage_of_new_families(level):
    """Half of the variance of the errors is shared by a family."""
    random = np.random.default_rng(6)
    n_families, size = 400, 15

    def draw():
        shared = random.normal(0, 3, (n_families, 1))
        return np.abs(shared + random.normal(0, 3, (n_families, size))).ravel()

    family = np.repeat(np.arange(n_families), size)
    residuals = draw()
    radius = family_quantile(residuals, family, level)
    held = (draw() <= radius).reshape(n_families, size).mean(axis=1)
    # Families are the units, in the quantile and in the count.
    allowed = 4 * held.std() * math.sqrt(2 / n_families)
    assert held.mean() == pytest.approx(level, abs=allowed)
    measured = coverage_new(residuals, family, family % 10, level)
    assert measured.mean() == pytest.approx(level, abs=allowed)
    # By family it is anything but the level, which is why the range is told.
    assert measured.std() > 0.05


def test_measured_coverage_of_families_by_hand():
    residuals = np.array([1.0, 5, 2, 2, 3, 4])
    family, fold = np.array([7, 7, 8, 8, 9, 9]), np.array([1, 1, 1, 1, 2, 2])
    # Family 9 alone would have to make the interval of fold 1: infinite above a half.
    assert coverage_new(residuals, family, fold, 0.6) is None
    # Of family 9, half is within 3; of 7 and 8 together, half of the weight within 2.
    assert coverage_new(residuals, family, fold, 0.5).tolist() == [0.5, 1, 0]


# --- from a bundle -----------------------------------------------------------------------------


def test_bounds_from_a_bundle(tmp_path):
    bundle = write(tmp_path, TINY.residuals([3, 3, 1], [-1.0, 2.0, -3.0]))
    made = intervals_of(bundle, 0.5)
    # Fold 3 left 1 and 2, fold 1 left 3, fold 2 none: as by hand above.
    lower, upper = made.bounds(scores([[20.0, 99.0, 10.0]]))
    assert (lower[0], upper[0]) == (9, 12)
    assert (made.method, made.n_residuals, made.others) == ("CV+ over the folds", 3, False)


def test_a_training_sample_is_judged_by_its_own_fold(tmp_path):
    bundle = write(tmp_path, TINY.residuals([3, 3, 1], [-1.0, 2.0, -3.0]))
    lower, upper = intervals_of(bundle, 0.5).bounds(scores([[20.0, 99.0, 10.0]], [1]))
    assert (lower[0], upper[0]) == (97, 101)


def test_new_families_from_a_bundle(tmp_path):
    table = TINY.residuals(
        [1, 2, 3, 1, 2, 3],
        [0.1] * 6,
        families([1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 3], [1.0, -1.0, 2.0, -3.0, 5.0, -5.0]),
    )
    made = intervals_of(write(tmp_path, table, new=True), 0.5, "new")
    lower, upper = made.bounds(scores([[90.0, 100.0, 110.0], [1.0, 2.0, 4.0]], [-1, 2]))
    # Half of the weight of three families is reached at 2; the second sample is fold 3's.
    assert lower.tolist() == [98, 2]
    assert upper.tolist() == [102, 6]
    assert (made.n_families, made.others) == (3, True)


@pytest.mark.parametrize("level", [0, 0.4, 1, 1.5, 90, -1, math.nan, math.inf])
def test_a_level_that_is_none(tmp_path, level):
    bundle = write(tmp_path, TINY.out_of_fold())
    with pytest.raises(UsageError, match="is not a level"):
        intervals_of(bundle, level)


def test_too_few_residuals_name_the_largest_level(tmp_path):
    bundle = write(tmp_path, TINY.residuals([1, 2, 3], [1.0, 2.0, 3.0]))
    with pytest.raises(NoInterval, match="3 residuals") as caught:
        intervals_of(bundle, 0.8)
    assert "0.75" in caught.value.hint
    assert intervals_of(bundle, 0.75).n_residuals == 3


def test_the_largest_level_that_is_named_can_be_asked_for(tmp_path):
    bundle = write(tmp_path, TINY.residuals([1] * 6, [1.0] * 6))
    with pytest.raises(NoInterval) as caught:
        intervals_of(bundle, 0.9)
    named = float(caught.value.hint.split()[-1])
    assert named == pytest.approx(6 / 7, abs=0.05)
    assert intervals_of(bundle, named).level == named


@pytest.mark.parametrize("fold", [4, 0])
def test_a_fold_that_the_manifest_does_not_name(tmp_path, fold):
    bundle = write(tmp_path, TINY.residuals([1, fold], [1.0, 2.0]))
    with pytest.raises(InvalidBundle, match=f"fold {fold:g}, expected one of .* 1, 2, 3"):
        intervals_of(bundle, 0.5)


def test_residuals_that_are_not_finite(tmp_path):
    with pytest.raises(InvalidBundle, match="'residual' holds a number that is not finite"):
        write(tmp_path, TINY.residuals([1, 2], [1.0, math.nan]))
    with pytest.raises(InvalidBundle, match=r"found 1e\+300 in column 'residual'"):
        write(tmp_path, TINY.residuals([1, 2], [1.0, -1e300]))
    table = TINY.residuals([1, 2], [1.0, 1.0], families([1, 2], [1, 2], [1.0, math.inf]))
    with pytest.raises(InvalidBundle, match="'family_residual' holds a number that is not finite"):
        write(tmp_path, table, new=True)


def test_what_a_bundle_does_not_have(tmp_path):
    table = TINY.residuals([1, 2, 3], [1.0, 2.0, 3.0])
    bundle = write(tmp_path, table)
    with pytest.raises(NoInterval, match="no intervals for new families") as caught:
        intervals_of(bundle, 0.5, "new")
    assert "--new-families" in caught.value.hint
    own = write(tmp_path, table, scheme="family")
    with pytest.raises(NoInterval, match="no intervals for known families"):
        intervals_of(own, 0.5)
    with pytest.raises(NoInterval, match="written before that was kept"):
        intervals_of(own, 0.5, "new")
    promised = write(tmp_path, table, new=True)
    with pytest.raises(InvalidBundle, match="no column 'family_residual'"):
        intervals_of(promised, 0.5, "new")


def test_more_family_folds_than_any_run_has(tmp_path):
    n = 1001
    rows = list(range(n))
    table = TINY.residuals([1] * n, [1.0] * n, families(rows, rows, [1.0] * n))
    with pytest.raises(InvalidBundle, match="1001 values in column 'family_fold'"):
        write(tmp_path, table, new=True)


def test_a_model_of_folds_of_whole_families(tmp_path):
    table = TINY.residuals(
        [1, 2, 3],
        [1.0, 2.0, 3.0],
        families([1, 2, 3], [1, 2, 3], [1.0, 2.0, 3.0]),
    )
    bundle = write(tmp_path, table, new=True, scheme="family")
    assert not intervals_of(bundle, 0.5, "new").others
    with pytest.raises(NoInterval) as caught:
        intervals_of(bundle, 0.5)
    assert caught.value.hint == "say --families new"


def test_the_shipped_model_has_intervals_for_known_families():
    made = intervals_of(load_bundle("soynam-height"), 0.9)
    assert made.n_residuals == 5142
    assert made.coverage == pytest.approx(0.9, abs=0.02)
