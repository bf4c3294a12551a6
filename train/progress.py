"""The display of a running cross-validation: folds, epoch, validation MAE, time left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from train.crossval import FoldStatus


def time_left(statuses: list[FoldStatus]) -> float | None:
    """Seconds until all folds are done, from the mean of the finished ones; None before that."""
    finished = [s.seconds for s in statuses if s.state == "finished"]
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


@contextmanager
def watching(
    console: Console, title: str, unit: str
) -> Iterator[Callable[[list[FoldStatus]], None]]:
    """A live table on a terminal; elsewhere one line per finished fold.

    Yields the function that `train.crossval.run_folds` calls with the folds' status.
    """
    began = time.monotonic()
    if not console.is_terminal:
        told: set[int] = set()
        first = True

        def print_new(statuses: list[FoldStatus]) -> None:
            nonlocal first
            for status in statuses:
                if status.state == "finished" and status.fold not in told:
                    told.add(status.fold)
                    left = time_left(statuses)
                    console.print(
                        f"{title}: fold {status.fold} finished after {status.epoch} epochs, "
                        f"best validation MAE {status.best_mae:.3f} {unit}, "
                        f"{status.seconds:.0f} s"
                        + (f", {_clock(left)} left" if left and not first else ""),
                        soft_wrap=True,
                    )
            first = False

        yield print_new
        return

    def render(statuses: list[FoldStatus]) -> Group:
        table = Table("fold", "state", "epoch", f"validation MAE ({unit})", "best", "time")
        for s in statuses:
            shown = s.best_mae == s.best_mae  # NaN before the first epoch
            table.add_row(
                str(s.fold),
                s.state,
                str(s.epoch) if shown else "",
                f"{s.validation_mae:.3f}" if shown else "",
                f"{s.best_mae:.3f}" if shown else "",
                _clock(s.seconds) if s.state != "waiting" else "",
            )
        left, least = time_left(statuses), least_time_left(statuses)
        done = sum(s.state == "finished" for s in statuses)
        foot = f"{title}: {done}/{len(statuses)} folds, {_clock(time.monotonic() - began)} elapsed"
        if left:
            foot += f", about {_clock(left)} left"
        elif least is not None:
            foot += f", at least {_clock(least)} left for these folds"
        return Group(table, Text(foot))

    with Live(console=console, refresh_per_second=4) as live:
        yield lambda statuses: live.update(render(statuses))
