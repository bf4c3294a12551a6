"""What a person is told of samples, and of files, of which too little is called."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snpredict.bundle.load import load_bundle
from snpredict.errors import TooFewSnps
from snpredict.matching.low_call_rate import call_facts, judge_calls
from snpredict.predicting import check_file
from tests.cli.test_predict import rows_of
from tests.formats import vcf
from tests.formats.vcf import Variant

SAMPLES = [f"s{n}" for n in range(6)]


@pytest.fixture
def codes(tiny):
    """Six lines with every genotype called."""
    return tiny.draw(6).clip(0)


@pytest.fixture
def write(folder, tiny):
    def write(name, codes, calls=vcf.UNPHASED):
        variants = [
            Variant(snp, snp.partition("_")[0], 1000 * (at + 1), "A", "G")
            for at, snp in enumerate(tiny.ids)
        ]
        vcf.write(folder / name, SAMPLES, variants, codes, calls=calls)
        return name

    return write


def every_command(run, name, *options):
    yield run("predict", name, "--out", "p.tsv", *options)
    yield run("check", name, *options)
    yield run("explain", name, "--sample", "s0", "--out", "e.tsv", *options)


@pytest.mark.parametrize(
    ("calls", "cause"),
    [
        pytest.param(("0", "0", "1", "."), "240 haploid calls, taken as missing", id="haploid"),
        pytest.param(
            ("0/0/0/0", "0/0/1/1", "1/1/1/1", "./././."),
            "240 polyploid calls, taken as missing",
            id="tetraploid",
        ),
        pytest.param(("./.",) * 4, None, id="nothing called"),
    ],
)
def test_a_file_without_a_usable_call_is_refused(run, write, folder, codes, calls, cause):
    write("bad.vcf", codes, calls)
    for outcome in every_command(run, "bad.vcf"):
        assert outcome.code == TooFewSnps.exit_code
        assert (
            "bad.vcf: found calls for 0.0% of the model's effects (40 of its 40 SNPs found), "
            "expected at least 75.0%" in outcome.err
        )
        if cause:
            assert f"hint: likely cause: {cause}; --min-match" in outcome.err
    assert not (folder / "p.tsv").exists()
    assert not (folder / "e.tsv").exists()


def test_what_is_asked_for_with_min_match_0_is_done_and_flagged(run, write, codes):
    write("bad.vcf", codes, ("./.",) * 4)
    outcome = run("predict", "bad.vcf", "--min-match", "0", "-q")
    assert outcome.code == 0
    assert {row["low_call_rate"] for row in rows_of(outcome.out)} == {"true"}
    assert "warning: 6 samples have calls for none of the model's effects (s0, s1," in outcome.err
    assert run("explain", "bad.vcf", "--sample", "s2", "--min-match", "0", "-q").err.startswith(
        "warning: 1 sample has calls for none of the model's effects (s2)"
    )


def test_the_mean_over_the_samples_judges_the_file(run, write, codes, tiny):
    """The rate is Σ weight over the called genotypes, weights as in the match rate."""
    from snpredict.bundle.load import load_bundle
    from snpredict.matching.match import effect_weights

    codes[:3, ::2] = -1
    write("half.vcf", codes)
    bundle = load_bundle("tiny")
    saliency = bundle.saliency
    weights = effect_weights(bundle.snps.frequencies, saliency.effects, saliency.saliency)
    mean = (1 + weights[1::2].sum()) / 2
    found = json.loads(run("check", "half.vcf", "--json", "--min-match", "0.5").out)
    assert found["calls"]["weighted_call_rate"] == pytest.approx(mean, abs=1e-9)
    assert run("check", "half.vcf", "--min-match", f"{mean + 0.001:.4f}").code == 23
    assert run("check", "half.vcf", "--min-match", f"{mean - 0.001:.4f}").code == 0


def test_a_sample_below_gets_a_flag_and_a_warning_that_quiet_does_not_silence(run, write, codes):
    codes[4] = -1
    codes[1, :20] = -1
    write("some.vcf", codes)
    warning = (
        "warning: 2 samples have calls for less than 75.0% of the model's effects (s1, s4): too "
        "little to predict from"
    )
    outcome = run("predict", "some.vcf", "-q")
    assert outcome.err.splitlines() == [warning]
    flags = [row["low_call_rate"] for row in rows_of(outcome.out)]
    assert flags == ["false", "true", "false", "false", "true", "false"]
    assert warning in run("check", "some.vcf", "-q").err
    assert "(s4)" in run("explain", "some.vcf", "--sample", "s4", "-q").err
    assert run("explain", "some.vcf", "--sample", "s0", "-q").err == ""
    found = json.loads(run("predict", "some.vcf", "--format", "json", "-q").out)
    assert found["calls"]["low_call_rate"] == 2
    assert [row["low_call_rate"] for row in found["results"]][3:5] == [False, True]
    assert json.loads(run("check", "some.vcf", "--json").out)["calls"] == found["calls"]


def test_min_match_is_the_samples_threshold_too(run, write, codes):
    codes[1, :20] = -1
    write("some.vcf", codes)
    assert "warning" not in run("predict", "some.vcf", "--min-match", "0.05").err
    assert "warning" not in run("predict", "some.vcf", "--min-match", "0").err
    full = codes.clip(0)
    write("full.vcf", full)
    assert run("predict", "full.vcf", "--min-match", "1", "-q").err == ""


def test_a_file_whose_samples_all_reach_the_threshold_is_not_refused(folder, codes, write):
    """The mean of 0.7 three times is below 0.7 in double precision."""
    rates = np.full(3, 0.7)
    assert rates.mean() < 0.7
    write("g.vcf", codes)
    check = check_file(Path("g.vcf"), load_bundle("tiny"))
    check = replace(
        check, measures=replace(check.measures, weighted_call_rate=rates), min_match=0.7
    )
    judge_calls(check)
    assert call_facts(check)["weighted_call_rate"] == 0.7


def test_a_table_of_many_minus_ones_is_refused_and_told_of_the_coding(run, folder, tiny, codes):
    """With so many 2s that they are no typing errors, and too few calls all the same."""
    rows = (codes % 2 * 2 - 1).astype(str)
    rows[:, 0] = "2"
    lines = [["line", *tiny.ids], *([f"s{at}", *row] for at, row in enumerate(rows))]
    (folder / "many.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    for outcome in every_command(run, "many.tsv", "--min-match", "0.9"):
        assert outcome.code == TooFewSnps.exit_code
        assert "cells of -1, taken as missing; --coding -101 reads -1 as a genotype" in outcome.err


def test_the_summary_says_how_much_of_the_effects_is_missing(run, write, codes):
    codes[:, :] = np.where(np.arange(6)[:, None] == 5, -1, codes)
    write("one.vcf", codes)
    line = next(
        line for line in run("check", "one.vcf").out.splitlines() if line.startswith("missing")
    )
    assert line.endswith(
        "16.7% of the genotypes of these SNPs (16.7% of the model's input, 16.7% of its effects)"
    )
