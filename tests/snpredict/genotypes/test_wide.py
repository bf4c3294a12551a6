import csv
import gzip
import io
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import GenotypeBlock, ReadOptions, Selection
from snpredict.genotypes.tables.wide import WideTable
from snpredict.genotypes.variants import Variant, Wanted
from tests import reading
from tests.formats import tables

ROOT = Path(__file__).resolve().parents[3]
SOYNAM = Path(os.environ.get("SNPREDICT_SOYNAM", ROOT.parent / "shared" / "data" / "soynam"))

SNPS = ["s1", "s2", "s3"]
TABLE = b"id\ts1\ts2\ts3\na\t0\t1\t2\nb\tnan\t2\t0\n"


@pytest.fixture
def table(tmp_path):
    """Writes bytes to a file and gives its path."""

    def write(content: bytes, name: str = "genotypes.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def read_all(path, snps=SNPS, columns=(), block_bytes=1 << 19, **opening) -> GenotypeBlock:
    reader = WideTable(path, **opening)
    blocks = list(reader.blocks(snps, columns=columns, block_bytes=block_bytes))
    for block in blocks:
        assert block.samples
        assert block.codes.dtype == np.int8
        assert block.codes.flags.c_contiguous
        assert block.codes.shape == (len(block.samples), len(snps))
    return GenotypeBlock(
        [sample for block in blocks for sample in block.samples],
        Genotypes(np.concatenate([block.codes for block in blocks])),
        {name: [text for block in blocks for text in block.columns[name]] for name in columns},
    )


# --- the reference: plain Python, cell by cell --------------------------------------------------

REFERENCE_CODES = {"0": 0, "0.0": 0, "1": 1, "1.0": 1, "2": 2, "2.0": 2}
REFERENCE_MISSING = {"", "na", "nan", "n", ".", "-", "-9", "-1", "-9.0", "-1.0"}


def reference(content: bytes, id_column: str, snps, columns=()) -> GenotypeBlock:
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    text = content.decode("utf-8-sig")
    delimiter = "\t" if "\t" in text.split("\n")[0] else ","
    rows = [
        [cell.strip() for cell in row]
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        if row and (len(row) > 1 or row[0].strip(" "))
    ]
    header, *rows = rows
    position = {name: header.index(name) for name in header}

    def code(cell: str) -> int:
        return -1 if cell.lower() in REFERENCE_MISSING else REFERENCE_CODES[cell]

    codes = []
    for row in rows:
        assert len(row) == len(header)
        codes.append([code(row[position[s]]) if s in position else -1 for s in snps])
    return GenotypeBlock(
        [row[position[id_column]] for row in rows],
        Genotypes(np.array(codes, np.int8).reshape(len(rows), len(snps))),
        {name: [row[position[name]] for row in rows] for name in columns},
    )


def assert_same(found: GenotypeBlock, expected: GenotypeBlock) -> None:
    assert found.samples == expected.samples
    assert found.columns == expected.columns
    np.testing.assert_array_equal(found.codes, expected.codes)


# --- what is read -------------------------------------------------------------------------------

PLAIN = [[0, 1, 2], [-1, 2, 0]]

BGZF_LIKE = gzip.compress(TABLE[:9]) + gzip.compress(TABLE[9:]) + gzip.compress(b"")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TABLE, id="tsv"),
        pytest.param(TABLE.replace(b"\t", b","), id="csv"),
        pytest.param(TABLE.rstrip(b"\n"), id="no final newline"),
        pytest.param(TABLE.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(TABLE.replace(b"\n", b"\r\n").rstrip(b"\n"), id="CRLF cut after CR"),
        pytest.param(TABLE.replace(b"\n", b"\r\n", 1), id="mixed line ends"),
        pytest.param(TABLE + b"\n\r\n   \n", id="blank trailing lines"),
        pytest.param(TABLE.replace(b"\nb", b"\n\nb"), id="blank line within"),
        pytest.param(b"\xef\xbb\xbf" + TABLE, id="byte-order mark"),
        pytest.param(gzip.compress(TABLE), id="gzip"),
        pytest.param(gzip.compress(b"\xef\xbb\xbf" + TABLE), id="gzip with byte-order mark"),
        pytest.param(BGZF_LIKE, id="gzip of several members"),
        pytest.param(gzip.compress(TABLE) + b"\0" * 512, id="gzip padded with zeros"),
        pytest.param(b'"id","s1","s2","s3"\n"a","0","1","2"\n"b","nan","2","0"\n', id="all quoted"),
        pytest.param(b'"id","s1","s2","s3"\n"a",0,1,2\n"b",NA,2,0\n', id="as R writes csv"),
        pytest.param(b"id,s1,s2,s3\na,0.0,1.0,2.0\nb,,2.0,0.0\n", id="as pandas writes gaps"),
        pytest.param(b"id\ts1\ts2\ts3\na \t 0\t1 \t 2 \n b\t  \t2\t0\n", id="padded cells"),
        pytest.param(b"s3\tid\ts2\ts1\n2\ta\t1\t0\n0\tb\t2\t-\n", id="other column order"),
        pytest.param(b" id \ts1\ts2 \ts3\na\t0\t1\t2\nb\tN\t2\t0\n", id="padded header"),
        pytest.param(b"id\ts1\tx\ts2\tx\ts3\na\t0\tA\t1\t9\t2\nb\t.\t3\t2\t\t0\n", id="ignored"),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 7, 1 << 19])
