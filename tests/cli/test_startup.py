"""What is imported when: a fast start, and no training package in the runtime."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import snpredict

ROOT = Path(__file__).resolve().parents[2]

HEAVY = {"numpy", "pyarrow", "onnxruntime", "tensorflow", "pandas", "rich"}
#: Takes longer to load than a model, see `snpredict.arrow`.
SLOW = {"pyarrow.compute"}
FORBIDDEN = {"train", "tensorflow", "keras", "onnx", "pandas", "matplotlib", "scipy", "sklearn"}


def imported_by(code: str) -> set[str]:
    """Modules that a fresh Python has after running the code, with those within packages."""
    code += "\nimport sys\nprint('MODULES', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("MODULES")[2].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["predict", "--help"], ["models", "show", "--help"]]
)
def test_help_loads_nothing_heavy(arguments):
    code = f"from snpredict.cli import main\nassert main({arguments}) == 0"
    assert not imported_by(code) & HEAVY


def test_ctrl_c_is_caught_before_anything_slow_is_imported():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import snpredict.terminal.start\n"
        "print(*{'enum', 'signal', 're', 'typing'} & set(sys.modules))"
    )
    # Without site-packages, whose start files may import any of them.
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")


def test_the_runtime_loads_no_training_package():
    names = [m.name for m in pkgutil.walk_packages(snpredict.__path__, "snpredict.")]
    assert "snpredict.genotypes.tables.wide" in names
    imports = "\n".join(f"import {name}" for name in names if not name.endswith("__main__"))
    assert not imported_by(imports) & FORBIDDEN


def test_predicting_loads_no_training_package(tiny_bundle, tmp_path, tiny):
    path = tmp_path / "g.tsv"
    path.write_text(tiny.table(tiny.draw(3)))
    code = (
        "from snpredict.cli import main\n"
        f"assert main(['predict', {str(path)!r}, '-m', {str(tiny_bundle)!r}, '--top', '2']) == 0"
    )
    assert not imported_by(code) & (FORBIDDEN | SLOW | {"rich"})


def test_python_m():
    done = subprocess.run(
        [sys.executable, "-m", "snpredict", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == f"snpredict {snpredict.__version__}\n"
