"""Columns of many texts and numbers, as Arrow holds them: a million of them without an object each.

Arrays are made from and taken apart into their buffers, because Arrow's own `array`, `scalar` and
`to_numpy` import pandas where that is installed.
"""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from snpredict.arrow import call, cast, is_in

if TYPE_CHECKING:
    from collections.abc import Iterable


def texts(values: "Iterable[str | None] | pa.Array | pa.ChunkedArray") -> pa.Array:
    """One column of texts, None for gaps."""
    if isinstance(values, pa.ChunkedArray):
        values = _one_array(values)
    if isinstance(values, pa.Array):
        return values if values.type == pa.string() else cast(values, pa.string())
    values = list(values)
    pieces = [b"" if value is None else value.encode() for value in values]
    ends = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
    there = np.array([value is not None for value in values], bool)
    buffers = [_bits(there), pa.py_buffer(ends), pa.py_buffer(b"".join(pieces))]
    return cast(pa.Array.from_buffers(pa.large_string(), len(values), buffers), pa.string())


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    # Without any chunk, Arrow would call its `array`.
    return column.combine_chunks() if column.num_chunks else cast(pa.nulls(0), column.type)


def whole_numbers(
    values: "Iterable[int | None] | np.ndarray | pa.Array | pa.ChunkedArray",
    there: np.ndarray | None = None,
) -> pa.Array:
    """One column of whole numbers, None for gaps.

    Parameters
    ----------
    values : iterable of (int or None), ndarray or Array
    there : ndarray of bool, optional
        False for the gaps of an ndarray.
    """
    if isinstance(values, pa.ChunkedArray):
        values = _one_array(values)
    if isinstance(values, pa.Array):
        return cast(values, pa.int64())
    if not isinstance(values, np.ndarray):
        values = list(values)
        there = np.array([value is not None for value in values], bool)
        values = np.array([value or 0 for value in values], np.int64)
    numbers = pa.py_buffer(np.ascontiguousarray(values, np.int64))
    bits = None if there is None else _bits(there)
    return pa.Array.from_buffers(pa.int64(), len(values), [bits, numbers])


def _bits(truth: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(truth, bitorder="little"))


def integers(column: "pa.Array | pa.ChunkedArray", missing: int = -1) -> np.ndarray:
    """A column of whole numbers or of truth values as (rows,) int64, gaps as `missing`."""
    if isinstance(column, pa.ChunkedArray):
        column = _one_array(column)
    column = cast(column, pa.int64())
    rows = slice(column.offset, column.offset + len(column))
    bits, numbers = column.buffers()
    values = np.frombuffer(numbers or b"", np.int64)[rows]
    if not column.null_count:
        return values
    there = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[rows]
    return np.where(there, values, missing)


def numbered(column: "pa.Array | pa.ChunkedArray") -> tuple[np.ndarray, list[str]]:
    """Different texts of a column in the order of their first rows, and each row's among them.

    Returns
    -------
    ndarray (rows,) of int64
        −1 for gaps.
    list of str
    """
    encoded = call("dictionary_encode", texts(column))
    return integers(encoded.indices), encoded.dictionary.to_pylist()


def alike(column: pa.Array) -> np.ndarray:
    """The numbers of `numbered` alone: (rows,) int64, equal where texts are, −1 for gaps."""
    return integers(call("dictionary_encode", texts(column)).indices)


def without(column: "pa.Array | pa.ChunkedArray", words: "Iterable[str]") -> pa.Array:
    """The column with gaps for some words."""
    column = texts(column)
    is_one = is_in(column, texts(words))
    return call("if_else", is_one, pa.nulls(len(column), pa.string()), column)


def spread(text: str, n_rows: int) -> pa.Array:
    """A column of one text in every row."""
    rows = whole_numbers(np.zeros(n_rows, np.int64))
    return cast(pa.DictionaryArray.from_arrays(rows, texts([text])), pa.string())


def joined(separator: str, *columns: pa.Array) -> pa.Array:
    """Texts of several columns in one; a gap where one of them has a gap."""
    return call("binary_join_element_wise", *columns, spread(separator, len(columns[0])))


def give_back() -> None:
    """Give memory that Arrow keeps for later back to the system: much, behind large tables."""
    pa.default_memory_pool().release_unused()
