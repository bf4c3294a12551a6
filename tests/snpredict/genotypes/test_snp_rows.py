import gzip
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import ReadOptions, Selection
from snpredict.genotypes.tables.snp_rows import SnpRows
from snpredict.genotypes.tables.wide import WideTable
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats import tables
from tests.reading import mutations, read_all, wanted

#: As PLINK writes it with --recode A-transpose.
TRAW = (
    b"CHR\tSNP\t(C)M\tPOS\tCOUNTED\tALT\tF1_a\tF1_b\tF2_c\n"
    b"1\tm1\t0\t100\tA\tG\t0\t1\t2\n"
    b"1\tm2\t0.5\t200\tT\tC\t2\tNA\t0\n"
    b"2\tx3\t0\t300\tC\tA\t1\t1\t9\n"
    b"2\tm4\t0\t400\tG\tA\tNA\t0\t2\n"
)
VARIANTS = [
    Variant("m1", "1", 100, "A", "G"),
    Variant("m2", "1", 200, "T", "C"),
    Variant("m4", "2", 400, "G", "A"),
]
CODES = [[0, 2, -1], [1, -1, 0], [2, 0, 2]]
WANTED = Wanted(["m1", "m2", "m4"])


@pytest.fixture
def file(tmp_path):
    """Writes bytes or text to a file and gives its path."""

    def write(content: bytes | str, name: str = "genotypes.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(path, wants=WANTED, **options):
    return read_all(path, wants, options=ReadOptions(**options))


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TRAW, id="traw"),
        pytest.param(TRAW.replace(b"\t", b","), id="csv"),
        pytest.param(TRAW.rstrip(b"\n"), id="no final newline"),
        pytest.param(TRAW.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(b"\xef\xbb\xbf" + TRAW, id="byte-order mark"),
        pytest.param(TRAW.replace(b"\n1\tm2", b"\n\n  \n1\tm2") + b"\n", id="blank lines"),
        pytest.param(gzip.compress(TRAW), id="gzip"),
        pytest.param(TRAW.replace(b"m1", b'"m1"').replace(b"CHR", b'"CHR"'), id="quoted"),
        pytest.param(TRAW.replace(b"m1\t", b'"m1"\t').replace(b"0.5", b'"a""b"'), id="escaped"),
        pytest.param(TRAW.replace(b"m1\t", b" m1 \t").replace(b"\t2\n", b"\t 2 \n"), id="padded"),
        pytest.param(TRAW.replace(b"0\t1\t2", b"0.0\t1.0\t2.0"), id="floats"),
        pytest.param(TRAW.replace(b"NA", b"-9"), id="missing as -9"),
        pytest.param(TRAW.replace(b"POS", b"POS ").replace(b"100", b"100.0"), id="pandas"),
        pytest.param(TRAW.replace(b"\t200\t", b"\t2e+02\t"), id="R's numbers"),
        pytest.param(TRAW.replace(b"A\tG", b"a\tg"), id="small alleles"),
    ],
)
def test_layouts_that_mean_the_same(file, content):
    path = file(content)
    reader, variants, samples, codes, _ = read(path)
    assert isinstance(reader, SnpRows)
    assert samples == ["F1_a", "F1_b", "F2_c"]
    assert variants.candidates == VARIANTS
    assert codes.tolist() == CODES
    assert variants.has_alleles
    assert variants.total == 4
    assert variants.chromosomes == {"1", "2"}
    assert [variant.id for variant in variants.examples] == ["m1", "m2", "x3", "m4"]
    assert (reader.n_samples, reader.id_column, reader.notes) == (3, "", {})
    assert (reader.files, reader.bytes_read) == ([path], path.stat().st_size)


def test_selection(file):
    reader = open_genotypes(file(TRAW), snps=WANTED)
    reader.variants(WANTED)
    (block,) = reader.genotypes(
        Selection(np.array([2, -1, 0, 0]), np.array([True, False, False, True]))
    )
    assert block.samples == ["F1_a", "F1_b", "F2_c"]
    assert block.codes.tolist() == [[-1, -1, 0, 2], [2, -1, 1, 1], [0, -1, 2, 0]]


