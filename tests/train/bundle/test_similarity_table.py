"""The table of similarity as training makes it, and the figure for what distance costs."""

import numpy as np
import pytest

from snpredict.bundle.entries import GroupErrors
from snpredict.formulas.genotypes import Genotypes
from tests.similar import Similar
from tests.simulated import simulate
from train.bundle.similarity_table import (
    TABLE_SNPS,
    distance_limit,
    errors_by_distance,
    held_out_distances,
    known_family_folds,
    similarity_table,
)
from train.data.folds import random_folds

SIMILAR = Similar()


def test_the_distance_is_the_prediction_error_variance_of_a_ridge_regression():
    """All components kept: compared with the textbook formula, which inverts a matrix."""
    codes = np.where(SIMILAR.codes[:100, :40] < 0, 0, SIMILAR.codes[:100, :40]).astype(np.int8)
    new = np.where(SIMILAR.new[:, :40] < 0, 0, SIMILAR.new[:, :40]).astype(np.int8)
    table = similarity_table(codes)
    assert table is not None
    means = np.rint(16 * codes.mean(axis=0)) / 16
    x, z = codes - means, new - means
    s = (x**2).sum() / len(x)
    inverse = np.linalg.inv(x @ x.T + s * np.eye(len(x)))
    expected = ((z**2).sum(axis=1) - np.einsum("ij,jk,ik->i", z @ x.T, inverse, z @ x.T)) / s
    np.testing.assert_allclose(table.distances(Genotypes(new)), expected, atol=0.03)


def test_counting_the_other_allele_everywhere_changes_nothing():
    def other(codes: np.ndarray) -> np.ndarray:
        return np.where(codes < 0, -1, 2 - codes).astype(np.int8)

    # Means that are no ties when rounded.
    swapped = similarity_table(other(SIMILAR.codes))
    assert swapped is not None
    np.testing.assert_allclose(
        swapped.distances(Genotypes(other(SIMILAR.new))),
        SIMILAR.table.distances(Genotypes(SIMILAR.new)),
        atol=0.01,
    )


def test_held_out_lines_spread_evenly_over_the_percentiles():
    limit = distance_limit(SIMILAR.distances)
    assert (SIMILAR.distances > limit).sum() == 5  # of 540, 1 %
    # What the table was made from is nearer: percentiles from it would flag new lines.
    assert np.mean(SIMILAR.table.distances(Genotypes(SIMILAR.codes)) < SIMILAR.distances) > 0.9


def test_a_row_has_no_part_in_the_table_of_its_own_fold():
    changed = SIMILAR.codes.copy()
    changed[0] = SIMILAR.strange[0]
    found = held_out_distances(changed, SIMILAR.folds)
    same = (SIMILAR.folds == SIMILAR.folds[0]) & (np.arange(540) > 0)
    np.testing.assert_array_equal(found[same], SIMILAR.distances[same])


def test_large_models_are_thinned_and_snps_without_variation_left_out():
    random = np.random.default_rng(1)
    codes = 2 * random.integers(0, 2, (30, 3000)).astype(np.int8)
    codes[:, ::2] = 2
    table = similarity_table(codes)
    assert table is not None
    assert 400 < len(table.snps) <= TABLE_SNPS
    assert (codes[:, table.snps].std(axis=0) > 0).all()
    assert np.abs(table.loadings).max() == 63
    assert similarity_table(np.full((5, 4), 2, np.int8)) is None


def test_folds_of_whole_families_are_not_those_of_the_percentiles():
    folds = np.repeat([1, 2, 3], 20)
    assert known_family_folds(folds, "column", 1) is folds
    dealt = known_family_folds(folds, "family", 1)
    assert all(len(np.unique(dealt[part])) == 3 for part in (slice(20), slice(20, 40)))


def test_errors_by_hand():
    observed = np.zeros(7)
    predicted = np.array([1.0, -1, 3, -1, 4, -6, 100])
    distances = np.array([0.1, 0.2, 0.3, 0.4, 0.9, 0.8, np.nan])
    found = errors_by_distance(observed, predicted, distances, 0.5)
    assert found.flagged == GroupErrors(2, 5, pytest.approx(26**0.5), None)
    assert found.others == GroupErrors(4, 1.5, pytest.approx(3**0.5), None)
    assert found.mae_ratio == pytest.approx(5 / 1.5)
    # Standard errors of the means: 1 and 0.5.
    spread = ((1 / 5) ** 2 + (0.5 / 1.5) ** 2) ** 0.5
    assert found.mae_ratio_high == pytest.approx(5 / 1.5 * (1 + 1.96 * spread))
    assert found.mae_ratio_low == pytest.approx(5 / 1.5 * (1 - 1.96 * spread))


def test_errors_where_nothing_is_flagged():
    found = errors_by_distance(np.ones(3), np.zeros(3), np.zeros(3), 0.5)
    assert found.flagged == GroupErrors(0, None, None, None)
    assert found.mae_ratio is None


def test_errors_with_families_left_out_are_from_tables_without_the_family():
    families = np.repeat([1, 2, 3, 4, 5, 6], 100)
    _, codes, phenotype, _ = simulate(600, 300, 6)
    residual = np.ones(600)
    residual[:3] = np.nan
    limit = distance_limit(held_out_distances(codes, random_folds(600, 10, 1)))
    distances = held_out_distances(codes, families)
    found = errors_by_distance(phenotype, phenotype - residual, distances, limit)
    assert found.flagged.n + found.others.n == 597
    assert found.flagged.n > 300  # most lines of a new family are far
    assert found.flagged.mae == pytest.approx(1)
