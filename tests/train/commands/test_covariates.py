"""Covariates and traits of 0 and 1, from the command line to a model from outside."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.errors import UsageError
from tests.simulated import simulate, write_table
from train.cli import app
from train.errors import NonNumericPhenotype, TrainingTableError, UnsuitableModel
from train.evaluation.figures import read_evaluation

pytestmark = pytest.mark.slow

#: Predicts by the site alone: the mean of the training lines of the same site.
BY_SITE = """
import numpy as np
from train.model import FittedModel, Model

class Fitted(FittedModel):
    def __init__(self, data):
        site = data.train.covariates[:, 1:]
        self.chosen = [{"width": data.train.covariates.shape[1], "task": data.task}]
        self.means = site.T @ data.train_targets[:, 0] / site.sum(axis=0)

    def predict(self, inputs):
        return (inputs.covariates[:, 1:] @ self.means)[:, None]

class BySite(Model):
    name, title, about = "by-site", "by site", "the mean of the site"
    tasks, covariates = ("continuous", "binary"), True

    def fit(self, data, record=None):
        return Fitted(data)
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Half of the lines of site B are sick, of site A a tenth; with their age."""
    (tmp_path / "sites.py").write_text(BY_SITE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = write_table(tmp_path / "table.tsv", *simulate(80, 12))
    header, *rows = path.read_text().splitlines()
    lines = [f"{header}\tage\tsite\tsick"]
    for at, row in enumerate(rows):
        site, sick = ("B", at % 4 == 1) if at % 2 else ("A", at % 20 == 0)
        lines.append(f"{row}\t{at % 7}\t{site}\t{int(sick)}")
    path.write_text("\n".join(lines) + "\n")
    return path


MODEL = ("--threads", "1", "--covariates", "age,site")


def test_a_model_from_outside_sees_covariates_and_learns_a_binary_trait(
    table: Path, capsys
) -> None:
    words = ["evaluate", "table.tsv", "--trait", "sick", "--binary", "sick", "--ignore", "height"]
    words += ["--models", "sites:BySite,family-mean", "--folds", "random", "--n-folds", "4"]
    app([*words, *MODEL, "--out", "out"], standalone_mode=False)
    assert "family-mean: fitted without the covariates" in capsys.readouterr().err
    found = read_evaluation(Path("out"))
    # The regression on the covariates alone came with them.
    alone = found.scores["sick", "random", "covariates"]
    assert alone.by_fold["auc"].min() > 0.6
    assert all(((p > 0) & (p < 1)).all() for p in alone.predicted)
    scores = found.scores["sick", "random", "sites:BySite"]
    # Stratified: 24 of 80 are sick, 6 in each fold.
    assert [observed.sum() for observed in scores.observed] == [6, 6, 6, 6]
    assert scores.by_fold["auc"].min() > 0.6
    report = Path("out/report.md").read_text()
    assert "AUC" in report
    assert "Covariates, for the models that use them: age, site." in report
    result = next(Path("out/runs").glob("sites*/random/sick/folds/fold_01/result.json"))
    told = json.loads(result.read_text())
    # A number and two categories.
    assert told["chosen"] == {"width": 3, "task": "binary"}
    assert {"auc", "average_precision", "brier"} <= told["metrics"].keys()


def test_covariates_alone_are_ordinary_least_squares() -> None:
    from snpredict.formulas.genotypes import Genotypes
    from train.check_model import check_model
    from train.data.folds import Split
    from train.model import FoldData, Inputs
    from train.registry import BASELINES

    check_model(BASELINES["covariates"])
    x = np.array([[0.0], [1], [2], [3], [np.nan], [4]])
    y = np.array([[1.0], [3], [5], [7], [4], [0]])
    inputs = Inputs(Genotypes(np.zeros((6, 2), np.int8)), x)
    rows = Split(np.arange(5), np.arange(4, 5), np.array([5]))
    fitted = BASELINES["covariates"].fit(FoldData.of(inputs, y, rows))
    # Slope 2 through (1.5, 4), which is where the line without a value stands.
    np.testing.assert_allclose(fitted.predict(inputs)[:, 0], [1, 3, 5, 7, 4, 9])


def test_covariates_without_any_are_refused(table: Path) -> None:
    words = ["evaluate", "table.tsv", "--trait", "height", "--models", "covariates", "--out", "o"]
    with pytest.raises(UsageError, match="and there are none"):
        app(words, standalone_mode=False)


def test_a_run_of_such_a_model_has_a_summary_and_no_bundle(table: Path, capsys) -> None:
    words = ["run", "table.tsv", "--trait", "height,sick", "--unit", "cm,cases", "--binary", "sick"]
    words += ["--model", "sites:BySite", *MODEL, "--out", "models/new"]
    app(words, standalone_mode=False)
    assert "the model sites:BySite writes no ONNX file" in capsys.readouterr().err
    assert not Path("models").exists()
    settings = json.loads(Path("runs/new/sick/settings.json").read_text())
    assert settings["task"] == "binary"
    assert settings["covariates"] == [
        {"name": "age", "categories": []},
        {"name": "site", "categories": ["A", "B"]},
    ]
    assert np.load("runs/new/data/covariates.npy").shape == (80, 3)


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (["--binary", "oil"], UsageError, "--binary names 'oil'"),
        (["--binary", "height"], NonNumericPhenotype, "expected 0 or 1"),
        (["--covariates", "height"], UsageError, "both name 'height'"),
        (["--covariates", "sun"], TrainingTableError, "no column 'sun'"),
        (["--covariates", "mixed"], TrainingTableError, "holds numbers and texts such as 'x'"),
        (["--covariates", "same"], TrainingTableError, "is the same in all 80 samples"),
        (["--covariates", "gaps"], UnsuitableModel, "does not use covariates"),
        (["--covariates", "line2"], TrainingTableError, "has 80 different texts"),
        (["--covariates", "age"], UnsuitableModel, "does not use covariates"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused(table: Path, words: list[str], error: type, told: str) -> None:
    header, *rows = table.read_text().splitlines()
    lines = [f"{header}\tmixed\tgaps\tline2\tsame"]
    for at, row in enumerate(rows):
        lines.append(f"{row}\t{'x' if at == 3 else at}\t{'NA' if at == 0 else at}\tL{at}a\tx")
    table.write_text("\n".join(lines) + "\n")
    names = {"age", "site", "sick", "mixed", "gaps", "line2", "same"} - set(words)
    ignored = [word for name in names for word in ("--ignore", name)]
    usual = ["run", "table.tsv", "--trait", "height", "--unit", "cm", "--model", "family-mean"]
    with pytest.raises(error, match=told):
        app([*usual, *words, *ignored, "--out", "models/x"], standalone_mode=False)
    assert not Path("runs").exists()
