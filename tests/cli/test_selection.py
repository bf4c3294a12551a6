"""Several models, ranking, the best, and a selection index: from predictions to a list."""

import json
import re
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from snpredict.bundle.entries import Training
from tests.bundles import Tiny, write_linear

#: Mean and SD of the traits in the training sets.
SCALES = {"height": (90.0, 10.0), "seed yield": (50.0, 4.0)}


@pytest.fixture
def models(folder):
    """Bundles ./height and ./yield, whose trait is called "seed yield", of the SNPs of g.tsv."""
    for at, (trait, (mean, sd)) in enumerate(SCALES.items()):
        tiny = Tiny(n_snps=40)
        tiny.weights = tiny.weights * (1 - 3 * at)
        manifest = replace(
            tiny.manifest(),
            name=trait.split()[-1] + "-model",
            trait=trait,
            training=Training(phenotype_mean=mean, phenotype_sd=sd),
        )
        tiny.write(folder / trait.split()[-1], manifest=manifest)
    return ("-m", "./height", "-m", "./yield")


def columns(outcome):
    assert outcome.code == 0, outcome.err
    return by_name(outcome.out)


def by_name(tsv):
    names, *rows = (line.split("\t") for line in tsv.splitlines())
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def test_columns_per_trait(run, models):
    both = columns(run("predict", "g.tsv", *models, "--interval", "0.5", "--top", "1"))
    alone = columns(run("predict", "g.tsv", "-m", "./yield", "--interval", "0.5", "--top", "1"))
    assert both["sample"] == alone.pop("sample")
    assert both["seed_yield"] == alone.pop("prediction")
    assert alone
    for name, values in alone.items():
        assert both[f"seed_yield_{name}"] == values
    assert {"height", "height_spread", "height_lower", "height_top1_snp"} <= set(both)


def test_one_model_keeps_its_columns(run, models):
    plain = run("predict", "g.tsv", "-m", "./height")
    ranked = columns(run("predict", "g.tsv", "-m", "./height", "--rank"))
    assert list(columns(plain)) == [name for name in ranked if name != "rank"]


def test_rank_sorts_from_the_highest(run):
    plain = columns(run("predict", "g.tsv"))
    ranked = columns(run("predict", "g.tsv", "--rank"))
    values = list(map(float, ranked["prediction"]))
    assert values == sorted(values, reverse=True)
    assert ranked["rank"] == [str(at) for at in range(1, 61)]
    assert sorted(ranked["sample"]) == sorted(plain["sample"])
    assert dict(zip(plain["sample"], plain["prediction"], strict=True)) == dict(
        zip(ranked["sample"], ranked["prediction"], strict=True)
    )


def test_best_keeps_all_that_tie_with_the_last(run, folder, tiny):
    codes = tiny.draw(6)[[0, 1, 2, 0, 0, 3]]
    (folder / "ties.tsv").write_text(tiny.table(codes))
    (place,) = {
        rank
        for rank, sample in zip(
            *(columns(run("predict", "ties.tsv", "--rank"))[c] for c in ("rank", "sample")),
            strict=True,
        )
        if sample in ("s0", "s3", "s4")
    }
    outcome = run("predict", "ties.tsv", "--best", place)
    listed = columns(outcome)
    assert listed["sample"][-3:] == ["s0", "s3", "s4"]
    assert listed["rank"][-3:] == [place] * 3
    assert f"{int(place) + 2} of 6 samples kept for --best {place}, because of ties" in outcome.err
    assert "ties: 3 of these samples share their rank" in outcome.err


def test_flagged_samples_are_listed_and_counted(run, folder, tiny):
    codes = tiny.draw(20)
    codes[4, 5:] = -1
    (folder / "few.tsv").write_text(tiny.table(codes))
    outcome = run("predict", "few.tsv", "--rank")
    listed = columns(outcome)
    assert listed["low_call_rate"][listed["sample"].index("s4")] == "true"
    assert "low_call_rate: 1 of these samples, of which too little is called" in outcome.err


def test_the_index_by_hand(run, models):
    found = columns(run("predict", "g.tsv", *models, "--index", "seed yield:2,height:-1", "--rank"))
    height, grain = (np.array(found[name], float) for name in ("height", "seed_yield"))
    expected = 2 * (grain - 50) / 4 - (height - 90) / 10
    np.testing.assert_allclose(np.array(found["index"], float), expected, rtol=1e-3, atol=1e-3)
    assert list(expected) == sorted(expected, reverse=True)


def test_what_is_said_of_the_index(run, models):
    err = run("predict", "g.tsv", *models, "--index", "seed_yield:2").err
    assert "index      +2 × seed_yield (high values are better)\n" in err
    assert "in SDs of the training set: seed_yield 50 ± 4 cm\n" in err
    assert "not in the index: height\n" in err


