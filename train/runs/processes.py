"""All folds of one run: a process each, results on disk at once, continued where it was killed.

A run folder holds

======================== ==================================================================
``settings.json``        everything a figure depends on; a changed one is refused
``data/``                the parsed table and the folds, mapped by the fold processes
``folds/fold_01/`` …     see `train.runs.fold`
``compare/``             the same run on a second table over the same rows, when asked for
``new_families/``        the same run with whole families left out, when asked for
======================== ==================================================================

and, after ``summarize``, the files that `train.commands.summarize` lists.
"""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from train.errors import (
    FoldFailed,
)
from train.runs.folder import fold_folder, fold_result, is_finished
from train.runs.settings import RunSettings
from train.runtime import thread_environment

#: What a fold's processes wrote to stdout and stderr, one after the other.
LOG = "log.txt"

#: Lines by which libraries log, such as "I0000 00:00:1732 cluster.cc:374] …": never the reason.
_LOGGED = re.compile(
    r"[IWE]\d{4} \d\d:|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |WARNING: All log"
)


@dataclass
class FoldStatus:
    """What a watcher may know of a fold while it runs.

    Attributes
    ----------
    seconds : float
        Of a running fold, since its process was started; of a finished one, of training, export
        and saliency alone, as in the tables.
    elapsed : float
        Seconds that a finished fold took with the start of its process.
    """

    fold: int
    state: str = "waiting"
    epoch: int = 0
    validation_mae: float = float("nan")
    best_mae: float = float("nan")
    best_epoch: int = 0
    patience: int = 0
    seconds: float = 0.0
    elapsed: float = 0.0
    started: float = field(default=0.0, repr=False)


def run_folds(
    run: Path,
    folds: list[int],
    *,
    jobs: int = 1,
    watch: Callable[[list[FoldStatus]], None] = lambda _: None,
    poll_s: float = 0.5,
) -> None:
    """Run every fold of the list that is not finished, each in a process of its own.

    Parameters
    ----------
    jobs : int
        Processes at a time.
    watch : callable
        Called with the status of all folds, about twice a second.

    Raises
    ------
    FoldFailed
        A process ended with an error. The others are stopped; finished folds stay.
    """
    settings = RunSettings.read(run)
    patience = settings.preset.training.patience if settings.preset is not None else 0
    statuses = {fold: FoldStatus(fold, patience=patience) for fold in folds}
    for fold in folds:
        if is_finished(run, fold):
            _finish(statuses[fold], run)
    waiting = [fold for fold in folds if statuses[fold].state == "waiting"]
    running: dict[int, _FoldProcess] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                fold = waiting.pop(0)
                running[fold] = _start(run, fold, settings.threads, settings.gpu)
                statuses[fold].state = "running"
                statuses[fold].started = time.monotonic()
            time.sleep(poll_s)
            for fold, (process, log_from) in list(running.items()):
                status = statuses[fold]
                status.seconds = time.monotonic() - status.started
                _read_history(status, fold_folder(run, fold) / "history.csv")
                if process.poll() is None:
                    continue
                del running[fold]
                if process.returncode != 0 or not is_finished(run, fold):
                    raise _failed(run, fold, process.returncode, log_from)
                _finish(status, run)
            watch(list(statuses.values()))
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.wait()
    watch(list(statuses.values()))


class _FoldProcess(NamedTuple):
    """A fold's process, and the size of its log before it wrote to it."""

    process: subprocess.Popen
    log_from: int


def _start(run: Path, fold: int, threads: int, gpu: bool) -> _FoldProcess:
    folder = fold_folder(run, fold)
    folder.mkdir(parents=True, exist_ok=True)
    command = ["run-fold", str(run.resolve()), str(fold), "--parent", str(os.getpid())]
    # Appended to: an earlier process may still be writing, and what it wrote says what went wrong.
    with (folder / LOG).open("ab") as log:
        log_from = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "train", *command],
            env=thread_environment(threads, gpu),
            cwd=Path(__file__).resolve().parents[2],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    return _FoldProcess(process, log_from)


def _finish(status: FoldStatus, run: Path) -> None:
    result = fold_result(run, status.fold)
    _read_history(status, fold_folder(run, status.fold) / "history.csv")
    status.state = "finished"
    # A fold of an earlier command has no time of its process.
    status.elapsed = max(status.seconds, result["seconds"])
    status.seconds = result["seconds"]


def _read_history(status: FoldStatus, path: Path) -> None:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["val_mae"]]
            values = [float(row["val_mae"]) for row in rows]
    except (OSError, KeyError, ValueError):
        return  # The fold's process is writing the file just now.
    if values:
        status.epoch = int(rows[-1]["epoch"])
        status.validation_mae = values[-1]
        status.best_mae = min(values)
        status.best_epoch = int(rows[values.index(status.best_mae)]["epoch"])


def _failed(run: Path, fold: int, code: int, log_from: int) -> FoldFailed:
    """What a fold's process said last: its error and hint, or else its last line."""
    path = fold_folder(run, fold) / LOG
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
    return FoldFailed(f"fold {fold} {ended}: {said} (whole log: {path})", hint)
