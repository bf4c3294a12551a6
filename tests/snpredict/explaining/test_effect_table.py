import numpy as np
import pytest

from snpredict.bundle.load import load_bundle
from snpredict.errors import NotExplainable
from snpredict.explaining.effect_table import average_effect, effect_columns, effects_of_snps
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny, write_linear


def genotypes(p: float, missing: float = 0.0) -> list[float]:
    """Frequencies in a random mating population: missing, heterozygous, code 2, code 0."""
    q = 1 - p
    return [missing, *((1 - missing) * share for share in (2 * p * q, p * p, q * q))]


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_average_effect_is_that_of_the_textbook(p, missing):
    # α = a + d (q − p): Falconer and Mackay, equation 7.3; a missing genotype's effect is of no
    # concern.
    a, d = 2.0, 0.5
    effects = np.array([[99.0, d, a, -a]])
    found = average_effect(effects, np.array([genotypes(p, missing)]))
    assert found == pytest.approx([a + d * (1 - 2 * p)])


def test_no_average_effect_of_one_genotype_alone():
    frequencies = np.array([[0.1, 0.0, 0.9, 0.0], [1.0, 0.0, 0.0, 0.0]])
    assert np.isnan(average_effect(np.ones((2, 4)), frequencies)).all()


@pytest.mark.parametrize("units", [0, 3])
def test_means_over_the_folds_are_the_effects_of_the_bundle(units, tmp_path):
    tiny = Tiny(units=units)
    bundle = load_bundle(tiny.write(tmp_path / "tiny"))
    effects = effects_of_snps(bundle, Scorer(bundle))
    np.testing.assert_allclose(effects.by_genotype, bundle.saliency.effects, rtol=1e-5, atol=1e-5)
    assert (effects.sd > 0).all()
    assert set(np.round(effects.agreement * 3).astype(int)) <= {1, 2, 3}
    columns = effect_columns(bundle, effects)
    assert columns["snp"] == tiny.ids
    assert columns["rank"] == bundle.saliency.rank.tolist()


def test_of_a_linear_model_they_are_its_weights(tmp_path):
    # Times the scale of 10; SNP 3 has code 0 alone in training.
    bundle = load_bundle(write_linear(tmp_path / "sum", [0.5, -1.0, 0.25], [1.0, 0.5, 0.0]))
    columns = effect_columns(bundle, effects_of_snps(bundle, Scorer(bundle)))
    assert columns["average_effect"] == pytest.approx([5, -10, 2.5])
    assert columns["frequency"] == [0.5, 0.25, 0]
    assert columns["effect_sd"] == columns["sign_agreement"] == [None] * 3


def test_a_network_that_cannot_be_fused_has_none(tmp_path):
    bundle = load_bundle(Tiny(affine=False).write(tmp_path / "b"))
    with pytest.raises(NotExplainable):
        effects_of_snps(bundle, Scorer(bundle))
