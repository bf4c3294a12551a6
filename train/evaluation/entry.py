"""What an evaluation folder says of a run's trait, for its bundle's manifest and card."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snpredict.bundle.entries import EvaluatedControl, EvaluatedModel, EvaluationEntry
from train.errors import TrainingTableError
from train.evaluation.figures import Evaluation, Interval, read_evaluation
from train.evaluation.fits import REFIT
from train.evaluation.markdown import FIGURES, title
from train.runs.data_folder import DataFolder

if TYPE_CHECKING:
    from train.runs.folder import Run


def evaluation_entry(folder: Path, run: "Run") -> EvaluationEntry:
    """The manifest's ``evaluation``: every model under every scheme, for the run's trait.

    Raises
    ------
    IncompleteRun
        It is no evaluation folder.
    TrainingTableError
        It evaluated other data, or not this run's preset.
    """
    found = read_evaluation(folder)
    trait = run.settings.trait
    network = run.settings.model
    if not _same_data(found, run):
        raise TrainingTableError(
            f"{folder} evaluates other data than {run.path} was trained on",
            f"evaluate {run.data.source}, trait '{trait}', of the same phenotypes",
        )
    if not any(key[0] == trait and key[2] == network for key in found.scores):
        raise TrainingTableError(
            f"{folder} has no result of {network} for trait '{trait}'",
            f"add it: python -m train evaluate … --models {network}",
        )
    seed = found.settings.seed
    return EvaluationEntry(
        seed=seed,
        schemes={s: found.settings.schemes[s] for s in found.schemes},
        models=tuple(
            EvaluatedModel(
                scheme=scheme,
                model=model,
                title=title(model),
                folds=len(scores.folds),
                figures={name: _numbers(scores.figure(name, seed)) for name, _, _ in FIGURES},
            )
            for (of, scheme, model), scores in sorted(
                found.scores.items(), key=lambda item: found.models.index(item[0][2])
            )
            if of == trait and not model.endswith(REFIT)
        ),
        controls=tuple(
            EvaluatedControl(
                control=control,
                scheme=scheme,
                trait=found.settings.control_trait or trait,
                pcc=round(float(values.mean()), 6),
                seeds=len(values),
            )
            for (control, scheme, model), values in sorted(found.controls.items())
            if model == network
        ),
    )


def _same_data(found: Evaluation, run: "Run") -> bool:
    trait = run.settings.trait
    if trait not in found.settings.traits or found.settings.table_sha256 != run.data.sha256:
        return False
    target = DataFolder(found.folder / "data").target(trait, None)
    return np.array_equal(target.values[target.measured, 0], run.data.phenotype)


def _numbers(interval: Interval) -> tuple[float | None, ...]:
    values = (interval.value, interval.low, interval.high)
    # More digits than the card shows: twice rounded, 0.26547 would become 0.266.
    return tuple(round(v, 6) if math.isfinite(v) else None for v in values)
