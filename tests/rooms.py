"""The rooms of the house and which way imports may go, read from the source.

A room is a module or a folder of a package. `ORDER` lists the rooms of each package from the top
down: a module may import from rooms that stand below its own, and from its own as long as that
closes no circle. Imports inside functions and under ``TYPE_CHECKING`` count like all others.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

#: From the top down; rooms on one line may not import each other either.
ORDER: dict[str, list[str]] = {
    "snpredict": [
        "__main__",
        "cli",
        "terminal",
        "__init__",
        "api",
        "predicting",
        "results",
        "explaining annotating",
        "intervals reliability",
        "scoring",
        "matching",
        "scoring_files",
        "bundle",
        "genotypes",
        "formulas",
        "files names choices ahead arrow version",
        "errors",
    ],
    "train": [
        "__main__",
        "cli",
        "commands",
        "bundle",
        "evaluation",
        "gwas decomposition deepwas",
        "runs",
        "registry",
        "networks",
        "baselines",
        "check_model",
        "model",
        "parity",
        "attribution",
        "simulate",
        "data",
        "metrics plots runtime errors",
        "__init__",
    ],
}
#: `train` stands on `snpredict`, never the other way round.
PACKAGES = ("train", "snpredict")


@dataclass(frozen=True)
class Import:
    """One import of one module of ours by another.

    Attributes
    ----------
    file : Path
        From the repository's root.
    line : int
    module, imported : str
        Dotted names.
    """

    file: Path
    line: int
    module: str
    imported: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.module} imports {self.imported}"


def modules(root: Path = REPOSITORY) -> dict[str, Path]:
    """All modules of both packages by dotted name; a folder's ``__init__`` goes by its own."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root).with_suffix("")
            found[".".join(relative.parts)] = path
    return found


def imports(known: dict[str, Path], root: Path = REPOSITORY) -> Iterator[Import]:
    """Every import among `known`, in any place of the source."""
    for module, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _named(node):
                imported = _module_of(name, known)
                if imported is not None and imported != module:
                    yield Import(path.relative_to(root), node.lineno, module, imported)


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(module=str(module), level=0):
            yield from (f"{module}.{alias.name}" for alias in node.names)
        case ast.ImportFrom(level=level) if level:
            raise ValueError(f"line {node.lineno}: relative imports are not used here")


def _module_of(name: str, known: dict[str, Path]) -> str | None:
    """The module that ``from a.b import c`` reads: a.b.c, a.b, or their ``__init__``."""
    while name:
        for module in (name, f"{name}.__init__"):
            if module in known:
                return module
        name = name.rpartition(".")[0]
    return None


def place(module: str) -> int | None:
    """How far below the top a module's room stands, None for a room that no list names."""
    package, room = module.split(".")[:2]
    below = sum(len(ORDER[p]) for p in PACKAGES[: PACKAGES.index(package)])
    for at, rooms in enumerate(ORDER[package]):
        if room in rooms.split():
            return below + at
    return None


def room(module: str) -> str:
    """Package and first folder or module."""
    return ".".join(module.split(".")[:2])


def unknown(known: Iterable[str]) -> list[str]:
    """Modules that stand in no room of the list."""
    return [module for module in known if place(module) is None]


def upward(found: Iterable[Import]) -> list[str]:
    """Imports that go up, or sideways into another room of the same line."""
    wrong = []
    for one in found:
        here, there = place(one.module), place(one.imported)
        if None in (here, there) or room(one.module) == room(one.imported):
            continue
        if there <= here:  # type: ignore[operator]
            wrong.append(f"{one}, which stands above it")
    return wrong


def circle(found: Iterable[Import]) -> list[str]:
    """The imports of one circle of modules, or nothing."""
    lines: dict[tuple[str, str], Import] = {}
    graph: dict[str, set[str]] = {}
    for one in found:
        lines.setdefault((one.module, one.imported), one)
        graph.setdefault(one.module, set()).add(one.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # Its nodes are listed from the imported one to the importing one.
        nodes = error.args[1][::-1]
        return [str(lines[pair]) for pair in pairwise(nodes)]
    return []
