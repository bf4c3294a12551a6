"""What training writes never takes the place of what it reads; checked before anything is read."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snpredict import errors
from snpredict.files import remove_leftovers, write_folder
from snpredict.terminal.program import run_program
from tests.simulated import simulate, write_table
from train.cli import app

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    """Runs a command of training in a folder with table.tsv and the bundle old/."""
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "table.tsv", *simulate(30, 6))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "manifest.json").write_text("{}")
    write_table(tmp_path / "old" / "table.tsv", *simulate(30, 6))

    def run(*arguments: str) -> tuple[int, str]:
        code = run_program(app, "python -m train", arguments)
        return code, capsys.readouterr().err

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


RUN = ("--trait", "height", "--unit", "cm")


def test_a_bundle_does_not_lie_in_another(train, tmp_path):
    before = contents(tmp_path)
    code, told = train("run", "table.tsv", *RUN, "--out", "old/new")
    assert code == errors.UsageError.exit_code
    assert "old/new lies in" in told
    assert contents(tmp_path) == before


COMPARED = ("run", "table.tsv", *RUN, "--compare", "old/table.tsv")
EVALUATE = ("evaluate", "table.tsv", "--trait", "height")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "old/table.tsv", *RUN, "--out", "old"], "old/table.tsv lies in old, which --out"),
        (
            [*COMPARED, "--out", "new", "--run-dir", "old"],
            "old/table.tsv lies in old, which --run-dir",
        ),
        (
            ["run", "table.tsv", *RUN, "--out", "old", "--run-dir", "old"],
            "would be replaced by the bundle old",
        ),
        (
            ["run", "table.tsv", *RUN, "--out", "old", "--run-dir", "old/run"],
            "would be replaced by the bundle old",
        ),
        (["evaluate", "old/table.tsv", "--trait", "height", "--out", "old"], "which --out"),
        ([*EVALUATE, "--out", "e", "--report", "table.tsv"], "table.tsv is the input file"),
        ([*EVALUATE, "--out", "e", "--report", "link"], "link is the input file"),
        ([*EVALUATE, "--out", "e", "--report", "e/settings.json"], "which has its own report.md"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_read_is_not_overwritten(train, tmp_path, arguments, words):
    (tmp_path / "link").symlink_to("table.tsv")
    before = contents(tmp_path)
    code, said = train(*arguments)
    assert code == 2
    assert words in said
    assert "hint: " in said
    assert contents(tmp_path) == before


def test_a_write_protected_bundle_stays(train, tmp_path):
    (tmp_path / "old").chmod(0o555)
    code, said = train("run", "table.tsv", *RUN, "--out", "old")
    assert code == errors.OutputError.exit_code
    assert "old is write-protected" in said


def test_a_folder_killed_between_its_renames(tmp_path):
    """The next run gives the older folder its place back, and leaves nothing else."""
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "a").write_text("old")
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from snpredict.files import write_folder\n"
        "rename = Path.rename\n"
        "def killed(path, target):\n"
        "    if path.name == 'new':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return rename(path, target)\n"
        "Path.rename = killed\n"
        f"write_folder({{'a': b'new'}}, Path({str(tmp_path / 'bundle')!r}), lambda folder: None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(REPOSITORY)}
    )
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "bundle").exists()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert (tmp_path / "bundle" / "a").read_text() == "old"
    (tmp_path / "bundle").chmod(0o750)
    write_folder({"a": b"new", "b/c": b"more"}, tmp_path / "bundle", lambda folder: None)
    assert (tmp_path / "bundle" / "b" / "c").read_text() == "more"
    assert (tmp_path / "bundle").stat().st_mode & 0o777 == 0o750
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("manifest", ["{}", '{"files": {"snps.parquet": ""}}', "not of a bundle"])
def test_a_folder_that_holds_more_than_a_bundle_is_not_replaced(train, tmp_path, manifest):
    """Many programs call a file manifest.json; and a person may keep notes beside a model."""
    (tmp_path / "site" / "pages").mkdir(parents=True)
    (tmp_path / "site" / "manifest.json").write_text(manifest)
    (tmp_path / "site" / "snps.parquet").write_text("")
    (tmp_path / "site" / "pages" / "notes.md").write_text("mine")
    before = contents(tmp_path)
    code, err = train("run", "table.tsv", *RUN, "--folds", "random", "--out", "site")
    assert code == errors.OutputError.exit_code
    assert err.startswith("error: site holds what is not of a bundle: ")
    assert "pages/notes.md" in err
    assert "hint: move these files away" in err
    assert contents(tmp_path) == before


def test_training_without_arguments_shows_its_help(train):
    code, err = train()
    assert code == 2
    assert err.startswith("Usage: python -m train")
    assert "\n  run  " in err
