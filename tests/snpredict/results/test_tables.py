import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from snpredict import errors
from snpredict.results.tables import METADATA_KEY, Results, encode, format_of

RESULTS = Results(
    metadata={"model": "tiny", "unit": "cm"},
    columns={
        "sample": ["a", 'b "x"', "c\td", "Größe, 1"],
        "genotype": [0, None, 2, 1],
        "prediction": np.array([96.81061234, -0.000012345678, 1234567.8, 0.0]),
    },
    top=[[("s1", 1.5), ("s2", -0.25)]] * 4,
)

HEADER = [
    "sample",
    "genotype",
    "prediction",
    "top1_snp",
    "top1_contribution",
    "top2_snp",
    "top2_contribution",
]


@pytest.mark.parametrize(("name", "delimiter"), [("tsv", "\t"), ("csv", ",")])
def test_delimited(name, delimiter):
    text = encode(RESULTS, name).decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert header == HEADER
    assert [row[0] for row in rows] == RESULTS.columns["sample"]
    assert [row[1] for row in rows] == ["0", "NA", "2", "1"]
    assert [row[2] for row in rows] == ["96.8106", "-1.23457e-05", "1.23457e+06", "0"]
    assert rows[0][3:] == ["s1", "1.5", "s2", "-0.25"]
    assert "\r" not in text


def test_json_has_metadata_and_full_precision():
    value = json.loads(encode(RESULTS, "json"))
    assert (value["model"], value["unit"]) == ("tiny", "cm")
    assert value["results"][1] == {
        "sample": 'b "x"',
        "genotype": None,
        "prediction": -0.000012345678,
        "top": [{"snp": "s1", "contribution": 1.5}, {"snp": "s2", "contribution": -0.25}],
    }


def test_parquet_has_metadata_and_full_precision():
    table = pq.read_table(io.BytesIO(encode(RESULTS, "parquet")))
    assert json.loads(table.schema.metadata[METADATA_KEY]) == RESULTS.metadata
    assert table.column_names == HEADER
    assert table["prediction"].to_pylist() == RESULTS.columns["prediction"].tolist()
    assert table["genotype"].to_pylist() == [0, None, 2, 1]


@pytest.mark.parametrize("name", ["tsv", "csv", "parquet", "json"])
def test_the_same_results_give_the_same_bytes(name):
    assert encode(RESULTS, name) == encode(RESULTS, name)


@pytest.mark.parametrize(
    ("out", "asked", "expected"),
    [
        (None, None, None),
        ("a.tsv", None, "tsv"),
        ("a.CSV", None, "csv"),
        ("a.b.parquet", None, "parquet"),
        ("a.json", None, "json"),
        ("a.txt", "csv", "csv"),
        ("a.json", "tsv", "tsv"),
        (None, "parquet", "parquet"),
    ],
)
def test_format(out, asked, expected):
    assert format_of(Path(out) if out else None, asked) == expected


@pytest.mark.parametrize(
    ("out", "asked", "words"),
    [
        ("a.xlsx", None, "'.xlsx' says no format, expected one of tsv, csv, parquet, json"),
        ("a", None, "'' says no format"),
        ("a.tsv", "xlsx", "unknown format 'xlsx'"),
    ],
)
def test_unknown_format(out, asked, words):
    with pytest.raises(errors.UsageError, match=words):
        format_of(Path(out), asked)
