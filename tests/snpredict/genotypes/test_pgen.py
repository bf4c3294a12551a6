import struct
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import ReadOptions, Selection
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats.plink import write_multi_allelic, write_pgen
from tests.reading import mutations, read_all, wanted

pytest.importorskip("pgenlib", reason="no pgenlib: pip install 'snpredict[pgen]'")

SAMPLES = ["a", "b", "c", "d", "e"]
VARIANTS = [
    Variant("rs1", "1", 100, "C", "A"),
    Variant("rs2", "1", 200, "T", "G"),
    Variant("rs3", "Gm02", 5, "AT", "A"),
]
CODES = [[2, 0, 1], [-1, 0, 2], [1, 0, 2], [0, 0, -1], [2, 1, -1]]


def header(mode: int, n_variants: int, n_samples: int, control: int = 0x40) -> bytes:
    return b"\x6c\x1b" + struct.pack("<BIIB", mode, n_variants, n_samples, control)


# One row per variant; the first sample has the lowest bits: 00, 01, 10 copies of ALT, 11 missing.
PGEN = header(2, 3, 5) + bytes([0b00_01_11_10, 0b10, 0b00_00_00_00, 0b01, 0b11_10_10_01, 0b11])
PVAR = (
    b"##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tINFO\n"
    b"1\t100\trs1\tA\tC\tPR\n1\t200\trs2\tG\tT\tPR\nGm02\t5\trs3\tA\tAT\ta b\n"
)
PSAM = b"#IID\tSEX\n" + b"".join(b"%s\tNA\n" % sample.encode() for sample in SAMPLES)

#: Hard calls 1, missing, missing, then a dosage each: 1, a half, missing.
DOSAGES = header(3, 1, 3) + struct.pack("<BHHH", 0b11_11_01, 1 << 14, 1 << 13, 65535)


@pytest.fixture
def fileset(tmp_path):
    """Writes a file set, of which parts can be changed, and gives the .pgen's path."""

    def write(pgen: bytes = PGEN, pvar: bytes = PVAR, psam: bytes = PSAM) -> Path:
        for suffix, content in ((".pgen", pgen), (".pvar", pvar), (".psam", psam)):
            (tmp_path / f"x{suffix}").write_bytes(content)
        return tmp_path / "x.pgen"

    return write


def test_a_file_set_written_by_hand(fileset):
    path = fileset()
    reader, variants, samples, codes, fractions = read_all(path, wanted(VARIANTS))
    assert samples == SAMPLES
    assert variants.candidates == VARIANTS
    assert variants.total == 3
    assert variants.chromosomes == {"1", "Gm02"}
    assert variants.examples == VARIANTS
    assert codes.tolist() == CODES
    assert not fractions.any()
    assert reader.notes == {}


def test_what_the_reader_tells(fileset):
    path = fileset()
    reader = open_genotypes(path)
    assert reader.format == "pgen"
    assert reader.path == path
    assert reader.files == [path, path.with_suffix(".pvar"), path.with_suffix(".psam")]
    assert reader.size_bytes == len(PGEN)
    assert reader.n_samples == 5
    assert reader.id_column == ""


def test_the_prefix_names_the_file_set(fileset):
    assert open_genotypes(fileset().with_suffix("")).format == "pgen"


@pytest.mark.parametrize("phased", [False, True], ids=["unphased", "phased"])
def test_compressed_records(tmp_path, phased):
    path = write_pgen(tmp_path / "x", SAMPLES, VARIANTS, np.array(CODES, np.int8), phased=phased)
    _, variants, samples, codes, _ = read_all(path, wanted(VARIANTS))
    assert samples == SAMPLES
    assert variants.candidates == VARIANTS
    assert codes.tolist() == CODES


