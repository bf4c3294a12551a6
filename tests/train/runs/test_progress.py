"""Time left: a mean once a fold has finished, a lower bound before."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.runs.test_settings import RUN
from train.commands.console import Messages
from train.runs import processes
from train.runs.folder import fold_folder
from train.runs.processes import FoldStatus
from train.runs.progress import FitsLeft, least_time_left, time_left, watching


def test_time_left_is_the_mean_of_finished_folds_shared_by_the_running_ones() -> None:
    statuses = [
        # With the start of their processes; alone they took less.
        FoldStatus(1, "finished", seconds=60, elapsed=100),
        FoldStatus(2, "finished", seconds=90, elapsed=140),
        FoldStatus(3, "running", seconds=20),
        FoldStatus(4, "running", seconds=60),
        FoldStatus(5, "waiting"),
    ]
    # 100 + 60 remain in the running folds and 120 in the waiting one, two at a time.
    assert time_left(statuses) == pytest.approx(140)


def test_before_that_patience_gives_a_lower_bound() -> None:
    running = FoldStatus(1, "running", epoch=8, seconds=80, best_epoch=6, patience=10)
    assert time_left([running]) is None
    # Ten seconds an epoch, eight more without a better one.
    assert least_time_left([running]) == pytest.approx(80)
    assert least_time_left([FoldStatus(1, "running", seconds=3, patience=10)]) is None


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
        assert told == pytest.approx(truth) and missing == []
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


def test_folds_of_a_network_count_with_the_start_of_their_process() -> None:
    left = FitsLeft(["network-default"] * 4, jobs=1)
    words = left.of_folds("network-default")
    assert words([FoldStatus(1, "running", seconds=9), FoldStatus(2)]).startswith("time left unkno")
    now = [FoldStatus(1, "finished", seconds=6, elapsed=9), FoldStatus(2, "running", seconds=2)]
    assert words(now) == words(now) == "about 0:25 left"


@pytest.mark.parametrize("columns", [80, 40])
def test_folds_fit_the_window(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    console = Messages(file=screen, width=columns, height=40, force_terminal=True, no_color=True)
    with watching(console, "height_chip.tsv.gz, preset default", "kg/ha") as update:
        update(
            [
                FoldStatus(1, "running", epoch=8, seconds=80, best_mae=512.345),
                FoldStatus(2, "waiting"),
            ]
        )
    text = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", screen.getvalue())
    lines = text.replace("\r", "\n").splitlines()
    assert any("running" in line for line in lines) and "…" not in text
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


def test_a_finished_fold_counts_with_the_start_of_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that takes a while before it begins to count its own seconds."""
    RUN.write(tmp_path)

    def start(run: Path, fold: int, threads: int, gpu: bool) -> processes._FoldProcess:
        folder = fold_folder(run, fold)
        folder.mkdir(parents=True)
        code = f"import time; time.sleep(0.3); open({str(folder / 'result.json')!r}, 'w').write"
        return processes._FoldProcess(
            subprocess.Popen([sys.executable, "-c", code + "('{\"seconds\": 0.01}')"]), 0
        )

    monkeypatch.setattr(processes, "_start", start)
    seen: list[FoldStatus] = []
    processes.run_folds(tmp_path, [1], watch=lambda folds: seen.extend(folds), poll_s=0.05)
    assert seen[-1].seconds == 0.01
    assert seen[-1].elapsed >= 0.3
    # Of an earlier command: only its own seconds are known.
    processes.run_folds(tmp_path, [1], watch=lambda folds: seen.extend(folds), poll_s=0.05)
    assert seen[-1].elapsed == 0.01


def test_a_file_name_begins_no_line_of_its_own() -> None:
    screen = io.StringIO()
    Messages(file=screen, width=80).print("reading a\n\nhint: rm -rf\x1b[31m.tsv")
    assert screen.getvalue() == "reading a��hint: rm -rf�[31m.tsv\n"
