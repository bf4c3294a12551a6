"""PLINK's .raw: columns that say which allele they count."""

import gzip
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import ReadOptions
from snpredict.genotypes.tables.raw import RawTable, named_variant
from snpredict.genotypes.tables.wide import WideTable
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats import plink
from tests.reading import mutations, read_all

#: As PLINK 1.9 writes it with --recode A; PLINK 2 writes tabs.
RAW = (
    b"FID IID PAT MAT SEX PHENOTYPE m1_A m2_T x3_C m4_G\n"
    b"f1 a 0 0 1 -9 0 2 1 NA\n"
    b"f1 b 0 0 2 12.5 1 NA 1 0\n"
    b"f2 c 0 0 0 -9 2 0 9 2\n"
)
VARIANTS = [
    Variant("m1", None, None, "A", None),
    Variant("m2", None, None, "T", None),
    Variant("m4", None, None, "G", None),
]
CODES = [[0, 2, -1], [1, -1, 0], [2, 0, 2]]
WANTED = Wanted(["m1", "m2", "m4"], [None] * 3, [None] * 3)
TABS = RAW.replace(b" ", b"\t")


@pytest.fixture
def file(tmp_path):
    def write(content: bytes, name: str = "genotypes.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(RAW, id="blanks"),
        pytest.param(TABS, id="tabs"),
        pytest.param(RAW.replace(b" ", b"   "), id="several blanks"),
        pytest.param(RAW.replace(b"\n", b" \n"), id="blanks at the end"),
        pytest.param(RAW.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(RAW.rstrip(b"\n"), id="no final newline"),
        pytest.param(b"\xef\xbb\xbf" + TABS, id="byte-order mark"),
        pytest.param(gzip.compress(RAW), id="gzip"),
    ],
)
@pytest.mark.parametrize("format", [None, "raw"])
def test_layouts_that_mean_the_same(file, content, format):
    reader, variants, samples, codes, fractions = read_all(file(content), WANTED, format=format)
    assert (reader.format, reader.id_column, reader.coding) == ("raw", "IID", "012")
    assert variants.candidates == VARIANTS
    assert (variants.total, variants.has_alleles) == (4, True)
    assert samples == ["a", "b", "c"]
    assert codes.tolist() == CODES
    assert not fractions.any()


@pytest.mark.parametrize(
    ("name", "id", "counted", "other"),
    [
        pytest.param("rs1_A", "rs1", "A", None, id="allele"),
        pytest.param("rs1_A(/T)", "rs1", "A", "T", id="both alleles"),
        pytest.param("Gm01_332_T_C_C", "Gm01_332_T_C", "C", None, id="id with alleles"),
        pytest.param("Gm01_332_T_C_T(/C)", "Gm01_332_T_C", "T", "C", id="id with alleles, both"),
        pytest.param("rs1_AT(/A)", "rs1", "AT", "A", id="insertion"),
        pytest.param("rs1_a(/t)", "rs1", "A", "T", id="lower case"),
        pytest.param("rs1_A(/C,T)", "rs1", "A", None, id="several others"),
        pytest.param("rs1_0(/G)", "rs1", None, "G", id="counted allele that nobody has"),
        pytest.param("rs1_G(/.)", "rs1", "G", None, id="other allele that nobody has"),
        pytest.param("rs1_0", "rs1", "0", None, id="no allele named"),
        pytest.param("._A", None, "A", None, id="no id"),
        pytest.param("rs1", "rs1", None, None, id="no allele"),
        pytest.param("rs1_", "rs1_", None, None, id="nothing behind the underscore"),
        pytest.param("_A", "_A", None, None, id="nothing before the underscore"),
    ],
)
def test_a_columns_name(name, id, counted, other):
    assert named_variant(name) == Variant(id, None, None, counted, other)


def test_ids_that_end_in_an_allele_themselves(file):
    content = b"FID IID PAT MAT SEX PHENOTYPE 1_7_T_C_C 1_9_G_A_A\n0 a 0 0 0 -9 0 2\n"
    wants = Wanted(["1_7_T_C", "1_9_G_A"], [None] * 2, [None] * 2)
    _, variants, _, codes, _ = read_all(file(content), wants)
    assert [(v.id, v.counted) for v in variants.candidates] == [("1_7_T_C", "C"), ("1_9_G_A", "A")]
    assert codes.tolist() == [[0, 2]]


def test_columns_that_are_the_models_ids_as_they_stand(file):
    """Not from PLINK: nothing says which allele they count."""
    content = b"FID\tIID\tPAT\tMAT\tSEX\tPHENOTYPE\t1_7_T_C\t1_9_G_A\n0\ta\t0\t0\t0\t-9\t0\t2\n"
    wants = Wanted(["1_7_T_C", "1_9_G_A"], [None] * 2, [None] * 2)
    reader, variants, _, codes, _ = read_all(file(content), wants)
    assert not variants.has_alleles
    assert variants.candidates == [
        Variant("1_7_T_C", None, None, None, None),
        Variant("1_9_G_A", None, None, None, None),
    ]
    assert codes.tolist() == [[0, 2]]
    assert reader.notes == {"SNP columns without an allele, codes taken as the model's": 2}


