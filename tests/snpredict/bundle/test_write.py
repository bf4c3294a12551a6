"""A bundle is written whole or not at all, and nothing else is overwritten."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny

TINY = Tiny()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return TINY.write(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def copy(written, tmp_path):
    return shutil.copytree(written, tmp_path / "tiny")


def test_the_same_input_gives_the_same_bytes(written, tmp_path):
    again = TINY.write(tmp_path / "again")
    first = {p.relative_to(written): p.read_bytes() for p in written.rglob("*") if p.is_file()}
    second = {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}
    assert first == second


def test_a_bundle_is_replaced_by_a_whole_one(copy):
    Tiny(name="second").write(copy)
    assert load_bundle(copy).manifest.name == "second"
    assert [path.name for path in copy.parent.iterdir()] == ["tiny"]


def test_the_writer_reads_back_what_it_wrote(tmp_path):
    with pytest.raises(errors.InvalidBundle, match="found 12 rows, expected 13"):
        TINY.write(tmp_path / "b", manifest=replace(TINY.manifest(), n_snps=13))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_bundle(copy):
    with pytest.raises(errors.InvalidBundle):
        TINY.write(copy, manifest=replace(TINY.manifest(), n_snps=13))
    assert load_bundle(copy).manifest.name == "tiny"
    assert [path.name for path in copy.parent.iterdir()] == ["tiny"]


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(errors.OutputError, match="not empty"):
        TINY.write(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_is_not_replaced(tmp_path):
    (tmp_path / "b").write_text("x")
    with pytest.raises(errors.OutputError, match="not a folder"):
        TINY.write(tmp_path / "b")


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path):
    (tmp_path / "empty").mkdir()
    load_bundle(TINY.write(tmp_path / "empty"))
    load_bundle(TINY.write(tmp_path / "new" / "parents" / "b"))


def test_the_example_of_the_docs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[3] / "docs" / "bundle.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(code, {})
    folds = Scorer(load_bundle("my-score")).predict(Genotypes(np.array([[2, 1]], np.int8)))
    assert folds.tolist() == [[pytest.approx(98 + 2.5 * 1 - 1.0 * 0.82)]]
