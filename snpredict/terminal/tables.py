"""Tables and bars with rich, for stdout.

rich is imported inside the functions that draw, so that a piped run does not wait for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: A terminal table with more rows shows its first and last ones only.
MAX_ROWS, FIRST_ROWS, LAST_ROWS = 40, 20, 5

_BAR = 10


def terminal() -> "Console":
    """Console on stdout. rich itself minds NO_COLOR and leaves colours out when piped."""
    from rich.console import Console

    # A SNP or sample may be called "[red]" or ":dna:".
    return Console(markup=False, highlight=False, emoji=False)


def heading_table(*headings: str, right: Sequence[int] = ()) -> "Table":
    """A table with a rule below its headings; the columns at the places `right` hold numbers."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="right" if at in right else "left", overflow="fold")
    return table


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
