"""Looking up one SNP: how it is found by what a person types, and what is said about it."""

import re

import numpy as np
import pytest

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.explaining.snp_report import (
    IN_EVERY_LINE,
    IN_THE_AVERAGE_LINE,
    describe_snp,
    find_snp,
    search_snp,
)
from snpredict.names import complete, nearest, search
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny, with_columns

TINY = Tiny(n_snps=40)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_bundle(TINY.write(tmp_path_factory.mktemp("snps") / "tiny"))


def report_of(bundle, snp):
    return describe_snp(bundle, snp, Scorer(bundle, 1).score_function())


def test_report_of_a_snp(bundle):
    report = report_of(bundle, TINY.ids[4])
    assert (report.chromosome, report.position) == ("Gm01", 5000)
    assert (report.counted_allele, report.other_allele) == ("A", "G")
    assert report.rank == bundle.saliency.rank[4]
    assert report.n_snps == 40
    assert report.frequencies == pytest.approx(
        dict(zip(["missing", "1", "2", "0"], TINY.frequencies[4], strict=True))
    )
    assert list(report.effects) == ["0", "1", "2", "missing"]
    average = TINY.frequencies[4] @ TINY.weights[4]
    z = TINY.bias + np.einsum("jc,jcf->f", TINY.frequencies, TINY.weights)
    slope = TINY.scale / (1 + TINY.alpha * z**2) ** 1.5
    assert report.effects["2"] == pytest.approx(((TINY.weights[4, 2] - average) * slope).mean())
    assert list(report.fold_saliency) == ["fold_01", "fold_02", "fold_03"]


@pytest.mark.parametrize(
    ("at", "neighbours"),
    [
        pytest.param(9, [4, 5, 6, 7, 8, 10, 11, 12, 13, 14], id="five on either side"),
        pytest.param(0, [1, 2, 3, 4, 5], id="first of its chromosome"),
        pytest.param(18, [13, 14, 15, 16, 17, 19], id="next chromosome is not near"),
    ],
)
def test_neighbours(bundle, at, neighbours):
    report = report_of(bundle, TINY.ids[at])
    assert [n.id for n in report.neighbours] == [TINY.ids[n] for n in neighbours]


def test_snp_without_a_place_has_no_neighbours(tmp_path):
    snps = with_columns(TINY.snps(), position=(None,) * 40)
    report = report_of(load_bundle(TINY.write(tmp_path / "b", snps=snps)), TINY.ids[4])
    assert report.position is None
    assert report.neighbours == []


def test_in_which_lines_effects_hold(bundle, tmp_path):
    assert report_of(bundle, TINY.ids[0]).effects_hold == IN_EVERY_LINE
    curved = Tiny(units=2, n_folds=1)
    inside = [curved.ids[at] for at in curved.hidden.snps[0]]
    bundle = load_bundle(curved.write(tmp_path / "curved"))
    for snp in curved.ids:
        expected = IN_THE_AVERAGE_LINE if snp in inside else IN_EVERY_LINE
        assert report_of(bundle, snp).effects_hold == expected
    whole = load_bundle(Tiny(affine=False).write(tmp_path / "whole"))
    report = report_of(whole, whole.snps.ids[0])
    assert (report.effects, report.effects_hold, report.effect_ranges) == ({}, None, {})
    assert len(report.frequencies) == 4


def test_ranges_of_effects_where_the_bundle_has_them(bundle, tmp_path):
    assert report_of(bundle, TINY.ids[4]).effect_ranges == {}
    with_ranges = load_bundle(TINY.write(tmp_path / "b", saliency=TINY.saliency(ranges=True)))
    ranges = report_of(with_ranges, TINY.ids[4]).effect_ranges
    assert list(ranges) == ["0", "1", "2", "missing"]
    expected = TINY.effect_ranges()[4, 2]
    assert ranges["2"] == pytest.approx(tuple(expected), rel=1e-6)


NAMES = ["Gm01_10_A", "Gm01_20_C", "Gm02_10_A", "rs7", "RS7b", "twin", "TWIN"]


@pytest.mark.parametrize(
    ("typed", "match", "completions"),
    [
        pytest.param("rs7", "rs7", [], id="exact, though also a beginning"),
        pytest.param("RS7", "rs7", [], id="another case"),
        pytest.param("twin", "twin", [], id="exact before another case"),
        pytest.param("Twin", None, ["twin", "TWIN"], id="two of another case"),
        pytest.param("gm01", None, ["Gm01_10_A", "Gm01_20_C"], id="beginning"),
        pytest.param("_10_", None, ["Gm01_10_A", "Gm02_10_A"], id="part"),
        pytest.param("Gm01_10_T", None, [], id="similar only"),
    ],
)
def test_search(typed, match, completions):
    found = search(typed, NAMES)
    assert (found.match, list(found.completions)) == (match, completions)


def test_nearest_names():
    assert nearest("Gm01_10_T", NAMES)[0] == "Gm01_10_A"
    assert nearest("zzzzzz", NAMES) == []
    assert complete("zzzzzz", NAMES) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Gm01_5000_A_G", 4),
        ("gm01_5000_a_g", 4),
        ("1:5000", 4),
        ("Gm01:5000", 4),
        ("chr1:5,000", 4),
        ("1_5000", 4),
        (" GM_01:5000 ", 4),
        ("Gm02:25000", 24),
        ("_5000_", 4),
        ("m02_25", 24),
    ],
)
def test_what_a_snp_may_be_called(bundle, typed, meant):
    assert find_snp(bundle, typed) == TINY.ids[meant]


def test_two_snps_at_one_place(tmp_path):
    twins = Tiny(ids=["a1", "a2", *(f"b{n}" for n in range(10))])
    snps = with_columns(twins.snps(), position=(7, 7, *range(10, 20)))
    bundle = load_bundle(twins.write(tmp_path / "b", snps=snps))
    assert search_snp(bundle.snps, "1:7").completions == ["a1", "a2"]
    with pytest.raises(errors.UnknownSnp, match=r"2 SNPs .* at that place: a1, a2$"):
        find_snp(bundle, "chr1:7")


def test_a_place_on_a_scaffold_is_not_one_on_a_chromosome(bundle):
    with pytest.raises(errors.UnknownSnp):
        find_snp(bundle, "sc_1:5000")


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        pytest.param(
            "Gm02_3",
            r"has 10 SNPs with 'Gm02_3' in their names .*: Gm02_30000_A_G, .*, Gm02_39000_A_G$",
            "type more",
            id="part of many",
        ),
        pytest.param(
            "Hm02_30000_A_G",
            "no SNP 'Hm02_30000_A_G' among its 40",
            "did you mean Gm02_30000_A_G",
            id="typing error",
        ),
        pytest.param(
            "chr1:5001",
            "no SNP 'chr1:5001' among its 40",
            "did you mean Gm01_5000_A_G or Gm01_6000_A_G or Gm01_4000_A_G",
            id="beside a SNP",
        ),
        pytest.param("qqq", "no SNP 'qqq' among its 40", "completes names", id="nothing like it"),
    ],
)
def test_unknown_snp_has_a_way_out(bundle, typed, message, hint):
    with pytest.raises(errors.UnknownSnp, match=message) as caught:
        find_snp(bundle, typed)
    assert re.search(hint, caught.value.hint)
