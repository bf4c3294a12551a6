"""The shipped models and the default preset against the real data they were made from."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.bundle.out_of_fold import genotype_digest
from snpredict.genotypes.detect import open_genotypes
from snpredict.scoring.onnx_session import onnx_predictions
from tests.soynam import FOLDER, needs_soynam
from tests.training import texts_of, train
from train.data.phenotypes import joined, read_phenotypes
from train.metrics import pearson

pytestmark = [needs_soynam, pytest.mark.slow]


TRAITS = ("height", "yield", "protein", "oil")


@pytest.fixture(scope="module")
def lines() -> Callable[[str], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Codes, folds and phenotypes of a trait, in the order of the chip table."""
    ids = list(load_bundle("soynam-height").snps.ids)
    blocks = list(open_genotypes(FOLDER / "height_chip.tsv.gz").blocks(ids, columns=["fold"]))
    codes = np.concatenate([block.codes for block in blocks])
    fold = np.array([int(f) for block in blocks for f in block.columns["fold"]])
    samples = [sample for block in blocks for sample in block.samples]
    phenotypes = read_phenotypes(FOLDER / "phenotypes.tsv")
    rows, _ = joined(FOLDER / "height_chip.tsv.gz", samples, [], phenotypes)

    def of_trait(trait: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return codes, fold, np.array(phenotypes.columns[trait], float)[rows]

    return of_trait


@pytest.mark.parametrize("trait", TRAITS)
def test_the_figures_of_a_shipped_model_follow_from_its_files(lines, trait: str) -> None:
    """Ensemble, out-of-fold table, digests and manifest all say the same about real lines."""
    bundle = load_bundle(f"soynam-{trait}")
    codes, fold, observed = lines(trait)

    stored = pq.read_table(bundle.path / "out_of_fold.parquet").to_pydict()
    assert [genotype_digest(row) for row in codes[:200]] == stored["digest"][:200]
    assert stored["fold"] == fold.tolist()

    fused = onnx_predictions(bundle.files["ensemble.onnx"], codes)
    predicted = fused[np.arange(len(codes)), fold - 1]
    close = 1e-4 * observed.std()
    assert predicted == pytest.approx(np.array(stored["predicted"]), abs=close)
    assert observed - predicted == pytest.approx(np.array(stored["residual"]), abs=close)
    for entry in bundle.manifest.folds:
        rows = fold == entry.number
        assert entry.metrics["pcc"] == pytest.approx(
            pearson(predicted[rows], observed[rows]), abs=1e-4
        )
    # The card's evaluation is of these very folds.
    rows = {(m.scheme, m.model): m.figures for m in bundle.manifest.evaluation.models}
    assert rows["given", "network-default"]["pcc"][0] == pytest.approx(
        bundle.manifest.metrics["pcc_mean"], abs=2e-4
    )


def test_no_name_of_a_real_line_is_shipped() -> None:
    bundles = [load_bundle(f"soynam-{trait}") for trait in TRAITS]
    names = {
        sample
        for block in open_genotypes(FOLDER / "height_chip.tsv.gz").blocks([bundles[0].snps.ids[0]])
        for sample in block.samples
    }
    examples = (Path(__file__).parents[3] / "examples").glob("*.tsv")
    texts = [path.read_text() for path in examples]
    for bundle in bundles:
        texts += texts_of(bundle.path)
    # Among tens of thousands of hexadecimal digests, a look-up of words beats a search of texts.
    words = {word for text in texts for word in re.split(r"[^\w.-]+", text)}
    assert len(names) > 5000
    assert not names & words


def test_the_shipped_models_fit_their_allowance() -> None:
    folder = load_bundle("soynam-height").path.parent
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 15e6


def test_one_fold_of_the_default_preset_is_accurate_and_small(tmp_path: Path) -> None:
    done = train(
        *("run", FOLDER / "height_chip.tsv.gz", "--trait", "height", "--unit", "cm"),
        *("--fold", 4, "--out", tmp_path / "bundle", "--run-dir", tmp_path / "run"),
        cwd=tmp_path,
        apart=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "run/folds/fold_04/result.json").read_text())
    # GBLUP reaches 0.736 on this fold.
    assert result["metrics"]["pcc"] > 0.72
    assert result["peak_memory_mb"] < 1500
