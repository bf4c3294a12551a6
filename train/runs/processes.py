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
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from snpredict.files import write_file
from train.data.dataset import Dataset
from train.data.folds import split
from train.data.precision import require_scale
from train.data.snpinfo import SnpInfo
from train.errors import (
    ConstantPhenotype,
    FoldFailed,
    IncompleteRun,
    SettingsChanged,
    TrainingTableError,
)
from train.networks.presets import Preset, without_alpha_by_trait
from train.runs.fold import fold_folder, is_finished
from train.runtime import software_versions, thread_environment

SETTINGS = "settings.json"
#: What a fold's processes wrote to stdout and stderr, one after the other.
LOG = "log.txt"

#: Lines by which libraries log, such as "I0000 00:00:1732 cluster.cc:374] …": never the reason.
_LOGGED = re.compile(
    r"[IWE]\d{4} \d\d:|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |WARNING: All log"
)

#: Settings whose values are digests, which tell a person nothing: what may differ then.
_DIGESTS = {
    "data_digest": "genotypes, phenotypes, samples, SNPs, folds or families",
    "snp_info": "SNPs, or other places or alleles of them",
}

#: Settings that may differ when a run is continued: they change no figure.
_FREE = ("bundle",)


def read_settings(run: Path) -> dict[str, Any]:
    """The settings of a run folder.

    Raises
    ------
    IncompleteRun
        The folder is not there or is no run.
    """
    try:
        settings = json.loads((run / SETTINGS).read_text(encoding="utf-8"))
        preset = without_alpha_by_trait(settings["preset"], settings["trait"])
        return {**settings, "preset": preset}
    except (OSError, ValueError, KeyError, TypeError):
        raise IncompleteRun(
            f"{run} is not a run folder: it has no readable {SETTINGS}",
            hint="Start one: python -m train run TABLE --trait NAME --unit UNIT --out FOLDER",
        ) from None


def check_folds(folds: np.ndarray, phenotype: np.ndarray, seed: int) -> None:
    """Check every fold before the first one trains.

    Raises
    ------
    NoTrainingRows
        A part of a fold would be empty.
    ConstantPhenotype
        The trait does not vary in the training rows of a fold.
    TraitScale
        It varies too little for its size, or its unit is too small or too large.
    """
    for number in range(1, int(folds.max()) + 1):
        train = phenotype[split(folds, number, seed).train]
        if np.ptp(train) == 0:
            raise ConstantPhenotype(
                f"in fold {number} all {len(train)} training rows have the phenotype {train[0]:g}; "
                "expected values that differ",
                "deal other folds with --folds random",
            )
        require_scale(f"in fold {number} the training rows", train)


def prepare(
    run: Path, data: Dataset, folds: np.ndarray, settings: dict[str, Any], info: SnpInfo
) -> None:
    """Create a run folder, or check that an existing one was started the same way.

    Several commands may start the same run at once, each for folds of its own: they take turns.

    Raises
    ------
    SettingsChanged
        A setting or the data differ from those on disk; both values are named.
    """
    settings = {
        **settings,
        "data_digest": data.digest,
        "n_folds": int(folds.max()),
        "fold_sizes": np.bincount(folds)[1:].tolist(),
        "software": software_versions(),
    }
    run.mkdir(parents=True, exist_ok=True)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _prepare(run, data, folds, settings, info)


def _prepare(
    run: Path, data: Dataset, folds: np.ndarray, settings: dict[str, Any], info: SnpInfo
) -> None:
    if (run / SETTINGS).exists():
        before = read_settings(run)
        for key in settings:
            if key not in _FREE:
                _require_equal(run, key, before.get(key), settings[key])
        if not np.array_equal(np.load(run / "data" / "folds.npy"), folds):
            raise SettingsChanged(f"{run} was started with another assignment of folds")
        _write_settings(run, {**before, "bundle": before["bundle"] | settings["bundle"]})
        return
    data.save(run / "data")
    np.save(run / "data" / "folds.npy", folds)
    info.save(run / "data" / "snp_info.json")
    _write_settings(run, settings)


def _write_settings(run: Path, settings: dict[str, Any]) -> None:
    write_file(f"{json.dumps(settings, indent=1)}\n".encode(), run / SETTINGS)


def _require_equal(run: Path, key: str, before: Any, now: Any) -> None:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            _require_equal(run, f"{key}.{name}", before.get(name), now.get(name))
    elif before != now and key in _DIGESTS:
        raise SettingsChanged(
            f"{run} was started with other {_DIGESTS[key]} ({key} differs)",
            hint="Give the table and the options that it was started with, such as --ignore, or "
            "another --run-dir, or delete this one to start again",
        )
    elif before != now:
        raise SettingsChanged(
            f"{run} was started with {key} = {before!r}; now it is {now!r}",
            hint="Give another --run-dir, or delete this one to start again",
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


def fold_result(run: Path, fold: int) -> dict[str, Any]:
    """The ``result.json`` of a finished fold."""
    return json.loads((fold_folder(run, fold) / "result.json").read_text(encoding="utf-8"))


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
    settings = read_settings(run)
    patience = Preset.from_dict(settings["preset"]).training.patience
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
                running[fold] = _start(run, fold, settings["threads"], settings["gpu"])
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


def same_rows(data: Dataset, other: Dataset) -> None:
    """Check that a second table holds the same samples in the same order with the same trait.

    Raises
    ------
    TrainingTableError
        They differ; the first difference is named.
    """
    if len(data.samples) != len(other.samples):
        raise TrainingTableError(
            f"{other.source} has {len(other.samples)} samples, {data.source} has "
            f"{len(data.samples)}; a comparison needs the same rows"
        )
    for row, (one, two) in enumerate(zip(data.samples, other.samples, strict=True)):
        if one != two or data.phenotype[row] != other.phenotype[row]:
            raise TrainingTableError(
                f"sample {row + 1} is '{one}' ({data.phenotype[row]:g}) in {data.source} but "
                f"'{two}' ({other.phenotype[row]:g}) in {other.source}; "
                "a comparison needs the same rows"
            )
