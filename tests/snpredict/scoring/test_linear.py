"""A linear bundle from file to prediction and explanation, against sums made by hand."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from snpredict.bundle.entries import Fold, LinkEntry
from snpredict.bundle.load import load_bundle
from snpredict.bundle.manifest import BINARY
from snpredict.cli import main
from snpredict.errors import InvalidBundle, NoInterval, WrongKindOfModel
from snpredict.explaining.contributions import contributions, read_ensemble
from snpredict.formulas.genotypes import Genotypes
from snpredict.intervals import intervals_of
from snpredict.scoring.scorer import Scorer
from tests.bundles import write_linear

EFFECTS, MEANS = [0.5, -1.0, 0.25], [1.0, 0.5, 0.0]

#: Prediction = 100 + 10 · score; a missing genotype adds nothing, a dosage counts as it is.
GENOTYPES = Genotypes(
    np.array([[1, 0, 0], [2, 2, 1], [-1, -1, -1], [0, 1, 2]], np.int8),
    np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0.5, 0.25, 0]], np.float32),
)
SCORES = [0.5, 0.5 - 1.5 + 0.25, 0.0, 0.5 * -0.5 - 0.75 + 0.5]

PROBABILITY = {
    "task": BINARY,
    "link": LinkEntry("logit"),
    "folds": (Fold(number=1, model=None, center=0.0, scale=1.0),),
    "intercept": math.log(3),
}


@pytest.fixture
def folder(tmp_path):
    return write_linear(tmp_path / "sum", EFFECTS, MEANS)


def test_sums_by_hand(folder):
    folds = Scorer(load_bundle(folder)).predict(GENOTYPES)
    assert folds.dtype == np.float32
    assert folds[:, 0] == pytest.approx([100 + 10 * z for z in SCORES])


def test_a_probability(tmp_path):
    bundle = load_bundle(write_linear(tmp_path / "p", EFFECTS, MEANS, **PROBABILITY))
    odds = [3 * math.exp(z) for z in SCORES]
    folds = Scorer(bundle).predict(GENOTYPES)
    assert folds[:, 0] == pytest.approx([o / (1 + o) for o in odds])
    with pytest.raises(NoInterval, match="predicts a probability"):
        intervals_of(bundle, 0.9)


def test_contributions_are_the_terms_of_the_sum(folder):
    bundle = load_bundle(folder)
    explained = contributions(GENOTYPES, read_ensemble(bundle, Scorer(bundle)))
    assert explained.reference == pytest.approx(100)
    x = np.nan_to_num(GENOTYPES.copies() - MEANS)
    np.testing.assert_allclose(explained.values, 10 * x * EFFECTS, atol=1e-12)


def test_contributions_to_a_probability_add_up(tmp_path):
    bundle = load_bundle(write_linear(tmp_path / "p", EFFECTS, MEANS, **PROBABILITY))
    explained = contributions(GENOTYPES, read_ensemble(bundle, Scorer(bundle)))
    # On the scale of logits, on which SNPs add up: odds of 3 for the average genotype.
    assert explained.reference == pytest.approx(math.log(3))
    x = np.nan_to_num(GENOTYPES.copies() - MEANS)
    np.testing.assert_allclose(explained.values, x * EFFECTS, atol=1e-12)
    np.testing.assert_allclose(explained.score, explained.reference + explained.values.sum(axis=1))
    np.testing.assert_allclose(explained.prediction, 1 / (1 + np.exp(-explained.score)))


def test_effects_and_saliency_are_those_of_the_table(folder):
    saliency = load_bundle(folder).saliency
    # 10 · effect · (code − mean), channels missing, 1, 2, 0.
    expected = [[0, 0, 5, -5], [0, -5, -15, 5], [0, 2.5, 5, 0]]
    np.testing.assert_allclose(saliency.effects, expected, atol=1e-12)
    # In SDs of the trait, the channel that moves most: of code 2 or 0.
    assert saliency.saliency == pytest.approx([0.5, 1.5, 0.5])
    assert saliency.rank.tolist() == [2, 1, 3]
    # SNP 1 and 2 have codes 2 and 0 in training, SNP 3 code 0 alone.
    assert saliency.centered == pytest.approx([0.5, 1.0, 0.0])


def test_commands(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.tsv").write_text("id\trs1\trs2\trs3\na\t1\t0\t0\nb\t2\t2\tNA\n")
    model = ["--model", str(folder)]
    assert main(["predict", "g.tsv", *model, "--top", "1", "--format", "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["results"]
    assert (first["sample"], first["prediction"]) == ("a", 105)
    assert second["prediction"] == 90
    assert main(["check", "g.tsv", *model]) == 0
    assert main(["explain", "g.tsv", "--sample", "b", *model, "--json"]) == 0
    capsys.readouterr()
    assert main(["explain", "--snp", "rs2", *model, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["effects"]["2"] == -15
    assert main(["models", "show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "linear"
    assert main(["predict", "g.tsv", *model, "--interval", "0.9"]) == NoInterval.exit_code
    assert "keeps no residuals of training samples" in capsys.readouterr().err


def test_effects_beyond_every_number(tmp_path):
    folder = write_linear(tmp_path / "huge", [1e308, 1e308], [1.0, 1.0])
    with pytest.raises(InvalidBundle, match="more than a number can be"):
        Scorer(load_bundle(folder))


def test_what_predicts_nothing_says_so(folder, capsys):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | {"kind": "variant-effects", "folds": []}
    path.write_text(json.dumps(manifest))
    bundle = load_bundle(folder)
    assert bundle.manifest == replace(bundle.manifest, kind="variant-effects")
    with pytest.raises(WrongKindOfModel, match="predicts no trait"):
        Scorer(bundle)
    for words in (["--snp", "rs1"], []):
        code = main(["explain", *words, "--model", str(folder)])
        assert code == WrongKindOfModel.exit_code
        assert "predicts no trait" in capsys.readouterr().err
    assert main(["models", "show", str(folder)]) == 0
