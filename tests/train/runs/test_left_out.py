"""Families left out beside a run's own folds: their figures, and what a bundle keeps of them."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.intervals import intervals_of
from tests.simulated import simulate, write_table
from tests.training import run, texts_of, train
from train.bundle.interval_coverage import measured_intervals
from train.data.dataset import Dataset
from train.data.families import families_of, left_out_folds
from train.errors import TrainingTableError
from train.metrics import pearson
from train.runs.left_out import LeftOut

pytestmark = pytest.mark.slow


def data_of(families: list[str] | None, n: int = 60) -> Dataset:
    codes = simulate(n_samples=n, n_snps=12)[1]
    samples = [f"S{at}" for at in range(n)]
    return Dataset(
        Genotypes(codes),
        [f"snp{j}" for j in range(12)],
        samples,
        np.arange(n) * 1.0,
        None,
        families,
        "t",
        "",
        0,
    )


def test_families_of_the_table_are_left_as_they_are():
    names = [f"family {at % 5}" for at in range(60)]
    assert families_of(data_of(names), seed=1) == (names, "column")
    folds = left_out_folds(names, "t", seed=1)
    # Fewer than ten families: each is left out alone.
    assert len({(family, fold) for family, fold in zip(names, folds, strict=True)}) == 5
    assert set(folds) == {1, 2, 3, 4, 5}


def test_without_families_genotypes_make_clusters():
    pytest.importorskip("sklearn")
    families, origin = families_of(data_of(None), seed=1)
    assert origin == f"{len(set(families))} genotype clusters"
    assert left_out_folds(families, "t", seed=1).max() == 10


def test_two_families_are_too_few():
    with pytest.raises(TrainingTableError, match="2 families"):
        left_out_folds([f"{at % 2}" for at in range(60)], "t", seed=1)
    with pytest.raises(TrainingTableError, match="8 samples are too few"):
        families_of(data_of(None, n=8), seed=1)


def test_figures_by_hand():
    # Two families, ordered perfectly inside and shifted against each other.
    observed = np.array([1.0, 2, 3, 4, 5, 11, 12, 13, 14, 15])
    predicted = np.array([21.0, 22, 23, 24, 25, 11, 12, 13, 14, 15])
    family = np.repeat([1, 2], 5)
    found = LeftOut(family, family, predicted, observed, "column").figures()
    assert found["new_families_within_family_pcc_mean"] == pytest.approx(1)
    assert found["new_families_pcc_pooled"] < 0
    assert found["new_families_pcc_pooled"] == pytest.approx(pearson(predicted, observed))
    assert found["new_families_mae"] == pytest.approx(10)


def test_measured_coverage_of_both_kinds():
    residual = np.tile([-1.0, 2.0, -3.0, 4.0], 10)
    family = np.repeat(np.arange(1, 11), 4)
    left_out = LeftOut(family, family, np.zeros(40), residual, "column")
    told = measured_intervals(residual, np.repeat([1, 2], 20), left_out, "random")
    assert told.known is not None
    assert told.new is not None
    assert told.known.coverage["0.95"] == 1
    # Each interval for known families, used for new ones, is the same here.
    assert told.known.coverage_in_new_families["0.5"] == pytest.approx(0.75)
    # Every family has the same errors: half of them up to 2, all of them up to 4.
    assert told.new.coverage == {"0.5": 0.5, "0.8": 1, "0.9": 1, "0.95": None}
    assert told.new.coverage_by_family["0.5"]._asdict() == {"lowest": 0.5, "tenth": 0.5, "sd": 0}
    assert measured_intervals(residual, family, left_out, "family").known is None
    assert measured_intervals(residual, family, None, "given").new is None


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of two folds, and three more with one of three families left out each."""
    folder = tmp_path_factory.mktemp("families")
    parts = simulate(n_samples=120, n_snps=24, n_families=3)
    write_table(folder / "table.tsv.gz", *parts, n_folds=2)
    done = run(folder, "both", "--preset", "gblup", "--new-families")
    assert done.returncode == 0, done.stderr
    assert "families left out: pooled pcc" in done.stderr
    return folder


def test_a_bundle_keeps_what_was_found_with_families_left_out(trained: Path):
    bundle = load_bundle(trained / "models" / "both")
    kept = pq.read_table(trained / "models" / "both" / "out_of_fold.parquet").to_pydict()
    second = trained / "runs" / "both" / "new_families"
    data = trained / "runs" / "both" / "data"
    phenotype = np.load(data / "trait-height.npy")[:, 0]
    families = np.load(data / "families.npy")
    for fold in (1, 2, 3):
        saved = np.load(second / "folds" / f"fold_0{fold}" / "predictions.npz")
        rows = saved["rows"]
        assert len({families[row] for row in rows}) == 1
        assert {kept["family_fold"][row] for row in rows} == {fold}
        assert np.array(kept["family_residual"])[rows] == pytest.approx(
            phenotype[rows] - saved["predicted"][:, 0]
        )
    metrics = bundle.manifest.metrics
    assert metrics["new_families_pcc_pooled"] < metrics["pcc_pooled"]
    assert bundle.manifest.intervals.new.families == 3
    for kind in ("known", "new"):
        made = intervals_of(bundle, 0.5, kind)
        told = getattr(bundle.manifest.intervals, kind).coverage["0.5"]
        assert made.coverage == told
    reliability = bundle.manifest.reliability
    assert reliability.known.families == reliability.new.families > 1
    assert reliability.new.farthest > 0
    assert reliability.called[-1].of_whole == 1
    errors = bundle.manifest.similarity.errors_new_families
    assert errors.flagged.n + errors.others.n == 120
    card = (trained / "models" / "both" / "MODEL_CARD.md").read_text()
    assert "| of new families | flagged | " in card
    assert f"PCC of all samples pooled {metrics['new_families_pcc_pooled']:.3f}" in card
    assert "| new families | " in card


def test_family_names_stay_at_home(tmp_path: Path, trained: Path):
    texts = texts_of(trained / "models" / "both")
    assert not [text for text in texts if "S003" in text]
    kept = pq.read_schema(trained / "models" / "both" / "out_of_fold.parquet")
    assert str(kept.field("family").type) == "int32"


def test_families_left_out_are_not_trained_again_and_wait_to_be_finished(trained: Path):
    second = trained / "runs" / "both" / "new_families" / "folds"
    before = (second / "fold_01" / "result.json").stat().st_mtime_ns
    (second / "fold_02" / "result.json").unlink()
    done = train("summarize", "runs/both", "--out", "models/early", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert "2 of 3 folds are finished" in " ".join(done.stderr.split())
    assert not (trained / "models" / "early").exists()
    done = run(trained, "both", "--preset", "gblup", "--new-families")
    assert done.returncode == 0, done.stderr
    assert (second / "fold_01" / "result.json").stat().st_mtime_ns == before
    assert (second / "fold_02" / "result.json").exists()


def test_mistakes_cost_no_training(tmp_path: Path):
    write_table(tmp_path / "table.tsv.gz", *simulate(n_samples=30, n_snps=12, n_families=2))
    for options, code, words in (
        (("--folds", "family", "--n-folds", "2"), 2, "leaves families out already"),
        ((), 50, "2 families"),
    ):
        done = run(tmp_path, "bad", "--new-families", *options)
        assert done.returncode == code, done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["table.tsv.gz"]
