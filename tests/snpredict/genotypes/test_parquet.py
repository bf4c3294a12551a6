import importlib.util
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import ReadOptions, Selection
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats import tables
from tests.reading import mutations, read_all, wanted

ROOT = Path(__file__).resolve().parents[3]

WANTED = Wanted(["m1", "m2", "m3"])
WIDE = {"line": ["a", "b", "c"], "m1": [0, 1, 2], "m2": [2, None, 0], "height": [1.5, 2.5, 3.5]}
ROWS = {
    "snp": ["m1", "x", "m2"],
    "chrom": ["Gm01", "Gm01", "Gm02"],
    "pos": [100, 200, 300],
    "ref": ["G", "T", "C"],
    "alt": ["A", "A", "T"],
    "a": [0, 9, 2],
    "b": [1, 9, None],
    "c": [2, 9, 0],
}


@pytest.fixture
def file(tmp_path):
    """Writes columns to a Parquet file and gives its path."""

    def write(columns: dict, **options) -> Path:
        path = tmp_path / "genotypes.parquet"
        pq.write_table(pa.table(columns), path, **options)
        return path

    return write


def read(path, wants=WANTED, **options):
    return read_all(path, wants, options=ReadOptions(**options))


# --- what is read -------------------------------------------------------------------------------


def test_samples_in_rows(file):
    path = file(WIDE)
    reader, variants, samples, codes, _ = read(path)
    assert samples == ["a", "b", "c"]
    assert codes.tolist() == [[0, 2], [1, -1], [2, 0]]
    assert not variants.has_alleles
    assert variants.candidates == [Variant(name, None, None, None, None) for name in ("m1", "m2")]
    assert variants.total == 3
    assert [variant.id for variant in variants.examples] == ["m1", "m2", "height"]
    assert (reader.format, reader.id_column, reader.n_samples) == ("parquet", "line", 3)
    assert (reader.files, reader.notes) == ([path], {})
    assert 0 < reader.bytes_read <= reader.size_bytes == path.stat().st_size


def test_snps_in_rows(file):
    reader, variants, samples, codes, _ = read(file(ROWS))
    assert samples == ["a", "b", "c"]
    assert codes.tolist() == [[0, 2], [1, -1], [2, 0]]
    assert variants.has_alleles
    assert variants.candidates == [
        Variant("m1", "Gm01", 100, "A", "G"),
        Variant("m2", "Gm02", 300, "T", "C"),
    ]
    assert variants.total == 3
    assert variants.chromosomes == {"Gm01", "Gm02"}
    assert (reader.format, reader.id_column, reader.n_samples) == ("parquet", "", 3)
    assert reader.bytes_read == reader.size_bytes


@pytest.mark.parametrize("columns", [WIDE, ROWS], ids=["samples in rows", "SNPs in rows"])
def test_selection(file, columns):
    reader = open_genotypes(file(columns), snps=WANTED)
    reader.variants(WANTED)
    selection = Selection(np.array([1, -1, 0, 1]), np.array([True, True, False, False]))
    (block,) = reader.genotypes(selection)
    assert block.codes.tolist() == [[0, -1, 0, 2], [-1, -1, 1, -1], [2, -1, 2, 0]]
    assert block.codes.flags.c_contiguous


@pytest.mark.parametrize("columns", [WIDE, ROWS], ids=["samples in rows", "SNPs in rows"])
def test_no_matching_snp_is_no_error(file, columns):
    reader = open_genotypes(file(columns))
    assert reader.variants(Wanted(["y"])).candidates == []
    (block,) = reader.genotypes(Selection(np.array([-1, -1]), np.array([False, True])))
    assert block.samples == ["a", "b", "c"]
    assert block.codes.tolist() == [[-1, -1]] * 3


TYPES = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float32(), pa.float64(), pa.string(), pa.large_string()),
    *(pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.int64())),
]