def test_layouts_that_mean_the_same(table, content, block_bytes):
    found = read_all(table(content), block_bytes=block_bytes)
    assert found.samples == ["a", "b"]
    assert found.codes.tolist() == PLAIN


@pytest.mark.parametrize(
    ("cell", "code"),
    [("0", 0), ("1", 1), ("2", 2), ("0.0", 0), ("1.0", 1), ("2.0", 2), (" 2 ", 2), ('"2"', 2)]
    + [(cell, -1) for cell in ["", "nan", "NaN", "NAN", "NA", "na", "n", "N", ".", "-"]]
    + [(cell, -1) for cell in ["-9", "-1", "-9.0", "-1.0", " ", '""', '"NA"', " nan"]],
    ids=repr,
)
def test_accepted_cells(table, cell, code):
    path = table(f"id,s1,s2\na,{cell},2\nb,0,{cell}\n".encode())
    assert read_all(path, ["s1", "s2"]).codes.tolist() == [[code, 2], [0, code]]


BAD_CELLS = [
    *"3 9 A 0/1 0|1 AG 1.5 12 +1 -2 -0 01 2. .0 1.00 1e0 0x1 x ? nann none -- -9.5 nan0".split(),  # noqa: SIM905
    *["\x0e", "\x0b1\x01", "٢", "２", "2 2", "'2'", '"3"', "0" * 300],
]


@pytest.mark.parametrize(
    "cell",
    BAD_CELLS,
    ids=ascii,
)
@pytest.mark.parametrize("block_bytes", [1, 1 << 19])
def test_rejected_cells_are_named_with_line_and_column(table, cell, block_bytes):
    path = table(f"id,s1,s2\nb,0,0\na,1,{cell}\nc,x,0\n".encode())
    with pytest.raises(errors.BadGenotype) as caught:
        read_all(path, ["s2", "s1"], block_bytes=block_bytes)
    message = caught.value.message
    assert f"{path}, line 3, column 's2': found " in message
    assert repr(cell.strip('"'))[1:30] in message
    assert len(message.splitlines()) == 1
    assert caught.value.hint


def test_line_numbers_count_blank_lines(table):
    path = table(b"id,s1,s2,s3\n\na,0,1,2\n\n\nb,0,7,2\n")
    with pytest.raises(errors.BadGenotype, match="line 6, column 's2': found '7'"):
        read_all(path)


