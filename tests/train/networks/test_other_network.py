"""Another network gives its layers: the loop, the export and `predict` stay."""

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
from tests.training import QUICK, run

pytestmark = pytest.mark.slow

#: A module of somebody else's, in the folder where the command is given.
CURVED = """
from pathlib import Path

from train.networks.network import KerasNetwork
from train.networks.presets import load_preset


class Curved(KerasNetwork):
    def layers(self, n_snps):
        import keras

        x = keras.Input((n_snps, 4))
        h = keras.layers.Dense(6, activation="tanh")(keras.layers.Flatten()(x))
        return keras.Model(x, keras.layers.Dense(1)(h))


CURVED = Curved(load_preset(str(Path(__file__).with_name("quick.toml"))))
"""


def test_a_network_that_is_not_affine_ships_its_fold_models(tmp_path: Path) -> None:
    write_table(tmp_path / "table.tsv.gz", *simulate(n_samples=60, n_snps=12))
    (tmp_path / "quick.toml").write_text(QUICK)
    (tmp_path / "curved.py").write_text(CURVED)
    done = run(tmp_path, "curved", "--model", "curved:CURVED", apart=True)
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


def test_a_network_that_does_not_exist_is_told_before_the_data_are_read(tmp_path: Path) -> None:
    write_table(tmp_path / "table.tsv.gz", *simulate(n_samples=60, n_snps=12))
    preset = QUICK.replace('network = "residual"', 'network = "curved"')
    (tmp_path / "curved.toml").write_text(preset)
    unknown = run(tmp_path, "curved", "--preset", "curved.toml")
    assert unknown.returncode == 54
    assert "asks for network 'curved'; known: dense, hidden, homogeneous" in unknown.stderr
    assert "package.module:NAME" in unknown.stderr
    assert not (tmp_path / "runs").exists()
