"""The console that every training command writes its messages to."""

from typing import Any

from rich.console import Console


class Messages(Console):
    """Lines are broken between words on a terminal, and stay whole in a pipe or a log."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich prints, with `soft_wrap` by what is at the other end."""
        super().print(*objects, **options | {"soft_wrap": not self.is_terminal})
