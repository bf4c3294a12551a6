"""What a person sees in a window of 80 and of 40 columns."""

import io
import re
import sys

import pytest

from snpredict.bundle.load import load_bundle
from snpredict.terminal.wrapping import for_stream, labelled

SCREENS = {
    "predict": ["predict", "g.tsv"],
    "predict with everything": ["predict", "g.tsv", "--per-fold", "--top", "5"],
    "check": ["check", "g.tsv"],
    "explain a sample": ["explain", "g.tsv", "--sample", "s7", "--top", "3"],
    "explain a SNP": ["explain", "--snp", "Gm01_5000_A_G"],
    "models": ["models"],
    "models show": ["models", "show", "tiny"],
    "viewer": ["explain"],
    "unknown model": ["predict", "g.tsv", "-m", "tyny"],
    "unknown SNP": ["explain", "--snp", "Gm01_5001_A_G"],
    "unknown sample": ["explain", "g.tsv", "--sample", "s77"],
    "not a format": ["predict", "g.tsv", "--format", "xlsx"],
}


@pytest.fixture
def window(run, terminal, monkeypatch):
    """Runs a command line with stdout and stderr on a terminal of so many columns."""

    def call(columns: int, *arguments: str):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        return run(*arguments)

    return call


def words(text: str) -> set[str]:
    return {word for word in text.split() if re.search(r"\w", word)}


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("screen", SCREENS)
def test_no_line_is_wider_than_the_window(window, monkeypatch, screen, columns):
    answers = iter(["Gm02_3", "Hm01_5000_A_G", "Gm01_5000_A_G"])
    monkeypatch.setattr("builtins.input", lambda *_: next(answers, "q"))
    outcome = window(columns, *SCREENS[screen])
    lines = (outcome.out + outcome.err).splitlines()
    assert lines
    for line in lines:
        # A path has no place to break at.
        assert len(line) <= columns or "/" in line


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("screen", SCREENS)
def test_no_word_is_broken(window, monkeypatch, screen, columns):
    monkeypatch.setattr("builtins.input", lambda *_: "q")
    narrow, wide = (window(width, *SCREENS[screen]) for width in (columns, 1000))
    short = {"by", "low", "calls", "distance", "unlike", "because"}
    short |= {"no", "room", "for", "see", "window", "or", "wider"}
    for part in ("out", "err"):
        whole = {word.strip(",:") for word in words(getattr(wide, part))}
        found = {word.strip(",:") for word in words(getattr(narrow, part))}
        options = {word for word in found if word.startswith("--")}
        assert found - whole - short - options - {"a", "to", "FILE"} == set()


def test_what_has_no_room_is_named_with_a_way_to_see_it(window):
    out = window(30, "predict", "g.tsv", "--per-fold", "--top", "2").out
    note = " ".join(out[out.index("no room for") :].split())
    assert "fold_01 to fold_03" in note
    assert "--out FILE" in note
    heads = out.partition("─")[0]
    for column in ("sample", "prediction", "(cm)", "spread"):
        assert column in heads
    assert "no room" not in window(140, "predict", "g.tsv", "--per-fold").out


def test_contributions_stand_below_each_other(window, run):
    out = window(80, "predict", "g.tsv", "--top", "3").out
    at = out.splitlines().index(next(line for line in out.splitlines() if " s0 " in line))
    for line in out.splitlines()[at : at + 3]:
        assert re.search(r"Gm\d\d_\d+_A_G +[+-]\d+\.\d+ *$", line)


def test_a_long_sample_id_is_folded_and_not_cut(window, folder, tiny):
    name = "line-" + "x" * 60 + "-end"
    (folder / "long.tsv").write_text(tiny.table(tiny.draw(1), [name]))
    out = window(40, "predict", "long.tsv").out
    assert "…" not in out
    cells = [line[: line.index("  ")] if "  " in line else line for line in out.splitlines()]
    assert name in "".join(cell.strip() for cell in cells)


def test_a_digest_is_short_on_a_terminal_and_whole_in_a_pipe(window, run, folder):
    digest = re.search(r"SHA-256 ([0-9a-f]{64})", run("predict", "g.tsv").err)[1]
    err = window(80, "predict", "g.tsv").err
    assert f"SHA-256 {digest[:12]}…" in err
    assert digest not in err
    assert load_bundle("tiny").digest[:12] in window(80, "models", "show", "tiny").out


def test_stderr_in_a_pipe_has_one_fact_per_line(run, terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = run("predict", "g.tsv").err.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("model", "trait", "input", "samples", "SNPs", "alleles", "missing", "coding"),
        "snpredict",
    ]


class Window(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("", "short", "short"),
        ("SNPs       ", "4,049 of 4,312 found", "SNPs       4,049 of\n           4,312 found"),
        ("error: ", "no model of that name here", "error: no model of that\n       name here"),
        ("           ", "below a longer key", "           below a\n           longer key"),
        ("", "of all of them it held 99 % of them", "of all of them it held\n99 % of them"),
        ("", "prediction of all of them is", "prediction of all of\nthem is"),
        (
            "",
            "see /a/path/that/is/long/and/has/no/blank",
            "see\n/a/path/that/is/long/and/has/no/blank",
        ),
    ],
    ids=["short", "fact", "error", "below a key", "per cent", "no label", "path"],
)
def test_a_line_is_broken_below_its_text(label, text, expected, monkeypatch):
    monkeypatch.setattr("snpredict.terminal.wrapping._LEAST_ROOM", 8)
    monkeypatch.setenv("COLUMNS", "24")
    assert for_stream([(label, text)], Window()) == expected
    assert for_stream([(label, text)], io.StringIO()) == label + text


def test_facts_stand_below_each_other():
    facts = labelled([("a", 1), ("longer", 2.5), ("", "more")])
    assert for_stream(facts, io.StringIO()) == "a       1\nlonger  2.5\n        more"


def test_a_long_key_stands_above_its_value(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    key = "new_families_within_family_pcc_mean"
    lines = for_stream(labelled([(key, "0.5328 of all that there is")]), Window()).splitlines()
    assert lines == [key, "  0.5328 of all that there is"]
