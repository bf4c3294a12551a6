"""Running a command line so that every error becomes a line, a hint and an exit code."""

import os
import sys
from collections.abc import Callable, Sequence

import typer

from snpredict.errors import OutputError, SnpredictError, UsageError
from snpredict.terminal.start import INTERRUPTED, was_interrupted
from snpredict.terminal.streams import give_stdout_up, open_streams
from snpredict.terminal.wrapping import tell

#: Set to anything, shows the traceback of an unexpected error.
DEBUG_VARIABLE = "SNPREDICT_DEBUG"

# typer brings its own copy of click or imports click, by version; these are the classes it uses.
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]


def run_program(
    app: typer.Typer,
    name: str,
    arguments: Sequence[str] | None = None,
    *,
    translate: Callable[[Exception], SnpredictError | None] = lambda error: None,
    interrupted: str = "interrupted",
) -> int:
    """Run a Typer application.

    Parameters
    ----------
    app : typer.Typer
    name : str
        What messages call the program.
    arguments : sequence of str, optional
        Those of the process when left out.
    translate : callable
        Turns an exception that would be unexpected into one of ours, or gives None.
    interrupted : str
        What to say after Ctrl-C.

    Returns
    -------
    int
        Exit code: 0 done, 1 unexpected, 2 usage, 130 interrupted, else that of the error's class.
    """
    if arguments is None:
        open_streams()
    code = _run(app, name, arguments, translate, interrupted)
    try:
        sys.stdout.flush()
    except SnpredictError as error:
        code = code or _fail(error)
        give_stdout_up()
    return code


def _run(
    app: typer.Typer,
    name: str,
    arguments: Sequence[str] | None,
    translate: Callable[[Exception], SnpredictError | None],
    interrupted: str,
) -> int:
    try:
        code = app(arguments, prog_name=name, standalone_mode=False)
        if code == INTERRUPTED:  # newer typers turn Ctrl-C into this code by themselves
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        pass
    except Exception as error:
        # A library that is being loaded may turn Ctrl-C into an error of its own.
        if not was_interrupted():
            return _fail(_error_of_ours(error, name, translate))
    print(interrupted, file=sys.stderr)
    return INTERRUPTED


def _error_of_ours(
    error: Exception, name: str, translate: Callable[[Exception], SnpredictError | None]
) -> SnpredictError:
    if isinstance(error, SnpredictError):
        return error
    if isinstance(error, _ClickError):
        return _usage_error(error, name)
    if isinstance(error, UnicodeEncodeError):
        return OutputError(
            f"{_around(error)!r} cannot be written: a name in it is not UTF-8",
            "rename the file or the folder",
        )
    known = translate(error)
    if known is not None:
        return known
    if os.environ.get(DEBUG_VARIABLE):
        raise error
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return SnpredictError(
        f"unexpected {reason}",
        f"this is a bug in snpredict; {DEBUG_VARIABLE}=1 shows where",
    )


def _around(error: UnicodeEncodeError) -> str:
    """The line that cannot be encoded, of what may be a whole document."""
    before, after = error.object[: error.start], error.object[error.start :]
    return before.rpartition("\n")[2].lstrip() + after.partition("\n")[0]


def _fail(error: SnpredictError) -> int:
    # One line each: a line feed in them is from the name of a file.
    tell([("error: ", error.message)])
    if error.hint:
        tell([("", ""), ("hint: ", error.hint)])
    return error.exit_code


def _usage_error(error: Exception, name: str) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else name
    message = getattr(error, "format_message", lambda: str(error))()
    return UsageError(message.rstrip("."), f"{command} --help")
