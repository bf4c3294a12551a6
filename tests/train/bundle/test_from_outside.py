"""A model from outside becomes a bundle by nothing but its ONNX files."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
pytest.importorskip("onnx", reason="needs the extra 'train'")

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.cli import main
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.onnx_session import open_session
from snpredict.scoring.scorer import Scorer
from tests.outside import MODULE
from tests.simulated import simulate, write_table
from train.cli import app

pytestmark = pytest.mark.slow


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """80 lines with their age and site, and whether they are sick."""
    (tmp_path / "sums.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parents[3]}:{tmp_path}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = write_table(tmp_path / "table.tsv", *simulate(80, 40))
    header, *rows = path.read_text().splitlines()
    lines = [f"{header}\tage\tsite\tsick"]
    lines += [f"{row}\t{at % 7}\t{'AB'[at % 2]}\t{int(at % 4 == 1)}" for at, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*words: str) -> None:
    usual = ["run", "table.tsv", "--folds", "random", "--n-folds", "2", "--threads", "1"]
    app([*usual, "--model", "sums:Sum", *words], standalone_mode=False)


def test_it_predicts(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ignored = ("--ignore", "age", "--ignore", "site", "--ignore", "sick")
    run("--trait", "height", "--unit", "cm", *ignored, "--out", "sum")
    assert main(["predict", "table.tsv", "--model", "./sum", "--out", "p.tsv"]) == 0
    predicted = [line.split("\t")[1] for line in Path("p.tsv").read_text().splitlines()[1:]]
    stored = load_bundle("./sum").out_of_fold
    # Lines of the training set are predicted by the fold that did not see them.
    np.testing.assert_allclose(np.array(predicted, float), stored.predicted, rtol=1e-4)
    assert "## How was it trained" not in (card := Path("sum/MODEL_CARD.md").read_text())
    assert "ensemble of model sums:Sum" in card
    assert main(["explain", "--snp", "S1", "--model", "./sum"]) != 0
    capsys.readouterr()


def test_covariates_and_a_probability(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--trait", "sick", "--unit", "cases", "--binary", "sick", "--ignore", "height")
    run(*words, "--covariates", "age,site", "--out", "sick")
    bundle = load_bundle("./sick")
    manifest = bundle.manifest
    assert (manifest.task, manifest.link.name) == ("binary", "logit")
    assert [(c.name, c.kind, c.n_inputs) for c in manifest.covariates] == [
        ("age", "number", 1),
        ("site", "category", 2),
    ]
    session = open_session(bundle.files[manifest.models[0]])
    inputs = {
        "genotypes": np.zeros((1, manifest.n_snps), np.int8),
        "covariates": np.array([[3, 0, 1]], np.float32),
    }
    (probability,) = session.run(["prediction"], inputs)[0]
    assert 0 < probability < 1
    with pytest.raises(errors.WrongKindOfModel, match=r"takes covariates \(age, site\)"):
        Scorer(bundle).predict(Genotypes(inputs["genotypes"]))
    assert main(["models", "show", "./sick"]) == 0
    card = Path("sick/MODEL_CARD.md").read_text()
    assert "- Covariates beside the genotypes: age, site" in card
    assert "| AUC |" in card
    capsys.readouterr()
