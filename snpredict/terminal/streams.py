"""Standard streams that may be closed or full, and text that cannot steer a terminal."""

import io
import os
import sys
from typing import TextIO

from snpredict.errors import OutputError


def printable(text: str) -> str:
    """One line of text, such as a name from a file, without characters that steer a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)


class _Stdout(io.FileIO):
    """Fails as an error of ours, whatever prints."""

    def write(self, content: bytes) -> int | None:  # type: ignore[override]
        try:
            return super().write(content)
        except OSError as error:
            raise _cannot_print(error) from None


class _Stderr(io.FileIO):
    """Never fails: a run whose results can be written goes on without its messages."""

    def write(self, content: bytes) -> int | None:  # type: ignore[override]
        try:
            return super().write(content)
        except OSError:
            return len(content)


def open_streams() -> None:
    """Make the streams of this process such that printing fails as it should, or not at all."""
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # Else the next file that is opened would be what is printed to. It takes this number,
            # the smallest that is free; what cannot be written to gives an error.
            os.open(os.devnull, flags)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = _text(_Stdout(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Stderr(2, "w", closefd=False), sys.stderr)


def require_stdout() -> None:
    """Find out that nothing can be printed before hours of work are done.

    Raises
    ------
    OutputError
        stdout is closed, or a device that takes nothing.
    """
    try:
        os.write(1, b"")
    except OSError as error:
        raise _cannot_print(error) from None


def give_stdout_up() -> None:
    """Let what could not be printed go to nowhere, so that Python does not try once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _text(raw: io.FileIO, old: TextIO | None) -> io.TextIOWrapper:
    buffered = io.BufferedWriter(raw)
    encoding = getattr(old, "encoding", None) or "utf-8"
    lines = raw.fileno() == 2 or raw.isatty()
    # A terminal that has no "█" shows "?" instead of a traceback.
    return io.TextIOWrapper(buffered, encoding, errors="replace", line_buffering=lines)


def _cannot_print(error: OSError) -> OutputError:
    return OutputError(
        f"stdout cannot be written: {error.strerror or error}", "is it closed, or the disk full?"
    )
