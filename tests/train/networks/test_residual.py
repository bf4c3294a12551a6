"""The paper's network, its folding, its ridge start and its saliency, on a few SNPs."""

from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.formulas.encoding import channel_of
from snpredict.formulas.genotypes import Genotypes
from train.baselines.ridge import RidgeSolution, fit_ridge
from train.data.folds import Split, split
from train.networks.genotype_model import GenotypeModel, affine_map, isru, one_hot
from train.networks.presets import Preset, load_preset, preset_names
from train.networks.residual import residual_network, set_channel_weights
from train.networks.saliency import mean_saliency

N_SNPS = 30


@pytest.fixture
def codes() -> np.ndarray:
    return np.random.default_rng(1).integers(-1, 3, (40, N_SNPS)).astype(np.int8)


@pytest.fixture
def paper() -> GenotypeModel:
    return GenotypeModel(residual_network(load_preset("paper").architecture, N_SNPS), alpha=0.03)


def test_one_hot_has_the_channels_of_the_contract() -> None:
    encoded = one_hot(tf.constant([[-1, 1, 2, 0]], tf.int8)).numpy()[0]
    assert encoded.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert channel_of(np.array([-1, 1, 2, 0], np.int8)).tolist() == [0, 1, 2, 3]


def test_isru_by_hand() -> None:
    # 2 / sqrt(1 + 0.03 * 4) and the bound 1 / sqrt(0.03)
    values = isru(tf.constant([0.0, 2.0, -2.0, 1e6]), 0.03).numpy()
    assert values == pytest.approx([0, 1.8898224, -1.8898224, 5.7735027], rel=1e-5)


def test_paper_network_has_the_published_layers(paper: GenotypeModel) -> None:
    convolutions = (4 * 4 * 10 + 10) * 2 + (20 * 10 * 10 + 10) + (4 * 10 * 10 + 10)
    assert paper.network.count_params() == convolutions + 10 * N_SNPS + 1
    dropouts = [layer for layer in paper.network.layers if "dropout" in layer.name]
    assert [layer.rate for layer in dropouts] == [0.75] * 3


def test_alpha_is_one_number_of_the_preset() -> None:
    shapes = [
        load_preset(name).architecture for name in preset_names() if name not in ("deeplift", "elm")
    ]
    assert {shape.isru_alpha for shape in shapes} == {0.03}
    assert load_preset("paper").with_alpha(0.02).architecture.isru_alpha == 0.02


def test_a_preset_with_an_alpha_by_trait_is_told_the_new_way() -> None:
    from train.errors import PresetError

    values = load_preset("paper").as_dict()
    values["architecture"]["isru_alpha_by_trait"] = {"protein": 0.02}
    with pytest.raises(PresetError, match="no longer depends on the trait's name"):
        Preset.from_dict(values)


def test_affine_map_is_the_network(paper: GenotypeModel, codes: np.ndarray) -> None:
    weights, bias = (part.numpy() for part in affine_map(paper.network))
    by_hand = weights[np.arange(N_SNPS), channel_of(codes)].sum(axis=1) + bias
    assert by_hand == pytest.approx(paper.score(one_hot(codes)).numpy(), abs=1e-5)


def test_folding_changes_neither_the_prediction_nor_a_gradient(
    paper: GenotypeModel, codes: np.ndarray
) -> None:
    def prediction_and_gradients(folded: bool) -> tuple[np.ndarray, list[np.ndarray]]:
        paper.folded = folded
        with tf.GradientTape() as tape:
            prediction = paper(codes)
            loss = tf.reduce_sum(prediction**2)
        gradients = tape.gradient(loss, paper.trainable_variables)
        return prediction.numpy(), [g.numpy() for g in gradients]

    plain, plain_gradients = prediction_and_gradients(False)
    folded, folded_gradients = prediction_and_gradients(True)
    assert folded == pytest.approx(plain, abs=1e-5)
    for one, other in zip(plain_gradients, folded_gradients, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4)


