import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.cli import main
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.genotypes.tables.wide import WideTable
from snpredict.matching.matched_file import InputOptions
from snpredict.predicting import predict_file
from snpredict.scoring.onnx_session import open_session
from snpredict.scoring.predictions import ensemble_mean, ensemble_spread
from snpredict.scoring.scorer import Scorer
from snpredict.scoring.tiles import MAX_ROWS
from tests.bundles import Tiny
from train.bundle.ensemble_onnx import fused_ensemble

TINY = Tiny(n_snps=40)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_bundle(TINY.write(tmp_path_factory.mktemp("scoring") / "tiny"))


@pytest.fixture(scope="module")
def scorer(bundle):
    return Scorer(bundle, threads=1)


# Two SNPs, one fold, ISRU with α = 0.75: isru(0) = 0, isru(2) = 2 / sqrt(1 + 0.75 · 4) = 1.
BY_HAND = Tiny(
    n_snps=2,
    n_folds=1,
    alpha=0.75,
    ids=["a", "b"],
    #         missing    1       2      0
    weights=[[[0.5], [1.0], [2.0], [0.0]], [[-0.5], [0.0], [0.0], [1.0]]],
    bias=[0.0],
    center=[100.0],
    scale=[10.0],
    frequencies=[[0, 0, 0, 1], [0, 0, 1, 0]],
)


@pytest.mark.parametrize(
    ("codes", "prediction"),
    [
        pytest.param([0, 2], 100, id="z = 0 + 0"),
        pytest.param([2, 2], 110, id="z = 2 + 0"),
        pytest.param([2, 1], 110, id="z = 2 + 0, heterozygous"),
        pytest.param([1, 0], 110, id="z = 1 + 1"),
        pytest.param([-1, -1], 100, id="z = 0.5 - 0.5, all missing"),
    ],
)
@pytest.mark.parametrize("affine", [True, False], ids=["fused", "fold models"])
def test_by_hand(tmp_path, codes, prediction, affine):
    BY_HAND.affine = affine
    scorer = Scorer(load_bundle(BY_HAND.write(tmp_path / "b")))
    folds = scorer.predict(Genotypes(np.array([codes], np.int8)))
    assert folds.dtype == np.float32
    np.testing.assert_allclose(folds, [[prediction]], rtol=1e-6)


def test_the_graph_is_the_formula(scorer):
    codes = TINY.draw(100)
    np.testing.assert_allclose(scorer.predict(Genotypes(codes)), TINY.expected(codes), rtol=2e-6)


def test_the_graph_of_a_hidden_layer_is_the_formula(tmp_path):
    curved = Tiny(n_snps=40, units=6)
    codes = curved.draw(100)
    found = Scorer(load_bundle(curved.write(tmp_path / "b"))).predict(Genotypes(codes))
    np.testing.assert_allclose(found, curved.expected(codes), rtol=5e-6)
    # The layer matters: without it the predictions are others.
    assert np.abs(found - Tiny(n_snps=40).expected(codes)).mean() > 0.1


def test_fold_models_agree_with_the_ensemble(scorer, tmp_path):
    apart = Tiny(n_snps=40, affine=False)
    codes = TINY.draw(70)
    folds = Scorer(load_bundle(apart.write(tmp_path / "b"))).predict(Genotypes(codes))
    np.testing.assert_allclose(folds, scorer.predict(Genotypes(codes)), rtol=2e-6)


def test_a_constant_per_snp_costs_no_precision():
    rng = np.random.default_rng(0)
    weights = np.round(rng.normal(0, 0.3, (40, 4, 3)), 3)
    # Powers of two that leave the weights' low bits alone; the bias takes them off again.
    offsets = np.where(rng.random((40, 1, 3)) < 0.5, 256.0, 128.0)
    shifted = (weights + offsets).astype(np.float32)
    bias = -offsets[:, 0].sum(axis=0)
    tiny = Tiny(n_snps=40, weights=shifted, bias=bias)
    session = open_session(tiny.ensemble())
    codes = tiny.draw(50)
    (found,) = session.run(["prediction"], {"genotypes": codes})
    np.testing.assert_allclose(found, tiny.expected(codes), atol=2e-3)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 200), min_size=1), threads=st.sampled_from([1, 2]))
def test_blocks_and_threads_do_not_change_a_bit(bundle, scorer, cuts, threads):
    codes = TINY.draw(150)
    samples = [str(row) for row in range(150)]
    blocks = []
    start = 0
    while start < 150:
        end = start + cuts[len(blocks) % len(cuts)]
        blocks.append(GenotypeBlock(samples[start:end], Genotypes(codes[start:end])))
        start = end
    scored = list(Scorer(bundle, threads).score(blocks))
    assert [s for block in scored for s in block.samples] == samples
    np.testing.assert_array_equal(np.concatenate([b.genotypes.codes for b in scored]), codes)
    np.testing.assert_array_equal(
        np.concatenate([b.folds for b in scored]), scorer.predict(Genotypes(codes))
    )


def test_a_sample_alone_is_predicted_as_in_a_cohort(scorer):
    codes = TINY.draw(2 * MAX_ROWS + 5)
    cohort = scorer.predict(Genotypes(codes))
    alone = [scorer.predict(Genotypes(codes[[row]]))[0] for row in range(len(codes))]
    np.testing.assert_array_equal(alone, cohort)


def test_no_samples(scorer):
    assert scorer.predict(Genotypes(np.empty((0, 40), np.int8))).shape == (0, 3)


def test_mean_and_spread():
    folds = np.array([[1, 2, 3], [5, 5, 5]], np.float32)
    np.testing.assert_array_equal(ensemble_mean(folds), [2, 5])
    np.testing.assert_array_equal(ensemble_spread(folds), [1, 0])
    np.testing.assert_array_equal(ensemble_spread(folds[:, :1]), [np.nan, np.nan])


