import json
import shutil

import pytest

from snpredict import errors
from snpredict.bundle.load import load_bundle


def test_list(run, terminal):
    outcome = run("models")
    assert outcome.code == 0
    assert outcome.err == ""
    (row,) = [line.split() for line in outcome.out.splitlines() if "tiny" in line]
    assert row[:6] == ["tiny", "height", "cm", "40", "3", "0.700"]


def test_piped_list_is_a_plain_table(run):
    header, *rows = [line.split("\t") for line in run("models").out.splitlines()]
    assert {len(row) for row in rows} == {len(header)}
    (row,) = [dict(zip(header, row, strict=True)) for row in rows]
    assert row == {
        **{"model": "tiny", "trait": "height", "unit": "cm", "snps": "40", "folds": "3"},
        **{"pcc_mean": "0.7", "pcc_sd": "0.02"},
        "size_bytes": str(load_bundle("tiny").size_bytes),
    }


def test_list_for_programs(run):
    (model,) = json.loads(run("models", "--json").out)
    assert model["name"] == "tiny"
    assert model["metrics"]["pcc_mean"] == 0.7
    assert model["size_bytes"] == load_bundle("tiny").size_bytes


def test_a_broken_bundle_is_a_warning(run, folder):
    broken = folder.parent / "package" / "models" / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{}")
    outcome = run("models")
    assert outcome.code == 0
    assert "tiny" in outcome.out
    assert outcome.err.startswith("warning: ")
    assert "schema_version" in outcome.err


def test_no_models(run, folder):
    shutil.rmtree(folder.parent / "package" / "models")
    outcome = run("models")
    assert outcome.code == 0
    assert "no models are installed" in outcome.err
    assert json.loads(run("models", "--json").out) == []


@pytest.mark.parametrize("by", ["name", "path"])
def test_show(run, tiny_bundle, by):
    outcome = run("models", "show", "tiny" if by == "name" else tiny_bundle)
    assert outcome.code == 0
    for words in ("height (cm)", "cross-validated PCC 0.700 ± 0.020", "fold_03", "CC0-1.0"):
        assert words in outcome.out
    assert load_bundle("tiny").digest in outcome.out


def test_show_for_programs(run):
    value = json.loads(run("models", "show", "tiny", "--json").out)
    assert value["schema_version"] == 2
    assert value["manifest_sha256"] == load_bundle("tiny").digest


def test_show_unknown(run):
    outcome = run("models", "show", "tine")
    assert outcome.code == errors.UnknownModel.exit_code
    assert "did you mean tiny" in outcome.err


def test_show_without_a_name(run):
    outcome = run("models", "show")
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
