"""Training sets from every format: the same codes, alleles and places; samples joined by id."""

from pathlib import Path

import numpy as np
import pytest

from snpredict.errors import (
    DuplicateSample,
    NoGenotypes,
    NoSampleColumn,
    SnpredictError,
    UsageError,
)
from snpredict.genotypes.variants import Variant
from tests.formats import hapmap, plink, tables, vcf
from tests.simulated import read_tables, simulate, write_table
from train.data.dataset import TraitTable
from train.data.phenotypes import read_phenotypes
from train.data.traits import read_traits
from train.errors import PhenotypeFileError, TrainingTableError

NAMES, CODES, PHENOTYPE, FAMILY = simulate(n_samples=40, n_snps=24)
SAMPLES = [f"S{n:03d}" for n in range(40)]
VARIANTS = [
    Variant(name, f"Sim{1 + at // 8:02d}", 1000 * (at + 1), *("CA" if at % 2 else "AG"))
    for at, name in enumerate(NAMES)
]
PACKAGES = {"pgen": "pgenlib", "bcf": "cyvcf2"}
#: A table of bare codes says nothing of alleles.
WRITERS = {
    "vcf": vcf.write,
    "bed": plink.write_bed,
    "pgen": plink.write_pgen,
    "hapmap": hapmap.write,
    "raw": plink.write_raw,
    "tsv, SNPs in rows": tables.write_snp_rows,
    "parquet, SNPs in rows": tables.write_parquet_rows,
    "tsv": tables.write_wide,
    "parquet": tables.write_parquet_wide,
}


def yields(folder: Path, samples: list[str] = SAMPLES, more: str = "") -> Path:
    """A phenotype table, in another order than the genotypes."""
    value = dict(zip(SAMPLES, PHENOTYPE, strict=True))
    lines = [f"{s},{value.get(s, 1.0):.4f}" for s in sorted(samples, reverse=True)]
    path = folder / "yield.csv"
    path.write_text("\n".join(["line,yield", *lines]) + f"\n{more}")
    return path


def read(path: Path, phenotypes: Path | None, **how: object) -> TraitTable:
    found = None if phenotypes is None else read_phenotypes(phenotypes)
    return read_tables(path, ["yield"], found, **how)


def records(path: Path, *lines: str, samples: str = "S000\tS001\tS002") -> Path:
    """A VCF of three samples; lines hold CHROM to ALT, then genotypes, by blanks."""
    header = (
        f"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}"
    )
    rows = []
    for line in lines:
        cells = line.split()
        rows.append("\t".join([*cells[:5], ".", ".", ".", "GT", *cells[5:]]))
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("format", WRITERS)
def test_every_format_gives_the_same_training_set(format: str, tmp_path: Path) -> None:
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} reads {format}")
    path = WRITERS[format](tmp_path / "panel", SAMPLES, VARIANTS, CODES)
    data = read(path, yields(tmp_path))
    assert data.samples == SAMPLES
    assert data.snps == NAMES
    np.testing.assert_array_equal(data.codes, CODES)
    np.testing.assert_allclose(data.values[:, 0], PHENOTYPE, atol=1e-4)
    assert data.info.chromosome == [v.chromosome for v in VARIANTS]
    assert data.info.position == [v.position for v in VARIANTS]
    if format not in ("tsv", "parquet"):
        assert data.info.counted_allele == [v.counted for v in VARIANTS]
        assert data.info.other_allele == [v.other for v in VARIANTS]
        assert data.info.without_alleles == 0


@pytest.mark.parametrize("format", ["vcf", "tsv", "parquet"])
def test_samples_of_one_file_only_are_left_out_and_listed(format: str, tmp_path: Path) -> None:
    path = WRITERS[format](tmp_path / "panel", SAMPLES, VARIANTS, CODES)
    data = read(path, yields(tmp_path, ["field7", *SAMPLES[10:]]))
    assert data.samples == SAMPLES[10:]
    np.testing.assert_array_equal(data.codes, CODES[10:])
    (note,) = (note for note in data.notes if "left out" in note)
    assert "10 of the 40 samples of panel" in note
    assert "'S000', 'S001', 'S002', 'S003', 'S004', ...; 1 of the 31 samples of yield.csv" in note
    assert note.endswith("'field7'")


def test_no_common_sample_is_an_error_that_shows_both_sides(tmp_path: Path) -> None:
    path = vcf.write(tmp_path / "panel.vcf", SAMPLES, VARIANTS, CODES)
    with pytest.raises(PhenotypeFileError, match=r"found 'S000', .* and 'x2', 'x1'"):
        read(path, yields(tmp_path, ["x1", "x2"]))
    with pytest.raises(PhenotypeFileError, match="sample 'S003' alone in common"):
        read(path, yields(tmp_path, ["x1", "S003"]))


