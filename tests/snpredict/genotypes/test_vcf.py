import gzip
import re
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import ReadOptions, Selection
from snpredict.genotypes.variants import Variant, Wanted
from snpredict.genotypes.vcf import vcf
from tests.formats import vcf as writer
from tests.formats.vcf import BGZF_END, PHASED, UNPHASED, bgzf
from tests.reading import mutations, read_all, wanted

SNPS = [Variant(f"s{at}", "Gm01", 100 * at, "G", "A") for at in range(1, 10)]
WANTED = wanted(SNPS)

TINY = b"""\
##fileformat=VCFv4.2
##contig=<ID=Gm01>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\tcyd
Gm01\t100\ts1\tA\tG\t.\tPASS\t.\tGT\t0/0\t0/1\t1/1
Gm01\t150\tunasked\tA\tG\t.\tPASS\t.\tGT\t1/1\t1/1\t1/1
Gm01\t200\ts2\tc\tt\t50\tq10\tAC=3\tGT:DP\t0|1:7\t.|.:.\t1|1:12
"""


@pytest.fixture
def file(tmp_path):
    """Writes bytes to a file and gives its path."""

    def write(content: bytes, name: str = "genotypes.vcf") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def record(alleles: str = "A G", fields: str = "GT", cells: str = "0/0 0/1 1/1", **other) -> bytes:
    """A record of three samples; blanks stand for tabs."""
    site = {"chrom": "Gm01", "pos": "100", "id": "s1"} | other
    columns = [site["chrom"], site["pos"], site["id"], alleles, ". PASS .", fields, cells]
    return " ".join(columns).replace(" ", "\t").encode() + b"\n"


HEADER = TINY[: TINY.index(b"Gm01\t100")]


def read_record(file, *records: bytes, dosages: str = "use"):
    """Variants and notes of a file of these records, and genotypes (variants, samples)."""
    path = file(HEADER + b"".join(records))
    reader, variants, _, codes, fractions = read_all(
        path, WANTED, options=ReadOptions(dosages=dosages)
    )
    genotypes = np.where(codes < 0, np.nan, codes + fractions)
    return variants.candidates, genotypes.T.tolist(), reader.notes


def alleles_of(variants):
    return [(variant.other, variant.counted) for variant in variants]


nan = pytest.approx(np.nan, nan_ok=True)


# --- what is read -------------------------------------------------------------------------------


def test_tiny_file(file):
    path = file(TINY)
    reader, variants, samples, codes, fractions = read_all(path, WANTED)
    assert (reader.format, reader.n_samples, reader.id_column) == ("vcf", 3, "")
    assert (reader.path, reader.files) == (path, [path])
    assert reader.bytes_read == reader.size_bytes == len(TINY)
    assert reader.notes == {}
    assert variants.total == 3
    assert variants.has_alleles
    assert variants.chromosomes == {"Gm01"}
    assert [variant.id for variant in variants.examples] == ["s1", "unasked", "s2"]
    assert variants.candidates == [
        Variant("s1", "Gm01", 100, "G", "A"),
        Variant("s2", "Gm01", 200, "T", "C"),
    ]
    assert samples == ["ann", "bob", "cyd"]
    assert codes.tolist() == [[0, 1], [1, -1], [2, 2]]
    assert not fractions.any()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TINY.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(TINY.rstrip(b"\n"), id="no line feed at the end"),
        pytest.param(TINY + b"\n\n", id="blank lines at the end"),
        pytest.param(b"\xef\xbb\xbf" + TINY, id="byte-order mark"),
        pytest.param(TINY[TINY.index(b"#CHROM") :], id="no meta-information"),
        pytest.param(gzip.compress(TINY), id="gzip"),
        pytest.param(gzip.compress(TINY[:200]) + gzip.compress(TINY[200:]), id="gzip members"),
        pytest.param(bgzf(TINY), id="bgzip"),
        pytest.param(bgzf(TINY, 50), id="bgzip, many blocks"),
    ],
)
def test_every_packing_and_line_end(file, content):
    assert read_all(file(content), WANTED)[3].tolist() == [[0, 1], [1, -1], [2, 2]]


