"""Lines for the width of a terminal; a pipe gets them as they are, one fact per line."""

import os
import re
import sys
import textwrap
from collections.abc import Iterable
from typing import IO

from snpredict.terminal.streams import printable

#: Width where a terminal does not say its own.
USUAL_WIDTH = 80

#: Digits that are shown of a SHA-256 on a terminal.
_SHOWN_OF_DIGEST = 12

#: A text with less room than this goes below its label.
_LEAST_ROOM = 24

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")

#: What a line must not be broken at: "99 %", "0.790 ± 0.012".
_TOGETHER = re.compile(r" (?=%|± )|(?<=±) ")

#: Where the texts of the facts about a file begin.
COLUMN = len("similarity") + 1

#: What stands before a text with the blanks behind it, such as "error: " or "SNPs       ", and the
#: text, which goes on below itself where it is broken.
Line = tuple[str, str]


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


def labelled(facts: Iterable[tuple[str, object]], column: int | None = None) -> list[Line]:
    """Facts as lines whose texts stand below each other.

    Parameters
    ----------
    facts : iterable of (str, object)
        Label and value; a fact that goes on with a second line has an empty label there.
    column : int, optional
        Where the texts begin; two blanks behind the longest label when left out.
    """
    facts = list(facts)
    if column is None:
        column = max(len(label) for label, _ in facts) + 2
    return [(f"{label:{column}}", str(value)) for label, value in facts]


def for_stream(lines: Iterable[Line], stream: IO[str]) -> str:
    """Lines as they go to a stream, without characters that would steer a terminal.

    A terminal gets them wrapped between words, and of each SHA-256 the beginning. A word that is
    longer than the width stays whole.
    """
    width = columns_of(stream)
    return "\n".join(_shown(label, printable(text), width) for label, text in lines)


def tell(lines: Iterable[Line]) -> None:
    """Print lines to stderr, or nothing where there are none."""
    if text := for_stream(lines, sys.stderr):
        print(text, file=sys.stderr)


def _shown(label: str, text: str, width: int | None) -> str:
    if width is None:
        return label + text
    text = _DIGEST.sub(lambda found: f"{found[0][:_SHOWN_OF_DIGEST]}…", text)
    return label + text if len(label + text) <= width else wrapped(label, text, width)


def wrapped(label: str, text: str, width: int) -> str:
    """A line too long for a width, broken between words."""
    indent = " " * len(label)
    if label and width - len(label) < _LEAST_ROOM:
        indent = "  "
        label = f"{label.rstrip()}\n{indent}".lstrip("\n")
    broken = textwrap.fill(
        _TOGETHER.sub("\N{NO-BREAK SPACE}", text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return label + broken[len(indent) :].replace("\N{NO-BREAK SPACE}", " ")
