"""Commands that take no option twice, unless it is meant to be repeated."""

import sys
from collections import Counter
from typing import Any

import typer
import typer.core

from snpredict.errors import UsageError

#: Ways out that are not to leave the option out once.
_HINTS = {"--model": "several models at once are not supported yet: run the command once for each"}


def _refuse_repeated(command: Any, context: Any, arguments: list[str]) -> None:
    order = command.make_parser(context).parse_args(args=list(arguments))[2]
    for option, times in Counter(order).items():
        if times == 1 or option.param_type_name != "option" or option.multiple or option.count:
            continue
        name = max(option.opts, key=len)
        raise UsageError(
            f"{name} is given {times} times, expected once", _HINTS.get(name, "give it once")
        )


class Command(typer.core.TyperCommand):
    """A command that refuses a repeated option before it reads any."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer's, once it is known that nothing is given twice."""
        _refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


class _Group(typer.core.TyperGroup):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and self.no_args_is_help:
            print(ctx.get_help(), file=sys.stderr)
            raise typer.Exit(UsageError.exit_code)
        _refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


class App(typer.Typer):
    """A Typer application with commands of this kind."""

    def __init__(self, **options: Any):
        super().__init__(cls=_Group, **options)

    def command(self, name: str | None = None, **options: Any) -> Any:
        """As Typer's; a class of one's own is to be a `Command`."""
        return super().command(name, **{"cls": Command, **options})
