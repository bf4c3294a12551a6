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
from tests.simulated import simulate, write_table
from train.cli import app

pytestmark = pytest.mark.slow

#: A weighted sum of codes and covariates, written as ONNX node by node.
MODULE = """
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from train.metrics import BINARY
from train.model import FittedModel, SingleTargetModel

class Sum(SingleTargetModel):
    name, title, about = "sum", "a weighted sum", "ridge regression on the codes"
    tasks, covariates = ("continuous", "binary"), True

    def fit_one(self, data, record=None):
        x = columns(data.train)
        y = data.train_targets[:, 0]
        weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ (y - y.mean()))
        return Fitted(weights, y.mean(), data.task)

def columns(inputs):
    parts = [inputs.codes, *([] if inputs.covariates is None else [inputs.covariates])]
    return np.concatenate(parts, axis=1).astype(float)

class Fitted(FittedModel):
    def __init__(self, weights, mean, task):
        self.weights, self.mean, self.task, self.chosen = weights, mean, task, [{}]

    def predict(self, inputs):
        z = columns(inputs) @ self.weights + self.mean
        return (1 / (1 + np.exp(-z)) if self.task == BINARY else z)[:, None]

    def save(self, folder, test):
        n, total = test.genotypes.n_snps, len(self.weights)
        node, value = helper.make_node, helper.make_tensor_value_info
        nodes = [
            node("Cast", ["genotypes"], ["codes"], to=TensorProto.FLOAT),
            node("MatMul", ["codes", "of_codes"], ["sum"]),
            node("Squeeze", ["sum", "one"], ["flat"]),
            node("Add", ["flat", "mean"], ["plain" if total > n else "z"]),
        ]
        inputs = [value("genotypes", TensorProto.INT8, ["samples", n])]
        if total > n:
            inputs.append(value("covariates", TensorProto.FLOAT, ["samples", total - n]))
            nodes += [
                node("MatMul", ["covariates", "of_covariates"], ["further"]),
                node("Squeeze", ["further", "one"], ["added"]),
                node("Add", ["plain", "added"], ["z"]),
            ]
        last = "Sigmoid" if self.task == BINARY else "Identity"
        numbers = {
            "of_codes": self.weights[:n, None].astype(np.float32),
            "of_covariates": self.weights[n:, None].astype(np.float32),
            "mean": np.float32(self.mean),
            "one": np.array([1]),
        }
        graph = helper.make_graph(
            [*nodes, node(last, ["z"], ["prediction"])],
            "sum",
            inputs,
            [value("prediction", TensorProto.FLOAT, ["samples"])],
            [numpy_helper.from_array(np.asarray(v), name) for name, v in numbers.items() if v.size],
        )
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return {}
"""


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
