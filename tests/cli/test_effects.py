"""`snpredict effects`, and its scoring file from model to file to model."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from snpredict import errors
from snpredict.cli import main
from snpredict.genotypes.variants import Variant
from tests.bundles import Tiny, with_columns
from tests.formats import vcf


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A bundle with a hidden layer in the folder "tiny", and 40 lines in "g.vcf"."""
    monkeypatch.chdir(tmp_path)
    tiny = Tiny(units=2)
    tiny.write(tmp_path / "tiny")
    variants = [
        Variant(snp, snp.partition("_")[0], 1000 * (at + 1), "A", "G")
        for at, snp in enumerate(tiny.ids)
    ]
    names = [f"s{n}" for n in range(40)]
    vcf.write(tmp_path / "g.vcf", names, variants, tiny.draw(40))
    return tiny


def predictions(capsys, model: str) -> list[float]:
    words = ["predict", "g.vcf", "--model", model, "--min-match", "0", "--format", "json"]
    assert main(words) == 0
    return [row["prediction"] for row in json.loads(capsys.readouterr().out)["results"]]


def test_a_row_per_snp(tiny, capsys):
    assert main(["effects", "tiny"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out), delimiter="\t"))
    assert [row["snp"] for row in rows] == tiny.ids
    assert {row["counted_allele"] + row["other_allele"] for row in rows} == {"AG"}
    assert main(["effects", "tiny", "--out", "e.json"]) == 0
    first = json.loads(Path("e.json").read_text())["results"][0]
    assert first["average_effect"] == pytest.approx(float(rows[0]["average_effect"]), rel=1e-5)


def test_the_round_trip_gives_the_correlation_of_the_header(tiny, capsys):
    assert main(["effects", "tiny", "--pgs", "t.txt", "--on", "g.vcf"]) == 0
    assert capsys.readouterr().out == ""
    text = Path("t.txt").read_text()
    said = float(re.search(r"correlation ([\d.]+) with .* in the 40 samples of g.vcf", text)[1])
    assert "not held: the intercept; effects of heterozygotes" in text
    assert main(["import", "t.txt", "--out", "linear"]) == 0
    own, linear = predictions(capsys, "tiny"), predictions(capsys, "linear")
    assert np.corrcoef(own, linear)[0, 1] == pytest.approx(said, abs=2e-6)
    intercept = float(re.search(r"#intercept=(.*)", text)[1])
    assert np.mean(linear) + intercept == pytest.approx(np.mean(own))


def test_a_linear_model_comes_back_as_it_was(tiny, capsys):
    assert main(["effects", "tiny", "--pgs", "t.txt"]) == 0
    assert "lines drawn SNP by SNP" in Path("t.txt").read_text()
    assert main(["import", "t.txt", "--out", "linear"]) == 0
    assert main(["effects", "linear", "--pgs", "again.txt"]) == 0
    assert "correlation 1.000000" in Path("again.txt").read_text()
    assert main(["import", "again.txt", "--out", "twice"]) == 0
    capsys.readouterr()
    first, second = predictions(capsys, "linear"), predictions(capsys, "twice")
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_a_model_without_alleles_has_no_scoring_file(tiny, capsys):
    unknown = (None,) * len(tiny.ids)
    snps = with_columns(tiny.snps(), counted_allele=unknown, other_allele=unknown)
    tiny.write(Path("bare"), snps=snps)
    assert main(["effects", "bare", "--pgs", "t.txt"]) == errors.UsageError.exit_code
    assert "does not know which alleles" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "effects needs a model"),
        (["tiny", "--on", "g.vcf"], "add --pgs FILE"),
        (["tiny", "--pgs", "x.tsv", "--out", "x.tsv"], "the same file"),
        (["tiny", "--pgs", "g.vcf", "--on", "g.vcf"], "g.vcf"),
    ],
)
def test_usage(words, told, tiny, capsys):
    assert main(["effects", *words]) == errors.UsageError.exit_code
    assert told in " ".join(capsys.readouterr().err.split())
