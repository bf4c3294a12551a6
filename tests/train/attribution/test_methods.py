"""Methods of attribution: by hand, against closed forms, and what must hold of each."""

from itertools import pairwise, permutations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.errors import UsageError
from snpredict.formulas.dense_layers import DenseLayers
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import Isru, TraitScale
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction
from train.attribution.explained import ExplainedDense, ExplainedScore, channels_of
from train.attribution.methods import METHODS, attribute, check_methods
from train.attribution.occlusion import window_occlusion

#: f = relu(x0 + x1) + relu(x1) − 2: SNPs 1 and 3 of four have a weight.
BY_HAND = ExplainedDense(
    DenseLayers(
        [np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[1.0], [1.0]])],
        [np.zeros(2), np.array([-2.0])],
    ),
    n_snps=4,
    snp_of=np.array([1, 3]),
)
X = np.array([[2.0, 1.0], [-1.0, 3.0], [-2.0, -1.0]])


def of(name, network=BY_HAND, x=X, seed=1):
    return METHODS[name](network, x, np.random.default_rng(seed))


def dense(seed=0, inputs=7, others=2):
    random = np.random.default_rng(seed)
    sizes = [inputs + others, 6, 5, 1]
    kernels = [random.normal(size=pair) for pair in pairwise(sizes)]
    layers = DenseLayers(kernels, [random.normal(size=size) for size in sizes[1:]])
    snp_of = np.concatenate([np.arange(inputs) + 2, np.full(others, -1)])
    return ExplainedDense(layers, n_snps=inputs + 4, snp_of=snp_of)


def score(seed=0, n_snps=9, hidden=True):
    """A network of channels with a hidden layer over four SNPs, and genotypes."""
    random = np.random.default_rng(seed)
    layer = HiddenLayer(
        np.array([[1, 3, 4, 8]]),
        random.uniform(0.5, 1.5, (1, 4)),
        random.normal(size=(1, 4, 5)),
        random.normal(size=(1, 5)),
        random.normal(size=(1, 5)),
    )
    function = ScoreFunction(
        random.normal(size=(n_snps, 4, 1)), np.array([0.3]), layer if hidden else None
    )
    codes = random.integers(-1, 3, (40, n_snps)).astype(np.int8)
    trait = TraitScale(np.array([50.0]), np.array([10.0]), Isru(0.1))
    network = ExplainedScore(function, trait, Genotypes(codes).frequencies())
    return network, Genotypes(codes)


def networks():
    network = dense()
    yield network, np.random.default_rng(1).normal(size=(30, 9))
    for hidden in (False, True):
        explained, genotypes = score(hidden=hidden)
        yield explained, channels_of(genotypes)


def test_by_hand():
    assert of("saliency").tolist() == [[0, 1, 0, 2], [0, 1, 0, 2], [0, 0, 0, 0]]
    assert of("saliency-centred").tolist() == of("saliency").tolist()
    assert of("gradient-input").tolist() == [[0, 2, 0, 2], [0, -1, 0, 6], [0, 0, 0, 0]]
    # From (0, 0): units go 0 → 3 and 0 → 1; 0 → 2 and 0 → 3; they stay at 0.
    np.testing.assert_allclose(of("deeplift"), [[0, 2, 0, 2], [0, -1, 0, 6], [0, 0, 0, 0]])
    # Orders: x0 first gives 2 and 2; x1 first gives 2 and 2. Then 0 and 5, or −1 and 6.
    found = np.mean([of("shapley", seed=seed) for seed in range(60)], axis=0)
    np.testing.assert_allclose(found, [[0, 2, 0, 2], [0, -0.5, 0, 5.5], [0, 0, 0, 0]], atol=0.1)


def test_occlusion_by_hand():
    """x0 is 2, −1 or −2, each once: with x1 = 1 the first unit is 3, 0 or 0."""
    found = of("occlusion")
    assert found[0, 1] == pytest.approx(3 - (3 + 0 + 0) / 3)
    assert found[1, 1] == pytest.approx(2 - (5 + 2 + 1) / 3)
    assert (found[:, [0, 2]] == 0).all()


def test_windows_take_their_snps_together():
    both = window_occlusion(BY_HAND, X, np.random.default_rng(1), [np.array([1, 3]), np.array([2])])
    outputs = BY_HAND.outputs(X)
    np.testing.assert_allclose(both[:, 0], outputs - outputs.mean())
    assert (both[:, 1] == 0).all()


def test_a_snp_and_its_neighbours_are_occluded_together():
    """Of twenty SNPs the network takes 2, 9 and 15: windows of five on either side."""
    random = np.random.default_rng(4)
    network = ExplainedDense(
        DenseLayers([random.normal(size=(3, 4)), random.normal(size=(4, 1))], [np.zeros(4), [0.0]]),
        n_snps=20,
        snp_of=np.array([2, 9, 15]),
    )
    x = random.normal(size=(12, 3))
    found = METHODS["occlusion-window"](network, x, np.random.default_rng(1))
    for snps, members in (([2], [0, 3]), ([2, 9], [4, 7]), ([9], [8]), ([9, 15], [10, 14])):
        each = window_occlusion(network, x, np.random.default_rng(1), [np.array(snps)])
        np.testing.assert_allclose(found[:, members], np.repeat(each, len(members), axis=1))


