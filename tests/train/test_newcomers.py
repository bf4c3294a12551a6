"""The price of a newcomer: models from a module of somebody else's, without touching ours."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra 'train'")

from snpredict.formulas.genotypes import Genotypes
from tests.simulated import simulate, write_table
from train.check_model import check_model
from train.cli import app
from train.data.folds import split, stratified_folds
from train.errors import FoldFailed
from train.evaluation.figures import read_evaluation
from train.metrics import BINARY, figures
from train.model import FoldData, Inputs
from train.registry import find_model

pytestmark = pytest.mark.slow

#: A baseline in ten lines.
BASELINE = """
from sklearn.linear_model import RidgeCV
from train.model import FittedModel, SingleTargetModel
class Ridge(SingleTargetModel):
    name, title, about = "ridge-cv", "RidgeCV", "scikit-learn's RidgeCV on the codes"
    def fit_one(self, data, record=None):
        return Fitted(RidgeCV([10, 100, 1000]).fit(data.train.codes, data.train_targets[:, 0]))
class Fitted(FittedModel):
    def __init__(self, regression):
        self.regression, self.chosen = regression, [{"penalty": float(regression.alpha_)}]
    def predict(self, inputs): return self.regression.predict(inputs.codes)[:, None]
"""

#: A network of a covariate and a binary trait: one hidden layer, gradient descent, numpy alone.
NETWORK = """
import numpy as np
from train.model import FittedModel, SingleTargetModel

def inputs_of(inputs):
    codes = np.where(inputs.codes < 0, 1.0, inputs.codes)
    return np.column_stack([np.ones(len(codes)), inputs.covariates, codes - 1])

def forward(x, hidden, output):
    h = np.tanh(x @ hidden)
    return h, 1 / (1 + np.exp(-h @ output))

class Net(SingleTargetModel):
    name, title, about = "net", "a small network", "one hidden layer of six units"
    tasks = ("binary",)
    covariates = True

    def fit_one(self, data, record=None):
        random = np.random.default_rng([data.seed, data.fold])
        x, y = inputs_of(data.train), data.train_targets
        hidden = random.normal(0, 0.1, (x.shape[1], 6))
        output = random.normal(0, 0.5, (6, 1))
        for epoch in range(200):
            h, p = forward(x, hidden, output)
            back = (p - y) @ output.T * (1 - h**2)
            hidden -= 0.2 * (x.T @ back / len(x) + 0.002 * hidden)
            output -= 0.2 * h.T @ (p - y) / len(x)
            if record is not None:
                found = forward(inputs_of(data.validation), hidden, output)[1]
                record(epoch + 1, {"val_mae": np.abs(found - data.validation_targets).mean()})
        return Fitted(hidden, output)

