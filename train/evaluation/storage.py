"""Where an evaluation's results lie, one pair of files per fold and model, and how they are read.

``predictions/SCHEME/TARGET/MODEL/fold_01.npz`` holds ``rows`` (samples,) int64 and ``predicted``
(samples, columns) float64, trait units; a trait has one column, a control one per seed.
``fold_01.json`` beside it says what was chosen and how long it took. It is written last, by a
rename: where it exists, the fold is finished.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from snpredict.files import write_file

#: Suffix of the model's name for a fit on training and validation rows.
REFIT = "+refit"


def file_name(name: str) -> str:
    """A trait's name as the name of a file: a slash in it makes no folder."""
    return quote(name, safe=" ()")


@dataclass(frozen=True)
class Target:
    """What is predicted: a trait, or a control with one column per seed.

    Attributes
    ----------
    values : ndarray (samples, columns) of float64
        NaN in rows that were not measured, in all columns alike.
    """

    name: str
    control: bool
    values: np.ndarray

    @property
    def measured(self) -> np.ndarray:
        """Rows with a value, ascending int64."""
        return np.flatnonzero(np.isfinite(self.values[:, 0]))


@dataclass(frozen=True)
class Place:
    """The result of one fold by one model for one target under one scheme."""

    folder: Path
    scheme: str
    target: str
    model: str
    fold: int

    @property
    def details(self) -> Path:
        """Its JSON file."""
        return (
            self.folder
            / "predictions"
            / self.scheme
            / file_name(self.target)
            / self.model
            / f"fold_{self.fold:02d}.json"
        )

    @property
    def is_finished(self) -> bool:
        """Whether it is on disk, whole."""
        return self.details.exists()

    def write(self, rows: np.ndarray, predicted: np.ndarray, details: dict[str, Any]) -> None:
        """Write the predictions, then the details."""
        self.details.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(self.details.with_suffix(".npz"), rows=rows, predicted=predicted)
        write_json(self.details, details)

    def read(self) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """Rows, predictions (samples, columns) and details."""
        with np.load(self.details.with_suffix(".npz")) as arrays:
            rows, predicted = arrays["rows"], arrays["predicted"]
        return rows, predicted, json.loads(self.details.read_text(encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a file that is whole or absent."""
    write_file(f"{json.dumps(value, indent=1)}\n".encode(), path)


def save_targets(folder: Path, targets: list[Target]) -> None:
    """Write every target into a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for target in targets:
        kind = "control" if target.control else "trait"
        np.save(folder / f"{kind}-{file_name(target.name)}.npy", target.values)


def load_target(folder: Path, name: str, *, control: bool) -> Target:
    """What `save_targets` wrote."""
    kind = "control" if control else "trait"
    return Target(name, control, np.load(folder / f"{kind}-{file_name(name)}.npy"))
