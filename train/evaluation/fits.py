"""The runs of an evaluation, one per model, kind of folds and target, and the fits they lack.

A run's folder is ``runs/MODEL/SCHEME/TARGET``, of fits on training and validation rows together
``runs/MODEL+refit/…``; all share the evaluation's ``data/``.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from train.evaluation.setup import EvaluateOptions, Prepared
from train.registry import BASELINES
from train.runs.data_folder import Target, file_name
from train.runs.folder import is_finished, prepare
from train.runs.options import settings_of_run
from train.runs.tasks import Task

if TYPE_CHECKING:
    from train.runs.settings import RunSettings

#: Suffix of the model's name for a fit on training and validation rows.
REFIT = "+refit"


def run_folder(evaluation: Path, model: str, scheme: str, target: str) -> Path:
    """Where the folds of a model lie."""
    return evaluation / "runs" / file_name(model) / scheme / file_name(target)


def models_in(evaluation: Path) -> list[str]:
    """Names of the models that have runs, sorted; a refit is a model of its own."""
    folder = evaluation / "runs"
    return sorted(unquote(p.name) for p in folder.iterdir()) if folder.is_dir() else []


def prepare_runs(o: EvaluateOptions, prepared: Prepared) -> None:
    """Create the run folders, or check that those there were started the same way."""
    families = "column" if prepared.table.families is not None else prepared.settings.families
    common = {"model": "", "families": families}
    runs: dict[Path, RunSettings] = {}
    for target, (scheme, folds) in product(prepared.targets.values(), prepared.folds.items()):
        first = settings_of_run(o, prepared.table, target, folds, scheme=scheme, **common)
        for name, model in prepared.models.items():
            if first.task not in model.tasks:
                continue
            for refit in _variants(o, name, target):
                run = run_folder(o.out, name + REFIT * refit, scheme, target.name)
                data = os.path.relpath(prepared.data.path, run)
                runs[run] = replace(
                    first,
                    model=name,
                    preset=getattr(model, "preset", None),
                    refit=refit,
                    data=data,
                    # The others are not shown them.
                    covariates=first.covariates if model.covariates else (),
                )
    prepare(runs, prepared.save, "--out")


def _variants(o: EvaluateOptions, model: str, target: Target) -> list[bool]:
    """Whether a model is fitted as it is, and on training and validation rows as well."""
    refit = o.refit and model in BASELINES and target.control is None
    return [False, True] if refit else [False]


def lacking(o: EvaluateOptions, prepared: Prepared, command: int) -> Iterator[Task]:
    """Fits that are not on disk: baselines fold by fold, the others model by model."""
    baselines = [name for name in prepared.models if name in BASELINES]
    targets = list(prepared.targets.values())
    wanted = {scheme: o.wanted_folds(int(of.max())) for scheme, of in prepared.folds.items()}
    for scheme, numbers in wanted.items():
        for fold, model in product(numbers, baselines):
            yield from _tasks(o, prepared, command, scheme, fold, model, targets)
    others = [name for name in prepared.models if name not in BASELINES]
    for model, scheme in product(others, wanted):
        groups = [[target] for target in targets]
        if prepared.models[model].together:
            # Traits that share a network; a control would be a part of what it is a control of.
            traits = [target for target in targets if target.control is None]
            groups = [traits, *([target] for target in targets if target.control is not None)]
        for group, fold in product(groups, wanted[scheme]):
            yield from _tasks(o, prepared, command, scheme, fold, model, group)


def _tasks(
    o: EvaluateOptions,
    prepared: Prepared,
    command: int,
    scheme: str,
    fold: int,
    model: str,
    targets: Sequence[Target],
) -> Iterator[Task]:
    """The fits of a model on one fold, of many targets at once where it can."""
    found: dict[str, list[Path]] = {}
    learner = prepared.models[model]
    for target in targets:
        if o.task_of(target) not in learner.tasks:
            continue
        variants = _variants(o, model, target)
        names = [model + REFIT * refit for refit in variants]
        folders = [run_folder(o.out, name, scheme, target.name) for name in names]
        if not all(is_finished(folder, fold) for folder in folders):
            found[target.name] = folders
    groups = [[name] for name in found]
    if learner.together:
        tasks = {name: o.task_of(prepared.targets[name]) for name in found}
        groups = [[n for n in found if tasks[n] == task] for task in dict.fromkeys(tasks.values())]
    for group in groups:
        places = [found[name] for name in group]
        yield Task(
            runs=tuple(place[0] for place in places),
            refits=tuple(place[1] if len(place) > 1 else None for place in places),
            fold=fold,
            command=command,
            kind=model,
            what=f"{scheme} fold {fold}, {model} ({', '.join(group)})",
            unit=prepared.settings.units.get(group[0], ""),
        )
