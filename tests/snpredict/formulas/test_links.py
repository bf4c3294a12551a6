"""Links against numbers made by hand, and what every link keeps."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snpredict.formulas.links import Identity, Isru, Logit, TraitScale

LINKS = [Identity(), Isru(0.03), Isru(0.2), Isru(5.0), Logit()]
each_link = pytest.mark.parametrize("link", LINKS, ids=str)
finite = st.floats(-50, 50)


def test_values_by_hand():
    z = np.array([-2.0, 0.0, 2.0])
    assert Identity().value(z).tolist() == [-2, 0, 2]
    assert Isru(0.75).value(z).tolist() == [-1, 0, 1]  # 2 / sqrt(1 + 0.75 · 4)
    assert Logit().value(np.array([0, math.log(3), -math.log(3)])) == pytest.approx(
        [0.5, 0.75, 0.25]
    )
    assert Logit().value(np.array([-1e4, 1e4])).tolist() == [0, 1]


@each_link
@given(z=finite, z_ref=finite)
def test_a_chord_times_the_difference_is_the_difference_of_values(link, z, z_ref):
    slope = link.chord_slope(np.array([z]), np.float64(z_ref))
    assert 0 <= slope[0] <= 1 + 1e-12
    difference = link.value(np.array([z])) - link.value(np.float64(z_ref))
    np.testing.assert_allclose(slope * (z - z_ref), difference, atol=1e-12)


@each_link
@pytest.mark.parametrize("step", [0, 1e-15, -1e-12, 1e-9, 1e-7])
@pytest.mark.parametrize("z_ref", [-3.0, 0.0, 0.5])
def test_a_chord_nears_the_derivative(link, z_ref, step):
    slope = link.chord_slope(np.array([z_ref + step]), np.float64(z_ref))
    np.testing.assert_allclose(slope, link.slope(np.array([z_ref])), rtol=1e-6)


@each_link
@pytest.mark.parametrize("z", [-3.0, 0.0, 0.5])
def test_slopes_are_the_derivatives(link, z):
    h = 1e-6
    quotient = (link.value(np.float64(z + h)) - link.value(np.float64(z - h))) / (2 * h)
    np.testing.assert_allclose(link.slope(np.array([z])), quotient, rtol=1e-6)


@each_link
def test_values_lie_within_the_reach(link):
    low, high = link.value(np.array([-1e6, 1e6]))
    assert high - low <= link.reach * (1 + 1e-12)


def test_a_trait_scale_by_hand():
    trait = TraitScale(np.array([100.0, 90.0]), np.array([10.0, 20.0]), Isru(0.75))
    z, z_ref = np.array([[2.0, -2.0]]), np.zeros(2)
    assert trait.predictions(z).tolist() == [[110, 70]]
    assert trait.of_fold(1, z[:, 1]).tolist() == [70]
    # Either fold is half of the mean.
    assert trait.change(1, z[:, 1], z_ref[1]).tolist() == [-10]
    assert trait.chord(1, z[:, 1], z_ref[1]).tolist() == [5]
    assert trait.slopes(z_ref).tolist() == [10, 20]
    assert trait.largest_difference() == pytest.approx(15 * 2 / math.sqrt(0.75))
    alone = trait.only(1)
    assert alone.predictions(z[:, 1:]).tolist() == [[70]]
    assert alone.change(0, z[:, 1], z_ref[1]).tolist() == [-20]