def test_order_swapped_repeated_and_absent_snps(fileset):
    reader = open_genotypes(fileset())
    assert len(reader.variants(Wanted(["rs1", "rs3"])).candidates) == 2
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
    "pvar",
    [
        pytest.param(PVAR.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(PVAR + b"\n", id="blank line at the end"),
        pytest.param(
            b"#CHROM ID POS ALT REF\n1 rs1 100 C A\n1 rs2 200 T G\nGm02 rs3 5 AT A\n",
            id="spaces and another order",
        ),
        pytest.param(
            b"1\trs1\t0\t100\tC\tA\n1\trs2\t0\t200\tT\tG\nGm02\trs3\t0\t5\tAT\tA\n", id="bim"
        ),
        pytest.param(b"1 rs1 100 C A\n1 rs2 200 T G\nGm02 rs3 5 AT A\n", id="bim of five columns"),
    ],
)
def test_pvars_that_mean_the_same(fileset, pvar):
    _, variants, _, codes, _ = read_all(fileset(pvar=pvar), wanted(VARIANTS))
    assert variants.candidates == VARIANTS
    assert codes.tolist() == CODES


@pytest.mark.parametrize(
    "psam",
    [
        pytest.param(PSAM.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(b"#FID IID\nf a\nf b\nf c\nf d\nf e\n", id="with families"),
        pytest.param(b"#IID\na\nb\nc\nd\ne\n", id="ids only"),
        pytest.param(b"##x\n# made by hand\n" + PSAM, id="further lines with #"),
        pytest.param(b"".join(b"f %c 0 0 0 -9\n" % sample for sample in b"abcde"), id="fam"),
    ],
)
def test_psams_that_mean_the_same(fileset, psam):
    assert read_all(fileset(psam=psam), wanted(VARIANTS))[2] == SAMPLES


def test_what_a_pvar_leaves_out_is_none(fileset):
    pvar = PVAR.replace(b"A\tC\t", b"A\t.\t").replace(b"1\t200\trs2", b"0\t0\trs2")
    _, variants, _, _, _ = read_all(fileset(pvar=pvar), wanted(VARIANTS))
    assert variants.candidates[:2] == [
        Variant("rs1", "1", 100, None, "A"),
        Variant("rs2", None, None, "T", "G"),
    ]


def test_negative_positions_are_left_out_and_counted(fileset):
    path = fileset(pvar=PVAR.replace(b"\t200\t", b"\t-200\t"))
    reader, _, _, codes, _ = read_all(path, wanted(VARIANTS))
    assert codes.tolist() == [[row[0], row[2]] for row in CODES]
    assert reader.notes == {"variants with a negative position, left out as PLINK does": 1}


# --- more than two alleles ----------------------------------------------------------------------

ALLELES = [[(0, 0), (0, 1), (1, 1), (0, 2), (2, 2), (1, 2), (-9, -9), (0, 3)], [(0, 1)] * 8]
NAMES = list("abcdefgh")


@pytest.fixture
def multi_allelic(tmp_path):
    variants = [
        (Variant("m", "1", 7, None, "A"), ["C", "G", "T"]),
        (Variant("s", "1", 9, None, "A"), ["C"]),
    ]
    return write_multi_allelic(tmp_path / "x", NAMES, variants, np.array(ALLELES))


def test_a_multi_allelic_site_is_one_variant_per_alternative_allele(multi_allelic):
    reader, variants, _, codes, _ = read_all(multi_allelic, Wanted(["m", "s"]))
    assert variants.candidates == [
        Variant("m", "1", 7, "C", "A"),
        Variant("m", "1", 7, "G", "A"),
        Variant("m", "1", 7, "T", "A"),
        Variant("s", "1", 9, "C", "A"),
    ]
    assert variants.total == 2
    # Any third allele is missing.
    assert codes.T.tolist() == [
        [0, 1, 2, -1, -1, -1, -1, -1],
        [0, -1, -1, 1, 2, -1, -1, -1],
        [0, -1, -1, -1, -1, -1, -1, 1],
        [1, 1, 1, 1, 1, 1, 1, 1],
    ]
    assert reader.notes == {"multi-allelic sites, split into one variant per alternative allele": 1}


@pytest.mark.parametrize("alt", [b"C", b"C,G"], ids=["one", "two"])
def test_fewer_alleles_than_the_pgen_holds(multi_allelic, alt):
    pvar = multi_allelic.with_suffix(".pvar")
    pvar.write_bytes(pvar.read_bytes().replace(b"C,G,T", alt))
    with pytest.raises(errors.SnpredictError, match=r"variant 1 \(m\)") as caught:
        read_all(multi_allelic, Wanted(["m", "s"]))
    assert isinstance(caught.value, errors.InconsistentFiles | errors.TruncatedFile)


def test_multi_allelic_sites_with_dosages_are_read_as_hard_calls(fileset):
    path = fileset(DOSAGES, b"#CHROM\tPOS\tID\tREF\tALT\n1\t1\tm\tA\tC,G\n", b"#IID\na\nb\nc\n")
    reader, _, _, codes, _ = read_all(path, Wanted(["m"]))
    assert codes.T.tolist() == [[1, -1, -1], [-1, -1, -1]]
    assert reader.notes["multi-allelic variants with dosages, read as hard calls"] == 2


# --- dosages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dosages", "codes", "fractions", "words"),
    [
        ("use", [1, 0, -1], [0, 0.5, 0], "used as expected genotypes"),
        ("round", [1, 1, -1], [0, 0, 0], "rounded"),
        ("ignore", [1, -1, -1], [0, 0, 0], "read as hard calls"),
    ],
)
def test_dosages_written_by_hand(fileset, dosages, codes, fractions, words):
    path = fileset(DOSAGES, b"1 v 0 1 C A\n", b"#IID\na\nb\nc\n")
    options = ReadOptions(dosages=dosages)
    reader, _, _, found, rest = read_all(path, Wanted(["v"]), options=options)
    assert found[:, 0].tolist() == codes
    assert rest[:, 0].tolist() == fractions
    assert reader.notes == {f"variants with dosages, {words}": 1}


