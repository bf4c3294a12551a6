"""Windows on disk: made once, mapped into memory by every process that trains on them.

A file per window: z, y, G and the squared correlations one after the other, float32. It is there
whole or not at all, so that making them goes on where it was stopped.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.errors import UsageError
from snpredict.files import write_files
from train.deepwas.cutting import Span
from train.deepwas.window import Window, make_window

#: Correlations of a window's core with all of it, tapered as told.
Ld = Callable[[Span, float | None], np.ndarray]


@dataclass(frozen=True)
class LdSettings:
    """How correlations become a window's LD.

    Attributes
    ----------
    people : int or None
        Of the reference; None where its correlations are those of the study itself.
    shrink : float or None
        None: as few people ask for, see `train.deepwas.window.shrinkage`.
    taper : float or None
        Base pairs from which on correlations are 0; None: never.
    """

    people: int | None
    shrink: float | None = None
    taper: float | None = None


def window_bytes(spans: Sequence[Span]) -> tuple[int, int]:
    """Bytes on disk of all windows, at most, and of the largest one."""
    sizes = [
        4 * (span.core_stop - span.core_start) * 2 * (span.stop - span.start + 1) for span in spans
    ]
    return sum(sizes), max(sizes)


def make_windows(
    folder: Path,
    spans: Sequence[Span],
    ld: Ld,
    z: np.ndarray,
    settings: LdSettings,
    about: Mapping[str, Any],
    tell: Callable[[int], None],
) -> None:
    """Make those windows that are not there yet.

    Parameters
    ----------
    ld : callable
        See `train.deepwas.study.Reference`.
    about : mapping
        What the windows depend on, such as digests of the files; other windows are refused.
    tell : callable
        Told of every window how many core variants it has.

    Raises
    ------
    UsageError
        The folder holds windows of other data or settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    described = json.dumps({**about, **vars(settings), "spans": list(map(list, spans))})
    path = folder / "windows.json"
    if path.exists() and path.read_text(encoding="utf-8") != described:
        raise UsageError(
            f"{folder} holds windows of other files or settings", "name a new folder with --out"
        )
    write_files({path: described.encode()})
    for number, span in enumerate(spans):
        file = folder / _name(number)
        if not file.exists():
            window = make_window(
                span,
                ld(span, settings.taper),
                z[span.core_start : span.core_stop],
                people=settings.people,
                shrink=settings.shrink,
            )
            write_files({file: _bytes(window)})
        tell(span.core_stop - span.core_start)


def open_windows(folder: Path) -> list[Window]:
    """All windows of a folder, mapped."""
    about = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    return [_open(folder / _name(at), Span(*row)) for at, row in enumerate(about["spans"])]


def _name(number: int) -> str:
    return f"{number + 1:05d}.f32"


def _bytes(window: Window) -> bytes:
    parts = (window.z, window.y, window.g, window.squares)
    return b"".join(np.ascontiguousarray(part, np.float32).tobytes() for part in parts)


def _open(path: Path, span: Span) -> Window:
    flat = np.memmap(path, np.float32, "r")
    core, every = span.core_stop - span.core_start, span.stop - span.start
    rank = (len(flat) - core * (1 + every)) // (1 + every)
    ends = np.cumsum([core, rank, rank * every, core * every])
    z, y, g, squares = np.split(flat, ends[:-1])
    return Window(span, z, y, g.reshape(rank, every), squares.reshape(core, every))