@pytest.mark.parametrize(
    "sample",
    ["007", "NA12878", "1e5", "nan", "NA", "-9", "Smith, J", 'the "best"', "Žito 1", "x" * 99],
)
def test_ids_stay_text(table, sample):
    quoted = '"' + sample.replace('"', '""') + '"'
    path = table(f"id,s1\nfirst,0\n{quoted},2\nlast,1\n".encode())
    found = read_all(path, ["s1"])
    assert found.samples == ["first", sample, "last"]
    assert found.codes[:, 0].tolist() == [0, 2, 1]


def test_quotes_within_a_cell_are_text(table):
    path = table(b'id\tpot\ts1\na\t5" wide\t2\nb\t"5"" wide"\t1\nc\t"a\tb"\t0\n')
    found = read_all(path, ["s1"], ["pot"])
    assert found.columns["pot"] == ['5" wide', '5" wide', "a\tb"]
    assert found.codes[:, 0].tolist() == [2, 1, 0]


def test_further_columns_are_handed_back_as_stripped_text(table):
    path = table(b"fold\theight\tline\ts1\n01\t 96.80 \ta\t2\n\tnan\tb\t0\n")
    found = read_all(path, ["s1"], ["height", "line", "fold"])
    assert found.samples == ["a", "b"]
    assert found.columns == {"height": ["96.80", "nan"], "line": ["a", "b"], "fold": ["01", ""]}
    assert list(found.columns) == ["height", "line", "fold"]


def test_snps_come_in_the_order_asked_for_and_absent_ones_are_missing(table):
    found = read_all(table(TABLE), ["s3", "zz", "s1", "yy"])
    assert found.codes.tolist() == [[2, -1, 0, -1], [0, -1, -1, -1]]


def test_scattered_columns_with_cells_of_every_width(table):
    rows = "".join(f"{i},1.0,A,NA,B,-9.0,,0, 2\n" for i in range(5))
    path = table(("id,s1,x,s2,y,s3,s4,s5,s6\n" + rows).encode())
    found = read_all(path, ["s6", "s1", "s3", "s2", "s4"])
    assert found.codes.tolist() == [[2, 1, -1, -1, -1]] * 5


def test_no_snps_asked_for_gives_the_samples(table):
    found = read_all(table(TABLE), [])
    assert found.samples == ["a", "b"]


def test_blocks_are_small_and_in_file_order(table):
    rows = "".join(f"sample{i}\t{i % 3}\t{(i + 1) % 3}\n" for i in range(500))
    path = table(("id\ts1\ts2\n" + rows).encode())
    blocks = list(WideTable(path).blocks(["s1", "s2"], block_bytes=300))
    assert len(blocks) > 20
    assert [s for block in blocks for s in block.samples] == [f"sample{i}" for i in range(500)]


def test_a_table_can_be_read_again_and_left_early(table):
    reader = WideTable(table(TABLE))
    first = next(iter(reader.blocks(SNPS, block_bytes=1)))
    assert first.samples == ["a"]
    assert [b.samples for b in reader.blocks(SNPS, block_bytes=1)] == [["a"], ["b"]]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_the_header_tells(table, pack):
    path = table(pack(TABLE), "misleading.csv")
    reader = WideTable(path)
    assert reader.path == path
    assert reader.format == "tsv"
    assert reader.compressed == (pack is gzip.compress)
    assert reader.header == ["id", "s1", "s2", "s3"]
    assert reader.id_column == "id"
    assert reader.size_bytes == path.stat().st_size
    for _ in reader.blocks(SNPS):
        assert 0 < reader.bytes_read <= reader.size_bytes
    assert reader.bytes_read == reader.size_bytes


