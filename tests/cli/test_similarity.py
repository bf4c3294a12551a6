"""What a person is told of samples that are unlike the training set."""

import csv
import io
import json
import os

import numpy as np
import pytest

from tests.similar import Similar

SIMILAR = Similar()


@pytest.fixture(scope="module")
def similar_bundle(tmp_path_factory):
    return SIMILAR.write(tmp_path_factory.mktemp("similar") / "tiny")


@pytest.fixture
def model(folder, similar_bundle):
    """Further files in the working folder: new lines of known families, and strangers."""
    (folder / "new.tsv").write_text(SIMILAR.tiny.table(SIMILAR.new[:5]))
    mixed = np.concatenate([SIMILAR.new[:5], SIMILAR.strange[:3]])
    (folder / "mixed.tsv").write_text(SIMILAR.tiny.table(mixed))
    return os.fspath(similar_bundle)


def test_predict_adds_two_columns_and_one_line(run, model):
    outcome = run("predict", "mixed.tsv", "--model", model)
    rows = list(csv.DictReader(io.StringIO(outcome.out), delimiter="\t"))
    assert list(rows[0])[4:] == ["distance_percentile", "unlike_training"]
    assert [row["unlike_training"] for row in rows] == ["false"] * 5 + ["true"] * 3
    assert rows[7]["distance_percentile"] == "100"
    (line,) = (line for line in outcome.err.splitlines() if line.startswith("similarity"))
    assert "3 of 8 samples are unlike the training set" in line
    assert (
        "in cross-validation such lines were predicted with " in line and "times the error" in line
    )
    assert "3 are farther than any of them" in line


def test_nothing_is_said_where_nothing_is_flagged(run, model):
    assert "similarity" not in run("predict", "new.tsv", "--model", model).err
    assert "similarity" not in run("predict", "mixed.tsv", "--model", model, "-q").err


def test_json_has_the_measured_figures(run, model):
    value = json.loads(run("predict", "mixed.tsv", "--model", model, "--format", "json").out)
    assert value["similarity"]["unlike_training"] == 3
    assert value["similarity"]["errors"]["flagged"]["n"] == 5
    assert value["results"][7]["unlike_training"] is True


def test_parquet_holds_truth_values(run, model, folder):
    import pyarrow.parquet as pq

    run("predict", "mixed.tsv", "--model", model, "--out", "p.parquet")
    assert pq.read_table(folder / "p.parquet")["unlike_training"].to_pylist()[4:6] == [False, True]


def test_check_counts_them(run, model):
    assert "similarity 3 of 8 samples" in run("check", "mixed.tsv", "--model", model).out
    assert "similarity 0 of 5 samples" in run("check", "new.tsv", "--model", model).out
    assert "similarity" not in run("check", "g.tsv").out  # a model without the table


def test_explain_says_how_far_the_sample_is(run, model):
    far = run("explain", "mixed.tsv", "--sample", "s7", "--model", model).err
    assert "farther from the training set than 100.0 % of its own lines: unlike it" in far
    near = run("explain", "mixed.tsv", "--sample", "s0", "--model", model).err
    assert "% of its own lines\n" in near


def test_on_a_terminal(run, model, terminal):
    out = run("predict", "mixed.tsv", "--model", model).out
    # A heading may be folded.
    assert "unlike_" in out and " yes" in out and " no" in out