def test_selection_in_any_order_swapped_and_absent(file):
    reader = open_genotypes(file(TINY))
    reader.variants(WANTED)
    selection = Selection(np.array([1, -1, 0, 0]), np.array([False, False, True, False]))
    (block,) = reader.genotypes(selection)
    assert block.codes.tolist() == [[1, -1, 2, 0], [-1, -1, 1, 1], [2, -1, 0, 2]]


@pytest.mark.parametrize(
    ("cells", "codes", "notes"),
    [
        ("0/0 0|1 1|0", [0, 1, 1], {}),
        ("./. .|. .", [nan, nan, nan], {}),
        ("./1 0/. 1|1", [nan, nan, 2], {"half-calls, taken as missing": 2}),
        ("0 1 1/1", [nan, nan, 2], {"haploid calls, taken as missing": 2}),
        ("0/0/1 0/1/1/. 1/1", [nan, nan, 2], {"polyploid calls, taken as missing": 2}),
        ("./././. ././. 0/0", [nan, nan, 0], {}),
        ("/0/1 |1|1 00/01", [1, 2, 1], {}),
    ],
    ids=["calls", "missing", "half", "haploid", "polyploid", "polyploid missing", "VCF 4.4"],
)
def test_calls(file, cells, codes, notes):
    _, genotypes, found = read_record(file, record(cells=cells))
    assert genotypes == [codes]
    assert found == notes


@pytest.mark.parametrize(
    ("fields", "cells"),
    [
        ("GT:DP", "0/1:3 .:. 1/1"),
        ("GT:AD:DP:GQ:PL", "0/1:1,2:3:9:0,1,2 .:1:1:1:1 1/1:.:.:.:."),
        ("DP:GT", "3:0/1 3 .:1/1"),
        ("GT", "0/1 . 1/1"),
        ("GT:XX", "0/1:GT:tail . 1/1:0/0"),
    ],
    ids=["two", "five", "GT second", "of several widths", "more than FORMAT has"],
)
def test_format_with_other_fields(file, fields, cells):
    assert read_record(file, record(fields=fields, cells=cells))[1:] == ([[1, nan, 2]], {})


@pytest.mark.parametrize(
    ("alleles", "cells", "variants", "genotypes", "notes"),
    [
        ("A G,T", "0/1 1/2 2/2", [("A", "G"), ("A", "T")], [[1, nan, nan], [nan, nan, 2]], "split"),
        ("A G,T", "0/0 0/2 ./.", [("A", "G"), ("A", "T")], [[0, nan, nan], [0, 1, nan]], "split"),
        ("A .", "0/0 ./. 0|0", [("A", None)], [[0, nan, 0]], ""),
        (". G", "1/1 ./. 0/1", [(None, "G")], [[2, nan, 1]], ""),
        ("A G,<NON_REF>", "0/1 0/2 1/2", [("A", "G")], [[1, nan, nan]], "symbolic 2"),
        ("A <NON_REF>", "0/0 0/1 ./.", [("A", None)], [[0, nan, nan]], "symbolic 1"),
        ("A *,G", "0/2 1/2 2/2", [("A", "G")], [[1, nan, 2]], "symbolic 1"),
        ("A G]17:1982],<DEL>", "0/0 0/1 2/2", [("A", None)], [[0, nan, nan]], "symbolic 2"),
        ("at a,atg", "0/1 0/2 0/0", [("AT", "A"), ("AT", "ATG")], None, "split"),
        (". .", "./. ./. ./.", [], [], "skipped"),
    ],
    ids=[
        "multi-allelic",
        "multi-allelic, one absent",
        "monomorphic",
        "reference unknown",
        "gVCF variant",
        "gVCF reference",
        "overlapping deletion",
        "structural",
        "indels in small letters",
        "no alleles",
    ],
)
def test_alleles(file, alleles, cells, variants, genotypes, notes):
    notes_of = {
        "": {},
        "split": {"multi-allelic sites, split into one variant per alternative allele": 1},
        "skipped": {"records without alleles, skipped": 1},
    } | {
        f"symbolic {count}": {
            "genotypes with a symbolic allele such as <NON_REF> or *, taken as missing": count
        }
        for count in (1, 2)
    }
    found, found_genotypes, found_notes = read_record(file, record(alleles, cells=cells))
    assert alleles_of(found) == variants
    if genotypes is not None:
        assert found_genotypes == genotypes
    assert found_notes == notes_of[notes]


