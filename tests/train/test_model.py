"""Every model keeps the contract; a model that does not is told what it does not keep."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("lightgbm", reason="needs the extra 'train'")

from train.check_model import check_model
from train.errors import UnsuitableModel
from train.metrics import BINARY, CONTINUOUS
from train.model import FittedModel, FoldData, Inputs, Model, Record
from train.networks.by_preset import network_of
from train.networks.network import Network
from train.networks.presets import load_preset
from train.registry import BASELINES

pytestmark = pytest.mark.slow


def tiny(name: str) -> Network:
    """A preset's network in a few epochs and, with a hidden layer, of a few units."""
    preset = load_preset(name)
    training = replace(preset.training, epochs=min(2, preset.training.epochs))
    if name == "default":
        architecture = replace(preset.architecture, inputs=10, units=4)
        training = replace(training, virtual_lines=50)
    else:
        # The ridge start of this preset, and the dropout of the paper's.
        architecture = replace(preset.architecture, dropout=0.5)
        training = replace(training, folded=False)
    return network_of(replace(preset, architecture=architecture, training=training))


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_keep_the_contract(name: str) -> None:
    check_model(BASELINES[name])


@pytest.mark.parametrize("name", ["default", "linear"])
def test_networks_keep_the_contract(name: str) -> None:
    pytest.importorskip("tensorflow", reason="needs the extra 'train'")
    check_model(tiny(name))


class Fitted(FittedModel):
    """The mean, and a slope for the first covariate."""

    def __init__(self, mean: np.ndarray, slope: np.ndarray):
        self.mean, self.slope = mean, slope
        self.chosen = [{} for _ in mean]

    def predict(self, inputs: Inputs) -> np.ndarray:
        assert inputs.covariates is not None
        return np.clip(self.mean + inputs.covariates[:, :1] * self.slope, 0, 1)


class Toy(Model):
    """What the contract asks for, in a few lines."""

    name, title, about = "toy", "toy", "a line through one covariate"
    covariates = True
    tasks = (BINARY,)

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        assert data.train.covariates is not None
        x, y = data.train.covariates[:, :1], data.train_targets
        slope = (x - x.mean()).T @ (y - y.mean(axis=0)) / len(x) / x.var()
        return Fitted(y.mean(axis=0) - x.mean() * slope[0], slope[0])


def test_a_model_from_outside_keeps_it() -> None:
    check_model(Toy())


class Draws(Toy):
    """Draws without the seed."""

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        fitted = super().fit(data)
        assert isinstance(fitted, Fitted)
        return Fitted(fitted.mean + 0.01 * np.random.default_rng().random(), fitted.slope)


class Writes(Toy):
    """Standardises in place."""

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        data.train_targets[:] -= 0.0
        return super().fit(data)


class Peeks(Toy):
    """Predicts deviations from the mean of the lines at hand."""

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        class Relative(Fitted):
            def predict(self, inputs: Inputs) -> np.ndarray:
                found = super().predict(inputs)
                return found - found.mean() + 0.5

        fitted = super().fit(data)
        assert isinstance(fitted, Fitted)
        return Relative(fitted.mean, fitted.slope)


class Deaf(Toy):
    """Takes a covariate and does not use it."""

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        mean = data.train_targets.mean(axis=0)
        return Fitted(mean, np.zeros_like(mean))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Draws(), "with the same seed it predicts otherwise"),
        (Writes(), "a fit to arrays that are read-only fails: ValueError"),
        (Peeks(), "changes when lines are predicted alone"),
        (Deaf(), "do not move with a covariate"),
    ],
)
def test_what_is_not_kept_is_told(model: Model, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_model(model)


def test_what_a_model_cannot_learn_is_refused_in_words() -> None:
    with pytest.raises(UnsuitableModel, match="learns continuous traits, and this one is binary"):
        BASELINES["bayesr"].require(BINARY)
    with pytest.raises(UnsuitableModel, match="does not use covariates, and age, sex are given"):
        BASELINES["bayesr"].require(CONTINUOUS, ["age", "sex"])
