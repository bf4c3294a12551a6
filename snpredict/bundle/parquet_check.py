"""How large a Parquet file of a bundle becomes, found out before anything of it is unpacked.

A few bytes of Parquet can stand for very many: of equal values only one is stored, and pages are
compressed. What the file says of its rows, column chunks and pages is therefore added up first.
It is read here and not through pyarrow, which ends the process over some damaged footers.

Names and numbers of the fields are those of parquet.thrift. They are looked up with their type,
as Arrow does: a field of another type is none.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snpredict.bundle.varint import varint
from snpredict.errors import InvalidBundle

#: Unpacked bytes of a column, at most; those of numbers are 8 per row.
_BYTES_PER_ROW = 1 << 10
_BYTES_PER_COLUMN = 1 << 20

#: Values in all headers and in the footer; a second of reading, about.
_MAX_VALUES = 1_000_000
_MAX_DEPTH = 8

_MAGIC = b"PAR1"

#: Types of Thrift's compact protocol.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET = range(1, 11)
_STRUCT = 12

_ROWS, _GROUPS = (3, _I64), (4, _LIST)
_GROUP_COLUMNS, _GROUP_ROWS = (1, _LIST), (3, _I64)
_CHUNK_METADATA = (3, _STRUCT)
_CHUNK_BYTES, _DATA_PAGE, _DICTIONARY_PAGE = (7, _I64), (9, _I64), (11, _I64)
_UNPACKED, _PACKED = (2, _I32), (3, _I32)
#: Headers of data pages, dictionary pages and data pages of version 2; all begin with the number
#: of values.
_PAGE_KINDS = ((5, _STRUCT), (7, _STRUCT), (8, _STRUCT))
_PAGE_VALUES = (1, _I32)


def check_sizes(content: bytes, path: Path, n_rows: int | None = None) -> None:
    """Refuse a file that unpacks to far more than its rows can hold.

    Parameters
    ----------
    content : bytes
        The file.
    path : Path
        Where it lies, for messages; nothing is read there.
    n_rows : int, optional
        How many rows it must have.

    Raises
    ------
    InvalidBundle
        It is no Parquet file or cut off, has another number of rows, more rows than bytes, or a
        column of more than 1 KiB per row.
    """
    try:
        _check(content, path, n_rows)
    except (IndexError, KeyError, TypeError):
        raise InvalidBundle(f"{path} is not readable as Parquet: it is damaged or cut off") from (
            None
        )


def _check(content: bytes, path: Path, n_rows: int | None) -> None:
    thrift = _Thrift(content)
    footer = thrift.footer()
    rows = footer[_ROWS]
    if n_rows is not None and rows != n_rows:
        raise InvalidBundle(f"{path}: found {rows} rows, expected {n_rows}, one per SNP")
    # Ids and digests differ from row to row, so that no row takes less than a byte.
    if not 0 < rows <= len(content):
        raise InvalidBundle(f"{path} declares {rows} rows in {len(content)} bytes")
    groups = footer[_GROUPS]
    if sum(group[_GROUP_ROWS] for group in groups) != rows:
        raise InvalidBundle(f"{path}: its row groups do not have {rows} rows together")
    left: dict[int, int] = {}
    for group in groups:
        for at, chunk in enumerate(group[_GROUP_COLUMNS]):
            left.setdefault(at, _BYTES_PER_ROW * rows + _BYTES_PER_COLUMN)
            for size, values in thrift.pages(chunk[_CHUNK_METADATA]):
                left[at] -= size
                if left[at] < 0 or values > rows:
                    raise InvalidBundle(
                        f"{path}: column {at + 1} unpacks to more than {rows} rows of "
                        f"{_BYTES_PER_ROW} bytes"
                    )


class _Thrift:
    """Structures of a Parquet file in Thrift's compact protocol.

    A structure is a dict of values by number and type of the field. What is damaged raises
    IndexError, or lacks a field or the type of one: KeyError, TypeError.
    """

    def __init__(self, content: bytes):
        self._content = content
        self._values_left = _MAX_VALUES

    def footer(self) -> dict:
        content = self._content
        size = int.from_bytes(content[-8:-4], "little")
        start = len(content) - 8 - size
        if content[:4] != _MAGIC or content[-4:] != _MAGIC or start < len(_MAGIC):
            raise IndexError
        return self._struct(start, 0)[0]

    def pages(self, chunk: dict) -> Iterator[tuple[int, int]]:
        """Unpacked bytes and number of values of a column chunk's pages, as Arrow finds them."""
        at = chunk[_DATA_PAGE]
        if 0 < chunk.get(_DICTIONARY_PAGE, 0) < at:
            at = chunk[_DICTIONARY_PAGE]
        end = at + chunk[_CHUNK_BYTES]
        if not 0 <= at <= end <= len(self._content):
            raise IndexError
        while at < end:
            header, at = self._struct(at, 0)
            values = [header[kind][_PAGE_VALUES] for kind in _PAGE_KINDS if kind in header]
            if min(header[_UNPACKED], header[_PACKED], *values) < 0:
                raise IndexError
            yield header[_UNPACKED], max(values, default=0)
            at += header[_PACKED]

    def _struct(self, at: int, depth: int) -> tuple[dict, int]:
        fields: dict[tuple[int, int], Any] = {}
        content, number = self._content, 0
        while head := content[at]:
            at += 1
            if head >> 4:
                number += head >> 4
            else:
                number, at = self._zigzag(at)
            key = number, head & 15
            # Twice the same would be merged by some readers and replaced by others.
            if key in fields:
                raise IndexError
            fields[key], at = self._value(at, head & 15, depth)
        return fields, at + 1

    def _value(self, at: int, kind: int, depth: int) -> tuple[Any, int]:
        self._values_left -= 1
        if self._values_left < 0 or depth > _MAX_DEPTH:
            raise IndexError
        if kind in (_I16, _I32, _I64):
            return self._zigzag(at)
        if kind == _BINARY:
            size, at = varint(self._content, at)
            return None, at + size
        if kind == _STRUCT:
            return self._struct(at, depth + 1)
        if kind in (_LIST, _SET):
            return self._list(at, depth)
        # A boolean's value is its type.
        return None, at + {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}[kind]

    def _list(self, at: int, depth: int) -> tuple[list, int]:
        head = self._content[at]
        size, kind = head >> 4, head & 15
        at += 1
        if size == 15:
            size, at = varint(self._content, at)
        values = []
        for _ in range(size):
            # In a list, unlike in a structure, a boolean has a byte of its own.
            value, at = self._value(at, _BYTE if kind in (_TRUE, _FALSE) else kind, depth + 1)
            values.append(value)
        return values, at

    def _zigzag(self, at: int) -> tuple[int, int]:
        first = self._content[at]
        if first < 0x80:  # as most are
            return first >> 1 ^ -(first & 1), at + 1
        value, at = varint(self._content, at)
        return value >> 1 ^ -(value & 1), at
