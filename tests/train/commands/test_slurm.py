"""The example for SLURM, with a stand-in for sbatch that runs the jobs of an array side by side."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
pytest.importorskip("onnx", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from tests.outside import MODULE
from tests.simulated import simulate, write_table

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
SBATCH = """#!/usr/bin/env bash
set -u
echo "$*" >> submitted
array= wrap=
while [[ ${1:-} == --* ]]; do
    case $1 in
        --parsable) shift ;;
        --array) array=$2; shift 2 ;;
        --wrap) wrap=$2; shift 2 ;;
        *) shift 2 ;;
    esac
done
if [ -n "$array" ]; then
    for at in $(seq "${array#1-}"); do
        SLURM_ARRAY_TASK_ID=$at SLURM_CPUS_PER_TASK=1 "$@" > "said-$at" 2>&1 &
    done
    wait
    echo 17
else
    bash -c "$wrap" > said-bundle 2>&1 && echo 18
fi
"""


def test_an_array_of_folds_gives_a_bundle(tmp_path: Path) -> None:
    write_table(tmp_path / "table.tsv", *simulate(60, 12), n_folds=2)
    (tmp_path / "sums.py").write_text(MODULE)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sbatch").write_text(SBATCH)
    (programs / "sbatch").chmod(0o755)
    path = [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = os.environ | {
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(tmp_path)]),
    }
    words = ["bash", str(REPOSITORY / "examples" / "slurm" / "submit.sh"), "2", "mine", "table.tsv"]
    words += ["--trait", "height", "--unit", "cm", "--model", "sums:Sum", "--no-gblup"]
    said = subprocess.run(
        words, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert said.stdout == "18\n"
    folds, bundle = (tmp_path / "submitted").read_text().splitlines()
    assert "--array 1-2" in folds
    assert "--dependency afterok:17" in bundle
    for at in (1, 2):
        assert (tmp_path / "runs" / "mine" / "folds" / f"fold_0{at}" / "result.json").exists()
    assert load_bundle(tmp_path / "models" / "mine").manifest.trait == "height"
