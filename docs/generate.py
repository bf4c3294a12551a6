"""Write docs/cli.md and docs/errors.md from the code; a test compares them with what is there.

python docs/generate.py
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer.main

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

import snpredict.errors  # noqa: E402
import train.errors  # noqa: E402
from snpredict.cli import app as snpredict_app  # noqa: E402
from train.cli import app as train_app  # noqa: E402

#: A default that the help says itself: Typer knows none, or it is found out while running.
_SAID_DEFAULT = re.compile(r"\s*\[default: (.*)\]$")


def commands(command: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command below a Typer application, the hidden ones left out."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from commands(inner, (*path, name))


def _parameters(command: object) -> Iterator[str]:
    for parameter in command.params:  # type: ignore[attr-defined]
        if getattr(parameter, "hidden", False) or parameter.name == "help":
            continue
        names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
        if parameter.param_type_name == "argument":
            names = f"`{parameter.metavar or parameter.name.upper()}`"
        text, default = _help_and_default(parameter)
        yield f"| {names} | {text} | {default} |"


def _help_and_default(parameter: object) -> tuple[str, str]:
    """What a parameter does, and what it is without being given or that it must be given."""
    text = getattr(parameter, "help", "") or ""
    said = _SAID_DEFAULT.search(text)
    if said is not None:
        return text[: said.start()], said[1]
    if parameter.required:  # type: ignore[attr-defined]
        return text, "*required*"
    default = parameter.default  # type: ignore[attr-defined]
    value = getattr(default, "value", default)
    if isinstance(value, bool):
        # Of a pair of switches one is the default; a switch without its opposite is off.
        off = parameter.secondary_opts  # type: ignore[attr-defined]
        on = parameter.opts  # type: ignore[attr-defined]
        return text, (on if value else off)[0] if off else ""
    return text, "" if value in (None, [], ()) or callable(value) else str(value)


def cli_page() -> str:
    """The reference of all commands, as Markdown."""
    lines = ["# Commands", "", "Written by `docs/generate.py` from the programs themselves.", ""]
    for application, name in ((snpredict_app, "snpredict"), (train_app, "python -m train")):
        for path, command in commands(typer.main.get_command(application), (name,)):
            lines += [f"## `{' '.join(path)}`", "", inspect.cleandoc(command.help or ""), ""]  # type: ignore[attr-defined]
            rows = list(_parameters(command))
            if rows:
                lines += ["| option | what it does | default |", "| --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def error_classes() -> list[type[snpredict.errors.SnpredictError]]:
    """All error classes of both packages, by exit code."""
    found = {
        value
        for module in (snpredict.errors, train.errors)
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, snpredict.errors.SnpredictError)
    }
    return sorted(found - {snpredict.errors.SnpredictError}, key=lambda c: c.exit_code)


def errors_page() -> str:
    """The table of exit codes, as Markdown."""
    lines = [
        "# Exit codes",
        "",
        "Written by `docs/generate.py` from the error classes. An error is one line with what was",
        "found and what was expected, then `hint:` with the way out; nothing is left half-written.",
        "",
        "| code | error | meaning |",
        "| --- | --- | --- |",
        "| 0 | | done |",
        "| 1 | | unexpected: please report it, with `SNPREDICT_DEBUG=1` set |",
        *(
            f"| {c.exit_code} | {c.__name__} | {(c.__doc__ or '').strip().splitlines()[0]} |"
            for c in error_classes()
        ),
        "| 130 | | stopped with Ctrl-C |",
        "",
    ]
    return "\n".join(lines)


PAGES = {"cli.md": cli_page, "errors.md": errors_page}

if __name__ == "__main__":
    for page_name, page in PAGES.items():
        (FOLDER / page_name).write_text(page(), encoding="utf-8")
