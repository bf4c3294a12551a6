"""The model card says what is true of the run that it is of."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lightgbm", reason="needs the extra 'train'")

from snpredict.bundle.manifest import parse_manifest
from tests.simulated import simulate
from tests.training import train
from train.baselines.reweighted import REWEIGHTINGS, SHRINKAGE_FLOOR
from train.bundle.model_card import model_card
from train.networks.presets import Start, load_preset

pytestmark = pytest.mark.slow

MODELS = Path(__file__).parents[3] / "models"
SHIPPED = ("height", "yield", "protein", "oil")


def card_of(manifest: dict[str, Any]) -> str:
    """The card of a manifest as it stands in the file."""
    return model_card(parse_manifest(json.dumps(manifest).encode(), Path("manifest.json")))


def shipped(trait: str = "height") -> dict[str, Any]:
    return json.loads((MODELS / f"soynam-{trait}" / "manifest.json").read_text())


@pytest.mark.parametrize("trait", SHIPPED)
def test_the_shipped_cards_are_what_their_manifests_say(trait: str) -> None:
    """But for tables of the evaluation, of which the manifests hold figures rounded once more."""

    def without_tables(card: str) -> list[str]:
        before, _, rest = card.partition("## Compared with baselines")
        compared, heading, after = rest.partition("## Samples unlike the training set")
        kept = [line for line in compared.splitlines() if not line.startswith("| ")]
        return [before, *kept, heading + after]

    card = (MODELS / f"soynam-{trait}" / "MODEL_CARD.md").read_text()
    assert without_tables(card) == without_tables(card_of(shipped(trait)))


def test_a_run_without_families_has_a_card_that_knows_of_none(tmp_path: Path) -> None:
    """A wheat panel: no families, a trait that was standardised before, random folds."""
    pytest.importorskip("tensorflow", reason="needs the extra 'train'")
    names, codes, phenotype, _ = simulate(n_samples=60, n_snps=12)
    trait = (phenotype - phenotype.mean()) / phenotype.std() - 1e-4
    rows = ["\t".join(["line", "yield", *names])]
    for at, genotypes in enumerate(codes):
        cells = ["nan" if code < 0 else str(code) for code in genotypes]
        rows.append("\t".join([f"W{at}", f"{trait[at]:.8f}", *cells]))
    (tmp_path / "wheat.tsv").write_text("\n".join(rows) + "\n")
    done = train(
        *("run", "wheat.tsv", "--trait", "yield", "--unit", "SD", "--preset", "gblup"),
        *("--folds", "random", "--n-folds", 2, "--jobs", 1, "--threads", 1, "--out", "wheat"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "wheat" / "MODEL_CARD.md").read_text()
    assert "- yield: standardised already (mean 0, SD 1)" in card
    assert not re.search(r"-0\.0+\b", card)
    # Only what is said of other populations may name families.
    assert not re.search("famil|sibling", card, re.IGNORECASE)
    assert "| the training population | 50.0 %" in card or "| the training population | " in card
    assert "Intervals for other populations were not made" in card
    assert "from the same population as those trained on" in card


def test_groups_of_genotypes_in_place_of_families_are_called_so() -> None:
    manifest = shipped()
    manifest["training"]["families"] = None
    manifest["intervals"]["new"]["families_from"] = "39 genotype clusters"
    manifest["evaluation"] = None
    card = card_of(manifest)
    assert "**Groups of alike genotypes that were left out** as a whole" in card
    assert "which the training table does not name (39 genotype clusters)" in card
    assert "| of left-out groups of alike genotypes | flagged | " in card
    assert "known famil" not in card
    assert "new famil" not in card
    assert "sibling" not in card


def test_folds_of_whole_families_are_no_known_families() -> None:
    manifest = shipped()
    manifest["training"]["fold_scheme"] = "family"
    manifest["intervals"]["known"] = None
    del manifest["similarity"]["errors_new_families"]
    card = card_of(manifest)
    assert "| of left-out families | flagged | " in card
    assert "known famil" not in card
    assert "siblings of every sample" not in card


@pytest.mark.parametrize(
    ("mean", "sd", "text"),
    [
        (98.0712, 9.5397, "height: mean 98.07 cm, SD 9.54 cm"),
        (-0.001, 3.0, "height: mean 0.00 cm, SD 3.00 cm"),
        (-1e-9, 1.0, "height: standardised already (mean 0, SD 1)"),
        (0.00371, 0.000512, "height: mean 0.003710 cm, SD 0.000512 cm"),
    ],
    ids=["as usual", "no minus zero", "standardised", "small"],
)
def test_mean_and_spread_of_the_trait(mean: float, sd: float, text: str) -> None:
    manifest = shipped()
    manifest["training"] |= {"phenotype_mean": mean, "phenotype_sd": sd}
    assert f"- {text}\n" in card_of(manifest)


@pytest.mark.parametrize(
    ("preset", "words", "not_words"),
    [
        ("default", "chosen by looking at test figures of the given folds", "validation figures"),
        ("linear", "chosen by validation figures of the given folds", "looking at test figures"),
        ("mine", "which chooses its settings.\n", "SoyNAM data,"),
    ],
)
def test_a_card_says_how_its_preset_was_chosen(preset: str, words: str, not_words: str) -> None:
    manifest = copy.deepcopy(shipped())
    manifest["preset"]["name"] = preset
    card = card_of(manifest)
    assert words in card
    assert not_words not in card


def test_the_reweighted_ridge_is_the_start_of_linear_and_not_of_default() -> None:
    linear, reweighted, default = (load_preset(n) for n in ("linear", "reweighted", "default"))
    assert linear.start == reweighted.start == Start("ridge", REWEIGHTINGS, SHRINKAGE_FLOOR)
    assert linear.start != default.start
    assert linear.architecture == reweighted.architecture
    assert reweighted.training.epochs == 0
    assert "preset linear" in reweighted.description


def test_numbers_of_a_card_are_never_minus_zero() -> None:
    manifest = shipped()
    for fold in manifest["folds"]:
        fold["metrics"] = dict.fromkeys(fold["metrics"], -1e-9)
    manifest["metrics"] = {
        name: None if value is None else -1e-9 for name, value in manifest["metrics"].items()
    }
    manifest["evaluation"] = None
    assert np.all([not cell.startswith("-0") for cell in card_of(manifest).split()])
