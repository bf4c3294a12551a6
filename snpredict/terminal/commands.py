"""Commands that take no option twice, and options that several commands have in common.

A parameter of a command that is a dataclass of options becomes one option for each of its fields.
"""

import functools
import inspect
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

import typer
import typer.core

from snpredict.errors import UsageError


def _refuse_repeated(command: Any, context: Any, arguments: list[str]) -> None:
    order = command.make_parser(context).parse_args(args=list(arguments))[2]
    for option, times in Counter(order).items():
        if times == 1 or option.param_type_name != "option" or option.multiple or option.count:
            continue
        name = max(option.opts, key=len)
        raise UsageError(f"{name} is given {times} times, expected once", "give it once")


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
        """As Typer's, with options by dataclasses; a class of one's own is to be a `Command`."""
        register = super().command(name, **{"cls": Command, **options})
        return lambda function: register(_with_options(function))


def _with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as Typer is to see it, with the fields of its dataclasses as parameters."""
    signature = inspect.signature(function)
    groups: dict[str, tuple[Callable[..., Any], list[str]]] = {}
    parameters = []
    for parameter in signature.parameters.values():
        parts, kind = [parameter], parameter.annotation
        if isinstance(kind, type) and is_dataclass(kind):
            parts = list(inspect.signature(kind).parameters.values())
            groups[parameter.name] = (kind, [part.name for part in parts])
        parameters += [part.replace(kind=inspect.Parameter.KEYWORD_ONLY) for part in parts]
    if not groups:
        return function

    @functools.wraps(function)
    def with_groups(**values: Any) -> Any:
        for name, (group, fields) in groups.items():
            values[name] = group(**{field: values.pop(field) for field in fields})
        return function(**values)

    with_groups.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_groups.__annotations__ = {part.name: part.annotation for part in parameters}
    return with_groups
