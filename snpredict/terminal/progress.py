"""Progress bars on stderr."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from snpredict.genotypes.reader import GenotypeReader
from snpredict.matching.matched_file import Watch
from snpredict.terminal.streams import printable

_PROGRESS_AFTER_S = 2.0

#: Columns beside the file's name and the bar: "1,000,000 samples, 100,000/s", share and time left.
_TEXT, _LEAST_BAR = 45, 5


def watch(quiet: bool) -> Watch:
    """A progress bar on stderr, if that is a terminal and `quiet` does not say no."""
    return _no_bar if quiet or not sys.stderr.isatty() else _bar_after_a_while


@contextmanager
def _no_bar(reader: GenotypeReader) -> Iterator[Callable[[int], None]]:
    yield lambda samples: None


@contextmanager
def _bar_after_a_while(reader: GenotypeReader) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left, drawn by a thread of its own after two seconds."""
    done = 0
    began = time.monotonic()
    over = threading.Event()

    def count(samples: int) -> None:
        nonlocal done
        done += samples

    def draw() -> None:
        if over.wait(_PROGRESS_AFTER_S):
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        bar = max(0, min(40, console.width - _TEXT - len(reader.path.name)))
        columns = (
            TextColumn("{task.description}"),
            *([BarColumn(bar)] if bar >= _LEAST_BAR else []),
            TextColumn("{task.percentage:.0f} %"),
            TimeRemainingColumn(compact=True),
        )
        # In a narrow window the numbers are wanted more than the file's name.
        name = f"{printable(reader.path.name)}: " if bar else ""
        with Progress(*columns, console=console, transient=True) as progress:
            # A rate over the last seconds needs updates from the very start.
            task = progress.add_task(printable(reader.path.name), total=None)
            while True:
                rate = done / (time.monotonic() - began)
                what = f"{done:,} samples, {rate:,.0f}/s" if done else "reading"
                # By samples where their number is known, else by bytes.
                by_samples = done and reader.n_samples
                progress.update(
                    task,
                    description=f"{name}{what}",
                    completed=done if by_samples else reader.bytes_read,
                    total=max(1, (reader.n_samples if by_samples else reader.size_bytes) or 1),
                )
                if over.wait(0.1):
                    return

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    try:
        yield count
    finally:
        over.set()
        drawing.join()


@contextmanager
def watch_rows(total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """As `watch`, of rows whose number is known."""
    if quiet or not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"{total:,} variants", total=total)
        yield lambda rows: progress.advance(task, rows)
