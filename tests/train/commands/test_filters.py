"""A network of which each fold takes other SNPs: weights of 0 in the fused ensemble."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import Scorer
from tests.simulated import simulate, write_table
from train.cli import app
from train.data.filters import SnpFilters
from train.data.folds import random_folds, split
from train.networks.presets import PRESET_FOLDER

pytestmark = pytest.mark.slow

#: Missing in half of the lines, about, so that the training rows of a fold decide.
UNSURE = np.arange(3, 40, 4)


def test_what_a_fold_leaves_out_weighs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    names, codes, phenotype, family = simulate(n_samples=90, n_snps=40)
    random = np.random.default_rng(3)
    codes[:, UNSURE] = np.where(random.random((90, len(UNSURE))) < 0.5, -1, codes[:, UNSURE])
    write_table(tmp_path / "t.tsv", names, codes, phenotype, family)
    preset = (PRESET_FOLDER / "default.toml").read_text()
    preset = preset.replace("virtual_lines = 32000", "virtual_lines = 200")
    (tmp_path / "tiny.toml").write_text(preset.replace("epochs = 20 ", "epochs = 2 "))
    words = ["run", "t.tsv", "--trait", "height", "--unit", "cm", "--out", "model"]
    words += ["--preset", "tiny.toml", "--folds", "random", "--n-folds", "3", "--no-gblup"]
    app([*words, "--max-missing", "0.5", "--ignore", "fold"], standalone_mode=False)

    folds = random_folds(90, 3, 1)
    filters, order = SnpFilters(max_missing=0.5), np.arange(40)
    kept = [filters.kept(Genotypes(codes[split(folds, n, 1).train]), order) for n in (1, 2, 3)]
    assert len({len(places) for places in kept}) > 1  # layers of several sizes
    bundle = load_bundle("./model")
    assert bundle.manifest.ensemble == "ensemble.onnx"
    assert [fold.chosen["snps_kept"] for fold in bundle.manifest.folds] == [*map(len, kept)]
    scorer = Scorer(bundle)
    plain = scorer.predict(Genotypes(codes))
    for at, places in enumerate(kept):
        left_out = np.setdiff1d(order, places)
        changed = codes.copy()
        changed[:, left_out] = random.integers(-1, 3, (90, len(left_out)))
        assert np.array_equal(scorer.predict(Genotypes(changed))[:, at], plain[:, at])
        changed[:, places] = 2 - changed[:, places]
        assert not np.array_equal(scorer.predict(Genotypes(changed))[:, at], plain[:, at])
