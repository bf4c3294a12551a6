"""What stands for the genotypes in a file of bare codes: one rule, on values, for every reader."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.choices import CODINGS
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import ReadOptions
from snpredict.genotypes.variants import Variant
from snpredict.matching.matched_file import InputOptions
from snpredict.predicting import check_file, explain_sample, predict_file
from tests.bundles import Tiny
from tests.formats import hapmap, plink, tables, vcf

TINY = Tiny(n_snps=40, n_folds=3)
SAMPLES = [f"s{n}" for n in range(60)]
VARIANTS = [Variant(snp, "Gm01", 10 * (at + 1), "A", "G") for at, snp in enumerate(TINY.ids)]
SWAPPED = [v._replace(counted="G", other="A") for v in VARIANTS]
CODES = TINY.draw(len(SAMPLES))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_bundle(TINY.write(tmp_path_factory.mktemp("bundle") / "tiny"))


@pytest.fixture(scope="module")
def reference(bundle, tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "g.tsv"
    return predicted(tables.write_wide(path, SAMPLES, VARIANTS, CODES), bundle)


def predicted(path: Path, bundle, coding: str | None = None) -> dict[str, list[float]]:
    options = InputOptions(reading=ReadOptions(coding=coding), min_match=0)
    scores = predict_file(path, bundle, options).scores
    return dict(zip(scores.samples, scores.folds.tolist(), strict=True))


# --- every way in which a program writes −1, 0, 1 ----------------------------------------------


def text(spell, *, rows: bool = False, pack=bytes, delimiter: str = "\t"):
    """Writes a table whose cell of a number is ``spell(number)``."""

    def write(path: Path, numbers: list[list[int | None]], variants=VARIANTS) -> Path:
        cells = [["NA" if n is None else spell(n) for n in row] for row in numbers]
        if rows:
            lines = [["snp", "chrom", "pos", "counted", "alt", *SAMPLES[: len(cells)]]]
            lines += [
                [*map(str, variant), *column]
                for variant, column in zip(variants, zip(*cells, strict=True), strict=True)
            ]
        else:
            lines = [["sample", *(v.id for v in variants)]]
            lines += [[s, *row] for s, row in zip(SAMPLES, cells, strict=False)]
        content = "".join(delimiter.join(line) + "\n" for line in lines)
        path.write_bytes(pack(content.encode()))
        return path

    return write


def parquet(kind: pa.DataType, *, rows: bool = False):
    """Writes Parquet with columns of that type."""

    def column(numbers) -> pa.Array:
        if pa.types.is_dictionary(kind):
            return pa.array(numbers, pa.int8()).cast(kind.value_type).dictionary_encode()
        return pa.array(numbers, pa.int8()).cast(kind)

    def write(path: Path, numbers: list[list[int | None]], variants=VARIANTS) -> Path:
        samples = SAMPLES[: len(numbers)]
        if rows:
            names = ("snp", "chrom", "pos", "counted", "alt")
            columns = dict(zip(names, map(list, zip(*variants, strict=True)), strict=True))
            columns |= {s: column(row) for s, row in zip(samples, numbers, strict=True)}
        else:
            columns = {"sample": samples}
            columns |= {
                v.id: column(of_snp)
                for v, of_snp in zip(variants, map(list, zip(*numbers, strict=True)), strict=True)
            }
        pq.write_table(pa.table(columns), path)
        return path

    return write


def raw(path: Path, numbers: list[list[int | None]], variants=VARIANTS) -> Path:
    header = ["FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE"]
    lines = [[*header, *(f"{v.id}_{v.counted}(/{v.other})" for v in variants)]]
    for sample, row in zip(SAMPLES, numbers, strict=False):
        cells = ["NA" if n is None else str(n) for n in row]
        lines.append(["0", sample, "0", "0", "0", "-9", *cells])
    path.write_text("".join(" ".join(line) + "\n" for line in lines))
    return path


SPELLINGS = {
    "-1": str,
    "-1.0": lambda n: f"{n}.0",
    "quoted": lambda n: f'"{n}"',
    "quoted -1.0": lambda n: f'"{n}.0"',
    "padded": lambda n: f" {n}",
    "padded behind": lambda n: f"{n}  ",
    "padded far": lambda n: f"{' ' * 12}{n}",
}
WRITERS = {f"table, {name}": text(spell) for name, spell in SPELLINGS.items()}
WRITERS |= {f"rows, {name}": text(spell, rows=True) for name, spell in SPELLINGS.items()}
WRITERS |= {
    "csv": text(str, delimiter=","),
    "gzip": text(str, pack=gzip.compress),
    "raw": raw,
}
KINDS = {
    "int8": pa.int8(),
    "int64": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "text": pa.string(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "dictionary of numbers": pa.dictionary(pa.int32(), pa.int64()),
}
WRITERS |= {f"parquet, {name}": parquet(kind) for name, kind in KINDS.items()}
WRITERS |= {f"parquet rows, {name}": parquet(kind, rows=True) for name, kind in KINDS.items()}


def less_one(codes: np.ndarray) -> list[list[int | None]]:
    """The genotypes in the coding −1, 0, 1."""
    return [[None if code < 0 else code - 1 for code in row] for row in codes.tolist()]


@pytest.mark.parametrize("writer", WRITERS)
def test_codes_of_minus_one_to_one_are_refused(writer, bundle, tmp_path):
    path = WRITERS[writer](tmp_path / "g", less_one(CODES))
    minus_ones = int((CODES == 0).sum())
    with pytest.raises(errors.UnclearCoding) as caught:
        predicted(path, bundle)
    assert f"found {minus_ones:,} cells of -1 and no 2 among" in caught.value.message
    assert "--coding -101" in caught.value.hint
    assert "--coding 012" in caught.value.hint
    with pytest.raises(errors.UnclearCoding):
        check_file(path, bundle)
    with pytest.raises(errors.UnclearCoding):
        explain_sample(path, bundle, "s0")


@pytest.mark.parametrize("writer", WRITERS)
def test_named_it_gives_the_same_predictions_to_the_bit(writer, bundle, reference, tmp_path):
    path = WRITERS[writer](tmp_path / "g", less_one(CODES))
    assert predicted(path, bundle, "-101") == reference


@pytest.mark.parametrize("writer", WRITERS)
def test_minus_one_is_missing_beside_a_2(writer, bundle, reference, tmp_path):
    """One 2 tells among fewer than a hundred −1s."""
    codes = np.where(CODES == 2, 1, CODES)
    codes[17, 23 : 24 + np.count_nonzero(codes == -1) // 100] = 2
    spelt = tmp_path / "spelt"
    expected = predicted(tables.write_wide(spelt, SAMPLES, VARIANTS, codes), bundle)
    assert predicted(WRITERS[writer](tmp_path / "g", codes.tolist()), bundle) == expected


@pytest.mark.parametrize("writer", WRITERS)
def test_a_stray_2_does_not_tell(writer, bundle, tmp_path):
    codes = np.array(less_one(np.where(CODES < 0, 1, CODES)))
    codes[0, 0] = 2
    assert np.count_nonzero(codes == -1) > 100
    with pytest.raises(errors.UnclearCoding, match=r"cells of -1 and only 1 of 2 among"):
        predicted(WRITERS[writer](tmp_path / "g", codes.tolist()), bundle)


@pytest.mark.parametrize("writer", WRITERS)
def test_said_that_minus_one_is_missing(writer, bundle, tmp_path):
    codes = np.where(CODES == 2, 1, CODES)
    expected = predicted(tables.write_wide(tmp_path / "na", SAMPLES, VARIANTS, codes), bundle)
    path = WRITERS[writer](tmp_path / "g", codes.tolist())
    assert predicted(path, bundle, "012") == expected


# --- what must not change the outcome ----------------------------------------------------------

WITH_ALLELES = ["rows, -1", "rows, -1.0", "parquet rows, int8", "parquet rows, text", "raw"]


@pytest.mark.parametrize("writer", WITH_ALLELES)
def test_alleles_that_are_swapped_do_not_hide_it(writer, bundle, reference, tmp_path):
    """Recoding turns 0 into 2; what the file holds is what is judged."""
    flipped = np.where(CODES < 0, CODES, 2 - CODES)
    path = WRITERS[writer](tmp_path / "g", less_one(flipped), SWAPPED)
    with pytest.raises(errors.UnclearCoding):
        predicted(path, bundle)
    assert predicted(path, bundle, "-101") == reference


@pytest.mark.parametrize("writer", ["table, -1", "rows, -1", "parquet, int8", "raw"])
@pytest.mark.parametrize("size", [(60, 3), (1, 40), (2, 4)], ids=["few SNPs", "a line", "a few"])
def test_few_genotypes_are_refused_too(writer, size, bundle, tmp_path):
    """Nothing but a person tells which of the two it is."""
    n_samples, n_snps = size
    codes = np.where(np.eye(n_samples, n_snps, dtype=int) > 0, 0, CODES[:n_samples, :n_snps])
    path = WRITERS[writer](tmp_path / "g", less_one(codes), VARIANTS[:n_snps])
    with pytest.raises(errors.UnclearCoding):
        predicted(path, bundle)


@pytest.mark.parametrize("writer", ["table, -1", "csv"])
def test_columns_that_are_no_snps_do_not_count(writer, bundle, tmp_path):
    """Neither a phenotype of -1 nor a site called 2 says anything about the genotypes."""
    site = Variant("site", None, None, None, None)
    others = np.column_stack([CODES, np.full(len(CODES), 3)])
    path = WRITERS[writer](tmp_path / "g", less_one(others), [*VARIANTS, site])
    with pytest.raises(errors.UnclearCoding):
        predicted(path, bundle)
    negative = np.where(CODES == 2, 1, np.abs(CODES))
    numbers = [[*row, -1] for row in negative.tolist()]
    assert len(predicted(WRITERS[writer](tmp_path / "h", numbers, [*VARIANTS, site]), bundle)) == 60


@pytest.mark.parametrize("writer", ["table, -1", "rows, -1", "parquet, int8", "raw"])
def test_a_file_of_missing_genotypes_alone_is_not_taken_for_homozygotes(writer, bundle, tmp_path):
    path = WRITERS[writer](tmp_path / "g", [[-1] * 40] * 5)
    with pytest.raises(errors.UnclearCoding, match="no 2 among 0 genotypes"):
        predicted(path, bundle)
    assert len(predicted(path, bundle, "012")) == 5


# --- a coding that was said and does not fit ---------------------------------------------------


@pytest.mark.parametrize("writer", ["table, -1", "table, padded far", "rows, -1.0"])
@pytest.mark.parametrize("cell", ["2", "2.0", '"2"', " 2"])
def test_a_2_in_the_coding_minus_one_to_one(writer, cell, bundle, tmp_path):
    path = WRITERS[writer](tmp_path / "g", less_one(CODES))
    lines = path.read_text().splitlines()
    where = lines[4].rindex("\t") + 1
    lines[4] = lines[4][:where] + cell
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(errors.BadGenotype) as caught:
        predicted(path, bundle, "-101")
    assert "line 5, column" in caught.value.message
    assert "expected -1, 0, 1 or missing (NA, nan, -9, empty)" in caught.value.message
    assert "leave out --coding -101" in caught.value.hint


@pytest.mark.parametrize("writer", ["parquet, int8", "parquet rows, text", "raw"])
def test_a_2_in_the_coding_minus_one_to_one_of_other_formats(writer, bundle, tmp_path):
    numbers = less_one(CODES)
    numbers[3][5] = 2
    path = WRITERS[writer](tmp_path / "g", numbers)
    with pytest.raises(errors.BadGenotype, match="expected -1, 0, 1 or missing") as caught:
        predicted(path, bundle, "-101")
    assert "leave out --coding -101" in caught.value.hint


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("write", [vcf.write, plink.write_bed, hapmap.write])
def test_formats_that_are_not_bare_codes_have_no_coding(write, coding, tmp_path):
    path = write(tmp_path / "lines", SAMPLES, VARIANTS, CODES)
    with pytest.raises(errors.UsageError, match="--coding says what stands for the genotypes"):
        open_genotypes(path, options=ReadOptions(coding=coding))
