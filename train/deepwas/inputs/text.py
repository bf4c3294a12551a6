"""Text files, packed or not."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from snpredict.errors import TruncatedFile


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """A text file, of gzip where it begins so.

    Raises
    ------
    TruncatedFile
        In the course of reading, where it ends too early or is damaged.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        if packed:
            with gzip.open(path, "rt", encoding="utf-8", errors="replace") as text:
                yield text
        else:
            with path.open(encoding="utf-8", errors="replace") as text:
                yield text
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TruncatedFile(f"{path} ends too early or is damaged: {error}") from None
