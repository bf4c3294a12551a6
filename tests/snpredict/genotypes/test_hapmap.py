import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import Selection
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats import hapmap
from tests.reading import mutations, read_all, wanted

HEADER = (
    b"rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter\tprotLSID\tassayLSID\tpanelLSID\tQCcode"
)

#: Two SNPs and three samples, in the style of TASSEL and in that of GAPIT's tutorial data.
TWO_LETTERS = (
    HEADER + b"\ta\tb\tc\n"
    b"s1\tA/G\t1\t157104\t+\tAGPv1\tPanzea\tNA\tNA\tmaize282\tNA\tAA\tAG\tGG\n"
    b"s2\tC/T\tGm02\t1947984\t+\tAGPv1\tPanzea\tNA\tNA\tmaize282\tNA\tTT\tNN\tTC\n"
)
IUPAC = TWO_LETTERS.replace(b"AA\tAG\tGG", b"A\tR\tG").replace(b"TT\tNN\tTC", b"T\tN\tY")

VARIANTS = [Variant("s1", "1", 157104, "G", "A"), Variant("s2", "Gm02", 1947984, "T", "C")]
CODES = [[0, 2], [1, -1], [2, 1]]

BOTH = Wanted(["s1", "s2"])


@pytest.fixture
def file(tmp_path):
    """Writes bytes to a file and gives its path."""

    def write(content: bytes, name: str = "genotypes.hmp.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def record(*cells: str, alleles: str = "A/G", name: str = "s1", place: str = "1\t9\t+") -> bytes:
    """One line; `place` is chromosome, position and strand."""
    return "\t".join([name, alleles, place, *["NA"] * 6, *cells]).encode() + b"\n"


def table(*records: bytes) -> bytes:
    """A file of these lines, with as many samples as the first has genotypes."""
    n_samples = records[0].count(b"\t") - 10
    samples = b"".join(b"\tp%d" % number for number in range(n_samples))
    return HEADER + samples + b"\n" + b"".join(records)


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TWO_LETTERS, id="two letters"),
        pytest.param(IUPAC, id="IUPAC"),
        pytest.param(
            TWO_LETTERS.replace(b"AA\tAG\tGG", b"A/A\tG/A\tG/G").replace(b"TC", b"C/T"),
            id="slash",
        ),
        pytest.param(TWO_LETTERS.replace(b"AG\tGG", b"ag\tGg"), id="small letters"),
        pytest.param(IUPAC.replace(b"A\tR\tG\n", b"a\tr\tg\n"), id="small IUPAC letters"),
        pytest.param(TWO_LETTERS.replace(b"A/G", b"a/g"), id="small alleles"),
        pytest.param(TWO_LETTERS.replace(b"NN", b"N"), id="missing of another width"),
        pytest.param(TWO_LETTERS.replace(b"\tAG\t", b"\t AG\t"), id="padded cell"),
        pytest.param(TWO_LETTERS.replace(b"panelLSID", b"panel"), id="panel"),
        pytest.param(TWO_LETTERS.replace(b"rs#", b"rs"), id="rs"),
        pytest.param(
            TWO_LETTERS.replace(b"rs#\talleles", b"RS#\tAlleles"), id="header in capitals"
        ),
        pytest.param(TWO_LETTERS.rstrip(b"\n"), id="no final newline"),
        pytest.param(TWO_LETTERS.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(TWO_LETTERS + b"\n \n", id="blank lines at the end"),
        pytest.param(b"\xef\xbb\xbf" + TWO_LETTERS, id="byte-order mark"),
        pytest.param(gzip.compress(TWO_LETTERS), id="gzip"),
        pytest.param(gzip.compress(IUPAC[:99]) + gzip.compress(IUPAC[99:]), id="gzip members"),
    ],
)
def test_files_that_mean_the_same(file, content):
    _, variants, samples, codes, _ = read_all(file(content), BOTH)
    assert samples == ["a", "b", "c"]
    assert variants.candidates == VARIANTS
    assert variants.total == 2
    assert variants.has_alleles
    assert variants.chromosomes == {"1", "Gm02"}
    assert codes.tolist() == CODES


