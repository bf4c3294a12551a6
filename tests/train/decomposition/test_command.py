"""``train decompose``: from a table of haploid lines to effects of loci and pairs."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.api import load
from snpredict.errors import UsageError
from train.cli import app
from train.errors import IncompleteRun, SimulationError, UnsuitableModel
from train.networks.presets import PRESET_FOLDER

pytestmark = pytest.mark.slow

LOCI = [f"L{at + 1:02d}" for at in range(6)]


def preset(coding: str) -> str:
    """Preset elm with a small network."""
    text = (PRESET_FOLDER / "elm.toml").read_text()
    text = text.replace("layers = [1024, 1024]", "layers = [64, 32]")
    text = text.replace("weight_decay = 1.0", "weight_decay = 0.01")
    assert 'coding = "haploid"' in text
    return text.replace('coding = "haploid"', f'coding = "{coding}"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two traits: one additive, one with a pair L02 × L05; and of it shuffled."""
    path = tmp_path_factory.mktemp("haploid")
    random = np.random.default_rng(3)
    codes = random.integers(0, 2, (600, 6))
    x = 2.0 * codes - 1
    tall = x[:, 0] + 0.5 * x[:, 3] + random.normal(0, 0.1, 600)
    wide = 5 + x[:, 1] - 2 * x[:, 1] * x[:, 4] + random.normal(0, 0.1, 600)
    lines = ["\t".join(["line", "tall", "wide", *LOCI])]
    for at in range(600):
        cells = [str(code) for code in codes[at]]
        lines.append("\t".join([f"i{at}", f"{tall[at]:.5f}", f"{wide[at]:.5f}", *cells]))
    (path / "table.tsv").write_text("\n".join(lines) + "\n")
    truth = ["trait\tlocus\tadditive\tpartner\tepistatic"]
    for trait, additive, pairs in (
        ("tall", {"L01": 1.0, "L04": 0.5}, {}),
        ("wide", {"L02": 1.0}, {"L02": "L05", "L05": "L02"}),
    ):
        for locus in LOCI:
            effect = -2.0 if locus in pairs else 0.0
            truth.append(
                f"{trait}\t{locus}\t{additive.get(locus, 0.0)}\t{pairs.get(locus, 'L06')}\t{effect}"
            )
    (path / "truth.tsv").write_text("\n".join(truth) + "\n")
    (path / "other.tsv").write_text("\n".join(truth).replace("tall", "long"))
    (path / "less.tsv").write_text("\n".join(row for row in truth if row.split("\t")[1] != "L06"))
    (path / "text.tsv").write_text("\n".join(truth).replace("1.0", "a lot"))
    (path / "small.tsv").write_text("trait\tlocus\tadditive\n")
    (path / "small.toml").write_text(preset("haploid"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        words = ["run", "table.tsv", "--trait", "tall,wide", "--unit", "cm,cm", "--no-gblup"]
        words += ["--preset", "small.toml", "--folds", "random", "--n-folds", "3"]
        words += ["--threads", "1", "--snps-from", "L01"]
        app([*words, "--out", "models/x"], standalone_mode=False)
        app([*words, "--control", "shuffled", "--out", "models/null"], standalone_mode=False)
    return path


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def test_effects_are_found(here: Path, tmp_path: Path, capsys) -> None:
    words = ["decompose", "runs/x", "--null", "runs/null", "--truth", "truth.tsv"]
    app([*words, "--out", str(tmp_path / "d")], standalone_mode=False)
    told = capsys.readouterr().err
    assert "strongest pairs L02 × L05 -" in told
    loci = pq.read_table(tmp_path / "d/decomposition.parquet").to_pylist()
    assert len(loci) == 12
    of_tall = {row["snp"]: row for row in loci if row["trait"] == "tall"}
    assert of_tall["L01"]["additive"] == pytest.approx(1, abs=0.1)
    assert of_tall["L02"]["additive"] == pytest.approx(0, abs=0.1)
    assert of_tall["L01"]["additive_sd"] < 0.1
    pairs = pq.read_table(tmp_path / "d/epistasis.parquet").to_pylist()
    assert len(pairs) == 30
    first = next(row for row in pairs if row["trait"] == "wide")
    assert (first["snp_a"], first["snp_b"]) == ("L02", "L05")
    # Shrunk, as networks do.
    assert -2.2 < first["effect"] < -1
    assert first["q_value"] == 0
    assert max(row["q_value"] for row in pairs) > 0.5
    record = json.loads((tmp_path / "d/variance.json").read_text())["traits"]
    assert record["tall"]["variances"]["additive_share"]["mean"] > 0.95
    assert record["wide"]["variances"]["additive_share"]["mean"] < 0.4
    assert record["wide"]["largest_difference_of_the_map"] < 1e-4
    assert record["wide"]["truth"]["pairs_r"] > 0.98
    assert record["wide"]["truth"]["true_pairs_found"] == 1
    assert {p.name for p in (tmp_path / "d").iterdir()} == {
        "decomposition.parquet", "epistasis.parquet", "variance.json",
        "pairs.png", "additive.png", "variance.png", "truth.png",
    }  # fmt: skip


def test_such_a_network_is_a_bundle(here: Path) -> None:
    """Contributions of a homogeneous network add up, as those of any other."""
    model = load("models/x-wide")
    explained = model.explain("table.tsv", "i7")
    assert explained.reference + explained.total == pytest.approx(explained.prediction, abs=1e-3)
    assert abs(explained.residual) < 1e-3


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (["runs/null", "--out", "d"], UsageError, "the run of a control"),
        (["runs/x", "--null", "runs/x", "--out", "d"], UsageError, "not a run of shuffled or add"),
        (["runs/x", "runs/x/tall", "--out", "d"], UsageError, "two runs are of trait tall"),
        (["runs/x", "--out", "models"], UsageError, "not an empty folder"),
        (["runs/x", "--lines", "3", "--out", "d"], UsageError, "expected 100 to 20,000"),
        (["runs/x", "--truth", "other.tsv", "--out", "d"], SimulationError, "no trait tall"),
        (["runs/x", "--truth", "less.tsv", "--out", "d"], SimulationError, "lacks locus L06"),
        (["runs/x", "--truth", "text.tsv", "--out", "d"], SimulationError, "line 2: found 'a lot'"),
        (["runs/x", "--truth", "none.tsv", "--out", "d"], SimulationError, "cannot be read"),
        (["runs/x", "--truth", "small.tsv", "--out", "d"], SimulationError, "no column partner"),
        (["table.tsv", "--out", "d"], IncompleteRun, "not the folder of a run or a bundle"),
        (["models", "--out", "d"], IncompleteRun, "not the folder of a run or a bundle"),
    ],
)
def test_what_is_refused(here: Path, words: list[str], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        app(["decompose", *words], standalone_mode=False)
    assert not Path("d").exists()


def test_other_networks_have_differences_and_no_gradients(here: Path, tmp_path: Path) -> None:
    text = (PRESET_FOLDER / "deeplift.toml").read_text().replace("epochs = 40", "epochs = 15")
    Path("dense.toml").write_text(text)
    words = ["run", "table.tsv", "--trait", "tall", "--ignore", "wide", "--unit", "cm"]
    words += ["--preset", "dense.toml", "--no-gblup", "--folds", "random", "--n-folds", "3"]
    words += ["--threads", "1", "--snps-from", "L01", "--fold", "1", "--out", "models/dense"]
    app(words, standalone_mode=False)
    decompose = ["decompose", "runs/dense", "--out", str(tmp_path / "d")]
    with pytest.raises(UnsuitableModel, match="has biases") as caught:
        app([*decompose, "--sensitivity", "gradient"], standalone_mode=False)
    assert "--preset elm" in caught.value.hint
    app(decompose, standalone_mode=False)
    (first, *_) = pq.read_table(tmp_path / "d/decomposition.parquet").to_pylist()
    assert first["snp"] == "L01"
    assert first["additive"] == pytest.approx(1, abs=0.15)
    record = json.loads((tmp_path / "d/variance.json").read_text())["traits"]["tall"]
    assert record["largest_difference_of_the_map"] < 1e-9


def test_both_notions_agree_where_hardly_a_unit_changes_sides(here: Path, tmp_path: Path) -> None:
    for kind in ("difference", "gradient"):
        words = ["decompose", "runs/x/tall", "--sensitivity", kind]
        app([*words, "--out", str(tmp_path / kind)], standalone_mode=False)
    one, other = (
        pq.read_table(tmp_path / kind / "decomposition.parquet").column("additive").to_numpy()
        for kind in ("difference", "gradient")
    )
    np.testing.assert_allclose(one, other, atol=0.05)