@pytest.mark.parametrize(
    ("header", "row", "variant"),
    [
        ("snp", "m1", Variant("m1", None, None, None, None)),
        ("Marker Name", "m1", Variant("m1", None, None, None, None)),
        ("rsID,#CHROM,Position", "m1,Gm01,5", Variant("m1", "Gm01", 5, None, None)),
        ("#CHROM,BP,ID,REF,ALT", "1,5,m1,A,C", Variant("m1", "1", 5, "C", "A")),
        ("id,ref,alt", "m1,A,C", Variant("m1", None, None, "C", "A")),
        ("snp,A1,A2", "m1,A,C", Variant("m1", None, None, "A", "C")),
        ("snp,effect_allele,other_allele", "m1,A,C", Variant("m1", None, None, "A", "C")),
        ("snp,Counted-Allele,Other.Allele", "m1,A,C", Variant("m1", None, None, "A", "C")),
        ("snp,ref,alt,counted", "m1,A,C,A", Variant("m1", None, None, "A", "C")),
        ("snp,ref,alt,counted", "m1,A,C,C", Variant("m1", None, None, "C", "A")),
        ("snp,ref,alt,counted", "m1,A,.,A", Variant("m1", None, None, "A", None)),
        ("snp,ref,alt", "m1,A,.", Variant("m1", None, None, None, "A")),
        ("snp,counted,alt", "m1,0,G", Variant("m1", None, None, None, "G")),
        ("snp,counted,alt", "m1,CAG,-", Variant("m1", None, None, "CAG", "-")),
        ("chrom,pos", "1,5", Variant(None, "1", 5, None, None)),
        ("snp,chrom,pos", ".,1,5", Variant(None, "1", 5, None, None)),
        ("snp,chrom,pos", "m1,NA,", Variant("m1", None, None, None, None)),
        ("snp,chrom,pos", "m1,0,0", Variant("m1", "0", None, None, None)),
        ("pos,chrom,bp,snp", "12.5,1,5,m1", Variant("m1", "1", 5, None, None)),
        (",snp,chrom,pos", "0,m1,1,5", Variant("m1", "1", 5, None, None)),
        (",chrom,pos", "m1,1,5", Variant("m1", "1", 5, None, None)),
        ("what,chrom,pos", "m1,1,5", Variant("m1", "1", 5, None, None)),
        ("name,snp,chrom,pos", "m1,77,1,5", Variant("m1", "1", 5, None, None)),
    ],
)
def test_annotation(file, header, row, variant):
    """The id column is the one that holds ids of the model."""
    path = file(f"{header},a,b\n{row},2,1\n")
    _, variants, samples, codes, _ = read(path, Wanted(["m1"], ["Gm01"], [5]), snps_in="rows")
    assert variants.candidates == [variant]
    assert variants.has_alleles == (variant[3:] != (None, None))
    assert (samples, codes.tolist()) == (["a", "b"], [[2], [1]])


@pytest.mark.parametrize(
    ("header", "row", "notes"),
    [
        ("snp,alleles", "{},A/G", {"which allele is counted": 2}),
        ("snp,allele1,allele2", "{},A,G", {"which allele is counted": 2}),
        ("snp,ref", "{},A", {"which allele is counted": 2}),
        ("snp,ref,alt", "{},.,NA", {"without alleles": 1}),
        ("snp,ref,alt", "{},A,G", {}),
        ("snp,ref,alt,alleles", "{},A,G,A/G", {}),
    ],
)
def test_what_is_said_of_alleles(file, header, row, notes):
    path = file(f"{header},a\n{row.format('m1')},2\n{row.format('x')},1\n")
    reader, _, _, codes, _ = read(path)
    assert codes.tolist() == [[2]]
    assert len(reader.notes) == len(notes)
    for (note, count), (words, expected) in zip(reader.notes.items(), notes.items(), strict=True):
        assert words in note
        assert "codes taken as the model's" in note
        assert count == expected


def test_a_known_name_behind_the_first_sample_is_a_sample(file):
    path = file("snp,LG1,BP,ID,rs\nm1,0,1,2,NA\n")
    _, _, samples, codes, _ = read(path)
    assert samples == ["LG1", "BP", "ID", "rs"]
    assert codes[:, 0].tolist() == [0, 1, 2, -1]


def test_repeated_snps_are_all_offered(file):
    _, variants, _, codes, _ = read(file("snp,a,b\nm1,0,1\nm1,2,2\n"))
    assert [variant.id for variant in variants.candidates] == ["m1", "m1"]
    assert codes.tolist() == [[0, 2], [1, 2]]


def test_other_cells_than_the_candidates_are_not_judged(file):
    _, _, _, codes, _ = read(file("snp,ref,alt,a\nx,A,A,?\nm1,A,G,1\ny,1,1,GG\n"))
    assert codes.tolist() == [[1]]


