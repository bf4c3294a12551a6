"""Training tables: what is read, what is left out, what is refused."""

from pathlib import Path

import numpy as np
import pytest

from tests.simulated import read_table, simulate, write_table
from train.data.controls import with_control
from train.errors import ConstantPhenotype, NonNumericPhenotype, TrainingTableError

COLUMNS = {"trait": "height", "fold_column": "fold", "family_column": "family"}


@pytest.fixture
def parts() -> tuple:
    return simulate(n_samples=30, n_snps=12)


def test_reads_genotypes_phenotype_folds_and_families(tmp_path: Path, parts: tuple) -> None:
    names, codes, phenotype, family = parts
    data = read_table(write_table(tmp_path / "t.tsv.gz", *parts), **COLUMNS)
    assert data.snps == names
    assert np.array_equal(data.codes, codes)
    assert np.allclose(data.phenotype, phenotype, atol=1e-4)
    assert data.families == [str(f) for f in family]
    assert data.fold_labels is not None
    assert data.fold_labels[:4] == ["1", "2", "3", "1"]


def test_samples_without_a_phenotype_are_left_out_and_counted(tmp_path: Path, parts: tuple) -> None:
    names, codes, phenotype, family = parts
    values = [float(v) for v in phenotype]
    values[3] = float("nan")
    data = read_table(write_table(tmp_path / "t.tsv", names, codes, values, family), **COLUMNS)
    assert data.dropped == 1
    assert "S003" not in data.samples
    assert len(data.samples) == 29


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda v: [5.0] * len(v), ConstantPhenotype, "value 5 everywhere"),
        (lambda v: ["NA"] * len(v), ConstantPhenotype, "no value"),
        (lambda v: ["tall", *v[1:]], NonNumericPhenotype, "'S000' is 'tall'"),
        (lambda v: ["inf", *v[1:]], NonNumericPhenotype, "'inf'"),
    ],
    ids=["constant", "all missing", "a word", "infinite"],
)
def test_a_phenotype_that_cannot_be_learned(
    tmp_path: Path, parts: tuple, change: object, error: type, words: str
) -> None:
    names, codes, phenotype, family = parts
    values = change([float(v) for v in phenotype])  # type: ignore[operator]
    path = write_table(tmp_path / "t.tsv", names, codes, values, family)
    with pytest.raises(error, match=words):
        read_table(path, **COLUMNS)


def test_an_absent_trait_column_is_named(tmp_path: Path, parts: tuple) -> None:
    path = write_table(tmp_path / "t.tsv", *parts)
    with pytest.raises(TrainingTableError, match="no column 'yield'"):
        read_table(path, trait="yield", fold_column="fold", family_column="family")


def test_shuffled_control_keeps_the_values(tmp_path: Path, parts: tuple) -> None:
    data = read_table(write_table(tmp_path / "t.tsv", *parts), **COLUMNS)
    control = with_control(data, "shuffled", seed=1)
    assert not np.array_equal(control.phenotype, data.phenotype)
    assert np.array_equal(np.sort(control.phenotype), np.sort(data.phenotype))


def test_family_control_is_constant_inside_families(tmp_path: Path, parts: tuple) -> None:
    data = read_table(write_table(tmp_path / "t.tsv", *parts), **COLUMNS)
    control = with_control(data, "family-effects", seed=1)
    for family in set(data.families or []):
        inside = control.phenotype[np.array(data.families) == family]
        assert np.ptp(inside) == 0
    assert len(np.unique(control.phenotype)) == 6
