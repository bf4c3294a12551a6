"""Training commands as a person gives them, and what they leave."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from snpredict.terminal.program import run_program
from train import cli
from train.runs.tasks import Task, run_task
from train.runs.workers import TaskStatus, Workers

REPOSITORY = Path(__file__).resolve().parents[1]

QUICK = """
description = "a few epochs from random weights"
network = "residual"
[architecture]
filters = 5
kernel = 4
long_kernel = 6
dropout = 0.2
kernel_l2 = 0.001
bias_l2 = 0.001
initializer = "truncated_normal"
isru_alpha = 0.03
[training]
batch_size = 8
epochs = 3
patience = 10
learning_rate = 0.001
learning_rate_decay = 0.9
restore_best = true
folded = false
[start]
method = "random"
"""


def train(*arguments: object, cwd: Path, apart: bool = False) -> subprocess.CompletedProcess:
    """A command in this process, folds as well, which has TensorFlow loaded already.

    Parameters
    ----------
    cwd : Path
        Where it is given.
    apart : bool
        In processes of its own instead, as a person starts it.
    """
    words = [str(argument) for argument in arguments]
    if apart:
        return subprocess.run(
            [sys.executable, "-m", "train", *words],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(Workers, "run", _run_here)
        code = run_program(cli.app, "python -m train", words, translate=cli.translate)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def _run_here(
    _: Workers,
    tasks: Sequence[Task],
    watch: Callable[[list[TaskStatus]], None] = lambda _: None,
) -> None:
    statuses = [TaskStatus(task) for task in tasks]
    for status in statuses:
        if not status.task.is_finished:
            status.state = "running"
            watch(statuses)
            run_task(status.task)
        status.finish()
    watch(statuses)


def run(folder: Path, name: str, *more: object, apart: bool = False) -> subprocess.CompletedProcess:
    """``run`` on the folder's table, with the usual options where no other ones are given."""
    usual = {"--trait": "height", "--unit": "cm", "--out": f"models/{name}", "--threads": "1"}
    words = [word for option in usual.items() if option[0] not in more for word in option]
    return train("run", "table.tsv.gz", *words, *more, cwd=folder, apart=apart)


def texts_of(folder: Path) -> list[str]:
    """Every text that a bundle's files hold: table cells unpacked, other files as they are."""
    texts: list[str] = []
    for file in folder.rglob("*"):
        if file.suffix == ".parquet":
            for column in pq.read_table(file).columns:
                texts += [value for value in column.to_pylist() if isinstance(value, str)]
        elif file.is_file():
            texts.append(file.read_bytes().decode("latin-1"))
    return texts
