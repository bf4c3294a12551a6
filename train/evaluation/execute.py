"""The fits of an evaluation, in processes, every result on disk as it ends."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from snpredict.choices import CODINGS
from snpredict.formulas.genotypes import Genotypes
from train.data.dataset import TraitTable
from train.data.folds import split
from train.evaluation.setup import EvaluateOptions, Prepared
from train.evaluation.storage import REFIT, Place, Target, file_name, load_target
from train.model import FoldData, Inputs
from train.networks.presets import Preset
from train.registry import BASELINES
from train.runs.folder import fold_folder, fold_result, fold_sizes, is_finished, prepare
from train.runs.orphans import end_with_parent
from train.runs.processes import run_folds
from train.runs.progress import FitsLeft
from train.runs.settings import RunSettings
from train.runtime import software_versions


@dataclass(frozen=True)
class Task:
    """One fit: a baseline on one fold, for the targets that it still lacks."""

    scheme: str
    fold: int
    model: str
    traits: tuple[str, ...]
    controls: tuple[str, ...]
    refit: bool


def baseline_tasks(o: EvaluateOptions, prepared: Prepared) -> Iterator[Task]:
    """Fits that are not on disk, fold by fold, so that the models of a fold end together."""
    for scheme, assignment in prepared.folds.items():
        for fold in o.wanted_folds(int(assignment.max())):
            for model in o.models:
                if model not in BASELINES:
                    continue
                names: dict[bool, list[str]] = {False: [], True: []}
                for target in prepared.targets.values():
                    variants = [model, model + REFIT] if o.refit and not target.control else [model]
                    places = [Place(o.out, scheme, target.name, v, fold) for v in variants]
                    if not all(place.is_finished for place in places):
                        names[target.control].append(target.name)
                if not (names[False] or names[True]):
                    continue
                if BASELINES[model].together:
                    yield Task(
                        scheme, fold, model, tuple(names[False]), tuple(names[True]), o.refit
                    )
                    continue
                for trait in names[False]:
                    yield Task(scheme, fold, model, (trait,), (), o.refit)
                for control in names[True]:
                    yield Task(scheme, fold, model, (), (control,), o.refit)


def run_tasks(
    o: EvaluateOptions, tasks: list[Task], command: int, left: FitsLeft, console: Console
) -> None:
    """Fit the baselines' `tasks`, `o.jobs` at a time."""
    if not tasks:
        return
    work = [(o.out, task, o.seed, o.threads, command) for task in tasks]
    with _counting(console, len(tasks), left) as tell:
        if o.jobs == 1:
            for item in work:
                tell(*run_task(item))
            return
        with worker_pool(o.jobs) as pool:
            for done in pool.imap_unordered(run_task, work):
                tell(*done)


def worker_pool(jobs: int) -> Pool:
    """Processes that fit, none of which outlives this one."""
    # A fresh interpreter each: a forked one inherits the locks of numpy's threads.
    return multiprocessing.get_context("spawn").Pool(jobs, end_with_parent, (os.getpid(),))


def run_task(work: tuple[Path, Task, int, int, int]) -> tuple[Task, float]:
    """Fit one task and write its results; the work is (folder, task, seed, threads, command).

    Returns
    -------
    (task, seconds)
    """
    from threadpoolctl import threadpool_limits

    folder, task, seed, threads, command = work
    began = time.perf_counter()
    data = folder / "data"
    codes = np.load(data / "codes.npy", mmap_mode="r")
    families = np.load(data / "families.npy")
    assignment = np.load(data / f"folds-{task.scheme}.npy")
    baseline = BASELINES[task.model]
    targets = [load_target(data, name, control=False) for name in task.traits]
    for name in task.controls:
        control = load_target(data, name, control=True)
        targets.append(replace(control, values=control.values[:, : baseline.control_seeds]))

    # Targets that were measured in the same rows share everything but their own column.
    by_rows: dict[bytes, list[Target]] = {}
    for target in targets:
        by_rows.setdefault(target.measured.tobytes(), []).append(target)
    with threadpool_limits(threads):
        for group in by_rows.values():
            started = time.perf_counter()
            measured = group[0].measured
            part = split(assignment[measured], task.fold, seed)
            rows = replace(
                part,
                train=measured[part.train],
                validation=measured[part.validation],
                test=measured[part.test],
            )
            columns = np.concatenate([target.values for target in group], axis=1)
            refit = task.refit and not all(target.control for target in group)
            inputs = Inputs(Genotypes(codes), families=families)
            fold = FoldData.of(inputs, columns, rows, seed=seed, threads=threads, fold=task.fold)
            test = inputs.rows(rows.test)
            fitted = baseline.fit(fold)
            predicted = fitted.predict(test)
            again = baseline.refit(fold, fitted) if refit else None
            predicted_again = None if again is None else again.predict(test)
            details = {
                "n_train": len(rows.train),
                "n_validation": len(rows.validation),
                "n_test": len(rows.test),
                "threads": threads,
                "command": command,
                # Shared among the targets, so that seconds add up to the time it took.
                "seconds": round((time.perf_counter() - started) / len(group), 3),
            }
            first = 0
            for target in group:
                these = slice(first, first + target.values.shape[1])
                first = these.stop
                mine = {**details, "chosen": fitted.chosen[these]}
                place = Place(folder, task.scheme, target.name, task.model, task.fold)
                place.write(rows.test, predicted[:, these], mine)
                if predicted_again is not None and not target.control:
                    refitted = replace(place, model=task.model + REFIT)
                    refitted.write(rows.test, predicted_again[:, these], {**mine, "seconds": 0.0})
    return task, time.perf_counter() - began


