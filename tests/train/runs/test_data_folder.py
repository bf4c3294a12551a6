"""The data of runs on disk: what comes back is what was saved, and other data are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snpredict.formulas.genotypes import Genotypes
from tests.simulated import read_tables, simulate, write_table
from train.data.dataset import TraitTable
from train.errors import SettingsChanged
from train.runs.data_folder import DataFolder, Target


@pytest.fixture
def table(tmp_path: Path) -> TraitTable:
    names, codes, phenotype, family = simulate(30, 12)
    values = [float("nan") if row % 10 == 3 else float(v) for row, v in enumerate(phenotype)]
    path = write_table(tmp_path / "t.tsv", names, codes, values, family)
    rows = path.read_text().splitlines()
    lines = [f"oil\t{rows[0]}", *(f"{at}\t{row}" for at, row in enumerate(rows[1:]))]
    path.write_text("\n".join(lines) + "\n")
    columns = {"fold_column": "fold", "family_column": "family"}
    return read_tables(path, ["height", "oil"], **columns)


def saved(folder: Path, table: TraitTable) -> DataFolder:
    data = DataFolder(folder / "data")
    data.save(table, "--out")
    for at, trait in enumerate(table.traits):
        data.save_target(Target(trait, None, table.values[:, [at]]))
    return data


def test_a_trait_with_gaps_survives_the_way_to_disk(tmp_path: Path, table: TraitTable) -> None:
    data = saved(tmp_path, table)
    for trait, n in (("height", 27), ("oil", 30)):
        found = data.dataset(data.target(trait, None), families=True)
        assert found.digest == table.dataset(trait).digest
        assert len(found.samples) == n
    without = data.dataset(data.target("oil", None), families=False)
    assert without.families is None
    assert isinstance(without.codes, np.memmap)
    assert not without.codes.flags.writeable


def test_other_data_and_other_folds_are_refused(tmp_path: Path, table: TraitTable) -> None:
    data = saved(tmp_path, table)
    saved(tmp_path, table)
    other = table.codes.copy()
    other[0, 0] = (other[0, 0] + 1) % 3
    with pytest.raises(SettingsChanged, match="other genotypes") as caught:
        saved(tmp_path, replace(table, genotypes=Genotypes(other)))
    assert caught.value.hint is not None
    assert "another --out" in caught.value.hint
    folds = np.arange(30) % 3 + 1
    data.save_folds("random", folds)
    data.save_folds("random", folds)
    assert data.folds("random").tolist() == folds.tolist()
    with pytest.raises(SettingsChanged, match=r"another assignment of folds \(random\)"):
        data.save_folds("random", folds[::-1])


def test_a_control_has_a_file_of_its_own(tmp_path: Path, table: TraitTable) -> None:
    data = saved(tmp_path, table)
    data.save_target(Target("a/b", "shuffled", np.ones((30, 2))))
    assert (tmp_path / "data" / "shuffled-a%2Fb.npy").is_file()
    assert data.target("a/b", "shuffled").name == "control shuffled"
