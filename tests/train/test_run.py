"""The training command as a person runs it, on a small invented table."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle import load_bundle
from tests.simulated import simulate, write_table

REPOSITORY = Path(__file__).resolve().parents[2]

QUICK = """
description = "a few epochs from random weights"
network = "residual"
[architecture]
filters = 5
kernel = 4
long_kernel = 6
dropout = 0.2
kernel_l2 = 0.001
bias_l2 = 0.001
initializer = "truncated_normal"
isru_alpha = 0.03
[training]
batch_size = 8
epochs = 3
patience = 10
learning_rate = 0.001
learning_rate_decay = 0.9
restore_best = true
folded = false
[start]
method = "random"
"""


def train(*arguments: object, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "train", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_table(folder / "table.tsv.gz", *simulate())
    (folder / "quick.toml").write_text(QUICK)
    return folder


def run(folder: Path, name: str, *more: object) -> subprocess.CompletedProcess:
    return train(
        *("run", "table.tsv.gz", "--trait", "height", "--unit", "cm"),
        *("--out", f"models/{name}", "--jobs", 2, "--threads", 1, *more),
        cwd=folder,
    )


@pytest.fixture(scope="module")
def default_run(folder: Path) -> Path:
    """All folds with the shipped default preset."""
    done = run(folder, "whole")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_ends_in_a_bundle_that_predicts(default_run: Path) -> None:
    bundle = load_bundle(default_run / "models" / "whole")
    assert bundle.manifest.ensemble == "ensemble.onnx"
    # The trait is additive with a heritability of 0.64; folds hold siblings.
    assert bundle.manifest.metrics["pcc_mean"] > 0.4
    # `python -m snpredict` scores the table itself, without TensorFlow.
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snpredict", "predict", "table.tsv.gz"),
            *("--model", "models/whole", "--per-fold", "--format", "json"),
        ],
        cwd=default_run,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["results"]) == 150


def test_out_of_fold_predictions_are_those_of_the_shipped_fold_models(default_run: Path) -> None:
    import pyarrow.parquet as pq

    from snpredict.genotypes import open_genotypes
    from train.export import onnx_predictions

    folder = default_run / "models" / "whole"
    bundle = load_bundle(folder)
    table = open_genotypes(default_run / "table.tsv.gz")
    codes = np.concatenate([b.codes for b in table.blocks(list(bundle.snps.ids))])
    stored = pq.read_table(folder / "out_of_fold.parquet").to_pydict()
    for fold in bundle.manifest.folds:
        rows = np.flatnonzero(np.array(stored["fold"]) == fold.number)
        by_onnx = onnx_predictions((folder / fold.model).read_bytes(), codes[rows])
        assert by_onnx == pytest.approx(np.array(stored["predicted"])[rows], abs=1e-3)


def test_the_summary_files_agree_with_the_folds(default_run: Path) -> None:
    path = default_run / "runs" / "whole"
    with (path / "fold_pcc_summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    results = [
        json.loads((path / "folds" / f"fold_{n:02d}" / "result.json").read_text())
        for n in (1, 2, 3)
    ]
    pccs = [r["metrics"]["pcc"] for r in results]
    assert [float(r["pcc"]) for r in rows[:3]] == pytest.approx(pccs, abs=1e-6)
    assert rows[3]["fold"] == "mean"
    assert float(rows[3]["pcc"]) == pytest.approx(np.mean(pccs), abs=1e-6)
    with (path / "top_saliency_snps.csv").open() as file:
        top = [float(row["saliency"]) for row in csv.DictReader(file)]
    assert len(top) == 20 and top == sorted(top, reverse=True)
    # Mean over all test samples: the folds' means, weighted by their samples.
    weighted = sum(
        np.load(path / "folds" / f"fold_{n:02d}" / "saliency.npz")["saliency"] * r["n_test"]
        for n, r in zip((1, 2, 3), results, strict=True)
    ) / sum(r["n_test"] for r in results)
    assert top[0] == pytest.approx(weighted.max(), rel=1e-6)
    for picture in ("loss_curves", "avg_saliency_across_folds", "predicted_observed"):
        assert (path / f"{picture}.png").read_bytes().startswith(b"\x89PNG")


def test_no_sample_id_reaches_the_bundle(default_run: Path) -> None:
    for file in (default_run / "models" / "whole").rglob("*"):
        if file.is_file():
            assert b"S003" not in file.read_bytes(), file


def test_a_finished_run_is_not_trained_again(default_run: Path) -> None:
    result = default_run / "runs" / "whole" / "folds" / "fold_01" / "result.json"
    before = result.stat().st_mtime_ns
    (default_run / "runs" / "whole" / "folds" / "fold_02" / "result.json").unlink()
    done = run(default_run, "whole")
    assert done.returncode == 0, done.stderr
    assert result.stat().st_mtime_ns == before
    assert (default_run / "runs" / "whole" / "folds" / "fold_02" / "result.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--seed", 2), "seed = 1; now it is 2"),
        (("--preset", "paper"), "preset"),
        (("--folds", "random", "--n-folds", 3), "fold_scheme = 'column'; now it is 'random'"),
        (("--no-resume",), "--no-resume"),
    ],
    ids=["seed", "preset", "folds", "no resume"],
)
def test_a_changed_setting_is_refused_with_both_values(
    default_run: Path, change: tuple, words: str
) -> None:
    done = run(default_run, "whole", *change)
    assert done.returncode in (2, 55)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_same_seed_same_bits_and_single_folds(folder: Path) -> None:
    """Dropout, shuffling and random weights repeat to the last bit; so does a fold run alone."""
    first = run(folder, "one", "--preset", "quick.toml")
    assert first.returncode == 0, first.stderr
    alone = run(folder, "two", "--preset", "quick.toml", "--fold", 2)
    assert alone.returncode == 0, alone.stderr
    assert "folds 1, 3 are not finished" in alone.stderr
    assert not (folder / "models" / "two").exists()
    predictions = [
        np.load(folder / "runs" / name / "folds" / "fold_02" / "predictions.npz")["predicted"]
        for name in ("one", "two")
    ]
    assert predictions[0].tobytes() == predictions[1].tobytes()
    assert np.ptp(predictions[0]) > 0


def test_comparing_two_tables_over_the_same_rows(folder: Path) -> None:
    names, codes, phenotype, family = simulate()
    write_table(folder / "imputed.tsv", names, np.maximum(codes, 0), phenotype, family)
    done = run(folder, "both", "--preset", "quick.toml", "--compare", "imputed.tsv", "--fold", 1)
    assert done.returncode == 0, done.stderr
    with (folder / "runs" / "both" / "fold_pcc_summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["fold", "pcc_non_imputed", "pcc_imputed"]
    assert [row["fold"] for row in rows] == ["1", "mean"]

    phenotype[0] += 1
    write_table(folder / "other.tsv", names, codes, phenotype, family)
    refused = run(folder, "both2", "--compare", "other.tsv")
    assert refused.returncode == 50 and "sample 1 is 'S000'" in refused.stderr


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"phenotype": [5.0] * 150}, 52, "value 5 everywhere"),
        ({"phenotype": ["tall"] * 150}, 51, "'tall'"),
        ({"n_folds": 1}, 53, "0 train rows"),
    ],
    ids=["constant phenotype", "phenotype of words", "a fold without training rows"],
)
def test_bad_tables_end_in_one_line_and_leave_nothing(
    tmp_path: Path, change: dict, code: int, words: str
) -> None:
    names, codes, phenotype, family = simulate()
    parts = {"phenotype": phenotype, "n_folds": 3, **change}
    write_table(tmp_path / "table.tsv.gz", names, codes, family=family, **parts)
    done = run(tmp_path, "bad")
    assert done.returncode == code, done.stderr
    assert words in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "models").exists()


def test_summary_of_something_else_says_so(tmp_path: Path) -> None:
    done = train("summarize", tmp_path, cwd=tmp_path)
    assert done.returncode == 56 and "no run folder" in done.stderr


def test_disagreeing_models_are_not_exported() -> None:
    from train.errors import ParityError
    from train.export import require_parity

    one = np.array([90.0, 100.0])
    assert require_parity("x", one, one + 0.0005, scale=10.0) == pytest.approx(5e-5)
    with pytest.raises(ParityError, match="fold 3 differ by"):
        require_parity("fold 3", one, one + 0.002, scale=10.0)
    with pytest.raises(ParityError):
        require_parity("fold 3", one, one * np.nan, scale=10.0)


def test_an_altered_fold_model_stops_the_export(default_run: Path) -> None:
    """The proof is made from the files that would ship, not from what the fold remembers."""
    folds = default_run / "runs" / "whole" / "folds"
    models = [folds / f"fold_{n:02d}" / "model.onnx" for n in (1, 2)]
    kept = models[0].read_bytes()
    models[0].write_bytes(models[1].read_bytes())
    try:
        done = train("summarize", "runs/whole", "--out", "models/altered", cwd=default_run)
    finally:
        models[0].write_bytes(kept)
    assert done.returncode == 58 and "fold 1: Keras and ONNX differ" in done.stderr
    assert not (default_run / "models" / "altered").exists()