@contextmanager
def _counting(
    console: Console, total: int, left: FitsLeft
) -> Iterator[Callable[[Task, float], None]]:
    """A bar on a terminal, elsewhere a line per fit."""
    if console.is_terminal:
        columns = (SpinnerColumn(), *Progress.get_default_columns()[:2], TimeElapsedColumn())
        with Progress(*columns, TextColumn("{task.fields[left]}"), console=console) as bar:
            shown = bar.add_task("fitting", total=total, left="")

            def move(task: Task, seconds: float) -> None:
                left.finished(task.model, seconds)
                what = f"{task.scheme} fold {task.fold} {task.model}"
                bar.update(shown, advance=1, description=what, left=left.text())

            yield move
        return
    done = 0

    def tell(task: Task, seconds: float) -> None:
        nonlocal done
        done += 1
        left.finished(task.model, seconds)
        names = ", ".join((*task.traits, *task.controls))
        console.print(
            f"{task.scheme} fold {task.fold}, {task.model} ({names}): {seconds:.1f} s; "
            f"{done}/{total}, {left.text()}",
            soft_wrap=True,
        )

    yield tell


@dataclass(frozen=True)
class NetworkTask:
    """The folds of one target that a preset's network still lacks under a scheme."""

    scheme: str
    target: Target
    model: str
    preset: Preset
    lacking: list[int]


def network_tasks(
    o: EvaluateOptions, prepared: Prepared, presets: dict[str, Preset]
) -> Iterator[NetworkTask]:
    """Networks with folds that are not on disk."""
    for model, preset in presets.items():
        for scheme, assignment in prepared.folds.items():
            wanted = o.wanted_folds(int(assignment.max()))
            for target in prepared.targets.values():
                places = {fold: Place(o.out, scheme, target.name, model, fold) for fold in wanted}
                lacking = [fold for fold, place in places.items() if not place.is_finished]
                if lacking:
                    yield NetworkTask(scheme, target, model, preset, lacking)


def run_network(
    o: EvaluateOptions,
    table: TraitTable,
    prepared: Prepared,
    task: NetworkTask,
    command: int,
    left: FitsLeft,
    console: Console,
) -> None:
    """Train a preset's folds in processes of their own."""
    from train.data.snpinfo import info_from_names
    from train.runs.progress import watching

    info = info_from_names(table.snps)
    target, scheme = task.target, task.scheme
    run = o.out / "networks" / file_name(task.preset.name) / scheme / file_name(target.name)
    trait = (prepared.settings.control_trait or "") if target.control else target.name
    unit = prepared.settings.units.get(trait, "")
    # The first seed of a control: a network takes too long for twenty.
    data = replace(table.dataset(trait), phenotype=target.values[target.measured, 0])
    assignment = prepared.folds[scheme][target.measured]
    settings = RunSettings(
        trait=trait,
        unit=unit,
        model=task.model,
        preset=task.preset,
        scheme=scheme,
        n_folds=int(assignment.max()),
        fold_sizes=fold_sizes(assignment),
        seed=o.seed,
        threads=o.threads,
        software=software_versions(),
        families="column" if data.families is not None else None,
        control=target.name if target.control else None,
        repeats=o.repeats,
        coding=o.coding or CODINGS[0],
        data_digest=data.digest,
        snp_info=info.digest,
    )
    prepare(run, data, assignment, settings, info)
    try:
        title = f"{scheme}, {target.name}, {task.model}"
        words = left.of_folds(task.model)
        with watching(console, title, unit, words) as watch:
            run_folds(run, task.lacking, jobs=o.jobs, watch=watch)
    finally:
        for fold in task.lacking:
            if is_finished(run, fold):
                place = Place(o.out, scheme, target.name, task.model, fold)
                _take_over(run, fold, place, target.measured, command)


def _take_over(run: Path, fold: int, place: Place, measured: np.ndarray, command: int) -> None:
    """Copy a network's predictions of one fold to the place of the other models' predictions."""
    with np.load(fold_folder(run, fold) / "predictions.npz") as arrays:
        rows, predicted = measured[arrays["rows"]], arrays["predicted"]
    result = fold_result(run, fold)
    details = {
        **{key: result[key] for key in ("n_train", "n_validation", "n_test", "seconds")},
        "threads": RunSettings.read(run).threads,
        "command": command,
        "chosen": [{"best_epoch": result["best_epoch"], **result["chosen"]}],
    }
    place.write(rows, predicted[:, None], details)