def test_many_alternative_alleles(file):
    alts = ",".join("ACGT"[at % 4] * (2 + at // 4) for at in range(140))
    found, genotypes, _ = read_record(file, record(f"A {alts}", cells="0/9 10|10 0/140"))
    assert len(found) == 140
    assert genotypes[8] == [1, nan, nan]
    assert genotypes[9] == [nan, 2, nan]
    assert genotypes[139] == [nan, nan, 1]


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ({"id": "s1"}, "s1"),
        ({"id": "x9;s1"}, "s1"),
        ({"id": "x9;x8", "pos": "100"}, "x9"),
        ({"id": ".", "chrom": "chr1"}, None),
        ({"id": ".;x7"}, "x7"),
        ({"id": "s1", "pos": "0", "chrom": "scaffold_7"}, "s1"),
    ],
    ids=["one", "known one second", "none known", "by place", "a dot among them", "place unknown"],
)
def test_ids(file, site, expected):
    ((variant,), _, _) = read_record(file, record(**site))
    assert variant.id == expected
    assert variant.position == (int(site.get("pos", 100)) or None)
    assert variant.chromosome == site.get("chrom", "Gm01")


def test_records_that_are_not_wanted_are_not_looked_into(file):
    other = record("A ,", "?", "x", id="x", pos="7")
    variants, genotypes, notes = read_record(file, other, record())
    assert len(variants) == 1
    assert genotypes == [[0, 1, 2]]
    assert notes == {}


def test_repeated_records_are_handed_on(file):
    variants, genotypes, _ = read_record(file, record(), record(cells="1/1 1/1 1/1"))
    assert variants == [Variant("s1", "Gm01", 100, "G", "A")] * 2
    assert genotypes == [[0, 1, 2], [2, 2, 2]]


def test_records_without_calls_are_skipped(file):
    _, genotypes, notes = read_record(file, record(), record(fields="DP", cells="1 2 3"))
    assert genotypes == [[0, 1, 2]]
    assert notes == {"records without GT, skipped": 1}


# --- dosages ------------------------------------------------------------------------------------

USED = "variants with dosages (DS), used as expected genotypes"
ROUNDED = "variants with dosages (DS), rounded"
SPLIT = "multi-allelic sites, split into one variant per alternative allele"


@pytest.mark.parametrize(
    ("alleles", "fields", "cells", "genotypes", "notes"),
    [
        ("A G", "GT:DS", "0/0:0.25 0/1:1.5 1/1:2", [[0.25, 1.5, 2]], {USED: 1}),
        ("A G", "DS", "0.25 . 2", [[0.25, nan, 2]], {USED: 1}),
        ("A G", "GT:DS", "0/0:.25 0/1:. 1/1", [[0.25, 1, 2]], {USED: 1}),
        ("A G", "GT:DS", "0/1:1 ./.:. 1/1:2.0", [[1, nan, 2]], {USED: 1}),
        ("A G", "GT:DS", "0/1:. ./.:. 1/1:.", [[1, nan, 2]], {}),
        ("A G", "DS:GT", "1e-1:0/0 12.5e-1:0/1 +1:0/0", [[0.1, 1.25, 1]], {USED: 1}),
        ("A G", "GT:DS", "0/0:-0.0005 0/1:2.0004 ./.:1.0", [[0, 2, 1]], {USED: 1}),
        ("A G", "GT:DS", "./1:1.5 .:0.5 0/.:.", [[1.5, 0.5, nan]], {USED: 1, "half": 1}),
        (
            "A G,T",
            "GT:DS",
            "0/1:0.75,0.25 1/2:1,1 0/2:.,.",
            [[0.75, nan, nan], [nan, nan, 1]],
            {USED: 2, SPLIT: 1},
        ),
        ("A .", "GT:DS", "0/0:. 0/0:0 ./.:.", [[0, 0, nan]], {}),
    ],
    ids=[
        "decimals",
        "DS alone",
        "missing ones from GT",
        "whole numbers",
        "all missing",
        "exponents",
        "rounding errors",
        "half-calls and missing calls with a dosage",
        "multi-allelic",
        "monomorphic",
    ],
)
def test_dosages(file, alleles, fields, cells, genotypes, notes):
    if "half" in notes:
        notes = {USED: 1, "half-calls, taken as missing": notes["half"]}
    _, found, found_notes = read_record(file, record(alleles, fields, cells))
    assert [[pytest.approx(g, abs=1e-6, nan_ok=True) for g in row] for row in found] == genotypes
    assert found_notes == notes


