"""Annotations from every kind of file, looked up for a study's variants."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas", reason="needs the extra 'train'")
import pandas as pd

from snpredict.bundle.tables import SnpTable
from snpredict.errors import FileNotFound
from train.deepwas.inputs.annotations import read_annotations
from train.errors import StudyFileError

SNPS = SnpTable.of(
    ids=["rs1", "rs2", "rs3", "rs4"],
    chromosome=["1", "1", "1", "2"],
    position=[100, 200, 300, 50],
    counted_allele=["A", "C", "G", "T"],
    other_allele=["G", "T", "A", "C"],
    frequencies=np.full((4, 4), 0.25),
)
NA = float("nan")

#: Name, content, names of columns, values.
FILES = [
    ("open.bed", "chr1\t99\t199\nchr1\t150\t180\nchr9\t0\t9\n", ["open"], [[1, 0, 0, 0]]),
    ("a.bedGraph", "1\t99\t200\t0.5\n2\t0\t100\t7\n", ["a"], [[0.5, 0.5, NA, 7]]),
    (
        "x.annot",
        "CHR\tBP\tSNP\tCM\tbase\tcoding\n1\t100\trs1\t0\t1\t1\n1\t200\trs2\t0\t1\t0\n",
        ["coding"],
        [[1, 0, NA, NA]],
    ),
    (
        "alleles.tsv",
        "chromosome\tposition\ta1\ta2\tscore\n1\t100\tG\tA\t3\n1\t100\tA\tT\t9\n1\t200\tA\tT\t1\n",
        ["score"],
        [[3, NA, NA, NA]],
    ),
    ("ids.csv", "snp,score\nrs3,2\nrs4,NA\nrs1,1\n", ["score"], [[1, NA, 2, NA]]),
    (
        "genes.gff3",
        "##gff-version 3\n1\tx\tgene\t150\t250\t.\t+\t.\tID=g\n1\tx\tCDS\t190\t210\t.\t+\t0\t.\n"
        "1\tx\texon\t150\t210\t.\t+\t0\t.\n",
        ["coding", "exon", "gene", "gene_distance"],
        # 100 is 50 before 150, and 300 is 50 behind 250.
        [[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [np.log10(51), 0, np.log10(51), NA]],
    ),
]


@pytest.mark.parametrize(("name", "text", "names", "values"), FILES, ids=[f[0] for f in FILES])
def test_every_format(tmp_path: Path, name: str, text: str, names: list, values: list) -> None:
    path = tmp_path / name
    path.write_text(text)
    found = read_annotations([path], SNPS)
    assert found.names == names
    np.testing.assert_allclose(found.values.T, values, rtol=1e-6)


def test_columns_that_are_no_annotations_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.annot"
    path.write_text(FILES[2][1])
    assert "'CM', 'base'" in read_annotations([path], SNPS).notes[0]


def test_parquet_as_polyfun_has_it(tmp_path: Path) -> None:
    path = tmp_path / "annotations.1.annot.parquet"
    keys = {"SNP": ["rs2", "rs1"], "CHR": [1, 1], "BP": [200, 100], "A1": ["C", "G"]}
    table = pd.DataFrame({**keys, "A2": ["T", "A"], "c1": [1.5, 2.5], "flat": [1, 1]})
    table.to_parquet(path)
    found = read_annotations([path], SNPS)
    assert found.names == ["c1"]
    np.testing.assert_allclose(found.values[:, 0], [2.5, 1.5, NA, NA])
    assert "flat is the same for all variants" in found.notes[0]
    assert "2 of 4 variants" in found.notes[1]


def test_big_wig(tmp_path: Path) -> None:
    writer = pytest.importorskip("pyBigWig", reason="needs the extra 'deepwas'")
    path = tmp_path / "track.bw"
    with writer.open(str(path), "w") as file:
        file.addHeader([("chr1", 1000), ("chr2", 1000)])
        file.addEntries(["chr1"], [99], ends=[200], values=[2.5])
    found = read_annotations([path], SNPS)
    np.testing.assert_allclose(found.values[:, 0], [2.5, 2.5, NA, NA])
    path.write_bytes(b"no bigWig at all")
    with pytest.raises(StudyFileError, match="not a bigWig"):
        read_annotations([path], SNPS)


BAD = [
    ("a.bed", "1\t99\n", "line 1: not a row of bed"),
    ("a.bed", "1\t200\t100\n", "starts at 200 and ends at 100"),
    ("a.bed", "# nothing\n", "no interval"),
    ("a.bedGraph", "1\t0\t10\tx\n", "not a row of bedgraph"),
    ("a.bedGraph", "1\t0\t150\t1\n1\t90\t120\t2\n", "overlap at 1:91"),
    ("a.gff3", "1\tx\texon\t1\t2\t.\t+\t.\t.\n", "no feature of the kind 'gene'"),
    ("a.parquet", "PAR", "not a Parquet file"),
    ("a.tsv", "chr\tpos\n1\t100\n", "no column of annotations"),
    ("a.tsv", "gene\tscore\nx\t1\n", "neither by place nor by id"),
    ("a.tsv", "snp\tscore\nrs1\tx\nrs2\t1\n", "found 'x', expected a number"),
    ("a.tsv", "chr\tpos\tscore\n7\t100\t1\n7\t101\t2\n", "says something of none"),
    ("a.tsv", "snp\tscore\nrs1\t1\nrs2\t1\n", "the same for all variants"),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(StudyFileError, match=words) as raised:
        read_annotations([path], SNPS)
    assert name in raised.value.message


def test_one_name_twice_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_text("1\t99\t100\n")
    with pytest.raises(StudyFileError, match="is there already"):
        read_annotations([path, path], SNPS)
    with pytest.raises(FileNotFound):
        read_annotations([tmp_path / "b.bed"], SNPS)
