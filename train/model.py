"""The interface of everything that learns, and what a model is given of a fold.

A model is an object with a name and ``fit(FoldData) -> FittedModel``; what was fitted predicts any
lines. Networks, baselines, teachers and models from outside implement it, and the evaluation, runs
and controls know nothing else of them. The targets of a fold's test rows are not in `FoldData`: a
model cannot look at them even by mistake.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snpredict.bundle.manifest import CONTINUOUS
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction
from train.data.folds import Split
from train.errors import UnsuitableModel

if TYPE_CHECKING:
    from train.attribution.explained import Explained

#: Told of every epoch: its number, from 1 (0 is the start), and its figures by name.
Record = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Inputs:
    """What may be looked at of lines whose trait is to be predicted.

    Attributes
    ----------
    genotypes : Genotypes
    covariates : ndarray (samples, covariates) of float64, or None
        NaN where a line's value is missing.
    families : ndarray (samples,) of str, or None
    """

    genotypes: Genotypes
    covariates: np.ndarray | None = None
    families: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.genotypes)

    @property
    def codes(self) -> np.ndarray:
        """Genotype codes, every dosage at its nearest one, (samples, SNPs) int8."""
        return self.genotypes.nearest()

    def rows(self, which: slice | np.ndarray) -> "Inputs":
        """Those lines."""
        return Inputs(
            self.genotypes.rows(which),
            None if self.covariates is None else self.covariates[which],
            None if self.families is None else self.families[which],
        )

    def snps(self, which: np.ndarray) -> "Inputs":
        """The same lines with those SNPs alone."""
        return replace(self, genotypes=self.genotypes.snps(which))


@dataclass(frozen=True)
class FoldData:
    """One fold of one or several targets (traits, or controls) that have the same rows.

    Attributes
    ----------
    train, validation : Inputs
    train_targets, validation_targets : ndarray (samples, targets) of float64
        Trait units; 0 or 1 for a binary trait.
    seed, threads : int
    fold : int
        Its number, from 1: what draws otherwise in every fold adds it to the seed.
    task : str
        `CONTINUOUS` or `BINARY`, the same for all targets.
    """

    train: Inputs
    validation: Inputs
    train_targets: np.ndarray
    validation_targets: np.ndarray
    seed: int = 1
    threads: int = 1
    fold: int = 1
    task: str = CONTINUOUS

    @staticmethod
    def of(
        inputs: Inputs,
        targets: np.ndarray,
        rows: Split,
        *,
        seed: int = 1,
        threads: int = 1,
        fold: int = 1,
        task: str = CONTINUOUS,
    ) -> "FoldData":
        """Cut one fold out of whole arrays, leaving the test rows behind."""
        return FoldData(
            train=inputs.rows(rows.train),
            validation=inputs.rows(rows.validation),
            train_targets=targets[rows.train],
            validation_targets=targets[rows.validation],
            seed=seed,
            threads=threads,
            fold=fold,
            task=task,
        )

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return self.train_targets.shape[1]

    def target(self, at: int) -> "FoldData":
        """The same fold with the target at that place alone."""
        column = slice(at, at + 1)
        return replace(
            self,
            train_targets=self.train_targets[:, column],
            validation_targets=self.validation_targets[:, column],
        )

    @cached_property
    def joined(self) -> tuple[Inputs, np.ndarray]:
        """Training and validation rows together, and their targets."""
        both = (self.train, self.validation)

        def together(parts: list[Any]) -> Any:
            return None if parts[0] is None else np.concatenate(parts)

        genotypes = Genotypes.joined([part.genotypes for part in both])
        return (
            Inputs(
                genotypes,
                together([part.covariates for part in both]),
                together([part.families for part in both]),
            ),
            np.concatenate([self.train_targets, self.validation_targets]),
        )


class FittedModel(ABC):
    """What `Model.fit` hands back.

    Attributes
    ----------
    chosen : list of dict
        Per target, what the data chose.
    """

    chosen: list[dict[str, Any]]

    @abstractmethod
    def predict(self, inputs: Inputs) -> np.ndarray:
        """Predictions, (samples, targets) float64: trait units, or the probability of 1."""

    def score_function(self) -> tuple[ScoreFunction, TraitScale] | None:
        """The score as numbers, and what makes predictions of it, for exact contributions.

        None where the model has none. Of several targets the folds' axis is the targets'.
        """
        return None

    def explained(self) -> "tuple[Explained, Callable[[Inputs], np.ndarray]] | None":
        """The network as methods of attribution take it, and its inputs of lines.

        None where the model has none. Of several targets there is none.
        """
        return None

    def save(self, folder: Path, test: Inputs) -> dict[str, Any]:
        """Write what a bundle needs beside the predictions; nothing unless a model overrides it.

        ``model.onnx`` makes a bundle: input ``genotypes`` int8 (samples, SNPs), and of a model with
        covariates ``covariates`` float32 (samples, numbers); output ``prediction`` float32
        (samples,), in trait units or a probability. ``saliency.npz`` and ``score.npz``, see
        `train.networks.fitted`, add what `explain` shows.

        Parameters
        ----------
        folder : Path
            Of the fold; it is there.
        test : Inputs
            The fold's test rows.

        Returns
        -------
        dict
            Further entries of the fold's ``result.json``.
        """
        return {}


class Model(ABC):
    """Something that learns to predict.

    Attributes
    ----------
    name, title : str
        On the command line, and in reports.
    about : str
        One sentence for the report.
    together : bool
        Whether it fits many targets at about the price of one.
    control_seeds : int
        On how many of the controls' seeds it is run.
    tasks : tuple of str
        The kinds of traits that it can learn.
    covariates : bool
        Whether it uses covariates.
    dosages : bool
        Whether it learns from dosages and predicts them: `Inputs.genotypes` then has fractions,
        where the file has dosages. A model that does not is given the nearest codes.
    attributable : bool
        Whether what it fits is `FittedModel.explained`.
    """

    name: str
    title: str
    about: str
    together: bool = False
    control_seeds: int = 2
    tasks: tuple[str, ...] = (CONTINUOUS,)
    covariates: bool = False
    dosages: bool = False
    attributable: bool = False

    def prepare(self, threads: int) -> None:
        """Import what a fit needs, for that many threads, before its seconds are counted."""
        return

    @abstractmethod
    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Learn from the training rows, and choose on the validation rows."""

    def refit(self, data: FoldData, fitted: FittedModel) -> FittedModel | None:
        """Fit again on training and validation rows with what was chosen; None if it cannot."""
        return None

    def require(self, task: str, covariates: Sequence[str] = ()) -> None:
        """Check that it can learn such a trait from such data, before anything is fitted.

        Raises
        ------
        UnsuitableModel
            It cannot learn that kind of trait, or would not use the covariates.
        """
        if task not in self.tasks:
            raise UnsuitableModel(
                f"model '{self.name}' learns {' and '.join(self.tasks)} traits, and this one is "
                f"{task}",
                "leave the model out, or give a model that learns such traits",
            )
        if covariates and not self.covariates:
            raise UnsuitableModel(
                f"model '{self.name}' does not use covariates, and {', '.join(covariates)} "
                f"{'is' if len(covariates) == 1 else 'are'} given",
                "leave the model or the covariates out",
            )


