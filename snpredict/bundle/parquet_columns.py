"""Columns of a bundle's Parquet files, taken out with their type and size checked."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.arrow import call, cast, fits
from snpredict.bundle.parquet_check import check_sizes
from snpredict.errors import InvalidBundle
from snpredict.genotypes.text_columns import texts

#: Kinds of columns, in words.
TEXT, WHOLE, NUMBERS = "text", "whole numbers", "numbers"

_MAX_CHARACTERS = 1000

#: No name or allele holds one, and results are written line by line and column by column.
_CONTROL = r"[\x{00}-\x{1f}\x{7f}-\x{9f}]"

_FITTING = {
    # A column without any value has type null.
    TEXT: (pa.types.is_null, pa.types.is_string, pa.types.is_large_string),
    WHOLE: (pa.types.is_null, pa.types.is_integer),
    NUMBERS: (pa.types.is_null, pa.types.is_integer, pa.types.is_floating),
}


class Columns:
    """Some columns of a Parquet file; others are not unpacked.

    Parameters
    ----------
    content : bytes
        The file.
    path : Path
        Where it lies, for messages.
    kinds : mapping of str to str
        Names of the columns that will be asked for, and whether they hold `TEXT`, `WHOLE` or
        `NUMBERS`.
    optional : mapping of str to str, optional
        Further such columns, which may be absent; see `has`.
    n_rows : int, optional
        How many rows it must have.

    Raises
    ------
    InvalidBundle
        It cannot be read, has another number of rows, lacks a column, has one of another type,
        or declares sizes out of proportion.
    """

    def __init__(
        self,
        content: bytes,
        path: Path,
        *,
        kinds: Mapping[str, str],
        optional: Mapping[str, str] | None = None,
        n_rows: int | None = None,
    ):
        self._path = path
        check_sizes(content, path, n_rows)
        try:
            file = pq.ParquetFile(pa.BufferReader(content))
            schema = file.schema_arrow
            there = {n: kind for n, kind in (optional or {}).items() if n in schema.names}
            kinds = {**kinds, **there}
            for name, kind in kinds.items():
                self._check_type(schema, name, kind)
            # As dictionaries: a text that a million rows share stays one text.
            texts = [name for name, kind in kinds.items() if kind == TEXT]
            file = pq.ParquetFile(
                pa.BufferReader(content), metadata=file.metadata, read_dictionary=texts
            )
            # Not pq.read_table, which imports pandas where that is installed.
            self._table = file.read(columns=list(kinds), use_threads=False)
            self._table.validate(full=True)
        # ValueError: names that are not UTF-8.
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(re.sub("[^ -~]", " ", str(error)).split())
            raise InvalidBundle(f"{path} is not readable as Parquet: {reason}") from None

    def has(self, name: str) -> bool:
        """Whether the file has that column of those that were named."""
        return name in self._table.column_names

    def has_all(self, names: Sequence[str]) -> bool:
        """Whether the file has those columns; InvalidBundle where it has only some of them."""
        there = [self.has(name) for name in names]
        if any(there) and not all(there):
            of_them = f"{names[0]} to {names[-1]}" if len(names) > 3 else " and ".join(names)
            raise InvalidBundle(
                f"{self._path}: found some of the columns {of_them}, expected all or none"
            )
        return all(there)

    def texts(self, name: str, nullable: bool = True) -> tuple:
        """Values of a column as str, or None for gaps."""
        return tuple(self.text_column(name, nullable).to_pylist())

    def text_column(self, name: str, nullable: bool = True) -> pa.Array:
        """A column of texts, with gaps."""
        column = self._column(name, nullable)
        if pa.types.is_null(column.type):
            return pa.nulls(len(column), pa.string())
        for chunk in column.chunks:
            words = chunk.dictionary
            longest = call("max", call("utf8_length", words)).as_py() or 0
            marked = call("any", fits(words, _CONTROL)).as_py()
            if marked or longest > _MAX_CHARACTERS:
                raise InvalidBundle(
                    f"{self._path}: column '{name}' holds control characters, or more than "
                    f"{_MAX_CHARACTERS} characters at once"
                )
        return texts(cast(column, pa.string()))

    def integer_column(self, name: str) -> pa.Array:
        """A column of whole numbers, with gaps."""
        try:
            return cast(self._column(name, nullable=True), pa.int64()).combine_chunks()
        except pa.ArrowInvalid:
            raise InvalidBundle(
                f"{self._path}: column '{name}' holds a number of more than 64 bits"
            ) from None

    def matrix(self, names: Sequence[str]) -> np.ndarray:
        """Columns of finite numbers side by side, (rows, columns) float64."""
        values = np.empty((self._table.num_rows, len(names)))
        for at, name in enumerate(names):
            column = self._column(name, nullable=False)
            # Not column.to_numpy(), which imports pandas where that is installed.
            with np.errstate(invalid="ignore"):  # a signalling NaN is told below
                values[:, at] = np.from_dlpack(column.combine_chunks())
            if not np.isfinite(values[:, at]).all():
                raise InvalidBundle(
                    f"{self._path}: column '{name}' holds a number that is not finite"
                )
        return values

    def whole(self, names: Sequence[str], lowest: int, highest: int) -> np.ndarray:
        """Columns of whole numbers in a range side by side, (rows, columns) int64."""
        values = self.matrix(names)
        if not ((values >= lowest) & (values <= highest)).all():
            raise InvalidBundle(
                f"{self._path}: column '{names[0]}'{' or a later one' if len(names) > 1 else ''} "
                f"holds numbers outside {lowest} to {highest}"
            )
        return values.astype(np.int64)

    def numbers_or_nan(self, name: str) -> np.ndarray:
        """Values of a column as float64, NaN for gaps."""
        values = self._column(name, nullable=True).to_pylist()
        return np.array([np.nan if value is None else value for value in values], np.float64)

    def _column(self, name: str, nullable: bool) -> pa.ChunkedArray:
        column = self._table.column(name)
        if column.null_count and not nullable:
            raise InvalidBundle(f"{self._path}: column '{name}' has missing values")
        return column

    def _check_type(self, schema: pa.Schema, name: str, expected: str) -> None:
        if schema.names.count(name) != 1:
            raise InvalidBundle(f"{self._path} has no column '{name}' of {expected}, or several")
        found = schema.field(name).type
        if not any(fits(found) for fits in _FITTING[expected]):
            raise InvalidBundle(
                f"{self._path}: column '{name}' is of type {found}, expected {expected}"
            )
