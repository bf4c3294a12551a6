"""The one executor: processes that take tasks one after the other, and end with this one.

A worker is started once, for a number of threads that its libraries learn before they are imported,
so that TensorFlow is loaded once and not for every fold. What it says while it is at a task goes to
the task's log. A worker that fails ends, and its log says why.
"""

import csv
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from train.errors import FoldFailed
from train.runs.folder import fold_result
from train.runs.tasks import Task, run_task
from train.runtime import keep_to_itself, thread_environment

#: What processes wrote to stdout and stderr while at a task, one after the other.
LOG = "log.txt"
REPOSITORY = Path(__file__).resolve().parents[2]

#: Lines by which libraries log, such as "I0000 00:00:1732 cluster.cc:374] …": never the reason.
_LOGGED = re.compile(
    r"[IWE]\d{4} \d\d:|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |WARNING: All log"
)


@dataclass
class TaskStatus:
    """What a watcher may know of a task while it runs.

    Attributes
    ----------
    seconds : float
        Of a running task, since it was given to its worker; of a finished one, of the fit, the
        export and the saliency alone, as in the tables.
    elapsed : float
        Seconds that a finished task took with the start of its worker, if it was the first.
    """

    task: Task
    state: str = "waiting"
    epoch: int = 0
    validation_mae: float = float("nan")
    best_mae: float = float("nan")
    best_epoch: int = 0
    seconds: float = 0.0
    elapsed: float = 0.0
    started: float = field(default=0.0, repr=False)

    def read_history(self) -> None:
        """Look how far the task has come."""
        try:
            path = self.task.folder / "history.csv"
            with path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if row["val_mae"]]
                values = [float(row["val_mae"]) for row in rows]
        except (OSError, KeyError, ValueError):
            return  # There is none, or it is being written just now.
        if values:
            self.epoch = int(rows[-1]["epoch"])
            self.validation_mae = values[-1]
            self.best_mae = min(values)
            self.best_epoch = int(rows[values.index(self.best_mae)]["epoch"])

    def finish(self) -> None:
        """Take over what the task has written."""
        result = fold_result(self.task.runs[0], self.task.fold)
        self.read_history()
        self.state = "finished"
        # A task of an earlier command has no time of its worker.
        self.elapsed = max(self.seconds, result["seconds"])
        self.seconds = result["seconds"]


class Workers:
    """Up to ``jobs`` worker processes, started when there is work and stopped at the end.

    Parameters
    ----------
    jobs : int
        Tasks at a time.
    threads : int
        Of each of them.
    gpu : bool
        Whether TensorFlow may use one.
    """

    def __init__(self, jobs: int, threads: int, *, gpu: bool = False):
        self._jobs = jobs
        self._environment = thread_environment(threads, gpu)
        path = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment["PYTHONPATH"] = os.pathsep.join(path)
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.process.wait()

    def run(
        self,
        tasks: Sequence[Task],
        watch: Callable[[list[TaskStatus]], None] = lambda _: None,
        poll_s: float = 0.5,
    ) -> None:
        """Run every task that is not finished.

        Parameters
        ----------
        watch : callable
            Called with the status of all tasks, about twice a second and when one has ended.

        Raises
        ------
        FoldFailed
            A worker ended. Finished tasks stay.
        """
        statuses = [TaskStatus(task) for task in tasks]
        for status in statuses:
            if status.task.is_finished:
                status.finish()
        waiting = [status for status in reversed(statuses) if status.state == "waiting"]
        busy: list[_Worker] = []
        while waiting or busy:
            while waiting and len(busy) < self._jobs:
                busy.append(self._give(waiting.pop()))
            for worker in _answered(busy, poll_s):
                worker.finish()
                busy.remove(worker)
            for worker in busy:
                worker.look()
            watch(statuses)
        watch(statuses)

    def _give(self, status: TaskStatus) -> "_Worker":
        idle = next((worker for worker in self._workers if worker.status is None), None)
        if idle is None:
            idle = _Worker(self._environment, status.task)
            self._workers.append(idle)
        idle.give(status)
        return idle


class _Worker:
    """A process that takes tasks."""

    def __init__(self, environment: dict[str, str], first: Task):
        self.status: TaskStatus | None = None
        self._log_from = 0
        # What stops it before it takes its first task belongs into that one's log.
        with _log_of(first).open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "train", "worker", str(os.getpid())],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def give(self, status: TaskStatus) -> None:
        """Hand it a task."""
        self.status = status
        status.state, status.started = "running", time.monotonic()
        path = _log_of(status.task)
        self._log_from = path.stat().st_size if path.exists() else 0
        assert self.process.stdin is not None
        # If it has ended, that is seen by reading from it.
        with suppress(BrokenPipeError):
            self.process.stdin.write(status.task.as_line())
            self.process.stdin.flush()

    def look(self) -> None:
        """See how far it is."""
        assert self.status is not None
        self.status.seconds = time.monotonic() - self.status.started
        self.status.read_history()

    def finish(self) -> None:
        """Take its answer.

        Raises
        ------
        FoldFailed
            It has ended instead.
        """
        assert self.status is not None
        assert self.process.stdout is not None
        self.status.seconds = time.monotonic() - self.status.started
        if not self.process.stdout.readline():
            raise failed(self.status.task, self.process.wait(), self._log_from)
        self.status.finish()
        self.status = None

    def stop(self) -> None:
        """End it: at once if it is at a task, otherwise by leaving it nothing to do."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.status is not None:
            self.process.terminate()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


def _log_of(task: Task) -> Path:
    task.folder.mkdir(parents=True, exist_ok=True)
    return task.folder / LOG


def _answered(workers: Sequence[_Worker], seconds: float) -> list[_Worker]:
    """Those that have answered or ended, after at most that time."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            assert worker.process.stdout is not None
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        return [key.data for key, _ in selector.select(seconds)]


def serve() -> None:
    """Be a worker: a task in every line of stdin, a line of answer for every finished one."""
    keep_to_itself()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    for line in sys.stdin.buffer:
        task = Task.of_line(line)
        log = _log_of(task)
        # Appended to: an earlier process may still be writing, and says what went wrong.
        _say_to(log)
        run_task(task)
        _say_to(Path(os.devnull))
        if not log.stat().st_size:
            log.unlink()
        answers.write(b"done\n")


def _say_to(path: Path) -> None:
    """Add what this process says from now on to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    with path.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def failed(task: Task, code: int, log_from: int) -> FoldFailed:
    """What a worker said last of its task: its error and hint, or else its last line."""
    path = task.folder / LOG
    with path.open("rb") as file:
        file.seek(log_from)
        text = file.read().decode("utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not _LOGGED.match(line)]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    hints = [line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")]
    said = [*lines, *errors][-1] if lines else "it said nothing"
    ended = f"ended with exit code {code}"
    if code < 0:
        ended = f"was ended by {signal.Signals(-code).name}"
    if code == -signal.SIGKILL:
        hints = ["the machine may have run out of memory: try fewer --jobs"]
    hint = hints[-1] if hints else None
    what = f"fold {task.fold}" + (f" ({task.what})" if task.what else "")
    return FoldFailed(f"{what} {ended}: {said} (whole log: {path})", hint)
