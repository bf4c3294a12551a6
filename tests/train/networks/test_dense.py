"""The network of the deep-learning GWAS, fitted to invented lines."""

from dataclasses import replace

import numpy as np
import pytest

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.onnx_session import open_session
from train.check_model import check_model
from train.data.folds import Split
from train.errors import PresetError
from train.metrics import area_under_curve, binary_figures, pearson
from train.model import FoldData, Inputs, single_target
from train.networks.by_preset import network_of
from train.networks.presets import Preset, load_preset
from train.networks.strongest import strongest_snps


def preset(networks=2, sizes=((8, 8),), epochs=30, batch_size=50, balance=False, **shape):
    """The shipped one, made small."""
    whole = load_preset("deeplift")
    training = replace(
        whole.training, networks=networks, epochs=epochs, batch_size=batch_size, balance=balance
    )
    return replace(
        whole, architecture=replace(whole.architecture, sizes=sizes, **shape), training=training
    )


N, SNPS = 900, 60
ROWS = Split(np.arange(500), np.arange(500, 700), np.arange(700, 900))


def population(seed=1, *, site=0.0, effects=(1.0, -1.0, 0.8)):
    """Codes, a covariate, and a score of SNPs 0, 10, 20 and the covariate."""
    random = np.random.default_rng(seed)
    codes = random.binomial(2, 0.4, (N, SNPS)).astype(np.int8)
    covariate = random.normal(30, 5, (N, 1))
    score = (codes[:, [0, 10, 20]] - 0.8) @ np.array(effects) + site * (covariate[:, 0] - 30) / 5
    return random, codes, covariate, score


def fold(codes, targets, covariates=None, task=CONTINUOUS, seed=1):
    inputs = Inputs(Genotypes(codes), covariates)
    return inputs, FoldData.of(inputs, targets[:, None], ROWS, task=task, seed=seed)


def test_it_keeps_the_contract_of_models():
    check_model(network_of(preset(epochs=10)))


def test_the_penalty_leaves_the_snps_that_matter():
    random, codes, _, score = population()
    _, data = fold(codes, score + random.normal(0, 0.5, N))
    fitted = network_of(preset()).fit(data)
    kept = fitted.encoder.snps.tolist()
    assert {0, 10, 20} <= {*kept}
    assert len(kept) < SNPS / 2  # and not all of them with small weights
    assert all((net.kernels[0][: len(kept)] != 0).any() for net in fitted.networks)


def test_it_predicts_a_continuous_trait_in_its_units():
    random, codes, _, score = population()
    inputs, data = fold(codes, 100 + 10 * (score + random.normal(0, 0.5, N)))
    predicted = network_of(preset()).fit(data).predict(inputs.rows(ROWS.test))[:, 0]
    truth = 100 + 10 * score[ROWS.test]
    assert pearson(predicted, truth) > 0.9
    assert abs(predicted.mean() - truth.mean()) < 2


def test_shuffled_phenotypes_are_not_predicted():
    found = []
    for seed in range(4):
        random, codes, _, score = population(seed)
        shuffled = random.permutation(score + random.normal(0, 0.5, N))
        inputs, data = fold(codes, shuffled)
        predicted = network_of(preset()).fit(data).predict(inputs.rows(ROWS.test))[:, 0]
        # Equal predictions, of a network that kept no SNP, have no correlation.
        found.append(np.nan_to_num(pearson(predicted, shuffled[ROWS.test])))
    assert abs(np.mean(found)) < 0.12


