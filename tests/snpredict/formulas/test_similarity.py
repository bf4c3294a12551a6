"""How far a sample is from the training set: the formula, what it flags, and what it ignores."""

import numpy as np
import pytest

from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.sample_rates import RateLimits, SampleRates, rate_limits, sample_rates
from snpredict.formulas.similarity import Similarity, SimilarityTable
from snpredict.matching.matched_file import match_file
from snpredict.predicting import check_file, explain_sample, predict_file
from snpredict.results.facts import check_facts
from tests.bundles import Tiny
from tests.similar import Similar
from tests.soynam import FOLDER, needs_soynam

SIMILAR = Similar()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_bundle(SIMILAR.write(tmp_path_factory.mktemp("similar") / "tiny"))


@pytest.fixture
def similarity(bundle) -> Similarity:
    assert bundle.similarity is not None
    return bundle.similarity


def by_hand(*loadings: int) -> SimilarityTable:
    """SNPs 0 and 2 of three, mean code 1, variance 1 (256 in 1/16 alleles), one component."""
    return SimilarityTable(
        snps=np.array([0, 2]),
        means=np.array([16, 16]),
        variances=np.array([256.0, 256.0]),
        loadings=np.array(loadings).reshape(2, 1),
        scale=0.5,
    )


def distance(table: SimilarityTable, *codes: int) -> float:
    return float(table.distances(Genotypes(np.array([codes], np.int8)))[0])


# --- the formula -------------------------------------------------------------------------------


def test_distance_by_hand():
    # x = (16, -16): total 512; t = 0.5 · 16 = 8, explained 64; of 512.
    assert distance(by_hand(1, 0), 2, 0, 0) == 448 / 512
    assert distance(by_hand(1, 0), 1, 2, 1) == 0
    # x = (16, 16): t = 16, explained 256.
    assert distance(by_hand(1, 1), 2, 0, 2) == 0.5


def test_a_gap_is_filled_with_what_the_components_expect():
    # No component expects anything: total 256, explained 64, half of the variance called.
    assert distance(by_hand(1, 0), 2, 0, -1) == 192 / 256
    # 0.5² · 16 = 4; then 0.25 · 20 = 5; then 0.25 · 21 = 5, where it stays. The total is
    # 256 + 25 = 281, explained 0.25 · 21² = 110.25.
    assert distance(by_hand(1, 1), 2, 0, -1) == pytest.approx(170.75 / 256, abs=1e-6)


def test_the_snps_outside_the_table_do_not_matter():
    assert distance(by_hand(1, 1), 2, -1, 2) == distance(by_hand(1, 1), 2, 2, 2)


def test_too_few_calls_have_no_distance():
    assert np.isnan(distance(by_hand(1, 1), -1, 2, -1))
    table = SIMILAR.table
    few = SIMILAR.new[:1].copy()
    few[:, table.snps[: int(0.6 * len(table.snps))]] = -1
    assert np.isnan(table.distances(Genotypes(few))).all()


def test_dosages_are_taken_to_a_sixteenth():
    codes = np.array([[1, 0, 1]], np.int8)
    table = by_hand(0, 0)
    half = table.distances(Genotypes(codes, np.array([[0.5, 0.3, -0.5]], np.float32)))
    # x = (8, -8)
    assert half.tolist() == [128 / 512]


def test_percentiles_and_the_limit_by_hand():
    similarity = Similarity(by_hand(1, 1), np.arange(1, 1001) / 1000)
    assert similarity.limit == 0.991
    found = np.array([0.0, 0.5004, 0.991, 0.9911, 7, np.nan])
    np.testing.assert_array_equal(similarity.percentiles(found), [0, 50, 99, 99.1, 100, np.nan])
    assert similarity.unlike(found).tolist() == [False, False, False, True, True, False]


def test_limits_of_heterozygosity_and_call_rate_by_hand():
    """Of a thousand lines ten lie beyond the 0.99 quantiles on each side; 0.01 is allowed more."""
    line = np.arange(1000)
    limits = rate_limits(SampleRates(0.1 + line / 2000, 0.5 + line / 2000), 0.99)
    # 0.1 + 9 / 2000 - 0.01 and 0.1 + 990 / 2000 + 0.01; 0.5 + 9 / 2000 - 0.01.
    assert limits.heterozygosity == pytest.approx((0.0945, 0.605))
    assert limits.call_rate == pytest.approx(0.4945)
    rates = SampleRates(
        np.array([0.0, 0.094, 0.095, 0.3, 0.6049, 0.6051, np.nan]),
        np.array([1.0, 0.5, 0.495, 0.494, 0.3, 0.0, 0.0]),
    )
    similarity = Similarity(by_hand(1, 1), np.arange(1, 1001) / 1000, limits)
    because = similarity.unlike_because(np.array([2.0, 0, 0, 0, 0, 0, np.nan]), rates)
    assert because["distance"].tolist() == [True, *[False] * 6]
    assert because["heterozygosity"].tolist() == [True, True, *[False] * 3, True, False]
    assert because["call rate"].tolist() == [False] * 3 + [True] * 4


