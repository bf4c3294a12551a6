"""Results out as TSV, CSV, Parquet or JSON.

TSV and CSV give six significant digits and NA for what is missing; Parquet and JSON give full
precision and carry the metadata (model, digests, version, trait, unit).
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.choices import OUTPUT_FORMATS
from snpredict.errors import UsageError
from snpredict.files import is_stream

#: Key of the metadata in a Parquet file's schema; the value is JSON.
METADATA_KEY = b"snpredict"


@dataclass(frozen=True)
class Results:
    """A table with its origin.

    Attributes
    ----------
    metadata : dict
        JSON values.
    columns : dict of str to sequence
        Strings or numbers, all of the same length; None is missing.
    top : list of list of (str, float), optional
        Per row, SNPs and their contributions, the same number in every row. Columns
        ``top1_snp``, ``top1_contribution``, ... of a table; a list ``top`` in JSON.
    digits : int
        Significant digits of numbers in text tables; the other formats hold all of them.
    """

    metadata: dict[str, Any]
    columns: dict[str, Sequence]
    top: list[list[tuple[str, float]]] | None = None
    digits: int = 6

    def rows(self, which: np.ndarray) -> "Results":
        """Those rows, in that order."""
        columns = {name: _taken(column, which) for name, column in self.columns.items()}
        top = None if self.top is None else _taken(self.top, which)
        return replace(self, columns=columns, top=top)

    def flat(self) -> dict[str, Sequence]:
        """All columns, `top` spread over columns of its own."""
        columns = dict(self.columns)
        for place, pairs in enumerate(zip(*(self.top or []), strict=True), 1):
            columns[f"top{place}_snp"] = [snp for snp, _ in pairs]
            columns[f"top{place}_contribution"] = [value for _, value in pairs]
        return columns

    def to_arrow(self) -> pa.Table:
        """The flat columns; the metadata is that of the table's schema, see `METADATA_KEY`."""
        table = pa.table({name: pa.array(values) for name, values in self.flat().items()})
        metadata = json.dumps(self.metadata, ensure_ascii=False, allow_nan=False)
        return table.replace_schema_metadata({METADATA_KEY: metadata.encode()})


def format_of(out: Path | None, asked: str | None) -> str | None:
    """Format to write: the one asked for, else by the file's suffix, else None.

    The name of a device or a pipe says nothing.

    Raises
    ------
    UsageError
        Neither says it.
    """
    known = ", ".join(OUTPUT_FORMATS)
    if asked is not None:
        if asked not in OUTPUT_FORMATS:
            raise UsageError(
                f"unknown format {asked!r}, expected one of {known}", "for example --format csv"
            )
        return asked
    if out is None or is_stream(out):
        return None
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in OUTPUT_FORMATS:
        raise UsageError(
            f"{out}: its suffix {out.suffix!r} says no format, expected one of {known}",
            "name the file accordingly, or say --format",
        )
    return suffix


def encode(results: Results, format_name: str) -> bytes:
    """Content of a file in one of `OUTPUT_FORMATS`."""
    match format_name:
        case "parquet":
            return _parquet(results)
        case "json":
            return to_json(_json_object(results)).encode()
        case _:
            return _delimited(results, "\t" if format_name == "tsv" else ",")


def to_json(value: object) -> str:
    """JSON text of dictionaries, lists, strings and Python numbers, with a final line feed."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _json_object(results: Results) -> dict[str, Any]:
    names = list(results.columns)
    columns = [_plain(column) for column in results.columns.values()]
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if results.top is not None:
        for row, pairs in zip(rows, results.top, strict=True):
            row["top"] = [{"snp": snp, "contribution": value} for snp, value in pairs]
    return {**results.metadata, "results": rows}


def _delimited(results: Results, delimiter: str) -> bytes:
    columns = results.flat()
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    cells = ([_cell(v, results.digits) for v in _plain(values)] for values in columns.values())
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue().encode()


def _parquet(results: Results) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(results.to_arrow(), buffer, compression="zstd")
    return buffer.getvalue()


def _taken(column: Any, rows: np.ndarray) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else [column[at] for at in rows.tolist()]


def _plain(column: Sequence) -> Sequence:
    return column.tolist() if isinstance(column, np.ndarray) else column


def _cell(value: object, digits: int) -> str:
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
