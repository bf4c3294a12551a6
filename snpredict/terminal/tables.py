"""Tables and bars with rich, for stdout.

rich is imported inside the functions that draw, so that a piped run does not wait for it.
"""

import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from snpredict.terminal.wrapping import Line, columns_of, for_stream

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: A terminal table with more rows shows its first and last ones only.
MAX_ROWS, FIRST_ROWS, LAST_ROWS = 40, 20, 5

_BAR = 10

#: Blanks between two columns, and on both edges together.
_BETWEEN, _EDGES = 2, 2

#: A first column is not made narrower than this; its names go over several lines.
_LEAST_FIRST = 8


def terminal() -> "Console":
    """Console on stdout. rich itself minds NO_COLOR and leaves colours out when piped."""
    from rich.console import Console

    # A SNP or sample may be called "[red]" or ":dna:". A pipe is as wide as its longest line.
    width = columns_of(sys.stdout) or 10_000
    return Console(markup=False, highlight=False, emoji=False, width=width, height=25)


def say(console: "Console", lines: Iterable[Line]) -> None:
    """Print lines, wrapped between words on a terminal."""
    console.print(for_stream(lines, console.file), soft_wrap=True)


def heading_table(*headings: str, right: Sequence[int] = ()) -> "Table":
    """A table with a rule below its headings; the columns at the places `right` hold numbers."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, _BETWEEN - 1), header_style="bold"
    )
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="right" if at in right else "left", overflow="fold")
    return table


def show(
    console: "Console",
    table: "Table",
    *,
    way_out: str = "--json",
    short: Mapping[str, str] | None = None,
    rank: Callable[[str], int] | None = None,
) -> None:
    """Print a table in the width of the console, and say which columns had no room.

    Parameters
    ----------
    console : Console
    table : Table
        Of `heading_table`.
    way_out : str
        What gives all columns.
    short, rank
        See `fitted`.
    """
    left_out: list[str] = []
    if console.is_terminal:
        table, left_out = fitted(table, console.width, short, rank)
    console.print(table)
    if left_out:
        names = ", ".join(_ranges(left_out))
        say(console, [("", f"no room for {names}: see a wider window or {way_out}")])


def fitted(
    table: "Table",
    width: int,
    short: Mapping[str, str] | None = None,
    rank: Callable[[str], int] | None = None,
) -> tuple["Table", list[str]]:
    """The table in a width, and the headings of the columns that had no room.

    Headings are shortened and broken between words first. Then columns go, those without a heading
    first, which are bars. The first column always stays: if need be its cells are folded.

    Parameters
    ----------
    table : Table
        Its cells are text of one or several lines.
    width : int
        Columns of the terminal.
    short : dict of str to str, optional
        Shorter headings.
    rank : callable, optional
        Importance of a heading, 0 for what stays longest. From left to right when left out.
    """
    headings = [str(column.header) for column in table.columns]
    contents = [max(map(_width, column.cells), default=0) for column in table.columns]
    if _total([max(_width(h), c) for h, c in zip(headings, contents, strict=True)]) <= width:
        return table, []
    shorter = [(short or {}).get(heading, heading) for heading in headings]
    narrow = [_narrow(heading, content) for heading, content in zip(shorter, contents, strict=True)]
    widths = [max(_width(h), c) for h, c in zip(narrow, contents, strict=True)]
    places = range(len(headings))
    order = sorted(
        places[1:], key=lambda at: (not headings[at], rank(headings[at]) if rank else at, at)
    )
    kept = [0]
    first = min(widths[0], max(_LEAST_FIRST, width - _EDGES))
    for at in order:
        if _total([first, *(widths[other] for other in [*kept[1:], at])]) <= width:
            kept.append(at)
    if len(kept) == 1 and len(order) > 0 and headings[order[0]]:
        # The most important number matters more than a name in one piece.
        kept.append(order[0])
    first = max(_LEAST_FIRST, width - _total([0, *(widths[at] for at in kept[1:])]))
    left_out = [headings[at] for at in places if at not in kept and headings[at]]
    return _chosen(table, sorted(kept), narrow, min(first, widths[0])), left_out


def shown_rows(n: int) -> list[int | None]:
    """Rows to show; None stands for those left out."""
    if n <= MAX_ROWS:
        return list(range(n))
    return [*range(FIRST_ROWS), None, *range(n - LAST_ROWS, n)]


def bar(value: float, limit: float) -> "Text":
    """Ten blocks for `limit`, in proportion for a smaller value."""
    from rich.text import Text

    return Text("█" * (round(_BAR * value / limit) if limit else 0), style="cyan")


def signed_bar(value: float, limit: float) -> "Text":
    """A bar to the left of a middle line for a negative value, to the right for a positive one."""
    from rich.text import Text

    half = _BAR // 2
    filled = round(half * abs(value) / limit) if limit else 0
    blocks = "█" * filled
    if value < 0:
        return Text.assemble(" " * (half - filled), (blocks, "red"), "│")
    return Text.assemble(" " * half, "│", (blocks, "cyan"))


def _chosen(table: "Table", kept: Sequence[int], headings: Sequence[str], first: int) -> "Table":
    """The columns at those places, the first one folded to a width."""
    right = [place for place, at in enumerate(kept) if table.columns[at].justify == "right"]
    chosen = heading_table(*(headings[at] for at in kept), right=right)
    chosen.columns[0].max_width = first
    cells = [list(table.columns[at].cells) for at in kept]
    for style, *row in zip([row.style for row in table.rows], *cells, strict=True):
        chosen.add_row(*row, style=style)
    return chosen


def _width(cell: object) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, str(cell).split("\n")))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _BETWEEN * (len(widths) - 1) + _EDGES


def _narrow(heading: str, content: int) -> str:
    """A heading over several lines, about as wide as what is below it."""
    room = max([content, *map(len, heading.split())])
    return textwrap.fill(heading, max(1, room), break_long_words=False, break_on_hyphens=False)


def _ranges(names: Sequence[str]) -> list[str]:
    """The names; three or more that count up, such as fold_01, fold_02, fold_03, as a range."""
    runs: list[list[str]] = []
    for name in names:
        stem = name.rstrip("0123456789")
        digits = name[len(stem) :]
        if runs and digits and runs[-1][-1] == f"{stem}{int(digits) - 1:0{len(digits)}}":
            runs[-1].append(name)
        else:
            runs.append([name])
    return [text for run in runs for text in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run)]