# --- the sample id column -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "opening", "expected"),
    [
        pytest.param("fold,height,line,family,s1", {}, "line", id="usual name"),
        pytest.param("fold,Sample ID,s1", {}, "Sample ID", id="case and space"),
        pytest.param("#IID,s1", {}, "#IID", id="leading hash"),
        pytest.param("line,id,sample,s1", {}, "sample", id="priority, not position"),
        pytest.param("plot,s1,s2", {"id_column": "plot"}, "plot", id="named"),
        pytest.param("line,plot,s1", {"id_column": "plot"}, "plot", id="named beats usual"),
        pytest.param("s1,plot,s2", {"snps": ["s1", "s2"]}, "plot", id="only column that is no SNP"),
        pytest.param(",s1,s2", {"snps": ["s1", "s2"]}, "", id="pandas index"),
        pytest.param('"",s1,s2', {"snps": {"s1", "s2"}}, "", id="R row names"),
        pytest.param("id,plot,s1", {"snps": ["id", "s1"]}, "plot", id="a SNP called id"),
    ],
)
def test_id_column_found(table, header, opening, expected):
    assert WideTable(table(f"{header}\n".encode()), **opening).id_column == expected


@pytest.mark.parametrize(
    ("header", "opening", "words"),
    [
        pytest.param("plot,s1", {}, ["'plot'", "'s1'"], id="no usual name"),
        pytest.param("plot,a,s1", {"snps": ["s1"]}, ["'plot', 'a'"], id="two candidates"),
        pytest.param("s1,s2", {"snps": ["s1", "s2"]}, [], id="SNPs only"),
        pytest.param("line,s1", {"id_column": "plot"}, ["'plot'", "'line'"], id="named, not there"),
        pytest.param("Line,line,s1", {}, ["'Line', 'line'"], id="same name in two cases"),
    ],
)
def test_id_column_is_never_guessed(table, header, opening, words):
    with pytest.raises(errors.NoSampleColumn) as caught:
        WideTable(table(f"{header}\na,b,0\n".encode()), **opening)
    assert all(word in caught.value.message for word in words)
    assert "--id-column NAME" in caught.value.hint


# --- what is refused ----------------------------------------------------------------------------