@pytest.mark.parametrize("format", ["vcf", "tsv"])
def test_the_ids_of_the_phenotypes_may_be_in_any_column(format: str, tmp_path: Path) -> None:
    path = WRITERS[format](tmp_path / "panel", SAMPLES, VARIANTS, CODES)
    traits = yields(tmp_path)
    rows = traits.read_text().replace("line,", "GID,entry,", 1).split()
    numbered = [rows[0], *(row.replace(",", f",{n},") for n, row in enumerate(rows[1:]))]
    traits.write_text("\n".join(numbered) + "\n")
    found = read_phenotypes(traits, id_column="GID")
    data = read_tables(path, ["yield"], found, id_column="GID")
    np.testing.assert_allclose(data.values[:, 0], PHENOTYPE, atol=1e-4)
    with pytest.raises(PhenotypeFileError) as caught:
        read_tables(path, ["yield"], read_phenotypes(traits))
    assert "column 'entry'" in str(caught.value.hint)
    with pytest.raises(NoSampleColumn, match=r"no .*column 'ID2'"):
        read_tables(path, ["yield"], read_phenotypes(yields(tmp_path)), id_column="ID2")


def test_genotypes_alone_need_a_table_of_phenotypes(tmp_path: Path) -> None:
    path = vcf.write(tmp_path / "panel.vcf", SAMPLES, VARIANTS, CODES)
    with pytest.raises(TrainingTableError, match="holds genotypes and no phenotypes") as caught:
        read(path, None)
    assert "--phenotypes TABLE" in str(caught.value.hint)
    with pytest.raises(TrainingTableError, match=r"yield.csv has no column 'oil'; found 'yield'"):
        read_tables(path, ["oil"], read_phenotypes(yields(tmp_path)))
    with pytest.raises(UsageError, match=r"panel.vcf is vcf and has none"):
        read(path, yields(tmp_path), ignore=("oil",))


def test_the_same_line_twice_is_an_error_with_its_id(tmp_path: Path) -> None:
    path = records(tmp_path / "p.vcf", "1 5 . A G 0/0 0/1 1/1", samples="S000\tS001\tS000")
    with pytest.raises(DuplicateSample, match="S000"):
        read(path, yields(tmp_path))
    more = "S003,12\n"
    path = records(tmp_path / "p.vcf", "1 5 . A G 0/0 0/1 1/1")
    with pytest.raises(DuplicateSample, match="S003") as caught:
        read(path, yields(tmp_path, more=more))
    assert "--repeats mean" in str(caught.value.hint)


def test_several_rows_of_a_line_in_the_phenotype_table_are_averaged(tmp_path: Path) -> None:
    path = records(tmp_path / "p.vcf", "1 5 . A G 0/0 0/1 1/1")
    rows = ["line,yield", "S001,4", "S000,1", "S001,6", "S002,9"]
    (tmp_path / "plots.csv").write_text("\n".join(rows) + "\n")
    found = read_phenotypes(tmp_path / "plots.csv", repeats=True)
    data = read_tables(path, ["yield"], found, repeats="mean")
    assert data.samples == ["S000", "S001", "S002"]
    assert data.values[:, 0].tolist() == [1, 5, 9]
    assert any("2 rows of 1 lines averaged" in note for note in data.notes)


def test_a_vcf_without_samples_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "sites.vcf"
    path.write_text(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "1\t5\t.\tA\tG\t.\t.\t.\n"
    )
    with pytest.raises(NoGenotypes, match="has no samples"):
        read(path, yields(tmp_path))


MULTIALLELIC = (
    "1 5 . A G 0/0 0/1 1/1",
    "1 6 rs6 A G,T 0/1 1/2 2/2",
    "1 7 . C A 0/0 0/1 ./.",
    "1 7 . C T 0/1 0/0 0/0",
    "2 8 rs8 C T 1/1 0/1 0/0",
)


def test_sites_of_several_alleles_are_left_out_and_counted(tmp_path: Path) -> None:
    """Whether their alleles stand in one record or in several."""
    data = read(records(tmp_path / "p.vcf", *MULTIALLELIC), yields(tmp_path))
    assert data.snps == ["1_5_A_G", "rs8"]
    np.testing.assert_array_equal(data.codes, [[0, 2], [1, 1], [2, 0]])
    assert any(note.startswith("2 sites of several alternative alleles") for note in data.notes)


def test_a_site_is_one_whatever_its_records_are_called(tmp_path: Path) -> None:
    """And wherever they stand; an insertion is of another site than a base beside it."""
    rows = (
        "1 5 a A G 0/0 0/1 1/1",
        "1 5 b AT A 0/0 0/1 1/1",
        "1 5 c A T 0/0 0/0 0/1",
        "1 9 probe1 A G 0/0 0/1 1/1",
        "1 9 probe2 A G 0/0 0/1 1/1",
    )
    data = read(records(tmp_path / "p.vcf", *rows), yields(tmp_path))
    assert data.snps == ["b", "probe1", "probe2"]


