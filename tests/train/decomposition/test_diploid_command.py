"""``train decompose`` on diploid families: effects, dominance, pairs, linkage, bundles, nulls."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.api import load
from snpredict.cli import app as import_app
from snpredict.errors import UnknownModel, UsageError
from tests.train.decomposition.test_command import preset
from train.bundle.decomposed import check_bundle_of
from train.cli import app
from train.decomposition import of_networks
from train.decomposition.networks import networks_of_run
from train.errors import UnsuitableModel
from train.networks.presets import PRESET_FOLDER
from train.runs.folder import read_run

pytestmark = pytest.mark.slow

LOCI = [f"L{at + 1:02d}" for at in range(8)]


def run(*words: str) -> None:
    given = ["run", "table.tsv", "--trait", "tall", "--unit", "cm", "--no-gblup", "--threads", "1"]
    given += ["--folds", "random", "--n-folds", "3", "--snps-from", "L01"]
    app([*given, "--family-column", "family", *words], standalone_mode=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """900 lines: L01 additive, L02 with dominance, a pair L03 × L04; L08 does not vary."""
    path = tmp_path_factory.mktemp("diploid")
    random = np.random.default_rng(5)
    codes = random.binomial(2, 0.4, (900, 8))
    codes[:, 7] = 0
    x, het = codes - 1.0, codes == 1
    y = 3 * x[:, 0] + 2 * x[:, 1] + 2 * het[:, 1] + 2 * x[:, 2] * x[:, 3]
    y = 100 + y + random.normal(0, 0.3, 900)
    rows = ["\t".join(["line", "family", "tall", *LOCI])]
    for at in range(900):
        cells = [str(code) for code in codes[at]]
        rows.append("\t".join([f"i{at}", f"f{at % 9}", f"{y[at]:.4f}", *cells]))
    (path / "table.tsv").write_text("\n".join(rows) + "\n")
    truth = ["trait\tlocus\tadditive\tpartner\tepistatic\tdominance"]
    effects = {"L01": (3, "L02", 0, 0), "L02": (2, "L01", 0, 2)}
    effects |= {"L03": (0, "L04", 2, 0), "L04": (0, "L03", 2, 0)}
    for locus in LOCI:
        a, partner, e, d = effects.get(locus, (0, "L01", 0, 0))
        truth.append(f"tall\t{locus}\t{a}\t{partner}\t{e}\t{d}")
    (path / "truth.tsv").write_text("\n".join(truth) + "\n")
    (path / "two.toml").write_text(preset("diploid"))
    (path / "one.toml").write_text(preset("haploid").replace("epochs = 100", "epochs = 1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        run("--preset", "two.toml", "--out", "models/x")
        for control in ("shuffled", "additive"):
            run("--preset", "two.toml", "--control", control, "--out", f"models/{control}")
    return path


@pytest.fixture(scope="module")
def found(folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["decompose", "runs/x", "--null", "runs/shuffled", "--null", "runs/additive"]
        words += ["--truth", "truth.tsv", "--lines", "1000", "--out", "d"]
        app(words, standalone_mode=False)
    return folder / "d"


def record_of(folder: Path) -> dict:
    return json.loads((folder / "variance.json").read_text())["traits"]["tall"]


def test_effects_dominance_and_pairs(found: Path) -> None:
    loci = {row["snp"]: row for row in pq.read_table(found / "decomposition.parquet").to_pylist()}
    assert loci["L01"]["additive"] == pytest.approx(3, abs=0.2)
    assert loci["L01"]["additive_sign_agreement"] == 1
    # a + d (q − p), with 0.4 for the counted allele.
    assert loci["L02"]["additive"] == pytest.approx(2 + 2 * 0.2, abs=0.25)
    assert loci["L02"]["dominance"] == pytest.approx(2, abs=0.4)
    assert loci["L08"]["additive"] == loci["L08"]["dominance"] == 0
    pairs = pq.read_table(found / "epistasis.parquet").to_pylist()
    first = pairs[0]
    assert (first["kind"], first["snp_a"], first["snp_b"]) == (
        "additive_by_additive", "L03", "L04",
    )  # fmt: skip
    assert first["effect"] == pytest.approx(2, abs=0.4)
    # 2 pq of both loci.
    assert first["trait_sd"] == pytest.approx(first["effect"] * 0.48, rel=0.1)
    assert first["q_value"] == 0
    assert not any("L08" in (pair["snp_a"], pair["snp_b"]) for pair in pairs)
    # 21 pairs of both symmetric kinds, 42 of the other.
    assert len(pairs) == 84


def test_variances_and_the_real_lines(found: Path) -> None:
    record = record_of(found)
    v = {name: value["mean"] for name, value in record["variances"].items()}
    assert v["additive"] == pytest.approx(v["genetic"] * v["additive_share"], rel=0.1)
    parts = sum(v[name] for name in ("additive", "dominance", "additive_by_additive", "higher"))
    parts += v["additive_by_dominance"] + v["dominance_by_dominance"]
    assert parts == pytest.approx(v["genetic"])
    # (2 · 0.48)² of the pair, (2 · 0.48)² of dominance.
    assert v["additive_by_additive"] == pytest.approx(0.92, abs=0.3)
    assert v["dominance"] == pytest.approx(0.92, abs=0.35)
    assert record["largest_difference_of_the_map"] < 1e-9
    assert record["loci_without_variation"] == 1
    real = {name: value["mean"] for name, value in record["real_lines"].items()}
    # Loci are independent here: the same share as in equilibrium.
    assert real["pooled_additive"] == pytest.approx(v["additive_share"], abs=0.05)
    assert abs(v["higher"]) < 0.1
    assert real["pooled_additive"] + real["pooled_curvature"] + real["pooled_rest"] == (
        pytest.approx(1)
    )
    assert real["within_families_additive"] == pytest.approx(real["pooled_additive"], abs=0.05)
    assert real["r_network"] > real["r_additive"] + 0.03
    assert record["truth"]["additive_r"] > 0.99
    assert record["truth"]["dominance_r"] > 0.9
    assert record["truth"]["true_pairs_found"] == 1


def test_nulls_of_two_kinds(found: Path) -> None:
    """Additive values and as much noise as the trait's additive share leaves: a network makes up
    little, some percent as docs/decomposition.md has them.
    """
    record = record_of(found)
    assert set(record["nulls"]) == {"shuffled", "additive"}
    null = record["nulls"]["additive"]["variances"]
    assert null["additive_share"]["mean"] > 0.94
    assert record["nulls"]["additive"]["real_lines"]["pooled_additive"]["mean"] > 0.94
    assert record["pairs_that_pass"]["additive_by_additive"] >= 1


def test_a_bundle_is_decomposed_as_its_run_is(folder: Path, found: Path, tmp_path: Path) -> None:
    words = ["decompose", str(folder / "models/x"), "--lines", "1000", "--out", str(tmp_path / "b")]
    app(words, standalone_mode=False)
    for name in ("additive", "dominance"):
        one, other = (
            pq.read_table(path / "decomposition.parquet").column(name).to_numpy()
            for path in (found, tmp_path / "b")
        )
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert "real_lines" not in record_of(tmp_path / "b")


def test_a_bundle_gets_the_tables(folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "x"
    shutil.copytree(folder / "models/x", bundle)
    words = ["decompose", str(folder / "runs/x"), "--lines", "500", "--bundle", str(bundle)]
    words += ["--null", str(folder / "runs/additive"), "--out", str(tmp_path / "d")]
    app(words, standalone_mode=False)
    model = load(bundle)
    report = model.snp("L03")
    assert report.partners[0].id == "L04"
    assert report.partners[0].q_value == 0
    pair = model.pair("L04", "L03")
    assert pair.effect == pytest.approx(2, abs=0.4)
    # x y of −1, 0 and 1, less both loci's own effects.
    corners = np.array(pair.predictions)[[0, 0, 2, 2], [0, 2, 0, 2]]
    assert corners @ [1, -1, -1, 1] / 4 == pytest.approx(2, abs=0.5)
    entry = model.bundle.manifest.decomposition
    assert entry is not None
    assert entry.nulls == ("additive",)
    assert "pairs of loci" in (bundle / "MODEL_CARD.md").read_text()


def test_bundles_of_other_networks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    others = networks_of_run(read_run(Path("runs/additive")))
    with pytest.raises(UsageError, match="predicts otherwise"):
        check_bundle_of(Path("models/x"), others)
    words = ["decompose", "runs/x", "--out", "no", "--bundle"]
    with pytest.raises(UnknownModel):
        app([*words, "models/none"], standalone_mode=False)
    assert not Path("no").exists()


def test_pairs_of_named_loci(folder: Path, tmp_path: Path) -> None:
    words = ["decompose", str(folder / "models/x"), "--pairs-of", "L03", "--lines", "500"]
    app([*words, "--out", str(tmp_path / "p")], standalone_mode=False)
    pairs = pq.read_table(tmp_path / "p/epistasis.parquet").to_pylist()
    assert {pair["snp_a"] for pair in pairs} == {"L03"}
    assert (pairs[0]["snp_b"], len(pairs)) == ("L04", 4 * 6)
    with pytest.raises(UsageError, match="no such SNP"):
        app(["decompose", str(folder / "models/x"), "--pairs-of", "L99", "--out", "no"],
            standalone_mode=False)  # fmt: skip


def test_codes_that_the_model_takes_for_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    run("--preset", "one.toml", "--fold", "1", "--out", "models/one")
    with pytest.raises(UnsuitableModel, match="has codes from 0 to 2") as caught:
        app(["decompose", "runs/one", "--out", "no"], standalone_mode=False)
    assert 'coding = "diploid"' in caught.value.hint


def test_a_model_that_tells_no_layers_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    run("--model", "lightgbm", "--fold", "1", "--out", "models/trees")
    with pytest.raises(UnsuitableModel, match=r"model lightgbm .* cannot be mapped exactly"):
        app(["decompose", "runs/trees", "--out", "no"], standalone_mode=False)


@pytest.mark.parametrize("preset", ["paper", "default", "deeplift"])
def test_the_map_of_every_preset(
    preset: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of the ensemble of its bundle, from the numbers of its graphs."""
    monkeypatch.chdir(folder)
    text = (PRESET_FOLDER / f"{preset}.toml").read_text()
    Path(f"{preset}.toml").write_text(re.sub(r"(?m)^epochs = \d+", "epochs = 2", text))
    run("--preset", f"{preset}.toml", "--out", f"models/{preset}")
    for at, path in enumerate((f"runs/{preset}", f"models/{preset}")):
        words = ["decompose", path, "--lines", "200", "--out", str(tmp_path / str(at))]
        app(words, standalone_mode=False)
        assert record_of(tmp_path / str(at))["largest_difference_of_the_map"] < 1e-4