@pytest.mark.parametrize("dosages", ["use", "round", "ignore"])
@pytest.mark.parametrize(
    ("fields", "cells", "codes", "kind"),
    [
        ("GT:DS", "0:0 1:1 1/1:2", [nan, nan, 2], "haploid"),
        ("GT:DS", "1:1 0/0:0 1:.", [nan, 0, nan], "haploid"),
        ("DS:GT", "0:0 1:1 2:1/1", [nan, nan, 2], "haploid"),
        ("GT:DS", "0/0/1:1 0/1/1/1:3 1/1:2", [nan, nan, 2], "polyploid"),
    ],
    ids=["haploid", "haploid without a dosage", "DS first", "polyploid"],
)
def test_dosages_of_calls_that_are_not_diploid(file, fields, cells, codes, kind, dosages):
    _, genotypes, notes = read_record(file, record("A G", fields, cells), dosages=dosages)
    assert genotypes == [codes]
    used = {"use": {USED: 1}, "round": {ROUNDED: 1}, "ignore": {}}[dosages]
    assert notes == {f"{kind} calls, taken as missing": 2} | used


def test_dosages_of_polyploid_samples_without_a_call_are_not_diploid(file):
    _, genotypes, notes = read_record(file, record("A G", "GT:DS", "./././.:1.6 ././.:3 1/1:2"))
    assert genotypes == [[nan, nan, 2]]
    assert notes == {"polyploid calls, taken as missing": 2, USED: 1}


def test_haploid_calls_alone_are_missing_whatever_their_dosages(file):
    _, genotypes, notes = read_record(file, record("A G", "GT:DS", "0:0 1:1 1:0.5"))
    assert genotypes == [[nan, nan, nan]]
    assert notes == {"haploid calls, taken as missing": 3}


def test_dosages_without_calls_are_diploid(file):
    assert read_record(file, record("A G", "DS", "0 1 2"))[1] == [[0, 1, 2]]


def test_dosages_rounded(file):
    cells = "0/0:0.49 0/0:0.5 0/0:1.5"
    _, genotypes, notes = read_record(file, record("A G", "GT:DS", cells), dosages="round")
    assert genotypes == [[0, 1, 2]]
    assert notes == {ROUNDED: 1}


def test_dosages_ignored(file):
    cells = "0/0:0.49 ./.:0.5 1/1:1.5"
    records = [record("A G", "GT:DS", cells), record("A G", "DS", "0 1 2", id="s2", pos="200")]
    _, genotypes, notes = read_record(file, *records, dosages="ignore")
    assert genotypes == [[0, nan, 2]]
    assert notes == {"records without GT, skipped": 1}


def test_swapped_dosages(file):
    reader = open_genotypes(file(HEADER + record("A G", "GT:DS", "0/0:0.25 ./.:. 0/1:1.5")))
    reader.variants(WANTED)
    (block,) = reader.genotypes(Selection(np.array([0]), np.array([True])))
    assert block.codes.tolist() == [[1], [-1], [0]]
    assert block.genotypes.fractions.tolist() == [[0.75], [0], [0.5]]