def test_swapped_dosages(fileset):
    reader = open_genotypes(fileset(DOSAGES, b"1 v 0 1 C A\n", b"#IID\na\nb\nc\n"))
    reader.variants(Wanted(["v"]))
    (block,) = reader.genotypes(Selection(np.array([0]), np.array([True])))
    assert block.codes[:, 0].tolist() == [1, 1, -1]
    assert block.genotypes.fractions[:, 0].tolist() == [0, 0.5, 0]


def test_impossible_dosages_are_refused(fileset):
    pgen = DOSAGES[:-2] + struct.pack("<H", (1 << 15) + 1)
    path = fileset(pgen, b"1 v 0 1 C A\n", b"#IID\na\nb\nc\n")
    with pytest.raises(errors.TruncatedFile, match=r"variant 1 \(v\)"):
        read_all(path, Wanted(["v"]))
    # The hard calls of the same record are whole.
    read_all(path, Wanted(["v"]), options=ReadOptions(dosages="ignore"))


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        pytest.param(
            {"pgen": PGEN[:-1]},
            errors.TruncatedFile,
            ["17 bytes", "expected 18"],
            id="pgen cut",
        ),
        pytest.param({"pgen": PGEN + b"\0"}, errors.TruncatedFile, ["19 bytes"], id="pgen longer"),
        pytest.param({"pgen": PGEN[:9]}, errors.TruncatedFile, ["header"], id="cut in its header"),
        pytest.param(
            {"psam": PSAM.replace(b"e\tNA\n", b"")},
            errors.InconsistentFiles,
            ["x.pgen has 5 samples", "expected 4", "x.psam"],
            id="psam shorter",
        ),
        pytest.param(
            {"pvar": PVAR + b"2\t1\tx\tA\tC\tPR\n"},
            errors.InconsistentFiles,
            ["x.pgen has 3 variants", "expected 4", "x.pvar"],
            id="pvar longer",
        ),
        pytest.param(
            {"pvar": PVAR.replace(b"\tREF", b"\tFER")},
            errors.NotATable,
            ["x.pvar, line 3", "no columns REF"],
            id="no column REF",
        ),
        pytest.param(
            {"pvar": PVAR.replace(b"INFO", b"ALT")},
            errors.NotATable,
            ["2 columns ALT"],
            id="two columns ALT",
        ),
        pytest.param(
            {"pvar": PVAR.replace(b"\trs2", b"")},
            errors.RaggedRow,
            ["x.pvar, line 5", "found 5", "expected 6"],
            id="column missing",
        ),
        pytest.param(
            {"pvar": b"1 rs1 100 C\n"}, errors.RaggedRow, ["line 1", "#CHROM"], id="four columns"
        ),
        pytest.param({"pvar": b"##x\n"}, errors.NotATable, ["#CHROM"], id="comments only"),
        pytest.param(
            {"pvar": PVAR.replace(b"200", b"x")},
            errors.BadVariant,
            ["line 5", "'x'"],
            id="position",
        ),
        pytest.param(
            {"pvar": b"\x28\xb5\x2f\xfd" + PVAR}, errors.NotATable, ["zstd"], id="zstd as pvar"
        ),
        pytest.param(
            {"psam": PSAM.replace(b"e\tNA", b"a\tNA")},
            errors.DuplicateSample,
            ["x.psam", "'a' (lines 2 and 6)", "IID", "--update-ids"],
            id="repeated sample",
        ),
        pytest.param(
            {"psam": PSAM.replace(b"e\tNA", b"e")},
            errors.RaggedRow,
            ["x.psam, line 6", "found 1", "expected 2"],
            id="psam column missing",
        ),
        pytest.param({"psam": b"#IID\n"}, errors.NoGenotypes, ["x.psam"], id="no samples"),
        pytest.param({"psam": b"#FID SEX\nf a\n"}, errors.NotATable, ["IID"], id="no column IID"),
        pytest.param(
            {"psam": b"# IID\na\n"}, errors.NotATable, ["line 2", "#IID"], id="header not found"
        ),
        pytest.param(
            {"pgen": header(0x20, 3, 5)},
            errors.UnsupportedFile,
            [".pgi", "--make-pgen"],
            id="index",
        ),
        pytest.param(
            {"pgen": header(0x0F, 3, 5)}, errors.UnsupportedFile, ["0x0f"], id="unknown mode"
        ),
        pytest.param(
            {"pgen": header(0x10, 3, 5, 0x48)}, errors.UnsupportedFile, ["0x48"], id="fused types"
        ),
        pytest.param(
            {"pgen": header(0x10, 2**32 - 1, 5)},
            errors.InconsistentFiles,
            ["4294967295 variants"],
            id="endless variants",
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


@pytest.mark.parametrize("suffix", [".pvar", ".psam"])
def test_a_missing_part_is_named(fileset, suffix):
    path = fileset()
    path.with_suffix(suffix).unlink()
    with pytest.raises(errors.InconsistentFiles, match=f"x.pgen comes without its {suffix} file"):
        open_genotypes(path)


def test_a_zstd_pvar_names_the_way_out(fileset):
    path = fileset()
    pvar = path.with_suffix(".pvar")
    pvar.rename(f"{pvar}.zst")
    with pytest.raises(errors.UnsupportedFile, match="zstd") as caught:
        open_genotypes(path)
    assert "--make-pgen --out NEW" in caught.value.hint


def test_a_bed_under_that_format(fileset):
    with pytest.raises(errors.UnsupportedFile, match=r"PLINK 1 \.bed"):
        open_genotypes(fileset(b"\x6c\x1b\x01\0\0"), format="pgen")


def test_pgenlib_not_installed(fileset, monkeypatch):
    monkeypatch.setitem(sys.modules, "pgenlib", None)
    with pytest.raises(errors.MissingPackage) as caught:
        open_genotypes(fileset())
    assert "reading PLINK 2 .pgen files needs pgenlib" in caught.value.message
    assert caught.value.hint == 'pip install "snpredict[pgen]"'


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Contents of file sets as pgenlib writes them, by what is in them."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("pgen")
    samples = [f"s{n}" for n in range(40)]
    variants = [Variant(f"v{n}", "1", n + 1, "C", "A") for n in range(8)]
    common = np.repeat([0.01, 0.1, 0.5, 0.98], 2)
    codes = rng.binomial(2, common, (40, 8)).astype(np.int8)
    codes[rng.random(codes.shape) < 0.05] = -1
    dosages = np.where(codes < 0, np.nan, codes.astype(float))
    dosages[::3] = rng.uniform(0, 2, dosages[::3].shape)
    alleles = rng.choice(4, (8, 40, 2), p=[0.6, 0.2, 0.1, 0.1])
    alleles[0] = 0
    sites = [(variant, ["C", "G", "T"]) for variant in variants]
    write_pgen(folder / "hard calls", samples, variants, codes)
    write_pgen(folder / "phased", samples, variants, codes, phased=True)
    write_pgen(folder / "dosages", samples, variants, codes, dosages=dosages)
    write_multi_allelic(folder / "multi-allelic", samples, sites, alleles)
    return {
        path.stem: {s: path.with_suffix(s).read_bytes() for s in (".pgen", ".pvar", ".psam")}
        for path in sorted(folder.glob("*.pgen"))
    }, wanted(variants)


KINDS = ["hard calls", "phased", "dosages", "multi-allelic"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_found(tmp_path, written, kind):
    contents, wants = written
    for suffix, content in contents[kind].items():
        (tmp_path / f"x{suffix}").write_bytes(content)
    path = tmp_path / "x.pgen"
    read_all(path, wants)
    for size in range(3, len(contents[kind][".pgen"])):
        path.write_bytes(contents[kind][".pgen"][:size])
        with pytest.raises(errors.TruncatedFile):
            read_all(path, wants)


# --- properties ---------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(1, 300), st.integers(1, 30), st.integers(0, 2**32), st.booleans())
def test_what_was_written_is_read(n_samples, n_variants, seed, phased):
    rng = np.random.default_rng(seed)
    codes = rng.binomial(2, rng.random(n_variants), (n_samples, n_variants)).astype(np.int8)
    codes[rng.random(codes.shape) < 0.1] = -1
    samples = [f"s{n}" for n in range(n_samples)]
    variants = [Variant(f"v{n}", "2", n + 1, "A", "G") for n in range(n_variants)]
    asked = [variant for variant in variants if rng.random() < 0.7]
    with tempfile.TemporaryDirectory() as folder:
        path = write_pgen(Path(folder) / "x", samples, variants, codes, phased=phased)
        _, found, read_samples, read_codes, _ = read_all(path, wanted(asked))
    assert read_samples == samples
    assert found.candidates == asked
    chosen = [variants.index(variant) for variant in asked]
    np.testing.assert_array_equal(read_codes, codes[:, chosen])


@settings(max_examples=50)
@given(st.integers(1, 100), st.integers(1, 10), st.integers(0, 2**32))
def test_what_was_written_as_dosages_is_read(n_samples, n_variants, seed):
    rng = np.random.default_rng(seed)
    dosages = rng.integers(0, 2**15 + 1, (n_samples, n_variants)) / 2**14
    whole = rng.random(dosages.shape) < 0.5
    dosages[whole] = np.round(dosages[whole])
    dosages[rng.random(dosages.shape) < 0.1] = np.nan
    samples = [f"s{n}" for n in range(n_samples)]
    variants = [Variant(f"v{n}", "2", n + 1, "A", "G") for n in range(n_variants)]
    hard = np.zeros(dosages.shape, np.int8)
    with tempfile.TemporaryDirectory() as folder:
        path = write_pgen(Path(folder) / "x", samples, variants, hard, dosages=dosages)
        _, _, _, codes, fractions = read_all(path, wanted(variants))
        options = ReadOptions(dosages="round")
        _, _, _, rounded, none = read_all(path, wanted(variants), options=options)
    found = np.where(codes < 0, np.nan, codes + fractions)
    np.testing.assert_array_equal(found, dosages)
    nearest = np.where(np.isnan(dosages), -1, np.floor(dosages + 0.5))
    np.testing.assert_array_equal(rounded, nearest)
    assert not none.any()


@settings(max_examples=100)
@given(
    data=st.data(), kind=st.sampled_from(KINDS), suffix=st.sampled_from([".pgen", ".pvar", ".psam"])
)
def test_damaged_file_sets_are_refused_or_read(written, data, kind, suffix):
    contents, wants = written
    changed = {**contents[kind], suffix: data.draw(mutations(contents[kind][suffix]))}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in changed.items():
            (Path(folder) / f"x{name}").write_bytes(content)
        try:
            _, _, samples, codes, fractions = read_all(
                Path(folder) / "x.pgen", wants, format="pgen"
            )
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert len(set(samples)) == len(samples)
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}
    assert ((fractions >= 0) & (fractions < 1)).all()
    assert not fractions[(codes == -1) | (codes == 2)].any()