class Fitted(FittedModel):
    def __init__(self, *layers):
        self.layers, self.chosen = layers, [{}]

    def predict(self, inputs):
        return forward(inputs_of(inputs), *self.layers)[1]
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with both modules, on the path of this process and of others."""
    (tmp_path / "a_baseline.py").write_text(BASELINE)
    (tmp_path / "a_network.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", ["a_baseline:Ridge", "a_network:Net"])
def test_they_keep_the_contract(name: str) -> None:
    assert len(BASELINE.strip().splitlines()) == 10
    check_model(find_model(name))


@pytest.mark.usefixtures("outside")
def test_a_network_of_a_covariate_beats_what_knows_no_covariate() -> None:
    _, codes, phenotype, _ = simulate(n_samples=240, n_snps=30)
    age = np.random.default_rng(1).normal(size=(240, 1))
    liability = phenotype / phenotype.std() + 1.5 * age[:, 0]
    ill = (liability > np.median(liability)).astype(float)
    rows = split(stratified_folds(ill, 4, seed=1), 1, seed=1)
    epochs: list[int] = []

    def auc(name: str, covariates: np.ndarray | None) -> float:
        model = find_model(name)
        model.require(BINARY, () if covariates is None else ("age",))
        inputs = Inputs(Genotypes(codes), covariates)
        data = FoldData.of(inputs, ill[:, None], rows, task=BINARY)
        fitted = model.fit(data, lambda epoch, _: epochs.append(epoch))
        return figures(BINARY)(fitted.predict(inputs.rows(rows.test))[:, 0], ill[rows.test])["auc"]

    with_age = auc("a_network:Net", age)
    assert epochs == list(range(1, 201))
    assert with_age > auc("gblup", None) + 0.1
    assert auc("gblup", age) > auc("gblup", None) + 0.1


@pytest.fixture
def table(outside: None) -> Path:
    """Lines with a height, an age, and whether they are ill."""
    names, codes, phenotype, family = simulate(n_samples=120, n_snps=20)
    path = write_table(Path("table.tsv"), names, codes, phenotype, family)
    age = np.random.default_rng(1).normal(size=120).round(2)
    liability = phenotype / phenotype.std() + 1.5 * age
    ill = liability > np.median(liability)
    header, *rows = path.read_text().splitlines()
    lines = [f"{row}\t{a}\t{int(i)}" for row, a, i in zip(rows, age, ill, strict=True)]
    path.write_text("\n".join([f"{header}\tage\till", *lines]) + "\n")
    return path


def test_the_network_is_trained_and_evaluated_by_commands(table: Path) -> None:
    words = [str(table), "--trait", "ill", "--binary", "ill", "--covariates", "age"]
    words += ["--ignore", "height", "--folds", "random", "--n-folds", "3", "--threads", "1"]
    models = ["--models", "gblup,a_network:Net", "--out", "evaluation"]
    app(["evaluate", *words, *models], standalone_mode=False)
    found = read_evaluation(Path("evaluation")).scores
    assert found["ill", "random", "a_network:Net"].by_fold["auc"].min() > 0.7
    assert "a_network:Net" in Path("evaluation/report.md").read_text()

    words += ["--unit", "cases", "--out", "models/net", "--run-dir", "run"]
    app(["run", *words, "--model", "a_network:Net"], standalone_mode=False)
    history = Path("run/folds/fold_01/history.csv").read_text().splitlines()
    assert history[0] == "epoch,val_mae"
    assert len(history) == 201


def test_the_baseline_is_evaluated_beside_ours(table: Path) -> None:
    words = [str(table), "--trait", "height", "--folds", "random"]
    words += ["--ignore", "age", "--ignore", "ill"]
    words += ["--models", "gblup,a_baseline:Ridge", "--n-folds", "3", "--threads", "1"]
    app(["evaluate", *words, "--out", "evaluation"], standalone_mode=False)
    found = read_evaluation(Path("evaluation")).scores
    ours, theirs = (found["height", "random", name] for name in ("gblup", "a_baseline:Ridge"))
    means = [scores.by_fold["pcc"].mean() for scores in (ours, theirs)]
    assert min(means) > 0.3
    assert means[0] == pytest.approx(means[1], abs=0.2)


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        ("np.full((len(inputs), 1), np.nan)", "a prediction that is not finite"),
        ("np.full((len(inputs), 1), 7.0)", "7 to 7 for a binary trait, expected probabilities"),
        ("np.zeros((len(inputs) - 1, 1))", r"predictions of shape \(39, 1\), expected \(40, 1\)"),
        ("1 / 0", "raised ZeroDivisionError"),
    ],
)
def test_what_no_figure_can_be_made_of_is_named(table: Path, predict: str, words: str) -> None:
    before, _, _ = BASELINE.partition("    def predict")
    module = f"import numpy as np{before}    def predict(self, inputs): return {predict}\n"
    options = ["--trait", "ill", "--folds", "random", "--n-folds", "3", "--threads", "1"]
    options += ["--binary", "ill", "--ignore", "height", "--ignore", "age", "--unit", "cases"]
    Path("a_mistake.py").write_text(
        module.replace("    name, title", "    tasks = 'continuous', 'binary'\n    name, title")
    )
    with pytest.raises(FoldFailed, match=f"model 'a_mistake:Ridge' .*{words}"):
        app(
            [
                "run",
                str(table),
                *options,
                "--model",
                "a_mistake:Ridge",
                "--out",
                "m",
                "--fold",
                "1",
            ],
            standalone_mode=False,
        )
