"""Every model is found by its name, and what is not a model is told apart in words."""

from pathlib import Path

import pytest

pytest.importorskip("lightgbm", reason="needs the extra 'train'")

from train.errors import OutsideModelError, PresetError, UnknownModelName
from train.networks.network import Network
from train.networks.presets import PRESET_FOLDER, load_preset
from train.registry import BASELINES, REFERENCE, find_model

OUTSIDE = """
from train.model import FittedModel, Model

class Fitted(FittedModel):
    chosen = [{}]
    def predict(self, inputs):
        raise NotImplementedError

class Mine(Model):
    name, title, about = "mine", "mine", "nothing"
    def fit(self, data, record=None):
        return Fitted()

class Picky(Mine):
    def __init__(self, size):
        self.size = size

class Nameless(Model):
    def fit(self, data, record=None):
        return Fitted()

OBJECT = Mine()
NUMBER = 3
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outside_models.py").write_text(OUTSIDE)
    (tmp_path / "outside_broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_goes_by_its_name(name: str) -> None:
    assert find_model(name).name == name
    assert REFERENCE in BASELINES


def test_a_network_goes_by_its_preset_or_a_file(tmp_path: Path) -> None:
    paper = find_model("network-paper")
    assert isinstance(paper, Network)
    assert paper.preset == load_preset("paper")
    own = tmp_path / "own.toml"
    own.write_text((PRESET_FOLDER / "paper.toml").read_text().replace("= 4\n", "= 5\n"))
    model = find_model(f"network-{own}")
    assert isinstance(model, Network)
    assert model.name == "network-own"
    assert model.preset.architecture != paper.preset.architecture
    # A run that was started keeps its preset, whatever becomes of the file.
    own.unlink()
    again = find_model(f"network-{own}", model.preset)
    assert isinstance(again, Network)
    assert again.preset == model.preset


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", ["Mine", "OBJECT"])
def test_a_model_from_outside_goes_by_its_module(name: str) -> None:
    assert find_model(f"outside_models:{name}").name == "mine"


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("gblub", UnknownModelName, "no model 'gblub'; known: family-mean"),
        ("network-papyrus", PresetError, "no preset 'papyrus'"),
        ("not.there:X", OutsideModelError, "there is no module 'not'"),
        ("outside_broken:X", OutsideModelError, "cannot be imported: ZeroDivisionError"),
        ("outside_models:X", OutsideModelError, "module 'outside_models' has no 'X'"),
        ("outside_models:NUMBER", OutsideModelError, "it is a int, not a train.model.Model"),
        ("outside_models:Picky", OutsideModelError, "without arguments: TypeError.*size"),
        ("outside_models:Nameless", OutsideModelError, "it has no name, title, about"),
    ],
)
def test_what_is_not_a_model_is_told_in_words(
    name: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        find_model(name)
    assert caught.value.hint  # type: ignore[attr-defined]
