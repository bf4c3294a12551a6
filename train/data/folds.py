"""Which sample is tested in which fold, and which rows train, validate and test it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.data.precision import require_scale
from train.errors import (
    ConstantPhenotype,
    NoTrainingRows,
    TrainingTableError,
)

SCHEMES = ("given", "random", "family")


@dataclass(frozen=True)
class Split:
    """Row indices of one fold, each sorted, int64, disjoint."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def folds_from_column(labels: Sequence[str]) -> np.ndarray:
    """Fold numbers as the table gives them, renumbered 1..K in ascending order.

    Raises
    ------
    TrainingTableError
        A label is not a whole number in the digits 0 to 9.
    """
    numbers = np.empty(len(labels), np.int64)
    for row, label in enumerate(labels):
        if re.fullmatch(r"[+-]?[0-9]{1,18}", label) is None:
            raise TrainingTableError(
                f"fold '{label}' in row {row + 1} of the samples is not a whole number",
                hint="Use --folds random, or name the right column with --fold-column",
            )
        numbers[row] = int(label)
    return np.unique(numbers, return_inverse=True)[1] + 1


def random_folds(n_samples: int, n_folds: int, seed: int) -> np.ndarray:
    """Folds 1..K of sizes that differ by one at most, dealt over a shuffled order.

    Raises
    ------
    TrainingTableError
        Fewer than two samples for every fold: a correlation needs two.
    """
    if n_samples < 2 * n_folds:
        raise TrainingTableError(
            f"{n_samples} samples are too few for {n_folds} folds of two or more",
            hint="Ask for fewer with --n-folds",
        )
    order = np.random.default_rng(seed).permutation(n_samples)
    folds = np.empty(n_samples, np.int64)
    folds[order] = np.arange(n_samples) % n_folds + 1
    return folds


def stratified_folds(classes: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Random folds 1..K in which every class has its share, for binary traits.

    Sizes differ by one at most, and so does each class's number of samples: the classes are dealt
    one after the other, each in a random order, over a random order of the folds.

    Parameters
    ----------
    classes : ndarray (samples,)

    Raises
    ------
    TrainingTableError
        A class has fewer samples than there are folds: figures would not exist in every fold.
    """
    names, counts = np.unique(classes, return_counts=True)
    for name, count in zip(names, counts, strict=True):
        if count < n_folds:
            raise TrainingTableError(
                f"{count} samples have the value {name:g}: too few for {n_folds} folds, each of "
                "which needs one",
                hint="Ask for fewer with --n-folds",
            )
    random = np.random.default_rng(seed)
    order = random.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(len(classes), np.int64)
    folds[order] = random.permutation(n_folds)[np.arange(len(classes)) % n_folds] + 1
    return folds


def family_folds(families: Sequence[str], n_folds: int, seed: int) -> np.ndarray:
    """Folds 1..K that keep every family whole.

    Families are shuffled, then each goes to the fold with the fewest samples so far, the large
    ones first, so that fold sizes stay even.

    Raises
    ------
    TrainingTableError
        Fewer families than folds.
    """
    names, member = np.unique(np.asarray(families, dtype=object).astype(str), return_inverse=True)
    if len(names) < n_folds:
        raise TrainingTableError(
            f"{len(names)} families cannot fill {n_folds} folds with whole families",
            hint="Ask for fewer with --n-folds, or use --folds random",
        )
    sizes = np.bincount(member)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    fold_of_family = np.empty(len(names), np.int64)
    filled = np.zeros(n_folds, np.int64)
    for family in sorted(shuffled, key=lambda f: -sizes[f]):
        smallest = int(np.argmin(filled))
        fold_of_family[family] = smallest + 1
        filled[smallest] += sizes[family]
    return fold_of_family[member]


def split(fold_of: np.ndarray, fold: int, seed: int) -> Split:
    """Rows of one fold: test = the fold, validation = the next one (the last wraps to the first).

    With two folds, validation is a seeded 20 % of the other fold.

    Parameters
    ----------
    fold_of : ndarray (samples,) of int
        Fold 1..K of every sample.

    Raises
    ------
    NoTrainingRows
        A part would be empty, or two rows do not remain to train on.
    """
    n_folds = int(fold_of.max())
    test = np.flatnonzero(fold_of == fold)
    if n_folds > 2:
        following = fold % n_folds + 1
        validation = np.flatnonzero(fold_of == following)
        train = np.flatnonzero((fold_of != fold) & (fold_of != following))
    else:
        other = np.flatnonzero(fold_of != fold)
        shuffled = np.random.default_rng([seed, fold]).permutation(other)
        held_out = max(1, len(other) // 5) if len(other) else 0
        validation, train = np.sort(shuffled[:held_out]), np.sort(shuffled[held_out:])
    parts = {"train": train, "validation": validation, "test": test}
    for name, rows in parts.items():
        if len(rows) < (2 if name == "train" else 1):
            raise NoTrainingRows(
                f"fold {fold} of {n_folds} has {len(rows)} {name} rows "
                f"(train {len(train)}, validation {len(validation)}, test {len(test)})",
                hint="Check the fold column, or let --folds random deal the folds",
            )
    return Split(train, validation, test)


def check_folds(folds: np.ndarray, phenotype: np.ndarray, seed: int) -> None:
    """Check every fold before the first one trains.

    Raises
    ------
    NoTrainingRows
        A part of a fold would be empty.
    ConstantPhenotype
        The trait does not vary in the training rows of a fold.
    TraitScale
        It varies too little for its size, or its unit is too small or too large.
    """
    for number in range(1, int(folds.max()) + 1):
        train = phenotype[split(folds, number, seed).train]
        if np.ptp(train) == 0:
            raise ConstantPhenotype(
                f"in fold {number} all {len(train)} training rows have the phenotype {train[0]:g}; "
                "expected values that differ",
                "deal other folds with --folds random",
            )
        require_scale(f"in fold {number} the training rows", train)
