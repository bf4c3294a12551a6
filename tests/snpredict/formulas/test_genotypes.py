"""Genotypes as one object, with and without dosages."""

import numpy as np

from snpredict.formulas.genotypes import Genotypes

CODES = np.array([[0, 1, 2], [-1, 1, -1]], np.int8)
# Dosages 0.25, 1 and 2 of the first sample; 1.75 of the second.
DOSAGES = Genotypes(CODES, np.array([[0.25, 0, 0], [0, 0.75, 0]], np.float32))


def test_size():
    assert (len(DOSAGES), DOSAGES.n_snps) == (2, 3)


def test_rows_and_snps_keep_dosages_with_their_codes():
    second = DOSAGES.rows(np.array([1]))
    assert (second.codes.tolist(), second.fractions.tolist()) == ([[-1, 1, -1]], [[0, 0.75, 0]])
    turned = DOSAGES.snps(np.array([1, 0]))
    assert turned.codes.tolist() == [[1, 0], [1, -1]]
    assert turned.fractions.tolist() == [[0, 0.25], [0.75, 0]]
    assert Genotypes(CODES).rows(slice(0, 1)).fractions is None


def test_a_slice_of_rows_is_a_view():
    assert np.shares_memory(DOSAGES.rows(slice(1, 2)).codes, CODES)


def test_copies_nearest_codes_and_gaps():
    np.testing.assert_array_equal(DOSAGES.copies(), [[0.25, 1, 2], [np.nan, 1.75, np.nan]])
    assert DOSAGES.nearest().tolist() == [[0, 1, 2], [-1, 2, -1]]
    assert DOSAGES.missing().tolist() == [0, 2]
    assert DOSAGES.have_dosages().tolist() == [True, True]
    assert Genotypes(CODES).have_dosages().tolist() == [False, False]


def test_copies_are_codes_and_fractions_again():
    again = Genotypes.of_copies(DOSAGES.copies())
    np.testing.assert_array_equal(again.codes, CODES)
    np.testing.assert_array_equal(again.fractions, DOSAGES.fractions)
    assert Genotypes.of_copies(Genotypes(CODES).copies()).fractions is None
    almost = Genotypes.of_copies(np.array([[1 - 1e-12]]))
    assert (almost.codes.tolist(), almost.fractions) == ([[1]], None)


def test_joined_parts_may_be_with_and_without_dosages():
    both = Genotypes.joined([Genotypes(CODES), DOSAGES])
    assert both.codes.tolist() == [*CODES.tolist(), *CODES.tolist()]
    assert both.fractions.tolist() == [[0, 0, 0]] * 2 + DOSAGES.fractions.tolist()
    assert Genotypes.joined([Genotypes(CODES)] * 2).fractions is None
