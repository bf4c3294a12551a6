import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.plink.bed import BedReader
from snpredict.genotypes.reader import ReadOptions, Selection
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats.plink import write_bed
from tests.reading import mutations, read_all, wanted

SAMPLES = ["a", "b", "c", "d", "e"]
VARIANTS = [
    Variant("rs1", "1", 100, "C", "A"),
    Variant("rs2", "1", 200, "T", "G"),
    Variant("rs3", "Gm02", 5, "AT", "A"),
]
# One row per variant; the first sample has the lowest bits: 00 two copies of A1, 01 missing,
# 10 one copy, 11 none.
BED = bytes.fromhex("6c1b01") + bytes(
    [0b11_10_01_00, 0b00, 0b11_11_11_11, 0b10, 0b01_00_00_10, 0b01]
)
BIM = b"1\trs1\t0\t100\tC\tA\n1\trs2\t0.5\t200\tT\tG\nGm02\trs3\t0\t5\tAT\tA\n"
FAM = b"".join(b"family\t%s\t0\t0\t0\t-9\n" % sample.encode() for sample in SAMPLES)
CODES = [[2, 0, 1], [-1, 0, 2], [1, 0, 2], [0, 0, -1], [2, 1, -1]]


@pytest.fixture
def fileset(tmp_path):
    """Writes a file set, of which parts can be changed, and gives the .bed's path."""

    def write(bed: bytes = BED, bim: bytes = BIM, fam: bytes = FAM) -> Path:
        for suffix, content in ((".bed", bed), (".bim", bim), (".fam", fam)):
            (tmp_path / f"x{suffix}").write_bytes(content)
        return tmp_path / "x.bed"

    return write


def test_a_file_set_written_by_hand(fileset):
    path = fileset()
    reader, variants, samples, codes, fractions = read_all(path, wanted(VARIANTS))
    assert samples == SAMPLES
    assert variants.candidates == VARIANTS
    assert variants.total == 3
    assert variants.chromosomes == {"1", "Gm02"}
    assert variants.examples == VARIANTS
    assert variants.has_alleles
    assert codes.tolist() == CODES
    assert not fractions.any()
    assert reader.notes == {}


def test_what_the_reader_tells(fileset):
    path = fileset()
    reader = open_genotypes(path)
    assert reader.format == "bed"
    assert reader.path == path
    assert reader.files == [path, path.with_suffix(".bim"), path.with_suffix(".fam")]
    assert reader.size_bytes == len(BED)
    assert reader.n_samples == 5
    assert reader.id_column == ""


def test_the_prefix_names_the_file_set(fileset):
    assert open_genotypes(fileset().with_suffix("")).format == "bed"


def test_the_writer_of_these_tests_writes_those_bytes(tmp_path):
    path = write_bed(tmp_path / "y", SAMPLES, VARIANTS, np.array(CODES, np.int8))
    assert path.read_bytes() == BED


def test_only_wanted_variants_are_candidates(fileset):
    reader = open_genotypes(fileset())
    variants = reader.variants(Wanted(["rs3", "other"], ["chr01", None], [100, None]))
    assert [v.id for v in variants.candidates] == ["rs1", "rs3"]
    assert variants.total == 3


def test_order_swapped_repeated_and_absent_snps(fileset):
    reader = open_genotypes(fileset())
    reader.variants(Wanted(["rs1", "rs3"]))
    selection = Selection(np.array([1, -1, 0, 1]), np.array([False, False, True, True]))
    (block,) = reader.genotypes(selection)
    assert block.codes.tolist() == [
        [1, -1, 0, 1],
        [2, -1, -1, 0],
        [2, -1, 1, 0],
        [-1, -1, 2, -1],
        [-1, -1, 0, -1],
    ]


