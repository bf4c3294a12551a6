"""Training on dosages: from a VCF with DS or a .pgen to what `predict` says of the same file."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
pytest.importorskip("onnx", reason="needs the extra 'train'")

import snpredict
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import ReadOptions
from snpredict.genotypes.variants import Variant
from snpredict.matching.matched_file import InputOptions
from tests.formats import vcf
from tests.outside import MODULE
from tests.simulated import simulate
from train.cli import app
from train.runs.folder import read_run

pytestmark = pytest.mark.slow

NAMES, CODES, _, _ = simulate(n_samples=60, n_snps=24)
SAMPLES = [f"S{n:03d}" for n in range(60)]
VARIANTS = [
    Variant(name, f"Sim{1 + at // 8:02d}", 1000 * (at + 1), *("CA" if at % 2 else "AG"))
    for at, name in enumerate(NAMES)
]
#: What imputation gives for a genotype: near the code, in hundredths, never beyond 0 and 2.
DOSAGES = np.where(
    CODES < 0,
    np.nan,
    np.abs(CODES - np.random.default_rng(5).integers(1, 70, CODES.shape) / 100),
)
PHENOTYPE = np.nan_to_num(DOSAGES, nan=1) @ np.linspace(-1, 1, 24)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [f"{s},{v:.4f}" for s, v in zip(SAMPLES, PHENOTYPE, strict=True)]
    (tmp_path / "yield.csv").write_text("\n".join(["line,yield", *rows]) + "\n")
    (tmp_path / "sums.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, dosages: np.ndarray) -> Path:
    return vcf.write(Path(name), SAMPLES, VARIANTS, CODES, fields="GT:DS", dosages=dosages)


def run(path: Path, out: str, *more: str) -> None:
    words = ["run", str(path), "--phenotypes", "yield.csv", "--trait", "yield", "--unit", "t/ha"]
    words += ["--folds", "random", "--n-folds", "3", "--threads", "1", "--no-gblup"]
    app([*words, "--out", out, *more], standalone_mode=False)


@pytest.mark.parametrize("preset", ["gblup", "default"])
def test_a_bundle_predicts_the_run_s_own_figures_from_the_same_file(
    preset: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write("panel.vcf", DOSAGES)
    run(path, "models/mine", "--preset", preset)
    said = capfd.readouterr()
    assert "dosages between two genotypes, kept as they are" in said.out + said.err
    table = snpredict.load("./models/mine").predict(path).table
    assert "ensemble" not in table["predicted_by"].to_pylist()
    finished = read_run(Path("runs/mine"))
    expected = np.empty(60)
    expected[np.concatenate(finished.rows)] = np.concatenate(finished.predicted)
    np.testing.assert_allclose(table["prediction"].to_numpy(), expected, rtol=1e-5)
    # Not what the nearest genotypes would have given.
    rounded = (
        snpredict.load("./models/mine")
        .predict(path, options=InputOptions(reading=ReadOptions(dosages="round")))
        .table
    )
    assert np.abs(rounded["prediction"].to_numpy() - expected).max() > 0.05


def test_dosages_that_are_whole_numbers_are_genotypes(here: Path) -> None:
    whole = np.where(CODES < 0, np.nan, CODES).astype(float)
    run(write("whole.vcf", whole), "models/whole", "--preset", "gblup")
    run(vcf.write(Path("codes.vcf"), SAMPLES, VARIANTS, CODES), "models/codes", "--preset", "gblup")
    assert not Path("runs/whole/data/fractions.npy").exists()
    for name in ("ensemble.onnx", "snps.parquet", "out_of_fold.parquet"):
        assert Path("models/whole", name).read_bytes() == Path("models/codes", name).read_bytes()


def test_other_dosages_are_other_data_and_the_same_ones_continue(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write("panel.vcf", DOSAGES)
    run(path, "models/mine", "--preset", "gblup", "--fold", "1")
    with pytest.raises(Exception, match="other genotypes"):
        run(write("other.vcf", np.minimum(DOSAGES + 0.01, 2)), "models/mine", "--preset", "gblup")
    run(path, "models/mine", "--preset", "gblup")
    assert Path("models/mine/manifest.json").exists()


def test_a_model_that_does_not_learn_from_dosages_gets_the_nearest_codes(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(write("panel.vcf", DOSAGES), "models/sum", "--model", "sums:Sum")
    said = capfd.readouterr()
    assert (
        "model sum does not learn from dosages: each counts as its nearest" in said.out + said.err
    )
    finished = read_run(Path("runs/sum"))
    nearest = Genotypes.of_copies(DOSAGES).nearest()
    assert np.array_equal(finished.data.codes, nearest)
