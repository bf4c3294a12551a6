"""The pictures of a run: what is named, and what is said of the agreement."""

import matplotlib
import numpy as np
import pytest

from train import plots


@pytest.fixture
def drawn(monkeypatch):
    figures = []
    monkeypatch.setattr(plots, "_save", lambda figure, path: figures.append(figure))
    yield figures
    for figure in figures:
        matplotlib.pyplot.close(figure)


def named(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def along(saliency, chromosome, position, **more):
    names = [f"snp{at}" for at in range(len(saliency))]
    plots.saliency_along_genome(
        names, np.array(saliency, float), chromosome, position, "title", None, **more
    )


def test_the_strongest_snp_of_a_region_is_named(drawn):
    million = 1_000_000
    position = [1 * million, 4 * million, 7 * million, 4 * million]
    along([3, 5, 4, 2], ["1", "1", "1", "2"], position)
    # 7 and 1 million are 3 from the strongest; chromosome 2 is another region.
    assert named(drawn[0]) == ["snp1", "snp3"]
    position[2] = 9 * million + 1
    along([3, 5, 4, 2], ["1", "1", "1", "2"], position)
    assert named(drawn[1]) == ["snp1", "snp2", "snp3"]
    along([3, 5, 4, 2], ["1", "1", "1", "2"], position, n_named=1)
    assert named(drawn[2]) == ["snp1"]


def test_positions_and_not_the_order_of_the_file(drawn):
    along([1, 2, 3], ["1", "1", "1"], [30, 10, 20])
    x = drawn[0].axes[0].collections[0].get_offsets()[:, 0]
    assert x.tolist() == [30, 10, 20]
    assert drawn[0].axes[0].get_xlabel() == "chromosome, by position"


@pytest.mark.parametrize("chromosome", [["1", None, "1"], ["1", "1", "1"]])
def test_in_file_order_where_a_place_is_missing(drawn, chromosome):
    along([1, 2, 3], chromosome, [30, None, 20])
    x = drawn[0].axes[0].collections[0].get_offsets()[:, 0]
    assert x.tolist() == [0, 1, 2]
    assert "in file order" in drawn[0].axes[0].get_xlabel()


def test_names_do_not_lie_on_each_other(drawn):
    n = 8
    along([1.0] * n, [str(at) for at in range(n)], [1] * n)
    places = [text.xyann for text in drawn[0].axes[0].texts]
    assert len(places) == len(set(places)) == n


@pytest.mark.parametrize("n", [3, 600])
@pytest.mark.filterwarnings("error")
def test_number_correlation_and_slope_are_in_the_picture(tmp_path, drawn, n):
    observed = np.arange(n, dtype=float)
    plots.predicted_against_observed(observed / 2, observed, "cm", "title", tmp_path / "p.png")
    (text,) = named(drawn[0])
    assert text == f"n = {n}\nr = 1.000\nslope = 2.00 (observed on predicted)"


def test_one_value_for_all(drawn, tmp_path):
    observed = np.arange(3.0)
    plots.predicted_against_observed(np.ones(3), observed, "cm", "title", tmp_path / "p.png")
    assert named(drawn[0]) == ["n = 3"]


@pytest.mark.filterwarnings("error")
def test_a_file_is_written(tmp_path):
    rng = np.random.default_rng(1)
    observed, predicted = rng.normal(size=(2, 600))
    plots.predicted_against_observed(predicted, observed, "cm", "title", tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 0