GZ = gzip.compress(TABLE)
NO_GZ_CHECK = GZ[:-8] + b"\0\0\0\0" + GZ[-4:]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param(b"", errors.EmptyFile, [], id="empty"),
        pytest.param(gzip.compress(b""), errors.EmptyFile, [], id="empty gzip"),
        pytest.param(b"\xef\xbb\xbf", errors.EmptyFile, [], id="byte-order mark only"),
        pytest.param(b"id,s1\n", errors.NoRows, [], id="header only"),
        pytest.param(b"id,s1", errors.NoRows, [], id="header only, no newline"),
        pytest.param(b"id,s1\n\n \n", errors.NoRows, [], id="header and blank lines"),
        pytest.param(b"\nid,s1\na,1\n", errors.NotATable, ["first line"], id="blank first line"),
        pytest.param(b"id;s1\na;1\n", errors.NotATable, ["semicolons"], id="semicolons"),
        pytest.param(b"id s1\na 1\n", errors.NotATable, ["spaces"], id="spaces"),
        pytest.param(b"id\na\n", errors.NotATable, ["tab"], id="one column"),
        pytest.param(b"id,s1\na,\x001\n", errors.NotATable, ["binary"], id="NUL"),
        pytest.param(
            b"id,s1\nb,1\na\xff,1\n", errors.NotATable, ["line 3", "0xff", "UTF-8"], id="latin-1"
        ),
        pytest.param("id,s1\na,1\n".encode("utf-16"), errors.NotATable, ["UTF-16"], id="UTF-16"),
        pytest.param(b"\x6c\x1b\x01\xff\xff", errors.NotATable, ["PLINK .bed"], id="bed"),
        pytest.param(b"\x6c\x1b\x10\xff", errors.NotATable, ["PLINK 2"], id="pgen"),
        pytest.param(b"PAR1\x15\x04\x15\n,", errors.NotATable, ["Parquet"], id="parquet"),
        pytest.param(b"PK\x03\x04\x14\0,\n", errors.NotATable, ["Excel"], id="xlsx"),
        pytest.param(b"##fileformat=VCFv4.2\n", errors.NotATable, ["VCF"], id="vcf"),
        pytest.param(
            gzip.compress(b"##fileformat=VCFv4.2\n"), errors.NotATable, ["VCF"], id="vcf.gz"
        ),
        pytest.param(gzip.compress(b"BCF\x02\x02\n"), errors.NotATable, ["BCF"], id="bcf"),
        pytest.param(b"id,s1\ra,1\rb,2\r\n", errors.NotATable, ["carriage"], id="old Mac"),
        pytest.param(b"id,s1\na,1\r\r\n", errors.NotATable, ["line 2", "carriage"], id="CR CR LF"),
        pytest.param(b'id,s1\n"a\nb",1\n', errors.NotATable, ["line 2", "quote"], id="quoted LF"),
        pytest.param(
            b'id,s1\na,"1\nb",1\n', errors.NotATable, ["line 2", "quote"], id="LF in cell"
        ),
        pytest.param(b'id,"s1\n"\na,1\n', errors.NotATable, ["line 1", "quote"], id="LF in header"),
        pytest.param(b'id,s1\n"a"b,1\n', errors.NotATable, ["line 2", "quote"], id="after quote"),
        pytest.param(GZ[:1], errors.NotATable, [], id="gzip cut after 1 byte"),
        pytest.param(GZ[:5], errors.TruncatedFile, [], id="gzip cut in its header"),
        pytest.param(GZ[:-12], errors.TruncatedFile, [], id="gzip cut"),
        pytest.param(GZ[:-1], errors.TruncatedFile, [], id="gzip cut before its last byte"),
        pytest.param(GZ + GZ[:15], errors.TruncatedFile, [], id="second gzip member cut"),
        pytest.param(NO_GZ_CHECK, errors.TruncatedFile, ["damaged"], id="gzip check differs"),
        pytest.param(GZ + b"rubbish", errors.TruncatedFile, ["damaged"], id="bytes behind gzip"),
        pytest.param(
            b"id,s1\na,1\nb\n", errors.RaggedRow, ["line 3", "found 1", "expected 2"], id="short"
        ),
        pytest.param(b"id,s1\na,1,2\n", errors.RaggedRow, ["line 2", "found 3", "R's"], id="long"),
        pytest.param(b"id,s1,s2\na,1,2,0\nb,1\n", errors.RaggedRow, ["line 2"], id="same total"),
        pytest.param(b'id,s1\n"a,1"\n', errors.RaggedRow, ["found 1"], id="separator in quotes"),
        pytest.param(b"id,s1\na,1\n,2\n", errors.NoSampleColumn, ["line 3"], id="no id in a row"),
        pytest.param(b"id,s1\na,1\n  ,2\n", errors.NoSampleColumn, ["line 3"], id="id of spaces"),
        pytest.param(
            b"id,s1\na,1\nb,1\na,2\n",
            errors.DuplicateSample,
            ["'a'", "lines 2 and 4"],
            id="repeated sample",
        ),
        pytest.param(
            b"id,s1,s1\na,1,2\n", errors.DuplicateColumn, ["'s1'"], id="repeated SNP column"
        ),
        pytest.param(b"id,id,s1\na,b,1\n", errors.DuplicateColumn, ["'id'"], id="repeated id"),
        pytest.param(
            b"id,x1,x2,x3,x4\na,1,1,1,1\n",
            errors.NoSnpMatched,
            ["'x2', 'x3', 'x4'", "'s1', 's2', 's3'"],
            id="no SNP of the model",
        ),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 1 << 19])
def test_refused_files(table, content, error, words, block_bytes):
    path = table(content)
    with pytest.raises(errors.SnpredictError) as caught:
        read_all(path, block_bytes=block_bytes)
    assert type(caught.value) is error
    assert str(path) in caught.value.message
    told = f"{caught.value.message} {caught.value.hint}"
    assert [word for word in words if word not in told] == []


def test_repeated_samples_are_found_across_blocks(table):
    path = table(b"id,s1\na,1\nb,1\nc,1\nb,2\n")
    with pytest.raises(errors.DuplicateSample, match=r"'b' \(lines 3 and 5\)"):
        read_all(path, ["s1"], block_bytes=1)


