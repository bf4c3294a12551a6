"""Training tables in the coding −1, 0, 1: refused as in prediction, and the way out."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.errors import BadGenotype, UnclearCoding
from tests.simulated import read_table, simulate, write_table
from train.cli import app

COLUMNS = {"trait": "height", "fold_column": "fold", "family_column": "family"}

SPELLINGS = {
    "-1": str,
    "-1.0": lambda n: f"{n}.0",
    "quoted": lambda n: f'"{n}"',
    "padded": lambda n: f" {n}",
}


def less_one(table: Path, spell=str) -> Path:
    """The same lines in the coding −1, 0, 1."""
    header, *rows = table.read_text().splitlines()
    n_others = header.split("\t").index("family") + 1
    codes = {"0": spell(-1), "1": spell(0), "2": spell(1)}
    lines = [header]
    for row in rows:
        cells = row.split("\t")
        cells[n_others:] = [codes.get(cell, cell) for cell in cells[n_others:]]
        lines.append("\t".join(cells))
    path = table.with_name("less_one.tsv")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(params=[False, True], ids=["with heterozygotes", "inbred"])
def table(request, tmp_path: Path) -> Path:
    names, codes, phenotype, family = simulate(n_samples=40, n_snps=24)
    if request.param:
        codes = np.where(codes == 1, 2, codes)
    return write_table(tmp_path / "table.tsv", names, codes, phenotype, family)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_table_of_minus_one_to_one_is_refused(table: Path, spelling: str) -> None:
    with pytest.raises(UnclearCoding, match="looks like the coding -1, 0, 1") as caught:
        read_table(less_one(table, SPELLINGS[spelling]), **COLUMNS)
    assert "--coding -101" in str(caught.value.hint)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_named_it_is_the_same_data(table: Path, spelling: str) -> None:
    data = read_table(less_one(table, SPELLINGS[spelling]), coding="-101", **COLUMNS)
    assert data.digest == read_table(table, **COLUMNS).digest


def test_minus_one_is_missing_beside_a_2_or_where_it_is_said(table: Path) -> None:
    text = table.read_text()
    table.with_name("na.tsv").write_text(text.replace("\t2", "\t1"))
    expected = read_table(table.with_name("na.tsv"), **COLUMNS).digest
    table.with_name("minus.tsv").write_text(text.replace("\t2", "\t1").replace("nan", "-1"))
    with pytest.raises(UnclearCoding):
        read_table(table.with_name("minus.tsv"), **COLUMNS)
    assert read_table(table.with_name("minus.tsv"), coding="012", **COLUMNS).digest == expected
    table.with_name("twos.tsv").write_text(text.replace("nan", "-1"))
    assert read_table(table.with_name("twos.tsv"), **COLUMNS).digest == (
        read_table(table, **COLUMNS).digest
    )


def test_a_2_in_the_coding_minus_one_to_one(table: Path) -> None:
    with pytest.raises(BadGenotype, match="found '2', expected -1, 0, 1 or missing") as caught:
        read_table(table, coding="-101", **COLUMNS)
    assert "leave out --coding -101" in str(caught.value.hint)


def test_an_evaluation_takes_and_keeps_the_coding(table: Path, capsys) -> None:
    out = table.with_name("out")
    words = ["evaluate", str(less_one(table)), "--trait", "height", "--models", "gblup"]
    words += ["--folds", "random", "--n-folds", "4", "--fold", "1", "--threads", "1"]
    words += ["--out", str(out)]
    with pytest.raises(UnclearCoding):
        app(words, standalone_mode=False)
    assert not out.exists()
    app([*words, "--coding", "-101"], standalone_mode=False)
    assert json.loads((out / "settings.json").read_text())["coding"] == "-101"
    assert "note: -1, 0, 1 read as 0, 1, 2 (--coding -101)" in capsys.readouterr().err
