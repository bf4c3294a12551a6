"""The console that every training command writes its messages to, and a bar of SNPs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from snpredict.terminal.streams import printable


class Messages(Console):
    """One line each: broken between words on a terminal, and whole in a pipe or a log.

    What would steer a terminal or begin a line, such as a path may hold, is not printed.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich prints, with `soft_wrap` by what is at the other end."""
        shown = (printable(o) if isinstance(o, str) else o for o in objects)
        super().print(*shown, **options | {"soft_wrap": not self.is_terminal})


@contextmanager
def counting_snps(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of SNPs on a terminal; what is given is told of so many more."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,} SNPs"),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=total)
        yield lambda snps: bar.advance(task, snps)