def test_replaced_inputs_are_those_of_a_new_start():
    for network, x in networks():
        columns = np.array([0, 3, 5])
        values = np.array([0.5, -1.0, 2.0])
        changed = x.copy()
        changed[:, columns] = values
        found = network.replaced(x)(columns, values)
        np.testing.assert_allclose(found, network.outputs(changed), atol=1e-9)


@pytest.mark.parametrize("name", ["deeplift", "integrated-gradients", "shapley"])
def test_completeness(name):
    """What SNPs and all else add up to; of covariates by the same rule where there are any."""
    for network, x in networks():
        if name == "shapley":
            x = x[:4]
        found = METHODS[name](network, x, np.random.default_rng(1)).sum(axis=1)
        away = network.outputs(x) - network.outputs(network.reference[None])
        others = network.snp_of == -1
        if others.any():
            if name == "deeplift":
                parts = network.multipliers(x) * (x - network.reference)
            elif name == "integrated-gradients":
                line = [network.gradients(x * at) for at in (np.arange(32) + 0.5) / 32]
                parts = np.mean(line, axis=0) * x
            else:
                first = np.where(others, x, network.reference)
                parts = (network.outputs(first) - network.outputs(network.reference[None]))[:, None]
                others = np.array([True])
            found = found + parts[:, others].sum(axis=1)
        loose = 0.05 * np.abs(away).max() if name == "integrated-gradients" else 1e-9
        np.testing.assert_allclose(found, away, atol=loose)


def test_linear_networks_have_one_answer():
    random = np.random.default_rng(3)
    layers = DenseLayers([random.normal(size=(6, 1))], [np.array([0.5])])
    network = ExplainedDense(layers, n_snps=6, snp_of=np.arange(6))
    x = random.normal(size=(20, 6))
    expected = x * layers.kernels[0][:, 0]
    for name in ("gradient-input", "deeplift", "integrated-gradients", "smoothgrad", "shapley"):
        np.testing.assert_allclose(METHODS[name](network, x, random), expected, atol=1e-12)
    # An unknown SNP is the mean of the samples.
    away = (x - x.mean(axis=0)) * layers.kernels[0][:, 0]
    np.testing.assert_allclose(METHODS["occlusion"](network, x, random), away, atol=1e-12)


def test_shapley_is_the_mean_over_all_orders():
    network = dense(5, inputs=3, others=0)
    x = np.random.default_rng(2).normal(size=(1, 3))
    exact = np.zeros(3)
    for order in permutations(range(3)):
        at, before = np.zeros((1, 3)), network.outputs(np.zeros((1, 3)))
        for place in order:
            at[0, place] = x[0, place]
            after = network.outputs(at)
            exact[place] += (after - before)[0] / 6
            before = after
    found = np.mean([of("shapley", network, x, seed)[0] for seed in range(150)], axis=0)
    np.testing.assert_allclose(found[2:5], exact, atol=0.06)


def test_channels_have_the_gradients_of_finite_differences():
    network, genotypes = score()
    x, step = channels_of(genotypes)[:5], 1e-6
    gradients = network.gradients(x)
    for at in range(x.shape[1]):
        away = np.zeros(x.shape[1])
        away[at] = step
        numeric = (network.outputs(x + away) - network.outputs(x - away)) / (2 * step)
        np.testing.assert_allclose(gradients[:, at], numeric, atol=1e-7)


def test_a_constant_of_all_channels_does_not_change_the_centred_saliency():
    network, genotypes = score()
    x = channels_of(genotypes)
    weights = network.function.weights + np.arange(9.0)[:, None, None]
    function = ScoreFunction(weights, network.function.bias - 36.0, network.function.hidden)
    moved = ExplainedScore(function, network.trait, network.frequencies)
    np.testing.assert_allclose(moved.outputs(x), network.outputs(x), atol=1e-9)
    plain, centred = (of(name, moved, x) for name in ("saliency", "saliency-centred"))
    np.testing.assert_allclose(centred, of("saliency-centred", network, x), atol=1e-9)
    assert np.abs(plain - of("saliency", network, x)).max() > 0.1


@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_the_contract(name):
    for network, x in networks():
        x = x[:6]
        found = METHODS[name](network, x, np.random.default_rng(1))
        assert found.shape == (6, network.n_snps)
        assert np.isfinite(found).all()
        again = METHODS[name](network, x, np.random.default_rng(1))
        np.testing.assert_array_equal(found, again)
        blind = np.setdiff1d(np.arange(network.n_snps), network.snp_of)
        # A window has what its other SNPs do.
        assert name == "occlusion-window" or (found[:, blind] == 0).all()


def test_blocks_make_the_whole():
    network, told = dense(), []
    x = np.random.default_rng(4).normal(size=(1200, 9))
    found = attribute(network, lambda rows: x[rows], 1200, "deeplift", tell=told.append)
    values = of("deeplift", network, x)
    np.testing.assert_allclose(found.score, np.abs(values).mean(axis=0))
    np.testing.assert_allclose(found.mean, values.mean(axis=0), atol=1e-12)
    assert sum(told) == 1200
    assert len(told) > 1


def test_an_unknown_method_is_refused():
    check_methods(("deeplift", "shapley"))
    with pytest.raises(UsageError, match="'lime'; known: saliency"):
        check_methods(("lime",))