# --- what is refused ----------------------------------------------------------------------------

CHROM = b"\t".join(name.encode() for name in writer.COLUMNS)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param(
            b"##fileformat=VCFv4.2\n", errors.NotATable, "no header line", id="meta-lines alone"
        ),
        pytest.param(
            b"##fileformat=VCFv4.2\n" + record(), errors.NotATable, "line 2", id="no header line"
        ),
        pytest.param(
            HEADER.replace(b"\tPOS", b"\tPlace") + record(),
            errors.NotATable,
            "POS",
            id="another column",
        ),
        pytest.param(
            b"##fileformat=VCFv4.2\n" + CHROM.replace(b"\t", b" ") + b" a\n",
            errors.NotATable,
            "expected #CHROM",
            id="blanks for tabs",
        ),
        pytest.param(
            CHROM.removesuffix(b"\tFORMAT") + b"\n1\t1\t.\tA\tG\t.\t.\t.\n",
            errors.NoGenotypes,
            "has no samples",
            id="sites alone",
        ),
        pytest.param(CHROM + b"\n", errors.NoGenotypes, "has no samples", id="FORMAT alone"),
        pytest.param(
            HEADER.replace(b"cyd", b"ann") + record(),
            errors.DuplicateSample,
            "'ann' (columns 10 and 12)",
            id="sample twice",
        ),
        pytest.param(
            HEADER.replace(b"bob", b"") + record(),
            errors.NoSampleColumn,
            "column 11",
            id="sample without name",
        ),
        pytest.param(HEADER, errors.NoRows, "no records", id="no records"),
        pytest.param(
            HEADER + record(cells="0/0 0/1"),
            errors.RaggedRow,
            "line 5: found 11 columns, expected 12",
            id="a cell too few",
        ),
        pytest.param(
            HEADER + record(cells="0/0 0/1 0/1 0/1"),
            errors.RaggedRow,
            "line 5: found 13 columns, expected 12",
            id="a cell too many",
        ),
        pytest.param(
            HEADER + record(cells="0/0 0/1:1/1"),
            errors.RaggedRow,
            "found 11 columns",
            id="a colon for a tab",
        ),
        pytest.param(
            HEADER + record(fields="DP:DS", cells="1:2 1:2"),
            errors.RaggedRow,
            "found 11 columns",
            id="a dosage too few",
        ),
        pytest.param(
            HEADER + record(fields="GT", cells="").rstrip() + b"\n",
            errors.RaggedRow,
            "found 9 columns",
            id="no cells",
        ),
        pytest.param(
            HEADER + record() + b"Gm01\t9", errors.RaggedRow, "line 6: found 2", id="two columns"
        ),
        pytest.param(
            HEADER + record() + record(id="x", pos="9", cells="0/0 0/1") + b"\n",
            errors.RaggedRow,
            "line 6: found 11",
            id="last record, not wanted",
        ),
        pytest.param(
            HEADER + record(pos="1e5"), errors.BadVariant, "line 5: found '1e5' for POS", id="POS"
        ),
        pytest.param(HEADER + record(pos="-1"), errors.BadVariant, "'-1'", id="POS negative"),
        pytest.param(HEADER + record(pos=""), errors.BadVariant, "''", id="POS empty"),
        pytest.param(HEADER + record(pos="9" * 5000), errors.BadVariant, "999", id="POS long"),
        pytest.param(HEADER + record(chrom=""), errors.BadVariant, "chromosome", id="no CHROM"),
        pytest.param(
            HEADER + record() + HEADER + record(),
            errors.BadVariant,
            "line 6: found a header line",
            id="two files joined",
        ),
        pytest.param(
            HEADER + record("A A"), errors.BadVariant, "every allele once", id="ALT = REF"
        ),
        pytest.param(HEADER + record("A G,g"), errors.BadVariant, "'G,G'", id="ALT twice"),
        pytest.param(HEADER + record("A G,"), errors.BadVariant, "empty allele", id="ALT empty"),
        pytest.param(
            HEADER + record(fields="DP", cells="1 2 3"),
            errors.NoGenotypes,
            "expected the field GT",
            id="GT nowhere",
        ),
    ],
)
def test_refused(file, content, error, words):
    path = file(content)
    with pytest.raises(error, match=re.escape(words)) as caught:
        read_all(path, WANTED, format="vcf")
    assert str(path) in caught.value.message
    assert len(caught.value.message.splitlines()) == 1


