"""The shipped model and the default preset against the real data they were made from."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle import load_bundle
from snpredict.genotypes import open_genotypes
from snpredict.training_set import genotype_digest
from tests.soynam import FOLDER, needs_soynam
from tests.train.test_run import texts_of, train
from train.evaluation import pearson
from train.export import onnx_predictions

pytestmark = needs_soynam


def test_the_figures_of_the_shipped_model_follow_from_its_files() -> None:
    """Fold models, out-of-fold table, digests and manifest all say the same about real lines."""
    bundle = load_bundle("soynam-height")
    table = open_genotypes(FOLDER / "height_chip.tsv.gz")
    blocks = list(table.blocks(list(bundle.snps.ids), columns=["fold", "height"]))
    codes = np.concatenate([block.codes for block in blocks])
    fold = np.array([int(f) for block in blocks for f in block.columns["fold"]])
    height = np.array([float(h) for block in blocks for h in block.columns["height"]])

    stored = pq.read_table(bundle.path / "out_of_fold.parquet").to_pydict()
    assert [genotype_digest(row) for row in codes[:200]] == stored["digest"][:200]
    assert stored["fold"] == fold.tolist()

    fused = onnx_predictions(bundle.files["ensemble.onnx"], codes)
    predicted = fused[np.arange(len(codes)), fold - 1]
    assert predicted == pytest.approx(np.array(stored["predicted"]), abs=1e-3)
    assert height - predicted == pytest.approx(np.array(stored["residual"]), abs=1e-3)
    for entry in bundle.manifest.folds:
        rows = fold == entry.number
        assert entry.metrics["pcc"] == pytest.approx(
            pearson(predicted[rows], height[rows]), abs=1e-4
        )
    assert bundle.manifest.metrics["pcc_mean"] > 0.72


def test_no_name_of_a_real_line_is_shipped() -> None:
    bundle = load_bundle("soynam-height")
    names = {
        sample
        for block in open_genotypes(FOLDER / "height_chip.tsv.gz").blocks([bundle.snps.ids[0]])
        for sample in block.samples
    }
    examples = (Path(__file__).parents[2] / "examples").glob("*.tsv")
    texts = texts_of(bundle.path) + [path.read_text() for path in examples]
    # Among tens of thousands of hexadecimal digests, a look-up of words beats a search of texts.
    words = {word for text in texts for word in re.split(r"[^\w.-]+", text)}
    assert len(names) > 5000
    assert not names & words


def test_one_fold_of_the_default_preset_is_accurate_and_small(tmp_path: Path) -> None:
    done = train(
        *("run", FOLDER / "height_chip.tsv.gz", "--trait", "height", "--unit", "cm"),
        *("--fold", 4, "--out", tmp_path / "bundle", "--run-dir", tmp_path / "run"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "run/folds/fold_04/result.json").read_text())
    # GBLUP reaches 0.736 on this fold.
    assert result["metrics"]["pcc"] > 0.72
    assert result["peak_memory_mb"] < 1500