def test_more_loci_than_all_pairs_are_taken_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first look finds the two loci of the pair."""
    monkeypatch.setattr(of_networks, "ALL_PAIRS", 5)
    monkeypatch.setattr(of_networks, "CHOSEN", 2)
    words = ["decompose", str(folder / "models/x"), "--lines", "300", "--out", str(tmp_path / "d")]
    app(words, standalone_mode=False)
    pairs = pq.read_table(tmp_path / "d/epistasis.parquet").to_pylist()
    assert (pairs[0]["snp_a"], pairs[0]["snp_b"]) == ("L03", "L04")
    assert {pair["snp_a"] for pair in pairs} == {"L03", "L04"}
    # With five others that vary each, and once with each other.
    assert sum(pair["kind"] == "additive_by_additive" for pair in pairs) == 11


def test_a_score_without_frequencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Alleles are taken as equally common; a linear bundle has no place for the tables."""
    monkeypatch.chdir(tmp_path)
    rows = ["rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"]
    rows += ["rs1\t1\t100\tA\tG\t0.5", "rs2\t1\t200\tC\tT\t-0.2", "rs3\t2\t300\tA\tC\t0.1"]
    head = "#format_version=2.0\n#pgs_id=PGS000000\n#trait_reported=x\n#genome_build=GRCh37\n"
    Path("score.txt").write_text(head + "\n".join(rows) + "\n")
    import_app(["import", "score.txt", "--out", "score"], standalone_mode=False)
    app(["decompose", "score", "--lines", "200", "--out", "d"], standalone_mode=False)
    assert "100.0% additive, 0.0% dominance" in " ".join(capsys.readouterr().err.split())
    loci = pq.read_table("d/decomposition.parquet").column("additive").to_pylist()
    assert loci == pytest.approx([0.5, -0.2, 0.1])
    with pytest.raises(UsageError, match="is of kind linear"):
        app(["decompose", "score", "--bundle", "score", "--out", "e"], standalone_mode=False)
