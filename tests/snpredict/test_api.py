"""The Python interface does what the commands do."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import snpredict
from snpredict.errors import UnknownModel, UnknownSnp, UsageError
from snpredict.formulas.genotypes import Genotypes
from tests.bundles import Tiny

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = Tiny(n_snps=40)
CODES = TINY.draw(5)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return snpredict.load(TINY.write(tmp_path_factory.mktemp("api") / "tiny"))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "g.tsv"
    path.write_text(TINY.table(CODES))
    return path


def test_a_file_and_its_genotypes_in_memory_are_predicted_alike(model, table):
    from_file = model.predict(table)
    assert from_file.scores.samples == ["s0", "s1", "s2", "s3", "s4"]
    for samples in (CODES, CODES.astype(np.int64), Genotypes(CODES), CODES.tolist()):
        scores = model.predict(samples)
        np.testing.assert_array_equal(scores.prediction, from_file.scores.prediction)
    real = np.where(CODES == -1, np.nan, CODES)
    np.testing.assert_array_equal(model.predict(real).folds, from_file.scores.folds)


def test_real_numbers_are_expected_genotypes(model):
    half = np.full((1, 40), 1.0)
    half[0, 3] = 0.5
    fractions = np.zeros((1, 40), np.float32)
    fractions[0, 3] = 0.5
    codes = np.ones((1, 40), np.int8)
    codes[0, 3] = 0
    expected = model.predict(Genotypes(codes, fractions))
    np.testing.assert_array_equal(model.predict(half).folds, expected.folds)


def test_options_of_a_file(model, table):
    prediction = model.predict(str(table), top=2)
    assert [len(pairs) for pairs in prediction.top] == [2] * 5
    with pytest.raises(TypeError):
        model.predict(CODES, top=2)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros((2, 39), np.int8), "found 39 SNPs, expected the model's 40"),
        (np.zeros(40, np.int8), "the shape (40,)"),
        (np.full((1, 40), "A/T"), "expected numbers"),
        (np.full((1, 40), 3), "found the genotype 3 of sample 0, SNP 0, expected -1, 0, 1 or 2"),
        (np.full((1, 40), 2.5), "expected 0 to 2 or NaN"),
        (np.full((1, 40), -1.0), "expected 0 to 2 or NaN"),
    ],
    ids=["too few SNPs", "one axis", "texts", "3 copies", "2.5 copies", "-1 as a real number"],
)
def test_arrays_that_are_no_genotypes(model, samples, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        model.predict(samples)


def test_explain_check_and_snp(model, table):
    explained = model.explain(table, "s3")
    total = explained.reference + explained.contributions.sum()
    assert total == pytest.approx(explained.prediction, rel=1e-6)
    assert len(model.check(table).samples) == 5
    assert model.snp(model.snps[7]).id == TINY.ids[7]
    with pytest.raises(UnknownSnp):
        model.snp("nothing")
    effects = model.effects()
    assert effects["snp"].to_pylist() == list(TINY.ids)
    assert effects["effect_2"][7].as_py() == pytest.approx(model.snp(TINY.ids[7]).effects["2"])
    assert repr(model) == "<Model tiny: height of 40 SNPs>"


def test_what_the_commands_write_is_a_table(model, table):
    prediction = model.predict(table, interval=None)
    assert prediction.table.column_names == list(prediction.results().flat())
    assert prediction.table["prediction"].to_pylist() == model.predict_codes(CODES).tolist()
    assert json.loads(prediction.table.schema.metadata[b"snpredict"])["trait"] == "height"
    assert prediction.match.rate == 1
    assert prediction.similarity is None  # this bundle has no table of it
    rows = model.explain(table, "s3").table
    assert rows.column_names == ["snp", "genotype", "contribution"]
    assert rows.num_rows == 40


def test_select_lists_the_best_first(model, table):
    found = snpredict.select(table, [model], best=2).table
    prediction = model.predict_codes(CODES)
    assert found["rank"].to_pylist() == [1, 2]
    assert found["prediction"].to_pylist() == sorted(prediction, reverse=True)[:2]
    assert snpredict.select(table, [model], rank=False).table["sample"].to_pylist()[0] == "s0"
    with pytest.raises(UsageError, match="found no model"):
        snpredict.select(table, [])


def test_no_such_model():
    with pytest.raises(UnknownModel):
        snpredict.load("soynam-hight")


def test_importing_the_package_is_light():
    code = "import sys, snpredict; print(*{'numpy', 'typing'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=REPOSITORY, capture_output=True)
    assert (done.stdout, done.stderr) == (b"\n", b"")
    with pytest.raises(AttributeError):
        snpredict.nothing  # noqa: B018


def test_the_examples_of_the_documentation_run(monkeypatch):
    page = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
    monkeypatch.chdir(REPOSITORY)
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S):
        exec(block, names)
    assert names["prediction"].scores.samples[:2] == ["SIM-1-01", "SIM-1-02"]


def test_the_notebook_runs(monkeypatch):
    path = REPOSITORY / "examples" / "from_python.ipynb"
    monkeypatch.chdir(path.parent)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["best"].table["rank"].to_pylist() == [1, 2, 3, 4, 5]
