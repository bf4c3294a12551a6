"""What an evaluation says of a model, in the model's card."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from tests.simulated import simulate, write_table
from tests.training import run, train
from train.evaluation.figures import read_evaluation

pytestmark = pytest.mark.slow


def test_the_card_has_the_evaluation(tmp_path: Path) -> None:
    parts = simulate(n_samples=90, n_snps=24, n_families=5)
    # Two folds, and controls of one alone.
    write_table(tmp_path / "table.tsv.gz", *parts, n_folds=2)
    done = run(tmp_path, "model", "--preset", "gblup")
    assert done.returncode == 0, done.stderr
    assert load_bundle(tmp_path / "models" / "model").manifest.evaluation is None

    def evaluate(table: str, out: str, models: str, *more: str) -> None:
        words: tuple = ("evaluate", table, "--trait", "height", "--folds", "given", "--out", out)
        words += ("--models", models, "--threads", 1, "--jobs", 1, "--unit", "cm")
        done = train(*words, *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    def summarize(evaluation: str) -> str:
        words = ("summarize", "runs/model", "--out", "models/model", "--evaluation", evaluation)
        done = train(*words, cwd=tmp_path)
        assert "Traceback" not in done.stderr
        return done.stderr if done.returncode else ""

    evaluate("table.tsv.gz", "e", "gblup")
    assert "no result of network-gblup" in summarize("e")
    evaluate("table.tsv.gz", "e", "family-mean,gblup,network-gblup")
    evaluate("table.tsv.gz", "e", "network-gblup", "--controls", "--fold", "2")
    controls = read_evaluation(tmp_path / "e").controls
    # One seed of one fold: a coarse 0.
    assert abs(controls["shuffled", "given", "network-gblup"][0]) < 0.4
    assert controls["family-effects", "given", "network-gblup"].shape == (1,)
    assert summarize("e") == ""
    bundle = load_bundle(tmp_path / "models" / "model")
    rows = {row.model: row.figures for row in bundle.manifest.evaluation.models}
    assert set(rows) == {"family-mean", "gblup", "network-gblup"}
    # The evaluation trains the run's own folds again, with its seed.
    assert rows["network-gblup"]["pcc"][0] == pytest.approx(
        bundle.manifest.metrics["pcc_mean"], abs=1e-4
    )
    # Rounded twice, to more digits first, a figure of the card would not be the report's.
    found = read_evaluation(tmp_path / "e").scores["height", "given", "gblup"].figure("pcc", 1)
    assert rows["gblup"]["pcc"] == pytest.approx([found.value, found.low, found.high], abs=1e-6)
    card = (tmp_path / "models" / "model" / "MODEL_CARD.md").read_text()
    assert f"| GBLUP | {rows['gblup']['pcc'][0]:.3f} [" in card
    assert "| **network, gblup** | " in card
    assert "- shuffled (made from height), given folds: " in card

    # What was evaluated becomes a bundle where it lies, and is that of the run.
    lies = "e/runs/network-gblup/given/height"
    done = train("summarize", lies, "--out", "models/evaluated", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ensembles = [tmp_path / "models" / m / "ensemble.onnx" for m in ("model", "evaluated")]
    assert ensembles[0].read_bytes() == ensembles[1].read_bytes()
    assert len(list((tmp_path / "e").rglob("codes.npy"))) == 1

    names, codes, phenotype, families = parts
    write_table(tmp_path / "other.tsv.gz", names, codes, phenotype + 1, families)
    evaluate("other.tsv.gz", "f", "gblup")
    assert "evaluates other data" in summarize("f")
