"""The ``evaluate`` command: many models, one set of folds, every result on disk as it ends.

An evaluation folder holds ``settings.json`` (what the figures depend on; a changed one is
refused), ``data/`` (codes, targets, families, folds), ``predictions/`` (see `train.results`),
``networks/`` (run folders, see `train.crossval`), ``commands.json`` (what was run and how long it
took) and what `train.report` makes of these. More traits, schemes, models or folds may be added by
a later command; what is there is not fitted again.
"""

import hashlib
import json
import multiprocessing
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn, TimeRemainingColumn

from snpredict.encoding import MISSING
from snpredict.errors import UsageError
from snpredict.genotypes.table import WideTable
from train import crossval
from train.baselines import BASELINES, FoldInput
from train.clusters import genotype_clusters
from train.controls import CONTROLS, with_control
from train.dataset import TraitTable, file_sha256, read_phenotypes, read_traits
from train.errors import SettingsChanged, TrainingTableError, UnknownModelName
from train.fold import fold_folder, is_finished
from train.folds import family_folds, folds_from_column, random_folds, split
from train.presets import Preset, load_preset
from train.results import REFIT, SETTINGS, Place, Target, file_name, load_target, save_targets
from train.runtime import software_versions

SCHEMES = ("given", "random", "family")
#: What a model's name begins with when the rest is a preset of the network.
NETWORK = "network-"
DEFAULT_MODELS = (*BASELINES, f"{NETWORK}default")
#: Genotype clusters per fold, where no column names the families.
_CLUSTERS_PER_FOLD = 4


@dataclass(frozen=True)
class EvaluateOptions:
    """What a person asks ``python -m train evaluate`` for; see its help for each."""

    table: Path
    traits: tuple[str, ...]
    out: Path
    phenotypes: Path | None = None
    units: tuple[str, ...] = ()
    schemes: tuple[str, ...] = SCHEMES
    models: tuple[str, ...] = DEFAULT_MODELS
    only_folds: tuple[int, ...] = ()
    n_folds: int | None = None
    refit: bool = False
    controls: bool = False
    jobs: int = 1
    threads: int = 2
    seed: int = 1
    report: Path | None = None
    id_column: str | None = None
    fold_column: str = "fold"
    family_column: str = "family"
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """One fit: a baseline on one fold, for the targets that it still lacks."""

    scheme: str
    fold: int
    model: str
    traits: tuple[str, ...]
    controls: tuple[str, ...]
    refit: bool


def evaluate(options: EvaluateOptions, console: Console) -> None:
    """Fit what is missing, then write the report."""
    from train.report import write_report

    o = options
    presets = _check(o)
    console.print(f"reading {o.table}", soft_wrap=True)
    table = _read(o)
    for note in table.notes:
        console.print(f"note: {note}", soft_wrap=True)
    prepared = _prepare(o, table)
    missing = 100 * float(np.mean(table.codes == MISSING))
    console.print(
        f"{len(table.samples)} samples × {len(table.snps)} SNPs, {missing:.1f} % missing, "
        f"families: {prepared.settings['families']}",
        soft_wrap=True,
    )

    began = time.perf_counter()
    tasks = list(_tasks(o, prepared))
    _run_tasks(o, tasks, console)
    n_fitted = len(tasks)
    for name, preset in presets.items():
        n_fitted += _run_network(o, table, prepared, name, preset, console)
    _record(o, time.perf_counter() - began, n_fitted)
    write_report(o.out, console, o.report)


def _check(o: EvaluateOptions) -> dict[str, Preset]:
    """The networks' presets by model name; refuses what does not exist before anything is read."""
    if not o.traits:
        raise UsageError("--traits names no trait", "for example --traits height,yield")
    if o.units and len(o.units) != len(o.traits):
        raise UsageError(f"--units has {len(o.units)} entries for {len(o.traits)} traits")
    for kind, given, known in (
        ("scheme", o.schemes, SCHEMES),
        ("model", o.models, (*BASELINES, f"{NETWORK}PRESET")),
    ):
        for name in given:
            if name not in known and not (kind == "model" and name.startswith(NETWORK)):
                raise UnknownModelName(
                    f"no {kind} '{name}'; known: {', '.join(known)}", f"see --{kind}s in --help"
                )
    networks = [name for name in o.models if name.startswith(NETWORK)]
    return {name: load_preset(name.removeprefix(NETWORK)) for name in networks}