def test_of_inbred_lines_that_are_called_everywhere_one_gap_makes_none_unlike():
    limits = rate_limits(SampleRates(np.zeros(50), np.ones(50)), 0.99)
    assert limits == RateLimits((0.0, 0.01), 0.99)


def test_rates_by_hand():
    codes = np.array([[0, 1, 2, 1], [-1, 1, 0, -1], [-1, 1, -1, -1], [0, 0, 1, 1]], np.int8)
    rates = sample_rates(Genotypes(codes))
    # One call of four says nothing of heterozygosity.
    np.testing.assert_array_equal(rates.heterozygosity, [0.5, 0.5, np.nan, 0.5])
    assert rates.call_rate.tolist() == [1, 0.5, 0.25, 1]
    # A file that has three of the four SNPs: what is absent is no matter of the call rate.
    assert sample_rates(Genotypes(codes[1:2]), n_snps=2).call_rate.tolist() == [1]
    # Dosages 0.4, 0.6, 1.4 and 1.6: the second and third are nearest to a heterozygote.
    fractions = np.array([[0.4, 0.6, 0.4, 0.6]], np.float32)
    assert sample_rates(Genotypes(codes[3:], fractions)).heterozygosity.tolist() == [0.5]


def test_of_the_training_lines_no_more_than_one_in_a_hundred_is_beyond_a_limit(similarity):
    assert similarity.rates is not None
    rates = sample_rates(Genotypes(SIMILAR.codes))
    assert similarity.rates.heterozygosity_outside(rates).mean() < 0.02
    assert similarity.rates.call_rate_outside(rates).mean() < 0.01


def test_rates_depend_neither_on_blocks_nor_on_absent_snps(bundle):
    from snpredict.matching.match import STATES, Match, State
    from snpredict.matching.sample_measures import MeasureCollector

    n = len(bundle.snps)
    states = [State.MATCHED if at % 3 else State.ABSENT for at in range(n)]
    none = np.full(n, -1)
    match = Match(np.array([*map(STATES.index, states)]), none, none, none, np.full(n, 1 / n))
    codes = SIMILAR.codes[:200].copy()
    codes[:, ::3] = -1
    whole, parts = MeasureCollector(bundle, match), MeasureCollector(bundle, match)
    whole.add(Genotypes(codes))
    for start in range(0, 200, 7):
        parts.add(Genotypes(codes[start : start + 7]))
    found, again = whole.collected(), parts.collected()
    called = (codes >= 0).sum(axis=1)
    np.testing.assert_allclose(found.weighted_call_rate, called / n)
    np.testing.assert_array_equal(found.rates.call_rate, called / 200)
    for one, other in (
        (found.weighted_call_rate, again.weighted_call_rate),
        (found.rates.heterozygosity, again.rates.heterozygosity),
        (found.rates.call_rate, again.rates.call_rate),
        (found.distances, again.distances),
    ):
        np.testing.assert_array_equal(one, other)


# --- what it depends on ------------------------------------------------------------------------


def test_neither_order_nor_company_matters(similarity):
    codes = np.concatenate([SIMILAR.new, SIMILAR.strange, SIMILAR.codes])
    codes[::7, ::2] = -1
    together = similarity.table.distances(Genotypes(codes))
    alone = [
        similarity.table.distances(Genotypes(codes[row : row + 1]))[0] for row in range(len(codes))
    ]
    np.testing.assert_array_equal(together, alone)
    order = np.random.default_rng(1).permutation(len(codes))
    np.testing.assert_array_equal(
        similarity.table.distances(Genotypes(codes[order])), together[order]
    )


def test_gaps_make_a_sample_neither_far_nor_near(similarity):
    """Also those of another family: which genotypes are missing is no part of the distance."""
    random = np.random.default_rng(2)
    before = similarity.percentiles(similarity.table.distances(Genotypes(SIMILAR.new)))
    for share in (0.05, 0.2):
        codes = SIMILAR.new.copy()
        codes[random.random(codes.shape) < share] = -1
        distances = similarity.table.distances(Genotypes(codes))
        # Unfilled, a fifth missing would flag all of them. With 300 SNPs some is really lost.
        assert abs(np.mean(similarity.percentiles(distances) - before)) < 100 * share
        assert similarity.unlike(distances).mean() < 0.1
    block = SIMILAR.new.copy()
    block[:, 100:150] = -1
    after = similarity.percentiles(similarity.table.distances(Genotypes(block)))
    assert abs(np.mean(after - before)) < 5


