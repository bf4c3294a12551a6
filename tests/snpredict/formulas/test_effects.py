"""Effects of genotypes, against numbers made by hand and against the score, term by term."""

import math

import numpy as np
import pytest

from snpredict.formulas.effects import (
    average_effects,
    effect_ranges,
    first_wrong_effect,
    is_curved,
    sampled_snps,
)
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import Isru, TraitScale
from snpredict.formulas.score_function import ScoreFunction
from tests.bundles import Tiny

CODES = (-1, 1, 2, 0)  # in channel order
CURVED = Tiny(n_snps=5, n_folds=2, units=2)


def prediction(tiny: Tiny, fold: int, channels: list) -> float:
    """Of one fold, without center; None in place of a channel stands for the average genotype."""
    h, z = tiny.hidden, float(tiny.bias[fold])
    for snp, channel in enumerate(channels):
        shares = tiny.frequencies[snp] if channel is None else np.eye(4)[channel]
        z += float(shares @ tiny.weights[snp, :, fold].astype(float))
    for unit in range(tiny.units):
        s = float(h.bias[fold, unit])
        for at, snp in enumerate(h.snps[fold].tolist()):
            shares = np.eye(4)[channels[snp]] if channels[snp] is not None else None
            shares = tiny.frequencies[snp] if shares is None else shares
            x = sum(float(shares[c]) * (CODES[c] - float(h.means[fold, at])) for c in range(4) if c)
            u = float(h.grid[fold, at, unit]) * float(h.snp_scale[fold, at])
            s += u * float(h.unit_scale[fold, unit]) * x
        z += float(h.output[fold, unit]) * s / (1 + math.exp(-s))
    return float(tiny.scale[fold]) * z / math.sqrt(1 + tiny.alpha * z * z)


def test_one_snp_by_hand():
    # Heterozygotes 1 above the missing and code 0, code 2 another 1; half 2, half 0: average 1.
    weights = np.array([0.0, 1.0, 2.0, 0.0]).reshape(1, 4, 1)
    function = ScoreFunction(weights, np.array([-1.0]))
    frequencies = np.array([[0.0, 0.0, 0.5, 0.5]])
    trait, lines = TraitScale(np.zeros(1), np.array([2.0]), Isru(0.5)), np.array([[0], [2], [1]])
    effects = average_effects(function, trait, frequencies)
    assert effects.tolist() == [[-2.0, 0.0, 2.0, -2.0]]
    # The average line has z = 0; code 2 leads to z = 1, and 2 · 1 / sqrt(1.5) from 0.
    ranges = effect_ranges(function, trait, frequencies, Genotypes(lines.astype(np.int8)))
    end = 2 / math.sqrt(1.5)
    assert ranges[0].tolist() == [[pytest.approx(value)] * 2 for value in (-end, 0.0, end, -end)]


def test_without_curves_the_range_is_the_effect():
    flat = Tiny(n_snps=6, alpha=0.0)
    arguments = (flat.function(), flat.trait, flat.frequencies)
    effects = average_effects(*arguments)
    ranges = effect_ranges(*arguments, Genotypes(flat.draw(30)))
    assert ranges == pytest.approx(np.stack([effects, effects], axis=2), abs=1e-6)


def test_small_steps_of_the_average_line_are_the_effects():
    tiny = Tiny(n_snps=5, n_folds=2, units=2)
    tiny.weights *= np.float32(1e-3)
    tiny.hidden.output[:] *= np.float32(1e-3)
    effects = average_effects(tiny.function(), tiny.trait, tiny.frequencies)
    average = [None] * 5
    for snp in range(5):
        for channel in range(4):
            changed = [*average[:snp], channel, *average[snp + 1 :]]
            expected = np.mean(
                [prediction(tiny, f, changed) - prediction(tiny, f, average) for f in range(2)]
            )
            assert effects[snp, channel] == pytest.approx(expected, rel=2e-2, abs=1e-6)


def test_ranges_are_percentiles_of_what_a_genotype_changes_in_lines():
    lines = CURVED.draw(7)
    ranges = effect_ranges(CURVED.function(), CURVED.trait, CURVED.frequencies, Genotypes(lines))
    for snp in range(5):
        for channel in range(4):
            effects = []
            for line in lines.tolist():
                as_is = [CODES.index(code) for code in line]
                at_average = [*as_is[:snp], None, *as_is[snp + 1 :]]
                changed = [*as_is[:snp], channel, *as_is[snp + 1 :]]
                effects.append(
                    np.mean(
                        [
                            prediction(CURVED, f, changed) - prediction(CURVED, f, at_average)
                            for f in range(2)
                        ]
                    )
                )
            expected = np.percentile(effects, [5, 95])
            assert ranges[snp, channel] == pytest.approx(expected, abs=1e-5)


def test_parts_of_the_snps_give_what_all_give(monkeypatch):
    wide = Tiny(n_snps=150, n_folds=2, units=2)
    arguments = (wide.function(), wide.trait, wide.frequencies)
    whole = average_effects(*arguments)
    asked = np.array([3, 77, 149])
    assert np.array_equal(average_effects(*arguments, asked), whole[asked])
    ranges = effect_ranges(*arguments, Genotypes(wide.draw(9)))
    monkeypatch.setattr("snpredict.formulas.effects._CHUNK", 7)
    assert effect_ranges(*arguments, Genotypes(wide.draw(9))) == pytest.approx(ranges, abs=1e-9)


def test_curved_snps_are_those_of_the_layer():
    function, inside = CURVED.function(), set(CURVED.hidden.snps.ravel().tolist())
    assert {snp for snp in range(5) if is_curved(function, snp)} == inside
    assert not is_curved(Tiny().function(), 0)


def test_a_wrong_effect_is_found():
    wide = Tiny(n_snps=500)
    arguments = (wide.function(), wide.trait, wide.frequencies)
    effects = average_effects(*arguments).astype(np.float32).astype(float)
    everywhere = np.arange(500)
    assert first_wrong_effect(effects, everywhere, *arguments) is None
    changed = effects.copy()
    changed[321, 2] = 50.0
    assert 321 in sampled_snps(changed)
    snp, channel, expected = first_wrong_effect(changed, sampled_snps(changed), *arguments)
    assert (snp, channel) == (321, 2)
    assert expected == pytest.approx(effects[321, 2], abs=1e-5)