@pytest.mark.parametrize(
    "bim",
    [
        pytest.param(BIM.replace(b"\t", b"  "), id="spaces"),
        pytest.param(BIM.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(BIM.rstrip(b"\n"), id="no final line end"),
        pytest.param(BIM + b"\n \n", id="blank lines at the end"),
        pytest.param(b"\xef\xbb\xbf" + BIM, id="byte-order mark"),
        pytest.param(BIM.replace(b"AT\tA", b"at\ta"), id="small letters"),
        pytest.param(BIM.replace(b"\t100\t", b"\t00100\t"), id="leading zeros"),
    ],
)
def test_bims_that_mean_the_same(fileset, bim):
    _, variants, _, codes, _ = read_all(fileset(bim=bim), wanted(VARIANTS))
    assert variants.candidates == VARIANTS
    assert codes.tolist() == CODES


@pytest.mark.parametrize(
    ("line", "variant"),
    [
        pytest.param("1 rs1 0 100 0 A", Variant("rs1", "1", 100, None, "A"), id="A1 not seen"),
        pytest.param("1 rs1 0 100 C .", Variant("rs1", "1", 100, "C", None), id="A2 not named"),
        pytest.param("0 rs1 0 0 C A", Variant("rs1", None, None, "C", "A"), id="unplaced"),
        pytest.param("1 . 0 100 C A", Variant(None, "1", 100, "C", "A"), id="unnamed"),
        pytest.param(
            "chr1 rs1 0 2147483646 C A",
            Variant("rs1", "chr1", 2147483646, "C", "A"),
            id="last position",
        ),
    ],
)
def test_what_a_bim_leaves_out_is_none(fileset, line, variant):
    path = fileset(BED[:5], f"{line}\n".encode())
    _, variants, _, codes, _ = read_all(path, Wanted(["rs1"], ["1"], [100]))
    assert variants.candidates == [variant]
    assert codes[:, 0].tolist() == [2, -1, 1, 0, 2]


def test_negative_positions_are_left_out_and_counted(fileset):
    path = fileset(bim=BIM.replace(b"\t200\t", b"\t-200\t"))
    reader, variants, _, codes, _ = read_all(path, wanted(VARIANTS))
    assert [v.id for v in variants.candidates] == ["rs1", "rs3"]
    assert codes.tolist() == [[row[0], row[2]] for row in CODES]
    assert variants.total == 3
    assert reader.notes == {"variants with a negative position, left out as PLINK does": 1}


def test_alleles_coded_as_numbers_stay_as_they_are_and_are_counted(fileset):
    bim = BIM.replace(b"C\tA", b"1\t2").replace(b"T\tG", b"0\t2")
    reader, variants, _, _, _ = read_all(fileset(bim=bim), wanted(VARIANTS))
    alleles = [(v.counted, v.other) for v in variants.candidates]
    assert alleles == [("1", "2"), (None, "2"), ("AT", "A")]
    assert reader.notes == {"variants whose alleles are coded as numbers and not as letters": 2}


@pytest.mark.parametrize(
    ("fam", "samples"),
    [
        pytest.param(FAM.replace(b"\t", b" "), SAMPLES, id="spaces"),
        pytest.param(FAM.replace(b"\n", b"\r\n"), SAMPLES, id="CRLF"),
        pytest.param(FAM + b"\n\n", SAMPLES, id="blank lines at the end"),
        pytest.param(FAM.replace(b"\n", b"\t1.5\tNA\n"), SAMPLES, id="further phenotypes"),
        pytest.param(FAM.replace(b"\tb\t", b"\t007\t"), ["a", "007", "c", "d", "e"], id="007"),
        pytest.param(
            FAM.replace(b"\tb\t", "\tŽito\t".encode()), ["a", "Žito", "c", "d", "e"], id="UTF-8"
        ),
    ],
)
def test_fams(fileset, fam, samples):
    _, _, found, codes, _ = read_all(fileset(fam=fam), wanted(VARIANTS))
    assert found == samples
    assert codes.tolist() == CODES


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        pytest.param(
            {"bed": BED[:-1]},
            errors.InconsistentFiles,
            ["x.bed has 8 bytes", "expected 9", "3 variants of x.bim", "5 samples of x.fam"],
            id="bed cut",
        ),
        pytest.param({"bed": BED + b"\0"}, errors.InconsistentFiles, ["10 bytes"], id="bed longer"),
        pytest.param({"bed": BED[:3]}, errors.InconsistentFiles, ["3 bytes"], id="bed empty"),
        pytest.param(
            {"bim": BIM + b"1 rs4 0 9 A C\n"}, errors.InconsistentFiles, ["11 for"], id="bim longer"
        ),
        pytest.param(
            {"fam": FAM[: FAM.index(b"\n") + 1]}, errors.InconsistentFiles, ["6"], id="fam shorter"
        ),
        pytest.param(
            {"bim": BIM.replace(b"\trs2", b"")},
            errors.RaggedRow,
            ["x.bim, line 2", "found 5", "expected 6"],
            id="bim of five columns",
        ),
        pytest.param(
            {"bim": BIM.replace(b"\nGm02", b"\n\nGm02")},
            errors.RaggedRow,
            ["x.bim, line 3", "blank"],
            id="blank line in the bim",
        ),
        pytest.param(
            {"bim": BIM.replace(b"200", b"2e2")},
            errors.BadVariant,
            ["x.bim, line 2", "'2e2'", "whole number"],
            id="position no integer",
        ),
        pytest.param(
            {"bim": BIM.replace(b"200", b"2147483647")},
            errors.BadVariant,
            ["line 2", "2147483646"],
            id="position too large",
        ),
        pytest.param(
            {"bim": BIM.replace(b"200", b"9" * 5000)}, errors.BadVariant, ["..."], id="endless"
        ),
        pytest.param({"bim": BIM.replace(b"200", b"--2")}, errors.BadVariant, ["--2"], id="--2"),
        pytest.param(
            {"bim": BIM.replace(b"200", "２".encode())}, errors.BadVariant, ["２"], id="wide digit"
        ),
        pytest.param(
            {"bim": BIM.replace(b"rs2", b"rs\xff")},
            errors.NotATable,
            ["x.bim, line 2", "0xff", "UTF-8"],
            id="bim in Latin-1",
        ),
        pytest.param({"bim": b""}, errors.EmptyFile, ["x.bim"], id="empty bim"),
        pytest.param({"fam": b""}, errors.EmptyFile, ["x.fam"], id="empty fam"),
        pytest.param({"fam": b" \n\n"}, errors.NoGenotypes, ["x.fam"], id="no samples"),
        pytest.param(
            {"fam": FAM.replace(b"\tb\t", b"\t")},
            errors.RaggedRow,
            ["x.fam, line 2", "found 5", "expected 6"],
            id="fam of five columns",
        ),
        pytest.param(
            {"fam": FAM.replace(b"\nfamily", b"\n\nfamily", 1)},
            errors.RaggedRow,
            ["x.fam, line 2", "blank"],
            id="blank line in the fam",
        ),
        pytest.param(
            {"fam": FAM.replace(b"family\td", b"other\ta")},
            errors.DuplicateSample,
            ["x.fam", "'a' (lines 1 and 4)", "second column", "--update-ids"],
            id="repeated sample",
        ),
        pytest.param(
            {"bed": b"\x6c\x1b\x00" + BED[3:]},
            errors.UnsupportedFile,
            ["sample-major", "--make-bed"],
            id="sample-major",
        ),
    ],
)
def test_refused_file_sets(fileset, parts, error, words):
    path = fileset(**parts)
    with pytest.raises(errors.SnpredictError) as caught:
        read_all(path, wanted(VARIANTS))
    assert type(caught.value) is error
    told = f"{caught.value.message} {caught.value.hint}"
    assert [word for word in words if word not in told] == []
    assert len(caught.value.message.splitlines()) == 1


