"""The interface of everything that learns, and what a model is given of a fold.

A model is an object with a name and ``fit(FoldData) -> FittedModel``; what was fitted predicts any
lines. Networks, baselines, teachers and models from outside implement it, and the evaluation, runs
and controls know nothing else of them. The targets of a fold's test rows are not in `FoldData`: a
model cannot look at them even by mistake.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.score_function import ScoreFunction
from train.data.folds import Split

#: What a target is: a number, or 0 and 1.
CONTINUOUS, BINARY = "continuous", "binary"

#: Told of every epoch: its number, from 1 (0 is the start), and its figures by name.
Record = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Inputs:
    """What may be looked at of lines whose trait is to be predicted.

    Attributes
    ----------
    genotypes : Genotypes
    covariates : ndarray (samples, covariates) of float64, or None
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
        """Genotype codes, (samples, SNPs) int8."""
        return self.genotypes.codes

    def rows(self, which: slice | np.ndarray) -> "Inputs":
        """Those lines."""
        return Inputs(
            self.genotypes.rows(which),
            None if self.covariates is None else self.covariates[which],
            None if self.families is None else self.families[which],
        )


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

    @cached_property
    def joined(self) -> tuple[Inputs, np.ndarray]:
        """Training and validation rows together, and their targets."""
        both = (self.train, self.validation)

        def together(parts: list[Any]) -> Any:
            return None if parts[0] is None else np.concatenate(parts)

        genotypes = Genotypes(
            np.concatenate([part.codes for part in both]),
            together([part.genotypes.fractions for part in both]),
        )
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

    def score_function(self) -> ScoreFunction | None:
        """The score as numbers, for exact contributions; None where the model has none."""
        return None

    def save(self, folder: Path, test: Inputs) -> dict[str, Any]:
        """Write what a bundle needs beside the predictions; nothing unless a model overrides it.

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
    """

    name: str
    title: str
    about: str
    together: bool = False
    control_seeds: int = 2
    tasks: tuple[str, ...] = (CONTINUOUS,)

    @abstractmethod
    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Learn from the training rows, and choose on the validation rows."""

    def refit(self, data: FoldData, fitted: FittedModel) -> FittedModel | None:
        """Fit again on training and validation rows with what was chosen; None if it cannot."""
        return None


# What follows is what baselines still take and give; it goes when they have the interface above.


@dataclass(frozen=True)
class FoldInput:
    """One fold of one or several targets (traits, or controls) that have the same rows.

    Attributes
    ----------
    train_codes, validation_codes, test_codes : ndarray (samples, SNPs) of int8
    train_families, validation_families, test_families : ndarray (samples,) of str
    train_targets, validation_targets : ndarray (samples, targets) of float64, trait units
    seed, threads : int
    """

    train_codes: np.ndarray
    validation_codes: np.ndarray
    test_codes: np.ndarray
    train_families: np.ndarray
    validation_families: np.ndarray
    test_families: np.ndarray
    train_targets: np.ndarray
    validation_targets: np.ndarray
    seed: int = 1
    threads: int = 1

    @staticmethod
    def of(
        codes: np.ndarray,
        families: np.ndarray,
        targets: np.ndarray,
        rows: Split,
        *,
        seed: int = 1,
        threads: int = 1,
    ) -> "FoldInput":
        """Cut one fold out of whole arrays, leaving the targets of the test rows behind."""
        return FoldInput(
            train_codes=np.asarray(codes[rows.train]),
            validation_codes=np.asarray(codes[rows.validation]),
            test_codes=np.asarray(codes[rows.test]),
            train_families=families[rows.train],
            validation_families=families[rows.validation],
            test_families=families[rows.test],
            train_targets=targets[rows.train],
            validation_targets=targets[rows.validation],
            seed=seed,
            threads=threads,
        )

    def joined(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Codes, targets and families of training and validation rows together."""
        return (
            np.concatenate([self.train_codes, self.validation_codes]),
            np.concatenate([self.train_targets, self.validation_targets]),
            np.concatenate([self.train_families, self.validation_families]),
        )


@dataclass(frozen=True)
class Fitted:
    """Predictions of the test rows.

    Attributes
    ----------
    test : ndarray (samples, targets) of float64, trait units
        By the fit on the training rows.
    refit : ndarray (samples, targets) of float64 or None
        By a fit on training and validation rows with the hyper-parameters that were chosen.
    chosen : list of dict
        Per target, what the validation rows chose.
    """

    test: np.ndarray
    refit: np.ndarray | None
    chosen: list[dict[str, Any]]


#: ``fit(fold, refit)``: choose on the validation rows, predict the test rows.
Fit = Callable[[FoldInput, bool], Fitted]


@dataclass(frozen=True)
class Baseline:
    """An entry of the registry.

    Attributes
    ----------
    name, title : str
        On the command line and in reports.
    about : str
        One sentence for the report.
    fit : callable
    together : bool
        Whether it fits many targets at about the price of one.
    control_seeds : int
        On how many of the controls' seeds it is run.
    """

    name: str
    title: str
    about: str
    fit: Fit
    together: bool
    control_seeds: int
