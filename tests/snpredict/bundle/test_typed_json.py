"""Dataclasses as JSON and back, and what is said of JSON that is not of the type."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from snpredict.bundle.load import find_bundles
from snpredict.bundle.manifest import Manifest, parse_manifest
from snpredict.bundle.typed_json import Entry, as_json, from_json, read_json
from snpredict.errors import InvalidBundle


@dataclass(frozen=True)
class Leaf:
    number: Annotated[int, Entry(key="leaf", above=0, at_most=9)]
    shares: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Tree:
    kind: Literal["oak", "fir"]
    leaves: tuple[Leaf, ...]
    height: float | None = None
    alpha: Annotated[float | None, Entry(left_out=True)] = None
    more: Any = None


OAK = Tree("oak", (Leaf(1), Leaf(2, {"a": 0.5, "b": None})), 3.0, None, {"any": [1, "x"]})
OAK_JSON = {
    "kind": "oak",
    "leaves": [{"leaf": 1, "shares": {}}, {"leaf": 2, "shares": {"a": 0.5, "b": None}}],
    "height": 3.0,
    "more": {"any": [1, "x"]},
}


def test_there_and_back():
    assert as_json(OAK) == OAK_JSON
    assert from_json(Tree, json.loads(json.dumps(OAK_JSON)), "tree") == OAK
    assert as_json(Tree("fir", (), alpha=0.5))["alpha"] == 0.5


def test_defaults_whole_numbers_and_entries_that_no_field_has():
    found = from_json(Tree, {"kind": "fir", "leaves": [], "height": 2, "age": 7}, "tree")
    assert found == Tree("fir", (), 2.0)
    assert isinstance(found.height, float)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], r"^tree: found \[\], expected a JSON object$"),
        ({"leaves": []}, "^tree has no entry 'kind'$"),
        ({"kind": "elm", "leaves": []}, "found 'elm' for 'kind', expected one of oak, fir"),
        ({"kind": "oak", "leaves": {}}, "found {} for 'leaves', expected a list"),
        ({"kind": "oak", "leaves": [{"leaf": 1}, {}]}, "'leaves' entry 2 has no entry 'leaf'"),
        (
            {"kind": "oak", "leaves": [{"leaf": 0}]},
            "'leaves' entry 1: found 0 for 'leaf', expected",
        ),
        ({"kind": "oak", "leaves": [{"leaf": 10}]}, "at most 9"),
        ({"kind": "oak", "leaves": [{"leaf": True}]}, "found True for 'leaf', expected int"),
        ({"kind": "oak", "leaves": [{"leaf": 1.0}]}, "found 1.0 for 'leaf', expected int"),
        (
            {"kind": "oak", "leaves": [{"leaf": 1, "shares": {"a": "x"}}]},
            "'shares': found 'x' for 'a'",
        ),
        ({"kind": "oak", "leaves": [], "height": 10**400}, "'height', expected float"),
    ],
)
def test_what_is_not_of_the_type(raw, words):
    with pytest.raises(InvalidBundle, match=words):
        from_json(Tree, raw, "tree")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1, "a": 2}', "'a' occurs twice"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": "\\u001b"}', "control character"),
        (b"[" * 30 + b"]" * 30, "20 levels"),
        (b"\xff", "UTF-8|utf-8"),
    ],
)
def test_json_that_is_not_taken(text, words):
    with pytest.raises(InvalidBundle, match=words):
        read_json(text, Path("x.json"))


def test_shipped_manifests_are_written_as_they_were_read():
    for folder in find_bundles().values():
        path = folder / "manifest.json"
        manifest = parse_manifest(path.read_bytes(), path)
        assert isinstance(manifest, Manifest)
        assert manifest.as_dict() == json.loads(path.read_text())