@pytest.mark.parametrize(
    ("alleles", "fields", "cells", "words"),
    [
        ("A G", "GT", "0/0 0/2 1/1", "allele number 2 in GT, expected 0 to 1"),
        ("A G,T", "GT:DP", "0/0:1 3|0:1 1/1:1", "allele number 3 in GT, expected 0 to 2"),
        ("A G", "GT", "0/0 0/0/7 1/1", "allele number 7"),
        ("A G", "GT", "0/0 12 1/1", "allele number 12"),
        ("A .", "GT", "0/0 0/1 0/0", "expected 0 for REF alone"),
        ("A G", "GT", "0/0 A/G 1/1", "found 'A/G' for GT"),
        ("A G", "GT", "0/0 0/ 1/1", "found '0/' for GT"),
        ("A G", "GT:DP", "0/0:1 :1 1/1:1", "found '' for GT"),
        ("A G", "GT", "0/0 -1/-1 1/1", "found '-1/-1' for GT"),
        ("A G", "GT", "0/0 0\\1 1/1", "for GT"),
        ("A G", "GT", "0/0 99999/1 1/1", "'99999/1'"),
        ("A G", "GT:DS", "0/0:0 0/0:2.1 1/1:2", "found dosage 2.1 in DS"),
        ("A G", "DS", "0 -0.01 2", "found dosage -0.01 in DS"),
        ("A G", "DS", "0 1e300 2", "found dosage 1e+300 in DS"),
        ("A G", "DS", "0 1e999 2", "found dosage inf in DS"),
        ("A G", "DS", "0 nan 2", "found 'nan' for DS, expected a number"),
        ("A G", "DS", "0 0_1 2", "found '0_1' for DS"),
        ("A G", "DS", "0 0.1.1 2", "found '0.1.1' for DS"),
        ("A G", "DS", "0 1,1 2", "found '1,1' for DS"),
        ("A G", "GT:DS", "0/0:0 0/0: 1/1:2", "found '' for DS"),
        ("A G,T", "DS", "0,0 1 2,0", "found '1' for DS, expected 2 numbers"),
    ],
)
def test_genotypes_refused(file, alleles, fields, cells, words):
    path = file(HEADER + record(id="x", pos="5") + record(alleles, fields, cells))
    with pytest.raises(errors.BadGenotype, match=re.escape(words)) as caught:
        read_all(path, WANTED)
    assert f"{path}, line 6, variant 's1', sample 'bob': " in caught.value.message


def test_dosages_that_are_ignored_are_what_is_missing(file):
    path = file(HEADER + record(fields="DS", cells="0 1 2"))
    with pytest.raises(errors.NoGenotypes) as caught:
        read_all(path, WANTED, options=ReadOptions(dosages="ignore"))
    assert "--dosages ignore" in caught.value.hint


# --- files that were cut ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(bgzf(TINY).removesuffix(BGZF_END), errors.TruncatedFile, id="no end mark"),
        pytest.param(
            bgzf(TINY, 60)[: bgzf(TINY, 60).index(BGZF_END[:16], 400)],
            errors.TruncatedFile,
            id="between blocks",
        ),
        pytest.param(bgzf(TINY)[:-40], errors.TruncatedFile, id="within a block"),
        pytest.param(gzip.compress(TINY)[:-3], errors.TruncatedFile, id="gzip"),
        pytest.param(TINY[: TINY.index(b"\t1|1:12")], errors.RaggedRow, id="plain, before a cell"),
    ],
)
def test_cut(file, content, error):
    with pytest.raises(error):
        read_all(file(content), WANTED)


