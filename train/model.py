"""What a baseline is given, and what it hands back.

The phenotypes of the test rows are not among it: a baseline cannot look at them even by mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.data.folds import Split


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
