"""From files of every format to a bundle: the same lines give the same one, bit for bit."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
pytest.importorskip("onnx", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.cli import main
from snpredict.errors import SnpredictError
from snpredict.genotypes.variants import Variant
from tests.formats import hapmap, plink, tables, vcf
from tests.outside import MODULE
from tests.simulated import simulate
from train.cli import app
from train.errors import TrainingTableError

pytestmark = pytest.mark.slow

NAMES, CODES, PHENOTYPE, _ = simulate(n_samples=60, n_snps=24)
SAMPLES = [f"S{n:03d}" for n in range(60)]
VARIANTS = [
    Variant(name, f"Sim{1 + at // 8:02d}", 1000 * (at + 1), *("CA" if at % 2 else "AG"))
    for at, name in enumerate(NAMES)
]
WRITERS = {
    "vcf": (vcf.write, "panel.vcf"),
    "bed": (plink.write_bed, "panel"),
    "hapmap": (hapmap.write, "panel.hmp.txt"),
    "raw": (plink.write_raw, "panel.raw"),
    "parquet": (tables.write_parquet_rows, "panel.parquet"),
}
#: What the manifest says of where and when a bundle was made.
PROVENANCE = ("name", "created", "files", "training.table", "training.sha256")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("panel")
    (folder / "sums.py").write_text(MODULE)
    rows = [f"{s},{v:.4f}" for s, v in zip(SAMPLES, PHENOTYPE, strict=True)]
    (folder / "yield.csv").write_text("\n".join(["line,yield", *rows]) + "\n")
    snps = [f"{v.id}\t{v.chromosome}\t{v.position}\t{v.counted}\t{v.other}" for v in VARIANTS]
    (folder / "snps.tsv").write_text("\n".join(["id\tchrom\tpos\talt\tref", *snps]) + "\n")
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parents[3]}:{folder}")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(folder)


def run(path: Path, out: str, *more: str, folds: int = 2) -> None:
    words = ["run", str(path), "--phenotypes", "yield.csv", "--trait", "yield", "--unit", "t/ha"]
    words += ["--folds", "random", "--n-folds", str(folds), "--threads", "1", "--model", "sums:Sum"]
    app([*words, "--out", out, *more], standalone_mode=False)


def files_of(bundle: Path) -> dict[str, bytes]:
    """Every file of a bundle but those with its provenance."""
    files = {str(p.relative_to(bundle)): p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    return {
        name: content for name, content in files.items() if "." in name and name != "MODEL_CARD.md"
    }


def without_provenance(manifest: bytes) -> dict:
    found = json.loads(manifest)
    for name in PROVENANCE:
        *outer, last = name.split(".")
        del (found[outer[0]] if outer else found)[last]
    return found


@pytest.fixture
def of_table(here: None) -> dict[str, bytes]:
    """The bundle of a table of bare codes, with a table of its SNPs' alleles."""
    if not Path("table").exists():
        path = tables.write_wide(Path("panel.tsv"), SAMPLES, VARIANTS, CODES)
        run(
            path,
            "table",
            "--snp-info",
            "snps.tsv",
            "--counted-allele",
            "alt",
            "--other-allele",
            "ref",
        )
    return files_of(Path("table"))


@pytest.mark.parametrize("format", WRITERS)
def test_the_same_lines_give_the_same_bundle(format: str, of_table: dict[str, bytes]) -> None:
    writer, name = WRITERS[format]
    run(writer(Path(name), SAMPLES, VARIANTS, CODES), format)
    files = files_of(Path(format))
    assert files.keys() == of_table.keys()
    for name, content in files.items():
        if name == "manifest.json":
            assert without_provenance(content) == without_provenance(of_table[name])
        else:
            assert content == of_table[name], name
    assert load_bundle(f"./{format}").snps.counted_allele == tuple(v.counted for v in VARIANTS)


def test_a_prefix_names_a_plink_set(folder: Path) -> None:
    plink.write_bed(folder / "set", SAMPLES, VARIANTS, CODES)
    run(Path("set"), "prefix")
    assert load_bundle("./prefix").manifest.training.table == "set.bed"