class SingleTargetModel(Model):
    """A model that learns one target at a time; several become models side by side."""

    @abstractmethod
    def fit_one(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """`fit` for data with one target."""

    def refit_one(self, data: FoldData, fitted: FittedModel) -> FittedModel | None:
        """`refit` for data with one target."""
        return None

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Learn the targets one after the other."""
        return side_by_side([self.fit_one(part, record) for part in _single(data)])

    def refit(self, data: FoldData, fitted: FittedModel) -> FittedModel | None:
        """Fit every target again with what was chosen for it."""
        parts = fitted.parts if isinstance(fitted, SideBySide) else [fitted]
        again = [self.refit_one(d, part) for d, part in zip(_single(data), parts, strict=True)]
        found = [part for part in again if part is not None]
        return side_by_side(found) if len(found) == len(again) else None


class SideBySide(FittedModel):
    """Fitted models of one target each."""

    def __init__(self, parts: list[FittedModel]):
        self.parts = parts
        self.chosen = [chosen for part in parts for chosen in part.chosen]

    def predict(self, inputs: Inputs) -> np.ndarray:
        """Every part's predictions in a column."""
        return np.concatenate([part.predict(inputs) for part in self.parts], axis=1)


def side_by_side(parts: list[FittedModel]) -> FittedModel:
    """Models of one target each as one model; a single one stays what it is."""
    return parts[0] if len(parts) == 1 else SideBySide(parts)


def single_target(fitted: FittedModel, at: int) -> FittedModel | None:
    """The model of the target at that place by itself; None where it cannot be told apart."""
    if isinstance(fitted, SideBySide):
        return fitted.parts[at]
    return fitted if len(fitted.chosen) == 1 else None


def _single(data: FoldData) -> list[FoldData]:
    return [data.target(at) for at in range(data.n_targets)]
