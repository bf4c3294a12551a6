"""What a model is worth for families it has not seen: the same preset with whole families left out.

A second run inside the run folder, ``new_families/``, trains on the same rows, with folds of whole
families, and is continued like any run. From it a bundle gets its figures for new families and the
residuals that their intervals are made of.
"""

from dataclasses import dataclass

import numpy as np

from snpredict.bundle.out_of_fold import FamilyResiduals
from train.errors import IncompleteRun
from train.metrics import group_pearsons, pearson
from train.runs.folder import Run, read_run
from train.runs.settings import SETTINGS

FOLDER = "new_families"


@dataclass(frozen=True)
class LeftOut:
    """Every sample predicted by a model that was trained without its family.

    Attributes
    ----------
    family : ndarray (samples,) of int64
        Number of the family, from 1; its name stays in the run folder.
    fold : ndarray (samples,) of int64
        Families of the same number were left out together.
    predicted, observed : ndarray (samples,) of float64
        Trait units.
    origin : str
        ``"column"``, or how families were told from genotypes.
    """

    family: np.ndarray
    fold: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    origin: str

    @property
    def residual(self) -> np.ndarray:
        """Observed − predicted, (samples,) float64."""
        return self.observed - self.predicted

    def figures(self) -> dict[str, float | None]:
        """Accuracy in families that were left out, by the names of the bundle's metrics.

        The PCC inside a family is the mean over families of that of its samples' deviations, as
        in `train.evaluation.figures`.
        """
        inside = group_pearsons(self.predicted, self.observed, self.family, self.fold)
        values = np.array(list(inside.values()), np.float64)
        finite = values[np.isfinite(values)]
        pooled = pearson(self.predicted, self.observed)
        return {
            "new_families_pcc_pooled": float(pooled) if np.isfinite(pooled) else None,
            "new_families_within_family_pcc_mean": float(finite.mean()) if len(finite) else None,
            "new_families_mae": float(np.abs(self.residual).mean()),
        }

    def for_bundle(self) -> FamilyResiduals:
        """What a bundle keeps of it."""
        return FamilyResiduals(self.family, self.fold, self.residual)


def read_left_out(run: Run) -> LeftOut | None:
    """The predictions with families left out that belong to a complete run; None without any.

    Raises
    ------
    IncompleteRun
        It was begun, and not all of its folds are finished.
    """
    if run.settings.scheme == "family":
        second = run
    elif (run.path / FOLDER / SETTINGS).exists():
        second = read_run(run.path / FOLDER)
    else:
        return None
    if not second.is_complete:
        raise IncompleteRun(
            f"{second.path}: {len(second.folds)} of {second.settings.n_folds} folds are finished"
        )
    n = len(second.data.samples)
    predicted, fold = np.empty(n), np.empty(n, np.int64)
    for number, rows, values in zip(second.folds, second.rows, second.predicted, strict=True):
        predicted[rows], fold[rows] = values, number
    member = np.unique(np.array(second.data.families), return_inverse=True)[1]
    return LeftOut(
        family=member + 1,
        fold=fold,
        predicted=predicted,
        observed=second.data.phenotype,
        origin=second.settings.families or "column",
    )