def test_candidates_by_place(file):
    path = file("snp,chrom,pos,a\nr1,chr1,100,2\nr2,Gm02,100,1\nr3,1,101,0\n")
    _, variants, _, codes, _ = read(path, Wanted(["m1"], ["Gm01"], [100]))
    assert variants.candidates == [Variant("r1", "chr1", 100, None, None)]
    assert codes.tolist() == [[2]]


# --- which way round ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "options", "rows"),
    [
        pytest.param("chr,pos,a\n1,5,0\n", {}, True, id="chromosome and position"),
        pytest.param("x,ref,alt,a\nm1,A,G,0\n", {}, True, id="two alleles"),
        pytest.param("x,a,b\nm1,0,1\nm2,1,1\n", {}, True, id="SNPs of the model in rows"),
        pytest.param("x,a,b\nx1,0,1\nm2,1,1\n", {}, True, id="one of them is enough"),
        pytest.param("id,m1,m2\na,0,1\nb,0,1\n", {}, False, id="SNPs of the model in columns"),
        pytest.param("id,m1,m2\nm4,0,1\nb,0,1\n", {}, False, id="more in columns"),
        pytest.param("id,m1,b\nm2,0,1\nm4,0,1\n", {}, True, id="more in rows"),
        pytest.param("snp,a,b\nx1,0,1\n", {}, True, id="no SNP of the model, named snp"),
        pytest.param("id,a,b\nx1,0,1\n", {}, False, id="no SNP of the model, named id"),
        pytest.param("snp,m1,m2\na,0,1\n", {}, False, id="named snp, SNPs in columns"),
        pytest.param("id,m1\nm1,0\n", {"snps_in": "rows"}, True, id="told: rows"),
        pytest.param("id,m1\nm1,0\n", {"snps_in": "columns"}, False, id="told: columns"),
        pytest.param("id,chr,pos,m1\na,1,1,1\n", {"snps_in": "columns"}, False, id="told, again"),
        pytest.param('x,a\n"m1",0\n', {}, True, id="quoted ids"),
        pytest.param("x,a\n m1 ,0\n", {}, True, id="padded ids"),
    ],
)
def test_orientation(file, content, options, rows):
    reader = open_genotypes(file(content), options=ReadOptions(**options), snps=WANTED)
    assert isinstance(reader, SnpRows if rows else WideTable)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param("snp,a,b\nx1,0,1\n", True, id="snp"),
        pytest.param("MarkerName,a,b\nx1,0,1\n", True, id="MarkerName"),
        pytest.param("line,a1,a2\nx1,0,1\n", False, id="SNPs called a1 and a2"),
        pytest.param("line,a,b\nx1,0,1\n", False, id="line"),
    ],
)
def test_orientation_without_a_model(file, content, rows):
    assert isinstance(open_genotypes(file(content)), SnpRows if rows else WideTable)


def test_snps_of_a_model_may_have_names_of_annotation(file):
    path = file("line,chr,pos,ref,alt\nx1,0,1,2,0\n")
    wants = Wanted(["chr", "pos", "ref", "alt"])
    _, _, samples, codes, _ = read(path, wants)
    assert (samples, codes.tolist()) == (["x1"], [[0, 1, 2, 0]])


def test_as_much_for_either_orientation_is_told(file):
    with pytest.raises(errors.UsageError, match="1 SNPs of the model") as caught:
        open_genotypes(file("id,m1\nm2,0\n"), snps=WANTED)
    assert "--snps-in rows or --snps-in columns" in caught.value.hint


def test_a_table_that_begins_like_hapmap_is_read_when_named_a_table(file):
    path = file("rs\tchrom\tpos\ta\nm1\t1\t5\t2\n")
    _, _, samples, codes, _ = read_all(path, WANTED, format="table")
    assert (samples, codes.tolist()) == (["a"], [[2]])


def test_a_table_that_begins_like_vcf_is_read_when_named_a_table(file):
    path = file("#CHROM\tPOS\tID\tREF\tALT\ta\n1\t5\tm1\tA\tG\t2\n")
    _, variants, samples, codes, _ = read_all(path, WANTED, format="table")
    assert variants.candidates == [Variant("m1", "1", 5, "G", "A")]
    assert (samples, codes.tolist()) == (["a"], [[2]])


# --- what is refused ----------------------------------------------------------------------------

