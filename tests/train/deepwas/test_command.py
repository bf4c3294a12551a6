"""``python -m train deepwas``: from an empty folder to priors, effects and scores."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

import pandas as pd

from snpredict import load
from snpredict.cli import app as snpredict_app
from snpredict.errors import FileNotFound, UsageError
from train.cli import app
from train.errors import SimulationError, StudyFileError

pytestmark = pytest.mark.slow

SMALL = "--variants 9000 --chromosomes 12 --reference-people 500 --new-people 200 --people 300000"


def deepwas(words: str) -> None:
    app(["deepwas", *words.split()], standalone_mode=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated study, and a run on it."""
    folder = tmp_path_factory.mktemp("deepwas")
    deepwas(f"simulate {folder}/study --seed 1 {SMALL}")
    deepwas(f"run {folder}/study --out {folder}/out --networks constant,mlp --epochs 8")
    return folder


def summary(folder: Path, name: str = "out") -> dict:
    return json.loads((folder / name / "summary.json").read_text())


def test_annotations_are_learned(folder: Path) -> None:
    found = summary(folder)
    networks = found["networks"]
    for objective in ("full", "ldsr"):
        of = networks["mlp"][objective]
        assert of["held_out_gain"] < networks["constant"][objective]["held_out_gain"] - 0.03
        assert of["correlation_with_truth"] > 0.4
        assert "correlation_with_truth" not in networks["constant"][objective]
    assert found["truth"]["held_out_gain"] < networks["mlp"]["full"]["held_out_gain"]
    assert found["windows"] == {"train": 35, "validation": 10, "held_out": 15, "gap": 0}


def test_scores_predict_new_people(folder: Path) -> None:
    r2 = summary(folder)["new_people_r2"]
    plain = max(value for name, value in r2.items() if name.startswith("C+T"))
    assert r2["truth"] > r2["constant, full"] > plain > 0.05


def test_the_bundles_are_scored_as_any_other(folder: Path) -> None:
    y = pd.read_csv(folder / "study" / "new_phenotypes.tsv", sep="\t")["trait"]
    r2 = summary(folder)["new_people_r2"]
    best = summary(folder)["best"]
    for name, of in (("deepwas", best), ("ldpred-inf", "constant, full"), ("ct", "C+T, p < 0.05")):
        model = load(folder / "out" / "bundles" / name)
        predicted = model.predict(folder / "study" / "new.bed").table["prediction"].to_pylist()
        assert np.corrcoef(predicted, y)[0, 1] ** 2 == pytest.approx(r2[of], abs=1e-4)


def test_annotate_says_what_was_learned(folder: Path) -> None:
    best = summary(folder)["best"].replace(", ", "_")
    variants = folder / "out" / "variants.parquet"
    out = folder / "annotated.parquet"
    words = f"{variants} --model {folder}/out/bundles/variant-effects --out {out}"
    snpredict_app(["annotate", *words.split()], standalone_mode=False)
    found, prior = pd.read_parquet(out), pd.read_parquet(variants)[f"log_prior_{best}"]
    np.testing.assert_allclose(np.log(found["effect_variance"] * 300_000), prior, atol=2e-3)
    size = found.filter(like="by_").abs().mean()
    assert set(size.nlargest(2).index) == {"by_annotation1", "by_log_4pq"}


def test_effects_are_as_sure_as_they_say(folder: Path) -> None:
    found = summary(folder)["calibration"]
    # Constant priors are wrong for every single variant; learned ones less so.
    learned = found["mlp, full"]
    assert learned["coverage_90"] == pytest.approx(0.9, abs=0.04)
    assert learned["called_right"] == pytest.approx(learned["called_expected"], abs=0.04)
    assert learned["slope"] == pytest.approx(1, abs=0.1)
    assert learned["r"] > found["constant, full"]["r"]