@pytest.mark.parametrize(
    ("alleles", "cell", "code"),
    [("A/G", cell, 0) for cell in ["A", "AA", "A/A", "aa", " A "]]
    + [("A/G", cell, 1) for cell in ["R", "r", "AG", "GA", "A/G", "G/A", "gA"]]
    + [("A/G", cell, 2) for cell in ["G", "GG", "G/G"]]
    + [("G/A", cell, code) for cell, code in [("GG", 0), ("R", 1), ("A", 2)]]
    + [("C/T", "Y", 1), ("T/C", "Y", 1), ("G/C", "S", 1), ("A/T", "W", 1)]
    + [("G/T", "K", 1), ("C/A", "M", 1)]
    + [("A/G", cell, -1) for cell in ["N", "NN", "N/N", "n", "X", "XX", "NA", "na", "", " "]]
    + [("A/G", cell, -1) for cell in ["-", "--", "-/-", ".", "..", "./.", "?", "??"]]
    + [("A/G", cell, -1) for cell in ["A-", "-G", "AN", "NG", "A/N", "G."]]
    + [("+/-", cell, code) for cell, code in [("+", 0), ("0", 1), ("-", 2), ("N", -1)]]
    + [("-/+", cell, code) for cell, code in [("++", 2), ("+-", 1), ("-+", 1), ("--", 0)]]
    + [("A/-", cell, code) for cell, code in [("A", 0), ("0", 1), ("-", 2), ("N", -1)]]
    + [("A/-", cell, code) for cell, code in [("AA", 0), ("A-", 1), ("-/A", 1), ("-N", -1)]]
    + [("A", cell, code) for cell, code in [("A", 0), ("AA", 0), ("N", -1), ("A-", -1)]],
    ids=lambda value: repr(value) if isinstance(value, str) else "",
)
def test_cells(file, alleles, cell, code):
    # Behind a neighbour, which makes cells of one width or of several.
    for other in ("N", "NN"):
        path = file(table(record(other, cell, alleles=alleles)))
        assert read_all(path, BOTH)[3][:, 0].tolist() == [-1, code]


@pytest.mark.parametrize(
    ("alleles", "expected"),
    [
        pytest.param("A/G", [("G", "A")], id="second is counted"),
        pytest.param("G/A", [("A", "G")], id="whatever their letters"),
        pytest.param("a/g", [("G", "A")], id="small letters"),
        pytest.param("A/-", [("-", "A")], id="deletion"),
        pytest.param("+/-", [("-", "+")], id="insertion or deletion"),
        pytest.param("A", [(None, "A")], id="one"),
        pytest.param("A/A", [(None, "A")], id="one, twice"),
        pytest.param("A/N", [(None, "A")], id="one and N"),
        pytest.param("A/0", [(None, "A")], id="one and 0"),
        pytest.param("A/.", [(None, "A")], id="one and a dot"),
        pytest.param("A/G/T", [("G", "A"), ("T", "A")], id="three"),
    ],
)
def test_alleles(file, alleles, expected):
    _, variants, *_ = read_all(file(table(record("NN", alleles=alleles))), BOTH)
    assert [variant[-2:] for variant in variants.candidates] == expected
    assert variants.total == 1


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("Gm01\t157104\t+", ("Gm01", 157104)),
        ("0\t0\t+", (None, None)),
        ("NA\tNA\tNA", (None, None)),
        ("\t\t", (None, None)),
        (" chr1 \t 7 \t+", ("chr1", 7)),
    ],
)
def test_places(file, place, expected):
    _, variants, *_ = read_all(file(table(record("AA", place=place))), BOTH)
    assert variants.candidates[0][1:3] == expected


@pytest.mark.parametrize("name", ["", ".", "NA", " "])
def test_snps_without_a_name_are_found_by_their_place(file, name):
    content = table(record("AG", name=name, place="Gm01\t100\t+"), record("AA", name=name))
    _, variants, _, codes, _ = read_all(file(content), Wanted(["s1"], ["Gm01"], [100]))
    assert variants.candidates == [Variant(None, "Gm01", 100, "G", "A")]
    assert codes.tolist() == [[1]]


def test_multi_allelic_sites_are_split_against_the_first_allele(file):
    cells = ["AA", "AG", "GG", "AT", "TG", "TT", "NN"]
    for style in (cells, ["A", "R", "G", "W", "K", "T", "N"]):
        content = table(record(*style, alleles="A/G/T"))
        reader, _, _, codes, _ = read_all(file(content), BOTH)
        assert codes[:, 0].tolist() == [0, 1, 2, -1, -1, -1, -1]
        assert codes[:, 1].tolist() == [0, -1, -1, 1, -1, 2, -1]
        assert reader.notes == {
            "multi-allelic sites, split into one variant per alternative allele": 1
        }