@pytest.mark.parametrize("write", [tables.write_parquet_wide, tables.write_parquet_rows])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_types(tmp_path, write, dtype):
    variants = [Variant(f"m{n}", "1", n + 1, "A", "G") for n in range(3)]
    codes = np.array([[0, 1, 2], [-1, -1, -1], [2, 2, -1], [1, -1, 0]], np.int8)
    path = write(tmp_path / "t", list("abcd"), variants, codes, dtype=dtype)
    assert read(path, wanted(variants))[3].tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        pytest.param(pa.array([2, -1, -9], pa.int16()), [2, -1, -1], id="integers"),
        pytest.param([1.0, float("nan"), -9.0], [1, -1, -1], id="floats"),
        pytest.param(pa.array(np.array([0, 1, 2], np.float16)), [0, 1, 2], id="half floats"),
        pytest.param([" 2 ", "NaN", "1.0"], [2, -1, 1], id="text"),
        pytest.param(["", "-", None], [-1, -1, -1], id="missing as text"),
        pytest.param(pa.nulls(3), [-1, -1, -1], id="nothing"),
        pytest.param(
            pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), ["0", "2"]),
            [2, -1, 0],
            id="categories",
        ),
    ],
)
def test_values(file, values, codes):
    path = file({"id": ["a", "b", "c"], "m1": values})
    assert read(path)[3][:, 0].tolist() == codes


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param([0, 3, 1], "'3'", id="3"),
        pytest.param([0, 256, 1], "'256'", id="256, which is 0 in one byte"),
        pytest.param(pa.array([0, 255, 1], pa.uint8()), "'255'", id="255"),
        pytest.param([0, 2**62, 1], "'4611686018427387904'", id="large"),
        pytest.param([0.0, 1.4, 1.0], "'1.4'", id="dosage"),
        pytest.param([0.0, float("inf"), 1.0], "'inf'", id="infinity"),
        pytest.param(["0", "A/G", "1"], "'A/G'", id="call"),
        pytest.param(pa.array(["0", "x", "1"]).dictionary_encode(), "'x'", id="category"),
        pytest.param([None, True, None], "a value of type bool", id="bool"),
        pytest.param([None, b"1", None], "a value of type binary", id="bytes"),
        pytest.param([None, Decimal("1"), None], "a value of type decimal", id="decimal"),
        pytest.param([None, [1], None], "a value of type list", id="list"),
        pytest.param([None, {"a": 1}, None], "a value of type struct", id="struct"),
    ],
)
def test_rejected_values_are_named_with_row_and_column(file, values, found):
    path = file({"id": ["a", "b", "c"], "m2": [0, 1, 2], "m1": values})
    with pytest.raises(errors.BadGenotype) as caught:
        read(path)
    message = caught.value.message
    assert f"{path}, row 2 (sample 'b'), column 'm1': found {found}" in message
    assert len(message.splitlines()) == 1
    assert ("VCF (DS)" in caught.value.hint) == ("1.4" in found)


def test_only_candidates_are_judged(file):
    assert read(file(WIDE | {"y": ["AA", "AG", "?"]}))[3].tolist() == [[0, 2], [1, -1], [2, 0]]
    assert read(file(ROWS))[3].tolist() == [[0, 2], [1, -1], [2, 0]]
    with pytest.raises(errors.BadGenotype, match="row 2, column 'a': found '9'"):
        read(file(ROWS), Wanted(["x"]))


def test_names_that_contain_others(file):
    path = file({"id": ["a"], "m1.2": [0], "m1": [1], "m": [2], "m1.m2": ["?"]})
    assert read(path, Wanted(["m1", "m", "m1.2"]))[3].tolist() == [[0, 1, 2]]


def test_small_row_groups_and_many_columns(tmp_path):
    rng = np.random.default_rng(5)
    codes = rng.integers(-1, 3, (300, 300)).astype(np.int8)
    variants = [Variant(f"m{n}", "1", n + 1, "A", "G") for n in range(300)]
    samples = [f"s{n}" for n in range(300)]
    chosen = sorted(rng.choice(300, 200, replace=False).tolist())
    for write in (tables.write_parquet_wide, tables.write_parquet_rows):
        path = write(tmp_path / "t", samples, variants, codes, row_group_size=70)
        _, found, names, read_codes, _ = read(path, wanted([variants[n] for n in chosen]))
        assert names == samples
        assert [variant.id for variant in found.candidates] == [f"m{n}" for n in chosen]
        np.testing.assert_array_equal(read_codes, codes[:, chosen])


# --- ids ----------------------------------------------------------------------------------------

INDEX = "__index_level_0__"


