"""Functions on Arrow columns, called by their names.

`pyarrow.compute` has them too, and methods such as `Array.cast` import it. It makes a wrapper for
each of some 300 functions, which takes longer than a model is read in.
"""

from typing import Any

import pyarrow as pa
from pyarrow._compute import (
    CastOptions,
    MatchSubstringOptions,
    SetLookupOptions,
    SplitPatternOptions,
    TakeOptions,
    call_function,
)


def call(name: str, *columns: Any) -> Any:
    """A function with its usual options, such as ``is_valid`` or ``coalesce``."""
    return call_function(name, list(columns))


def cast(column: Any, kind: pa.DataType) -> Any:
    """A column of another type; pyarrow.ArrowInvalid where a value does not fit."""
    return call_function("cast", [column], CastOptions.safe(kind))


def take(rows: Any, which: pa.Array) -> Any:
    """Rows of a column or of a table by their places, a gap for a gap."""
    return call_function("take", [rows, which], TakeOptions())


def is_in(column: Any, words: Any) -> Any:
    """Whether each value is one of these."""
    return call_function("is_in", [column], SetLookupOptions(words))


def index_in(column: Any, words: Any) -> Any:
    """Place of each value among these, a gap where it is none of them."""
    return call_function("index_in", [column], SetLookupOptions(words))


def holds(column: Any, text: str) -> Any:
    """Whether each text holds another."""
    return call_function("match_substring", [column], MatchSubstringOptions(text))


def fits(column: Any, pattern: str) -> Any:
    """Whether each text holds what fits a regular expression."""
    return call_function("match_substring_regex", [column], MatchSubstringOptions(pattern))


def split_at(column: Any, at: str) -> Any:
    """Each text as a list of its parts."""
    return call_function("split_pattern", [column], SplitPatternOptions(at))