def test_the_same_seed_gives_the_same_bits():
    random, codes, _, score = population()
    inputs, data = fold(codes, score + random.normal(0, 0.5, N))
    one, other = (network_of(preset()).fit(data).predict(inputs) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    another = replace(data, seed=2)
    assert not np.array_equal(one, network_of(preset()).fit(another).predict(inputs))


@pytest.mark.parametrize("balance", [False, True])
def test_probabilities_of_a_rare_class_are_calibrated(balance):
    random, codes, _, score = population(effects=(1.5, -1.5, 1.5))
    probability = 1 / (1 + np.exp(-(score - 2.5)))
    y = (random.random(N) < probability).astype(float)
    inputs, data = fold(codes, y, task=BINARY)
    predicted = network_of(preset(balance=balance)).fit(data).predict(inputs.rows(ROWS.test))[:, 0]
    assert (predicted >= 0).all()
    assert (predicted <= 1).all()
    truth = probability[ROWS.test]
    assert abs(predicted.mean() - truth.mean()) < 0.05
    assert area_under_curve(predicted, y[ROWS.test]) > 0.75
    base = np.full(len(truth), y[ROWS.train].mean())
    of_test = y[ROWS.test]
    assert binary_figures(predicted, of_test)["brier"] < binary_figures(base, of_test)["brier"]


def test_noise_gives_the_share_of_cases():
    random, codes, _, _ = population()
    y = (random.random(N) < 0.2).astype(float)
    inputs, data = fold(codes, y, task=BINARY)
    predicted = network_of(preset()).fit(data).predict(inputs)[:, 0]
    assert abs(predicted.mean() - 0.2) < 0.08


def test_a_covariate_is_used_and_a_missing_one_counts_as_the_mean():
    random, codes, covariate, score = population(site=2.0)
    inputs, data = fold(codes, score + random.normal(0, 0.5, N), covariate)
    model = network_of(preset())
    fitted = model.fit(data)
    test = inputs.rows(ROWS.test)
    with_it = pearson(fitted.predict(test)[:, 0], score[ROWS.test])
    blind = replace(
        data,
        train=replace(data.train, covariates=None),
        validation=replace(data.validation, covariates=None),
    )
    without = model.fit(blind).predict(Inputs(test.genotypes))[:, 0]
    assert with_it > 0.9 > pearson(without, score[ROWS.test]) + 0.1
    nothing = replace(test, covariates=np.full((len(test), 1), np.nan))
    mean = np.full((len(test), 1), data.train.covariates.mean())
    np.testing.assert_allclose(
        fitted.predict(nothing), fitted.predict(replace(test, covariates=mean)), atol=1e-5
    )


def test_components_take_up_ancestry():
    random = np.random.default_rng(4)
    group = np.arange(N) % 2
    order = random.permutation(N)
    frequency = np.stack([random.uniform(0.1, 0.9, SNPS), random.uniform(0.1, 0.9, SNPS)])
    codes = random.binomial(2, frequency[group]).astype(np.int8)[order]
    y = 3.0 * group[order] + random.normal(0, 0.5, N)
    _, data = fold(codes, y)
    plain = network_of(preset()).fit(data)
    adjusted = network_of(preset(components=1)).fit(data)
    share = [
        sum(np.abs(net.kernels[0][: len(f.encoder.snps)]).sum() for net in f.calibrated_networks())
        for f in (plain, adjusted)
    ]
    assert share[1] < share[0] / 2


def test_the_snps_that_go_with_the_trait_enter():
    random, codes, covariate, score = population(site=2.0)
    # A SNP that stands for the covariate says nothing beside it.
    codes[:, 5] = covariate[:, 0] > 30
    _, data = fold(codes, score + random.normal(0, 0.5, N), covariate)
    whole = preset()
    few = replace(whole, architecture=replace(whole.architecture, strongest=4))
    fitted = network_of(few).fit(data)
    assert {0, 10, 20} <= {*fitted.encoder.snps.tolist()}
    assert len(fitted.encoder.snps) <= 4
    x = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    y = score + random.normal(0, 0.5, N)
    assert strongest_snps(x, y, covariate, 3).tolist() == [0, 10, 20]
    assert 5 in strongest_snps(x, y, covariate[:, :0], 3)


def test_traits_that_share_a_network_have_an_output_each():
    random, codes, covariate, score = population(site=1.0)
    y = 50 + 7 * np.stack([score, -3 * score], axis=1) + random.normal(0, 3, (N, 2))
    inputs = Inputs(Genotypes(codes), covariate)
    data = FoldData.of(inputs, y, ROWS)
    joint = network_of(preset(joint=True))
    assert joint.together
    fitted = joint.fit(data)
    predicted = fitted.predict(inputs.rows(ROWS.test))
    for at, sign in enumerate((1, -1)):
        assert pearson(predicted[:, at], sign * score[ROWS.test]) > 0.9
        part = single_target(fitted, at)
        np.testing.assert_array_equal(part.predict(inputs.rows(ROWS.test))[:, 0], predicted[:, at])
    # The first layer is the same for both.
    one, other = (single_target(fitted, at).networks[0].kernels for at in (0, 1))
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[-1], other[-1])
    apart = network_of(preset()).fit(data).predict(inputs.rows(ROWS.test))
    assert not np.array_equal(apart, predicted)


