"""``snpredict annotate``: expected effect variances and what made them."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra 'train' to make a model")

from snpredict.annotating.effect_sizes import VariantScorer
from snpredict.annotating.variant_table import read_variants
from snpredict.bundle.entries import LinkEntry, VariantModel
from snpredict.bundle.load import load_bundle
from snpredict.bundle.manifest import CONTINUOUS, VARIANT_EFFECTS, Manifest
from snpredict.bundle.tables import SnpTable
from snpredict.bundle.write import write_bundle
from snpredict.cli import app
from snpredict.errors import (
    BadVariantTable,
    EmptyFile,
    FileNotFound,
    InvalidBundle,
    NoRows,
    TruncatedFile,
    UsageError,
    WrongKindOfModel,
)

LINEAR = [[(np.array([[1.0], [-2.0]], np.float32), np.array([0.5], np.float32))]]
TABLE = "id\tcoding\topen\nrs1\t3\t0\nrs2\tNA\t1\nrs3\t5\t-1\n"


def bundle(folder: Path, networks=LINEAR, network: str = "linear", **more) -> Path:
    """log Λ = 0.5 + c − 2 o of coding (mean 3, SD 2) and open (mean 0, SD 1); N = 1000."""
    from train.deepwas.export import network_onnx

    given = {
        "model": "variants.onnx",
        "network": network,
        "objective": "full",
        "annotations": ("coding", "open"),
        "means": (3.0, 0.0),
        "scales": (2.0, 1.0),
        "people": 1000.0,
    }
    manifest = Manifest(
        name="toy",
        trait="t",
        unit="SD",
        n_snps=1,
        kind=VARIANT_EFFECTS,
        task=CONTINUOUS,
        link=LinkEntry("identity"),
        folds=(),
        variant_model=VariantModel(**(given | more)),
    )
    snps = SnpTable.of(["rs1"], ["1"], [1], ["A"], ["G"], np.full((1, 4), 0.25))
    models = {"variants.onnx": network_onnx(networks, 2)}
    write_bundle(folder / "toy", manifest, "# toy\n", snps=snps, models=models)
    return folder / "toy"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.tsv").write_text(TABLE)
    return tmp_path


def annotate(*words: str) -> None:
    app(["annotate", *words], standalone_mode=False)


def test_by_hand(here: Path) -> None:
    bundle(here)
    annotate("v.tsv", "--model", "toy", "--out", "out.parquet")
    found = pq.read_table(here / "out.parquet").to_pydict()
    assert found["id"] == ["rs1", "rs2", "rs3"]
    # Standardised: (0, 0), (missing, 1), (1, −1).
    expected = np.exp([0.5, 0.5 - 2, 0.5 + 1 + 2]) / 1000
    np.testing.assert_allclose(found["effect_variance"], expected, rtol=1e-5)
    assert found["rank"] == [2, 3, 1]
    np.testing.assert_allclose(found["by_coding"], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(found["by_open"], [0, -2, 2], atol=1e-6)


def test_the_largest_alone_as_json(here: Path, capsysbinary) -> None:
    bundle(here)
    annotate("v.tsv", "--model", "toy", "--format", "json", "--best", "1")
    found = json.loads(capsysbinary.readouterr().out)
    assert found["people"] == 1000
    text = json.dumps(found)
    assert "rs3" in text
    assert "rs1" not in text


def test_contributions_of_a_network_add_up(here: Path) -> None:
    random = np.random.default_rng(1)
    shapes = [(2, 8), (8, 8), (8, 1)]
    networks = [
        [
            (random.normal(size=s).astype("f4"), random.normal(size=s[1]).astype("f4"))
            for s in shapes
        ]
        for _ in range(2)
    ]
    scorer = VariantScorer(load_bundle(bundle(here, networks, "mlp")))
    values = random.normal(size=(50, 2))
    found = scorer.effect_sizes(values)
    average = np.array([[3.0, 0.0]])
    expected = scorer.log_prior(values) - scorer.log_prior(average)
    inside = np.abs(scorer.log_prior(values)) < 9.9
    np.testing.assert_allclose(found.by.sum(axis=1)[inside], expected[inside], atol=0.02)


def test_a_table_may_lack_annotations(here: Path, capsys) -> None:
    bundle(here)
    (here / "p.csv").write_text("chrom,pos,open\n1,100,1\n")
    annotate("p.csv", "--model", "toy", "--out", "out.tsv")
    assert "p.csv lacks coding: taken as average" in " ".join(capsys.readouterr().err.split())
    header, row = (here / "out.tsv").read_text().splitlines()
    assert header.split("\t")[:3] == ["chromosome", "position", "effect_variance"]
    assert row.split("\t")[:2] == ["1", "100"]


BAD = [
    ("", EmptyFile, "is empty"),
    ("id\tcoding\n", NoRows, "no variant"),
    ("gene\tcoding\nx\t1\n", BadVariantTable, "neither by id nor by place"),
    ("id\tother\nx\t1\n", BadVariantTable, "none of the model's annotations"),
    ("id\tcoding\nx\t1\ny\tlow\n", BadVariantTable, "row 2 .*'low'"),
    ("id\tcoding\nx\t1\ty\n", BadVariantTable, "not a table"),
    ("id\tcoding\nx\tinf\n", BadVariantTable, "not finite"),
    ("id\tid\nx\tinf\n", BadVariantTable, "two columns"),
]


@pytest.mark.parametrize(("text", "error", "words"), BAD)
def test_bad_tables_are_refused(here: Path, text: str, error, words: str) -> None:
    (here / "bad.tsv").write_text(text)
    with pytest.raises(error, match=words) as raised:
        read_variants(Path("bad.tsv"), ["coding", "open"])
    assert "bad.tsv" in raised.value.message


def test_no_file_and_a_damaged_one(here: Path) -> None:
    with pytest.raises(FileNotFound):
        read_variants(Path("none"), ["coding"])
    (here / "cut.gz").write_bytes(b"\x1f\x8b\x08\x00cut off")
    with pytest.raises(TruncatedFile):
        read_variants(Path("cut.gz"), ["coding"])
    (here / "cut.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(BadVariantTable, match="not a table"):
        read_variants(Path("cut.parquet"), ["coding"])


def test_what_cannot_be_done_is_refused(here: Path) -> None:
    bundle(here)
    with pytest.raises(WrongKindOfModel, match="kind network"):
        annotate("v.tsv", "--model", "soynam-height")
    with pytest.raises(UsageError, match="needs a table"):
        annotate("v.tsv")
    with pytest.raises(UsageError, match="--best 0"):
        annotate("v.tsv", "--model", "toy", "--best", "0")
    with pytest.raises(UsageError):
        annotate("v.tsv", "--model", "toy", "--out", "v.tsv")
    with pytest.raises(WrongKindOfModel, match="predicts no trait"):
        app(["predict", "v.tsv", "--model", "toy"], standalone_mode=False)


WRONG = [
    ({"means": (1.0,)}, "means and scales"),
    ({"scales": (1.0, 0.0)}, "numbers above 0"),
    ({"annotations": ("a", "a")}, "different names"),
    ({"model": "other.onnx"}, "no SHA-256 for other.onnx"),
]


@pytest.mark.parametrize(("entry", "words"), WRONG)
def test_contradicting_entries_are_refused(here: Path, entry: dict, words: str) -> None:
    with pytest.raises(InvalidBundle, match=words):
        bundle(here, **entry)


def test_a_model_of_other_inputs_is_refused(here: Path) -> None:
    names = ("a", "b", "c")
    entry = {"annotations": names, "means": (0.0,) * 3, "scales": (1.0,) * 3}
    with pytest.raises(InvalidBundle, match="cannot be run"):
        VariantScorer(load_bundle(bundle(here, **entry)))
