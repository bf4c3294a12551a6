"""z-scores, LD reference and annotations lined up: alleles, strands, builds."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas", reason="needs the extra 'train'")

from snpredict.errors import NoSnpMatched
from snpredict.genotypes.spool import pack
from train.deepwas.cutting import Span
from train.deepwas.study import FROM_SNPS, Study, StudyFiles, from_snps, read_study
from train.errors import StudyFileError

#: id, position, counted, other allele of the reference; frequencies of the counted one fall.
REFERENCE = [
    ("rs1", 100, "A", "G"),
    ("rs2", 200, "A", "G"),
    ("rs3", 300, "A", "G"),
    ("rs4", 400, "A", "T"),
    ("rs5", 500, "C", "G"),
    ("rs6", 600, "A", "T"),
    ("rs7", 700, "A", "G"),
]
FREQUENCY = [0.2, 0.2, 0.2, 0.2, 0.2, 0.5, 0.2]

HEADER = "rsid\tchr\tpos\teffect_allele\tother_allele\tz\tn\teffect_allele_frequency\tinfo\n"


def reference(folder: Path, shift: int = 0) -> Path:
    random = np.random.default_rng(1)
    codes = random.binomial(2, FREQUENCY, (100, 7)).astype(np.int8)
    path = folder / "ld.bed"
    path.write_bytes(b"\x6c\x1b\x01" + pack(codes.T).tobytes())
    bim = "".join(f"1\t{v}\t0\t{p + shift}\t{a}\t{b}\n" for v, p, a, b in REFERENCE)
    path.with_suffix(".bim").write_text(bim)
    path.with_suffix(".fam").write_text("".join(f"0 p{n} 0 0 0 -9\n" for n in range(100)))
    return path


def study(folder: Path, rows: list[str], **more) -> Study:
    path = folder / "z.tsv"
    path.write_text(HEADER + "".join(row + "\n" for row in rows))
    files = StudyFiles(summary_statistics=path, reference=reference(folder), **more)
    return read_study(files)


def test_signs_follow_the_alleles(tmp_path: Path) -> None:
    found = study(
        tmp_path,
        [
            "rs1\t1\t100\tA\tG\t1\t10\t0.2\t1",
            "rs2\t1\t200\tG\tA\t1\t10\t0.8\t1",  # the other allele
            "rs3\t1\t300\tT\tC\t1\t10\t0.2\t1",  # the other strand
            "rs4\t1\t400\tA\tT\t1\t10\t0.8\t1",  # the other strand, as the frequency tells
            "rs5\t1\t500\tG\tC\t1\t10\t0.8\t1",  # the other allele, on the same strand
            "rs6\t1\t600\tA\tT\t1\t10\t0.5\t1",  # nobody knows
            "rs7\t1\t700\tA\tC\t1\t10\t0.2\t1",  # other alleles
        ],
    )
    assert list(found.snps.ids) == ["rs1", "rs2", "rs3", "rs4", "rs5"]
    np.testing.assert_array_equal(found.z, [1, -1, 1, -1, -1])
    assert any("2 kept, of which 1 turned" in note and "1 left out" in note for note in found.notes)
    assert found.match.unused == {"other alleles": 1}


def test_filters(tmp_path: Path) -> None:
    rows = ["rs1\t1\t100\tA\tG\t1\t10\t0.2\t0.5", "rs2\t1\t200\tA\tG\t1\t10\t0.2\t1"]
    found = study(tmp_path, rows, info=0.8)
    assert list(found.snps.ids) == ["rs2"]
    with pytest.raises(NoSnpMatched, match="no variant is left"):
        study(tmp_path, rows, maf=0.45)


def test_duplicates_are_left_out(tmp_path: Path) -> None:
    rows = ["rs1\t1\t100\tA\tG\t1\t10\t0.2\t1", "rs1\t1\t100\tA\tG\t2\t10\t0.2\t1"]
    found = study(tmp_path, [*rows, "rs2\t1\t200\tA\tG\t1\t10\t0.2\t1"])
    assert list(found.snps.ids) == ["rs2"]
    assert found.match.unused["several variants fit"] == 1


def test_another_build_and_strangers_are_refused(tmp_path: Path) -> None:
    rows = [
        f"{v}\t1\t{p + 7}\t{a}\t{b}\t1\t10\t{f}\t1"
        for (v, p, a, b), f in zip(REFERENCE, FREQUENCY, strict=True)
    ]
    with pytest.raises(StudyFileError, match="another build of the genome"):
        study(tmp_path, rows)
    with pytest.raises(NoSnpMatched, match="has no variant of"):
        study(tmp_path, ["x1\t5\t100\tA\tG\t1\t10\t0.2\t1"])


def test_annotations_of_the_variants_themselves(tmp_path: Path) -> None:
    rows = [f"{v}\t1\t{p}\t{a}\t{b}\t1\t10\t0.2\t1" for v, p, a, b in REFERENCE[:3]]
    found = from_snps(study(tmp_path, rows), FROM_SNPS, np.array([1.0, np.e, 2.0]))
    np.testing.assert_allclose(found["along"], [0, 0.5, 1])
    np.testing.assert_allclose(found["from_middle"], [0.5, 0, 0.5])
    np.testing.assert_allclose(found["log_variants_10kb"], np.log([3, 3, 3]))
    np.testing.assert_allclose(found["log_ld_score"][:2], [0, 1], atol=1e-6)
    assert found["log_4pq"].max() <= 0


def test_given_matrices_take_the_place_of_people(tmp_path: Path) -> None:
    """Two matrices that overlap; correlations of variants that none holds are 0."""
    from scipy import sparse

    variants = [(v, p, "A", "T" if v == "rs7" else "G") for v, p, _, _ in REFERENCE]
    for name, rows in (("a", range(5)), ("b", range(3, 7))):
        own = [variants[at] for at in rows]
        r = np.array([[0.9 ** abs(i - j) for j in rows] for i in rows])
        triangle = np.triu(r, 1) + np.eye(len(own)) / 2
        (tmp_path / "ld").mkdir(exist_ok=True)
        sparse.save_npz(tmp_path / "ld" / f"{name}.npz", sparse.csr_matrix(triangle))
        text = "rsid\tchromosome\tposition\tallele1\tallele2\n"
        text += "".join(f"{v}\t1\t{p}\t{a}\t{b}\n" for v, p, a, b in own)
        (tmp_path / "ld" / f"{name}.gz").write_text(text)
    path = tmp_path / "z.tsv"
    rows = [f"{v}\t1\t{p}\t{a}\t{b}\t1\t10\t0.2\t1\n" for v, p, a, b in variants]
    path.write_text(HEADER + "".join(rows))
    found = read_study(StudyFiles(summary_statistics=path, reference=tmp_path / "ld"))
    # rs7 is A/T, and the matrices know no frequency.
    assert list(found.snps.ids) == [v for v, *_ in REFERENCE[:6]]
    np.testing.assert_allclose(found.frequency, 0.2)
    r = found.reference.ld(Span(0, 5, 0, 2), None)
    np.testing.assert_allclose(r[0], 0.9 ** np.arange(5), rtol=1e-6)
    # The whole is mostly in a; rs6 is not.
    r = found.reference.ld(Span(0, 6, 0, 6), None)
    np.testing.assert_allclose(r[0], [*0.9 ** np.arange(5), 0], rtol=1e-6)
    assert r[5, 5] == 1
    r = found.reference.ld(Span(3, 6, 5, 6), None)
    np.testing.assert_allclose(r[0], 0.9 ** np.arange(2, -1, -1), rtol=1e-6)
    (tmp_path / "ld" / "b.npz").write_bytes(b"no matrix")
    with pytest.raises(StudyFileError, match="not a sparse matrix"):
        read_study(StudyFiles(summary_statistics=path, reference=tmp_path / "ld"))
