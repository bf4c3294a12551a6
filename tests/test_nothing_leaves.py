"""Nothing leaves the machine: no file in a person's home, no network socket.

The commands run with few variables, so that no library takes this for a machine of continuous
integration, where telemetry is off by itself.
"""

import ast
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.bundles import Tiny
from tests.no_network import NO_FILTER
from tests.simulated import simulate, write_table

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass
class Done:
    code: int
    left: list[str]
    log: str


@pytest.fixture
def run_apart(tmp_path):
    """Runs Python in a fresh home without a network; gives exit code and files left at home."""
    places = {"HOME": "home", "XDG_CACHE_HOME": "home/cache", "TMPDIR": "home/tmp"}
    for place in places.values():
        (tmp_path / place).mkdir()
    (tmp_path / "work").mkdir()

    def run(*arguments: object) -> Done:
        watched = [sys.executable, str(REPOSITORY / "tests" / "no_network.py"), sys.executable]
        done = subprocess.run(
            [*watched, *map(str, arguments)],
            cwd=tmp_path / "work",
            env={name: str(tmp_path / place) for name, place in places.items()}
            | {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
            # TensorFlow imports code from temporary files, which Python would compile there.
            | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode == NO_FILTER:
            pytest.skip("this system has no filter of system calls")
        home = tmp_path / "home"
        left = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
        logs = "".join(path.read_text() for path in tmp_path.rglob("log.txt"))
        return Done(done.returncode, left, done.stderr + logs)

    return run


def test_predict(run_apart):
    done = run_apart("-m", "snpredict", "predict", REPOSITORY / "examples" / "genotypes.tsv")
    assert (done.code, done.left) == (0, []), done.log


@pytest.mark.skipif(not find_spec("tensorflow"), reason="needs the extra 'train'")
def test_a_fold_and_its_export(run_apart, tmp_path):
    write_table(tmp_path / "work" / "table.tsv", *simulate(60, 12))
    done = run_apart(
        *("-m", "train", "run", "table.tsv", "--trait", "height", "--unit", "cm", "--out", "m"),
        *("--preset", "gblup", "--fold", "1", "--threads", "1"),
    )
    assert done.code == 0, done.log
    assert list(tmp_path.rglob("model.onnx"))
    # The plots of the run are matplotlib's, which keeps a list of the machine's fonts.
    assert [name for name in done.left if "matplotlib/fontlist" not in name] == []


def test_onnxruntime_by_itself_leaves_files(run_apart, tmp_path):
    """Which shows that the tests above can fail."""
    library = Path(find_spec("onnxruntime").origin).parent / "capi"
    if not any(b"ORT_DISABLE_TELEMETRY" in path.read_bytes() for path in library.glob("*.so*")):
        pytest.skip("the installed onnxruntime has no telemetry")
    (tmp_path / "model.onnx").write_bytes(Tiny(n_snps=4).ensemble())
    code = f"import onnxruntime as o; o.InferenceSession({str(tmp_path / 'model.onnx')!r})"
    assert run_apart("-c", code).left


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_a_network_socket_is_seen(run_apart, family):
    done = run_apart("-c", f"import socket; socket.socket(socket.{family})")
    assert done.code == -signal.SIGSYS
    assert run_apart("-c", "import socket; socket.socketpair()").code == 0


def test_one_module_imports_onnxruntime():
    importers = set()
    for folder in ("snpredict", "train", "benchmarks", "tests", "docs"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module]
                if any(name.partition(".")[0] == "onnxruntime" for name in names):
                    importers.add(str(path.relative_to(REPOSITORY)))
    assert importers == {"snpredict/scoring/onnx_session.py"}


@pytest.mark.parametrize("image", ["Dockerfile.runtime", "Dockerfile.train"])
def test_images_set_the_variable(image):
    assert "ORT_DISABLE_TELEMETRY=1" in (REPOSITORY / image).read_text(encoding="utf-8")
