"""Training on PLINK's .raw: which columns are SNPs, what they count, and the bundle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.errors import DuplicateColumn
from snpredict.genotypes.variants import Variant
from tests.formats import plink, vcf
from tests.simulated import read_table, simulate
from train.data.phenotypes import read_phenotypes
from train.data.snpinfo import SnpInfo, info_from_names, with_alleles
from train.errors import TrainingTableError

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
NAMES, CODES, PHENOTYPE, _ = simulate(n_samples=60, n_snps=24)
SAMPLES = [f"S{n:03d}" for n in range(60)]
#: Every other column counts the reference's allele, as plink2 does, and every third is A/C.
VARIANTS = [
    Variant(name, f"Sim{1 + at // 8:02d}", 10 * at, *(("A", "C") if at % 3 else ("C", "A")))
    for at, name in enumerate(NAMES)
]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    values = [f"{value:.4f}" for value in PHENOTYPE]
    values[3], values[4] = "-9", "NA"
    return plink.write_raw(tmp_path / "g.raw", SAMPLES, VARIANTS, CODES, phenotype=values)


def test_the_pedigree_is_no_snp_and_the_phenotype_is_a_trait(raw: Path) -> None:
    data = read_table(raw, trait="PHENOTYPE")
    assert data.snps == NAMES
    assert data.dropped == 2
    assert "S003" not in data.samples
    assert "S004" not in data.samples
    kept = [row for row in range(60) if row not in (3, 4)]
    assert np.array_equal(data.codes, CODES[kept])
    assert np.allclose(data.phenotype, PHENOTYPE[kept], atol=1e-4)


@pytest.mark.parametrize("sex", ["0", "1", "2"])
def test_nor_are_they_where_the_trait_is_elsewhere(raw: Path, sex: str) -> None:
    raw.write_text(raw.read_text().replace("\t0\t0\t0\t", f"\t0\t0\t{sex}\t"))
    lines = [f"{s}\t{v:.3f}" for s, v in zip(SAMPLES, PHENOTYPE, strict=True)]
    traits = raw.with_name("traits.tsv")
    traits.write_text("\n".join(["line\tyield", *lines]) + "\n")
    data = read_table(raw, trait="yield", phenotypes=read_phenotypes(traits))
    assert data.snps == NAMES
    assert len(data.samples) == 60


def test_columns_of_heterozygotes_are_no_snps(tmp_path: Path) -> None:
    lines = ["FID IID PAT MAT SEX PHENOTYPE rs1_A rs1_HET rs2_C rs2_HET rs3_T rs3_HET"]
    lines += [f"f s{n} 0 0 0 {n} {n % 3} 1 2 0 1 1" for n in range(6)]
    (tmp_path / "ad.raw").write_text("\n".join(lines) + "\n")
    assert read_table(tmp_path / "ad.raw", trait="PHENOTYPE").snps == ["rs1", "rs2", "rs3"]


def test_an_id_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    lines = ["FID IID PAT MAT SEX PHENOTYPE rs1_A rs1_T rs3_G", "f a 0 0 0 1 0 1 2"]
    (tmp_path / "g.raw").write_text("\n".join(lines) + "\n")
    with pytest.raises(DuplicateColumn, match="more than one column 'rs1'"):
        read_table(tmp_path / "g.raw", trait="PHENOTYPE")


# --- alleles ------------------------------------------------------------------------------------

SNPS = ["rs1", "rs2"]
ALLELES = {"rs1": ("A", "G"), "rs2": ("C", None)}


def info(counted: list[str | None], other: list[str | None]) -> SnpInfo:
    return SnpInfo(["1", "1"], [10, 20], counted, other)


def test_the_tables_alleles_are_added() -> None:
    found = with_alleles(info([None, None], [None, "T"]), SNPS, ALLELES, Path("g.raw"))
    assert (found.counted_allele, found.other_allele) == (["A", "C"], ["G", "T"])
    assert found.position == [10, 20]
    same = with_alleles(info(["a", "C"], ["G", None]), SNPS, ALLELES, Path("g.raw"))
    assert (same.counted_allele, same.other_allele) == (["a", "C"], ["G", None])
    places = info_from_names(["x", "y"])
    assert with_alleles(places, ["x", "y"], {}, Path("t.tsv")) == places


@pytest.mark.parametrize(
    ("counted", "other"),
    [(["G", "C"], ["A", None]), (["A", "T"], ["G", None]), ([None, None], [None, "C"])],
    ids=["swapped", "another", "counted as the other"],
)
def test_a_snp_table_that_contradicts_them_is_refused(counted: list, other: list) -> None:
    with pytest.raises(TrainingTableError, match="by the file itself") as caught:
        with_alleles(info(counted, other), SNPS, ALLELES, Path("g.raw"))
    assert "include-alt" in str(caught.value.hint)


# --- from .raw to bundle to prediction ----------------------------------------------------------


def command(folder: Path, *words: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )


def test_a_bundle_from_a_raw_knows_what_it_counts(tmp_path: Path) -> None:
    """Trained in the coding -1, 0, 1, of counted alleles alone, as `--export A` writes them."""
    pytest.importorskip("tensorflow", reason="needs the extra 'train'")
    from tests.training import train

    values = [f"{value:.4f}" for value in PHENOTYPE]
    options = {"other_allele": False, "phenotype": values, "delimiter": " "}
    raw = plink.write_raw(tmp_path / "g.raw", SAMPLES, VARIANTS, CODES, **options)
    header, *rows = raw.read_text().splitlines()
    less_one = {"0": "-1", "1": "0", "2": "1"}
    lines = [row.split(" ") for row in rows]
    lines = [[*line[:6], *(less_one.get(c, c) for c in line[6:])] for line in lines]
    (tmp_path / "r.raw").write_text("\n".join([header, *map(" ".join, lines)]) + "\n")
    words = ["run", "r.raw", "--trait", "PHENOTYPE", "--unit", "cm", "--out", "model"]
    words += ["--preset", "gblup", "--folds", "random", "--n-folds", "2", "--jobs", "1"]
    refused = train(*words, cwd=tmp_path)
    assert refused.returncode == 28
    assert "hint: --coding -101 reads" in refused.stderr
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "runs").exists()
    done = train(*words, "--coding", "-101", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "-1, 0, 1 read as 0, 1, 2 (--coding -101)" in done.stderr

    bundle = load_bundle(tmp_path / "model")
    assert bundle.snps.ids == tuple(NAMES)
    assert bundle.snps.counted_allele == tuple(v.counted for v in VARIANTS)
    assert set(bundle.snps.other_allele) == {None}
    assert bundle.manifest.training.table_coding == "-101"

    vcf.write(tmp_path / "g.vcf", SAMPLES, VARIANTS, CODES)
    results = []
    for file in (["g.raw"], ["r.raw", "--coding", "-101"], ["g.vcf"]):
        shown = command(tmp_path, "snpredict", "predict", *file, "-m", "model", "--format", "json")
        assert shown.returncode == 0, shown.stderr
        results.append(json.loads(shown.stdout)["results"])
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 60
