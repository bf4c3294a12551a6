"""The same lines give the same predictions, to the last bit, whatever file they come in."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snpredict.bundle.load import load_bundle
from snpredict.errors import SnpredictError
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import Selection
from snpredict.genotypes.variants import Variant, Wanted
from snpredict.matching.alleles import MatchRules
from snpredict.matching.matched_file import InputOptions
from snpredict.predicting import explain_sample, predict_file
from tests.bundles import Tiny
from tests.formats import hapmap, plink, tables, vcf
from tests.reading import read_all

TINY = Tiny(n_snps=40, n_folds=3)
SAMPLES = [f"s{n}" for n in range(150)]
CODES = TINY.draw(len(SAMPLES))
VARIANTS = [
    Variant(snp, f"Gm{1 + 2 * at // 40:02d}", 1000 * (at + 1), "A", "G")
    for at, snp in enumerate(TINY.ids)
]
PACKAGES = {"pgen": "pgenlib", "bcf": "cyvcf2"}

WRITERS = {
    "tsv": tables.write_wide,
    "tsv, SNPs in rows": tables.write_snp_rows,
    "parquet": tables.write_parquet_wide,
    "parquet, SNPs in rows": tables.write_parquet_rows,
    "vcf": vcf.write,
    "bed": plink.write_bed,
    "pgen": plink.write_pgen,
    "hapmap": hapmap.write,
    "raw": plink.write_raw,
    "raw, blanks": partial(plink.write_raw, delimiter=" "),
    "raw, counted alleles only": partial(plink.write_raw, other_allele=False),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_bundle(TINY.write(tmp_path_factory.mktemp("bundle") / "tiny"))


def predicted(path, bundle, **rules):
    """Every fold's prediction by sample."""
    options = InputOptions(rules=MatchRules(**rules), min_match=0)
    scores = predict_file(path, bundle, options).scores
    return dict(zip(scores.samples, scores.folds.tolist(), strict=True))


@pytest.fixture(scope="module")
def reference(bundle, tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "g.tsv"
    path.write_text(TINY.table(CODES, SAMPLES))
    found = predicted(path, bundle)
    np.testing.assert_allclose(list(found.values()), TINY.expected(CODES), rtol=1e-5)
    return found


@pytest.mark.parametrize("format", WRITERS)
def test_bit_equal_predictions(format, bundle, reference, tmp_path):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} reads {format}")
    path = WRITERS[format](tmp_path / "lines", SAMPLES, VARIANTS, CODES)
    assert predicted(path, bundle) == reference


@pytest.mark.parametrize("format", WRITERS)
def test_every_variant_is_handed_out_to_who_wants_everything(format, tmp_path):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} reads {format}")
    path = WRITERS[format](tmp_path / "lines", SAMPLES, VARIANTS, CODES)
    _, variants, samples, codes, _ = read_all(path, Wanted.everything())
    assert [variant.id for variant in variants.candidates] == list(TINY.ids)
    assert samples == SAMPLES
    np.testing.assert_array_equal(codes, CODES)


@pytest.mark.parametrize("format", WRITERS)
def test_a_sample_alone_is_matched_and_predicted_as_in_its_cohort(
    format, bundle, reference, tmp_path
):
    """One sample shows one allele of most SNPs; frequencies would say nothing."""
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} reads {format}")
    for row in (0, 1, 149):
        path = WRITERS[format](
            tmp_path / f"one{row}", SAMPLES[row : row + 1], VARIANTS, CODES[[row]]
        )
        assert predicted(path, bundle) == {SAMPLES[row]: reference[SAMPLES[row]]}


COMPLEMENT = {"A": "T", "G": "C"}
orders = st.permutations(range(40))
subsets = st.sets(st.integers(0, 39))


#: Formats that have a position, and those that match by id alone.
PLACED = ["vcf", "bed", "hapmap", "tsv, SNPs in rows"]
BY_ID = ["raw", "raw, blanks"]


