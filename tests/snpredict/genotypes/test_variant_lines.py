"""Lines of a .bim or .pvar read in columns, against the same lines read one by one.

Lines set apart by spaces are read one by one, lines set apart by tabs in columns.
"""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snpredict.genotypes.plink.variant_lines import (
    BIM,
    NUMBERS_NOTE,
    SPLIT_NOTE,
    VariantList,
    pvar_layout,
    read_variants,
)
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.variants import Variant, Wanted

WANTED = Wanted(["m1", "m2", "m9"], ["Gm01", "Gm02", None], [100, 200, None])

ALLELE = st.sampled_from(["A", "c", "G", "0", ".", "1", "2", "AT"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "chr2", "Gm01", "0", "X"]),
        st.sampled_from(["m1", "m2", "m3", ".", "M9"]),
        st.sampled_from(["0", "100", "0200", "7", "2147483646"]),
        ALLELE,
        st.lists(ALLELE, min_size=1, max_size=3).map(",".join),
    ),
    min_size=1,
    max_size=12,
)


def bim(rows: list[tuple], delimiter: str, path: Path) -> VariantList:
    lines = [(chrom, id, "0", pos, alt, ref) for chrom, id, pos, ref, alt in rows]
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
    return read_variants(TextSource(path), BIM, WANTED)


def pvar(rows: list[tuple], delimiter: str, path: Path) -> VariantList:
    lines = [("#CHROM", "ID", "POS", "REF", "ALT"), *rows]
    path.write_text("##source=a test\n" + "".join(delimiter.join(row) + "\n" for row in lines))
    source = TextSource(path)
    return read_variants(source, pvar_layout(source), WANTED)


@pytest.mark.parametrize("read", [bim, pvar])
@given(rows=ROWS)
def test_columns_are_what_lines_are(read, rows):
    with tempfile.TemporaryDirectory() as folder:
        columns, lines = (read(rows, delimiter, Path(folder, "v")) for delimiter in "\t ")
    assert columns.variants == lines.variants
    assert (columns.records, columns.alleles) == (lines.records, lines.alleles)
    assert (columns.n_alleles, columns.notes) == (lines.n_alleles, lines.notes)


def test_alleles_of_one_site_and_numbers_by_hand(tmp_path):
    rows = [("1", "m1", "5", "1", "2,3"), ("2", "x", "200", "A", "c"), ("2", "x", "201", "A", "c")]
    found = pvar(rows, "\t", tmp_path / "v.pvar")
    assert found.variants.candidates == [
        Variant("m1", "1", 5, "2", "1"),
        Variant("m1", "1", 5, "3", "1"),
        Variant("x", "2", 200, "C", "A"),
    ]
    assert np.array(found.records).tolist() == [0, 0, 1]
    assert np.array(found.alleles).tolist() == [1, 2, 1]
    assert found.n_alleles == {0: 3}
    assert found.notes == {NUMBERS_NOTE: 1, SPLIT_NOTE: 1}
    assert (found.variants.total, found.variants.chromosomes) == (3, {"1", "2"})