@pytest.mark.parametrize(
    ("ids", "options", "id_column", "samples"),
    [
        pytest.param({"Sample ID": ["a", "b"]}, {}, "Sample ID", ["a", "b"], id="usual name"),
        pytest.param({"line": ["007", "1e5"]}, {}, "line", ["007", "1e5"], id="ids stay text"),
        pytest.param({"line": [7, 8]}, {}, "line", ["7", "8"], id="numbers"),
        pytest.param(
            {"line": pa.array(["b", "a"]).dictionary_encode()},
            {},
            "line",
            ["b", "a"],
            id="category",
        ),
        pytest.param({INDEX: ["a", "b"]}, {}, INDEX, ["a", "b"], id="pandas index"),
        pytest.param({INDEX: [3, 1], "line": ["a", "b"]}, {}, "line", ["a", "b"], id="row numbers"),
        pytest.param({INDEX: ["x", "y"], "id": ["a", "b"]}, {}, "id", ["a", "b"], id="two"),
        pytest.param(
            {"p": ["a", "b"], "id": ["x", "x"]}, {"id_column": "p"}, "p", ["a", "b"], id="named"
        ),
        pytest.param({"plot": ["a", "b"]}, {}, "plot", ["a", "b"], id="only one that is no SNP"),
    ],
)
def test_sample_ids(file, ids, options, id_column, samples):
    reader, _, found, codes, _ = read(file({"m1": [0, 1], **ids, "m2": [2, 1]}), **options)
    assert reader.id_column == id_column
    assert found == samples
    assert codes.tolist() == [[0, 2], [1, 1]]


def test_snp_ids_in_the_index_of_pandas(file):
    path = file({"a": [1, 2], "b": [0, None], INDEX: ["m1", "m3"]})
    _, variants, samples, codes, _ = read(path, snps_in="rows")
    assert [variant.id for variant in variants.candidates] == ["m1", "m3"]
    assert (samples, codes.tolist()) == (["a", "b"], [[1, 2], [0, -1]])


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        pytest.param({"chr": [1], "pos": [5], "a": [0]}, True, id="chromosome and position"),
        pytest.param({"id": ["m1"], "a": [0]}, True, id="SNPs of the model in rows"),
        pytest.param({"id": ["a"], "m1": [0]}, False, id="SNPs of the model in columns"),
        pytest.param({"id": [b"a"], "m1": [0]}, False, id="ids of another type"),
        pytest.param({"snp": ["x"], "a": [0]}, True, id="no SNP of the model, named snp"),
        pytest.param({"id": ["x"], "a": [0]}, False, id="no SNP of the model, named id"),
    ],
)
def test_orientation(file, columns, rows):
    assert bool(open_genotypes(file(columns), snps=WANTED).id_column) != rows


def test_numbers_in_the_annotation(file):
    path = file(ROWS | {"chrom": [1, 1, 2], "pos": [100.0, float("nan"), None]})
    _, variants, *_ = read(path)
    assert [variant[:3] for variant in variants.candidates] == [("m1", "1", 100), ("m2", "2", None)]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "options", "error", "words"),
    [
        pytest.param({"id": [], "m1": []}, {}, errors.NoRows, [], id="no rows"),
        pytest.param({}, {}, errors.NoRows, [], id="no columns"),
        pytest.param(
            {"plot": ["a"], "x": [0], "m1": [0]},
            {},
            errors.NoSampleColumn,
            ["'plot', 'x'", "--id-column", "--snps-in rows"],
            id="no id column",
        ),
        pytest.param(
            {INDEX: [7], "x": [1], "m1": [0]}, {}, errors.NoSampleColumn, [INDEX], id="row numbers"
        ),
        pytest.param(
            {"id": ["a"], "m1": [0]}, {"id_column": "x"}, errors.NoSampleColumn, ["'x'"], id="named"
        ),
        pytest.param(
            {"id": [1.5], "m1": [0]}, {}, errors.NoSampleColumn, ["double"], id="ids with decimals"
        ),
        pytest.param(
            {"id": ["a", None], "m1": [0, 0]}, {}, errors.NoSampleColumn, ["row 2"], id="no id"
        ),
        pytest.param(
            {"id": ["a", "b", "a"], "m1": [0, 0, 0]},
            {},
            errors.DuplicateSample,
            ["'a' (rows 1 and 3)"],
            id="repeated sample",
        ),
        pytest.param(
            ROWS | {"pos": [1, -2, 3]}, {}, errors.BadVariant, ["row 2", "'-2'"], id="pos"
        ),
        pytest.param(
            ROWS | {"pos": [True, False, None]}, {}, errors.UnsupportedFile, ["bool"], id="bool pos"
        ),
        pytest.param(
            {"what": ["a"], "x": [0]}, {"snps_in": "rows"}, errors.UnsupportedFile, [], id="no ids"
        ),
        pytest.param(ROWS, {"id_column": "a"}, errors.UsageError, [], id="ids of SNPs in rows"),
        pytest.param({"id": ["m1"], "m1": [0]}, {}, errors.UsageError, ["--snps-in"], id="tie"),
    ],
)
def test_refused_tables(file, columns, options, error, words):
    path = file(columns)
    with pytest.raises(errors.SnpredictError) as caught:
        read(path, **options)
    assert type(caught.value) is error
    told = f"{caught.value.message} {caught.value.hint}"
    assert str(path) in told
    assert [word for word in words if word not in told] == []


