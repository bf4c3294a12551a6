"""Another network gives its layers: the loop, the export and `predict` stay."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.explaining.snp_report import describe_snp
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.detect import open_genotypes
from snpredict.scoring.scorer import Scorer
from tests.simulated import simulate, write_table
from tests.train.commands.test_run import QUICK, REPOSITORY, run

#: Trains the prepared run's folds with a network that no release knows, then writes the bundle.
SCRIPT = """
import sys
from pathlib import Path

import keras
from rich.console import Console

from train.commands.summarize import summarize_run
from train.networks.network import NETWORKS, KerasNetwork
from train.runs.tasks import Task, run_task


class Curved(KerasNetwork):
    def layers(self, n_snps):
        x = keras.Input((n_snps, 4))
        h = keras.layers.Dense(6, activation="tanh")(keras.layers.Flatten()(x))
        return keras.Model(x, keras.layers.Dense(1)(h))


NETWORKS["curved"] = Curved
run = Path("runs/curved")
for fold in (1, 2, 3):
    run_task(Task((run,), fold))
summarize_run(run, None, Console(stderr=True))
"""


def test_a_network_that_is_not_affine_ships_its_fold_models(tmp_path: Path) -> None:
    write_table(tmp_path / "table.tsv.gz", *simulate(n_samples=60, n_snps=12))
    preset = QUICK.replace('network = "residual"', 'network = "curved"')
    (tmp_path / "curved.toml").write_text(preset)

    # Without the entry the run is prepared, and its first fold says what is missing.
    unknown = run(tmp_path, "curved", "--preset", "curved.toml")
    assert unknown.returncode == 57
    assert "asks for network 'curved'; known: hidden, residual" in unknown.stderr

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "no fused ensemble" in done.stderr

    bundle = load_bundle(tmp_path / "models" / "curved")
    assert bundle.manifest.ensemble is None
    assert describe_snp(bundle, bundle.snps.ids[0], None).effects == {}
    table = open_genotypes(tmp_path / "table.tsv.gz")
    codes = np.concatenate([block.codes for block in table.blocks(list(bundle.snps.ids))])
    predicted = Scorer(bundle).predict(Genotypes(codes))
    saved = np.load(tmp_path / "runs/curved/folds/fold_02/predictions.npz")
    assert predicted[saved["rows"], 1] == pytest.approx(saved["predicted"][:, 0], abs=1e-3)
