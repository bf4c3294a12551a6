"""Text for the width of a terminal; a pipe gets it as it is, one fact per line."""

import os
import re
import textwrap
from collections.abc import Iterable
from typing import IO

from snpredict.terminal.streams import printable

#: Width where a terminal does not say its own.
USUAL_WIDTH = 80

#: Digits that are shown of a SHA-256 on a terminal.
_SHOWN_OF_DIGEST = 12

#: A value with less room than this goes below its key.
_LEAST_ROOM = 24

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")

#: What stands before a line's value: "error: ", the key of a fact padded to the width of all keys,
#: or the blanks below such a key.
_LABEL = re.compile(r"(?:error|hint|warning|note): |\w+(?: \w+)? {2,}|[A-Za-z]{10} | {4,}")

#: What a line must not be broken at: "99 %", "0.790 ± 0.012".
_TOGETHER = re.compile(r" (?=%|± )|(?<=±) ")


def columns_of(stream: IO[str]) -> int | None:
    """Columns of the terminal behind a stream, None where there is no terminal.

    The variable COLUMNS goes before the terminal's own word.
    """
    if not stream.isatty():
        return None
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        return USUAL_WIDTH


def for_stream(text: str, stream: IO[str]) -> str:
    """The text as it goes to a stream: unchanged but for a terminal.

    A terminal gets it wrapped, and of each SHA-256 the beginning.
    """
    width = columns_of(stream)
    if width is None:
        return text
    return wrapped(_DIGEST.sub(lambda found: f"{found[0][:_SHOWN_OF_DIGEST]}…", text), width)


def wrapped(text: str, width: int) -> str:
    """Every line broken between words, what follows below the line's value.

    A word that is longer than the width stays whole, and so does a line that is indented by two or
    three spaces, which is a command to copy.

    Parameters
    ----------
    text : str
    width : int
        Columns.
    """
    return "\n".join(_wrapped_line(line, width) for line in text.split("\n"))


def fact_lines(facts: Iterable[tuple[str, object]]) -> str:
    """One ``key  value`` per line, the values below each other."""
    facts = list(facts)
    width = max(len(key) for key, _ in facts)
    return "\n".join(f"{key:{width}}  {printable(str(value))}" for key, value in facts)


def _wrapped_line(line: str, width: int) -> str:
    label = _LABEL.match(line)
    if len(line) <= width or (line.startswith("  ") and label is None):
        return line
    first = label[0] if label else ""
    value = _TOGETHER.sub("\N{NO-BREAK SPACE}", line[len(first) :])
    indent = " " * len(first)
    if first and width - len(first) < _LEAST_ROOM:
        indent = "  "
        first = f"{first.rstrip()}\n{indent}".lstrip("\n")
    broken = textwrap.fill(
        value,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return first + broken[len(indent) :].replace("\N{NO-BREAK SPACE}", " ")