GZ = gzip.compress(TRAW)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param("snp,a\n", errors.NoRows, [], id="header only"),
        pytest.param("snp,chrom,pos\nm1,1,5\n", errors.NoGenotypes, ["no samples"], id="no sample"),
        pytest.param("snp,a,b\nm1,0\n", errors.RaggedRow, ["line 2", "found 2"], id="short"),
        pytest.param("snp,a\nm1,0\nx,0,1\n", errors.RaggedRow, ["line 3", "found 3"], id="long"),
        pytest.param("snp,a,b\nm1,0\nx,0,1,2\n", errors.RaggedRow, ["line 2"], id="same total"),
        pytest.param(
            "chrom,pos,a\nm1,1,5,0\n", errors.RaggedRow, ["R's write.table"], id="R row names"
        ),
        pytest.param(
            "snp,a,b\nx,?,0\nm1,1,3\n",
            errors.BadGenotype,
            ["line 3, column 'b': found '3'", "annotation"],
            id="no genotype",
        ),
        pytest.param(
            "snp,gene,a\nm1,ABC1,3\n",
            errors.BadGenotype,
            ["column 'gene': found 'ABC1'", "remove"],
            id="unknown annotation",
        ),
        pytest.param("snp,a\nm1,1.4\n", errors.BadGenotype, ["'1.4'", "VCF (DS)"], id="dosage"),
        pytest.param(
            "snp,a,b,a\nm1,0,1,2\n",
            errors.DuplicateSample,
            ["'a' (sample columns 1 and 3)"],
            id="repeated sample",
        ),
        pytest.param("snp,a,\nm1,0,1\n", errors.NoSampleColumn, ["sample column 2"], id="no name"),
        pytest.param(
            "snp,chr,CHR,pos,a\nm1,1,1,5,0\n",
            errors.DuplicateColumn,
            ["'chr', 'CHR'"],
            id="two chromosomes",
        ),
        pytest.param(
            "snp,chrom,pos,a\nx,1,12.5,0\n",
            errors.BadVariant,
            ["line 2, column 'pos'", "'12.5'", "cM"],
            id="genetic position",
        ),
        pytest.param("snp,chr,pos,a\nx,1,-5,0\n", errors.BadVariant, ["'-5'"], id="negative"),
        pytest.param("snp,chr,pos,a\nx,1,1_0,0\n", errors.BadVariant, ["'1_0'"], id="1_0"),
        pytest.param("snp,chr,pos,a\nx,1,1e99,0\n", errors.BadVariant, ["'1e99'"], id="1e99"),
        pytest.param(
            f"snp,chr,pos,a\nx,1,{'9' * 5000},0\n", errors.BadVariant, ["'999"], id="huge"
        ),
        pytest.param("snp,chr,pos,a\nx,1,٣,0\n", errors.BadVariant, ["expected"], id="digits"),
        pytest.param(
            "snp,ref,alt,counted,a\nm1,A,G,T,0\n",
            errors.BadVariant,
            ["line 2", "'counted', 'alt', 'ref'", "'T', 'G', 'A'"],
            id="counts neither allele",
        ),
        pytest.param("snp,ref,alt,a\nm1,A,A,0\n", errors.BadVariant, ["'A', 'A'"], id="equal"),
        pytest.param(
            "snp,A1,A2,A3\nm1,0,1,2\n",
            errors.BadVariant,
            ["columns 'A1', 'A2'", "rename them if they are samples"],
            id="samples called A1 and A2",
        ),
        pytest.param('snp,a\n"m1,0\n', errors.NotATable, ["line 2", "quote"], id="quote"),
        pytest.param(b"snp,a\nm1,\xff\n", errors.NotATable, ["line 2", "UTF-8"], id="latin-1"),
        pytest.param(GZ[:-12], errors.TruncatedFile, [], id="gzip cut"),
        pytest.param(GZ[:-1], errors.TruncatedFile, [], id="gzip cut before its last byte"),
    ],
)
def test_refused_files(file, content, error, words):
    path = file(content)
    with pytest.raises(errors.SnpredictError) as caught:
        read(path, snps_in="rows")
    assert type(caught.value) is error
    assert str(path) in caught.value.message
    told = f"{caught.value.message} {caught.value.hint}"
    assert [word for word in words if word not in told] == []
    assert len(told.splitlines()) == 1


def test_rows_without_ids_and_places_are_refused(file):
    path = file("what,a,b\nx1,0,1\n")
    with pytest.raises(errors.UnsupportedFile, match="found 'what', 'a', 'b'") as caught:
        read(path, snps_in="rows")
    assert "--snps-in columns" in caught.value.hint


