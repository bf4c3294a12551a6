"""Samples that a model was trained on are predicted by the one fold that did not see them."""

import hashlib
import json

import numpy as np
import pytest

from snpredict.bundle.load import load_bundle
from snpredict.bundle.out_of_fold import NEW, SEEN_BY_ALL, genotype_digest
from snpredict.errors import InvalidBundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.genotypes.variants import Variant
from snpredict.predicting import explain_sample, predict_file
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny
from tests.formats import vcf
from tests.hostile import make

TINY = Tiny(n_snps=12, n_folds=3)
CODES = TINY.draw(6)

#: Samples 0 and 1 were tested in folds 3 and 1; sample 2 in two folds; sample 3 was not there.
DIGESTS = tuple(genotype_digest(CODES[row]) for row in (0, 1, 2, 2))
FOLDS = (3, 1, 1, 2)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "tiny"
    return load_bundle(TINY.write(path, out_of_fold=TINY.out_of_fold(DIGESTS, FOLDS)))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "g.tsv"
    path.write_text(TINY.table(CODES))
    return path


def test_a_digest_is_that_of_the_codes_as_bytes():
    assert genotype_digest(np.array([0, 1, 2, -1], np.int8)) == (
        hashlib.sha256(b"\x00\x01\x02\xff").hexdigest()
    )


def test_which_fold_did_not_see_a_sample(bundle):
    found = bundle.training_set.held_out_by(CODES)
    assert found.tolist() == [2, 0, SEEN_BY_ALL, NEW, NEW, NEW]


def test_one_more_missing_genotype_makes_a_sample_new(bundle):
    changed = CODES[:1].copy()
    at = int(np.flatnonzero(changed[0] >= 0)[0])
    changed[0, at] = -1
    assert bundle.training_set.held_out_by(changed).tolist() == [NEW]


def test_its_own_fold_alone_predicts_a_training_sample(bundle, table):
    prediction = predict_file(table, bundle)
    expected = TINY.expected(CODES)
    wanted = [expected[0, 2], expected[1, 0], *expected[2:].mean(axis=1)]
    columns = prediction.results().columns
    np.testing.assert_allclose(columns["prediction"], wanted, rtol=1e-5)
    assert columns["predicted_by"] == ["fold_03", "fold_01", *["ensemble"] * 4]
    assert columns["spread"][:2] == [None, None]
    np.testing.assert_allclose(columns["spread"][2:], expected[2:].std(axis=1, ddof=1), rtol=1e-4)


def test_contributions_explain_the_prediction_that_is_shown(bundle, table):
    explained = explain_sample(table, bundle, "s0")
    assert explained.predicted_by == "fold_03"
    assert explained.prediction == pytest.approx(TINY.expected(CODES)[0, 2], rel=1e-5)
    assert abs(explained.residual) < 1e-4
    top = predict_file(table, bundle, top=12).top
    values = {snp: value for snp, value in top[0]}
    wanted = dict(zip(bundle.snps.ids, explained.contributions.tolist(), strict=True))
    assert values == pytest.approx(wanted)


def test_a_neighbour_with_dosages_changes_nothing(bundle, tmp_path):
    """The second sample has dosages between the codes; the first, a training line, has none."""
    variants = [
        Variant(id, id.split("_")[0], 1000 * (at + 1), "A", "G")
        for at, id in enumerate(bundle.snps.ids)
    ]
    codes = CODES[[0, 3]]
    dosages = np.where(codes < 0, np.nan, codes.astype(float))
    dosages[1, codes[1] == 0] = 0.25
    names = ["line", "neighbour"]
    both = vcf.write(tmp_path / "both.vcf", names, variants, codes, fields="GT:DS", dosages=dosages)
    alone = vcf.write(tmp_path / "alone.vcf", names[:1], variants, codes[:1])
    beside, wanted = (predict_file(path, bundle, top=12) for path in (both, alone))
    assert beside.results().columns["predicted_by"] == ["fold_03", "ensemble"]
    np.testing.assert_array_equal(beside.scores.folds[0], wanted.scores.folds[0])
    assert beside.scores.prediction[0] == wanted.scores.prediction[0]
    assert beside.top[0] == wanted.top[0]
    explained = explain_sample(both, bundle, "line")
    assert (explained.predicted_by, explained.prediction) == (
        "fold_03",
        wanted.scores.prediction[0],
    )
    # The neighbour itself is a new sample, and its dosages count.
    plain = Scorer(bundle).predict(Genotypes(codes[1:]))
    assert (beside.scores.folds[1] != plain[0]).any()


def test_dosages_of_a_training_line_are_of_a_line_that_was_seen(bundle):
    """Training takes the nearest codes; such a file would else be predicted by all fold models."""
    copies = np.where(CODES[:1] < 0, np.nan, CODES[:1].astype(float))
    copies[copies == 0] = 0.25
    scorer = Scorer(bundle)
    (exact, with_dosages) = (
        scorer.scores([GenotypeBlock(["line"], Genotypes.of_copies(each))])
        for each in (np.round(copies), copies)
    )
    assert with_dosages.held_out == exact.held_out == [2]
    assert (with_dosages.folds != exact.folds).any()


def test_what_people_and_programs_are_told(bundle, table, capsys):
    from snpredict.cli import main

    assert main(["predict", str(table), "-m", str(bundle.path), "--format", "json"]) == 0
    told = capsys.readouterr()
    assert "2 samples were in the training set" in told.err
    assert "warning: 1 samples have genotypes that all fold models were trained on" in told.err
    first = json.loads(told.out)["results"][0]
    assert (first["predicted_by"], first["spread"]) == ("fold_03", None)
    assert main(["predict", str(table), "-m", str(bundle.path), "-q"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split("\t")[2:4] == ["NA", "fold_03"]


def test_a_digest_that_is_no_text_is_refused(tmp_path):
    bundle = TINY.write(tmp_path / "b")
    make.column("out_of_fold.parquet", "digest", [1, 2])(bundle)
    with pytest.raises(InvalidBundle, match="digest"):
        load_bundle(bundle)
