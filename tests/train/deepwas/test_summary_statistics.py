"""Summary statistics as the usual programs write them, and as they should not be."""

import gzip
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas", reason="needs the extra 'train'")

from snpredict.errors import EmptyFile, FileNotFound, SnpredictError, TruncatedFile
from train.deepwas.inputs.summary_statistics import SummaryStatistics, read_summary_statistics
from train.errors import StudyFileError

#: The same three variants: z is 2, −3 and 0.5 by the alleles A, C and G.
FORMATS = {
    "gwas-ssf": (
        "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\t"
        "effect_allele_frequency\tp_value\trsid\tn\n"
        "1\t100\tA\tG\t0.2\t0.1\t0.3\t0.05\trs1\t1000\n"
        "1\t200\tC\tT\t-0.3\t0.1\t0.1\t0.003\trs2\t1000\n"
        "2\t50\tG\tA\t0.05\t0.1\t0.5\t0.6\trs3\t1000\n"
    ),
    "ldsc": ("SNP\tA1\tA2\tN\tZ\nrs1\tA\tG\t1000\t2\nrs2\tC\tT\t1000\t-3\nrs3\tG\tA\t1000\t0.5\n"),
    "plink2": (
        "#CHROM\tPOS\tID\tREF\tALT\tA1\tA1_FREQ\tTEST\tOBS_CT\tBETA\tSE\tT_STAT\tP\n"
        "1\t100\trs1\tG\tA\tA\t0.3\tADD\t1000\t0.2\t0.1\t2\t0.05\n"
        "1\t200\trs2\tC\tT\tC\t0.1\tADD\t1000\t-0.3\t0.1\t-3\t0.003\n"
        "2\t50\trs3\tA\tG\tG\t0.5\tADD\t1000\t0.05\t0.1\t0.5\t0.6\n"
    ),
    "bolt": (
        "SNP\tCHR\tBP\tGENPOS\tALLELE1\tALLELE0\tA1FREQ\tINFO\tBETA\tSE\tP_BOLT_LMM\n"
        "rs1\t1\t100\t0\tA\tG\t0.3\t0.9\t0.2\t0.1\t0.05\n"
        "rs2\t1\t200\t0\tC\tT\t0.1\t0.8\t-0.3\t0.1\t0.003\n"
        "rs3\t2\t50\t0\tG\tA\t0.5\t1\t0.05\t0.1\t0.6\n"
    ),
    "fastgwa": (
        "CHR SNP POS A1 A2 N AF1 BETA SE P\n"
        "1 rs1 100 A G 1000 0.3 0.2 0.1 0.05\n"
        "1 rs2 200 c t 1000 0.1 -0.3 0.1 0.003\n"
        "2 rs3 50 G A 1000 0.5 0.05 0.1 0.6\n"
    ),
    "plain": (
        "chrom,pos,snp,ea,nea,n,z\n1,100,rs1,A,G,1000,2\n1,200,rs2,C,T,1000,-3\n"
        "2,50,rs3,G,A,1000,0.5\n"
    ),
    "gwas-vcf": (
        "##fileformat=VCFv4.2\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tstudy\n"
        "1\t100\trs1\tG\tA\t.\tPASS\t.\tES:SE:LP:AF:SS\t0.2:0.1:1.3:0.3:1000\n"
        "1\t150\trs9\tG\tA,T\t.\tPASS\t.\tES:SE:LP:AF:SS\t0.2,1:0.1,1:1,1:0.3,0.1:1000\n"
        "1\t200\trs2\tT\tC\t.\tPASS\t.\tES:SE:LP:AF:SS\t-0.3:0.1:2.5:0.1:1000\n"
        "2\t50\trs3\tA\tG\t.\tPASS\t.\tES:SE:LP:AF:SS\t0.05:0.1:0.2:0.5:1000\n"
    ),
}


def read(folder: Path, text: str, **more) -> SummaryStatistics:
    path = folder / "study.txt"
    path.write_text(text)
    return read_summary_statistics(path, **more)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_the_same(tmp_path: Path, format: str) -> None:
    found = read(tmp_path, FORMATS[format], people=1000)
    np.testing.assert_allclose(found.z, [2, -3, 0.5])
    np.testing.assert_allclose(found.n, 1000)
    assert [(v.id, v.counted, v.other) for v in found.variants] == [
        ("rs1", "A", "G"),
        ("rs2", "C", "T"),
        ("rs3", "G", "A"),
    ]
    if format != "ldsc":
        places = [(v.chromosome, v.position) for v in found.variants]
        assert places == [("1", 100), ("1", 200), ("2", 50)]


