"""``python -m train gwas``: tables, pictures, and what it says."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.errors import UsageError
from snpredict.genotypes.variants import Variant
from tests.formats import plink, vcf
from train.cli import app
from train.errors import NonNumericPhenotype, TrainingTableError, UnsuitableModel

N, SNPS = 160, 40
COLUMNS = "snp chromosome position counted_allele other_allele n beta se statistic neg_log10_p"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lines in a VCF and a .bed, with a trait of SNP 7, in classes too, and covariates."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    codes = random.binomial(2, 0.4, (N, SNPS)).astype(np.int8)
    age = random.normal(50, 10, N)
    site = np.where(random.random(N) < 0.5, "north", "south")
    y = 2 * codes[:, 7] + 0.05 * age + 2 * (site == "north") + random.normal(size=N)
    codes[random.random(codes.shape) < 0.02] = -1
    names = [f"L{at:03d}" for at in range(N)]
    variants = [
        Variant(f"snp{at}", f"{1 + at // 20}", 1000 * (at + 1), "A", "G") for at in range(SNPS)
    ]
    plink.write_bed(tmp_path / "lines", names, variants, codes)
    vcf.write(tmp_path / "lines", names, variants, codes).rename("lines.vcf")
    case = y > np.quantile(y, 0.6)
    header = "line\ty\tsick\tplink\tresistance\tcolour\tage\tsite\tcopy\tsame"
    rows = [
        f"{names[at]}\t{y[at]:.9g}\t{'yes' if case[at] else 'no'}\t{1 + case[at]}\t"
        f"{'R' if case[at] else 'S'}\t{'red' if case[at] else 'blue'}\t"
        f"{'NA' if at == 3 else round(age[at], 2)}\t{site[at]}\t{3 * y[at] + 1:.9g}\t1"
        for at in range(N)
    ]
    (tmp_path / "traits.tsv").write_text("\n".join([header, *rows]) + "\n")
    return tmp_path


def gwas(*words: str, file: str = "lines.bed", trait: str = "y", out: str = "found.tsv") -> None:
    usual = ["gwas", file, "--phenotypes", "traits.tsv", "--trait", trait, "--out", out]
    app([*usual, *words], standalone_mode=False)


def table(path: str = "found.tsv") -> dict[str, list[str]]:
    header, *rows = Path(path).read_text().splitlines()
    return dict(
        zip(header.split("\t"), zip(*(row.split("\t") for row in rows), strict=True), strict=True)
    )


def test_table_pictures_and_record(folder: Path, capsys) -> None:
    gwas("--covariates", "age,site")
    found = table()
    assert " ".join(found) == COLUMNS
    values = np.array(found["neg_log10_p"], float)
    assert found["snp"][values.argmax()] == "snp7"
    assert (found["chromosome"][7], found["position"][7]) == ("1", "8000")
    assert (found["counted_allele"][7], found["other_allele"][7]) == ("A", "G")
    assert abs(float(found["beta"][7]) - 2) < 0.4
    assert max(map(int, found["n"])) == N - 1
    for name in ("found.manhattan.png", "found.qq.png"):
        assert Path(name).read_bytes()[:4] == b"\x89PNG"
    record = json.loads(Path("found.tsv.json").read_text())
    assert record["covariates"] == ["age", "site=south"]
    assert (record["lines"], record["lines_left_out"]) == (N - 1, 1)
    assert record["model"] == "linear"
    told = capsys.readouterr().err
    assert "1 lines left out: their trait or a covariate is missing" in told
    assert "adjusted for age, site=south" in told
    assert "snp7 (1:8000)" in told
    assert not Path("found.html").exists()


@pytest.mark.parametrize("words", [(), ("--model", "mixed"), ("--components", "2")])
def test_files_of_other_formats_give_the_same(folder: Path, words: tuple[str, ...]) -> None:
    gwas(*words, "--no-plots")
    gwas(*words, "--no-plots", file="lines.vcf", out="other.parquet")
    one = np.array(table()["statistic"], float)
    other = parquet.read_table("other.parquet")
    assert " ".join(other.column_names) == COLUMNS
    np.testing.assert_allclose(one, other.column("statistic").to_numpy(), rtol=1e-12)


def test_the_same_command_gives_the_same_bytes(folder: Path) -> None:
    gwas("--model", "mixed", "--components", "2")
    first = {path.name: path.read_bytes() for path in folder.glob("found.*")}
    gwas("--model", "mixed", "--components", "2")
    assert {path.name: path.read_bytes() for path in folder.glob("found.*")} == first
    assert len(first) == 4


@pytest.mark.parametrize(
    ("trait", "case", "other"),
    [("sick", "yes", "no"), ("plink", "2", "1"), ("resistance", "R", "S")],
)
def test_which_class_is_the_case_is_said(folder: Path, capsys, trait, case, other) -> None:
    gwas(trait=trait)
    told = capsys.readouterr().err
    assert f"trait '{trait}': '{case}' is taken as the case (1), '{other}' as 0" in told
    assert f"logistic model of '{trait}'" in told
    found = table()
    assert found["snp"][np.argmax(np.array(found["neg_log10_p"], float))] == "snp7"
    assert float(found["beta"][7]) > 0
    plain = found["beta"]
    gwas("--case", other, trait=trait)
    turned = np.array(table()["beta"], float)
    np.testing.assert_allclose(turned, -np.array(plain, float), rtol=1e-6)


def test_a_miami_plot_and_a_page(folder: Path) -> None:
    pytest.importorskip("plotly", reason="needs the extra 'html'")
    gwas("--no-plots")
    gwas("--compare", "found.tsv", "--html", "--covariates", "age", out="other.tsv")
    assert Path("other.miami.png").read_bytes()[:4] == b"\x89PNG"
    page = Path("other.html").read_text()
    assert "snp7<br>1:8000" in page or "snp7\\u003cbr\\u003e1:8000" in page
    # Nothing is fetched: its one script of its own has the whole library.
    assert "<script src=" not in page
    assert "<link" not in page


def test_structure_is_warned_of(folder: Path, capsys) -> None:
    gwas()
    assert "statistics are inflated" not in capsys.readouterr().err
    random = np.random.default_rng(2)
    group = np.arange(N) % 2
    codes = random.binomial(2, np.where(group[:, None], 0.8, 0.2), (N, SNPS)).astype(np.int8)
    names = [f"L{at:03d}" for at in range(N)]
    variants = [Variant(f"snp{at}", "1", 1000 * (at + 1), "A", "G") for at in range(SNPS)]
    plink.write_bed(folder / "groups", names, variants, codes)
    lines = [f"{name}\t{g + random.normal():.6g}" for name, g in zip(names, group, strict=True)]
    Path("traits.tsv").write_text("\n".join(["line\ty", *lines]) + "\n")
    gwas(file="groups.bed")
    told = capsys.readouterr().err
    assert "warning: the statistics are inflated" in told
    assert "--model mixed or --components N" in told


def test_one_chromosome_cannot_be_left_out(folder: Path, capsys) -> None:
    lines = Path("lines.bim").read_text().splitlines()
    Path("lines.bim").write_text("".join("1" + line[line.index("\t") :] + "\n" for line in lines))
    gwas("--model", "mixed")
    assert "the kinship is that of all SNPs" in capsys.readouterr().err
    assert json.loads(Path("found.tsv.json").read_text())["kinship"] == "all"


def test_a_covariate_made_of_the_trait_is_warned_of(folder: Path, capsys) -> None:
    gwas("--covariates", "copy")
    assert "the covariate 'copy' alone predicts 'y' (correlation 1.000)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "trait", "out", "error", "told"),
    [
        ((), "y", "found.csv", UsageError, "is .tsv or .parquet"),
        (("--model", "logistic"), "y", "found.tsv", UnsuitableModel, "different values"),
        (("--model", "probit"), "y", "found.tsv", UsageError, "--model"),
        ((), "colour", "found.tsv", NonNumericPhenotype, "holds text such as"),
        (("--case", "green"), "colour", "found.tsv", NonNumericPhenotype, "expected two values"),
        (("--covariates", "same"), "y", "found.tsv", TrainingTableError, "is the same in all"),
        (("--compare", "traits.tsv"), "y", "found.tsv", TrainingTableError, "has no column snp"),
        (("--compare", "none.tsv"), "y", "found.tsv", TrainingTableError, "cannot be read"),
    ],
)
def test_what_is_refused(folder: Path, words, trait, out, error, told) -> None:
    with pytest.raises(error, match=told):
        gwas(*words, trait=trait, out=out)
    assert not [*folder.glob("found.*")]


def test_any_two_words_with_a_case(folder: Path) -> None:
    gwas("--case", "red", trait="colour")
    found = table()
    assert found["snp"][np.argmax(np.array(found["neg_log10_p"], float))] == "snp7"