def test_or_split_into_a_snp_per_allele(tmp_path: Path) -> None:
    path = records(tmp_path / "p.vcf", *MULTIALLELIC)
    data = read(path, yields(tmp_path), multiallelic="split")
    assert data.snps == ["1_5_A_G", "rs6_G", "rs6_T", "1_7_C_A", "1_7_C_T", "rs8"]
    # A genotype with a third allele is missing for the first two.
    np.testing.assert_array_equal(data.codes[:, 1:3], [[1, -1], [-1, -1], [-1, 2]])
    assert data.info.counted_allele == ["G", "G", "T", "A", "T", "T"]


def test_a_file_whose_sites_all_have_several_alleles(tmp_path: Path) -> None:
    path = records(tmp_path / "p.vcf", "1 6 rs6 A G,T 0/1 1/2 2/2")
    with pytest.raises(TrainingTableError, match="no variant of one alternative allele") as caught:
        read(path, yields(tmp_path))
    assert "--multiallelic split" in str(caught.value.hint)


def test_sites_without_an_allele_to_count_are_left_out(tmp_path: Path) -> None:
    lines = ["1 5 d A <DEL> 0/0 0/1 1/1", "1 6 s A * 0/0 0/1 1/1", "1 7 m A . 0/0 0/0 0/0"]
    data = read(records(tmp_path / "p.vcf", *lines, "1 8 g A G 0/0 0/1 1/1"), yields(tmp_path))
    assert data.snps == ["g"]
    said = "3 sites without a second allele that can be counted (., *, <DEL>), left out"
    assert said in data.notes


def test_two_snps_of_one_name_are_refused(tmp_path: Path) -> None:
    path = records(tmp_path / "p.vcf", "1 5 m A G 0/0 0/1 1/1", "2 9 m A G 0/0 0/1 1/1")
    with pytest.raises(TrainingTableError, match="1 SNPs more than once: 'm_G'"):
        read(path, yields(tmp_path))


def test_dosages_are_kept_and_that_is_said(tmp_path: Path) -> None:
    dosages = np.array([[0.2, 0.6], [1.4, 1.5], [1.9, np.nan]])
    path = vcf.write(
        tmp_path / "p.vcf", SAMPLES[:3], VARIANTS[:2], CODES[:3, :2], fields="DS", dosages=dosages
    )
    data = read(path, yields(tmp_path))
    copies = data.genotypes.copies()
    np.testing.assert_allclose(copies, [[0.2, 0.6], [1.4, 1.5], [1.9, np.nan]], rtol=1e-6)
    np.testing.assert_array_equal(data.codes, [[0, 1], [1, 2], [2, -1]])
    assert "5 dosages between two genotypes, kept as they are" in data.notes


def test_columns_beside_the_snps_of_a_parquet_table_are_named_or_refused(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tables.write_parquet_wide(tmp_path / "p.parquet", SAMPLES, VARIANTS, CODES)
    table = pq.read_table(path)
    pq.write_table(table.append_column("rust", [CODES[:, 0].tolist()]), path)
    with pytest.raises(SnpredictError, match="'rust'"):
        read(path, yields(tmp_path))
    assert read(path, yields(tmp_path), ignore=("rust",)).snps == NAMES
    with pytest.raises(TrainingTableError, match="has no column 'rost'"):
        read(path, yields(tmp_path), ignore=("rost",))


def test_folds_and_families_may_stand_in_the_phenotype_table(tmp_path: Path) -> None:
    path = plink.write_bed(tmp_path / "panel", SAMPLES, VARIANTS, CODES)
    rows = [f"{s},{at},{at % 3},{'AB'[at % 2]}" for at, s in enumerate(SAMPLES)]
    (tmp_path / "p.csv").write_text("\n".join(["line,yield,fold,family", *rows]) + "\n")
    found = read_phenotypes(tmp_path / "p.csv")
    data = read_traits(path, traits=["yield"], phenotypes=found, needs=("folds", "families"))
    assert data.fold_labels is not None
    assert data.fold_labels[:4] == ["0", "1", "2", "0"]
    assert data.families is not None
    assert data.families[:3] == ["A", "B", "A"]
    before = data.sha256
    (tmp_path / "panel.bim").write_text((tmp_path / "panel.bim").read_text().replace("Sim0", "1"))
    assert read(path, tmp_path / "p.csv").sha256 != before
    without = read_phenotypes(yields(tmp_path))
    with pytest.raises(TrainingTableError, match="no column 'fold' to take the folds from"):
        read_traits(path, traits=["yield"], phenotypes=without, needs=("folds",))


def test_a_table_of_samples_in_rows_keeps_its_own_phenotypes(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.tsv", NAMES, CODES, PHENOTYPE, FAMILY)
    data = read_tables(path, ["height"])
    assert data.snps == NAMES
    assert data.families is not None
    assert data.fold_labels is not None