@pytest.mark.parametrize(
    ("fields", "cells", "whole"),
    [
        ("GT", "0/0 0/1 1/1", True),
        ("GT", "0/0 0/1 1/", False),
        ("GT", "0/0 0/1 1", False),
        ("GT:DS", "0/0:0 0/1:1 1/1:1.", False),
        ("GT:DS", "0/0:0 0/1:1 1/1:1.98", False),
        ("GT:DS:DP", "0/0:0:3 0/1:1:3 1/1:1.98:3", True),
        ("GT:DP", "0/0:0:3 0/1:1:3 1/1:", True),
    ],
)
def test_plain_text_without_line_feed_at_its_end(file, fields, cells, whole):
    path = file(HEADER + record("A G", fields, cells).rstrip(b"\n"))
    if whole:
        assert read_all(path, WANTED)[3].shape == (3, 1)
    else:
        with pytest.raises((errors.TruncatedFile, errors.BadGenotype)):
            read_all(path, WANTED)


CUT = HEADER + b"".join(
    (
        record("A G", "GT:DS", "0/0:0 0/1:1.25 1/1:1.98"),
        record("A G", "GT", "0/0 0|1 1/1", id="s2", pos="200"),
        record("A G", "DS:GT", "0:0/0 1:0/1 1.75:1/1", id="s3", pos="300"),
        record("A G", "GT:DP", "0/0:10 0/1:10 1/1:10", id="s4", pos="400"),
    )
)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda content: bgzf(content, 99)])
def test_no_cut_changes_a_genotype(file, pack):
    whole = pack(CUT)
    _, variants, _, codes, fractions = read_all(file(whole), WANTED)
    n_read = 0
    for end in range(len(whole)):
        try:
            _, found, _, *genotypes = read_all(file(whole[:end]), WANTED, format="vcf")
        except errors.SnpredictError:
            continue
        n_read += 1
        n = len(found.candidates)
        assert found.candidates == variants.candidates[:n]
        np.testing.assert_array_equal(genotypes, [codes[:, :n], fractions[:, :n]])
    # Text tells a cut between two of its lines from its end as little as a person could.
    assert (n_read > 0) == (pack is bytes)


# --- properties ---------------------------------------------------------------------------------


def in_members(content: bytes) -> bytes:
    return b"".join(gzip.compress(content[at : at + 100]) for at in range(0, len(content), 100))


@st.composite
def cohorts(draw):
    n_samples, n_snps = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = rng.integers(-1, 3, (n_samples, n_snps)).astype(np.int8)
    return [f"line {at}" for at in range(n_samples)], SNPS[:n_snps], codes


@settings(max_examples=100)
@given(
    cohorts(),
    st.sampled_from([UNPHASED, PHASED, ("0/0", "1|0", "1|1", ".")]),
    st.sampled_from(["GT", "GT:DP", "GT:AD:DP:GQ:PL", "GT:DS", "DP:GT:AD"]),
    st.sampled_from([bytes, gzip.compress, in_members, bgzf]),
    st.sampled_from([1, 2, 7, 50, 300, 1 << 17]),
)
def test_what_is_written_is_read(cohort, calls, fields, pack, block_bytes):
    samples, variants, codes = cohort
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(vcf, "BLOCK_BYTES", block_bytes),
    ):
        path = Path(folder) / "genotypes"
        writer.write(path, samples, variants, codes, calls=calls, fields=fields, pack=pack)
        reader, found, found_samples, found_codes, fractions = read_all(path, WANTED)
    assert found_samples == samples
    assert found.candidates == variants
    np.testing.assert_array_equal(found_codes, codes)
    assert not fractions.any()
    assert reader.notes == {}


