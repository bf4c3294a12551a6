"""Draws the rooms of the house from the table that the test reads: ``python -m tests.draw_rooms``.

A box is a room, with what its docstring says first; an arc is an import between two rooms. All arcs
lead down, or from `train` to `snpredict`. Writes ``docs/rooms.svg``.
"""

import ast
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from tests.rooms import ORDER, REPOSITORY, imports, modules, room

PICTURE = REPOSITORY / "docs" / "rooms.svg"

_WIDTH, _ROW, _GAP, _TOP = 560, 40, 240, 70
_COLUMNS = {"train": 150, "snpredict": 150 + _WIDTH + _GAP}
_INK, _PALE = "#22303c", "#8aa0b2"


def picture() -> str:
    """The SVG."""
    known = modules()
    there = [name for package in ORDER for name in _rooms(package, known)]
    place = {name: _corner(name, there) for name in there}
    used = sorted(
        {
            (room(one.module), room(one.imported))
            for one in imports(known)
            if room(one.module) != room(one.imported)
        }
    )
    height = _TOP + _ROW * max(sum(n.startswith(f"{p}.") for n in there) for p in ORDER) + 30
    width = _COLUMNS["snpredict"] + _WIDTH + 150
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for package, x in _COLUMNS.items():
        lines.append(
            f'<text x="{x}" y="40" font-size="20" font-weight="bold" fill="{_INK}">{package}</text>'
        )
    lines += [_arc(place[a], place[b], a.split(".")[0] == b.split(".")[0]) for a, b in used]
    for name, (x, y) in place.items():
        short = name.split(".")[1]
        lines.append(
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_ROW - 10}" rx="4" fill="#eef3f7" '
            f'stroke="{_PALE}"/><text x="{x + 10}" y="{y + 20}" fill="{_INK}">'
            f'<tspan font-weight="bold">{short}</tspan>'
            f'<tspan dx="10" font-size="11">{escape(_told(name, known))}</tspan></text>'
        )
    return "\n".join([*lines, "</svg>", ""])


def _rooms(package: str, known: dict[str, Path]) -> Iterator[str]:
    there = {room(module) for module in known}
    for line in ORDER[package]:
        yield from (f"{package}.{name}" for name in line.split() if f"{package}.{name}" in there)


def _corner(name: str, there: list[str]) -> tuple[int, int]:
    package = name.split(".")[0]
    at = [other for other in there if other.split(".")[0] == package].index(name)
    return _COLUMNS[package], _TOP + _ROW * at


def _arc(above: tuple[int, int], below: tuple[int, int], inside: bool) -> str:
    (x1, y1), (x2, y2) = above, below
    y1, y2 = y1 + 15, y2 + 15
    if inside:
        # On the outer side, the wider the farther it leads.
        left = x1 == _COLUMNS["train"]
        x = x1 if left else x1 + _WIDTH
        bow = x + (-1 if left else 1) * min(130, 14 + (y2 - y1) // 4)
        path = f"M {x} {y1} C {bow} {y1}, {bow} {y2}, {x} {y2}"
    else:
        x1 += _WIDTH
        path = f"M {x1} {y1} C {x1 + _GAP // 2} {y1}, {x2 - _GAP // 2} {y2}, {x2} {y2}"
    return f'<path d="{path}" fill="none" stroke="{_PALE}" stroke-opacity="0.6"/>'


def _told(name: str, known: dict[str, Path]) -> str:
    """The first sentence of the room's docstring, as far as it fits."""
    source = known.get(name) or known.get(f"{name}.__init__")
    assert source is not None, f"{name} has no module"
    text = (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").split("\n")[0]
    # What a parenthesis or a colon adds is left out.
    text = re.split(r"[:(]", text)[0].strip() if len(text) > 75 else text
    return text.replace("``", "").replace("`", "")


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
