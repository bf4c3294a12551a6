"""Runs whose parent is killed: what it started ends, and the same command then continues."""

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from tests.simulated import simulate, write_table
from train.errors import FoldBusy
from train.runs.folder import fold_folder
from train.runs.orphans import hold
from train.runs.tasks import Task, run_task
from train.runs.workers import failed

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]

LONG = """
description = "trains until it is stopped"
network = "residual"
[architecture]
filters = 4
kernel = 2
long_kernel = 2
dropout = 0.0
kernel_l2 = 0.0
bias_l2 = 0.0
initializer = "truncated_normal"
isru_alpha = 0.03
[training]
batch_size = 64
epochs = 1000000
patience = 1000000
learning_rate = 0.001
learning_rate_decay = 1.0
restore_best = true
folded = true
[start]
method = "random"
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "train", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_locked(path: Path) -> bool:
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def test_a_fold_ends_with_its_killed_run_and_the_same_command_continues(tmp_path: Path) -> None:
    write_table(tmp_path / "table.tsv", *simulate(n_samples=40, n_snps=12))
    preset = tmp_path / "long.toml"
    preset.write_text(LONG)
    command = [
        *("run", "table.tsv", "--trait", "height", "--unit", "cm", "--out", "models/killed"),
        *("--preset", "long.toml", "--fold", "1", "--threads", "1"),
    ]
    killed = start(tmp_path, *command)
    fold = tmp_path / "runs" / "killed" / "folds" / "fold_01"
    wait_for(lambda: (fold / "history.csv").exists() or killed.poll() is not None)
    assert is_locked(fold / "lock")
    killed.kill()
    killed.communicate()
    wait_for(lambda: not is_locked(fold / "lock"), 30)
    assert (
        f"process {killed.pid}, which started this one, is gone" in (fold / "log.txt").read_text()
    )

    # The settings of the run are taken back to an end that comes soon.
    preset.write_text(LONG.replace("epochs = 1000000", "epochs = 1"))
    settings = tmp_path / "runs" / "killed" / "settings.json"
    settings.write_text(settings.read_text().replace('"epochs": 1000000', '"epochs": 1'))
    again = start(tmp_path, *command)
    _, said = again.communicate()
    assert again.returncode == 0, said
    assert (fold / "result.json").exists()
    # The log of the killed process is still there.
    assert "is gone" in (fold / "log.txt").read_text()


def test_a_held_lock_names_its_process_and_since_when(tmp_path: Path) -> None:
    folder = fold_folder(tmp_path, 2)
    folder.mkdir(parents=True)
    lock = hold(folder / "lock")
    assert lock is not None
    with lock, pytest.raises(FoldBusy) as caught:
        run_task(Task((tmp_path,), 2))
    assert re.search(
        rf"fold 2 of .* by process {os.getpid()} on .+, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d",
        caught.value.message,
    )
    assert caught.value.hint is not None
    assert f"kill {os.getpid()}" in caught.value.hint


TENSORFLOW = "I0000 00:00:1732468281.123456    1234 single_machine.cc:374] Starting new session"


@pytest.mark.parametrize(
    ("log", "code", "message", "hint"),
    [
        (
            f"error: fold 2 is held\n\nhint: wait for it\n{TENSORFLOW}\n",
            59,
            "fold 2 ended with exit code 59: fold 2 is held (",
            "wait for it",
        ),
        (
            f"ValueError: 7\n{TENSORFLOW}\n",
            1,
            "fold 2 ended with exit code 1: ValueError: 7 (",
            None,
        ),
        (TENSORFLOW, 1, "fold 2 ended with exit code 1: it said nothing (", None),
        ("", -9, "fold 2 was ended by SIGKILL: it said nothing (", "fewer --jobs"),
    ],
    ids=["error before a log line", "exception before a log line", "log lines alone", "killed"],
)
def test_the_reason_of_a_failed_fold_is_its_own_word(
    tmp_path: Path, log: str, code: int, message: str, hint: str | None
) -> None:
    earlier = "error: an earlier process said this\n"
    folder = fold_folder(tmp_path, 2)
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text(earlier + log)
    told = failed(Task((tmp_path,), 2), code, len(earlier))
    assert told.message.startswith(message)
    assert (hint is None and told.hint is None) or hint in (told.hint or "")