@settings(max_examples=50)
@given(cohorts(), st.sampled_from(["GT:DS", "DS", "GT:DP:DS"]), st.integers(0, 11))
def test_dosages_that_are_written_are_read(cohort, fields, decimals):
    samples, variants, codes = cohort
    rng = np.random.default_rng(decimals)
    dosages = np.round(rng.uniform(0, 2, codes.shape), decimals)
    dosages[codes < 0] = np.nan
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genotypes.vcf"
        writer.write(path, samples, variants, codes, fields=fields, dosages=dosages)
        *_, found, fractions = read_all(path, WANTED)
    np.testing.assert_array_equal(found < 0, codes < 0)
    known = codes >= 0
    np.testing.assert_allclose((found + fractions)[known], dosages[known], rtol=0, atol=3e-7)


def code_of(call: str, alt: int) -> int:
    """Copies of an alternative allele, as a person would count them."""
    alleles = re.split("[/|]", call)
    if len(alleles) != 2 or not all(allele in ("0", str(alt)) for allele in alleles):
        return -1
    return sum(allele == str(alt) for allele in alleles)


ALLELE = st.sampled_from(["0", "0", "1", "1", "2", "10", "11", "."])
CALL = st.lists(ALLELE, min_size=1, max_size=4).flatmap(
    lambda alleles: st.sampled_from(["/", "|"]).map(lambda sign: sign.join(alleles))
)


@settings(max_examples=100)
@given(
    st.lists(CALL | st.sampled_from(["0/0", "0/1", "1|1"]), min_size=1, max_size=8), st.booleans()
)
def test_any_calls_are_counted_as_a_person_would(calls, with_depth):
    alts = "G,T,C,AA,AC,AG,AT,CA,CC,CG,CT"
    fields = "GT:DP" if with_depth else "GT"
    columns = ["Gm01", "100", "s1", "A", alts, ".", ".", ".", fields]
    cells = [call + ":17" * with_depth for call in calls]
    samples = [f"s{at}" for at in range(len(calls))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genotypes.vcf"
        path.write_text(writer.text(samples, [[*columns, *cells]]))
        reader, _, _, codes, _ = read_all(path, WANTED)
    assert codes.tolist() == [[code_of(call, alt) for alt in range(1, 12)] for call in calls]
    alleles = [re.split("[/|]", call) for call in calls]
    known = [call for call in alleles if set(call) != {"."}]
    assert {key: count for key, count in reader.notes.items() if key != SPLIT} == {
        f"{kind}, taken as missing": count
        for kind, count in (
            ("half-calls", sum(len(call) == 2 and "." in call for call in known)),
            ("haploid calls", sum(len(call) == 1 for call in known)),
            ("polyploid calls", sum(len(call) > 2 for call in known)),
        )
        if count
    }


FUZZED = (
    TINY,
    HEADER
    + record("A G,T,<DEL>", "GT:AD:DS", "0/1:1,2:0.5,.25,0 1/2:1:1,1,0 .:.:.")
    + record("A *", "GT", "0 ./1 0/0/1", id="s2;s3", pos="200")
    + record("A G", "DS:GT", "0.25:0/0 .:0|1 2", id="s4", pos="400"),
)


@settings(max_examples=100)
@given(st.sampled_from(FUZZED).flatmap(mutations), st.sampled_from([bytes, gzip.compress, bgzf]))
def test_damaged_text_is_refused_or_read(content, pack):
    refused_or_read(pack(content))


@settings(max_examples=50)
@given(mutations(bgzf(FUZZED[1], 200)))
def test_damaged_blocks_are_refused_or_read(content):
    refused_or_read(content)


def refused_or_read(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genotypes.vcf"
        path.write_bytes(content)
        try:
            *_, codes, fractions = read_all(path, WANTED, format="vcf")
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}
    assert ((fractions >= 0) & (fractions < 1)).all()


def test_nothing_of_the_model_in_the_file(file):
    reader = open_genotypes(file(TINY))
    variants = reader.variants(Wanted(["y1"]))
    assert (variants.candidates, variants.total) == ([], 3)
    (block,) = reader.genotypes(Selection(np.array([-1]), np.array([False])))
    assert block.codes.tolist() == [[-1], [-1], [-1]]
