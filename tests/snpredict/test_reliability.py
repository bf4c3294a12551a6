"""The reliability of samples: by distance, and nothing where nothing was measured."""

from dataclasses import replace

import numpy as np
import pytest

from snpredict.bundle.load import load_bundle
from snpredict.bundle.reliability_entry import (
    CalledShare,
    MeasuredReliability,
    ReliabilityBand,
    ReliabilityEntry,
)
from snpredict.errors import InvalidBundle
from snpredict.matching.matched_file import InputOptions
from snpredict.predicting import predict_file
from snpredict.reliability import reliabilities
from tests.bundles import Tiny
from tests.similar import Similar

ONE = MeasuredReliability(lines=500, families=6, reliability=0.4, low=0.3, high=0.5, farthest=0.9)
BANDS = ONE._replace(bands=(ReliabilityBand(0.2, 0.6), ReliabilityBand(0.9, 0.3)))


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (ONE, [0.4, 0.4, 0.4, 0.4, np.nan, np.nan]),
        (BANDS, [0.6, 0.6, 0.3, 0.3, np.nan, np.nan]),
        (ONE._replace(farthest=None), [0.4] * 6),
    ],
)
def test_by_distance(measured, expected):
    distances = np.array([0.1, 0.2, 0.21, 0.9, 0.91, np.nan])
    np.testing.assert_array_equal(reliabilities(measured, distances), expected)


SIMILAR = Similar()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    bundle = load_bundle(SIMILAR.write(tmp_path_factory.mktemp("bundle") / "tiny"))
    known = ONE._replace(farthest=float(SIMILAR.distances.max()))
    manifest = replace(bundle.manifest, reliability=ReliabilityEntry(known=known))
    return replace(bundle, manifest=manifest)


def column(path, bundle, **more):
    return predict_file(path, bundle, **more).results().columns.get("reliability")


def test_only_samples_like_those_that_were_measured_have_one(bundle, tmp_path):
    codes = np.concatenate([SIMILAR.new[:3], SIMILAR.strange[:1], SIMILAR.new[3:5]])
    codes[4, :60] = -1  # a fifth is not called
    codes[5, :240] = 1  # heterozygous as no line is
    path = tmp_path / "g.tsv"
    path.write_text(SIMILAR.tiny.table(codes))
    assert column(path, bundle) == [0.4] * 3 + [None] * 3
    results = predict_file(path, bundle).results()
    assert results.metadata["reliability"]["interval_95"] == [0.3, 0.5]


def test_absent_snps_are_not_called(bundle, tmp_path):
    names, *rows = SIMILAR.tiny.table(SIMILAR.new[:2]).splitlines()
    path = tmp_path / "g.tsv"
    path.write_text("".join("\t".join(r.split("\t")[:241]) + "\n" for r in (names, *rows)))
    assert column(path, bundle, options=InputOptions(min_match=0)) == [None] * 2


def test_missing_genotypes_leave_the_part_that_was_measured(bundle, tmp_path):
    entry = bundle.manifest.reliability
    called = (CalledShare(0.5, 0.4), CalledShare(0.9, 0.8), CalledShare(0.95, 1.0))
    manifest = replace(bundle.manifest, reliability=entry._replace(called=called))
    codes = np.repeat(SIMILAR.new[:1], 4, axis=0)
    for row, share in enumerate((0.1, 0.3, 0.6), 1):
        codes[row, : int(share * codes.shape[1])] = -1
    path = tmp_path / "g.tsv"
    path.write_text(SIMILAR.tiny.table(codes))
    options = InputOptions(min_match=0)
    prediction = predict_file(path, replace(bundle, manifest=manifest), options)
    left = np.interp(prediction.check.measures.weighted_call_rate, *np.array(called).T)
    found = prediction.reliability
    np.testing.assert_array_equal(found[:3], 0.4 * left[:3])
    assert found[0] == 0.4
    assert np.isnan(found[3])


def test_families_that_were_not_measured(bundle, tmp_path):
    path = tmp_path / "g.tsv"
    path.write_text(SIMILAR.tiny.table(SIMILAR.new[:2]))
    assert column(path, bundle, families="new") == [None] * 2


def test_no_column_where_the_bundle_says_nothing(tmp_path):
    tiny = Tiny()
    path = tmp_path / "g.tsv"
    path.write_text(tiny.table(tiny.draw(2)))
    assert column(path, load_bundle(tiny.write(tmp_path / "tiny"))) is None


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (
            ONE._replace(reliability=-0.1),
            "found -0.1 for .*, expected a number from 0 to 1",
        ),
        (ONE._replace(reliability=1.5), "reliability"),
        (BANDS._replace(bands=BANDS.bands[::-1]), "distances that rise"),
    ],
)
def test_what_no_bundle_can_measure(tmp_path, measured, said):
    tiny = Tiny()
    manifest = replace(tiny.manifest(), reliability=ReliabilityEntry(new=measured))
    with pytest.raises(InvalidBundle, match=said):
        tiny.write(tmp_path / "tiny", manifest=manifest)


@pytest.mark.parametrize(
    ("called", "said"),
    [
        ((CalledShare(0.5, -0.1),), "numbers from 0 to 1"),
        ((CalledShare(0.5, 1.1),), "at most 1"),
        ((CalledShare(0.9, 1.0), CalledShare(0.5, 0.4)), "shares that rise"),
    ],
)
def test_what_no_share_can_be(tmp_path, called, said):
    tiny = Tiny()
    manifest = replace(tiny.manifest(), reliability=ReliabilityEntry(ONE, called=called))
    with pytest.raises(InvalidBundle, match=said):
        tiny.write(tmp_path / "tiny", manifest=manifest)


@pytest.mark.parametrize("trait", ["height", "yield", "protein", "oil"])
def test_the_shipped_models(trait):
    """Of known families it is the squared correlation of the bundle's own residuals."""
    bundle = load_bundle(f"soynam-{trait}")
    lines, entry = bundle.out_of_fold, bundle.manifest.reliability
    member = np.unique(lines.families.family, return_inverse=True)[1]

    def inside(values):
        return values - (np.bincount(member, values) / np.bincount(member))[member]

    observed = inside(lines.predicted + lines.residual)
    squared = np.corrcoef(inside(lines.predicted), observed)[0, 1] ** 2
    assert entry.known.reliability == pytest.approx(squared, abs=1e-9)
    assert entry.new.reliability < entry.known.reliability
    assert entry.known.farthest == lines.distance.max()
