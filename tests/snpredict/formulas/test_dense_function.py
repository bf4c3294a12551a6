"""Dense fold models as numbers: inputs, scores and steps by hand."""

from itertools import pairwise

import numpy as np
import pytest

from snpredict.formulas.dense_function import DenseFold, DenseFunction, DenseInputs
from snpredict.formulas.dense_layers import DenseLayers
from snpredict.formulas.encoding import genotype_frequencies
from snpredict.formulas.genotypes import Genotypes

#: Three SNPs of which the first and the last go in; one covariate; one component of all three.
INPUTS = DenseInputs(
    snps=np.array([0, 2]),
    means=np.array([1.0, 0.5, 1.5], np.float32),
    sds=np.array([0.5, 1.0], np.float32),
    covariate_means=np.array([30.0]),
    covariate_sds=np.array([5.0]),
    loadings=np.array([[1.0], [2.0], [0.0]], np.float32),
)
CODES = np.array([[2, 0, -1], [0, 1, 1], [1, 2, 2]], np.int8)
AGE = np.array([[35.0], [np.nan], [20.0]])


def function(*networks: DenseLayers) -> DenseFunction:
    return DenseFunction([DenseFold(INPUTS, network) for network in networks])


def network(seed: int, units: int = 5) -> DenseLayers:
    random = np.random.default_rng(seed)
    sizes = [4, units, units, 1]
    kernels = [random.normal(0, 1, pair) for pair in pairwise(sizes)]
    return DenseLayers(kernels, [random.normal(0, 0.5, n) for n in sizes[1:]])


#: score = relu(x · w + 100) − 100: a sum within reach of any genotype.
SUM = DenseLayers([np.array([[1.0], [2.0], [3.0], [4.0]]), np.eye(1)], [np.full(1, 100.0), -100])


def test_inputs_by_hand() -> None:
    # Copies less means: (1, −0.5, 0), (−1, 0.5, −0.5), (0, 1.5, 0.5).
    expected = [[2, 0, 1, 0], [-2, -0.5, 0, 0], [0, 0.5, -2, 3]]
    np.testing.assert_allclose(INPUTS.of(Genotypes(CODES), AGE), expected)
    without = INPUTS.of(Genotypes(CODES))
    np.testing.assert_allclose(without, [[2, 0, 0, 0], [-2, -0.5, 0, 0], [0, 0.5, 0, 3]])


def test_a_dosage_lies_between_its_codes() -> None:
    inputs = INPUTS.of(Genotypes.of_copies(np.array([[1.5, 0.5, 1.5]])))
    np.testing.assert_allclose(inputs, [[1, 0, 0, 0.5]], atol=1e-6)


def test_steps_of_a_sum_by_hand() -> None:
    frequencies = genotype_frequencies(CODES)
    f = function(SUM)
    # In the average of the three lines a gap is at the mean of the fold: (0, 0.5, 0).
    assert f.reference(frequencies)[0] == pytest.approx(4 * 1.0)
    by_snp, by_number = f.steps(0, Genotypes(CODES), AGE, frequencies)
    # Per copy: 1 / 0.5 + 4 · 1, 4 · 2 and 2 / 1.
    expected = np.array([[1, -1, 0], [-1, 0, -0.5], [0, 1, 0.5]]) * [6, 8, 2]
    np.testing.assert_allclose(by_snp, expected, atol=1e-9)
    np.testing.assert_allclose(by_number, [[3], [0], [-6]])


@pytest.mark.parametrize("seed", range(5))
def test_steps_add_up_in_every_fold(seed: int) -> None:
    f, frequencies = function(network(seed), network(seed + 50)), genotype_frequencies(CODES)
    z, reference = f.scores(Genotypes(CODES), AGE), f.reference(frequencies)
    for fold in range(2):
        by_snp, by_number = f.steps(fold, Genotypes(CODES), AGE, frequencies)
        found = reference[fold] + by_snp.sum(axis=1) + by_number.sum(axis=1)
        np.testing.assert_allclose(found, z[:, fold], rtol=1e-6, atol=1e-6)
        alone, _ = f.only(fold).steps(0, Genotypes(CODES), AGE, frequencies)
        np.testing.assert_array_equal(alone, by_snp)


def test_average_steps_are_differences_of_scores() -> None:
    f = function(network(3))
    # All lines alike: the average line is a line.
    frequencies = genotype_frequencies(np.array([[1, 2, 0]], np.int8))
    found = f.average_steps(frequencies, np.array([1, 2]))
    codes = np.array([[1, 2, 0], [1, 0, 0], [1, 2, 2]], np.int8)
    z = f.scores(Genotypes(codes))[:, 0]
    # Channels are missing, 1, 2, 0.
    assert found[0, 3, 0] == pytest.approx(z[1] - z[0], abs=1e-5)
    assert found[0, 2, 0] == pytest.approx(0, abs=1e-5)
    assert found[1, 2, 0] == pytest.approx(z[2] - z[0], abs=1e-5)