def test_records_come_in_the_order_asked_for_and_with_the_allele_asked_for(file):
    reader = open_genotypes(file(TWO_LETTERS))
    reader.variants(BOTH)
    selection = Selection(np.array([1, -1, 0, 1]), np.array([True, False, False, False]))
    (block,) = reader.genotypes(selection)
    assert block.samples == ["a", "b", "c"]
    assert block.codes.tolist() == [[0, -1, 0, 2], [-1, -1, 1, -1], [1, -1, 2, 1]]


def test_only_candidates_are_decoded(file):
    # No model asks for the second record, whatever it holds.
    content = table(record("AA", "AG"), record("what", "?!", alleles="none", name="other"))
    reader, variants, _, codes, _ = read_all(file(content), Wanted(["s1"]))
    assert codes.tolist() == [[0], [1]]
    assert variants.total == 2
    assert [example.id for example in variants.examples] == ["s1", "other"]
    assert reader.notes == {}


def test_a_repeated_record_is_offered_twice(file):
    _, variants, _, codes, _ = read_all(file(table(record("AA"), record("GG"))), BOTH)
    assert [variant.id for variant in variants.candidates] == ["s1", "s1"]
    assert codes.tolist() == [[0, 2]]


def test_no_record_of_the_model(file):
    _, variants, samples, codes, _ = read_all(file(TWO_LETTERS), Wanted(["other"]))
    assert variants.candidates == []
    assert samples == ["a", "b", "c"]
    assert codes.shape == (3, 0)


def test_sample_ids_stay_text(file):
    ids = ["007", "NA", "1e5", "Smith, J", "Žito 1"]
    content = table(record(*["AA"] * 5))
    for number, sample in enumerate(ids):
        content = content.replace(b"p%d" % number, sample.encode(), 1)
    assert read_all(file(content), BOTH)[2] == ids


def test_what_the_header_tells(file):
    path = file(gzip.compress(TWO_LETTERS), "misleading.csv")
    reader = open_genotypes(path)
    assert (reader.path, reader.files, reader.format) == (path, [path], "hapmap")
    assert (reader.n_samples, reader.id_column) == (3, "")
    assert reader.size_bytes == path.stat().st_size
    reader.variants(BOTH)
    assert reader.bytes_read == reader.size_bytes


# --- what is taken otherwise, and counted -------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "notes"),
    [
        pytest.param(
            [record("A-", "NG", "AN", "--")], {"half-calls, taken as missing": 3}, id="half-calls"
        ),
        pytest.param(
            [record("A-", "AG", alleles="A/G/T")],
            {
                "half-calls, taken as missing": 1,
                "multi-allelic sites, split into one variant per alternative allele": 1,
            },
            id="half-call at a split site",
        ),
        pytest.param(
            [record("A", "0", alleles="A/G/-")],
            {
                'heterozygous indels "0" at multi-allelic sites, taken as missing': 1,
                "multi-allelic sites, split into one variant per alternative allele": 1,
            },
            id="indel of one of two alleles",
        ),
        *(
            pytest.param(
                [record("AA"), record("AA", alleles=alleles)],
                {"records without alleles, skipped": 1},
                id=f"alleles {alleles!r}",
            )
            for alleles in ("", "N", "NA", "N/A", "N/N", ".", "0", "0/0", "-")
        ),
        pytest.param(
            [record("AA"), record("what", alleles="A/ATG")],
            {"records with alleles of more than one base, skipped": 1},
            id="long alleles",
        ),
        pytest.param(
            [record("AA"), record("GG", place="1\t9\t-")],
            {"records on the minus strand, alleles taken as spelt": 1},
            id="minus strand",
        ),
    ],
)
def test_notes(file, records, notes):
    reader, variants, *_ = read_all(file(table(*records)), BOTH)
    assert reader.notes == notes
    assert variants.total == len(records)


def test_skipped_records_are_not_offered(file):
    content = table(record("AA"), record("GG", alleles="NA"), record("x", alleles="A/ATG"))
    assert len(read_all(file(content), BOTH)[1].candidates) == 1


