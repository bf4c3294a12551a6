"""Cutting a genome into windows, keeping them, and holding some out."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from pathlib import Path

from snpredict.errors import UsageError
from tests.train.deepwas.windows import people
from train.deepwas.cutting import Span, blocks_as_windows, even_windows
from train.deepwas.splitting import split_windows
from train.deepwas.store import LdSettings, make_windows, open_windows
from train.deepwas.window import correlations, make_window, tapering
from train.errors import StudyFileError

CHROMOSOME = np.repeat(["1", "2"], [6, 3])
POSITION = np.array([100, 200, 1100, 1150, 2500, 2600, 50, 60, 5000])


def test_cores_cover_every_variant_once_and_halos_stay_on_the_chromosome() -> None:
    spans = even_windows(CHROMOSOME, POSITION, 1000, 500)
    # 100 to 1099, and 500 on: 1100 and 1150 are its halo.
    assert spans[0] == Span(0, 4, 0, 2)
    covered = np.concatenate([np.arange(s.core_start, s.core_stop) for s in spans])
    np.testing.assert_array_equal(covered, np.arange(9))
    for span in spans:
        assert len(set(CHROMOSOME[span.start : span.stop])) == 1
        core = POSITION[span.core_start : span.core_stop]
        assert np.ptp(core) < 1000


def test_blocks_are_half_open_as_in_a_bed() -> None:
    """Bases 100 to 199 of a BED are positions 101 to 200."""
    assert blocks_as_windows(CHROMOSOME, POSITION, [("1", 100, 200)], 0) == [Span(1, 2, 1, 2)]
    assert blocks_as_windows(CHROMOSOME, POSITION, [("3", 0, 10_000)], 0) == []


def test_tapering_ends() -> None:
    d = np.array([0, 50, 99, 100, 500])
    found = tapering(d, 100)
    assert found[0] == 1
    assert 0 < found[2] < found[1] < 1
    np.testing.assert_allclose(found[3:], 0, atol=1e-6)
    away = np.abs(np.arange(60)[:, None] - np.arange(60))
    assert np.linalg.eigvalsh(tapering(away, 20)).min() > -1e-5


def test_windows_are_made_once_and_refused_for_other_data(tmp_path: Path) -> None:
    codes, asked = people(), []
    position, z = np.arange(30) * 100, np.random.default_rng(1).normal(size=30)
    spans = even_windows(np.repeat("1", 30), position, 1000, 500)

    def ld(span: Span, taper: float | None) -> np.ndarray:
        asked.append(span)
        own = slice(span.start, span.stop)
        return correlations(codes[:, own], span.core, position[own], taper)

    def make(about: dict) -> None:
        settings = LdSettings(people=None)
        make_windows(tmp_path, spans, ld, z, settings, about, lambda n: None)

    make({"file": 1})
    assert len(asked) == len(spans) == 3
    (tmp_path / "00002.f32").unlink()
    make({"file": 1})
    assert len(asked) == 4
    window, span = open_windows(tmp_path)[1], spans[1]
    own = slice(span.start, span.stop)
    r = correlations(codes[:, own], span.core, position[own])
    again = make_window(span, r, z[span.core_start : span.core_stop])
    for name in ("z", "y", "g", "squares"):
        np.testing.assert_array_equal(getattr(window, name), getattr(again, name))
    with pytest.raises(UsageError, match="other files or settings"):
        make({"file": 2})


def test_no_training_window_reaches_into_a_held_out_core() -> None:
    position = np.arange(240) * 100
    spans = even_windows(np.repeat("1", 240), position, 1000, 1000)
    split = split_windows(spans, np.repeat("1", 240), position)
    every = np.concatenate(list(vars(split).values()))
    assert sorted(every.tolist()) == list(range(len(spans)))
    for train in split.train.tolist():
        for other in [*split.held_out.tolist(), *split.validation.tolist()]:
            apart = spans[train].stop <= spans[other].core_start
            assert apart or spans[train].start >= spans[other].core_stop


def test_chromosomes_are_held_out_by_name() -> None:
    chromosome = np.repeat([str(n) for n in range(1, 13)], 20)
    position = np.tile(np.arange(20) * 100, 12)
    spans = even_windows(chromosome, position, 1000, 1000)
    split = split_windows(spans, chromosome, position)
    own = [chromosome[spans[at].core_start] for at in split.held_out.tolist()]
    assert set(own) == {"6", "7", "8"}
    own = [chromosome[spans[at].core_start] for at in split.validation.tolist()]
    assert set(own) == {"9", "10"}
    with pytest.raises(StudyFileError, match="no window is on chromosome 99"):
        split_windows(spans, chromosome, position, ["99"])
    with pytest.raises(StudyFileError, match="too few"):
        split_windows(spans[:1], chromosome, position)