def test_the_gaps_of_training_name_no_family():
    """A family whose lines lack a block of SNPs: a line without that block is no nearer for it."""
    from train.bundle.similarity_table import similarity_table

    codes = SIMILAR.codes.copy()
    barcode = np.arange(0, 300, 10)
    codes[np.ix_(np.arange(90), barcode)] = -1
    table = similarity_table(codes)
    assert table is not None
    plain, marked = SIMILAR.strange, SIMILAR.strange.copy()
    marked[:, barcode] = -1
    np.testing.assert_allclose(
        table.distances(Genotypes(marked)), table.distances(Genotypes(plain)), rtol=0.1
    )


# --- what it flags -----------------------------------------------------------------------------


def test_new_lines_of_known_families_are_like_the_training_set(similarity):
    found = similarity.table.distances(Genotypes(SIMILAR.new))
    assert similarity.unlike(found).sum() <= 3
    assert 30 < np.median(similarity.percentiles(found)) < 70


def test_strangers_and_swapped_alleles_are_flagged(similarity):
    assert similarity.unlike(similarity.table.distances(Genotypes(SIMILAR.strange))).all()
    swapped = SIMILAR.new.copy()
    fifth = np.random.default_rng(6).random(300) < 0.2
    swapped[:, fifth] = np.where(swapped[:, fifth] >= 0, 2 - swapped[:, fifth], -1)
    assert similarity.unlike(similarity.table.distances(Genotypes(swapped))).mean() > 0.9


def test_a_shipped_model_flags_an_all_heterozygous_sample_for_that_alone(tmp_path):
    shipped = load_bundle("soynam-height")
    path = tmp_path / "g.tsv"
    path.write_text(
        "\t".join(["sample", *shipped.snps.ids]) + "\n" + "\t".join(["s", *["1"] * 4312]) + "\n"
    )
    columns = predict_file(path, shipped).results().columns
    assert columns["distance_percentile"] == [0.0]
    assert columns["unlike_training"] == [True]
    assert columns["unlike_because"] == ["heterozygosity"]


@needs_soynam
def test_a_shipped_model_flags_missing_calls_and_hybrids():
    shipped = load_bundle("soynam-height")
    assert shipped.similarity is not None
    assert shipped.similarity.rates is not None
    limits = shipped.similarity.rates
    table = match_file(FOLDER / "height_chip.tsv.gz", shipped)
    codes = np.concatenate([block.codes for block in table.blocks()])
    rates = sample_rates(Genotypes(codes))
    assert limits.heterozygosity_outside(rates).mean() < 0.01
    assert limits.call_rate_outside(rates).mean() < 0.01
    few = codes[::100].copy()
    few[:, np.random.default_rng(1).permutation(4312)[:1294]] = -1
    assert limits.call_rate_outside(sample_rates(Genotypes(few))).all()
    first, second = codes[:2500:100], codes[2500:5000:100]
    hybrid = np.where((first >= 0) & (second >= 0), (first + second) // 2, -1)
    assert limits.heterozygosity_outside(sample_rates(Genotypes(hybrid))).mean() > 0.7


# --- through the pipeline ----------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "g.tsv"
    few = np.full((1, 300), -1, np.int8)
    few[0, :20] = SIMILAR.new[0, :20]
    codes = np.concatenate([SIMILAR.new[:5], SIMILAR.strange[:2], few])
    path.write_text(SIMILAR.tiny.table(codes))
    return path


def test_predict_check_and_explain_say_the_same(bundle, file):
    prediction = predict_file(file, bundle).results()
    columns, facts = prediction.columns, prediction.metadata["similarity"]
    # Without a distance, the last one is told by its call rate.
    assert columns["unlike_training"] == [False] * 5 + [True] * 3
    assert columns["unlike_because"] == [None] * 5 + ["distance"] * 2 + ["call rate"]
    assert columns["distance_percentile"][5:] == [100.0, 100.0, None]
    assert (facts["unlike_training"], facts["no_distance"]) == (3, 1)
    assert check_facts(check_file(file, bundle))["similarity"] == facts
    explained = explain_sample(file, bundle, "s5").results().metadata
    assert (explained["distance_percentile"], explained["unlike_training"]) == (100.0, True)


def test_what_cannot_be_told_is_not_called_like_or_unlike(tmp_path, file):
    """A bundle of an earlier release, without heterozygosity and call rate."""
    bundle = load_bundle(SIMILAR.write(tmp_path / "tiny", rates=False))
    columns = predict_file(file, bundle).results().columns
    assert columns["unlike_training"] == [False] * 5 + [True] * 2 + [None]
    assert columns["unlike_because"] == [None] * 5 + ["distance"] * 2 + [None]


def test_a_bundle_without_the_table_predicts_as_before(tmp_path):
    tiny = Tiny()
    bundle = load_bundle(tiny.write(tmp_path / "tiny"))
    (tmp_path / "g.tsv").write_text(tiny.table(tiny.draw(3)))
    results = predict_file(tmp_path / "g.tsv", bundle).results()
    assert not {"distance_percentile", "unlike_training", "unlike_because"} & {*results.columns}
    assert results.metadata["similarity"] is None
    assert check_facts(check_file(tmp_path / "g.tsv", bundle))["similarity"] is None