def test_at_most_five_repeated_names_are_listed(table):
    rows = "".join(f"{sample},1\n" for sample in "abcdefg") * 2
    with pytest.raises(errors.DuplicateSample) as caught:
        read_all(table(f"id,s1\n{rows}".encode()), ["s1"])
    assert caught.value.message.count("lines") == 5
    assert caught.value.message.endswith(", ...")


def test_repeated_further_column_is_refused(table):
    reader = WideTable(table(b"id,fold,fold,s1\na,1,2,0\n"))
    with pytest.raises(errors.DuplicateColumn, match="'fold'"):
        reader.blocks(["s1"], columns=["fold"])


def test_unknown_further_column_is_refused(table):
    reader = WideTable(table(TABLE))
    with pytest.raises(errors.UsageError, match="no column 'fold'"):
        reader.blocks(SNPS, columns=["fold"])


def test_block_bytes_must_be_positive(table):
    with pytest.raises(ValueError, match="block_bytes is 0"):
        WideTable(table(TABLE)).blocks(SNPS, block_bytes=0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("absent.tsv", "does not exist", id="no such file"),
        pytest.param("absent/absent.tsv", "does not exist", id="no such directory"),
        pytest.param(".", "directory", id="a directory"),
        pytest.param("genotypes.txt/x.tsv", "cannot be read", id="below a file"),
        pytest.param("x" * 5000, "cannot be read", id="name too long"),
        pytest.param("a\0b", "not a file name", id="NUL in the name"),
    ],
)
def test_files_that_cannot_be_opened(table, name, words):
    folder = table(TABLE).parent
    with pytest.raises(errors.FileNotFound, match=words):
        open_genotypes(folder / name)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read every file"
)
def test_no_permission(table):
    path = table(TABLE)
    path.chmod(0)
    with pytest.raises(errors.FileNotFound, match="no permission"):
        open_genotypes(path)


def test_a_file_that_goes_away_between_header_and_rows(table):
    path = table(TABLE)
    blocks = WideTable(path).blocks(SNPS)
    path.unlink()
    with pytest.raises(errors.FileNotFound):
        list(blocks)


