"""`snpredict predict --interval`, as people and programs see it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from snpredict.bundle.entries import IntervalsEntry, NewIntervals
from snpredict.bundle.out_of_fold import FamilyResiduals
from tests.cli.test_predict import rows_of

FOLDS = [1, 2, 3] * 20
RESIDUALS = np.random.default_rng(2).normal(0, 4, 60).tolist()
FAMILIES = FamilyResiduals(
    family=np.arange(60) // 10, fold=np.arange(60) // 20, residual=3 * np.array(RESIDUALS)
)


@pytest.fixture
def with_residuals(folder, tiny):
    """Bundles "plain" and "both" in the working folder."""
    tiny.write(folder / "plain", out_of_fold=tiny.residuals(FOLDS, RESIDUALS))
    new = NewIntervals("left out", 60, 6, "column", {}, {})
    manifest = replace(tiny.manifest(), intervals=IntervalsEntry(new=new))
    table = tiny.residuals(FOLDS, RESIDUALS, FAMILIES)
    tiny.write(folder / "both", out_of_fold=table, manifest=manifest)
    return folder


def ends(outcome) -> np.ndarray:
    assert outcome.code == 0, outcome.err
    return np.array([[float(r["lower"]), float(r["upper"])] for r in rows_of(outcome.out)])


def test_lower_and_upper_stand_behind_spread(with_residuals, run):
    outcome = run("predict", "g.tsv", "-m", "./plain", "--interval", "0.9")
    rows = rows_of(outcome.out)
    assert list(rows[0]) == [
        *("sample", "prediction", "spread", "lower", "upper", "predicted_by", "low_call_rate"),
    ]
    found = ends(outcome)
    middle = np.array([float(row["prediction"]) for row in rows])
    assert ((found[:, 0] < middle) & (middle < found[:, 1])).all()
    for words in (
        "90 %, for samples of families that the model was trained on",
        "60 out-of-fold residuals",
        "measured on samples that were left out",
        "this model has none for these",
    ):
        assert words in outcome.err


def test_new_families(with_residuals, run):
    known = run("predict", "g.tsv", "-m", "./both", "--interval", "0.8")
    new = run("predict", "g.tsv", "-m", "./both", "--interval", "0.8", "--families", "new")
    assert "--families new" in known.err
    assert "--families known" in new.err
    assert "families that the model was not trained on; from 60 residuals of 6 families" in new.err
    assert "within one family, whose samples err together" in new.err
    # The prediction plus and minus one number: families of ten weigh as their samples do.
    found = ends(new)
    radius = np.sort(np.abs(FAMILIES.residual))[47]
    np.testing.assert_allclose(np.diff(found)[:, 0], 2 * radius, rtol=1e-4)
    middle = [float(row["prediction"]) for row in rows_of(new.out)]
    np.testing.assert_allclose(found.mean(axis=1), middle, rtol=1e-4)


def test_json_says_how(with_residuals, run):
    outcome = run(
        *("predict", "g.tsv", "-m", "./both", "--interval", "0.8", "--families", "new"),
        *("--format", "json", "-q"),
    )
    assert outcome.err == ""
    told = json.loads(outcome.out)
    measured = told["interval"].pop("measured_coverage")
    assert 0.6 < measured < 1
    assert told["interval"] == {
        "level": 0.8,
        "families": "new",
        "method": "pooled quantile over families left out",
        "residuals": 60,
    }
    assert told["results"][0]["lower"] < told["results"][0]["upper"]


def test_without_the_option_nothing_is_said(with_residuals, run):
    outcome = run("predict", "g.tsv", "-m", "./both", "--format", "json")
    assert "interval" not in outcome.err
    assert "lower" not in outcome.out
    assert "interval" not in json.loads(outcome.out)


def test_on_a_terminal(with_residuals, run, terminal):
    shown = run("predict", "g.tsv", "-m", "./plain", "--interval", "0.9").out
    assert "lower" in shown
    assert "upper" in shown


def test_a_file_that_lacks_snps(with_residuals, run):
    lines = (with_residuals / "g.tsv").read_text().splitlines()
    short = "".join("\t".join(line.split("\t")[:35]) + "\n" for line in lines)
    (with_residuals / "short.tsv").write_text(short)
    assert "for a file that lacks some they are too short" in (
        run("predict", "short.tsv", "-m", "./plain", "--interval", "0.9").err
    )


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--interval", "90"), 2, "90 percent is 0.9"),
        (("--interval", "1"), 2, "below 1"),
        (("--interval", "0.3"), 2, "at least 0.5"),
        (("--interval", "wide"), 2, "--interval"),
        (("--interval", "0.99"), 36, "the largest level possible is 0.98"),
        (("--interval", "0.9", "--families", "old"), 2, "expected one of known, new"),
        (("--families", "new"), 2, "--interval"),
        (("--interval", "0.9", "--families", "new"), 36, "--new-families"),
    ],
)
def test_mistakes(with_residuals, run, options, code, words):
    outcome = run("predict", "g.tsv", "-m", "./plain", *options)
    assert outcome.code == code
    assert words in outcome.err
    assert outcome.out == ""
