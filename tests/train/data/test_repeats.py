"""Several rows of one line: refused, or averaged to one value per line."""

from pathlib import Path

import numpy as np
import pytest

from snpredict.errors import DuplicateSample
from tests.simulated import read_tables
from train.data.dataset import TraitTable
from train.data.phenotypes import read_phenotypes
from train.errors import NonNumericPhenotype, TrainingTableError

HEADER = ["line", "plot", "fold", "family", "height", *(f"m{n}" for n in range(1, 25))]
#: Genotypes of three lines at 24 SNPs.
GENOTYPES = {"A": "0" * 12 + "2" * 12, "B": "2" * 24, "C": "01" * 12}
ROWS = [
    ("A", "1", "1", "east", "10"),
    ("B", "2", "2", "west", "NA"),
    ("A", "3", "1", "east", "13"),
    ("C", "4", "3", "west", "7"),
    ("B", "5", "2", "west", "30"),
    ("A", "6", "1", "east", "NA"),
]


def write(path: Path, *, edit: dict[tuple[int, str], str] | None = None) -> Path:
    """The sheet, with cells changed by row and column."""
    rows = [dict(zip(HEADER, [*row, *GENOTYPES[row[0]]], strict=True)) for row in ROWS]
    for (row, column), text in (edit or {}).items():
        rows[row][column] = text
    lines = ["\t".join(HEADER), *("\t".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path, **more: object) -> TraitTable:
    options = {
        "traits": ["height"],
        "fold_column": "fold",
        "family_column": "family",
        "ignore": ("plot",),
        "repeats": "mean",
        **more,
    }
    return read_tables(path, **options)  # type: ignore[arg-type]


def test_repeated_ids_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DuplicateSample, match=r"'A' \(lines 2 and 4\)") as caught:
        read(write(tmp_path / "t.tsv"), repeats=None)
    assert "--repeats mean" in str(caught.value.hint)
    assert "several folds" in str(caught.value.hint)


def test_rows_of_a_line_become_their_mean(tmp_path: Path) -> None:
    table = read(write(tmp_path / "t.tsv"))
    assert table.samples == ["A", "B", "C"]
    assert table.values[:, 0].tolist() == [11.5, 30.0, 7.0]
    assert table.fold_labels == ["1", "2", "3"]
    assert table.families == ["east", "west", "west"]
    assert ["".join(map(str, row)) for row in table.codes] == list(GENOTYPES.values())
    assert table.notes == (
        "5 rows of 2 lines averaged to one value per line (t.tsv), such as 'A', 'B'",
    )
    assert table.dropped == 0


def test_a_line_without_any_value_is_left_out(tmp_path: Path) -> None:
    table = read(write(tmp_path / "t.tsv", edit={(4, "height"): "NA"}))
    assert table.samples == ["A", "C"]
    assert table.dropped == 1


def test_order_of_rows_changes_no_value(tmp_path: Path) -> None:
    lines = write(tmp_path / "t.tsv").read_text().splitlines()
    (tmp_path / "u.tsv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    one, two = read(tmp_path / "t.tsv"), read(tmp_path / "u.tsv")
    order = [two.samples.index(sample) for sample in one.samples]
    assert np.array_equal(one.values, two.values[order])
    assert np.array_equal(one.codes, two.codes[order])


def test_gaps_of_a_row_are_filled_and_contradictions_are_missing(tmp_path: Path) -> None:
    """Row 2 lacks m1 of A; row 5 calls m2 otherwise: one of 24, within genotyping error."""
    path = write(tmp_path / "t.tsv", edit={(2, "m1"): "NA", (5, "m2"): "2"})
    table = read(path)
    assert table.codes[0].tolist()[:3] == [0, -1, 0]
    assert "genotypes missing because rows of one line differ: 1" in table.notes[0]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            {(2, "m1"): "2", (2, "m2"): "2"},
            "3 rows of line 'A' differ in 2 of 24 genotypes that several of them call",
        ),
        ({(2, "family"): "west"}, "rows of line 'A' hold 'east' and 'west' in column 'family'"),
        ({(4, "fold"): "3"}, "rows of line 'B' hold '2' and '3' in column 'fold'"),
    ],
    ids=["genotypes", "family", "fold"],
)
def test_rows_that_contradict_each_other_are_refused(
    tmp_path: Path, edit: dict, words: str
) -> None:
    with pytest.raises(TrainingTableError, match=words):
        read(write(tmp_path / "t.tsv", edit=edit))


def test_a_slip_names_the_line_of_its_row(tmp_path: Path) -> None:
    with pytest.raises(NonNumericPhenotype, match="of sample 'B' is 'thirty'"):
        read(write(tmp_path / "t.tsv", edit={(4, "height"): "thirty"}))


def test_a_phenotype_table_may_hold_several_rows_per_line(tmp_path: Path) -> None:
    """One row per line in the genotypes, plots in the phenotypes, in another order."""
    names = HEADER[5:]
    genotypes = ["\t".join([line, *GENOTYPES[line]]) for line in "CAB"]
    (tmp_path / "g.tsv").write_text("\n".join(["\t".join(["line", *names]), *genotypes]) + "\n")
    plots = ["\t".join(row) for row in ROWS]
    (tmp_path / "p.tsv").write_text("\n".join(["\t".join(HEADER[:5]), *plots]) + "\n")
    with pytest.raises(DuplicateSample) as caught:
        read_phenotypes(tmp_path / "p.tsv")
    assert "--repeats mean" in str(caught.value.hint)
    table = read(
        tmp_path / "g.tsv", ignore=(), phenotypes=read_phenotypes(tmp_path / "p.tsv", repeats=True)
    )
    assert table.samples == ["C", "A", "B"]
    assert table.values[:, 0].tolist() == [7.0, 11.5, 30.0]
    assert table.families == ["west", "east", "west"]
    assert table.fold_labels == ["3", "1", "2"]
    assert table.notes == (
        "5 rows of 2 lines averaged to one value per line (p.tsv), such as 'A', 'B'",
    )


def test_plots_in_both_tables_are_one_line_each(tmp_path: Path) -> None:
    write(tmp_path / "t.tsv")
    plots = ["line\theight", "B\t1", "A\t2", "C\t3", "B\t5"]
    (tmp_path / "p.tsv").write_text("\n".join(plots) + "\n")
    table = read(tmp_path / "t.tsv", phenotypes=read_phenotypes(tmp_path / "p.tsv", repeats=True))
    assert table.samples == ["A", "B", "C"]
    assert table.values[:, 0].tolist() == [2.0, 3.0, 3.0]
    assert "column 'height' is in both files: taken from p.tsv" in table.notes


def test_it_is_said_where_nothing_is_repeated(tmp_path: Path) -> None:
    lines = write(tmp_path / "t.tsv").read_text().splitlines()
    (tmp_path / "u.tsv").write_text("\n".join([lines[0], lines[1], lines[4]]) + "\n")
    assert read(tmp_path / "u.tsv").notes == ("no sample has several rows: nothing was averaged",)
