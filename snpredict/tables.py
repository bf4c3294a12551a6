"""Results out as TSV, CSV, Parquet or JSON.

TSV and CSV give six significant digits and NA for what is missing; Parquet and JSON give full
precision and carry the metadata (model, digests, version, trait, unit).
"""

import csv
import io
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.errors import OutputError, UsageError

FORMATS = ("tsv", "csv", "parquet", "json")

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
    """

    metadata: dict[str, Any]
    columns: dict[str, Sequence]
    top: list[list[tuple[str, float]]] | None = None

    def flat(self) -> dict[str, Sequence]:
        """All columns, `top` spread over columns of its own."""
        columns = dict(self.columns)
        for place, pairs in enumerate(zip(*(self.top or []), strict=True), 1):
            columns[f"top{place}_snp"] = [snp for snp, _ in pairs]
            columns[f"top{place}_contribution"] = [value for _, value in pairs]
        return columns


def format_of(out: Path | None, asked: str | None) -> str | None:
    """Format to write: the one asked for, else by the file's suffix, else None.

    Raises
    ------
    UsageError
        Neither says it.
    """
    known = ", ".join(FORMATS)
    if asked is not None:
        if asked not in FORMATS:
            raise UsageError(
                f"unknown format {asked!r}, expected one of {known}", "for example --format csv"
            )
        return asked
    if out is None:
        return None
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(
            f"{out}: its suffix {out.suffix!r} says no format, expected one of {known}",
            "name the file accordingly, or say --format",
        )
    return suffix


def check_destination(out: Path, inputs: Sequence[Path] = ()) -> None:
    """Refuse a file that cannot be written, before any work is done.

    Raises
    ------
    OutputError
        It is a folder, or its folder does not exist or cannot be written to.
    UsageError
        It is one of `inputs`.
    """
    if out.is_dir():
        raise OutputError(f"{out} is a directory", "name a file")
    folder = out.resolve().parent
    if not folder.is_dir():
        raise OutputError(f"{out}: the folder {folder} does not exist", "create it first")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{out}: no permission to write to {folder}")
    if out.exists() and any(path.exists() and out.samefile(path) for path in inputs):
        raise UsageError(f"{out} is the input file", "write to another file")


def encode(results: Results, format_name: str) -> bytes:
    """Content of a file in one of `FORMATS`."""
    match format_name:
        case "parquet":
            return _parquet(results)
        case "json":
            return to_json(_json_object(results)).encode()
        case _:
            return _delimited(results, "\t" if format_name == "tsv" else ",")


def write_file(content: bytes, out: Path) -> None:
    """Write a file whole or not at all: one that is there is replaced by the complete new one.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    try:
        if out.exists() and not out.is_file():
            # A device or a pipe, such as /dev/null, is written to and never replaced.
            out.write_bytes(content)
        else:
            # A link stays a link, to the new content.
            _replace(out.resolve(), content)
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror or error}") from None


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
    writer.writerows(zip(*(map(_cell, _plain(values)) for values in columns.values()), strict=True))
    return text.getvalue().encode()


def _parquet(results: Results) -> bytes:
    table = pa.table({name: pa.array(values) for name, values in results.flat().items()})
    metadata = json.dumps(results.metadata, ensure_ascii=False, allow_nan=False)
    table = table.replace_schema_metadata({METADATA_KEY: metadata.encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _plain(column: Sequence) -> Sequence:
    return column.tolist() if isinstance(column, np.ndarray) else column


def _cell(value: object) -> str:
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
