"""A study of lines: LD reference and association study in one."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas", reason="needs the extra 'train'")

from snpredict.genotypes.variants import Variant
from tests.formats import plink
from train.cli import app
from train.data.genotypes import HowRead
from train.deepwas.cutting import Span
from train.deepwas.own_lines import LineFiles, read_lines_study
from train.deepwas.study import Study
from train.errors import StudyFileError

N, SNPS = 120, 60
GENES = "##gff-version 3\n1\tx\tgene\t1\t20500\t.\t+\t.\tID=g\n1\tx\tCDS\t1\t9500\t.\t+\t0\t.\n"


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Two families whose means differ by 50; SNP 7 matters within them."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    codes = random.binomial(2, 0.4, (N, SNPS)).astype(np.int8)
    codes[:, 20] = 2 * (np.arange(N) % 2)  # tells the families apart
    family = np.arange(N) % 2
    y = 50.0 * family + 2 * codes[:, 7] + random.normal(size=N)
    names = [f"L{at}" for at in range(N)]
    variants = [
        Variant(f"s{at}", f"{1 + at // 30}", 1000 * (1 + at % 30), "A", "G") for at in range(SNPS)
    ]
    plink.write_bed(tmp_path / "lines", names, variants, codes)
    rows = [f"{n}\t{v:.9g}\tF{f}" for n, v, f in zip(names, y, family, strict=True)]
    (tmp_path / "traits.tsv").write_text("line\ty\tfamily\n" + "\n".join(rows) + "\n")
    (tmp_path / "genes.gff3").write_text(GENES)
    return codes


def study(**more) -> Study:
    given = {
        "phenotypes": Path("traits.tsv"),
        "how": HowRead(),
        "annotations": (Path("genes.gff3"),),
    }
    files = LineFiles(genotypes=Path("lines.bed"), trait="y", **(given | more))
    return read_lines_study(files, lambda reader: nullcontext(lambda n: None))


def test_families_are_taken_out(lines: np.ndarray) -> None:
    found = study()
    assert len(found) == SNPS - 1  # one only tells the families apart
    assert "s20" not in found.snps.ids
    assert np.abs(found.z).argmax() == list(found.snps.ids).index("s7")
    # The others are N(0, 1) beside it.
    assert np.delete(found.z, 7).std() == pytest.approx(1, abs=0.3)
    r = found.reference.ld(Span(0, 59, 0, 59), None)
    assert np.abs(r - np.eye(59)).max() < 0.4
    plain = study(how=HowRead(family_column=None))
    assert len(plain) == SNPS
    assert np.abs(plain.z).argmax() == 20


def test_genes_annotate_them(lines: np.ndarray) -> None:
    found = study()
    assert found.names == ["coding", "exon", "gene", "gene_distance"]
    position, chromosome = found.position, found.chromosome
    one = chromosome == "1"
    np.testing.assert_array_equal(found.annotations[one, 0], position[one] <= 9500)
    np.testing.assert_array_equal(found.annotations[one, 2], position[one] <= 20500)
    assert found.annotations[one, 3].max() == pytest.approx(np.log10(1 + 30000 - 20500))


@pytest.mark.slow
def test_the_command_takes_them(lines: np.ndarray) -> None:
    pytest.importorskip("tensorflow", reason="needs the extra 'train'")
    words = (
        "deepwas run --genotypes lines.bed --phenotypes traits.tsv --trait y --unit cm "
        "--annotations genes.gff3 --core 2000 --halo 1000 --networks constant "
        "--objectives full --epochs 1 --out out"
    )
    app(words.split(), standalone_mode=False)
    assert {p.name for p in Path("out/bundles").iterdir()} == {
        "deepwas",
        "ldpred-inf",
        "ct",
        "variant-effects",
    }
    card = Path("out/bundles/deepwas/MODEL_CARD.md").read_text()
    assert "prior variances of the network 'constant'" in card


def test_what_is_refused(lines: np.ndarray) -> None:
    rows = Path("traits.tsv").read_text().splitlines(keepends=True)
    Path("few.tsv").write_text("".join(rows[:20]))
    with pytest.raises(StudyFileError, match="19 lines"):
        study(phenotypes=Path("few.tsv"))
    with pytest.raises(StudyFileError, match="no SNP varies"):
        study(maf=0.6)
