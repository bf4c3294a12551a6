"""Settings on their way to a file and back, and what may differ when a folder is continued."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from snpredict.bundle.typed_json import as_json
from train.errors import IncompleteRun, SettingsChanged
from train.networks.presets import load_preset
from train.runs.settings import BundleSettings, EvaluationSettings, RunSettings

RUN = RunSettings(
    trait="height",
    unit="cm",
    model="network-default",
    scheme="random",
    n_folds=3,
    fold_sizes=(4, 4, 3),
    seed=1,
    threads=2,
    software={"numpy": "2"},
    data_digest="a",
    snp_info="b",
    preset=load_preset("default"),
    bundle=BundleSettings("/models/height"),
)
EVALUATION = EvaluationSettings(
    table="t.tsv",
    table_sha256="c",
    phenotypes=None,
    phenotypes_sha256=None,
    data_digest="a",
    repeats=None,
    coding="012",
    n_samples=11,
    n_snps=5,
    missing=0.25,
    families="column 'family'",
    n_families=2,
    seed=1,
    n_folds=3,
    software={},
    traits={"height": "d"},
    units={"height": "cm"},
    schemes={"random": 3},
    control_trait=None,
)


@pytest.mark.parametrize("settings", [RUN, EVALUATION, replace(RUN, preset=None, control="x")])
def test_settings_come_back_as_they_were(tmp_path: Path, settings) -> None:
    settings.write(tmp_path)
    assert type(settings).read(tmp_path) == settings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 2}, "seed = 1; now it is 2"),
        ({"scheme": "family"}, "scheme = 'random'; now it is 'family'"),
        (
            {"preset": load_preset("default").with_alpha(0.5)},
            "preset.architecture.isru_alpha = 0.03; now it is 0.5",
        ),
        ({"data_digest": "z"}, r"with other genotypes, phenotypes.* \(data_digest differs\)"),
        ({"software": {"numpy": "3"}}, "software.numpy = '2'; now it is '3'"),
        ({"fold_sizes": (4, 3, 4)}, r"fold_sizes = \[4, 4, 3\]; now it is \[4, 3, 4\]"),
    ],
)
def test_what_a_figure_depends_on_must_not_differ(change: dict, words: str) -> None:
    with pytest.raises(SettingsChanged, match=words) as caught:
        replace(RUN, **change).require_same(Path("runs/x"), RUN, "--run-dir")
    assert caught.value.hint is not None
    assert "another --run-dir" in caught.value.hint


def test_a_bundle_may_be_named_otherwise_and_keeps_what_it_was_said_to_be() -> None:
    now = replace(RUN, bundle=BundleSettings("/models/other", licence="CC0"))
    now.require_same(Path("x"), RUN, "--run-dir")
    before = replace(RUN, bundle=BundleSettings("/models/height", source="a farm"))
    assert now.continuing(before).bundle == BundleSettings("/models/other", "CC0", "a farm")


def test_an_evaluation_may_grow_by_traits_and_schemes_but_not_change_them() -> None:
    more = replace(EVALUATION, traits={"oil": "e"}, units={"oil": "%"}, schemes={"family": 2})
    more.require_same(Path("x"), EVALUATION, "--out")
    grown = more.continuing(EVALUATION)
    assert grown.traits == {"height": "d", "oil": "e"}
    assert grown.schemes == {"random": 3, "family": 2}
    with pytest.raises(SettingsChanged, match="other values of a trait"):
        replace(EVALUATION, traits={"height": "e"}).require_same(Path("x"), EVALUATION, "--out")


def test_a_folder_of_an_earlier_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({"trait": "height", "preset": {}}))
    with pytest.raises(IncompleteRun, match="by another version of snpredict") as caught:
        RunSettings.read(tmp_path)
    assert caught.value.hint is not None
    assert "start the same command again" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        json.dumps({"layout": 2}),
        json.dumps({"layout": 2, **as_json(EVALUATION)}),
        json.dumps({"layout": 2, **as_json(RUN), "seed": "1"}),
        json.dumps({"layout": 2, **as_json(RUN), "fold_sizes": 4}),
    ],
    ids=["empty", "a list", "no settings", "of an evaluation", "wrong type", "no list"],
)
def test_what_is_not_settings_of_a_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(IncompleteRun, match="is not a run folder"):
        RunSettings.read(tmp_path)
