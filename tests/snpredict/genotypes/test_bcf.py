import gzip
import importlib.util
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict import errors
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import ReadOptions
from snpredict.genotypes.variants import Variant
from tests.formats import vcf as writer
from tests.formats.vcf import BGZF_END, PHASED, UNPHASED, bgzf, write_bcf
from tests.reading import mutations, read_all, wanted

needs_cyvcf2 = pytest.mark.skipif(
    importlib.util.find_spec("cyvcf2") is None, reason="cyvcf2 is not installed"
)

SNPS = [Variant(f"s{at}", "Gm01", 100 * at, "G", "A") for at in range(1, 13)]
WANTED = wanted(SNPS)
SAMPLES = ["ann", "bob", "cyd"]

#: Alleles, FORMAT and cells of records that show every kind of call.
RECORDS = [
    ("A G", "GT", "0/0 0|1 1/1"),
    ("A G", "GT:AD:DP", "./.:1,2:3 .:.:. 1|0:.:."),
    ("A G", "GT", "0 ./1 0/1/1"),
    ("A G,T", "GT", "0/1 1/2 2/2"),
    ("A .", "GT", "0/0 ./. 0|0"),
    ("A G,<NON_REF>,*", "GT", "0/1 0/2 1/3"),
    ("A G", "GT:DS", "0/0:0.25 0/1:. 1/1:2"),
    ("A G,T", "GT:DS", "0/0:0.75,0.25 1/2:1,1 0/2:.,."),
    ("A G", "DS", "0.5 . 1.5"),
    ("A G", "GT:DS", "0:0 1:1 1/1:2"),
    ("A G", "GT:DS", "0:0 1:1 1:0.5"),
    ("A G", "GT:DS", "0/0/1:1 0/1/1/1:3 .:0.5"),
    ("A G", "GT:DS", "./././.:1.6 ./././.:. 1/1:2"),
]


def lines(records=RECORDS) -> list[list[str]]:
    return [
        [
            "Gm01",
            str(100 * at),
            f"s{at}",
            *alleles.split(),
            ".",
            "PASS",
            ".",
            fields,
            *cells.split(),
        ]
        for at, (alleles, fields, cells) in enumerate(records, 1)
    ]


def write_both(folder: Path, records=RECORDS) -> tuple[Path, Path]:
    """The same records as VCF and as BCF."""
    vcf = folder / "genotypes.vcf"
    vcf.write_text(writer.text(SAMPLES, lines(records)))
    return vcf, write_bcf(folder / "genotypes.bcf", vcf)


def bcf_without_records(header: str) -> bytes:
    text = header.encode() + b"\0"
    return bgzf(b"BCF\2\2" + len(text).to_bytes(4, "little") + text)


HEADER = writer.text(SAMPLES, [])


@needs_cyvcf2
def test_tiny_file(tmp_path):
    records = [("A G", "GT", "0/0 0|1 1/1"), ("C T", "GT:DP", ".:3 1/1:4 ./.:.")]
    _, path = write_both(tmp_path, records)
    reader, variants, samples, codes, fractions = read_all(path, WANTED)
    assert (reader.format, reader.n_samples, reader.id_column) == ("bcf", 3, "")
    assert (reader.path, reader.files) == (path, [path])
    assert reader.bytes_read == reader.size_bytes == path.stat().st_size
    assert reader.notes == {}
    assert (variants.total, variants.chromosomes) == (2, {"Gm01"})
    assert variants.candidates == [
        Variant("s1", "Gm01", 100, "G", "A"),
        Variant("s2", "Gm01", 200, "T", "C"),
    ]
    assert samples == SAMPLES
    assert codes.tolist() == [[0, -1], [1, 2], [2, -1]]
    assert not fractions.any()


@needs_cyvcf2
@pytest.mark.parametrize("dosages", ["use", "round", "ignore"])
def test_every_kind_of_call_reads_as_in_vcf(tmp_path, dosages):
    vcf, bcf = (
        read_all(path, WANTED, options=ReadOptions(dosages=dosages))
        for path in write_both(tmp_path)
    )
    assert bcf[0].notes == vcf[0].notes
    assert bcf[1] == vcf[1]
    assert bcf[2] == vcf[2]
    np.testing.assert_array_equal(bcf[3], vcf[3])
    np.testing.assert_array_equal(bcf[4], vcf[4])


@needs_cyvcf2
@pytest.mark.parametrize("dosages", ["use", "round", "ignore"])
def test_haploid_calls_are_missing_whatever_their_dosages(tmp_path, dosages):
    _, path = write_both(tmp_path, [("A G", "GT:DS", "0:0 1:1 1/1:2")])
    reader, _, _, codes, fractions = read_all(path, WANTED, options=ReadOptions(dosages=dosages))
    assert codes.tolist() == [[-1], [-1], [2]]
    assert not fractions.any()
    assert reader.notes["haploid calls, taken as missing"] == 2


