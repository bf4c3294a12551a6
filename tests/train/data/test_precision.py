"""Traits of small spread around a large mean, or of extreme scale: right, or refused at once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import Scorer
from tests.simulated import simulate, write_table
from tests.training import train
from train.data.folds import check_folds
from train.errors import TraitScale

pytestmark = pytest.mark.slow

#: Distance between neighbouring float32 at 100,000.
STEP = 2.0**-7


def table(path: Path, mean: float, sd: float) -> np.ndarray:
    """Write a table whose trait has this mean and SD; its codes, gaps as −1."""
    names, codes, phenotype, family = simulate(45, 12)
    standard = (phenotype - phenotype.mean()) / phenotype.std()
    values = [repr(float(mean + sd * value)) for value in standard]
    write_table(path, names, codes, values, family, n_folds=2)
    return codes


def run(folder: Path, name: str):
    return train(
        *("run", f"{name}.tsv", "--trait", "height", "--unit", "g", "--preset", "gblup"),
        *("--out", f"models/{name}", "--threads", 1, "--jobs", 1),
        cwd=folder,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("precision")
    for name, mean in (("far", 1e5), ("centred", 0.0)):
        table(folder / f"{name}.tsv", mean, 3.0)
        done = run(folder, name)
        assert done.returncode == 0, done.stderr
    return folder


def test_a_mean_far_from_0_costs_one_step_of_single_precision(folder: Path) -> None:
    codes = simulate(45, 12)[1]
    far, centred = (
        Scorer(load_bundle(folder / "models" / name)).predict(Genotypes(codes)).astype(np.float64)
        for name in ("far", "centred")
    )
    assert np.ptp(centred) > 3
    assert far - 1e5 == pytest.approx(centred, abs=1.01 * STEP)


def test_its_predictions_are_written_with_the_digits_that_tell_them_apart(folder: Path) -> None:
    texts = {}
    for name in ("far", "centred"):
        done = subprocess.run(
            [sys.executable, "-m", "snpredict", "predict", f"{name}.tsv", "-m", f"models/{name}"],
            cwd=folder,
            env={"PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        texts[name] = [line.split("\t")[1] for line in done.stdout.splitlines()[1:]]
    far, centred = (np.array(texts[name], float) for name in ("far", "centred"))
    # Six significant digits would be whole grams.
    assert far - 1e5 == pytest.approx(centred, abs=1.01 * STEP + 0.005)


@pytest.mark.parametrize(
    ("mean", "sd", "found", "hint"),
    [
        (1e8, 1, "in steps of 8", "subtract a constant"),
        (90, 1e-5, "in steps of 7.6e-06", "mistake in the column"),
        (-1e8, 1, "in steps of 8", "such as -1e+08"),
        (9e-12, 1e-12, "too small", "another unit"),
        (9e12, 1e12, "too large", "another unit"),
        (0, 1e200, "too large", "another unit"),
    ],
    ids=["mean 1e8", "almost constant", "mean -1e8", "SD 1e-12", "SD 1e12", "SD 1e200"],
)
def test_a_trait_that_cannot_be_held_is_refused(
    mean: float, sd: float, found: str, hint: str
) -> None:
    folds = np.arange(90) % 3 + 1
    phenotype = mean + sd * np.random.default_rng(1).normal(size=90)
    with pytest.raises(TraitScale, match=found) as caught:
        check_folds(folds, phenotype, seed=1)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("mean", "sd"), [(90, 10), (1e5, 3), (0, 2e-6), (0.35, 0.008), (1e9, 5e8), (-1e5, 3)]
)
def test_a_trait_that_can_be_held_passes(mean: float, sd: float) -> None:
    phenotype = mean + sd * (np.arange(90) % 7 - 3) / 2
    check_folds(np.arange(90) % 3 + 1, phenotype, seed=1)


def test_the_refusal_comes_before_any_training(tmp_path: Path) -> None:
    table(tmp_path / "large.tsv", 1e8, 1.0)
    done = run(tmp_path, "large")
    assert done.returncode == 64
    assert "expected at most 0.01 SD" in done.stderr
    assert "hint: subtract" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["large.tsv"]
