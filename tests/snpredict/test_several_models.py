"""Several models and one pass over a file: each predicts what it predicts alone."""

from dataclasses import replace

import numpy as np
import pytest

from snpredict.bundle.load import load_bundle
from snpredict.errors import TooFewSnps
from snpredict.genotypes.variants import Variant
from snpredict.matching import matched_file
from snpredict.matching.matched_file import InputOptions
from snpredict.predicting import predict_file, predict_models
from tests.bundles import Tiny, with_columns
from tests.formats import vcf

SAMPLES = [f"s{at}" for at in range(150)]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Models of 12 SNPs, of 20, eight of which are among the 12, and of the 12 again."""
    folder = tmp_path_factory.mktemp("bundles")
    first, second, third = Tiny(name="a"), Tiny(name="b", n_snps=20, n_folds=2), Tiny(name="c")
    second.ids = [*first.ids[4:], *(f"x{at}" for at in range(12))]
    third.weights = -2 * third.weights
    written = []
    for tiny, chromosome in ((first, "Gm01"), (second, "1"), (third, "Gm01")):
        snps = tiny.snps()
        n = len(snps)
        snps = with_columns(
            snps,
            chromosome=(chromosome,) * n,
            # The second model counts the other allele.
            counted_allele=("AG"[tiny is second],) * n,
            other_allele=("GA"[tiny is second],) * n,
        )
        written.append(load_bundle(tiny.write(folder / tiny.name, snps=snps)))
    return written


def the_same(one, other):
    np.testing.assert_array_equal(one.scores.folds, other.scores.folds)
    assert one.top == other.top
    # Notes are of the SNPs of all models.
    source = replace(other.check.source, notes=one.check.source.notes)
    assert one.check == replace(other.check, source=source, measures=one.check.measures)
    for name in ("missing", "weighted_call_rate"):
        ours, theirs = (getattr(x.check.measures, name) for x in (one, other))
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dosages", [False, True])
def test_as_each_alone(bundles, tmp_path, dosages):
    ids = list(dict.fromkeys(name for bundle in bundles for name in bundle.snps.ids))
    rng = np.random.default_rng(3)
    codes = rng.choice(np.array([-1, 0, 1, 2], np.int8), (len(SAMPLES), len(ids)))
    variants = [Variant(name, "Gm01", 10 + at, "A", "G") for at, name in enumerate(ids)]
    # Only SNPs that the first model has not are between two codes.
    copies = np.where(codes < 0, np.nan, codes).astype(float)
    copies[:, 12:] = np.where(codes[:, 12:] == 1, 0.75, copies[:, 12:])
    more = {"fields": "GT:DS", "dosages": copies} if dosages else {}
    path = vcf.write(tmp_path / "g.vcf", SAMPLES, variants, codes, **more)
    options = InputOptions(min_match=0)
    together = predict_models(path, bundles, options, top=3, threads=2)
    for bundle, prediction in zip(bundles, together, strict=True):
        the_same(prediction, predict_file(path, bundle, options, top=3))


def test_a_place_is_found_by_the_names_of_each_model(bundles, tmp_path):
    """The file says chromosome 1, which is Gm01 for two of the models."""
    first = bundles[0].snps
    variants = [Variant(None, "1", position, "A", "G") for position in first.position]
    codes = Tiny().draw(5)
    path = vcf.write(tmp_path / "g.vcf", SAMPLES[:5], variants, codes)
    options = InputOptions(min_match=0)
    found = [prediction.check.match for prediction in predict_models(path, bundles, options)]
    assert [match.by_position for match in found] == [12, 12, 12]
    assert found == [predict_file(path, bundle, options).check.match for bundle in bundles]


def test_the_file_is_opened_once(bundles, tmp_path, monkeypatch):
    opened = []
    real = matched_file.open_genotypes
    monkeypatch.setattr(
        matched_file, "open_genotypes", lambda *a, **k: opened.append(a) or real(*a, **k)
    )
    path = tmp_path / "g.tsv"
    path.write_text(Tiny().table(Tiny().draw(4)))
    predict_models(path, bundles, InputOptions(min_match=0))
    assert len(opened) == 1


def test_an_error_says_which_model(bundles, tmp_path):
    path = tmp_path / "g.tsv"
    path.write_text(Tiny().table(Tiny().draw(4)))
    with pytest.raises(TooFewSnps, match=r"^model b: .* of the model's SNPs"):
        predict_models(path, bundles)
