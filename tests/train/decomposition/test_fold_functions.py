"""Networks as functions of genotypes: exact with each genotype, and equal to their linear map."""

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.formulas.dense_function import DenseFold, DenseFunction, DenseInputs
from snpredict.formulas.dense_layers import DenseEnsemble, DenseLayers
from snpredict.formulas.links import Identity, Isru, Link, TraitScale
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction
from train.decomposition.fold_functions import FoldFunction

LOCI, UNITS = 9, 5


def of(score: ScoreFunction | DenseFunction, link: Link) -> FoldFunction:
    return FoldFunction(1, score, TraitScale(np.array([40.0]), np.array([3.0]), link))


def hidden() -> FoldFunction:
    """A weighted sum, a layer of SiLU units with biases, and an ISRU."""
    random = np.random.default_rng(1)
    layer = HiddenLayer(
        np.array([[0, 3, 4, 8]]),
        random.random((1, 4)),
        random.normal(size=(1, 4, UNITS)),
        random.normal(size=(1, UNITS)),
        random.normal(size=(1, UNITS)),
    )
    weights = random.normal(size=(LOCI, 4, 1)).astype(np.float32)
    return of(ScoreFunction(weights, np.array([0.3]), layer), Isru(0.2))


def linear() -> FoldFunction:
    random = np.random.default_rng(2)
    weights = random.normal(size=(LOCI, 4, 1)).astype(np.float32)
    return of(ScoreFunction(weights, np.array([0.3])), Isru(0.5))


def dense(leak: float = 0.0, networks: int = 2) -> FoldFunction:
    """Two layers of rectified units with biases, over some SNPs and two components of all."""
    random = np.random.default_rng(3)
    sizes = [6 + 2, 7, 5, 1]
    each = [
        DenseLayers(
            [random.normal(size=pair) for pair in pairwise(sizes)],
            [random.normal(size=size) for size in sizes[1:]],
            leak,
        )
        for _ in range(networks)
    ]
    inputs = DenseInputs(
        np.array([1, 2, 4, 5, 7, 8]),
        random.random(LOCI),
        random.random(6) + 0.5,
        np.zeros(0),
        np.ones(0),
        random.normal(size=(LOCI, 2)),
    )
    return of(DenseFunction([DenseFold(inputs, DenseEnsemble(each))]), Identity())


def one_layer() -> FoldFunction:
    found = dense(networks=1)
    assert isinstance(found.score, DenseFunction)
    (fold,) = found.score.folds
    layers = DenseLayers([np.ones((8, 1))], [np.ones(1)])
    return of(DenseFunction([DenseFold(fold.inputs, layers)]), Identity())


KINDS = [hidden(), linear(), dense(), dense(leak=0.1, networks=1), one_layer()]
NAMES = ["hidden", "linear", "relu", "leaky", "no hidden layer"]


def lines(n: int = 20) -> np.ndarray:
    return np.random.default_rng(4).integers(-1, 3, (n, LOCI)).astype(np.int8)


@pytest.mark.parametrize("function", KINDS, ids=NAMES)
def test_each_genotype_is_a_prediction_of_the_changed_line(function: FoldFunction) -> None:
    codes = lines()
    for locus, found in enumerate(function.each_genotype(codes)):
        for code in (0, 1, 2):
            changed = codes.copy()
            changed[:, locus] = code
            np.testing.assert_allclose(
                found[:, code], function.predictions(changed), rtol=1e-5, atol=1e-4
            )
    (first, *_) = function.each_genotype(codes, (0, 1))
    assert first.shape == (20, 2)


@pytest.mark.parametrize("function", KINDS, ids=NAMES)
def test_the_linear_map_is_the_network(function: FoldFunction) -> None:
    assert function.distance_of_map(lines(200)) < 1e-9


def test_a_map_without_its_biases_is_not() -> None:
    """The offset is computed and not what is left over: a wrong one shows."""
    function = dense(networks=1)
    assert isinstance(function.score, DenseFunction)
    (fold,) = function.score.folds
    layers = fold.layers.networks[0]
    gradients = layers.gradients(fold.inputs.of(genotypes(lines())))
    x = fold.inputs.of(genotypes(lines()))
    without = (gradients * x).sum(axis=1)
    assert np.abs(without - layers.scores(x)[:, 0]).max() > 0.1


def genotypes(codes: np.ndarray):
    from snpredict.formulas.genotypes import Genotypes

    return Genotypes(codes)
