"""``predict --covariates``: a model that takes covariates, written by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from snpredict.api import load
from snpredict.cli import app
from snpredict.errors import BadCovariate, UsageError, WrongKindOfModel
from tests.bundles import Tiny

TINY = Tiny(n_snps=5, n_folds=1, affine=False)
SAMPLES = ["a", "b", "c"]


def model() -> bytes:
    """50 + Σ codes + age + 10 · south, a missing covariate counting as −100."""
    nodes = [
        helper.make_node("Cast", ["genotypes"], ["copies"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["copies", "ones"], ["sum"]),
        helper.make_node("Equal", ["covariates", "covariates"], ["known"]),
        helper.make_node("Where", ["known", "covariates", "gap"], ["filled"]),
        helper.make_node("MatMul", ["filled", "slopes"], ["effect"]),
        helper.make_node("Add", ["sum", "effect"], ["both"]),
        helper.make_node("Add", ["both", "base"], ["prediction"]),
    ]
    constants = {
        "ones": np.ones(5, np.float32),
        "slopes": np.array([1, 0, 10], np.float32),
        "gap": np.array(-100, np.float32),
        "base": np.array(50, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "with_covariates",
        [
            helper.make_tensor_value_info("genotypes", TensorProto.INT8, ["samples", 5]),
            helper.make_tensor_value_info("covariates", TensorProto.FLOAT, ["samples", 3]),
        ],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["samples"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle, genotypes of three samples, and a table of their covariates."""
    import hashlib

    monkeypatch.chdir(tmp_path)
    bundle = TINY.write(tmp_path / "m")
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["covariates"] = [
        {"name": "age", "kind": "number", "mean": 30.0, "sd": 2.0},
        {"name": "site", "kind": "category", "categories": ["north", "south"]},
    ]
    (path,) = [fold["model"] for fold in manifest["folds"]]
    (bundle / path).write_bytes(model())
    manifest["files"][path] = hashlib.sha256(model()).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    codes = np.array([[0, 0, 0, 0, 0], [1, 1, 1, 0, 0], [2, 2, 2, 2, 2]], np.int8)
    Path("g.tsv").write_text(TINY.table(codes, SAMPLES))
    write("c\tnorth\t30", "a\tsouth\t34", "b\tNA\t28", "z\tsouth\t1")
    return tmp_path


def write(*rows: str, head: str = "sample\tsite\tage") -> None:
    Path("c.tsv").write_text("\n".join([head, *rows]) + "\n")


def predict(*words: str) -> None:
    app(["predict", "g.tsv", "--model", "m", "--min-match", "0", *words], standalone_mode=False)


def test_predictions_by_hand(folder: Path) -> None:
    predict("--covariates", "c.tsv", "--out", "out.json")
    told = json.loads(Path("out.json").read_text())
    found = {row["sample"]: row["prediction"] for row in told["results"]}
    # (34 − 30) / 2 and south; (28 − 30) / 2 and both indicators missing; 0 and north.
    assert found == {"a": 50 + 0 + 2 + 10, "b": 50 + 3 - 1 - 1000, "c": 50 + 10 + 0}
    assert "c.tsv" in told["input_files"]


def test_the_same_from_python(folder: Path) -> None:
    found = load("m").predict("g.tsv", covariates=Path("c.tsv")).scores
    assert found.prediction.tolist() == [62.0, -948.0, 60.0]


@pytest.mark.parametrize(
    ("rows", "head", "told"),
    [
        (["a\tsouth\t34"], "sample\tsite\tage", "no row for sample 'b'"),
        (["a\teast\t3", "b\tnorth\t1"], "sample\tsite\tage", "'east', which training never saw"),
        (["a\tsouth\told", "b\tnorth\t1"], "sample\tsite\tage", "'old'; expected a number"),
        (["a\tsouth\tinf", "b\tnorth\t1"], "sample\tsite\tage", "expected a number"),
        (["a\tsouth\t3", "b\tnorth\t1"], "sample\tplace\tage", "has no column site"),
    ],
)
def test_what_is_wrong_with_a_table(folder: Path, rows, head, told) -> None:
    write(*rows, head=head)
    with pytest.raises(BadCovariate, match=told):
        predict("--covariates", "c.tsv", "--out", "out.tsv")
    assert not Path("out.tsv").exists()


def test_a_model_that_takes_them_needs_the_table(folder: Path) -> None:
    with pytest.raises(WrongKindOfModel, match=r"also takes covariates \(age, site\)") as caught:
        predict()
    assert "--covariates TABLE" in caught.value.hint


def test_a_model_that_takes_none_is_not_given_any(folder: Path) -> None:
    TINY.write(folder / "plain")
    words = ["predict", "g.tsv", "--model", "plain", "--covariates", "c.tsv"]
    with pytest.raises(UsageError, match="no model takes any"):
        app(words, standalone_mode=False)


def test_what_needs_no_sample_needs_no_covariates(folder: Path) -> None:
    app(["check", "g.tsv", "--model", "m", "--json"], standalone_mode=False)