def test_odds_ratios_and_p_values_give_the_sign_and_the_size(tmp_path: Path) -> None:
    """p = 0.05 is |z| = 1.96."""
    text = "snp\ta1\ta2\tn\tor\tp\nrs1\tA\tG\t10\t1.2\t0.05\nrs2\tA\tG\t10\t0.5\t0.05\n"
    np.testing.assert_allclose(read(tmp_path, text).z, [1.959964, -1.959964], atol=1e-5)
    text = "snp\ta1\ta2\tn\tbeta\tneg_log_10_p_value\nrs1\tA\tG\t10\t-1\t400\n"
    # 2 Φ(−42.83) = 1e-400, which no double holds.
    assert read(tmp_path, text).z[0] == pytest.approx(-42.83, abs=0.01)


def test_rows_without_a_z_score_are_counted(tmp_path: Path) -> None:
    text = "snp\ta1\ta2\tn\tz\nrs1\tA\tG\t10\tNA\nrs2\tA\tG\t10\t1\nrs3\tNA\tG\t10\t1\n"
    found = read(tmp_path, text)
    assert (len(found.z), found.left_out) == (1, 2)


def test_packed_files_and_columns_that_a_person_names(tmp_path: Path) -> None:
    path = tmp_path / "saige.gz"
    text = "MarkerName\tAllele1\tAllele2\tBETA\tSE\tN\nrs1\tA\tG\t0.2\t0.1\t10\n"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(StudyFileError, match="differs between programs"):
        read_summary_statistics(path)
    names = {"effect-allele": "Allele2", "other-allele": "Allele1"}
    found = read_summary_statistics(path, columns=names)
    assert found.variants[0].counted == "G"


BAD = {
    "no people": ("snp\ta1\ta2\tz\nrs1\tA\tG\t1\n", StudyFileError, "how many people"),
    "no z": ("snp\ta1\ta2\tn\nrs1\tA\tG\t1\n", StudyFileError, "no z-scores"),
    "no allele": ("snp\tn\tz\nrs1\t1\t1\n", StudyFileError, "effect allele"),
    "no name": ("a1\ta2\tn\tz\nA\tG\t1\t1\n", StudyFileError, "neither by id nor by place"),
    "a text": ("snp\ta1\ta2\tn\tz\nrs1\tA\tG\t1\tx\n", StudyFileError, "row 1 .* found 'x'"),
    "a short row": ("snp\ta1\ta2\tn\tz\nrs1\tA\tG\n", StudyFileError, "not a table"),
    "ragged": ("snp\ta1\ta2\tn\tz\nrs1\tA\tG\t1\t2\t3\n", StudyFileError, "not a table"),
    "header only": ("snp\ta1\ta2\tn\tz\n", StudyFileError, "no row"),
    "twice": ("snp\tz\tz\nrs1\t1\t1\n", StudyFileError, "two columns"),
    "empty": ("", EmptyFile, "is empty"),
    "genotypes": (
        "##fileformat=VCFv4.2\n#CHROM\n1\t1\trs\tA\tG\t.\t.\t.\tGT\t0/1\n",
        StudyFileError,
        "without summary statistics",
    ),
    "two studies": (
        "##fileformat=VCFv4.2\n#CHROM\n1\t1\trs\tA\tG\t.\t.\t.\tES:SE\t1:1\t1:1\n",
        StudyFileError,
        "the 10 of one study",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, what: str) -> None:
    text, error, words = BAD[what]
    with pytest.raises(error, match=words) as raised:
        read(tmp_path, text)
    assert isinstance(raised.value, SnpredictError)
    assert "study.txt" in raised.value.message


def test_missing_and_cut_off_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFound):
        read_summary_statistics(tmp_path / "none")
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(FORMATS["ldsc"].encode() * 50)[:-20])
    with pytest.raises(TruncatedFile):
        read_summary_statistics(path)
