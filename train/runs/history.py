"""The epochs of a fold on disk, written while it trains."""

import csv
from pathlib import Path


class History:
    """Append every epoch to a CSV at once, so that a watcher can read along.

    ``mae`` and ``val_mae`` are the distances to the phenotypes of training and validation rows, in
    trait units; a taught network's ``lesson_mae`` is that to its lessons. Epoch 0 is the start.
    """

    def __init__(self, path: Path):
        self.path = path

    def __call__(self, epoch: int, figures: dict[str, float]) -> None:
        """Write one row, after the heading if it is the first."""
        row = [epoch, *(f"{value:.6g}" for value in figures.values())]
        if not self.path.exists():
            self._write(["epoch", *figures])
        self._write(row)

    def _write(self, row: list) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)
