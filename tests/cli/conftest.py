import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from snpredict.bundle import load as bundles
from snpredict.cli import main
from tests.bundles import Tiny

TINY = Tiny(n_snps=40)


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory) -> Path:
    return TINY.write(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def tiny() -> Tiny:
    return TINY


@pytest.fixture
def folder(tmp_path, tiny_bundle, monkeypatch) -> Path:
    """The working folder of a person: one shipped model "tiny", the default; genotypes in g.tsv."""
    package = tmp_path / "package"
    shutil.copytree(tiny_bundle, package / "models" / "tiny")
    monkeypatch.setattr(bundles, "_PACKAGE", package)
    monkeypatch.setattr(bundles, "DEFAULT_MODEL", "tiny")
    working = tmp_path / "work"
    working.mkdir()
    (working / "g.tsv").write_text(TINY.table(TINY.draw(60)))
    monkeypatch.chdir(working)
    return working


@pytest.fixture
def run(folder, capsys, monkeypatch, request):
    """Runs a command line in the folder, its output piped or, with `terminal`, on a terminal."""

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        if "terminal" in request.fixturenames:
            # Here and not in the fixture, where pytest still has another stdout.
            monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def terminal(monkeypatch):
    """Makes stdout a terminal, without colours and wide enough."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "140")
