"""Records as JSON objects and back: types and ranges are those of the fields.

A record is a frozen dataclass or a `NamedTuple`, which takes a sixth of the time to define.

An entry has the name of its field, unless the field's `Entry` gives another one. An entry whose
field has no default must be there; one that no field has is passed over.
"""

import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from snpredict.errors import InvalidBundle

T = TypeVar("T")

_MAX_DEPTH = 20

#: Control characters but tab and line feed, and halves of a surrogate pair, which no file can hold.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Entry:
    """What a field's entry has beside its type: ``Annotated[int, Entry(above=0)]``.

    Attributes
    ----------
    key : str or None
        The entry's name, where it is not the field's.
    above, at_most : float or None
        Bounds of a number.
    left_out : bool
        None is written by leaving the entry out, not as null.
    parse : callable, optional
        Takes a JSON object to the value, where the type alone does not tell how.
    """

    key: str | None = None
    above: float | None = None
    at_most: float | None = None
    left_out: bool = False
    parse: Callable[[dict[str, Any]], Any] | None = None


def as_json(value: Any) -> Any:
    """A record, mapping or sequence as what `json.dumps` takes."""
    kind: Any = type(value)
    if _is_record(kind):
        entries = {}
        for name, (_, about) in _fields(kind).items():
            inner = getattr(value, name)
            if not (about.left_out and inner is None):
                entries[about.key or name] = as_json(inner)
        return entries
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return value


def read_json(text: bytes, path: Path) -> Any:
    """JSON from anywhere.

    Raises
    ------
    InvalidBundle
        It is not JSON in UTF-8, names an entry twice, is nested deeply, or holds control
        characters or a number that is not one.
    """
    try:
        raw = json.loads(
            text.decode(), parse_constant=_no_constant, object_pairs_hook=_without_repeats
        )
        _check_texts(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(f"{path} is not valid JSON: {error}") from None
    return raw


def from_json(kind: type[T], raw: object, where: str) -> T:
    """A JSON object as a record.

    Parameters
    ----------
    kind : type
        A record whose fields are str, int, float, bool, `Any`, literals, records, tuples,
        mappings from str, or any of these or None.
    raw : object
        As `json.loads` gives it.
    where : str
        For messages.

    Raises
    ------
    InvalidBundle
        An entry is missing, of another type or out of range.
    """
    if not isinstance(raw, dict):
        raise InvalidBundle(f"{where}: found {shown(raw)}, expected a JSON object")
    values = {}
    of_kind: Any = kind
    for name, (hint, about) in _fields(of_kind).items():
        key = about.key or name
        if key in raw:
            values[name] = _value(hint, raw[key], where, key, about)
        elif name not in _with_default(of_kind):
            raise InvalidBundle(f"{where} has no entry '{key}'")
    return kind(**values)


@functools.cache
def _is_record(kind: Any) -> bool:
    return is_dataclass(kind) or hasattr(kind, "_field_defaults")


@functools.cache
def _fields(kind: type) -> dict[str, tuple[Any, Entry]]:
    """Type of every field, and what else is said of its entry."""
    found = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        inner, *about = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        found[name] = (inner, about[0] if about else Entry())
    return found


@functools.cache
def _with_default(kind: Any) -> set[str]:
    """Fields whose entries may be absent."""
    if not is_dataclass(kind):
        return set(kind._field_defaults)
    return {
        of.name
        for of in fields(kind)
        if not (of.default is MISSING and of.default_factory is MISSING)
    }


@functools.cache
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A generic type and what it is of; None for any other type."""
    return get_origin(hint), get_args(hint)


def _value(hint: Any, raw: Any, where: str, key: str, about: Entry) -> Any:
    """One entry with its type and range checked."""
    origin, inner = _parts(hint)
    if hint is Any:
        return raw
    if origin is UnionType:
        if raw is None:
            return None
        hint = next(one for one in inner if one is not NoneType)
        return _value(hint, raw, where, key, about)
    if about.parse is not None and isinstance(raw, dict):
        return about.parse(raw)
    if _is_record(hint):
        return from_json(hint, raw, f"{where}, '{key}'")
    if origin is Literal:
        if not isinstance(raw, str) or raw not in inner:
            raise wrong(where, key, raw, f"one of {', '.join(inner)}")
        return raw
    if origin is tuple:
        if not isinstance(raw, list):
            raise wrong(where, key, raw, "a list")
        if not _is_record(inner[0]):
            return tuple(_value(inner[0], one, where, key, about) for one in raw)
        return tuple(
            from_json(inner[0], one, f"{where}, '{key}' entry {n}") for n, one in enumerate(raw, 1)
        )
    if origin in (dict, Mapping):
        if not isinstance(raw, dict):
            raise wrong(where, key, raw, "a JSON object")
        return {
            name: _value(inner[1], one, f"{where}, '{key}'", name, about)
            for name, one in raw.items()
        }
    return _plain(hint, raw, where, key, about)


def _plain(hint: type, raw: Any, where: str, key: str, about: Entry) -> Any:
    # A bool is an int to Python, and an int serves as a float.
    allowed = (int, float) if hint is float else (hint,)
    if type(raw) not in allowed or not _is_finite(raw):
        raise wrong(where, key, raw, hint.__name__)
    if about.above is not None and not raw > about.above:
        raise wrong(where, key, raw, f"more than {about.above}")
    if about.at_most is not None and raw > about.at_most:
        raise wrong(where, key, raw, f"at most {about.at_most}")
    return float(raw) if hint is float else raw


def wrong(where: str, key: str, found: object, expected: object) -> InvalidBundle:
    """The error of an entry."""
    return InvalidBundle(f"{where}: found {shown(found)} for '{key}', expected {expected}")


def shown(value: object) -> str:
    """A value in a message, cut short."""
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."


def _is_finite(value: Any) -> bool:
    try:
        return not isinstance(value, int | float) or math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers of JSON differ in which of two they take.
    entries: dict[str, Any] = {}
    for name, value in pairs:
        if name in entries:
            raise ValueError(f"{shown(name)} occurs twice in an object")
        entries[name] = value
    return entries


def _check_texts(raw: object) -> None:
    """Refuse what could steer a terminal, or break the reader of a value."""
    values = [(raw, 0)]
    while values:
        value, depth = values.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"it is nested more than {_MAX_DEPTH} levels deep")
        if isinstance(value, str) and _UNPRINTABLE.search(value):
            raise ValueError(f"{shown(value)} holds a control character")
        if isinstance(value, dict):
            values += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            values += [(inner, depth + 1) for inner in value]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