def test_an_id_column_has_no_meaning_for_snps_in_rows(file):
    with pytest.raises(errors.UsageError, match="sample ids are column names"):
        read(file(TRAW), id_column="SNP")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"##fileformat=VCFv4.2\n", "a VCF file"),
        (b"\x6c\x1b\x01\xff", "a PLINK .bed"),
        (b"PAR1....", "a Parquet file"),
        (b"BCF\x02\x02", "a BCF file"),
    ],
)
def test_other_formats_are_not_read_as_tables(file, content, kind):
    with pytest.raises(errors.NotATable, match=f"looks like {kind}"):
        read_all(file(content), WANTED, format="table")


# --- properties ---------------------------------------------------------------------------------


@settings(max_examples=100)
@given(
    n_samples=st.integers(1, 12),
    n_snps=st.integers(1, 12),
    delimiter=st.sampled_from("\t,"),
    missing=st.sampled_from(["NA", "", "-1", " nan "]),
    packed=st.booleans(),
    rng=st.randoms(use_true_random=False),
)
def test_what_is_written_is_read(n_samples, n_snps, delimiter, missing, packed, rng):
    every = [
        Variant(f"m{n}", f"Gm{n % 3:02d}", 10 * n + 1, *rng.sample("ACGT", 2))
        for n in range(n_snps)
    ]
    samples = [f"line {n}" for n in range(n_samples)]
    codes = np.array([[rng.randint(-1, 2) for _ in every] for _ in samples], np.int8)
    chosen = sorted(rng.sample(range(n_snps), rng.randint(1, n_snps)))
    with tempfile.TemporaryDirectory() as folder:
        path = tables.write_snp_rows(
            Path(folder) / "t",
            samples,
            every,
            codes,
            delimiter=delimiter,
            missing=missing,
            pack=gzip.compress if packed else bytes,
        )
        _, variants, names, found, fractions = read_all(
            path, wanted([every[n] for n in chosen]), options=ReadOptions(coding="012")
        )
    assert (names, variants.total) == (samples, n_snps)
    assert variants.candidates == [every[n] for n in chosen]
    np.testing.assert_array_equal(found, codes[:, chosen])
    assert not fractions.any()


def test_chunks_of_many_lines(file):
    """More than one chunk, of which some hold no candidate."""
    rng = np.random.default_rng(1)
    codes = rng.integers(-1, 3, (40, 12000)).astype(np.int8)
    variants = [Variant(f"m{n}", "1", n + 1, "A", "C") for n in range(12000)]
    samples = [f"s{n}" for n in range(40)]
    path = tables.write_snp_rows(file(""), samples, variants, codes)
    wants = [variants[n] for n in (0, 7, 8, 9, 11990, 11999)]
    _, found, _, read_codes, _ = read_all(path, wanted(wants))
    assert found.candidates == wants
    np.testing.assert_array_equal(read_codes, codes[:, [0, 7, 8, 9, 11990, 11999]])


@pytest.mark.parametrize("snps_in", ["rows", "columns", None])
@settings(max_examples=100)
@given(content=mutations(TRAW), packed=st.booleans())
def test_damaged_files_are_refused_or_read(snps_in, content, packed):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(gzip.compress(content) if packed else content)
        try:
            codes = read_all(path, WANTED, format="table", options=ReadOptions(snps_in=snps_in))[3]
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}


@pytest.mark.parametrize("cut", range(1, len(GZ), 7))
def test_every_cut_of_a_packed_file_is_an_error(file, cut):
    with pytest.raises(errors.SnpredictError):
        read(file(GZ[:cut]))


# --- the real data ------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[3]
SOYNAM = Path(os.environ.get("SNPREDICT_SOYNAM", ROOT.parent / "shared" / "data" / "soynam"))


@pytest.mark.skipif(
    not (SOYNAM / "height_chip.tsv.gz").exists(),
    reason="no height_chip.tsv.gz: set SNPREDICT_SOYNAM to the folder of the SoyNAM tables",
)
def test_soynam_chip_table_the_other_way_round(tmp_path):
    wide = WideTable(SOYNAM / "height_chip.tsv.gz")
    snps = wide.header[4:]
    blocks = list(wide.blocks(snps))
    samples = [sample for block in blocks for sample in block.samples]
    codes = np.concatenate([block.codes for block in blocks])
    variants = [Variant(snp, None, None, None, None) for snp in snps]
    path = tables.write_snp_rows(
        tmp_path / "rows.tsv", samples, variants[::20], codes[:, ::20], annotation=("snp",)
    )
    _, _, names, found, _ = read_all(path, wanted(variants))
    assert names == samples
    np.testing.assert_array_equal(found, codes[:, ::20])
