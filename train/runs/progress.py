"""The display of a running cross-validation: folds, epoch, validation MAE, time left."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from snpredict.terminal.tables import fitted, heading_table
from train.runs.processes import FoldStatus


def time_left(statuses: list[FoldStatus]) -> float | None:
    """Seconds until all folds are done, from the mean of the finished ones; None before that."""
    finished = [s.elapsed for s in statuses if s.state == "finished"]
    running = [s for s in statuses if s.state == "running"]
    if not finished:
        return None
    mean = sum(finished) / len(finished)
    work = sum(max(0.0, mean - s.seconds) for s in running)
    work += mean * sum(s.state == "waiting" for s in statuses)
    return work / max(1, len(running))


def least_time_left(statuses: list[FoldStatus]) -> float | None:
    """Seconds that the running folds need even if no epoch is better any more.

    All that can be said before a fold has finished, because a fold stops when its validation MAE
    has not fallen for ``patience`` epochs. None before the first epoch.
    """
    bounds = [
        s.seconds / s.epoch * max(0, s.patience - (s.epoch - s.best_epoch))
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

    def of_folds(self, kind: str) -> Callable[[list[FoldStatus]], str]:
        """`text` for a watcher of folds that are fits of one kind."""
        counted: set[int] = set()

        def words(statuses: list[FoldStatus]) -> str:
            for status in statuses:
                if status.state == "finished" and status.fold not in counted:
                    counted.add(status.fold)
                    self.finished(kind, status.elapsed)
            return self.text(sum(s.seconds for s in statuses if s.state == "running"))

        return words


@contextmanager
def watching(
    console: Console,
    title: str,
    unit: str,
    left_words: Callable[[list[FoldStatus]], str] | None = None,
) -> Iterator[Callable[[list[FoldStatus]], None]]:
    """A live table on a terminal; elsewhere one line per finished fold.

    Yields the function that `train.runs.processes.run_folds` calls with the folds' status.
    ``left_words`` says the time left where these folds are not all; see `FitsLeft.of_folds`.
    """
    began = time.monotonic()
    if not console.is_terminal:
        told: set[int] = set()
        first = True

        def print_new(statuses: list[FoldStatus]) -> None:
            nonlocal first
            words = left_words(statuses) if left_words is not None else ""
            for status in statuses:
                if status.state == "finished" and status.fold not in told:
                    told.add(status.fold)
                    if left_words is None and not first and (left := time_left(statuses)):
                        words = f"{_clock(left)} left"
                    console.print(
                        f"{title}: fold {status.fold} finished after {status.epoch} epochs, "
                        f"best validation MAE {status.best_mae:.4g} {unit}, "
                        f"{status.seconds:.0f} s" + (f", {words}" if words else ""),
                        soft_wrap=True,
                    )
            first = False

        yield print_new
        return

    def render(statuses: list[FoldStatus]) -> Group:
        headings = ("fold", "state", "epoch", f"validation MAE ({unit})", "best", "time")
        table = heading_table(*headings, right=range(2, len(headings)))
        for s in statuses:
            shown = s.best_mae == s.best_mae  # NaN before the first epoch
            table.add_row(
                str(s.fold),
                s.state,
                str(s.epoch) if shown else "",
                f"{s.validation_mae:.4g}" if shown else "",
                f"{s.best_mae:.4g}" if shown else "",
                _clock(s.seconds) if s.state != "waiting" else "",
            )
        done = sum(s.state == "finished" for s in statuses)
        foot = f"{title}: {done}/{len(statuses)} folds, {_clock(time.monotonic() - began)} elapsed"
        left, least = time_left(statuses), least_time_left(statuses)
        if left_words is not None:
            foot += f", {left_words(statuses)}"
        elif left:
            foot += f", about {_clock(left)} left"
        elif least is not None:
            foot += f", at least {_clock(least)} left for these folds"
        table, left_out = fitted(table, console.width)
        if left_out:
            foot += f"; no room for {', '.join(left_out)}"
        return Group(table, Text(foot))

    with Live(console=console, refresh_per_second=4) as live:
        yield lambda statuses: live.update(render(statuses))