@pytest.mark.parametrize("name", ["m1", "id"])
def test_repeated_columns_are_refused(tmp_path, name):
    arrays = [pa.array(["a"]), pa.array([0]), pa.array([1]), pa.array([2])]
    pq.write_table(pa.table(arrays, names=["id", "m1", "m2", name]), tmp_path / "t")
    with pytest.raises(errors.DuplicateColumn, match=f"'{name}'"):
        read(tmp_path / "t", snps_in="columns")


def test_a_file_that_is_no_parquet(tmp_path):
    path = tmp_path / "t"
    path.write_bytes(b"id,m1\na,0\n")
    with pytest.raises(errors.NotATable, match="not a Parquet file"):
        read_all(path, WANTED, format="parquet")


def example(columns=WIDE, **options) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("columns", [WIDE, ROWS], ids=["samples in rows", "SNPs in rows"])
def test_every_cut_is_an_error(tmp_path, columns):
    content = example(columns)
    path = tmp_path / "t"
    for cut in range(1, len(content), 31):
        path.write_bytes(content[:cut])
        with pytest.raises(errors.SnpredictError):
            read(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(example(), id="samples in rows"),
        pytest.param(example(ROWS), id="SNPs in rows"),
        pytest.param(example(compression="none", use_dictionary=False), id="plain"),
    ],
)
@settings(max_examples=100)
@given(st.data())
def test_damaged_files_are_refused_or_read(content, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        path.write_bytes(b"PAR1" + data.draw(mutations(content[4:])))
        try:
            codes = read(path)[3]
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}


# --- pandas -------------------------------------------------------------------------------------

without_pandas = pytest.mark.skipif(
    importlib.util.find_spec("pandas") is None, reason="needs pandas to write with it"
)


@without_pandas
def test_what_pandas_writes(tmp_path):
    import pandas as pd

    frame = pd.DataFrame(
        {"m1": [0, 1, 2], "m2": [2.0, None, 0.0], "m3": pd.array([1, None, 1], "Int8")},
        index=["a", "b", "c"],
    )
    frame.to_parquet(tmp_path / "t", engine="pyarrow")
    _, _, samples, codes, _ = read(tmp_path / "t")
    assert samples == ["a", "b", "c"]
    assert codes.tolist() == [[0, 2, 1], [1, -1, -1], [2, 0, 1]]


@without_pandas
@pytest.mark.parametrize("columns", [WIDE, ROWS], ids=["samples in rows", "SNPs in rows"])
def test_reading_does_not_import_pandas(file, columns):
    path = file(columns | {"m3" if columns is WIDE else "d": ["0", "1", None]})
    code = (
        "import sys\nimport numpy as np\n"
        "from snpredict.genotypes.detect import open_genotypes\n"
        "from snpredict.genotypes.reader import Selection\n"
        "from snpredict.genotypes.variants import Wanted\n"
        f"reader = open_genotypes({str(path)!r})\n"
        "n = len(reader.variants(Wanted(['m1', 'm2', 'm3'])).candidates)\n"
        "blocks = list(reader.genotypes(Selection(np.arange(n), np.zeros(n, bool))))\n"
        "print(n >= 2, len(blocks), 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True 1 False\n"
