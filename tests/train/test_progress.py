"""Time left: a mean once a fold has finished, a lower bound before."""

import pytest

from train.crossval import FoldStatus
from train.progress import least_time_left, time_left


def test_time_left_is_the_mean_of_finished_folds_shared_by_the_running_ones() -> None:
    statuses = [
        FoldStatus(1, "finished", seconds=100),
        FoldStatus(2, "finished", seconds=140),
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
