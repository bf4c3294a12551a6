"""The sentence that holds a run against another on the same folds."""

from types import SimpleNamespace

import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from train.evaluation.differences import Difference
from train.evaluation.figures import Interval


def run(*pcc: float | None):
    """As much of a run as is looked at; a fold without a PCC is not finished where it is 9."""
    results = [{"fold": n, "metrics": {"pcc": v}} for n, v in enumerate(pcc, 1) if v != 9]
    return SimpleNamespace(results=results, settings=SimpleNamespace(seed=1))


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ((0.5, 0.6, 0.7), (0.4, 0.5, 0.6), "+0.100 [+0.100, +0.100] (95 % interval over 3 folds)"),
        ((0.5, 0.6, 0.7), (0.4, 0.5, 0.6), ": A predicts better than B"),
        ((0.4, 0.5, 0.6), (0.5, 0.6, 0.7), "−0.100 [−0.100, −0.100]"),
        ((0.4, 0.5, 0.6), (0.5, 0.6, 0.7), ": B predicts better than A"),
        (
            (0.5, 0.5, 0.5),
            (0.6, 0.5, 0.4),
            ": the interval holds 0, so that no difference is shown",
        ),
        ((0.5, 0.6), (0.4, 0.5), "difference +0.100 (of 2 folds): too few folds to tell more"),
        ((0.5, 0.6, 9, None, 0.4), (0.4, 9, 0.5, 0.5, 0.6), "PCC of A 0.450, of B 0.500"),
        ((-0.1, 0.0), (0.1, 0.1), "PCC of A −0.050, of B 0.100"),
    ],
)
def test_who_is_ahead_and_how_surely(ours: tuple, theirs: tuple, words: str) -> None:
    found = Difference.of(run(*ours), run(*theirs))
    assert found is not None
    assert words in found.sentence("A", "B")


def test_without_a_fold_in_common_nothing_is_said() -> None:
    assert Difference.of(run(0.5, 9), run(9, 0.5)) is None
    assert Difference.of_figures({"pcc_mean": 0.5}, 3) is None


@pytest.mark.parametrize("low", [0.01, float("nan")])
def test_a_bundle_keeps_what_is_said(low: float) -> None:
    found = Difference(3, 0.5, 0.45, Interval(0.05, low, 0.08 if low == low else low))
    again = Difference.of_figures({"pcc_mean": 0.5, **found.figures()}, 3)
    assert again is not None
    assert again.sentence("A", "B") == found.sentence("A", "B")