def test_import_is_light():
    code = (
        "import sys, snpredict.genotypes.detect;"
        "print({'pyarrow', 'csv', 'gzip', 'onnxruntime'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "pyarrow" not in result.stdout
    assert "onnxruntime" not in result.stdout


# --- as a reader of genotypes --------------------------------------------------------------------


def test_snps_are_candidates_by_name_and_without_alleles(table):
    path = table(b"fold\tline\ts1\ts2\ts3\n1\ta\t0\t1\t2\n2\tb\tnan\t2\t0\n")
    reader, variants, samples, codes, _ = reading.read_all(path, Wanted(["s3", "s1", "x"]))
    assert not variants.has_alleles
    assert variants.candidates == [Variant(name, None, None, None, None) for name in ("s1", "s3")]
    assert variants.total == 4
    assert [variant.id for variant in variants.examples] == ["fold", "s1", "s2", "s3"]
    assert (samples, codes.tolist()) == (["a", "b"], [[0, 2], [-1, 0]])
    assert (reader.format, reader.id_column, reader.files) == ("tsv", "line", [path])
    assert (reader.n_samples, reader.notes) == (None, {})
    assert reader.bytes_read == reader.size_bytes == path.stat().st_size


def test_selection(table):
    reader = open_genotypes(table(TABLE))
    reader.variants(Wanted(SNPS))
    selection = Selection(np.array([2, -1, 0, 2]), np.array([True, True, False, False]))
    (block,) = reader.genotypes(selection)
    assert block.codes.tolist() == [[0, -1, 0, 2], [2, -1, -1, 0]]
    assert block.codes.dtype == np.int8


def test_no_matching_snp_is_no_candidate_and_no_error(table):
    _, variants, samples, codes, _ = reading.read_all(table(TABLE), Wanted(["x1", "x2"]))
    assert variants.candidates == []
    assert [variant.id for variant in variants.examples] == SNPS
    assert (samples, codes.shape) == (["a", "b"], (2, 0))


def test_repeated_candidate_is_refused(table):
    path = table(b"id,s1,s1,s2,s2\na,1,2,0,0\n")
    with pytest.raises(errors.DuplicateColumn, match="'s2'"):
        reading.read_all(path, Wanted(["s2"]))
    with pytest.raises(errors.DuplicateColumn, match="'s1', 's2'"):
        reading.read_all(path, Wanted(["s1", "s2", "s3"]))


def test_an_id_column_that_is_named_is_no_candidate(table):
    path = table(b"s1,s2\na,1\nb,2\n")
    _, variants, samples, _, _ = reading.read_all(
        path, Wanted(["s1", "s2"]), options=ReadOptions(id_column="s1")
    )
    assert samples == ["a", "b"]
    assert [variant.id for variant in variants.candidates] == ["s2"]


def test_the_hint_for_a_missing_id_column_names_both_ways_out(table):
    with pytest.raises(errors.NoSampleColumn) as caught:
        open_genotypes(table(b"plot,a,b\nx,1,1\n"))
    assert "--id-column NAME" in caught.value.hint
    assert "--snps-in rows" in caught.value.hint


def test_dosages_are_refused_with_the_way_out(table):
    with pytest.raises(errors.BadGenotype, match=r"found '1\.4'") as caught:
        read_all(table(b"id,s1\na,1.4\n"), ["s1"])
    assert "VCF (DS)" in caught.value.hint


wide_tables = st.tuples(
    st.integers(1, 9), st.integers(1, 9), st.sampled_from("\t,"), st.sampled_from(["NA", "-9", ""])
)


@settings(max_examples=60)
@given(wide_tables, st.randoms(use_true_random=False))
def test_what_is_written_is_read(shape, rng):
    n_samples, n_snps, delimiter, missing = shape
    variants = [Variant(f"m{number}", None, None, None, None) for number in range(n_snps)]
    samples = [f"line {number}" for number in range(n_samples)]
    codes = np.array([[rng.randint(-1, 2) for _ in variants] for _ in samples], np.int8)
    with tempfile.TemporaryDirectory() as folder:
        path = tables.write_wide(
            Path(folder) / "t", samples, variants, codes, delimiter=delimiter, missing=missing
        )
        _, found, names, read, fractions = reading.read_all(path, reading.wanted(variants))
    assert (names, found.candidates) == (samples, variants)
    np.testing.assert_array_equal(read, codes)
    assert not fractions.any()


# --- properties ---------------------------------------------------------------------------------

SPELLINGS = {
    0: ["0", "0.0", " 0"],
    1: ["1", "1.0", "1 "],
    2: ["2", "2.0", " 2.0 "],
    -1: ["", "nan", "NaN", "NA", "n", "N", ".", "-", "-9", "-1", "-9.0", "-1.0", " na "],
}
#: The first spelling only, so that the fast pass meets whole tables too.
PLAIN_SPELLINGS = {0: ["0"], 1: ["1"], 2: ["2"], -1: ["nan"]}

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters=',"\t'),
    max_size=6,
)


