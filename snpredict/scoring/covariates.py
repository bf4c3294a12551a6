"""Covariates of a file's samples, from a table of their own, as a model takes them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snpredict.bundle.entries import Covariate
from snpredict.errors import BadCovariate
from snpredict.genotypes.tables.wide import WideTable
from snpredict.names import listed, short

#: Texts that stand for a missing value.
_MISSING = frozenset(("", "na", "nan", "."))


class CovariateTable:
    """A table of sample ids and covariates.

    Parameters
    ----------
    path : Path
        TSV or CSV. It may have further samples and columns.
    covariates : sequence of Covariate
        Of the model.
    id_column : str, optional
        The column of the sample ids; found by its name when left out.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file's bytes.

    Raises
    ------
    BadCovariate
        A covariate's column is not there; a value is not a number, or a category that training
        never saw.
    SnpredictError
        Whatever the reader of tables finds.
    """

    def __init__(self, path: Path, covariates: Sequence[Covariate], id_column: str | None = None):
        table = WideTable(path, id_column=id_column)
        names = [covariate.name for covariate in covariates]
        if lacking := [name for name in names if name not in table.header]:
            raise BadCovariate(
                f"{path} has no column {listed(lacking)}; found {listed(table.header, 8)}",
                f"the model takes {listed(names)}",
            )
        self.path = path
        self._row: dict[str, int] = {}
        self._texts: dict[str, list[str]] = {name: [] for name in names}
        rows: list[np.ndarray] = []
        for block in table.blocks([], columns=names):
            for at, sample in enumerate(block.samples):
                self._row[sample] = len(rows)
                for name in names:
                    self._texts[name].append(block.columns[name][at])
                values = [
                    _coded(path, sample, covariate, block.columns[covariate.name][at])
                    for covariate in covariates
                ]
                rows.append(np.concatenate(values))
        self._values = np.array(rows, np.float32)
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    def texts_of(self, sample: str) -> dict[str, str]:
        """What the table says of a sample, by the covariate's name."""
        return {name: column[self._row[sample]] for name, column in self._texts.items()}

    def of(self, samples: Sequence[str]) -> np.ndarray:
        """Rows of samples, (samples, columns) float32; NaN for a missing value.

        Raises
        ------
        BadCovariate
            A sample has no row.
        """
        lacking = [sample for sample in samples if sample not in self._row]
        if lacking:
            raise BadCovariate(
                f"{self.path} has no row for sample {short(lacking[0])}",
                "add it; NA in a column stands for a value that is not known",
            )
        return self._values[[self._row[sample] for sample in samples]]


def _coded(path: Path, sample: str, covariate: Covariate, text: str) -> np.ndarray:
    """A value as the model's inputs: a number, or an indicator per category."""
    missing = text.strip().lower() in _MISSING
    if covariate.categories is not None:
        if missing:
            return np.full(covariate.n_inputs, np.nan)
        if text not in covariate.categories:
            raise BadCovariate(
                f"{path}: covariate {covariate.name!r} of sample {short(sample)} is {short(text)}, "
                f"which training never saw; expected one of {listed(covariate.categories, 8)}",
                "write NA to predict it as the average of the training set",
            )
        return np.array([float(text == category) for category in covariate.categories])
    try:
        value = np.nan if missing else float(text)
    except ValueError:
        value = np.inf
    if np.isinf(value):
        raise BadCovariate(
            f"{path}: covariate {covariate.name!r} of sample {short(sample)} is {short(text)}; "
            "expected a number, or NA",
            "correct it",
        )
    assert covariate.mean is not None  # checked with the manifest
    assert covariate.sd is not None
    return np.array([(value - covariate.mean) / covariate.sd])
