"""Modules, definitions and files that texts name in backticks exist: a move leaves none behind."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.rooms import REPOSITORY, modules

TEXTS = [
    *(REPOSITORY / "docs").glob("*.md"),
    *REPOSITORY.glob("*.md"),
    *(
        p
        for f in ("snpredict", "train", "tests", "benchmarks")
        for p in (REPOSITORY / f).rglob("*.py")
    ),
]
DOTTED = re.compile(r"`((?:snpredict|train)(?:\.[A-Za-z_]\w*)+)`")
FILE = re.compile(r"`((?:snpredict|train|tests|benchmarks|docs)/[\w/.*-]+\.\w+)`")


@cache
def definitions() -> dict[str, set[str]]:
    """Names that stand in each module, by its dotted name; a folder's is its ``__init__``."""
    found = {}
    for module, path in modules().items():
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {
            getattr(node, "name", None) or getattr(node, "id", None) or getattr(node, "arg", None)
            for node in tree
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Name | ast.arg)
        }
        found[module.removesuffix(".__init__")] = names
    return found


def exists(name: str, known: dict[str, set[str]]) -> bool:
    if name in known:
        return True
    module, _, inner = name.partition(".")
    while f"{module}.{inner.partition('.')[0]}" in known:
        first, _, inner = inner.partition(".")
        module = f"{module}.{first}"
    return set(inner.split(".")) <= known[module]


@pytest.mark.parametrize("text", TEXTS, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_names_in_texts_exist(text: Path):
    known = definitions()
    content = text.read_text(encoding="utf-8")
    wrong = [name for name in DOTTED.findall(content) if not exists(name, known)]
    wrong += [name for name in FILE.findall(content) if not list(REPOSITORY.glob(name))]
    assert wrong == []