def test_alleles_of_the_minus_strand_are_taken_as_spelt(file):
    path = file(table(record("AA", "AG", place="1\t9\t-")))
    _, variants, _, codes, _ = read_all(path, BOTH)
    assert variants.candidates[0][-2:] == ("G", "A")
    assert codes.tolist() == [[0], [1]]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alleles", "cell", "words"),
    [
        pytest.param("A/G", cell, ["A/G, which the line lists", "alleles column"], id=f"A/G {cell}")
        for cell in ["AT", "T", "TT", "Y", "K", "T/T", "+", "A+", "TN", "C-"]
    ]
    + [pytest.param("A", cell, ["A, which the line lists"], id=f"A {cell}") for cell in "RG"]
    + [
        pytest.param("A/G", cell, ["IUPAC"], id=ascii(cell))
        for cell in [
            "AAG",
            "A|G",
            "AA/",
            "/A",
            "RR",
            "B",
            "A1",
            "z",
            "\u0410",
            "A\u0391",
            "nan",
            "0/1",
        ]
    ]
    + [pytest.param("A/G", cell, ["codes 0, 1, 2"], id=cell) for cell in "012"]
    + [pytest.param("A/G", "x" * 300, ["'" + "X" * 40 + "...'"], id="long")],
)
def test_bad_genotypes_are_named_with_line_snp_and_sample(file, alleles, cell, words):
    path = file(
        table(record("N", "N", "N", alleles=alleles), record("N", cell, "N", alleles=alleles))
    )
    with pytest.raises(errors.BadGenotype) as caught:
        read_all(path, BOTH)
    message = caught.value.message
    assert f"{path}, line 3, SNP 's1', sample 'p1': found " in message
    assert len(message.splitlines()) == 1
    told = f"{message} {caught.value.hint}"
    assert [word for word in words if word not in told] == []


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([record("AA", "AG"), record("A", "R")], id="two lines"),
        pytest.param([record("AA", "A")], id="one line"),
        pytest.param([record("A/A", "NN"), record("N", "A")], id="slash"),
    ],
)
def test_one_style_per_file(file, records):
    # Otherwise AG, cut to A at the end of a file, would be read as AA.
    with pytest.raises(errors.BadGenotype, match=r"found 'A', expected two letters as in line 2"):
        read_all(file(table(*records)), BOTH)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param(HEADER + b"\ta\n", errors.NoRows, [], id="header only"),
        pytest.param(HEADER + b"\n", errors.NoGenotypes, [], id="no samples"),
        pytest.param(
            TWO_LETTERS.replace(b"\tb\tc", b"\tb\ta"),
            errors.DuplicateSample,
            ["'a' (columns 12 and 14)"],
            id="repeated sample",
        ),
        pytest.param(
            TWO_LETTERS.replace(b"\tb\t", b"\t \t", 1),
            errors.NoSampleColumn,
            ["column 13"],
            id="sample without name",
        ),
        pytest.param(
            b"rs#\tline\ts1\na\tb\t0\n",
            errors.NotATable,
            ["'rs#', 'line', 's1'", "--input-format table"],
            id="a table with a column rs#",
        ),
        pytest.param(
            TWO_LETTERS.replace(b"\tpos", b"\tposition"), errors.NotATable, ["'position'"], id="pos"
        ),
        pytest.param(
            TWO_LETTERS.replace(b"\tcenter", b"", 1), errors.NotATable, ["QCcode"], id="ten columns"
        ),
        pytest.param(
            TWO_LETTERS.replace(b"\t", b" "), errors.NotATable, ["tabs"], id="spaces in the header"
        ),
        pytest.param(
            TWO_LETTERS + record("AA", "AG", "GG").replace(b"\t", b" "),
            errors.RaggedRow,
            ["line 4: found 1", "tabs"],
            id="spaces in a line",
        ),
        pytest.param(
            TWO_LETTERS + record("AA", "AG"),
            errors.RaggedRow,
            ["line 4: found 13 columns, expected 14"],
            id="short line",
        ),
        pytest.param(
            table(record("AA"), record("what", "ever", name="other")),
            errors.RaggedRow,
            ["line 3: found 13 columns, expected 12"],
            id="long line of another SNP",
        ),
        *(
            pytest.param(
                table(record("AA", name="other", place=f"1\t{position}\t+")),
                errors.BadVariant,
                ["line 2", "position", "scipen"],
                id=f"position {position[:9]}",
            )
            for position in ("1e+05", "1.5", "-1", "x", "9" * 5000, "\u0664", "+7", "1_000")
        ),
        *(
            pytest.param(
                table(record("AA", alleles=alleles)),
                errors.BadVariant,
                ["line 2", "alleles", "A/G"],
                id=f"alleles {alleles}",
            )
            for alleles in ("R", "0/1", "A,G", "A/", "A|G", "A/*", "A/\u0391")
        ),
        pytest.param(gzip.compress(TWO_LETTERS)[:-9], errors.TruncatedFile, [], id="gzip cut"),
        pytest.param(
            table(record("A", "A", "")).rstrip(b"\n"),
            errors.TruncatedFile,
            ["line feed"],
            id="cut behind a tab",
        ),
        pytest.param(
            TWO_LETTERS + b"\xff\n", errors.NotATable, ["line 4", "UTF-8"], id="not UTF-8"
        ),
        pytest.param(TWO_LETTERS + b"\0", errors.NotATable, ["NUL"], id="NUL"),
    ],
)
def test_refused_files(file, content, error, words):
    path = file(content)
    with pytest.raises(errors.SnpredictError) as caught:
        read_all(path, BOTH)
    assert type(caught.value) is error
    told = f"{caught.value.message} {caught.value.hint}"
    assert str(path) in told
    assert [word for word in words if word not in told] == []