@st.composite
def rendered_tables(draw):
    """A file's bytes, the SNPs and columns to ask for, and the size of the blocks."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    n_rows, n_snps = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    delimiter = draw(st.sampled_from("\t,"))
    spellings = draw(st.sampled_from([SPELLINGS, PLAIN_SPELLINGS]))
    quote_share = draw(st.sampled_from([0, 0, 0.2, 1]))
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"], ["\n", "\n\n", "\r\n \r\n"]]))
    extras = [f"extra {i}" for i in range(draw(st.integers(0, 3)))]
    snps = [f"snp{i}" for i in range(n_snps)]
    header = ["id", *extras, *snps]
    rng.shuffle(header)

    def render(cell: str) -> str:
        if rng.random() < quote_share or any(mark in cell for mark in (delimiter, '"')):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    lines = [delimiter.join(render(name) for name in header)]
    for row in range(n_rows):
        cells = {name: rng.choice(spellings[rng.choice([0, 1, 2, -1])]) for name in snps}
        cells |= {name: draw(texts) for name in extras}
        cells["id"] = f"{row}{draw(texts)}"
        lines.append(delimiter.join(render(cells[name]) for name in header))
    text = "".join(line + rng.choice(ends) for line in lines)
    if draw(st.booleans()):
        text = text.rstrip("\r\n ") if text.rstrip("\r\n ")[-1] not in ",\t" else text
    content = text.encode("utf-8-sig" if draw(st.booleans()) else "utf-8")
    packing = draw(st.sampled_from(["plain", "gzip", "members"]))
    if packing == "gzip":
        content = gzip.compress(content)
    elif packing == "members":
        cut = rng.randint(4, len(content))
        content = gzip.compress(content[:cut]) + gzip.compress(content[cut:])

    wanted = rng.sample(snps, rng.randint(1, n_snps))
    wanted += ["absent"] * draw(st.integers(0, 1))
    rng.shuffle(wanted)
    columns = rng.sample(extras, rng.randint(0, len(extras)))
    block_bytes = draw(st.sampled_from([1, 2, 3, 5, 17, 64, 200, 1 << 19]))
    return content, wanted, columns, block_bytes


@settings(max_examples=300)
@given(rendered_tables())
def test_every_rendering_reads_as_the_reference_does(rendered):
    content, snps, columns, block_bytes = rendered
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(content)
        found = read_all(path, snps, columns, block_bytes, coding="012")
    assert_same(found, reference(content, "id", snps, columns))


FUZZED = (
    b'id,fold,"s1",s2,s3\n"Smith, J",1,0,1,2\nb,,nan,"2",0\nc,"x""y",2.0,-9, 1\n"d",2,0,0,0\n',
    TABLE,
    TABLE.replace(b"\n", b"\r\n"),
    b"id,s1,s2,s3\n" + b"".join(b"%d,0,1,2\n" % row for row in range(30)),
)
NASTY = [bytes([byte]) for byte in b'\n\r\t," 0123.-naN\0\x1f\xef\xff'] + [b"\xef\xbb\xbf", b""]


@settings(max_examples=1000)
@given(st.data())
def test_damaged_files_are_refused_or_read_as_the_reference_does(data):
    content = data.draw(st.sampled_from(FUZZED))
    packed = data.draw(st.booleans())
    if packed:
        content = gzip.compress(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        if data.draw(st.integers(0, 9)) == 0:
            content = content[:at]
        else:
            piece = data.draw(st.sampled_from(NASTY) | st.binary(min_size=1, max_size=3))
            content = content[:at] + piece + content[at + data.draw(st.integers(0, 2)) :]
    block_bytes = data.draw(st.sampled_from([1, 5, 40, 1 << 19]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(content)
        try:
            found = read_all(path, block_bytes=block_bytes, id_column="id")
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert set(np.unique(found.codes)) <= {-1, 0, 1, 2}
    assert_same(found, reference(content, "id", SNPS))


# --- the real data ------------------------------------------------------------------------------


@pytest.mark.skipif(
    not (SOYNAM / "height_chip.tsv.gz").exists(),
    reason="no height_chip.tsv.gz: set SNPREDICT_SOYNAM to the folder of the SoyNAM tables",
)
def test_soynam_chip_table():
    path = SOYNAM / "height_chip.tsv.gz"
    reader = WideTable(path)
    snps = reader.header[4:]
    assert reader.id_column == "line"
    found = read_all(path, snps[::-1], ["fold", "height"])
    assert found.codes.shape == (5142, 4312)

    every = 50
    with gzip.open(path, "rb") as file:
        header, *lines = file.read().splitlines(keepends=True)
    expected = reference(header + b"".join(lines[::every]), "line", snps[::-1], ["fold", "height"])
    assert found.samples[::every] == expected.samples
    assert found.columns["height"][::every] == expected.columns["height"]
    np.testing.assert_array_equal(found.codes[::every], expected.codes)
