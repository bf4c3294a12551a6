import csv
import io
import json
import re

import numpy as np
import pytest

from snpredict import errors
from tests.bundles import Tiny


def answer(monkeypatch, *lines):
    """Stands in for a person who types these lines and then ends the input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


# --- one sample --------------------------------------------------------------------------------


def test_piped_contributions_are_all_snps(run):
    outcome = run("explain", "g.tsv", "--sample", "s7", "--top", "3")
    rows = list(csv.DictReader(io.StringIO(outcome.out), delimiter="\t"))
    assert list(rows[0]) == ["snp", "genotype", "contribution"]
    assert len(rows) == 40
    assert {row["genotype"] for row in rows} <= {"0", "1", "2", "NA"}


def test_json_adds_up_to_what_predict_says(run):
    value = json.loads(run("explain", "g.tsv", "--sample", "s7", "--json").out)
    predicted = json.loads(run("predict", "g.tsv", "--format", "json").out)["results"][7]
    total = sum(row["contribution"] for row in value["results"])
    assert value["prediction"] == predicted["prediction"]
    assert value["reference"] + total == pytest.approx(value["prediction"], rel=1e-6)
    assert value["contributions_sum"] == pytest.approx(total)
    assert value["sample"] == "s7"
    assert value["model"] == "tiny"


@pytest.mark.parametrize("shown", [3, 40, 99])
def test_the_sum_is_shown(run, terminal, shown):
    out = run("explain", "g.tsv", "--sample", "s7", "--top", shown).out
    numbers = [float(n) for n in re.findall(r"([+-]?\d+\.\d+) cm$", out, re.MULTILINE)]
    *terms, prediction = numbers
    assert len(terms) == (3 if shown == 3 else 2)
    assert sum(terms) == pytest.approx(prediction, abs=1e-3)
    assert "rounding" in out
    bars = [line for line in out.splitlines() if "│" in line]
    assert len(bars) == min(shown, 40)


def test_the_sum_is_on_stderr_when_piped(run):
    err = run("explain", "g.tsv", "--sample", "s7").err
    assert "reference: the average genotype" in err
    assert "= prediction" in err
    assert run("explain", "g.tsv", "--sample", "s7", "-q").err == ""


def test_out(run, folder):
    outcome = run("explain", "g.tsv", "--sample", "s7", "--out", "e.csv")
    assert (outcome.code, outcome.out) == (0, "")
    assert len((folder / "e.csv").read_text().splitlines()) == 41


def test_unknown_sample(run, folder):
    outcome = run("explain", "g.tsv", "--sample", "s77", "--out", "e.tsv")
    assert outcome.code == errors.UnknownSample.exit_code
    assert "no sample 's77' among its 60" in outcome.err
    assert "did you mean s7" in outcome.err
    assert [path.name for path in folder.iterdir()] == ["g.tsv"]


def test_file_without_sample_names_some(run):
    outcome = run("explain", "g.tsv")
    assert outcome.code == 2
    assert "s0, s1, s2, s3, s4, ..." in outcome.err
    assert "hint: add --sample s0" in outcome.err


def test_sample_without_file(run):
    outcome = run("explain", "--sample", "s7")
    assert outcome.code == 2
    assert "needs the file" in outcome.err


# --- one SNP -----------------------------------------------------------------------------------


def test_snp_for_people(run, terminal):
    outcome = run("explain", "--snp", "Gm01_5000_A_G")
    assert outcome.code == 0
    for words in (
        "Gm01, position 5,000",
        "A counted, G other",
        " of 40, percentile ",
        "0 (GG)",
        "1 (AG)",
        "2 (AA)",
        "missing",
        "fold_03",
        "this SNP",
        "█",
    ):
        assert words in outcome.out
    assert "\x1b" not in outcome.out


def test_snp_for_programs(run, folder):
    value = json.loads(run("explain", "--snp", "Gm01_5000_A_G", "--json").out)
    assert (value["id"], value["chromosome"], value["position"]) == ("Gm01_5000_A_G", "Gm01", 5000)
    assert value["n_snps"] == 40
    assert list(value["effects"]) == ["0", "1", "2", "missing"]
    assert len(value["neighbours"]) == 9
    assert len(value["fold_saliency"]) == 3
    run("explain", "--snp", "Gm01_5000_A_G", "--out", "snp.json")
    assert json.loads((folder / "snp.json").read_text()) == value


@pytest.mark.parametrize(("options", "delimiter"), [([], "\t"), (["--format", "csv"], ",")])
def test_piped_snp_is_a_plain_table(run, options, delimiter):
    outcome = run("explain", "--snp", "Gm01_5000_A_G", *options)
    rows = list(csv.reader(io.StringIO(outcome.out), delimiter=delimiter))
    assert len(rows) == 5
    assert {len(row) for row in rows} == {len(rows[0])}
    report = json.loads(run("explain", "--snp", "Gm01_5000_A_G", "--json").out)
    table = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["genotype"] for row in table] == ["0", "1", "2", "missing"]
    for row in table:
        assert (row["snp"], row["chromosome"], row["position"]) == ("Gm01_5000_A_G", "Gm01", "5000")
        assert float(row["effect"]) == pytest.approx(report["effects"][row["genotype"]], rel=1e-5)
        assert row["effects_hold"] == report["effects_hold"]
        assert row["effect_p05"] == row["effect_p95"] == "NA"
        frequency = report["frequencies"][row["genotype"]]
        assert float(row["frequency"]) == pytest.approx(frequency, rel=1e-5)
        assert int(row["rank"]) == report["rank"]


def test_case_of_a_snp_is_forgiven_and_said(run):
    outcome = run("explain", "--snp", "gm01_5000_a_g", "--json")
    assert json.loads(outcome.out)["id"] == "Gm01_5000_A_G"
    assert "'gm01_5000_a_g' was read as Gm01_5000_A_G" in outcome.err


@pytest.mark.parametrize("typed", ["1:5000", "Gm01:5000", "chr1:5000", "1_5000", "_5000_"])
def test_a_snp_by_its_place_or_a_part_of_its_name(run, monkeypatch, typed):
    outcome = run("explain", "--snp", typed, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["id"] == "Gm01_5000_A_G"
    assert f"{typed!r} was read as Gm01_5000_A_G" in outcome.err
    answer(monkeypatch, typed)
    assert f"{typed!r} was read as Gm01_5000_A_G" in run("explain").out


def test_a_part_of_several_names(run):
    outcome = run("explain", "--snp", "Gm02_3")
    assert outcome.code == errors.UnknownSnp.exit_code == 21
    assert outcome.out == ""
    assert "10 SNPs with 'Gm02_3' in their names" in outcome.err
    assert "Gm02_30000_A_G, Gm02_31000_A_G" in outcome.err


def test_where_effects_hold_is_said(run, folder, terminal):
    words = "The effects hold for every line, up to the curvature of the model's output (ISRU)."
    assert words in " ".join(run("explain", "--snp", "Gm01_5000_A_G").out.split())
    curved = Tiny(units=2, n_folds=1)
    curved.write(folder / "curved", saliency=curved.saliency(ranges=True))
    inside = curved.ids[curved.hidden.snps[0, 0]]
    outcome = run("explain", "--snp", inside, "-m", "./curved")
    words = (
        "The effects hold for the average genotype of the training set; other SNPs change them. "
        "In nine tenths of the training lines they lie within the range shown."
    )
    assert words in " ".join(outcome.out.split())
    assert "in 90 % of lines" in outcome.out
    value = json.loads(run("explain", "--snp", inside, "-m", "./curved", "--json").out)
    assert value["effects_hold"].startswith("the average genotype of the training set")
    low, high = value["effect_ranges"]["2"]
    assert low < high


def test_unknown_snp(run):
    outcome = run("explain", "--snp", "Gm01_5001_A_G")
    assert outcome.code == errors.UnknownSnp.exit_code
    assert outcome.out == ""
    assert "no SNP 'Gm01_5001_A_G'" in outcome.err
    assert "hint: did you mean Gm01_5000_A_G" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--snp", "x", "g.tsv"], "takes no FILE"),
        (["--json"], "the viewer writes no file"),
        (["--out", "e.tsv"], "the viewer writes no file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(run, folder, arguments, words):
    outcome = run("explain", *arguments)
    assert outcome.code == 2
    assert words in outcome.err
    assert [path.name for path in folder.iterdir()] == ["g.tsv"]


# --- the viewer --------------------------------------------------------------------------------


def test_viewer_shows_a_snp_and_ends_at_q(run, monkeypatch):
    answer(monkeypatch, "Gm01_5000_A_G", "", "q", "Gm01_6000_A_G")
    outcome = run("explain")
    assert outcome.code == 0
    assert "Gm01, position 5,000" in outcome.out
    assert "position 6,000" not in outcome.out
    assert "SNP>" not in outcome.out


def test_viewer_ends_with_the_input(run, monkeypatch):
    answer(monkeypatch)
    assert run("explain").code == 0


@pytest.mark.parametrize(
    ("typed", "words", "shown"),
    [
        ("gm01_5000_a_g", "'gm01_5000_a_g' was read as Gm01_5000_A_G", True),
        ("_5000_", "'_5000_' was read as Gm01_5000_A_G", True),
        ("Gm02_3", "10 names have 'Gm02_3' in them", False),
        ("Gm", "40 names have 'Gm' in them", False),
        ("Hm01_5000_A_G", "did you mean Gm01_5000_A_G", False),
        ("1:5000", "'1:5000' was read as Gm01_5000_A_G", True),
        ("1:5001", "no SNP at 1:5001; the nearest are Gm01_5000_A_G, Gm01_6000_A_G", False),
        ("help", "top, top 30", False),
        ("top many", "no SNP 'top many'", False),
        ("???", "no name like it", False),
    ],
    ids=[
        "other case",
        "one completion",
        "ten completions",
        "too many to list",
        "typing error",
        "place",
        "near a place",
        "help",
        "no number",
        "?",
    ],
)
def test_viewer_helps(run, monkeypatch, typed, words, shown):
    answer(monkeypatch, typed)
    out = run("explain").out
    assert words in out
    assert ("position 5,000" in out) == shown
    assert len(out.splitlines()) < 60


@pytest.mark.parametrize(("typed", "n"), [("top", 10), ("TOP 3", 3), ("top 99", 40), ("top 0", 0)])
def test_viewer_lists_the_strongest(run, monkeypatch, tiny, typed, n):
    answer(monkeypatch, typed)
    _, *listed = run("explain").out.splitlines()
    order = np.argsort(-tiny.saliency().saliency, kind="stable")[:n]
    assert [line.split()[1] for line in listed] == [tiny.ids[at] for at in order]


def test_tab_completes_names():
    readline = pytest.importorskip("readline")
    from snpredict.terminal.viewer import line_reader

    line_reader(["Gm01_10", "Gm01_20", "Gm02_10"], interactive=True)
    complete = readline.get_completer()
    assert [complete("gm01", state) for state in range(3)] == ["Gm01_10", "Gm01_20", None]


# --- two SNPs ----------------------------------------------------------------------------------


def test_a_pair_as_a_table_and_as_json(run):
    tiny = Tiny(n_snps=40)
    pair = ("--pair", tiny.ids[4], tiny.ids[9])
    rows = list(csv.DictReader(io.StringIO(run("explain", *pair).out), delimiter="\t"))
    assert [(row["genotype_a"], row["genotype_b"]) for row in rows] == [
        (a, b) for a in "012" for b in "012"
    ]
    value = json.loads(run("explain", *pair, "--json").out)
    assert value["snp_a"] == tiny.ids[4]
    assert float(rows[5]["prediction"]) == pytest.approx(value["predictions"][1][2], rel=1e-5)
    assert float(rows[5]["interaction"]) == pytest.approx(value["interaction"][1][2], rel=1e-4)


def test_a_pair_and_something_else(run):
    tiny = Tiny(n_snps=40)
    outcome = run("explain", "--pair", tiny.ids[4], tiny.ids[9], "--snp", tiny.ids[4])
    assert outcome.code == errors.UsageError.exit_code
    assert "takes no FILE, no --sample and no --snp" in outcome.err
    outcome = run("explain", "--pair", tiny.ids[4], "--json")
    assert outcome.code == errors.UsageError.exit_code
    assert "expected the names of two SNPs" in outcome.err
