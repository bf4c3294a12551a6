"""A table of variants and their annotations: TSV, CSV or Parquet."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from snpredict.arrow import cast
from snpredict.errors import (
    BadVariantTable,
    EmptyFile,
    FileNotFound,
    NoRows,
    SnpredictError,
    TruncatedFile,
)
from snpredict.genotypes.text_columns import texts
from snpredict.names import listed, quoted

#: Columns that say which variant a row is about, by what they hold.
_NAMES = {
    "id": ("id", "snp", "rsid", "rs_id", "variant_id"),
    "chromosome": ("chromosome", "chrom", "#chrom", "chr"),
    "position": ("position", "pos", "bp", "base_pair_location"),
}
_MISSING = ["", "NA", "NaN", "nan", ".", "null"]


@dataclass(frozen=True)
class VariantTable:
    """Rows of a table.

    Attributes
    ----------
    named : dict of str to list of str or None
        Columns ``id``, ``chromosome`` and ``position``, those that are there.
    values : ndarray (variants, annotations) of float64
        In the order asked for; NaN where the table does not say.
    lacking : list of str
        Annotations of which the table has no column.
    """

    named: dict[str, list[str | None]]
    values: np.ndarray
    lacking: list[str]

    def __len__(self) -> int:
        """Number of variants."""
        return len(self.values)


def read_variants(path: Path, annotations: Sequence[str]) -> VariantTable:
    """Read a table.

    Parameters
    ----------
    annotations : sequence of str
        Columns that are wanted.

    Raises
    ------
    FileNotFound, EmptyFile, NoRows, TruncatedFile
    BadVariantTable
        It is not a table, has none of the annotations or no column that names the variants, or a
        cell is not a number.
    """
    table = _read(path)
    small = {name.casefold(): name for name in reversed(table.column_names)}
    found = {
        what: next((small[name] for name in names if name in small), None)
        for what, names in _NAMES.items()
    }
    if found["id"] is None and None in (found["chromosome"], found["position"]):
        raise BadVariantTable(
            f"{path} names its variants neither by id nor by place: {quoted(table.column_names)}",
            "a column id, or columns chromosome and position",
        )
    lacking = [name for name in annotations if name not in table.column_names]
    if len(lacking) == len(annotations):
        raise BadVariantTable(
            f"{path} has none of the model's annotations: {listed(list(annotations), 4)}",
            "columns are found by their names, which are those that the model was trained with",
        )
    values = np.full((len(table), len(annotations)), np.nan)
    for at, name in enumerate(annotations):
        if name not in lacking:
            values[:, at] = _numbers(path, table, name)
    named = {
        what: texts(cast(table[name], pa.string())).to_pylist()
        for what, name in found.items()
        if name is not None
    }
    return VariantTable(named, values, lacking)


def _read(path: Path) -> pa.Table:
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise FileNotFound(f"{path} cannot be opened: {error.strerror}") from None
    if not head:
        raise EmptyFile(f"{path} is empty")
    try:
        table = pq.read_table(path) if head == b"PAR1" else _text(path, head)
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        if isinstance(error, SnpredictError):
            raise
        raise BadVariantTable(
            f"{path} is not a table of variants: {str(error).splitlines()[0]}",
            "TSV, CSV or Parquet, with as many cells in every row as in the header",
        ) from None
    if not len(table):
        raise NoRows(f"{path} has a header and no variant below it")
    return table


def _text(path: Path, head: bytes) -> pa.Table:
    content = path.read_bytes()
    if head[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise TruncatedFile(f"{path} ends too early or is damaged") from None
    header = content.split(b"\n", 1)[0].decode().rstrip("\r").lstrip("\ufeff")
    separator = "\t" if "\t" in header else ","
    names = header.split(separator)
    if len(set(names)) < len(names):
        raise BadVariantTable(f"{path} has two columns of one name")
    body = content.partition(b"\n")[2]
    options = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        null_values=_MISSING,
        strings_can_be_null=True,
    )
    if not body.strip():
        return pa.table({name: pa.nulls(0, pa.string()) for name in names})
    return csv.read_csv(
        pa.py_buffer(body),
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(delimiter=separator),
        convert_options=options,
    )


def _numbers(path: Path, table: pa.Table, name: str) -> np.ndarray:
    """A column as float64, NaN for gaps."""
    column: Any = table[name]
    try:
        numbers = cast(column, pa.float64())
    except pa.ArrowInvalid:
        row, text = _first_text(column)
        raise BadVariantTable(
            f"{path}, row {row} below the header, column {name!r}: found {text!r}, expected a "
            "number or NA"
        ) from None
    found = np.array([np.nan if v is None else v for v in numbers.to_pylist()], np.float64)
    if np.isinf(found).any():
        row = int(np.flatnonzero(np.isinf(found))[0]) + 1
        raise BadVariantTable(f"{path}, row {row} below the header, column {name!r}: not finite")
    return found


def _first_text(column: Any) -> tuple[int, str]:
    """The first cell that is not a number, and its row."""
    for row, text in enumerate(column.to_pylist(), 1):
        if text is None:
            continue
        try:
            float(text)
        except (TypeError, ValueError):
            return row, str(text)
    return 1, ""
