"""Benchmarks are not run by the tests: but what they import is there, and what they build."""

import ast
import importlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="most benchmarks measure training too")

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_what_a_benchmark_imports_of_the_project_is_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            ("snpredict", "train", "benchmarks", "tests")
        ):
            module = importlib.import_module(node.module)
            for name in (alias.name for alias in node.names):
                if not hasattr(module, name):
                    importlib.import_module(f"{node.module}.{name}")


def test_folding_is_measured_on_a_network_that_has_convolutions(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import folding

    monkeypatch.setattr(folding, "N_SAMPLES", 8)
    monkeypatch.setattr(folding, "N_SNPS", 24)
    try:
        assert folding.seconds_per_epoch(folded=True, batch_size=4) > 0
    finally:
        del sys.modules["folding"]