# --- files -------------------------------------------------------------------------------------


@pytest.fixture
def predicted(bundle, tmp_path):
    def run(text, **options):
        path = tmp_path / "genotypes.tsv"
        path.write_text(text)
        prediction = predict_file(path, bundle, **options)
        return dict(zip(prediction.scores.samples, prediction.scores.folds.tolist(), strict=True))

    return run


def test_order_of_columns_and_rows_and_further_columns_do_not_matter(predicted):
    codes = TINY.draw(20)
    expected = predicted(TINY.table(codes))
    rng = np.random.default_rng(3)
    header, *rows = [line.split("\t") for line in TINY.table(codes).splitlines()]
    rows = [["7", "field 3", *row] for row in rows]
    header = ["fold", "place", *header]
    columns = rng.permutation(len(header))
    shuffled = [
        [row[c] for c in columns] for row in [header, *(rows[r] for r in rng.permutation(20))]
    ]
    text = "".join("\t".join(row) + "\n" for row in shuffled)
    assert predicted(text) == expected


def test_an_absent_snp_is_missing(predicted):
    codes = TINY.draw(5)
    codes[:, 3] = -1
    lines = [line.split("\t") for line in TINY.table(codes).splitlines()]
    without = "".join("\t".join(line[:4] + line[5:]) + "\n" for line in lines)
    assert predicted(without) == predicted(TINY.table(codes))


def test_what_is_found_and_missing_is_counted(bundle, tmp_path):
    codes = np.zeros((4, 40), np.int8)
    codes[0, :6] = -1
    lines = [line.split("\t") for line in TINY.table(codes).splitlines()]
    path = tmp_path / "g.tsv"
    path.write_text("".join("\t".join(line[:31]) + "\n" for line in lines))
    check = predict_file(path, bundle, InputOptions(min_match=0)).check
    assert (len(check.samples), check.match.model_snps, check.match.matched) == (4, 40, 30)
    assert check.measures.missing.tolist() == [10 + 6, 10, 10, 10]
    assert check.missing_rate == pytest.approx(46 / 160)
    assert check.missing_rate_found == pytest.approx(6 / 120)


def test_blocks_of_the_reader(bundle, scorer, tmp_path):
    codes = TINY.draw(130)
    path = tmp_path / "g.tsv"
    path.write_text(TINY.table(codes))
    blocks = WideTable(path, snps=TINY.ids).blocks(TINY.ids, block_bytes=500)
    folds = np.concatenate([block.folds for block in scorer.score(blocks)])
    np.testing.assert_array_equal(folds, scorer.predict(Genotypes(codes)))


# --- models that do not fit --------------------------------------------------------------------

OTHER = Tiny(n_snps=39)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        pytest.param(b"no model", "not an ONNX model", id="not ONNX"),
        pytest.param(OTHER.ensemble(), "'genotypes' int8 .samples, 40.", id="39 SNPs"),
        pytest.param(
            fused_ensemble(
                TINY.weights[:, :, :2], TINY.bias[:2], TINY.center[:2], TINY.scale[:2], 0.2
            ),
            "shape .1, 2., expected .1, 3.",
            id="2 of 3 folds",
        ),
    ],
)
def test_ensemble_that_contradicts_the_manifest(tmp_path, model, words):
    with pytest.raises(errors.InvalidBundle, match=words):
        Scorer(
            load_bundle(TINY.write(tmp_path / "b", models=TINY.models() | {"ensemble.onnx": model}))
        )


def test_prediction_that_is_not_finite(tmp_path):
    huge = Tiny(n_snps=40, scale=[3e38, 1, 1], bias=[100, 0, 0])
    with pytest.raises(errors.InvalidBundle, match="not finite"):
        Scorer(load_bundle(huge.write(tmp_path / "b"))).predict(Genotypes(TINY.draw(1)))


@pytest.mark.parametrize(
    "changed",
    [
        {"bias": np.zeros(2)},
        {"weights": np.zeros((2, 3, 1))},
        {"alpha": 0},
        {"scale": [np.nan] * 3},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_fused_ensemble_checks_its_input(changed):
    parts = {
        "weights": TINY.weights,
        "bias": TINY.bias,
        "center": TINY.center,
        "scale": TINY.scale,
        "alpha": 0.2,
    }
    with pytest.raises(ValueError, match=r"shape|finite|alpha|grid|among"):
        fused_ensemble(**(parts | changed))


def test_fold_models_alone_predict(tmp_path, capsys):
    """Without saliency and training samples: what a network from elsewhere may lack."""
    plain = Tiny(n_snps=6, n_folds=2, affine=False)
    folder = plain.write(tmp_path / "b", saliency=None, out_of_fold=None)
    bundle = load_bundle(folder)
    assert bundle.out_of_fold is None
    assert bundle.known_saliency is None
    codes = plain.draw(9)
    expected = pytest.approx(plain.expected(codes), rel=1e-5)
    assert Scorer(bundle).predict(Genotypes(codes)) == expected
    path = tmp_path / "g.tsv"
    path.write_text(plain.table(codes))
    assert main(["predict", str(path), "-m", str(folder), "-q"]) == 0
    assert main(["check", str(path), "-m", str(folder), "-q"]) == 0
    capsys.readouterr()
    for words, error in (
        (["explain", "--snp", plain.ids[0]], errors.WrongKindOfModel),
        (["predict", str(path), "--interval", "0.9"], errors.NoInterval),
    ):
        assert main([*words, "-m", str(folder)]) == error.exit_code
    assert "has no saliency.parquet" in capsys.readouterr().err