@needs_cyvcf2
@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32), st.sampled_from("upd"))
def test_what_is_written_is_read(n_samples, n_snps, seed, kind):
    codes = np.random.default_rng(seed).integers(-1, 3, (n_samples, n_snps)).astype(np.int8)
    samples = [f"line {at}" for at in range(n_samples)]
    calls = PHASED if kind == "p" else UNPHASED
    fields = "GT:AD:DP:GQ:PL" if kind == "d" else "GT"
    with tempfile.TemporaryDirectory() as folder:
        vcf, bcf = Path(folder) / "genotypes.vcf", Path(folder) / "genotypes.bcf"
        writer.write(vcf, samples, SNPS[:n_snps], codes, calls=calls, fields=fields)
        _, variants, found_samples, found, _ = read_all(write_bcf(bcf, vcf), WANTED)
    assert variants.candidates == SNPS[:n_snps]
    assert found_samples == samples
    np.testing.assert_array_equal(found, codes)


# --- what is refused ----------------------------------------------------------------------------


@needs_cyvcf2
@pytest.mark.parametrize(
    ("record", "error", "words"),
    [
        (("A G", "GT", "0/0 0/2 1/1"), errors.BadGenotype, "sample 'bob': found allele number 2"),
        (("A G", "GT", "0/0 0/0/2 1/1"), errors.BadGenotype, "sample 'bob': found allele number 2"),
        (("A G", "DS", "0 2.5 1"), errors.BadGenotype, "sample 'bob': found dosage 2.5"),
        (("A G,T", "DS", "0,0 1 1,1"), errors.BadGenotype, "sample 'bob': found 1 numbers"),
        (("A A", "GT", "0/0 0/0 1/1"), errors.BadVariant, "every allele once"),
        (("A G", "DP", "1 2 3"), errors.NoGenotypes, "expected the field GT"),
    ],
)
def test_records_refused(tmp_path, record, error, words):
    _, path = write_both(tmp_path, [record])
    with pytest.raises(error, match=words) as caught:
        read_all(path, WANTED)
    if error is not errors.NoGenotypes:
        assert f"{path}, record 1, variant 's1'" in caught.value.message


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param(
            gzip.decompress(bcf_without_records(HEADER)),
            errors.UnsupportedFile,
            "not compressed by bgzip",
            id="not compressed",
        ),
        pytest.param(
            gzip.compress(gzip.decompress(bcf_without_records(HEADER))),
            errors.UnsupportedFile,
            "not compressed by bgzip",
            id="gzip",
        ),
        pytest.param(b"id,s1\na,0\n", errors.NotATable, "not a BCF file", id="another file"),
        pytest.param(bgzf(HEADER.encode()), errors.NotATable, "found b'##fil'", id="VCF"),
        pytest.param(
            bcf_without_records(HEADER).removesuffix(BGZF_END),
            errors.TruncatedFile,
            "end mark",
            id="no end mark",
        ),
        pytest.param(
            bgzf(b"BCF\2\2\xff\xff\xff\xff#"), errors.TruncatedFile, "header", id="header cut"
        ),
        pytest.param(
            bcf_without_records(HEADER.replace("\tFORMAT\tann\tbob\tcyd", "")),
            errors.NoGenotypes,
            "has no samples",
            id="sites alone",
        ),
        pytest.param(
            bcf_without_records(HEADER.replace("cyd", "ann")),
            errors.DuplicateSample,
            "'ann'",
            id="sample twice",
        ),
    ],
)
def test_refused_by_the_header(tmp_path, content, error, words):
    path = tmp_path / "genotypes.bcf"
    path.write_bytes(content)
    with pytest.raises(error, match=words) as caught:
        open_genotypes(path, format="bcf")
    assert str(path) in caught.value.message


@needs_cyvcf2
def test_no_records(tmp_path):
    path = tmp_path / "genotypes.bcf"
    path.write_bytes(bcf_without_records(HEADER))
    with pytest.raises(errors.NoRows):
        read_all(path, WANTED)


def test_cyvcf2_is_named_where_it_is_missing(tmp_path, monkeypatch):
    path = tmp_path / "genotypes.bcf"
    path.write_bytes(bcf_without_records(HEADER))
    monkeypatch.setitem(sys.modules, "cyvcf2", None)
    with pytest.raises(errors.MissingPackage, match="reading BCF files needs cyvcf2") as caught:
        open_genotypes(path)
    assert caught.value.hint == 'pip install "snpredict[bcf]"'


@needs_cyvcf2
def test_cut_between_two_blocks_and_closed_again(tmp_path, capfd):
    _, path = write_both(tmp_path)
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(bgzf(content[: len(content) - 30]))
    with pytest.raises(errors.TruncatedFile, match=f"record {len(RECORDS)} cannot be read"):
        read_all(path, WANTED)
    assert capfd.readouterr().err == ""


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return write_both(tmp_path_factory.mktemp("bcf"))[1].read_bytes()


@needs_cyvcf2
@settings(max_examples=100)
@given(data=st.data())
def test_damaged_files_are_refused_or_read(content, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genotypes.bcf"
        path.write_bytes(data.draw(mutations(content)))
        try:
            *_, codes, fractions = read_all(path, WANTED, format="bcf")
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert set(np.unique(codes)) <= {-1, 0, 1, 2}
    assert ((fractions >= 0) & (fractions < 1)).all()