def _read(o: EvaluateOptions) -> TraitTable:
    phenotypes = read_phenotypes(o.phenotypes) if o.phenotypes is not None else None
    header = {*WideTable(o.table, id_column=o.id_column).header}
    header |= set(phenotypes.columns) if phenotypes is not None else set()
    if "given" in o.schemes and o.fold_column not in header:
        raise TrainingTableError(
            f"{o.table} has no column '{o.fold_column}', which the scheme 'given' needs",
            "name it with --fold-column, or leave the scheme out: --schemes random,family",
        )
    return read_traits(
        o.table,
        traits=o.traits,
        id_column=o.id_column,
        fold_column=o.fold_column if o.fold_column in header else None,
        family_column=o.family_column if o.family_column in header else None,
        ignore=o.ignore,
        phenotypes=phenotypes,
    )


@dataclass(frozen=True)
class _Prepared:
    settings: dict[str, Any]
    families: np.ndarray
    folds: dict[str, np.ndarray]
    targets: dict[str, Target]


def _prepare(o: EvaluateOptions, table: TraitTable) -> _Prepared:
    """Write the folder's data and settings, or check that those there are the same."""
    given = folds_from_column(table.fold_labels) if table.fold_labels is not None else None
    n_folds = o.n_folds or (int(given.max()) if given is not None else 10)
    before = _settings_before(o.out)
    if table.families is not None:
        families, origin = table.families, f"column '{o.family_column}'"
    else:
        n_clusters = min(_CLUSTERS_PER_FOLD * n_folds, len(table.samples) // 2)
        families = genotype_clusters(table.codes, n_clusters, o.seed)
        origin = f"{n_clusters} genotype clusters"
    folds = {}
    if "given" in o.schemes and given is not None:
        folds["given"] = given
    if "random" in o.schemes:
        folds["random"] = random_folds(len(table.samples), n_folds, o.seed)
    if "family" in o.schemes:
        folds["family"] = family_folds(families, n_folds, o.seed)
    for number in o.only_folds:
        if not 1 <= number <= min(int(f.max()) for f in folds.values()):
            raise UsageError(f"--folds-only {number} is not one of the folds 1..{n_folds}")

    targets = {t: Target(t, False, table.values[:, [i]]) for i, t in enumerate(table.traits)}
    control_trait = before.get("control_trait") or table.traits[0]
    if o.controls:
        if control_trait not in table.traits:
            raise UsageError(
                f"{o.out} has controls of trait '{control_trait}', which --traits does not name"
            )
        for name in CONTROLS:
            targets[f"control {name}"] = _control(o, table, families, control_trait, name)

    for assignment in folds.values():
        for trait in table.traits:
            rows = table.measured(trait)
            crossval.check_folds(assignment[rows], targets[trait].values[rows, 0], o.seed)
    names = {"families": families, "folds": table.fold_labels}
    labels = json.dumps([table.snps, table.samples, names]).encode()
    digest = hashlib.sha256(np.ascontiguousarray(table.codes).tobytes() + labels).hexdigest()
    settings = {
        "table": table.source,
        "table_sha256": table.sha256,
        "phenotypes": o.phenotypes.name if o.phenotypes else None,
        "phenotypes_sha256": file_sha256(o.phenotypes) if o.phenotypes else None,
        "data_digest": digest,
        "n_samples": len(table.samples),
        "n_snps": len(table.snps),
        "missing": float(np.mean(table.codes == MISSING)),
        "families": origin,
        "n_families": len(set(families)),
        "seed": o.seed,
        "n_folds": n_folds,
        "software": {
            **software_versions(),
            **{name: version(name) for name in ("lightgbm", "scikit-learn")},
        },
        "control_trait": control_trait if o.controls else before.get("control_trait"),
        "traits": before.get("traits", {})
        | {t: hashlib.sha256(targets[t].values.tobytes()).hexdigest() for t in table.traits},
        "units": before.get("units", {}) | dict(zip(table.traits, o.units, strict=False)),
        "schemes": before.get("schemes", {}) | {s: int(f.max()) for s, f in folds.items()},
    }
    _require_same(o.out, before, settings)

    data = o.out / "data"
    data.mkdir(parents=True, exist_ok=True)
    if not before:
        np.save(data / "codes.npy", table.codes)
        np.save(data / "families.npy", np.array(families, dtype=str))
        np.save(data / "samples.npy", np.array(table.samples, dtype=str))
    for scheme, assignment in folds.items():
        np.save(data / f"folds-{scheme}.npy", assignment)
    save_targets(data, list(targets.values()))
    _write_json(o.out / SETTINGS, settings)
    return _Prepared(settings, np.array(families, dtype=str), folds, targets)


def _control(
    o: EvaluateOptions, table: TraitTable, families: list[str], trait: str, name: str
) -> Target:
    data = replace(table.dataset(trait), families=[families[r] for r in table.measured(trait)])
    most = max(baseline.control_seeds for baseline in BASELINES.values())
    values = np.full((len(table.samples), most), np.nan)
    for column in range(most):
        # No seed is that of another evaluation's next column.
        control = with_control(data, name, o.seed * 1000 + column)
        values[table.measured(trait), column] = control.phenotype
    return Target(f"control {name}", True, values)


def _settings_before(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError:
        raise SettingsChanged(
            f"{folder / SETTINGS} cannot be read", "delete the folder to start again"
        ) from None


def _require_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Everything that a figure on disk depends on must be as it was."""
    for key in ("data_digest", "families", "seed", "n_folds", "software"):
        if before and before[key] != now[key]:
            raise SettingsChanged(
                f"{folder} was started with {key} = {before[key]!r}; now it is {now[key]!r}",
                "give another --out, or delete this one to start again",
            )
    for trait, digest in before.get("traits", {}).items():
        if now["traits"][trait] != digest:
            raise SettingsChanged(
                f"{folder} was started with other values of trait '{trait}'",
                "give another --out, or delete this one to start again",
            )


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _wanted_folds(o: EvaluateOptions, n_folds: int) -> list[int]:
    return sorted(set(o.only_folds)) or list(range(1, n_folds + 1))


def _tasks(o: EvaluateOptions, prepared: _Prepared) -> Iterator[Task]:
    """Fits that are not on disk, fold by fold, so that the models of a fold end together."""
    for scheme, assignment in prepared.folds.items():
        for fold in _wanted_folds(o, int(assignment.max())):
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


def _run_tasks(o: EvaluateOptions, tasks: list[Task], console: Console) -> None:
    if not tasks:
        return
    work = [(o.out, task, o.seed, o.threads) for task in tasks]
    with _counting(console, len(tasks)) as tell:
        if o.jobs == 1:
            for item in work:
                tell(*run_task(item))
            return
        # A fresh interpreter each: a forked one inherits the locks of numpy's threads.
        with multiprocessing.get_context("spawn").Pool(o.jobs) as pool:
            for done in pool.imap_unordered(run_task, work):
                tell(*done)


def run_task(work: tuple[Path, Task, int, int]) -> tuple[Task, float]:
    """Fit one task and write its results; the work is (folder, task, seed, threads).

    Returns
    -------
    (task, seconds)
    """
    from threadpoolctl import threadpool_limits

    folder, task, seed, threads = work
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
            fold = FoldInput.of(codes, families, columns, rows, seed=seed, threads=threads)
            fitted = baseline.fit(fold, refit)
            details = {
                "n_train": len(rows.train),
                "n_validation": len(rows.validation),
                "n_test": len(rows.test),
                "threads": threads,
                # Shared among the targets, so that seconds add up to the time it took.
                "seconds": round((time.perf_counter() - started) / len(group), 3),
            }
            first = 0
            for target in group:
                these = slice(first, first + target.values.shape[1])
                first = these.stop
                mine = {**details, "chosen": fitted.chosen[these]}
                place = Place(folder, task.scheme, target.name, task.model, task.fold)
                place.write(rows.test, fitted.test[:, these], mine)
                if fitted.refit is not None and not target.control:
                    again = replace(place, model=task.model + REFIT)
                    again.write(rows.test, fitted.refit[:, these], {**mine, "seconds": 0.0})
    return task, time.perf_counter() - began


@contextmanager
def _counting(console: Console, total: int) -> Iterator[Callable[[Task, float], None]]:
    """A bar on a terminal, elsewhere a line per fit."""
    began = time.monotonic()
    if console.is_terminal:
        columns = (SpinnerColumn(), *Progress.get_default_columns()[:2], TimeElapsedColumn())
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            shown = bar.add_task("fitting", total=total)
            yield lambda task, _: bar.update(
                shown, advance=1, description=f"{task.scheme} fold {task.fold} {task.model}"
            )
        return
    done = 0

    def tell(task: Task, seconds: float) -> None:
        nonlocal done
        done += 1
        names = ", ".join((*task.traits, *task.controls))
        left = (time.monotonic() - began) / done * (total - done)
        console.print(
            f"{task.scheme} fold {task.fold}, {task.model} ({names}): {seconds:.1f} s; "
            f"{done}/{total}, about {int(left) // 60}:{int(left) % 60:02d} left",
            soft_wrap=True,
        )

    yield tell


def _run_network(
    o: EvaluateOptions,
    table: TraitTable,
    prepared: _Prepared,
    model: str,
    preset: Preset,
    console: Console,
) -> int:
    """Train a preset's folds in processes of their own; the number of folds that were lacking."""
    from train.progress import watching
    from train.snpinfo import info_from_names

    info = info_from_names(table.snps)
    n_fitted = 0
    for scheme, assignment in prepared.folds.items():
        wanted = _wanted_folds(o, int(assignment.max()))
        for trait in table.traits:
            places = {fold: Place(o.out, scheme, trait, model, fold) for fold in wanted}
            lacking = [fold for fold, place in places.items() if not place.is_finished]
            if not lacking:
                continue
            measured = table.measured(trait)
            run = o.out / "networks" / file_name(preset.name) / scheme / file_name(trait)
            settings = {
                "trait": trait,
                "unit": prepared.settings["units"].get(trait, ""),
                "seed": o.seed,
                "threads": o.threads,
                "gpu": False,
                "fold_scheme": scheme,
                "control": None,
                "preset": preset.as_dict(),
                "snp_info": info.digest,
                "bundle": {},
            }
            crossval.prepare(run, table.dataset(trait), assignment[measured], settings, info)
            try:
                unit = settings["unit"]
                with watching(console, f"{scheme}, {trait}, {model}", unit) as watch:
                    crossval.run_folds(run, lacking, jobs=o.jobs, watch=watch)
            finally:
                for fold in lacking:
                    if is_finished(run, fold):
                        _take_over(run, fold, places[fold], measured)
            n_fitted += len(lacking)
    return n_fitted


def _take_over(run: Path, fold: int, place: Place, measured: np.ndarray) -> None:
    """Copy a network's predictions of one fold to the place of the other models' predictions."""
    with np.load(fold_folder(run, fold) / "predictions.npz") as arrays:
        rows, predicted = measured[arrays["rows"]], arrays["predicted"]
    result = crossval.fold_result(run, fold)
    settings = crossval.read_settings(run)
    details = {
        **{key: result[key] for key in ("n_train", "n_validation", "n_test", "seconds")},
        "threads": settings["threads"],
        "chosen": [{"best_epoch": result["best_epoch"], **result["start"]}],
    }
    place.write(rows, predicted[:, None], details)


def _record(o: EvaluateOptions, seconds: float, n_fitted: int) -> None:
    """Keep what was run and how long it took; a command that fitted nothing changes nothing."""
    path = o.out / "commands.json"
    try:
        commands = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        commands = []
    if n_fitted or not commands:
        commands.append(
            {
                "command": command_line(o),
                "seconds": round(seconds, 1),
                "fits": n_fitted,
                "jobs": o.jobs,
                "threads": o.threads,
            }
        )
        _write_json(path, commands)


def command_line(o: EvaluateOptions) -> str:
    """The command that asks for these options, with files by name alone."""
    words = ["python", "-m", "train", "evaluate", o.table.name]
    if o.phenotypes is not None:
        words += ["--phenotypes", o.phenotypes.name]
    words += ["--traits", ",".join(o.traits)]
    standard = EvaluateOptions(o.table, o.traits, o.out)
    for option, name in (
        ("--units", "units"),
        ("--schemes", "schemes"),
        ("--models", "models"),
        ("--folds-only", "only_folds"),
    ):
        value = getattr(o, name)
        if value != getattr(standard, name):
            words += [option, ",".join(map(str, value))]
    for option, name in (
        ("--n-folds", "n_folds"),
        ("--jobs", "jobs"),
        ("--threads", "threads"),
        ("--seed", "seed"),
        ("--id-column", "id_column"),
        ("--fold-column", "fold_column"),
        ("--family-column", "family_column"),
    ):
        value = getattr(o, name)
        if value != getattr(standard, name):
            words += [option, str(value)]
    for name in o.ignore:
        words += ["--ignore", name]
    words += ["--refit"] * o.refit + ["--controls"] * o.controls + ["--out", o.out.name]
    return shlex.join(words)
