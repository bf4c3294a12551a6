"""A binary trait with covariates: from ``train run`` to contributions on the scale of logits."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.api import load
from snpredict.bundle.load import load_bundle
from snpredict.cli import app as snpredict
from snpredict.errors import InvalidBundle, UsageError
from snpredict.scoring.scorer import Scorer
from tests.simulated import simulate, write_table
from tests.train.commands.test_attribution import SMALL
from train.cli import app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of two folds, its table, and the covariates of ten lines under other names."""
    path = tmp_path_factory.mktemp("sick")
    table = write_table(path / "table.tsv", *simulate(160, 24), n_folds=2)
    header, *rows = table.read_text().splitlines()
    random = np.random.default_rng(1)
    known, lines = ["sample\tage\tsite"], [f"{header}\tage\tsite\tsick"]
    new = [header]
    for at, row in enumerate(rows):
        age, site = int(random.integers(20, 60)), "AB"[at % 2]
        sick = random.random() < 1 / (1 + np.exp(-(age - 40) / 10 - (1 if site == "B" else -1)))
        lines.append(f"{row}\t{age}\t{site}\t{'yes' if sick else 'no'}")
        if at < 10:
            new.append(row.replace(f"S{at:03d}", f"new{at}"))
            known.append(f"new{at}\t{age if at else 'NA'}\t{site}")
    table.write_text("\n".join(lines) + "\n")
    (path / "new.tsv").write_text("\n".join(new) + "\n")
    (path / "known.tsv").write_text("\n".join(known) + "\n")
    (path / "small.toml").write_text(SMALL.replace("components = 0", "components = 2"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        words = ["run", "table.tsv", "--trait", "sick", "--binary", "sick", "--unit", "cases"]
        words += ["--ignore", "height", "--covariates", "age,site", "--threads", "1", "--no-gblup"]
        app([*words, "--preset", "small.toml", "--out", "models/x"], standalone_mode=False)
    return path


def explain(folder: Path, sample: str, *words: str) -> dict:
    usual = ["explain", str(folder / "new.tsv"), "--sample", sample, "--model"]
    usual += [str(folder / "models/x"), "--covariates", str(folder / "known.tsv"), "--json"]
    snpredict([*usual, "--out", str(folder / "out.json"), *words], standalone_mode=False)
    return json.loads((folder / "out.json").read_text())


def test_contributions_add_up_to_the_logit(folder: Path) -> None:
    told = explain(folder, "new3")
    rows = told["results"]
    assert [row["kind"] for row in rows] == ["covariate"] * 2 + ["snp"] * 24
    assert {row["snp"] for row in rows[:2]} == {"age", "site"}
    assert told["contributions_unit"] == "logit"
    total = told["reference"] + sum(row["contribution"] for row in rows)
    assert total == pytest.approx(told["score"], abs=1e-5)
    assert abs(told["residual"]) < 1e-5
    assert any("known.tsv" in name for name in told["input_files"])
    predicted = load(folder / "models/x").predict(
        folder / "new.tsv", covariates=folder / "known.tsv"
    )
    at = predicted.scores.samples.index("new3")
    assert told["prediction"] == pytest.approx(predicted.scores.prediction[at])
    # A line of the training set, known by its genotypes: one fold model predicts it, and the
    # logit is that of the probability.
    assert told["predicted_by"].startswith("fold")
    odds = told["prediction"] / (1 - told["prediction"])
    assert np.log(odds) == pytest.approx(told["score"], abs=1e-4)


def test_a_missing_covariate_adds_nothing(folder: Path) -> None:
    share = {row["snp"]: row["contribution"] for row in explain(folder, "new0")["results"]}
    assert share["age"] == 0
    assert share["site"] != 0


def test_the_same_from_python_and_on_a_terminal(folder: Path, capsys) -> None:
    model = load(folder / "models/x")
    found = model.explain(folder / "new.tsv", "new3", covariates=folder / "known.tsv")
    age = next(share for share in found.covariates if share.name == "age")
    assert age.value == (folder / "known.tsv").read_text().splitlines()[4].split("\t")[1]
    told = {row["snp"]: row["contribution"] for row in explain(folder, "new3")["results"]}
    assert told["age"] == age.contribution
    err = capsys.readouterr().err
    assert "logit; the probability is" in err
    assert f"age {age.value}" in err


def test_effects_and_dosages_of_such_a_model(folder: Path, capsys) -> None:
    model = load(folder / "models/x")
    effects = model.effects()
    assert np.nanmax(np.abs(effects.column("average_effect").to_numpy())) > 0
    name = effects.column("snp")[0].as_py()
    report = model.snp(name)
    assert report.effects["0"] == pytest.approx(effects.column("effect_0")[0].as_py())
    assert "other SNPs change them" in report.effects_hold
    words = ["predict", str(folder / "new.tsv"), "--model", str(folder / "models/x"), "--top", "2"]
    capsys.readouterr()
    snpredict([*words, "--covariates", str(folder / "known.tsv")], standalone_mode=False)
    assert "top2_contribution" in capsys.readouterr().out


def test_covariates_of_nothing_are_refused(folder: Path) -> None:
    words = ["explain", "--snp", "x", "--covariates", "c.tsv", "--model", str(folder / "models/x")]
    with pytest.raises(UsageError, match="needs FILE"):
        snpredict(words, standalone_mode=False)


#: What a graph hands out in place of what it computes with, and what is said of it.
LIES = {
    "other weights": ("kernel_0", lambda a: a * 3 + 1, "not those that the layers"),
    "NaN": ("bias_1", lambda a: a * np.nan, "not finite"),
    "infinite": ("loadings", lambda a: a + np.inf, "not finite"),
    "SD of 0": ("snp_sds", lambda a: a * 0, "not finite, or a standard deviation"),
    "a layer less wide": ("kernel_1", lambda a: a[:, :, 1:], "found layers of the shapes"),
    "flat layer": ("kernel_1", lambda a: a.reshape(-1), "found layers of the shapes"),
    "a number": ("kernel_0", lambda a: a.reshape(-1)[0], "found layers of the shapes"),
    "another network": ("bias_0", lambda a: a[1:], "found layers of the shapes"),
    "flat loadings": ("loadings", lambda a: a[:, 0], "found layers of the shapes"),
    "SNPs in a square": ("snps", lambda a: a[None], "found layers of the shapes"),
    "a SNP less": ("snps", lambda a: a[1:], "found layers of the shapes"),
    "a SNP that is none": ("snps", lambda a: a + 1000, "not among the 24"),
    "a SNP below 0": ("snps", lambda a: a - 1000, "not among the 24"),
    "a SNP twice": ("snps", lambda a: a * 0, "repeats a SNP"),
    "no leak": ("leak", lambda a: a[:0], "found layers of the shapes"),
}


@pytest.mark.parametrize("lie", LIES)
def test_layers_that_do_not_predict_are_refused(lie: str, folder: Path, tmp_path: Path) -> None:
    """A graph that computes one thing and hands out another."""
    import hashlib
    import shutil

    import onnx
    from onnx import numpy_helper

    name, change, told = LIES[lie]
    bundle = shutil.copytree(folder / "models/x", tmp_path / "x")
    # The fold whose network kept more SNPs.
    path = max((bundle / "folds").iterdir(), key=lambda each: each.stat().st_size)
    graph = onnx.load(path)
    kept = next(t for t in graph.graph.initializer if t.name == f"{name}_")
    changed = np.ascontiguousarray(change(numpy_helper.to_array(kept)))
    if np.ndim(change(numpy_helper.to_array(kept))) == 0:
        changed = changed.reshape(())
    graph.graph.initializer.append(numpy_helper.from_array(changed, "other"))
    node = next(n for n in graph.graph.node if n.output[0] == name)
    node.input[0] = "other"
    output = next(o for o in graph.graph.output if o.name == name)
    output.CopyFrom(
        onnx.helper.make_tensor_value_info(
            name, output.type.tensor_type.elem_type, list(changed.shape)
        )
    )
    path.write_bytes(graph.SerializeToString())
    manifest = json.loads((bundle / "manifest.json").read_text())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest["files"][f"folds/{path.name}"] = digest
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidBundle, match=told):
        Scorer(load_bundle(bundle)).score_function()
