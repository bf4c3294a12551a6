"""Rows of a fold: test = the fold, validation = the next, training = the rest."""

import numpy as np
import pytest

from train.data.folds import family_folds, folds_from_column, random_folds, split, stratified_folds
from train.errors import NoTrainingRows, TrainingTableError


@pytest.mark.parametrize(
    ("fold", "validation_fold"), [(1, 2), (2, 3), (3, 1)], ids=["first", "middle", "last wraps"]
)
def test_validation_is_the_following_fold(fold: int, validation_fold: int) -> None:
    folds = np.array([1, 2, 3, 1, 2, 3, 3])
    parts = split(folds, fold, seed=0)
    assert parts.test.tolist() == np.flatnonzero(folds == fold).tolist()
    assert parts.validation.tolist() == np.flatnonzero(folds == validation_fold).tolist()
    everything = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(everything) == list(range(7))


def test_two_folds_validate_on_a_seeded_fifth_of_the_other() -> None:
    folds = np.repeat([1, 2], 20)
    parts = split(folds, 1, seed=3)
    assert parts.test.tolist() == list(range(20))
    assert len(parts.validation) == 4
    assert len(parts.train) == 16
    assert parts.train.min() >= 20
    assert parts.validation.min() >= 20
    assert split(folds, 1, seed=3).validation.tolist() == parts.validation.tolist()
    assert split(folds, 1, seed=4).validation.tolist() != parts.validation.tolist()


@pytest.mark.parametrize("folds", [[1, 1, 1], [1, 2], [1, 2, 3]], ids=["one", "two", "three"])
def test_a_fold_without_training_rows_is_refused(folds: list[int]) -> None:
    with pytest.raises(NoTrainingRows, match=r"train \d"):
        split(np.array(folds), 1, seed=0)


def test_column_folds_are_renumbered_in_ascending_order() -> None:
    assert folds_from_column(["5", "10", "5", "7"]).tolist() == [1, 3, 1, 2]


def test_a_fold_that_is_no_number_is_named() -> None:
    with pytest.raises(TrainingTableError, match="'x' in row 2"):
        folds_from_column(["1", "x"])


def test_random_folds_are_even_and_seeded() -> None:
    folds = random_folds(103, 10, seed=1)
    assert set(np.bincount(folds)[1:]) == {10, 11}
    assert np.array_equal(folds, random_folds(103, 10, seed=1))
    assert not np.array_equal(folds, random_folds(103, 10, seed=2))


def test_family_folds_keep_families_whole_and_even() -> None:
    families = [f"f{i % 12}" for i in range(240)]
    folds = family_folds(families, 4, seed=1)
    for family in set(families):
        assert len({f for f, name in zip(folds, families, strict=True) if name == family}) == 1
    assert np.bincount(folds)[1:].tolist() == [60] * 4


def test_too_few_families_are_refused() -> None:
    with pytest.raises(TrainingTableError, match="2 families cannot fill 3 folds"):
        family_folds(["a", "b", "a"], 3, seed=0)


@pytest.mark.parametrize(("samples", "ones"), [(103, 31), (50, 10), (40, 20)])
def test_stratified_folds_are_even_in_size_and_in_classes(samples: int, ones: int) -> None:
    classes = np.arange(samples) < ones
    folds = stratified_folds(classes, 10, seed=1)
    for counts in (np.bincount(folds)[1:], np.bincount(folds[classes], minlength=11)[1:]):
        assert len(counts) == 10
        assert np.ptp(counts) <= 1
    assert np.array_equal(folds, stratified_folds(classes, 10, seed=1))
    assert not np.array_equal(folds, stratified_folds(classes, 10, seed=2))


def test_a_class_too_small_for_the_folds_is_refused() -> None:
    with pytest.raises(TrainingTableError, match="2 samples have the value 1: too few for 3 folds"):
        stratified_folds(np.array([0.0, 1, 0, 1, 0, 0]), 3, seed=0)