def test_dominance_columns_are_no_variants(file):
    content = (
        b"FID IID PAT MAT SEX PHENOTYPE m1_A m1_HET m2_T m2_HET\n"
        b"0 a 0 0 0 -9 0 0 2 0\n0 b 0 0 0 -9 1 1 0 0\n"
    )
    reader, variants, _, codes, _ = read_all(file(content), WANTED)
    assert (variants.total, variants.candidates) == (2, VARIANTS[:2])
    assert codes.tolist() == [[0, 2], [1, 0]]
    assert reader.notes == {"columns of heterozygotes (_HET), left out": 2}


def test_as_a_table_where_a_person_says_so(file):
    reader = open_genotypes(file(TABS), format="table", snps=Wanted(["m1_A"], [None], [None]))
    assert isinstance(reader, WideTable)
    assert not isinstance(reader, RawTable)
    assert (reader.format, reader.id_column) == ("tsv", "IID")


def test_another_column_of_the_pedigree_may_hold_the_ids(file):
    content = RAW.replace(b"f1 b", b"f3 b")
    _, _, samples, _, _ = read_all(file(content), WANTED, options=ReadOptions(id_column="FID"))
    assert samples == ["f1", "f3", "f2"]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message", "hint"),
    [
        pytest.param(
            (b"f2 c", b"f2 a"),
            errors.DuplicateSample,
            "repeated sample ids: 'a' (lines 2 and 4)",
            "give every sample its own IID",
            id="an IID in two families",
        ),
        pytest.param(
            (b"-9 0 2", b"-9 0.97 2"),
            errors.BadGenotype,
            "line 2, column 'm1_A': found '0.97'",
            "tables hold whole genotypes; dosages are read from VCF (DS) and PLINK 2 files",
            id="a dosage",
        ),
        pytest.param(
            (b"-9 0 2", b"-9 A 2"),
            errors.BadGenotype,
            "line 2, column 'm1_A': found 'A'",
            "hold the number of copies of the allele that they name",
            id="a letter",
        ),
        pytest.param(
            (b" 9 2\n", b" 9\n"), errors.RaggedRow, "line 4: found 9 columns", "", id="cut"
        ),
    ],
)
@pytest.mark.parametrize("tabs", [False, True], ids=["blanks", "tabs"])
def test_mistakes(file, change, error, message, hint, tabs):
    content = RAW.replace(*change)
    with pytest.raises(error) as caught:
        read_all(file(content.replace(b" ", b"\t") if tabs else content), WANTED)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    "line", [b"f2 c 0 0 0 -9 2  2", b"f2 c 0 0 0 -9 2 0 ", b" c 0 0 0 -9 2 0 2"]
)
def test_a_blank_too_many_is_no_empty_cell(file, line):
    content = RAW.replace(b" x3_C", b"").replace(b"2 1 NA", b"2 NA").replace(b"NA 1 0", b"NA 0")
    content = content.replace(b"f2 c 0 0 0 -9 2 0 9 2", line)
    with pytest.raises(errors.RaggedRow, match="line 4: found 8 columns, expected 9"):
        read_all(file(content), WANTED)


@pytest.mark.parametrize("content", [b"id\tm1\tm2\na\t0\t1\n", RAW.replace(b"SEX ", b"", 1)])
def test_other_files_are_not_read_as_raw(file, content):
    with pytest.raises(errors.NotATable):
        read_all(file(content), WANTED, format="raw")


def test_an_id_column_that_is_none_of_the_pedigree(file):
    with pytest.raises(errors.NoSampleColumn, match="no column 'm1' before its SNPs"):
        read_all(file(RAW), WANTED, options=ReadOptions(id_column="m1"))


@settings(max_examples=200)
@given(content=mutations(RAW))
def test_damaged_files_are_refused_or_read(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "g.raw"
        path.write_bytes(content)
        try:
            codes = read_all(path, WANTED, format="raw")[3]
        except errors.SnpredictError:
            return
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}


# --- PLINK itself -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("plink2", "--export", "A"), id="plink2"),
        pytest.param(("plink2", "--export", "A", "include-alt"), id="plink2 include-alt"),
        pytest.param(("plink2", "--export", "AD"), id="plink2 AD"),
        pytest.param(("plink1.9", "--recode", "A"), id="plink1.9"),
        pytest.param(("plink1.9", "--recode", "AD", "include-alt"), id="plink1.9 AD include-alt"),
        pytest.param(("plink1.9", "--recode", "A", "tab"), id="plink1.9 tab"),
    ],
)
def test_what_plink_writes_is_what_its_bed_holds(command, tmp_path):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    rng = np.random.default_rng(5)
    variants = [Variant(f"1_{n}_A_G", "1", 10 * n + 1, "A", "G") for n in range(30)]
    codes = rng.integers(-1, 3, (20, 30)).astype(np.int8)
    plink.write_bed(tmp_path / "g", [f"s{n}" for n in range(20)], variants, codes)
    bed = ["--bfile", str(tmp_path / "g"), *command[1:], "--out", str(tmp_path / "out")]
    subprocess.run([command[0], *bed], check=True, capture_output=True)
    wants = Wanted([v.id for v in variants], [None] * 30, [None] * 30)
    reader, found, samples, read, _ = read_all(tmp_path / "out.raw", wants)
    assert (reader.format, found.total, len(samples)) == ("raw", 30, 20)
    counts_a = np.array([variant.counted == "A" for variant in found.candidates])
    assert np.array_equal(np.where(counts_a | (read < 0), read, 2 - read), codes)
