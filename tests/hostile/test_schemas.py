"""What schema 2 added can lie as well; bundles of schema 1 load, and hostile ones are refused."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.bundle.manifest import MANIFEST
from snpredict.cli import main
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny, write_linear
from tests.hostile import make
from tests.hostile.make import column, entry, in_turn, manifest_bytes, model
from tests.reading import mutations

TINY = Tiny()
INVALID, WRONG_KIND = errors.InvalidBundle, errors.WrongKindOfModel
SEX = {"name": "sex", "kind": "category", "categories": ["f", "m"]}
AGE = {"name": "age", "kind": "number", "mean": 40.0, "sd": 10.0}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_linear(folder / "linear", [0.5, -1.0], [1.0, 0.5])
    TINY.write(folder / "network")
    shutil.copytree(folder / "network", folder / "schema_1")
    as_schema_1(folder / "schema_1")
    return folder


def as_schema_1(folder) -> None:
    """The manifest as a release before schema 2 wrote it."""

    def change(text: bytes) -> bytes:
        manifest = json.loads(text)
        alpha = manifest.pop("link")["alpha"]
        for name in ("kind", "task", "intercept", "covariates"):
            del manifest[name]
        evaluated = {"scheme": "given", "model": "gblup", "title": "GBLUP", "folds": 3}
        evaluation = {"seed": 1, "schemes": {"given": 3}, "controls": []}
        evaluation["models"] = [evaluated | {"pcc": [0.5, 0.4, None]}]
        manifest |= {"schema_version": 1, "isru_alpha": alpha, "evaluation": evaluation}
        return json.dumps(manifest).encode()

    manifest_bytes(change)(folder)


@pytest.fixture
def refused(written, tmp_path, capsys):
    """Runs `predict` with a copy of a bundle after a lie, and checks how it ends."""

    def check(name, lie, words, error=INVALID):
        folder = shutil.copytree(written / name, tmp_path / name)
        lie(folder)
        ids = [f"rs{n}" for n in (1, 2)] if name == "linear" else TINY.ids
        path = tmp_path / "g.tsv"
        path.write_text("\t".join(["id", *ids]) + "\n" + "\t".join(["a", *["1"] * len(ids)]) + "\n")
        code = main(["predict", str(path), "--model", str(folder)])
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        assert code == error.exit_code, captured.err
        first, *hints = [line for line in captured.err.splitlines() if line]
        assert [word for word in words if word not in first] == [], first
        assert len(hints) <= 1

    return check


def removed(*path) -> make.Lie:
    """The manifest without an entry."""

    def change(text: bytes) -> bytes:
        manifest = inner = json.loads(text)
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        return json.dumps(manifest).encode()

    return manifest_bytes(change)


# --- schema 1 ----------------------------------------------------------------------------------


def test_schema_1_loads_and_predicts_the_same(written):
    old, new = (load_bundle(written / name) for name in ("schema_1", "network"))
    codes = Genotypes(TINY.draw(20))
    assert np.array_equal(Scorer(old).predict(codes), Scorer(new).predict(codes))
    assert old.manifest.trait_scale.link == new.manifest.trait_scale.link
    (evaluated,) = old.manifest.evaluation.models
    assert evaluated.figures == {"pcc": (0.5, 0.4, None)}
    assert old.manifest.as_dict()["schema_version"] == 2


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(entry("isru_alpha", value=-1), ["alpha"], id="α < 0"),
        pytest.param(entry("isru_alpha", value="0.2"), ["alpha"], id="α as text"),
        pytest.param(entry("isru_alpha", value=0.9), ["link"], id="other α"),
        pytest.param(removed("isru_alpha"), ["no entry 'isru_alpha'"], id="no α"),
        pytest.param(removed("ensemble"), ["no entry 'ensemble'"], id="no ensemble"),
        pytest.param(removed("files", "saliency.parquet"), ["saliency.parquet"], id="no saliency"),
        pytest.param(removed("files", "out_of_fold.parquet"), ["out_of_fold"], id="no samples"),
        pytest.param(removed("files"), ["'files'"], id="no files"),
        pytest.param(entry("evaluation", value=[1]), ["evaluation"], id="evaluation as list"),
        pytest.param(
            entry("evaluation", "models", value=[1]), ["'models' entry 1"], id="evaluated model"
        ),
    ],
)
def test_hostile_bundles_of_schema_1(refused, lie, words):
    refused("schema_1", lie, words)


# --- what every kind says ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(entry("kind", value="tree"), ["'tree' for 'kind'", "network"], id="kind"),
        pytest.param(entry("kind", value=None), ["'kind'"], id="no kind"),
        pytest.param(entry("kind", value=["linear"]), ["'kind'"], id="kinds"),
        pytest.param(entry("task", value="ordinal"), ["'task'", "binary"], id="task"),
        pytest.param(entry("link", "alpha", value=0), ["alpha", "more than 0"], id="α 0"),
        pytest.param(entry("link", "alpha", value=-0.1), ["alpha", "more than 0"], id="α < 0"),
        pytest.param(removed("link", "alpha"), ["alpha", "number for isru"], id="ISRU without α"),
        pytest.param(entry("link", "name", value="probit"), ["'probit'", "logit"], id="link"),
        pytest.param(entry("link", "name", value="identity"), ["alpha"], id="identity with α"),
        pytest.param(entry("link", value={"name": "identity"}), ["link"], id="other link"),
        pytest.param(entry("link", value={"name": "logit"}), ["binary"], id="logit of a number"),
        pytest.param(entry("task", value="binary"), ["logit"], id="ISRU of a probability"),
        pytest.param(
            in_turn(entry("task", value="binary"), entry("link", value={"name": "logit"})),
            ["0 and 1 for a binary task"],
            id="a probability in cm",
        ),
        pytest.param(entry("intercept", value=1.0), ["intercept"], id="intercept of a network"),
        pytest.param(
            entry("kind", value="linear"), ["model ensemble.onnx in kind linear"], id="linear"
        ),
        pytest.param(
            entry("kind", value="variant-effects"), ["in kind variant-effects"], id="with a model"
        ),
        pytest.param(removed("files", "saliency.parquet"), ["saliency"], id="no effects"),
        pytest.param(entry("training", value=[]), ["'training'"], id="training as list"),
        pytest.param(
            entry("training", value={"samples": "9"}), ["'samples'"], id="samples as text"
        ),
        pytest.param(entry("intervals", value={"new": {}}), ["'method'"], id="empty intervals"),
        pytest.param(entry("preset", value="default"), ["'preset'"], id="preset as text"),
        pytest.param(entry("software", value={"python": 3}), ["'python'"], id="version as number"),
    ],
)
def test_manifests_of_networks(refused, lie, words):
    refused("network", lie, words)


# --- covariates --------------------------------------------------------------------------------


def with_input(width: int, kind: int = TensorProto.FLOAT) -> make.Lie:
    """A second input of the ensemble, which nothing reads."""
    shape = ["samples", width]
    value = helper.make_tensor_value_info("covariates", kind, shape)
    return model(lambda proto: proto.graph.input.append(value))


def with_slopes(slope: float, folds: int = TINY.n_folds, mean: float = 1.0) -> make.Lie:
    """Means and slopes of three numbers as outputs."""

    def change(proto) -> None:
        for name, value in (("means", mean), ("slopes", slope)):
            array = np.full((3, folds), value, np.float32)
            tensor = numpy_helper.from_array(array, f"fixed_{name}")
            proto.graph.initializer.append(tensor)
            output = f"covariate_{name}"
            proto.graph.node.append(helper.make_node("Identity", [tensor.name], [output]))
            kind = helper.make_tensor_value_info(output, TensorProto.FLOAT, array.shape)
            proto.graph.output.append(kind)

    return model(change)


def named(*covariates) -> make.Lie:
    return entry("covariates", value=list(covariates))


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(with_input(1), ["expected the inputs 'genotypes'"], id="not named"),
        pytest.param(named(AGE), ["'covariates' float (samples, 1)"], id="not in the graph"),
        pytest.param(in_turn(named(AGE), with_input(2)), ["(samples, 1)"], id="another width"),
        pytest.param(
            in_turn(named(AGE), with_input(1, TensorProto.INT64)), ["float"], id="another type"
        ),
        pytest.param(named(AGE, AGE), ["different names"], id="twice"),
        pytest.param(named({**AGE, "sd": 0}), ["'sd'", "more than 0"], id="SD 0"),
        pytest.param(named({**AGE, "kind": "date"}), ["'kind'", "category"], id="kind"),
        pytest.param(named({"name": "age", "kind": "number"}), ["'mean' and 'sd'"], id="no coding"),
        pytest.param(named({**SEX, "categories": []}), ["'categories'"], id="no categories"),
        pytest.param(
            named({**SEX, "categories": ["f", "f"]}), ["different"], id="one category twice"
        ),
        pytest.param(named({**SEX, "mean": 1.0}), ["'mean'"], id="both codings"),
        pytest.param(named("age"), ["entry 1"], id="a name alone"),
    ],
)
def test_covariates(refused, lie, words):
    refused("network", lie, words)


def test_a_model_with_covariates_loads_and_says_why_it_does_not_predict(refused):
    lie = in_turn(named(AGE, SEX), with_input(3), with_slopes(0))
    refused("network", lie, ["takes covariates (age, sex)"], WRONG_KIND)


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(with_input(3), ["found [] for means and slopes"], id="none"),
        pytest.param(in_turn(with_input(3), with_slopes(0, 1)), ["(3, 1)"], id="one fold"),
        pytest.param(in_turn(with_input(3), with_slopes(50)), ["not those that"], id="others"),
        pytest.param(in_turn(with_input(3), with_slopes(np.nan)), ["is not finite"], id="NaN"),
    ],
)
def test_slopes_of_covariates(refused, lie, words):
    refused("network", in_turn(named(AGE, SEX), lie), words)


# --- linear ------------------------------------------------------------------------------------

EFFECTS = "effects.parquet"


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(column(EFFECTS, "effect", [0.5, float("nan")]), ["not finite"], id="NaN"),
        pytest.param(column(EFFECTS, "effect", [None, 1.0]), ["missing values"], id="a gap"),
        pytest.param(column(EFFECTS, "effect", ["a", "b"]), ["expected numbers"], id="text"),
        pytest.param(column(EFFECTS, "effect", [1e308, 1e308]), ["add up to more"], id="10^308"),
        pytest.param(column(EFFECTS, "mean", [1.0, 2.5]), ["'mean'", "0 to 2"], id="mean > 2"),
        pytest.param(column(EFFECTS, "id", ["rs2", "rs1"]), ["in their order"], id="other order"),
        pytest.param(column(EFFECTS, "id", ["rs1", "rs3"]), ["in their order"], id="wrong id"),
        pytest.param(make.table(EFFECTS, lambda t: t.slice(0, 1)), ["1 rows"], id="one SNP less"),
        pytest.param(removed("files", EFFECTS), [EFFECTS], id="no effects"),
        pytest.param(
            in_turn(
                entry("files", "x.onnx", value="0" * 64), entry("folds", 0, "model", value="x.onnx")
            ),
            ["x.onnx in kind linear"],
            id="with a model",
        ),
        pytest.param(
            entry("files", "saliency.parquet", value="0" * 64),
            ["saliency.parquet", "does not have"],
            id="with a network's table",
        ),
        pytest.param(entry("folds", value=[]), ["folds"], id="no scale"),
        pytest.param(
            make.folds(lambda found: [found[0], found[0] | {"fold": 2}]),
            ["one for"],
            id="two folds",
        ),
        pytest.param(entry("folds", 0, "scale", value=0), ["'scale'"], id="scale 0"),
        pytest.param(entry("intercept", value="1"), ["'intercept'"], id="intercept as text"),
        pytest.param(named(AGE), ["none for kind linear"], id="covariates"),
        pytest.param(
            entry("similarity", value={"components": 1, "scale": 0.5}), ["similarity"], id="similar"
        ),
    ],
)
def test_linear_bundles(refused, lie, words):
    refused("linear", lie, words)


@settings(max_examples=60)
@given(st.data())
@pytest.mark.parametrize(
    "name", [("linear", MANIFEST), ("linear", EFFECTS), ("schema_1", MANIFEST)]
)
def test_damaged_files_are_refused_or_predict(written, name, data):
    bundle, file = name
    content = data.draw(mutations((written / bundle / file).read_bytes()))
    with tempfile.TemporaryDirectory() as temporary:
        folder = shutil.copytree(written / bundle, Path(temporary) / "bundle")
        if file == MANIFEST:
            (folder / file).write_bytes(content)
        else:
            make.file(file, content)(folder)
        try:
            loaded = load_bundle(folder)
            codes = np.ones((2, loaded.manifest.n_snps), np.int8)
            predicted = Scorer(loaded, 1).predict(Genotypes(codes))
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert np.isfinite(predicted).all()


def test_the_good_bundles_are_good(written):
    for name in ("linear", "network", "schema_1"):
        folder = written / name
        assert (folder / MANIFEST).is_file()
        assert (
            Scorer(load_bundle(folder))
            .predict(Genotypes(np.zeros((1, load_bundle(folder).manifest.n_snps), np.int8)))
            .shape[0]
            == 1
        )
