"""The processes that fit: started once, each task's words in its own log, a dead one told."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from rich.console import Console

from tests.simulated import simulate, write_table
from train.commands.evaluate import evaluate
from train.errors import FoldFailed
from train.evaluation.setup import EvaluateOptions

#: A model that predicts the training mean and says who it is; what it does besides is `ACT`.
MODEL = """
import os
import signal
import numpy as np
from train.model import FittedModel, Model

class Mean(FittedModel):
    def __init__(self, data):
        self.chosen = [{"process": os.getpid()}]
        self.mean = data.train_targets.mean(axis=0)

    def predict(self, inputs):
        return np.repeat(self.mean[None], len(inputs), axis=0)

class Toy(Model):
    name, title, about = "toy", "toy", "the mean"

    def fit(self, data, record=None):
        ACT
        return Mean(data)
"""


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Fits the model with a line of code in its fit; gives the folder of its folds."""
    write_table(tmp_path / "table.tsv", *simulate(60, 12))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)

    def run(name: str, act: str, jobs: int = 1) -> Path:
        (tmp_path / f"{name}.py").write_text(MODEL.replace("ACT", act))
        options = EvaluateOptions(
            table=tmp_path / "table.tsv",
            traits=("height",),
            out=tmp_path / name,
            models=(f"{name}:Toy",),
            schemes=("given",),
            threads=1,
            jobs=jobs,
        )
        evaluate(options, Console(file=io.StringIO()))
        (runs,) = (tmp_path / name / "runs").iterdir()
        return runs / "given" / "height" / "folds"

    return run


def processes(folds: Path) -> list[int]:
    results = [json.loads(path.read_text()) for path in sorted(folds.glob("*/result.json"))]
    return [result["chosen"]["process"] for result in results]


def test_a_worker_takes_one_task_after_the_other(fit) -> None:
    folds = fit("one", "pass")
    assert len(processes(folds)) == 3
    assert len(set(processes(folds))) == 1
    # Nothing was said, and no empty log is left.
    assert not list(folds.glob("*/log.txt"))


def test_as_many_workers_as_jobs(fit) -> None:
    assert len(set(processes(fit("two", "import time; time.sleep(0.5)", jobs=2)))) == 2


def test_what_a_task_says_is_in_its_log_alone(fit) -> None:
    folds = fit("talk", "print('fold', data.fold); os.system('echo and a child')")
    for fold in (1, 2, 3):
        text = (folds / f"fold_0{fold}" / "log.txt").read_text()
        assert sorted(text.splitlines()) == ["and a child", f"fold {fold}"]


def test_a_killed_worker_fails_its_task_and_finished_ones_stay(fit, tmp_path: Path) -> None:
    act = "if data.fold == 2: os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(FoldFailed, match=r"fold 2 .* was ended by SIGKILL") as caught:
        fit("killed", act)
    assert caught.value.hint is not None
    assert "fewer --jobs" in caught.value.hint
    finished = sorted(path.parent.name for path in tmp_path.glob("killed/runs/**/result.json"))
    assert finished == ["fold_01"]


def test_an_error_is_told_with_its_last_words(fit) -> None:
    act = "print('before'); raise ValueError('no such luck')"
    with pytest.raises(FoldFailed, match=r"exit code 66: .*no such luck") as caught:
        fit("wrong", act)
    log = re.search(r"whole log: (.*)\)", caught.value.message)
    assert log is not None
    assert "before" in Path(log[1]).read_text()
