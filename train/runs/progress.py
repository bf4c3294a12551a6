"""The display of running tasks: folds, epoch, validation MAE, time left."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from snpredict.terminal.tables import fitted, heading_table
from train.runs.workers import TaskStatus

if TYPE_CHECKING:
    from train.runs.tasks import Task


def time_left(statuses: list[TaskStatus]) -> float | None:
    """Seconds until all folds are done, from the mean of the finished ones; None before that."""
    finished = [s.elapsed for s in statuses if s.state == "finished"]
    running = [s for s in statuses if s.state == "running"]
    if not finished:
        return None
    mean = sum(finished) / len(finished)
    work = sum(max(0.0, mean - s.seconds) for s in running)
    work += mean * sum(s.state == "waiting" for s in statuses)
    return work / max(1, len(running))


def least_time_left(statuses: list[TaskStatus], patience: int) -> float | None:
    """Seconds that the running folds need even if no epoch is better any more.

    All that can be said before a fold has finished, because a fold stops when its validation MAE
    has not fallen for ``patience`` epochs. None before the first epoch.
    """
    bounds = [
        s.seconds / s.epoch * max(0, patience - (s.epoch - s.best_epoch))
        for s in statuses
        if s.state == "running" and s.epoch > 0
    ]
    return max(bounds) if bounds else None


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class FitsLeft:
    """Time left of fits of several kinds, from the measured times of each kind.

    A mean over all fits would at first be that of the cheap kinds. Where a kind has not been
    measured yet, the rest is said to be a lower bound.

    Parameters
    ----------
    kinds : iterable of str
        The kind of every fit.
    jobs : int
        Fits at a time.
    """

    def __init__(self, kinds: Iterable[str], jobs: int):
        self._left = Counter(kinds)
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._jobs = jobs

    def finished(self, kind: str, seconds: float) -> None:
        """Count a fit."""
        self._left[kind] -= 1
        self._seconds[kind].append(seconds)

    def seconds(self, spent: float = 0.0) -> tuple[float, list[str]]:
        """Seconds left of the kinds that have been measured, and the others' names.

        Parameters
        ----------
        spent : float
            Seconds of the fits that are running, all together.
        """
        left = {kind: n for kind, n in self._left.items() if n > 0}
        work = sum(
            n * sum(times) / len(times) for k, n in left.items() if (times := self._seconds[k])
        )
        return max(0.0, work - spent) / self._jobs, [k for k in left if not self._seconds[k]]

    def text(self, spent: float = 0.0) -> str:
        """``about 3:20 left``, or ``at least`` that and which kinds have not been measured."""
        seconds, unknown = self.seconds(spent)
        if not unknown:
            return f"about {_clock(seconds)} left"
        names = ", ".join(unknown)
        if seconds < 1:
            return f"time left unknown (not timed yet: {names})"
        return f"at least {_clock(seconds)} left (not timed yet: {names})"


@contextmanager
def watching(
    console: Console, title: str, unit: str, patience: int = 0
) -> Iterator[Callable[[list[TaskStatus]], None]]:
    """A live table of folds on a terminal; elsewhere one line per finished fold.

    Yields the function that `train.runs.workers.Workers.run` calls with the status of all tasks.
    ``patience`` is the number of epochs after which a fold without a better one stops.
    """
    began = time.monotonic()
    if not console.is_terminal:
        told: set[int] = set()
        first = True

        def print_new(statuses: list[TaskStatus]) -> None:
            nonlocal first
            for status in statuses:
                if status.state == "finished" and status.task.fold not in told:
                    told.add(status.task.fold)
                    left = None if first else time_left(statuses)
                    console.print(
                        f"{title}: fold {status.task.fold} finished{_after_epochs(status, unit)}, "
                        f"{status.seconds:.0f} s" + (f", {_clock(left)} left" if left else ""),
                        soft_wrap=True,
                    )
            first = False

        yield print_new
        return

    def render(statuses: list[TaskStatus]) -> Group:
        table, left_out = fitted(_folds_table(statuses, unit), console.width)
        done = sum(s.state == "finished" for s in statuses)
        foot = f"{title}: {done}/{len(statuses)} folds, {_clock(time.monotonic() - began)} elapsed"
        left, least = time_left(statuses), least_time_left(statuses, patience)
        if left:
            foot += f", about {_clock(left)} left"
        elif least is not None:
            foot += f", at least {_clock(least)} left for these folds"
        if left_out:
            foot += f"; no room for {', '.join(left_out)}"
        return Group(table, Text(foot))

    with Live(console=console, refresh_per_second=4) as live:
        yield lambda statuses: live.update(render(statuses))


def _after_epochs(status: TaskStatus, unit: str) -> str:
    """How far a fit with epochs went; empty for others."""
    if status.best_mae != status.best_mae:
        return ""
    return f" after {status.epoch} epochs, best validation MAE {status.best_mae:.4g} {unit}"


def _folds_table(statuses: list[TaskStatus], unit: str) -> Table:
    headings = ("fold", "state", "epoch", f"validation MAE ({unit})", "best", "time")
    table = heading_table(*headings, right=range(2, len(headings)))
    for s in statuses:
        shown = s.best_mae == s.best_mae  # NaN before the first epoch
        table.add_row(
            str(s.task.fold),
            s.state,
            str(s.epoch) if shown else "",
            f"{s.validation_mae:.4g}" if shown else "",
            f"{s.best_mae:.4g}" if shown else "",
            _clock(s.seconds) if s.state != "waiting" else "",
        )
    return table


@contextmanager
def counting(console: Console, left: FitsLeft) -> Iterator[Callable[[list[TaskStatus]], None]]:
    """A bar on a terminal, elsewhere a line per finished fit; for fits of several kinds."""
    told: set[Task] = set()

    def new_ones(statuses: list[TaskStatus]) -> Iterator[tuple[TaskStatus, str]]:
        spent = sum(s.seconds for s in statuses if s.state == "running")
        for status in statuses:
            if status.state == "finished" and status.task not in told:
                told.add(status.task)
                left.finished(status.task.kind, status.elapsed)
                yield status, left.text(spent)

    if not console.is_terminal:

        def tell(statuses: list[TaskStatus]) -> None:
            for status, words in new_ones(statuses):
                console.print(
                    f"{status.task.what}{_after_epochs(status, status.task.unit)}: "
                    f"{status.seconds:.1f} s; {len(told)}/{len(statuses)}, {words}",
                    soft_wrap=True,
                )

        yield tell
        return
    columns = (SpinnerColumn(), *Progress.get_default_columns()[:2], TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=console) as bar:
        shown = bar.add_task("fitting", total=None, left="")

        def move(statuses: list[TaskStatus]) -> None:
            for _, words in new_ones(statuses):
                bar.update(shown, left=words)
            running = [s for s in statuses if s.state == "running"]
            what = "; ".join(s.task.what + f", epoch {s.epoch}" * (s.epoch > 0) for s in running)
            bar.update(shown, total=len(statuses), completed=len(told), description=what)

        yield move