def test_effects_are_those_of_the_variants(folder: Path) -> None:
    table = pd.read_parquet(folder / "out" / "variants.parquet")
    truth = pd.read_parquet(folder / "study" / "truth.parquet").set_index("id")
    effect = truth["effect"].loc[table["id"]].to_numpy()
    assert np.corrcoef(table["effect_mlp_full"], effect)[0, 1] > 0.5
    off = table["effect_mlp_full"] - effect
    # A posterior's variance says how far it is off.
    assert (off**2).mean() == pytest.approx(table["effect_variance_mlp_full"].mean(), rel=0.2)


def test_a_run_goes_on_and_gives_the_same(folder: Path) -> None:
    before = (folder / "out" / "summary.json").read_text()
    (folder / "out" / "fits" / "mlp-ldsr-1.npz").unlink()
    deepwas(f"run {folder}/study --out {folder}/out --networks constant,mlp --epochs 8")

    def figures(text: str) -> dict:
        found = json.loads(text)
        for objectives in found["networks"].values():
            for of in objectives.values():
                del of["seconds"]
        return found

    assert figures((folder / "out" / "summary.json").read_text()) == figures(before)


def test_shuffled_annotations_tell_nothing(folder: Path) -> None:
    words = "--networks constant,linear --objectives full --epochs 4"
    deepwas(f"run {folder}/study --out {folder}/shuffled {words}")
    true = summary(folder, "shuffled")["networks"]["linear"]["full"]["held_out_gain"]
    # In the same folder: fits on other annotations are not taken for these.
    deepwas(f"run {folder}/study --out {folder}/shuffled {words} --shuffle")
    networks = summary(folder, "shuffled")["networks"]
    linear, constant = (networks[name]["full"] for name in ("linear", "constant"))
    assert linear["held_out_gain"] > true + 0.01
    assert linear["held_out_gain"] > constant["held_out_gain"] - constant["held_out_gain_se"] / 4
    # Where the first epoch was best it is a constant, which correlates with nothing.
    assert abs(linear.get("correlation_with_truth", 0.0)) < 0.1


def test_without_effects_the_prior_falls(tmp_path: Path) -> None:
    deepwas(f"simulate {tmp_path}/study --truth null {SMALL}")
    words = "--networks linear --objectives full --epochs 8"
    deepwas(f"run {tmp_path}/study --out {tmp_path}/out {words}")
    found = summary(tmp_path)
    assert abs(found["networks"]["linear"]["full"]["held_out_gain"]) < 0.005
    # ½ N h² of the study in `folder` is at Λ = 17 a variant.
    assert found["networks"]["linear"]["full"]["mean_log_prior"] < np.log(0.05)
    assert "truth" not in found


BAD = {
    "run --out out": (UsageError, "--sumstats and --reference"),
    "run here --out out": (FileNotFound, "no study.toml"),
    "run study --out out --networks forest": (UsageError, "not one of"),
    "run study --out out --objectives best": (UsageError, "not one of"),
    "run study --out out --from-snps luck": (UsageError, "--from-snps luck"),
    "run study --out out --core 0": (UsageError, "--core: found 0"),
    "run study --out out --shrink 2": (UsageError, "from 0 to 1"),
    "run study --out out --held-out 99": (StudyFileError, "chromosome 99"),
    "run study --out out --column luck": (UsageError, "WHAT=NAME"),
    "simulate study": (UsageError, "not an empty folder"),
    "simulate new --truth luck": (UsageError, "not one of"),
    "simulate new --heritability 2": (SimulationError, "between 0 and 1"),
    "simulate new --variants 100": (SimulationError, "too few"),
}


@pytest.mark.parametrize("words", BAD)
def test_what_cannot_be_done_is_refused(folder: Path, words: str, monkeypatch) -> None:
    error, text = BAD[words]
    monkeypatch.chdir(folder)
    (folder / "here").mkdir(exist_ok=True)
    with pytest.raises(error, match=text):
        deepwas(words)