def test_the_lowest_first(run):
    found = columns(run("predict", "g.tsv", "--index", "height:-1", "--best", "5"))
    values = list(map(float, found["prediction"]))
    assert len(values) == 5
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("oil:1", "no model predicts 'oil'; found height, seed_yield"),
        ("height:0", "found the weight '0' of height, expected a number other than 0"),
        ("height:nan", "found the weight 'nan' of height"),
        ("height:inf", "found the weight 'inf' of height"),
        ("height:tall", "found the weight 'tall' of height"),
        ("height", "found 'height', expected a trait and its weight"),
        ("", "found '', expected a trait and its weight"),
        ("height:1,height:2", "found height twice"),
        ("seed yield:1,seed_yield:2", "found seed_yield twice"),
    ],
)
def test_an_index_that_is_none(run, models, index, said):
    outcome = run("predict", "g.tsv", *models, "--index", index)
    assert outcome.code == 2
    assert outcome.out == ""
    assert f"error: --index: {said}" in outcome.err


def test_a_trait_without_a_scale(run, folder):
    write_linear(folder / "sum", [1.0, 2.0], [1.0, 1.0], trait="oil")
    outcome = run("predict", "g.tsv", "-m", "tiny", "-m", "./sum", "--index", "oil:1")
    assert outcome.code == 2
    assert "model sum does not say the mean and SD of oil in its training set" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--best", "0"], "--best 0: expected a whole number from 1"),
        (["--best", "-3"], "--best -3: expected a whole number from 1"),
        (["-m", "tiny", "-m", "tiny"], "--model: found tiny 2 times, expected it once"),
    ],
)
def test_refused(run, arguments, said):
    outcome = run("predict", "g.tsv", *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {said}\n")


def test_several_models_need_an_index_to_be_ranked(run, models):
    outcome = run("predict", "g.tsv", *models, "--rank")
    assert outcome.code == 2
    assert "2 models predict height, seed_yield: there is no one value to rank by" in outcome.err
    assert '--index "height:1,seed_yield:-1"' in outcome.err


def test_two_models_of_one_trait(run, folder, tiny, models):
    outcome = run("predict", "g.tsv", "-m", "tiny", "-m", "./height")
    found = columns(outcome)
    assert {"tiny", "tiny_spread", "height_model", "height_model_spread"} <= set(found)
    assert "columns    named by model, of one trait: tiny (height), height_model" in outcome.err
    outcome = run("predict", "g.tsv", "-m", "tiny", "-m", "./height", "--index", "height:1")
    assert "no model predicts 'height'; found tiny, height_model" in outcome.err


def test_json_and_parquet(run, folder, models):
    asked = ("predict", "g.tsv", *models, "--index", "height:1", "--best", "2")
    found = json.loads(run(*asked, "--format", "json").out)
    assert [model["model"] for model in found["models"]] == ["height-model", "yield-model"]
    assert [model["column"] for model in found["models"]] == ["height", "seed_yield"]
    assert found["models"][0]["match"]["matched"] == 40
    assert found["selection"] == {
        "ranked_by": "index",
        "best": 2,
        "samples": 60,
        "index": [{"column": "height", "weight": 1.0, "mean": 90.0, "sd": 10.0}],
    }
    assert [row["rank"] for row in found["results"]] == [1, 2]
    assert run(*asked, "--out", "best.parquet").code == 0
    table = pq.read_table(folder / "best.parquet").to_pydict()
    assert table["height"] == [row["height"] for row in found["results"]]


def test_the_match_log_has_all_models(run, folder, models):
    assert run("predict", "g.tsv", *models, "--match-log", "log.tsv").code == 0
    log = by_name((folder / "log.tsv").read_text())
    assert log["model"] == ["height-model"] * 40 + ["yield-model"] * 40


def test_on_a_terminal(run, models, terminal):
    outcome = run("predict", "g.tsv", *models, "--index", "height:1", "--best", "3")
    lines = outcome.out.splitlines()
    heading = next(line for line in lines if "sample" in line)
    words = ("sample", "rank", "index", "height", "(cm)", "seed_yield", "(cm)")
    assert tuple(heading.split()) == words
    assert "spread, reliability and all other columns: --out FILE, or a pipe" in outcome.out


def test_flags_stay_in_a_narrow_terminal(run, folder, tiny, models, terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "36")
    codes = tiny.draw(20)
    codes[4, 2:] = -1
    (folder / "few.tsv").write_text(tiny.table(codes))
    outcome = run("predict", "few.tsv", *models)
    assert re.search(r"^ *s4 .*low calls", outcome.out, re.MULTILINE)
    assert "no room for seed_yield" in " ".join(outcome.out.split())