def test_folding_with_dropout_is_refused() -> None:
    from train.errors import PresetError

    values = load_preset("paper").as_dict()
    values["training"]["folded"] = True
    with pytest.raises(PresetError, match="dropout"):
        Preset.from_dict(values)


def test_network_set_to_channel_weights_computes_them(
    paper: GenotypeModel, codes: np.ndarray
) -> None:
    weights = np.random.default_rng(2).normal(size=(N_SNPS, 4)).astype(np.float32)
    set_channel_weights(paper, weights)
    expected = weights[np.arange(N_SNPS), channel_of(codes)].sum(axis=1)
    assert paper.score(one_hot(codes)).numpy() == pytest.approx(expected, abs=1e-4)


def ridge(codes: np.ndarray, target: np.ndarray, rows: Split, **options: Any) -> RidgeSolution:
    """By training and validation rows."""
    one, other = rows.train, rows.validation
    return fit_ridge(
        Genotypes(codes[one]), target[one], Genotypes(codes[other]), target[other], **options
    )


def parts_of(codes: np.ndarray) -> tuple[np.ndarray, Split]:
    target = np.random.default_rng(3).normal(size=len(codes)).astype(np.float32)
    return target, split(np.arange(len(codes)) % 4 + 1, 1, seed=0)


def test_ridge_equals_the_primal_solution(codes: np.ndarray) -> None:
    target, rows = parts_of(codes)
    solution = ridge(codes, target, rows, shares=[0.5])
    x = Genotypes(codes[rows.train]).centred(solution.means).astype(float)
    penalty = np.mean(np.sum(x**2, axis=1))  # (1 − h²)/h² = 1 at h² = 0.5
    primal = np.linalg.solve(x.T @ x + penalty * np.eye(N_SNPS), x.T @ target[rows.train])
    assert solution.effects == pytest.approx(primal, abs=1e-4)


def test_a_missing_genotype_is_the_training_mean_to_the_ridge(codes: np.ndarray) -> None:
    target, rows = parts_of(codes)
    solution = ridge(codes, target, rows)
    assert np.all(solution.channel_weights()[:, 0] == 0)
    train = codes[rows.train]
    weights = solution.channel_weights()
    called = np.array(
        [
            np.mean([weights[j, channel_of(c)] for c in train[train[:, j] >= 0, j]])
            for j in range(N_SNPS)
        ]
    )
    assert called == pytest.approx(np.zeros(N_SNPS), abs=1e-5)


def test_saliency_of_a_linear_network_in_closed_form(
    paper: GenotypeModel, codes: np.ndarray
) -> None:
    weights, _ = (part.numpy() for part in affine_map(paper.network))
    z = paper.score(one_hot(codes)).numpy()
    slope = np.mean((1 + 0.03 * z**2) ** -1.5)
    everything = np.ones((N_SNPS, 4), bool)
    plain, centered_saliency = mean_saliency(paper, codes, everything, batch_size=16)
    assert plain == pytest.approx(slope * np.abs(weights).max(axis=1), rel=1e-4)
    spread = np.abs(weights - weights.mean(axis=1, keepdims=True)).max(axis=1)
    assert centered_saliency == pytest.approx(slope * spread, rel=1e-4)


def test_centred_saliency_ignores_a_constant_of_a_snp(
    paper: GenotypeModel, codes: np.ndarray
) -> None:
    weights = np.random.default_rng(4).normal(size=(N_SNPS, 4)).astype(np.float32)
    shifted = weights.copy()
    shifted[0] += 5
    shifted[1] -= 5  # the prediction stays the same
    values = []
    for each in (weights, shifted):
        set_channel_weights(paper, each)
        values.append(mean_saliency(paper, codes, np.ones((N_SNPS, 4), bool)))
    assert values[0][1] == pytest.approx(values[1][1], rel=1e-3)
    assert abs(values[0][0][0] - values[1][0][0]) > 1