@pytest.mark.parametrize("format", PLACED + BY_ID)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    samples=st.permutations(range(150)),
    snps=orders,
    swapped=subsets,
    flipped=subsets,
    extra=st.integers(0, 5),
    renamed=subsets,
)
def test_order_swaps_strands_names_and_extra_variants_do_not_matter(
    format, bundle, reference, tmp_path, samples, snps, swapped, flipped, extra, renamed
):
    variants, codes = [], []
    for at in snps:
        variant, column = VARIANTS[at], CODES[samples, at]
        if at in swapped:
            variant = variant._replace(counted=variant.other, other=variant.counted)
            column = np.where(column < 0, column, 2 - column)
        if at in flipped:
            variant = variant._replace(
                counted=COMPLEMENT[variant.counted], other=COMPLEMENT[variant.other]
            )
        if at in renamed and format in PLACED:
            variant = variant._replace(
                id=f"rs{at}", chromosome=variant.chromosome.replace("Gm0", "chr")
            )
        variants.append(variant)
        codes.append(column)
    for number in range(extra):
        variants.insert(number, Variant(f"x{number}", "Gm07", 5 + number, "A", "C"))
        codes.insert(number, np.full(150, number % 3))
    names = [SAMPLES[row] for row in samples]
    matrix = np.stack(codes, axis=1).astype(np.int8)
    path = WRITERS[format](tmp_path / "lines", names, variants, matrix)
    assert predicted(path, bundle) == reference


def test_flipped_snps_are_missing_under_the_strict_rule(bundle, tmp_path):
    variants = [
        v._replace(counted="T", other="C") if at < 5 else v for at, v in enumerate(VARIANTS)
    ]
    path = vcf.write(tmp_path / "lines", SAMPLES, variants, CODES)
    without = CODES.copy()
    without[:, :5] = -1
    table = tmp_path / "without.tsv"
    table.write_text(TINY.table(without, SAMPLES))
    assert predicted(path, bundle, strand="strict") == predicted(table, bundle)


def test_threads_do_not_change_a_bit(bundle, reference, tmp_path):
    path = plink.write_bed(tmp_path / "lines", SAMPLES, VARIANTS, CODES)
    for threads in (1, 2, 5):
        scores = predict_file(path, bundle, threads=threads).scores
        assert scores.samples == SAMPLES
        assert scores.folds.tolist() == list(reference.values())


# --- dosages -----------------------------------------------------------------------------------

DOSAGES = np.random.default_rng(3).uniform(0, 2, CODES.shape).round(3)


def vcf_of_dosages(path, dosages, samples=SAMPLES):
    lines = ["##fileformat=VCFv4.2"]
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    lines.append("\t".join(head))
    for at, v in enumerate(VARIANTS):
        row = [v.chromosome, v.position, v.id, v.other, v.counted, ".", ".", ".", "DS"]
        lines.append("\t".join(map(str, [*row, *(f"{d:g}" for d in dosages[:, at])])))
    path.write_text("\n".join(lines) + "\n")
    return path


def expected_of_dosages(dosages):
    """By the formula: the score is that of the expected genotype, cell by cell."""
    out = np.empty((len(dosages), 3))
    for row, sample in enumerate(dosages):
        for fold in range(3):
            z = float(TINY.bias[fold])
            for snp, dosage in enumerate(sample):
                # Channels of the codes 0, 1, 2.
                of_code = [float(TINY.weights[snp, channel, fold]) for channel in (3, 1, 2)]
                low = min(int(dosage), 1)
                z += of_code[low] + (dosage - low) * (of_code[low + 1] - of_code[low])
            root = (1 + TINY.alpha * z * z) ** 0.5
            out[row, fold] = TINY.center[fold] + TINY.scale[fold] * z / root
    return out


def test_dosages_are_expected_genotypes(bundle, tmp_path):
    path = vcf_of_dosages(tmp_path / "d.vcf", DOSAGES)
    found = predicted(path, bundle)
    np.testing.assert_allclose(list(found.values()), expected_of_dosages(DOSAGES), rtol=1e-5)


def test_contributions_of_dosages_add_up(bundle, tmp_path):
    path = vcf_of_dosages(tmp_path / "d.vcf", DOSAGES)
    explained = explain_sample(path, bundle, "s3")
    assert abs(explained.residual) < 1e-4
    np.testing.assert_allclose(explained.genotypes, DOSAGES[3], atol=1e-6)
    prediction = expected_of_dosages(DOSAGES[[3]]).mean()
    assert explained.prediction == pytest.approx(prediction, rel=1e-5)


