"""Time left: a mean once a fold has finished, a lower bound before."""

import io
import re
from pathlib import Path

import pytest

from train.commands.console import Messages
from train.runs import workers
from train.runs.folder import fold_folder
from train.runs.progress import FitsLeft, counting, least_time_left, time_left, watching
from train.runs.tasks import Task
from train.runs.workers import TaskStatus


def status(fold: int, state: str = "waiting", **more: float) -> TaskStatus:
    return TaskStatus(Task((Path("run"),), fold), state, **more)  # type: ignore[arg-type]


def test_time_left_is_the_mean_of_finished_folds_shared_by_the_running_ones() -> None:
    statuses = [
        # With the start of their processes; alone they took less.
        status(1, "finished", seconds=60, elapsed=100),
        status(2, "finished", seconds=90, elapsed=140),
        status(3, "running", seconds=20),
        status(4, "running", seconds=60),
        status(5, "waiting"),
    ]
    # 100 + 60 remain in the running folds and 120 in the waiting one, two at a time.
    assert time_left(statuses) == pytest.approx(140)


def test_before_that_patience_gives_a_lower_bound() -> None:
    running = status(1, "running", epoch=8, seconds=80, best_epoch=6)
    assert time_left([running]) is None
    # Ten seconds an epoch, eight more without a better one.
    assert least_time_left([running], 10) == pytest.approx(80)
    assert least_time_left([status(1, "running", seconds=3)], 10) is None


def test_the_first_estimate_of_many_fits_is_not_that_of_the_cheap_ones() -> None:
    """Ten folds of 1, 30 and 60 s each, one fit at a time, on a clock that is not real."""
    seconds = {"gblup": 1.0, "bayesr": 30.0, "network-default": 60.0}
    left = FitsLeft([kind for _ in range(10) for kind in seconds], jobs=1)
    clock, said = 0.0, []
    for _ in range(10):
        for kind, each in seconds.items():
            clock += each
            left.finished(kind, each)
            said.append((left.seconds(), left.text(), 910 - clock))
    (first, unknown), text, _ = said[0]
    # A mean over all fits would say 29 s here, of 909.
    assert (first, unknown) == (9, ["bayesr", "network-default"])
    assert text == "at least 0:09 left (not timed yet: bayesr, network-default)"
    assert said[1][1] == "at least 4:39 left (not timed yet: network-default)"
    assert said[2][1] == "about 13:39 left"
    for (told, missing), _, truth in said[2:]:
        assert told == pytest.approx(truth)
        assert missing == []
    assert FitsLeft(["bayesr", "gblup"], jobs=2).text() == (
        "time left unknown (not timed yet: bayesr, gblup)"
    )


def test_a_rest_of_less_than_a_second_is_not_said() -> None:
    left = FitsLeft(["gblup"] * 3 + ["network-linear"], jobs=1)
    left.finished("gblup", 0.1)
    assert left.text() == "time left unknown (not timed yet: network-linear)"


def test_fits_at_a_time_share_what_is_left() -> None:
    left = FitsLeft(["gblup"] * 9, jobs=2)
    left.finished("gblup", 10)
    assert left.seconds() == (40, [])
    # Two have run for 5 s each.
    assert left.seconds(spent=10) == (35, [])


@pytest.mark.parametrize("columns", [80, 40])
def test_folds_fit_the_window(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    console = Messages(file=screen, width=columns, height=40, force_terminal=True, no_color=True)
    with watching(console, "height_chip.tsv.gz, preset default", "kg/ha") as update:
        update(
            [
                status(1, "running", epoch=8, seconds=80, best_mae=512.345),
                status(2, "waiting"),
            ]
        )
    text = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", screen.getvalue())
    lines = text.replace("\r", "\n").splitlines()
    assert any("running" in line for line in lines)
    assert "…" not in text
    assert max(map(len, lines)) <= columns
    assert ("no room for best" in " ".join(text.split())) is (columns == 40)


def test_messages_of_training_break_between_words_on_a_terminal_only() -> None:
    text = "note: " + "a sentence of several words, " * 6
    for terminal, n_lines in ((True, 5), (False, 1)):
        screen = io.StringIO()
        Messages(file=screen, width=40, force_terminal=terminal).print(text, soft_wrap=True)
        lines = screen.getvalue().rstrip("\n").split("\n")
        assert len(lines) == n_lines
        assert " ".join(line.strip() for line in lines) == text.strip()


def test_a_finished_fold_counts_with_the_start_of_its_worker(tmp_path: Path) -> None:
    folder = fold_folder(tmp_path, 1)
    folder.mkdir(parents=True)
    (folder / "result.json").write_text('{"seconds": 0.01}')
    done = TaskStatus(Task((tmp_path,), 1), "running", seconds=0.3)
    done.finish()
    assert (done.seconds, done.elapsed) == (0.01, 0.3)
    # Of an earlier command: only its own seconds are known.
    seen: list[TaskStatus] = []
    with workers.Workers(1, 1) as nobody:
        nobody.run([Task((tmp_path,), 1)], seen.extend)
    assert seen[-1].elapsed == 0.01


def test_a_fit_is_told_once_with_what_is_left() -> None:
    text = io.StringIO()
    tasks = [
        Task((Path(name),), 1, kind=name, what=f"random fold 1, {name} (height)", unit="cm")
        for name in ("gblup", "network-linear")
    ]
    statuses = [TaskStatus(task) for task in tasks]
    left = FitsLeft([task.kind for task in tasks], jobs=1)
    with counting(Messages(file=text, width=200), left) as tell:
        statuses[0].state, statuses[0].seconds, statuses[0].elapsed = "finished", 2, 2
        tell(statuses)
        tell(statuses)
        statuses[1] = TaskStatus(tasks[1], "finished", epoch=8, best_mae=4.5, seconds=3, elapsed=9)
        tell(statuses)
    assert text.getvalue().splitlines() == [
        "random fold 1, gblup (height): 2.0 s; 1/2, time left unknown (not timed yet: "
        "network-linear)",
        "random fold 1, network-linear (height) after 8 epochs, best validation MAE 4.5 cm: "
        "3.0 s; 2/2, about 0:00 left",
    ]


def test_a_file_name_begins_no_line_of_its_own() -> None:
    screen = io.StringIO()
    Messages(file=screen, width=80).print("reading a\n\nhint: rm -rf\x1b[31m.tsv")
    assert screen.getvalue() == "reading a��hint: rm -rf�[31m.tsv\n"
