"""``train run --attribution``: from the option to what ``explain --snp`` says."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.api import load
from snpredict.bundle.load import load_bundle
from snpredict.cli import app as snpredict
from snpredict.errors import UsageError
from tests.simulated import simulate, write_table
from train.cli import app
from train.errors import UnsuitableModel

pytestmark = pytest.mark.slow

SMALL = """
description = "small"
network = "dense"

[architecture]
sizes = [[6, 6]]
components = 0
snps = "all"
strongest = 10
pairs = 5
joint = false

[training]
networks = 2
tried = 1
batch_size = 20
epochs = 10
learning_rate = 1e-2
first_rate = 0.02
penalty_from = 0.1
penalty_to = 3.0
balance = false

[start]
method = "random"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "table.tsv", *simulate(120, 24), n_folds=2)
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


def run(*words: str, preset: str = "small.toml") -> None:
    usual = ["run", "table.tsv", "--trait", "height", "--unit", "cm", "--threads", "1"]
    usual += ["--preset", preset, "--no-gblup", "--out", "models/x"]
    app([*usual, *words], standalone_mode=False)


def test_a_dense_network_says_what_it_rests_on(folder: Path, capsys) -> None:
    run("--attribution", "deeplift,integrated-gradients,occlusion")
    table = parquet.read_table("models/x/saliency.parquet")
    columns = [f"attribution_{name}" for name in ("deeplift", "integrated_gradients", "occlusion")]
    assert {*columns} <= {*table.column_names}
    deeplift = table.column(columns[0]).to_numpy()
    assert deeplift.max() > 0
    assert deeplift.min() >= 0
    # The mean over the test rows of both folds.
    parts = [np.load(f"runs/x/folds/fold_0{n}/attribution.npz")["deeplift"] for n in (1, 2)]
    np.testing.assert_allclose(deeplift, np.mean(parts, axis=0), rtol=1e-5)
    header, *rows = Path("runs/x/attribution.tsv").read_text().splitlines()
    assert header == "snp\tchromosome\tposition\tdeeplift\tintegrated-gradients\tocclusion"
    assert len(rows) == 24

    bundle = load_bundle(Path("models/x"))
    snp = bundle.snps.ids[int(deeplift.argmax())]
    capsys.readouterr()
    snpredict(["explain", "--model", "models/x", "--snp", snp, "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert told["attributions"]["deeplift"] == pytest.approx(deeplift.max(), rel=1e-6)
    assert {*told["attributions"]} == {"deeplift", "integrated-gradients", "occlusion"}


def test_the_other_networks_too_also_where_snps_are_filtered(folder: Path) -> None:
    run("--attribution", "deeplift", "--min-maf", "0.2", preset="gblup")
    found = (
        parquet.read_table("models/x/saliency.parquet").column("attribution_deeplift").to_numpy()
    )
    left_out = [
        json.loads(Path(f"runs/x/folds/fold_0{n}/result.json").read_text())["chosen"]["snps_kept"]
        for n in (1, 2)
    ]
    assert max(left_out) < 24
    assert 0 < np.count_nonzero(found) < 24


def test_without_the_option_there_are_no_columns(folder: Path) -> None:
    run()
    names = parquet.read_table("models/x/saliency.parquet").column_names
    assert not [name for name in names if name.startswith("attribution")]
    assert not Path("runs/x/attribution.tsv").exists()
    assert load_bundle(Path("models/x")).saliency.attributions == {}


def test_what_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="--attribution names 'lime'"):
        run("--attribution", "lime")
    words = ["run", "table.tsv", "--trait", "height", "--unit", "cm", "--model", "gblup"]
    with pytest.raises(UnsuitableModel, match="is not a network"):
        app([*words, "--attribution", "deeplift", "--out", "models/x"], standalone_mode=False)
    assert not Path("runs").exists()


def test_a_model_of_covariates_predicts_what_its_folds_predicted(folder: Path) -> None:
    header, *rows = Path("table.tsv").read_text().splitlines()
    lines = [
        f"{row}\t{'NA' if at % 11 == 0 else at % 7}\t{'north' if at % 2 else 'south'}"
        for at, row in enumerate(rows)
    ]
    Path("table.tsv").write_text("\n".join([f"{header}\tage\tsite", *lines]) + "\n")
    run("--covariates", "age,site")
    model = load("models/x")
    found = model.predict("table.tsv", covariates=Path("table.tsv")).scores
    # A line is known by its genotypes, and predicted by the fold that did not see it; not so two
    # lines of different folds that have the same ones.
    known = parquet.read_table("models/x/out_of_fold.parquet").column("predicted").to_numpy()
    single = found.held_out >= 0
    assert single.sum() > 110
    np.testing.assert_allclose(found.prediction[single], known[single], rtol=1e-5)


def test_traits_that_share_a_network(folder: Path, capsys) -> None:
    """One training for both, a run and a bundle each; the third trait lacks a line."""
    header, *rows = Path("table.tsv").read_text().splitlines()
    lines = [f"{header}\twidth\tother"]
    for at, row in enumerate(rows):
        height = float(row.split("\t")[1])
        lines.append(f"{row}\t{200 - height:.3f}\t{'NA' if at == 5 else height + at % 3}")
    Path("table.tsv").write_text("\n".join(lines) + "\n")
    Path("joint.toml").write_text(SMALL.replace("joint = false", "joint = true"))
    words = ["run", "table.tsv", "--trait", "height,width,other", "--unit", "cm,cm,cm"]
    words += ["--threads", "1", "--preset", "joint.toml", "--no-gblup", "--out", "models/x"]
    app([*words, "--attribution", "deeplift"], standalone_mode=False)
    assert "note: other has a network of its own" in capsys.readouterr().err
    results = [
        json.loads(Path(f"runs/x/{trait}/folds/fold_01/result.json").read_text())
        for trait in ("height", "width", "other")
    ]
    # Height and width are measured in the same lines, and are two outputs of the same networks.
    assert results[0]["chosen"] == results[1]["chosen"]
    assert results[0]["chosen"] != results[2]["chosen"]
    assert results[0]["metrics"]["pcc"] > 0.3
    assert results[1]["metrics"]["pcc"] > 0.3
    for trait in ("height", "width", "other"):
        model = load(f"models/x-{trait}")
        assert model.explain("table.tsv", "S003").residual == pytest.approx(0, abs=1e-3)
        assert Path(f"runs/x/{trait}/attribution.tsv").exists()
        assert Path(f"runs/x/{trait}/loss_curves.png").exists()
