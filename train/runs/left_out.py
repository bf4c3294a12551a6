"""What a model is worth for families it has not seen: the same preset with whole families left out.

A second run inside the run folder, ``new_families/``, trains on the same rows, with folds of whole
families, and is continued like any run. From it a bundle gets its figures for new families and the
residuals that their intervals are made of.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snpredict.formulas.conformal import rank_of
from snpredict.intervals import METHODS, coverage_known, coverage_new
from train.data.dataset import Dataset
from train.data.folds import family_folds
from train.errors import IncompleteRun, TrainingTableError
from train.metrics import group_pearsons, pearson
from train.runs.processes import SETTINGS

if TYPE_CHECKING:
    from train.commands.summarize import Run

FOLDER = "new_families"

#: Levels whose coverage is measured and stored.
LEVELS = (0.5, 0.8, 0.9, 0.95)

_MOST_FOLDS = 10
_FEWEST_FAMILIES = 3
#: Genotype clusters per fold, where no column names the families.
_CLUSTERS_PER_FOLD = 4


def with_families(data: Dataset, seed: int) -> tuple[Dataset, str]:
    """The data with families, and where they come from: the table, or else genotype clusters."""
    if data.families is not None:
        return data, "column"
    from train.data.families import genotype_clusters

    n_clusters = min(_CLUSTERS_PER_FOLD * _MOST_FOLDS, len(data.samples) // 4)
    if n_clusters < _FEWEST_FAMILIES:
        raise TrainingTableError(
            f"{data.source} has no families, and {len(data.samples)} samples are too few to "
            "cluster by genotype",
            "leave --new-families out, or name the families with --family-column",
        )
    families = genotype_clusters(data.codes, n_clusters, seed)
    return replace(data, families=families), f"{len(set(families))} genotype clusters"


def left_out_folds(data: Dataset, seed: int) -> np.ndarray:
    """Folds 1..K of whole families: ten, or one per family where there are fewer.

    Raises
    ------
    TrainingTableError
        Fewer than three families: one to test, one to validate, one to train.
    """
    families = data.families or []
    n_families = len(set(families))
    if n_families < _FEWEST_FAMILIES:
        raise TrainingTableError(
            f"{data.source} has {n_families} families; leaving families out needs at least "
            f"{_FEWEST_FAMILIES}",
            "leave --new-families out",
        )
    return family_folds(families, min(_MOST_FOLDS, n_families), seed)


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

    def columns(self) -> dict[str, np.ndarray]:
        """What ``out_of_fold.parquet`` gets, one value per sample."""
        return {
            "family": self.family.astype(np.int32),
            "family_fold": self.fold.astype(np.int16),
            "family_residual": self.residual,
        }


def read_left_out(run: "Run") -> LeftOut | None:
    """The predictions with families left out that belong to a complete run; None without any.

    Raises
    ------
    IncompleteRun
        It was begun, and not all of its folds are finished.
    """
    from train.commands.summarize import read_run

    if run.settings["fold_scheme"] == "family":
        second = run
    elif (run.path / FOLDER / SETTINGS).exists():
        second = read_run(run.path / FOLDER)
    else:
        return None
    if not second.is_complete:
        raise IncompleteRun(
            f"{second.path}: {len(second.folds)} of {second.settings['n_folds']} folds are finished"
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
        origin=second.settings.get("families", "column"),
    )


def measured_intervals(
    residuals: np.ndarray, folds: np.ndarray, left_out: LeftOut | None, scheme: str
) -> dict[str, Any]:
    """The manifest's ``intervals``: coverage measured for each kind, null where there is none.

    Parameters
    ----------
    residuals, folds : ndarray (samples,)
        Out-of-fold residuals of the run and the folds of their samples.
    scheme : str
        Where the run's folds come from.
    """
    told: dict[str, Any] = {"known": None, "new": None}
    if scheme != "family":
        sizes = np.abs(residuals)
        told["known"] = {
            "method": METHODS["known"],
            "residuals": len(sizes),
            "coverage": {f"{level:g}": coverage_known(sizes, folds, level) for level in LEVELS},
        }
    if left_out is not None:
        told["new"] = _measured_new(left_out)
    if told["known"] is not None and left_out is not None:
        told["known"]["coverage_in_new_families"] = {
            f"{level:g}": _misused(np.abs(residuals), left_out, level) for level in LEVELS
        }
    return told


def _misused(sizes: np.ndarray, left_out: LeftOut, level: float) -> float | None:
    """What intervals for known families hold of families that were left out, mean over these."""
    rank = rank_of(level, len(sizes))
    if rank > len(sizes):
        return None
    inside = np.abs(left_out.residual) <= np.sort(sizes)[rank - 1]
    member = np.unique(left_out.family, return_inverse=True)[1]
    return float(np.mean(np.bincount(member, inside) / np.bincount(member)))


def _measured_new(left_out: LeftOut) -> dict[str, Any]:
    sizes = np.abs(left_out.residual)
    shares = {
        f"{level:g}": coverage_new(sizes, left_out.family, left_out.fold, level) for level in LEVELS
    }
    return {
        "method": METHODS["new"],
        "residuals": len(sizes),
        "families": len(np.unique(left_out.family)),
        "families_from": left_out.origin,
        "coverage": {
            level: None if share is None else float(share.mean()) for level, share in shares.items()
        },
        "coverage_by_family": {
            level: None
            if share is None
            else {
                "lowest": float(share.min()),
                "tenth": float(np.quantile(share, 0.1)),
                "sd": float(share.std(ddof=1)),
            }
            for level, share in shares.items()
        },
    }


class Groups(NamedTuple):
    """What a card calls the samples whose like was in training, and those whose was not."""

    known: str
    new: str


def groups(manifest: dict[str, Any]) -> Groups:
    """Families only where the training table names them."""
    training, new = manifest["training"], (manifest.get("intervals") or {}).get("new")
    if training["fold_scheme"] == "family":
        return Groups("left-out families", "new families")
    clusters = new is not None and new["families_from"] != "column"
    return Groups(
        "known families" if training["families"] else "the training population",
        "left-out groups of alike genotypes" if clusters else "new families",
    )


def card_lines(manifest: dict[str, Any]) -> list[str]:
    """What the model card says of families left out and of intervals."""
    figures, told, unit = manifest["metrics"], manifest["intervals"], manifest["unit"]
    names = groups(manifest)
    by_column = told["new"] is not None and told["new"]["families_from"] == "column"
    lines = []
    pooled = figures.get("new_families_pcc_pooled")
    if pooled is not None:
        inside = figures["new_families_within_family_pcc_mean"]
        left_out = (
            f"**Families that were left out** as a whole, {told['new']['families']} families from "
            "the training table: "
            if by_column
            else "**Groups of alike genotypes that were left out** as a whole, in place of "
            f"families, which the training table does not name ({told['new']['families_from']}): "
        )
        lines += [
            "",
            f"{left_out}PCC of all samples pooled {shown(pooled)}, mean PCC inside a family "
            + shown(inside)
            + f", MAE {shown(figures['new_families_mae'], 2)} {unit}."
            + (
                f" This, and not the table above, is for {names.new if by_column else 'others'}."
                if told["known"]
                else ""
            ),
        ]
    known, new = told["known"], told["new"]
    rows = [(names.known, known["coverage"])] if known else []
    if known and new:
        misused = f"those for {names.known}, used for {'new ones' if by_column else names.new}"
        rows.append((misused, known["coverage_in_new_families"]))
    rows += [(names.new, new["coverage"])] if new else []
    levels = [f"{level:g}" for level in LEVELS]
    lines += [
        "",
        "Prediction intervals (`predict --interval`), each fold's samples against intervals made "
        "without that fold:",
        "",
        "| share of the values that the intervals hold | "
        + " | ".join(f"{100 * float(level):g} %" for level in levels)
        + " |",
        "| --- |" + " --- |" * len(levels),
    ]
    for name, coverage in rows:
        cells = [
            "–" if coverage[level] is None else f"{100 * coverage[level]:.1f} %" for level in levels
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if new is not None and (by_family := new["coverage_by_family"]["0.9"]):
        lines += [
            "",
            f"In {names.new} this is an average: at level 90 % the worst "
            f"{'family' if by_column else 'group'} had "
            f"{100 * by_family['lowest']:.0f} % of its values inside, and a tenth of the "
            f"{'families' if by_column else 'groups'} less than {100 * by_family['tenth']:.0f} %.",
        ]
    elif new is None:
        others = "new families" if manifest["training"]["families"] else "other populations"
        lines += ["", f"Intervals for {others} were not made: for them, these are too short."]
    return lines


def shown(value: float | None, digits: int = 3) -> str:
    """A figure in a card."""
    # Rounded first, and 0 added: a small negative number is not "-0.00".
    return "not available" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
