"""What every model must keep, checked on a small invented population.

    check_model(find_model("my_package.models:MINE"))

The registered models are held to it by tests; so should be a model from outside. After
scikit-learn's ``check_estimator``.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.encoding import MISSING, channel_of
from snpredict.formulas.genotypes import Genotypes
from train.data.folds import Split, random_folds, split
from train.errors import UnsuitableModel
from train.model import FittedModel, FoldData, Inputs, Model, SingleTargetModel

N_SAMPLES, N_SNPS, N_FAMILIES = 64, 24, 4


@dataclass(frozen=True)
class Population:
    """Lines, and what they were observed to be.

    Attributes
    ----------
    inputs : Inputs
        With one covariate and families; a SNP that does not vary, and one that is never called.
    targets : ndarray (samples, 2) of float64
        The first depends on SNPs and the covariate, the second on nothing.
    rows : Split
    """

    inputs: Inputs
    targets: np.ndarray
    rows: Split

    @staticmethod
    def simulated(seed: int) -> "Population":
        """A small one."""
        random = np.random.default_rng(seed)
        codes = random.integers(0, 3, (N_SAMPLES, N_SNPS)).astype(np.int8)
        covariates = random.normal(size=(N_SAMPLES, 1))
        genetic = codes[:, 2:6] @ np.array([2.0, -1.0, 1.0, 1.0])
        noise = random.normal(size=(N_SAMPLES, 2))
        targets = np.stack([50 + genetic + covariates[:, 0], np.zeros(N_SAMPLES)], axis=1) + noise
        codes[random.random(codes.shape) < 0.05] = MISSING
        codes[:, 0], codes[:, 1] = 2, MISSING
        families = np.array([f"family {row % N_FAMILIES}" for row in range(N_SAMPLES)])
        rows = split(random_folds(N_SAMPLES, 4, seed), 1, seed)
        return Population(Inputs(Genotypes(codes), covariates, families), targets, rows)

    @property
    def test(self) -> Inputs:
        """What may be seen of the test rows."""
        return self.inputs.rows(self.rows.test)


class _Contract:
    """A model, and what it made of the population's first target."""

    def __init__(self, model: Model, seed: int):
        self.model, self.seed = model, seed
        population = Population.simulated(seed)
        if not model.covariates:
            population = replace(population, inputs=replace(population.inputs, covariates=None))
        self.population = population
        self.task = CONTINUOUS if CONTINUOUS in model.tasks else BINARY
        if self.task == BINARY:
            self.population = replace(population, targets=_halves(population.targets))

    def data(self, targets: np.ndarray | None = None, **changed: Any) -> FoldData:
        """The fold of the first target, or of others, with what is changed."""
        p = self.population
        options: dict[str, Any] = {"inputs": p.inputs, "task": self.task, **changed}
        targets = p.targets[:, :1] if targets is None else targets
        return FoldData.of(targets=targets, rows=p.rows, seed=self.seed, **options)

    @cached_property
    def fitted(self) -> FittedModel:
        """By the training and validation rows."""
        return self.model.fit(self.data())

    @cached_property
    def predicted(self) -> np.ndarray:
        """Of the test rows."""
        return self.fitted.predict(self.population.test)

    def hold(self, kept: bool, words: str) -> None:
        """Say what is not kept."""
        if not kept:
            raise AssertionError(f"model '{self.model.name}': {words}")

    def hold_predictions(self, predicted: np.ndarray, n: int, n_targets: int, of: str) -> None:
        """Shape, dtype and range."""
        self.hold(
            predicted.shape == (n, n_targets),
            f"predictions {of} have shape {predicted.shape}, expected {(n, n_targets)}",
        )
        self.hold(
            predicted.dtype == np.float64,
            f"predictions {of} are {predicted.dtype}, expected float64",
        )
        self.hold(bool(np.isfinite(predicted).all()), f"predictions {of} are not all finite")

    @contextmanager
    def words_for(self, what: str) -> Iterator[None]:
        """Let an error of the model say what it happened at."""
        try:
            yield
        except Exception as error:
            raise AssertionError(f"model '{self.model.name}': {what} fails: {error!r}") from error


