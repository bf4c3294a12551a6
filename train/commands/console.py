"""The console that every training command writes its messages to."""

from typing import Any

from rich.console import Console

from snpredict.terminal.streams import printable


class Messages(Console):
    """One line each: broken between words on a terminal, and whole in a pipe or a log.

    What would steer a terminal or begin a line, such as a path may hold, is not printed.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich prints, with `soft_wrap` by what is at the other end."""
        shown = (printable(o) if isinstance(o, str) else o for o in objects)
        super().print(*shown, **options | {"soft_wrap": not self.is_terminal})