def test_another_file_said_to_be_hapmap(file):
    path = file(b'"rs#","alleles"\n')
    with pytest.raises(errors.NotATable, match="not in HapMap format"):
        open_genotypes(path, format="hapmap")


@pytest.mark.parametrize("content", [TWO_LETTERS, IUPAC], ids=["two letters", "IUPAC"])
def test_a_cut_file_is_refused_or_ends_with_a_whole_line(file, content):
    whole = read_all(file(content), BOTH)[3]
    for cut in range(len(content)):
        path = file(content[:cut])
        try:
            _, variants, samples, codes, _ = read_all(path, BOTH, format="hapmap")
        except errors.SnpredictError:
            continue
        # A cut NN or a cut line feed loses nothing; text cannot show that lines are lacking.
        assert samples == ["a", "b", "c"]
        assert codes.tolist() == whole[:, : len(variants.candidates)].tolist()


# --- properties ---------------------------------------------------------------------------------


@st.composite
def files(draw):
    """Variants, codes, and how they are written."""
    n_samples, n_variants = draw(st.integers(1, 20)), draw(st.integers(1, 12))
    alleles = st.sampled_from("ACGT+-").flatmap(
        lambda other: st.tuples(
            st.sampled_from([None, *"ACGT+-".replace(other, "")]), st.just(other)
        )
    )
    variants = []
    for at in range(n_variants):
        counted, other = draw(alleles.filter(lambda pair: pair != (None, "-")))
        chromosome = draw(st.sampled_from([None, "1", "Gm01", "scaffold_7"]))
        position = draw(st.none() | st.integers(1, 10**9))
        variants.append(Variant(f"snp{at}", chromosome, position, counted, other))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = rng.choice(np.array([-1, 0, 1, 2], np.int8), (n_samples, n_variants))
    for at, variant in enumerate(variants):
        if variant.counted is None:
            codes[codes[:, at] > 0, at] = 0
    style = draw(st.sampled_from(["letters", "slash", "iupac"]))
    pack = draw(st.sampled_from([bytes, gzip.compress]))
    return variants, codes, style, pack


@settings(max_examples=100)
@given(files())
def test_what_is_written_is_read(drawn):
    variants, codes, style, pack = drawn
    samples = [f"sample {row}" for row in range(len(codes))]
    with tempfile.TemporaryDirectory() as folder:
        path = hapmap.write(Path(folder) / "x", samples, variants, codes, style=style, pack=pack)
        reader, found, ids, read, _ = read_all(path, wanted(variants))
    assert ids == samples
    assert found.candidates == variants
    np.testing.assert_array_equal(read, codes)
    assert reader.notes == {}


MIXED = table(
    record("AA", "AG", "NN"),
    record("++", "+-", "--", alleles="+/-", name="s2"),
    record("A-", "NG", "TT", alleles="A/G/T"),
    record("AA", "AA", "NN", alleles="A"),
    record("xx", "yy", "zz", name="other", place="\t\t-"),
)


@settings(max_examples=100)
@given(st.data())
def test_damaged_files_are_refused_or_give_codes(data):
    content = data.draw(st.sampled_from([TWO_LETTERS, IUPAC, MIXED]))
    pack = data.draw(st.sampled_from([bytes, gzip.compress]))
    content = data.draw(mutations(pack(data.draw(mutations(content)))))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        try:
            codes = read_all(path, BOTH, format="hapmap")[3]
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}