def check_model(model: Model, seed: int = 1) -> None:
    """Fit a model to a small population, some four times, and look at what it does.

    Raises
    ------
    AssertionError
        Saying what the model does not keep.
    """
    contract = _Contract(model, seed)
    for check in CHECKS:
        check(contract)


def _it_says_what_it_is(c: _Contract) -> None:
    model = c.model
    for word in ("name", "title", "about"):
        c.hold(bool(isinstance(getattr(model, word, None), str)), f"{word} is not a text")
    known = (CONTINUOUS, BINARY)
    c.hold(
        bool(model.tasks) and set(model.tasks) <= set(known),
        f"tasks are {model.tasks}, expected some of {known}",
    )


def _predictions_are_numbers(c: _Contract) -> None:
    with c.words_for("a fit"):
        predicted = c.predicted
    c.hold_predictions(predicted, len(c.population.test), 1, "of one target")
    c.hold(len(c.fitted.chosen) == 1, f"chosen has {len(c.fitted.chosen)} entries for one target")
    with c.words_for("chosen as JSON"):
        json.dumps(c.fitted.chosen)
    with c.words_for("a refit"):
        again = c.model.refit(c.data(), c.fitted)
    if again is not None:
        refitted = again.predict(c.population.test)
        c.hold_predictions(refitted, len(c.population.test), 1, "by a refit")


def _seed_and_rows_decide_alone(c: _Contract) -> None:
    """Another fit: other test targets, arrays on disk that cannot be written to; the same bits."""
    targets = c.population.targets[:, :1].copy()
    targets[c.population.rows.test] = 1.0 if c.task == BINARY else 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "codes.npy"
        np.save(path, c.population.inputs.codes)
        mapped = np.load(path, mmap_mode="r")
        inputs = replace(c.population.inputs, genotypes=Genotypes(mapped))
        data, test = c.data(inputs=inputs, targets=targets), inputs.rows(c.population.rows.test)
        _lock(data, test)
        with c.words_for("a fit to arrays that are read-only"):
            again = c.model.fit(data).predict(test)
    c.hold(
        np.array_equal(again, c.predicted),
        "fitted again with the same seed it predicts otherwise; nothing differed but targets of "
        "test rows, which a model must not know",
    )


def _lines_are_predicted_one_by_one(c: _Contract) -> None:
    test = c.population.test
    order = np.random.default_rng(c.seed).permutation(len(test))
    spread = float(np.std(c.population.targets[:, 0]))
    for rows, words in ((order, "in another order"), (order[:1], "alone")):
        found = c.fitted.predict(test.rows(rows))
        c.hold(
            bool(np.allclose(found, c.predicted[rows], rtol=0, atol=1e-4 * spread)),
            f"a line's prediction changes when lines are predicted {words}",
        )


def _missing_genotypes_are_predicted(c: _Contract) -> None:
    test = c.population.test.rows(slice(0, 2))
    codes = np.full_like(test.codes, MISSING)
    predicted = c.fitted.predict(replace(test, genotypes=Genotypes(codes)))
    c.hold_predictions(predicted, 2, 1, "of lines without any genotype")


def _dosages_are_between_codes(c: _Contract) -> None:
    if not c.model.dosages:
        return
    train = c.population.inputs.genotypes
    fractions = np.where((train.codes == MISSING) | (train.codes == 2), 0, 0.3).astype(np.float32)
    with c.words_for("a fit to dosages"):
        data = c.data(
            inputs=replace(c.population.inputs, genotypes=replace(train, fractions=fractions))
        )
        predicted = c.model.fit(data).predict(c.population.test)
    c.hold_predictions(predicted, len(c.population.test), 1, "of a fit to dosages")
    test = c.population.test
    whole = replace(test.genotypes, fractions=np.zeros(test.codes.shape, np.float32))
    found = c.fitted.predict(replace(test, genotypes=whole))
    c.hold(
        bool(np.allclose(found, c.predicted, rtol=1e-5, atol=1e-6)),
        "dosages that are whole numbers are predicted otherwise than codes",
    )