@pytest.mark.parametrize("suffix", [".bim", ".fam"])
def test_a_missing_part_is_named(fileset, suffix):
    path = fileset()
    path.with_suffix(suffix).unlink()
    with pytest.raises(errors.InconsistentFiles, match=f"x.bed comes without its {suffix} file"):
        open_genotypes(path)


def test_a_zstd_bim_names_the_way_out(fileset):
    path = fileset()
    bim = path.with_suffix(".bim")
    bim.rename(f"{bim}.zst")
    with pytest.raises(errors.UnsupportedFile, match="zstd") as caught:
        open_genotypes(path)
    assert "--make-bed --out NEW" in caught.value.hint


def test_a_file_that_is_no_bed_under_that_format(fileset):
    with pytest.raises(errors.UnsupportedFile, match="63 63 63"):
        open_genotypes(fileset(b"cccccc"), format="bed")


def test_a_bed_that_goes_away(fileset):
    path = fileset()
    reader = open_genotypes(path)
    reader.variants(wanted(VARIANTS))
    path.unlink()
    with pytest.raises(errors.FileNotFound):
        list(reader.genotypes(Selection(np.array([0]), np.array([False]))))
    with pytest.raises(errors.FileNotFound):
        BedReader(path, ReadOptions(), None)


# --- properties ---------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(1, 70), st.integers(1, 30), st.integers(0, 2**32))
def test_what_was_written_is_read(n_samples, n_variants, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 3, (n_samples, n_variants)).astype(np.int8)
    samples = [f"s{n}" for n in range(n_samples)]
    variants = [Variant(f"v{n}", "2", n + 1, "A", "G") for n in range(n_variants)]
    asked = [variant for variant in variants if rng.random() < 0.7]
    with tempfile.TemporaryDirectory() as folder:
        path = write_bed(Path(folder) / "x", samples, variants, codes)
        _, found, read_samples, read_codes, _ = read_all(path, wanted(asked))
    assert read_samples == samples
    assert found.candidates == asked
    chosen = [variants.index(variant) for variant in asked]
    np.testing.assert_array_equal(read_codes, codes[:, chosen])


@settings(max_examples=100)
@given(st.data(), st.sampled_from([".bed", ".bim", ".fam"]))
def test_damaged_file_sets_are_refused_or_read(data, suffix):
    contents = {".bed": BED, ".bim": BIM, ".fam": FAM}
    contents[suffix] = data.draw(mutations(contents[suffix]))
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            (Path(folder) / f"x{name}").write_bytes(content)
        try:
            _, _, samples, codes, fractions = read_all(
                Path(folder) / "x.bed", wanted(VARIANTS), format="bed"
            )
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert len(set(samples)) == len(samples)
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}
    assert not fractions.any()
