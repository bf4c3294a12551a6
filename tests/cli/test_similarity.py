"""What a person is told of samples that are unlike the training set."""

import csv
import io
import itertools
import json
import os
import sys

import numpy as np
import pytest

from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from tests.similar import N_SNPS, Similar

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


def test_predict_adds_three_columns_and_one_line(run, model):
    outcome = run("predict", "mixed.tsv", "--model", model)
    rows = list(csv.DictReader(io.StringIO(outcome.out), delimiter="\t"))
    assert list(rows[0])[5:] == ["distance_percentile", "unlike_training", "unlike_because"]
    assert [row["unlike_because"] for row in rows] == ["NA"] * 5 + ["distance"] * 3
    assert [row["unlike_training"] for row in rows] == ["false"] * 5 + ["true"] * 3
    assert rows[7]["distance_percentile"] == "100"
    (line,) = (line for line in outcome.err.splitlines() if line.startswith("similarity"))
    assert line == (
        "similarity 3 of 8 samples lie outside the training set; the error of such lines is "
        "unknown. More: snpredict check FILE"
    )


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


def test_the_line_gives_the_ratio_only_where_it_was_measured(run, model, folder):
    """The farthest training lines but one are flagged, and within what was measured."""
    far = np.argsort(SIMILAR.distances)[-4:-1]
    similarity = load_bundle(model).similarity
    assert similarity is not None
    codes = SIMILAR.codes[far].copy()
    # The whole table knows these lines; with some calls of strangers they are as far as before.
    for row in range(len(codes)):
        for changed in range(N_SNPS):
            if similarity.table.distances(Genotypes(codes[row : row + 1]))[0] > similarity.limit:
                break
            codes[row, changed] = SIMILAR.strange[0, changed]
    assert similarity.unlike(similarity.table.distances(Genotypes(codes))).all()
    within = ~similarity.beyond_all(similarity.table.distances(Genotypes(codes)))
    (folder / "far.tsv").write_text(SIMILAR.tiny.table(codes[within]))
    (line,) = (
        line
        for line in run("predict", "far.tsv", "--model", model).err.splitlines()
        if line.startswith("similarity")
    )
    ratio = load_bundle(model).manifest.similarity.errors.mae_ratio
    assert f"such lines had {ratio:.2f} (" in line
    assert "times the error. More: " in line
    assert len(line) <= 140


def odd() -> np.ndarray:
    """A new line as it is, all heterozygous, without 30 % of its calls, and both at once."""
    line = SIMILAR.new[0]
    few = line.copy()
    few[np.random.default_rng(1).permutation(N_SNPS)[: int(0.3 * N_SNPS)]] = -1
    return np.stack([line, np.ones_like(line), few, np.where(few < 0, -1, 1)])


def test_heterozygosity_and_call_rate_are_seen_and_named(run, model, folder):
    (folder / "odd.tsv").write_text(SIMILAR.tiny.table(odd()))
    outcome = run("predict", "odd.tsv", "--model", model, "--min-match", "0")
    rows = list(csv.DictReader(io.StringIO(outcome.out), delimiter="\t"))
    assert [row["unlike_training"] for row in rows] == ["false", "true", "true", "true"]
    assert [row["unlike_because"] for row in rows] == [
        "NA",
        "heterozygosity",
        "call rate",
        "distance, heterozygosity, call rate",
    ]
    assert (
        "similarity 3 of 4 samples lie outside the training set; the error of such" in outcome.err
    )
    checked = run("check", "odd.tsv", "--model", model, "--min-match", "0").out
    lowest, highest = load_bundle(model).similarity.rates.heterozygosity
    assert (
        f"heterozygosity: 2 outside that of 98 % of its own lines ({lowest:.1%} to {highest:.1%})"
        in checked
    )
    assert "call rate: 2 below that of 99 % of its own lines (" in checked
    said = run("explain", "odd.tsv", "--sample", "s1", "--model", model).err
    assert "heterozygosity 100.0%, outside that of 98 % of its own lines" in said
    value = json.loads(run("check", "odd.tsv", "--model", model, "--json", "--min-match", "0").out)
    assert value["similarity"]["unlike_because"] == {
        "distance": 1,
        "heterozygosity": 2,
        "call rate": 2,
    }
    explained = run("explain", "odd.tsv", "--sample", "s1", "--model", model, "--format", "json")
    assert json.loads(explained.out)["unlike_because"] == "heterozygosity"


def test_check_counts_them(run, model):
    said = run("check", "mixed.tsv", "--model", model).out
    assert "similarity 3 of 8 samples are unlike the training set\n" in said
    assert "in cross-validation such lines were predicted with " in said
    assert "distance: 3 farther than any of them, where no error was measured" in said
    assert "similarity 0 of 5 samples" in run("check", "new.tsv", "--model", model).out
    assert "similarity" not in run("check", "g.tsv").out  # a model without the table


def test_explain_says_how_far_the_sample_is(run, model):
    far = run("explain", "mixed.tsv", "--sample", "s7", "--model", model).err
    assert "farther from the training set than 100.0 % of its own lines: unlike it" in far
    near = run("explain", "mixed.tsv", "--sample", "s0", "--model", model).err
    assert "% of its own lines\n" in near


def test_explain_says_it_in_a_few_lines_of_a_terminal(run, model, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    (folder / "odd.tsv").write_text(SIMILAR.tiny.table(odd()))
    for file, sample in (("mixed.tsv", "s7"), ("odd.tsv", "s1"), ("odd.tsv", "s3")):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        options = ("--sample", sample, "--model", model, "--min-match", "0")
        lines = run("explain", file, *options).err.splitlines()
        first = next(at for at, line in enumerate(lines) if line.startswith("similarity "))
        below = itertools.takewhile(lambda line: line.startswith(" " * 11), lines[first + 1 :])
        assert len(list(below)) < 4


def test_on_a_terminal(run, model, terminal):
    out = run("predict", "mixed.tsv", "--model", model).out
    # A heading may be folded.
    assert "unlike_" in out
    assert " yes" in out
    assert " no" in out