def test_a_joint_network_of_one_trait_is_that_of_the_trait():
    random, codes, _, score = population()
    inputs, data = fold(codes, score + random.normal(0, 0.5, N))
    one, other = (network_of(preset(joint=j)).fit(data).predict(inputs) for j in (True, False))
    np.testing.assert_array_equal(one, other)


def test_statistics_order_snps_as_a_gwas_does():
    from train.gwas.linear import LinearScan

    random, codes, covariate, score = population(seed=3, site=1.0)
    y = score + random.normal(0, 2, N)
    scan = LinearScan(y, covariate).test(iter([Genotypes(codes)]))
    x = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    for count in (1, 3, 10, 30):
        expected = np.sort(np.argsort(-np.abs(scan.statistic))[:count])
        assert strongest_snps(x, y, covariate, count).tolist() == expected.tolist()


def test_pairs_without_effects_of_their_own_are_found_by_the_scan():
    random = np.random.default_rng(5)
    codes = random.binomial(2, 0.5, (N, SNPS)).astype(np.int8)
    y = 1.5 * (codes[:, 4] - 1.0) * (codes[:, 33] - 1.0) + random.normal(0, 0.5, N)
    inputs, data = fold(codes, y)
    shape = {"snps": "pairs", "pairs": 3, "strongest": 3}
    fitted = network_of(preset(networks=3, epochs=60, **shape)).fit(data)
    assert {4, 33} <= {*fitted.encoder.snps.tolist()}
    assert pearson(fitted.predict(inputs.rows(ROWS.test))[:, 0], y[ROWS.test]) > 0.6


@pytest.mark.parametrize("components", [0, 2])
@pytest.mark.parametrize("task", [CONTINUOUS, BINARY])
def test_the_onnx_file_predicts_the_same(task, components, tmp_path):
    random, codes, covariate, score = population(site=1.0)
    codes[random.random(codes.shape) < 0.05] = -1
    y = score + random.normal(0, 0.5, N)
    y = (y > 0).astype(float) if task == BINARY else 50 + 7 * y
    inputs, data = fold(codes, y, covariate, task)
    fitted = network_of(preset(components=components, epochs=10)).fit(data)
    test = inputs.rows(ROWS.test)
    saved = fitted.save(tmp_path, test)
    assert saved["parity_network_onnx"] < 1e-4
    session = open_session((tmp_path / "model.onnx").read_bytes(), 1)
    feeds = {"genotypes": test.codes, "covariates": test.covariates.astype(np.float32)}
    (found,) = session.run(["prediction"], feeds)
    np.testing.assert_allclose(found, fitted.predict(test)[:, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("architecture", "sizes", [[64]]),
        ("architecture", "sizes", []),
        ("architecture", "sizes", [[64, 0.5]]),
        ("architecture", "snps", "some"),
        ("architecture", "components", -1),
        ("training", "networks", 0),
        ("start", "method", "ridge"),
    ],
)
def test_a_wrong_preset_is_refused(table, key, value):
    values = load_preset("deeplift").as_dict()
    values[table][key] = value
    with pytest.raises(PresetError, match=key if key != "method" else "starts from"):
        Preset.from_dict(values)


def test_a_preset_survives_json():
    whole = load_preset("deeplift")
    values = whole.as_dict()
    values["architecture"]["sizes"] = [list(size) for size in values["architecture"]["sizes"]]
    assert Preset.from_dict(values) == whole
