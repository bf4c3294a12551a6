from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.explaining.contributions import Ensemble, contributions, largest, read_ensemble
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction
from snpredict.predicting import explain_sample, predict_file
from snpredict.scoring.predictions import ensemble_mean
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny
from tests.snpredict.scoring.test_scorer import BY_HAND

TINY = Tiny(n_snps=40)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_bundle(TINY.write(tmp_path_factory.mktemp("explanation") / "tiny"))


def ensemble_of(tiny: Tiny) -> Ensemble:
    hidden = None
    if tiny.hidden is not None:
        h = tiny.hidden
        weights = h.grid.astype(float) * h.snp_scale[:, :, None] * h.unit_scale[:, None, :]
        hidden = HiddenLayer(
            h.snps, h.means.astype(float), weights, h.bias.astype(float), h.output.astype(float)
        )
    return Ensemble(
        ScoreFunction(tiny.weights.astype(float), tiny.bias.astype(float), hidden),
        tiny.trait,
        tiny.frequencies,
    )


# --- contributions -----------------------------------------------------------------------------


def test_by_hand():
    # The average genotype is (0, 2) with z = 0 and prediction 100. The sample (1, 0) adds 1 for
    # either SNP, so z = 2, isru(z) = 1, the chord's slope is 1/2, and each SNP adds 10 · 1/2 · 1.
    explained = contributions(
        Genotypes(np.array([[1, 0], [0, 2], [2, 2]], np.int8)), ensemble_of(BY_HAND)
    )
    assert explained.reference == 100
    np.testing.assert_allclose(explained.values, [[5, 5], [0, 0], [10, 0]])
    np.testing.assert_allclose(explained.prediction, [110, 100, 110])


def test_average_genotype_is_weighted_by_frequency():
    # E = 0.5 · 2 + 0.5 · 0 = 1 for the first SNP; the prediction for z_ref = 1 is
    # 100 + 10 / sqrt(1.75).
    half = Tiny(**{**vars(BY_HAND), "frequencies": [[0, 0, 0.5, 0.5], [0, 0, 1, 0]]})
    explained = contributions(Genotypes(np.array([[1, 2]], np.int8)), ensemble_of(half))
    assert explained.reference == pytest.approx(100 + 10 / 1.75**0.5)
    np.testing.assert_allclose(explained.values, [[0, 0]])


@pytest.mark.parametrize("units", [0, 5])
@pytest.mark.parametrize("n_folds", [1, 3, 10])
def test_contributions_add_up(n_folds, units):
    tiny = Tiny(n_snps=60, n_folds=n_folds, units=units)
    codes = tiny.draw(50)
    explained = contributions(Genotypes(codes), ensemble_of(tiny))
    expected = tiny.expected(codes).mean(axis=1)
    np.testing.assert_allclose(explained.prediction, expected, rtol=1e-12)
    np.testing.assert_allclose(
        explained.reference + explained.values.sum(axis=1), expected, rtol=1e-12
    )


def test_contributions_add_up_to_what_predict_gives(bundle):
    scorer = Scorer(bundle)
    codes = TINY.draw(50)
    explained = contributions(Genotypes(codes), read_ensemble(bundle, scorer))
    np.testing.assert_allclose(
        explained.reference + explained.values.sum(axis=1),
        ensemble_mean(scorer.predict(Genotypes(codes))),
        rtol=1e-6,
    )


def test_a_constant_per_snp_changes_no_contribution():
    codes = TINY.draw(20)
    ensemble = ensemble_of(TINY)
    shift = np.random.default_rng(0).normal(0, 5, (40, 1, 3))
    function = ensemble.function
    shifted = replace(
        ensemble,
        function=replace(
            function,
            weights=function.weights + shift,
            bias=function.bias - shift[:, 0].sum(axis=0),
        ),
    )
    np.testing.assert_allclose(
        contributions(Genotypes(codes), shifted).values,
        contributions(Genotypes(codes), ensemble).values,
        atol=1e-9,
    )


def test_weights_come_out_of_the_graph(bundle):
    function = Scorer(bundle).score_function()
    np.testing.assert_array_equal(function.weights, TINY.weights)
    np.testing.assert_array_equal(function.bias, TINY.bias)
    assert function.hidden is None


def test_model_that_is_not_affine(tmp_path):
    bundle = load_bundle(Tiny(affine=False).write(tmp_path / "b"))
    with pytest.raises(errors.NotExplainable, match=r"layers of model .* are not known"):
        read_ensemble(bundle, Scorer(bundle))


def test_largest_is_by_size_whatever_the_sign():
    values = np.array([[1.0, -3.0, 2.0, 3.0], [0, 0, 0, -1]])
    assert largest(values, 3).tolist() == [[1, 3, 2], [3, 0, 1]]
    assert largest(values, 9).shape == (2, 4)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.integers(1, 40))
def test_largest_is_the_beginning_of_a_full_sort(row, count):
    expected = sorted(range(len(row)), key=lambda at: (-abs(row[at]), at))[:count]
    assert largest(np.array([row], float), count).tolist() == [expected]


# --- from a file -------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "g.tsv"
    path.write_text(TINY.table(TINY.draw(100)))
    return path


def test_explained_prediction_is_the_predicted_one(bundle, table):
    prediction = predict_file(table, bundle, top=4)
    explanation = explain_sample(table, bundle, "s77")
    assert explanation.prediction == prediction.scores.prediction[77]
    assert abs(explanation.residual) < 1e-6 * abs(explanation.prediction)
    results = explanation.results()
    top = list(zip(results.columns["snp"], results.columns["contribution"], strict=True))[:4]
    assert [snp for snp, _ in top] == [snp for snp, _ in prediction.top[77]]
    np.testing.assert_allclose([v for _, v in top], [v for _, v in prediction.top[77]])
    sizes = np.abs(results.columns["contribution"])
    assert (np.diff(sizes) <= 0).all()
    assert len(sizes) == 40


def test_unknown_sample_names_the_nearest(bundle, table):
    with pytest.raises(errors.UnknownSample, match="'s777' among its 100") as caught:
        explain_sample(table, bundle, "s777")
    assert "s77" in caught.value.hint


def test_mistake_below_the_sample_is_not_passed_over(bundle, table):
    with table.open("a") as file:
        file.write("s999\tX\n")
    with pytest.raises(errors.RaggedRow):
        explain_sample(table, bundle, "s0")