def _several_targets_stand_side_by_side(c: _Contract) -> None:
    if type(c.model).fit is SingleTargetModel.fit:
        return  # It sees one at a time, which was checked.
    data = c.data(targets=c.population.targets)
    with c.words_for("a fit to two targets"):
        fitted = c.model.fit(data)
        predicted = fitted.predict(c.population.test)
    n = len(c.population.test)
    c.hold_predictions(predicted, n, 2, "of two targets")
    c.hold(len(fitted.chosen) == 2, f"chosen has {len(fitted.chosen)} entries for two targets")


def _tasks_are_kept(c: _Contract) -> None:
    for task in (CONTINUOUS, BINARY):
        if task not in c.model.tasks:
            c.hold(_refuses(c.model, task, ()), f"require() takes {task} traits")
    if BINARY in c.model.tasks:
        targets = _halves(c.population.targets[:, :1])
        with c.words_for("a fit to a binary trait"):
            data = c.data(targets=targets, task=BINARY)
            predicted = c.model.fit(data).predict(c.population.test)
        c.hold_predictions(predicted, len(c.population.test), 1, "of a binary trait")
        c.hold(
            bool((predicted >= 0).all() and (predicted <= 1).all()),
            "predictions of a binary trait are not probabilities: some lie outside 0 to 1",
        )


def _covariates_are_used_or_refused(c: _Contract) -> None:
    if not c.model.covariates:
        c.hold(_refuses(c.model, c.task, ("age",)), "require() takes covariates, fit does not")
        return
    test = c.population.test
    assert test.covariates is not None
    moved = c.fitted.predict(replace(test, covariates=test.covariates + 1))
    c.hold(not np.array_equal(moved, c.predicted), "its predictions do not move with a covariate")


def _its_score_function_is_its_prediction(c: _Contract) -> None:
    found = c.fitted.score_function()
    if found is None:
        return
    function, scale = found
    genotypes = c.population.test.genotypes
    cells = function.weights[np.arange(N_SNPS), channel_of(genotypes.codes)]
    z = function.bias + cells.sum(axis=1) + function.hidden_scores(genotypes)
    tolerance = 1e-4 * float(np.std(c.population.targets[:, 0]))
    c.hold(
        bool(np.allclose(scale.predictions(z), c.predicted, rtol=0, atol=tolerance)),
        "score_function() gives other predictions than predict()",
    )


CHECKS = (
    _it_says_what_it_is,
    _predictions_are_numbers,
    _seed_and_rows_decide_alone,
    _lines_are_predicted_one_by_one,
    _missing_genotypes_are_predicted,
    _dosages_are_between_codes,
    _several_targets_stand_side_by_side,
    _tasks_are_kept,
    _covariates_are_used_or_refused,
    _its_score_function_is_its_prediction,
)


def _refuses(model: Model, task: str, covariates: tuple[str, ...]) -> bool:
    try:
        model.require(task, covariates)
    except UnsuitableModel:
        return True
    return False


def _halves(targets: np.ndarray) -> np.ndarray:
    """1 where a target is above its median, else 0."""
    return (targets > np.median(targets, axis=0)).astype(np.float64)


def _lock(data: FoldData, test: Inputs) -> None:
    """Let nobody write to the arrays."""
    for inputs in (data.train, data.validation, test):
        for array in (inputs.codes, inputs.covariates, inputs.families):
            if array is not None:
                array.setflags(write=False)
    data.train_targets.setflags(write=False)
    data.validation_targets.setflags(write=False)