def test_a_sample_of_hard_calls_is_not_touched_by_dosages_of_others(bundle, reference, tmp_path):
    mixed = np.where(CODES < 0, 0, CODES).astype(float)
    alone = predicted(vcf_of_dosages(tmp_path / "hard.vcf", mixed), bundle)
    mixed[::2] = DOSAGES[::2]
    found = predicted(vcf_of_dosages(tmp_path / "mixed.vcf", mixed), bundle)
    assert all(found[name] == alone[name] for name in SAMPLES[1::2])
    one = predicted(vcf_of_dosages(tmp_path / "one.vcf", mixed[[4]], ["s4"]), bundle)
    assert one["s4"] == found["s4"]


def test_dosages_need_an_affine_model_or_rounding(tmp_path):
    tiny = Tiny(n_snps=40, affine=False)
    bundle = load_bundle(tiny.write(tmp_path / "deep"))
    path = vcf_of_dosages(tmp_path / "d.vcf", DOSAGES)
    with pytest.raises(SnpredictError, match=r"layers of model .* are not known") as caught:
        predict_file(path, bundle)
    assert "--dosages round" in caught.value.hint


# --- parts of a file ---------------------------------------------------------------------------


def opened(path):
    reader = open_genotypes(path, snps=Wanted.everything())
    return reader, len(reader.variants(Wanted.everything()).candidates)


def read_part(reader, snps, samples):
    """Ids and expected copies."""
    names, parts = [], []
    for block in reader.genotypes(Selection(snps, snps % 3 == 1, samples)):
        assert block.samples
        names += block.samples
        parts.append(block.genotypes.copies())
    return names, np.concatenate(parts) if parts else np.empty((0, len(snps)))


def pieces_make_the_whole(reader, n_snps, n_samples, rows, columns):
    rows, columns = sorted({0, n_samples, *rows}), sorted({0, n_snps, *columns})
    everything = np.arange(n_snps)
    names, whole = read_part(reader, everything, slice(None))
    assert whole.shape == (n_samples, n_snps)
    put_together, found = [], np.full(whole.shape, -7.0)
    for first, end in pairwise(rows):
        for left, right in pairwise(columns):
            of_piece, piece = read_part(reader, everything[left:right], slice(first, end))
            assert of_piece == names[first:end]
            found[first:end, left:right] = piece
        put_together += of_piece
    assert put_together == names
    # A swapped SNP is swapped by its own number, so pieces and the whole agree.
    np.testing.assert_array_equal(found, whole)
    assert read_part(reader, everything, slice(n_samples, n_samples + 9))[0] == []
    assert read_part(reader, everything, slice(n_samples - 1, n_samples + 9))[0] == names[-1:]


CUTS = [([], []), ([1], [1]), ([3, 4, 5, 149], [39]), ([64, 127], [2, 3, 30])]


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("format", WRITERS)
def test_pieces_of_a_file_are_the_whole_file(format, cuts, tmp_path):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} reads {format}")
    path = WRITERS[format](tmp_path / "lines", SAMPLES, VARIANTS, CODES)
    reader, n_snps = opened(path)
    pieces_make_the_whole(reader, n_snps, len(SAMPLES), *cuts)


@pytest.mark.parametrize("cuts", CUTS)
def test_pieces_of_a_file_of_dosages_are_the_whole_file(cuts, tmp_path):
    reader, n_snps = opened(vcf_of_dosages(tmp_path / "d.vcf", DOSAGES))
    pieces_make_the_whole(reader, n_snps, len(SAMPLES), *cuts)


@pytest.mark.parametrize("format", ["vcf", "bed", "pgen"])
def test_pieces_of_several_files_are_the_whole(format, tmp_path):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} reads {format}")
    for number, snps in enumerate([slice(0, 13), slice(13, 40)], 1):
        here = WRITERS[format](tmp_path / f"chr{number}", SAMPLES, VARIANTS[snps], CODES[:, snps])
    reader, n_snps = opened(tmp_path / f"chr*{here.suffix}")
    assert n_snps == 40
    pieces_make_the_whole(reader, n_snps, len(SAMPLES), [5, 70], [10, 20])
