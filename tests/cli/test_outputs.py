"""Where results go: no file that is read is ever overwritten, and logs come with results."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from snpredict import errors
from snpredict.genotypes.variants import Variant
from tests.formats import plink

SAMPLES = [f"s{n}" for n in range(60)]


@pytest.fixture
def sets(folder, tiny):
    """The lines of g.tsv as the file sets b.bed and p.pgen."""
    half = len(tiny.ids) // 2
    variants = [
        Variant(snp, f"chr{1 + (at >= half)}", 1000 * (at + 1), "A", "G")
        for at, snp in enumerate(tiny.ids)
    ]
    plink.write_bed(folder / "b", SAMPLES, variants, tiny.draw(60))
    for part in ("pgen", "pvar", "psam"):
        # Enough to be seen as a set; nothing of it is read.
        (folder / f"p.{part}").write_bytes(b"\x6c\x1b\x02" + part.encode())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("option", ["--out", "--match-log"])
@pytest.mark.parametrize(
    ("file", "out"),
    [
        ("b.bed", "b.fam"),
        ("b.bed", "b.bim"),
        ("b.bed", "b.bed"),
        ("b", "b.bed"),
        ("b", "b.fam"),
        ("b", "./b.bim"),
        ("p.pgen", "p.pvar"),
        ("p.pgen", "p.psam"),
        ("p", "p.pgen"),
        ("p", "p.pvar"),
        ("b", "soft.tsv"),
        ("b.bed", "hard.tsv"),
        ("link.bed", "link.fam"),
        ("g.tsv", "g.tsv"),
        ("g.tsv", "../work/g.tsv"),
    ],
)
def test_a_file_that_is_read_is_not_overwritten(run, sets, option, file, out):
    (sets / "soft.tsv").symlink_to("b.fam")
    (sets / "hard.tsv").hardlink_to(sets / "b.bim")
    for part in ("bed", "bim", "fam"):
        (sets / f"link.{part}").symlink_to(f"b.{part}")
    before = contents(sets)
    if not out.endswith("tsv"):
        # A person who says --format has no other suffix to mind; a log has no such option.
        if option == "--match-log":
            (sets / "log.tsv").symlink_to(out)
            before, out = contents(sets), "log.tsv"
        else:
            option = "--format=tsv --out"
    outcome = run("predict", file, *option.split(), out)
    assert outcome.code == 2, outcome.err
    assert outcome.err.startswith(f"error: {out.removeprefix('./')} is ")
    assert "hint: write to another file" in outcome.err
    assert contents(sets) == before


def test_a_name_that_is_only_alike_is_written(run, sets):
    assert run("predict", "b", "-o", "b.tsv").code == 0
    assert run("predict", "g.tsv", "-o", "b.fam.tsv").code == 0


@pytest.mark.parametrize(
    ("out", "log"), [("r.tsv", "r.tsv"), ("r.tsv", "./r.tsv"), ("r.tsv", "link.tsv")]
)
def test_results_and_log_are_two_files(run, folder, out, log):
    (folder / "link.tsv").symlink_to("r.tsv")
    outcome = run("predict", "g.tsv", "-o", out, "--match-log", log)
    assert outcome.code == 2
    assert outcome.err.startswith("error: --out and --match-log are the same file")
    assert not (folder / "r.tsv").exists()


@pytest.mark.parametrize("command", [["predict", "g.tsv"], ["explain", "--snp", "Gm01_1000_A_G"]])
@pytest.mark.parametrize("name", ["snps.parquet", "manifest.json", "new.json"])
def test_nothing_is_written_into_the_bundle(run, folder, tiny_bundle, command, name):
    own = folder.parent / "own"
    shutil.copytree(tiny_bundle, own)
    before = contents(own)
    outcome = run(*command, "-m", str(own), "-o", str(own / name), "--format", "json")
    assert outcome.code == 2
    assert f"lies in {own}" in outcome.err
    assert contents(own) == before
    shipped = folder.parent / "package" / "models" / "tiny" / name
    outcome = run(*command, "--format", "json", "--out", str(shipped))
    assert outcome.code == 2
    assert "lies in" in outcome.err


def test_a_write_protected_result_stays(run, folder):
    (folder / "r.tsv").write_text("old")
    (folder / "r.tsv").chmod(0o444)
    outcome = run("predict", "g.tsv", "-o", "r.tsv")
    assert outcome.code == errors.OutputError.exit_code
    assert "error: r.tsv is write-protected" in outcome.err
    assert (folder / "r.tsv").read_text() == "old"


def test_a_name_of_255_bytes(run, folder):
    name = "n" * 251 + ".tsv"
    assert run("predict", "g.tsv", "-o", name).code == 0
    outcome = run("predict", "g.tsv", "-o", f"n{name}")
    assert outcome.code == errors.OutputError.exit_code
    assert "File name too long" in outcome.err


@pytest.mark.parametrize("out", ["/dev/null", "/dev/stdout"])
@pytest.mark.parametrize(
    "command",
    [
        ["predict", "g.tsv"],
        ["explain", "g.tsv", "--sample", "s1"],
        ["explain", "--snp", "Gm01_1000_A_G"],
    ],
)
def test_devices_need_no_format(run, command, out):
    outcome = run(*command, "-o", out)
    assert (outcome.code, outcome.out) == (0, "")


# --- the match log -----------------------------------------------------------------------------


def test_a_refused_explanation_leaves_no_log(run, folder):
    outcome = run("explain", "g.tsv", "--sample", "nobody", "--match-log", "log.tsv")
    assert outcome.code == errors.UnknownSample.exit_code
    assert [path.name for path in folder.iterdir()] == ["g.tsv"]


def test_a_bad_genotype_leaves_no_log(run, folder):
    text = (folder / "g.tsv").read_text()
    (folder / "bad.tsv").write_text(text.rstrip("\n")[:-1] + "7\n")
    outcome = run("predict", "bad.tsv", "-o", "r.tsv", "--match-log", "log.tsv")
    assert outcome.code == errors.BadGenotype.exit_code
    assert sorted(path.name for path in folder.iterdir()) == ["bad.tsv", "g.tsv"]


@pytest.mark.parametrize("command", ["predict", "check", "explain"])
def test_a_file_refused_for_its_match_gets_its_log(run, folder, command):
    lines = (folder / "g.tsv").read_text().splitlines()
    (folder / "few.tsv").write_text("".join("\t".join(x.split("\t")[:9]) + "\n" for x in lines))
    sample = ["--sample", "s1"] if command == "explain" else []
    outcome = run(command, "few.tsv", *sample, "--match-log", "log.tsv")
    assert outcome.code == errors.TooFewSnps.exit_code
    assert "; log.tsv says what became of each SNP" in outcome.err
    states = [line.split("\t")[6] for line in (folder / "log.tsv").read_text().splitlines()]
    assert states == ["state"] + ["matched"] * 8 + ["not in the file"] * 32


def test_results_and_log_come_together(run, folder):
    (folder / "log.json").mkdir()
    outcome = run("predict", "g.tsv", "-o", "r.tsv", "--match-log", "log.json")
    assert outcome.code == errors.OutputError.exit_code
    assert not (folder / "r.tsv").exists()
    (folder / "log.json").rmdir()
    assert run("predict", "g.tsv", "-o", "r.tsv", "--match-log", "log.json").code == 0
    assert len(json.loads((folder / "log.json").read_text())["results"]) == 40
    assert np.loadtxt(folder / "r.tsv", skiprows=1, usecols=1).shape == (60,)


def test_a_log_without_a_file(run):
    outcome = run("explain", "--snp", "Gm01_1000_A_G", "--match-log", "log.tsv")
    assert outcome.code == 2
    assert "--match-log needs FILE" in outcome.err