def test_filters_leave_snps_out_in_each_fold(capsys: pytest.CaptureFixture[str]) -> None:
    """Also of the exported models: what is left out has no part in a prediction."""
    codes = CODES.copy()
    codes[:, 4] = 0
    codes[:40, 7] = -1
    vcf.write(Path("gaps.vcf"), SAMPLES, VARIANTS, codes)
    run(Path("gaps.vcf"), "filtered", "--min-maf", "0.05", "--max-missing", "0.4")
    bundle = load_bundle("./filtered")
    assert bundle.manifest.training.snp_filters == (
        "minor allele frequency at least 0.05, missing at most 40 %"
    )
    kept = [fold.chosen["snps_kept"] for fold in bundle.manifest.folds]
    assert all(0 < n <= 22 for n in kept)
    assert len(bundle.snps.ids) == 24
    card = Path("filtered/MODEL_CARD.md").read_text()
    assert f"Of 24 the folds kept {kept[0]}, {kept[1]}" in card
    codes[:, 4], codes[:, 7] = 2, 1
    vcf.write(Path("changed.vcf"), [f"new{s}" for s in SAMPLES], VARIANTS, codes)
    plain = CODES.copy()
    plain[:, 4], plain[:, 7] = 1, 0
    vcf.write(Path("plain.vcf"), [f"new{s}" for s in SAMPLES], VARIANTS, plain)
    predicted = []
    for name in ("changed", "plain"):
        assert main(["predict", f"{name}.vcf", "-m", "./filtered", "-o", f"{name}.tsv"]) == 0
        rows = [line.split("\t") for line in Path(f"{name}.tsv").read_text().splitlines()[1:]]
        predicted.append([row[1] for row in rows])
    assert predicted[0] == predicted[1]
    capsys.readouterr()


def test_filters_that_nothing_passes_leave_no_folder(folder: Path) -> None:
    codes = np.zeros_like(CODES)
    vcf.write(Path("flat.vcf"), SAMPLES, VARIANTS, codes)
    with pytest.raises(TrainingTableError, match="none of the 24 SNPs passes the filters"):
        run(Path("flat.vcf"), "flat", "--min-maf", "0.01")
    assert not Path("runs/flat").exists()


def test_an_evaluation_takes_the_same_files(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("lightgbm", reason="needs the extra 'train'")
    vcf.write(Path("panel.vcf"), SAMPLES, VARIANTS, CODES)
    words = ["evaluate", "panel.vcf", "--phenotypes", "yield.csv", "--trait", "yield"]
    words += ["--models", "gblup,family-mean", "--folds", "random", "--n-folds", "2"]
    app([*words, "--min-maf", "0.05", "--out", "evaluation"], standalone_mode=False)
    assert "minor allele frequency at least 0.05" in Path("evaluation/report.md").read_text()
    with pytest.raises(SnpredictError, match="holds genotypes and no phenotypes"):
        app(["evaluate", "panel.vcf", "--trait", "yield", "--out", "e2"], standalone_mode=False)
    capsys.readouterr()


def test_gblup_stands_beside_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    """In the table of the folds, in a sentence, in the manifest and in the card."""
    vcf.write(Path("panel.vcf"), SAMPLES, VARIANTS, CODES)
    run(Path("panel.vcf"), "beside", folds=3)
    folds = Path("runs/beside/fold_pcc_summary.csv").read_text().splitlines()
    assert folds[0] == "fold,pcc,mae,mse,r2,pcc_gblup"
    gblup = [float(line.split(",")[-1]) for line in folds[1:4]]
    metrics = load_bundle("./beside").manifest.metrics
    assert metrics["gblup_pcc_mean"] == pytest.approx(np.mean(gblup), abs=1e-6)
    gain = metrics["pcc_mean"] - metrics["gblup_pcc_mean"]
    assert metrics["pcc_above_gblup"] == pytest.approx(gain)
    said = f"PCC of this model {metrics['pcc_mean']:.3f}, of GBLUP {metrics['gblup_pcc_mean']:.3f}"
    assert said in capsys.readouterr().err
    assert f"- On the same folds: {said}; difference" in Path("beside/MODEL_CARD.md").read_text()
    run(Path("panel.vcf"), "without", "--no-gblup")
    assert not Path("runs/without/gblup").exists()
    assert "gblup_pcc_mean" not in load_bundle("./without").manifest.metrics


def test_several_codings_on_the_same_folds(capsys: pytest.CaptureFixture[str]) -> None:
    """One is the same in another order; one is shuffled, which costs all of the accuracy."""
    vcf.write(Path("panel.vcf"), SAMPLES, VARIANTS, CODES)
    hapmap.write(Path("panel.hmp.txt"), SAMPLES[::-1], VARIANTS, CODES[::-1])
    shuffled = np.random.default_rng(1).permuted(CODES, axis=0)
    vcf.write(Path("shuffled.vcf"), SAMPLES, VARIANTS, shuffled)
    words = ("--compare", "panel.hmp.txt", "--compare", "shuffled.vcf")
    run(Path("panel.vcf"), "codings", *words, folds=4)
    said = " ".join(capsys.readouterr().err.split())
    assert "of panel.hmp.txt 0." in said
    assert "difference +0.000 [+0.000, +0.000] (95 % interval over 4 folds)" in said
    assert "panel.vcf predicts better than shuffled.vcf" in said
    header = Path("runs/codings/fold_pcc_summary.csv").read_text().splitlines()[0]
    assert header == "fold,pcc_first,pcc_second,pcc_third,pcc_gblup"
