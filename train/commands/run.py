"""The ``run`` command from table to bundle: read and check everything, then train, then summarise.

Nothing is written before all inputs have been read and checked, so that a mistake on the command
line leaves no folder behind and costs no training.
"""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from snpredict.bundle.write import check_target
from snpredict.errors import UsageError
from train.baselines.additive_control import additive_phenotypes
from train.commands.summarize import summarize_run
from train.data.controls import ADDITIVE, with_control
from train.data.dataset import TraitTable, missing_share, same_rows
from train.data.families import families_of, left_out_folds
from train.data.folds import check_folds, family_folds, folds_from_column
from train.data.snpinfo import SnpInfo, info_from_table, with_alleles
from train.errors import UnsuitableModel
from train.model import Model
from train.networks.by_preset import network_of
from train.networks.network import PREFIX
from train.networks.presets import load_preset
from train.registry import REFERENCE, find_model
from train.runs.data_folder import DataFolder, Target, file_name, turn
from train.runs.destinations import check_bundle, check_folder
from train.runs.folder import GBLUP, compare_folder, prepare
from train.runs.left_out import FOLDER as NEW_FAMILIES
from train.runs.options import TrainingOptions, dealt_folds, read_training_table, settings_of_run
from train.runs.progress import watching
from train.runs.settings import BundleSettings, RunSettings
from train.runs.tasks import Task
from train.runs.workers import Workers

DEFAULT_PRESET = "default"


@dataclass(frozen=True, kw_only=True)
class RunOptions(TrainingOptions):
    """What a person asks ``python -m train run`` for; see its help for each."""

    preset: str = DEFAULT_PRESET
    model: str | None = None
    isru_alpha: float | None = None
    folds: str = "given"
    compare: tuple[Path, ...] = ()
    gblup: bool = True
    new_families: bool = False
    snp_info: Path | None = None
    counted_allele: str | None = None
    other_allele: str | None = None
    run_dir: Path | None = None
    control: str | None = None
    licence: str | None = None
    source: str | None = None
    resume: bool = True
    gpu: bool = False
    attribution: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    """A table that was read, and where it is kept for the runs."""

    content: TraitTable
    folder: DataFolder


@dataclass(frozen=True)
class _Part:
    """One run of those that a command makes."""

    path: Path
    title: str
    settings: RunSettings
    folds: list[int]


def train_and_export(options: RunOptions, console: Console) -> None:
    """Train every fold that is not finished, then write tables, plots and bundles."""
    o = options
    folder = o.run_dir or Path("runs") / o.out.name
    _check_options(o, folder)
    homes, bundles = _places(o, folder)
    _check_destinations(o, folder, homes, bundles)
    model = _model(o)

    data = _Data(o, folder, console)
    for target in data.targets:
        model.require(o.task_of(target), o.covariates)
    if o.attribution and not model.attributable:
        raise UnsuitableModel(
            f"--attribution was given, and model '{model.name}' is not a network",
            "leave one of the two out",
        )
    parts = _parts(o, model, data, homes, bundles)
    with turn(folder):
        prepare({part.path: part.settings for part in parts}, data.save)
    called = f"model {model.name}" if o.model else f"preset {model.name.removeprefix(PREFIX)}"
    _describe(o, data, called, console)

    began = time.perf_counter()
    with Workers(o.jobs, o.threads, gpu=o.gpu) as workers:
        for group in _groups(parts, model):
            part = group[0]
            tasks = [Task(tuple(one.path for one in group), fold) for fold in part.folds]
            preset = part.settings.preset
            patience = preset.training.patience if preset is not None else 0
            title = part.title if part.settings.model == REFERENCE else f"{part.title}, {called}"
            if len(group) > 1:
                title += ", with " + ", ".join(one.settings.trait for one in group[1:])
            with watching(console, title, part.settings.unit, patience) as watch:
                workers.run(tasks, watch)
    n_trained = sum(len(part.folds) for part in parts)
    console.print(f"{n_trained} folds in {time.perf_counter() - began:.0f} s")
    for trait, home in homes.items():
        summarize_run(home, bundles[trait], console)


def _groups(parts: list[_Part], model: Model) -> list[list[_Part]]:
    """Runs that are fitted at once: those of traits that share a network, else each by itself."""
    groups: dict[tuple, list[_Part]] = {}
    for at, part in enumerate(parts):
        s = part.settings
        data = (part.path / s.data).resolve()
        shared = model.together and s.preset is not None
        groups.setdefault((data, s.scheme, s.task) if shared else (at,), []).append(part)
    return list(groups.values())


def _model(o: RunOptions) -> Model:
    """The network of the preset, or the model that was named instead."""
    if o.model is not None:
        return find_model(o.model)
    preset = load_preset(o.preset)
    return network_of(preset if o.isru_alpha is None else preset.with_alpha(o.isru_alpha))


def _places(o: RunOptions, folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Run folder and bundle of every trait: those that were named, if there is one trait."""
    if len(o.traits) == 1:
        return {o.traits[0]: folder}, {o.traits[0]: o.out}
    names = {trait: file_name(trait) for trait in o.traits}
    bundles = {trait: o.out.with_name(f"{o.out.name}-{name}") for trait, name in names.items()}
    return {trait: folder / name for trait, name in names.items()}, bundles


def _check_options(o: RunOptions, folder: Path) -> None:
    """Combinations that would otherwise ignore something that was asked for."""
    if folder.exists() and not o.resume:
        raise UsageError(f"{folder} exists and --no-resume was given", "delete it first")
    if o.snp_info is None and (o.counted_allele or o.other_allele):
        raise UsageError(
            "--counted-allele and --other-allele name columns of --snp-info, which was not given"
        )
    if o.n_folds is not None and o.folds == "given":
        raise UsageError(
            f"--n-folds {o.n_folds} was given, but the folds come from column '{o.fold_column}'",
            "add --folds random or --folds family",
        )
    if o.new_families and o.folds == "family":
        raise UsageError(
            "--folds family leaves families out already", "leave one of the two options away"
        )
    if o.model is not None and (o.preset != DEFAULT_PRESET or o.isru_alpha is not None):
        raise UsageError("--model was given, and --preset or --isru-alpha too", "give the one")
    tables = [path.resolve() for path in (o.table, *o.compare)]
    if len(set(tables)) < len(tables):
        raise UsageError(
            "--compare names the table itself, or one table twice", "name another table"
        )
    o.check_traits()


def _check_destinations(
    o: RunOptions, folder: Path, homes: dict[str, Path], bundles: dict[str, Path]
) -> None:
    """Nothing that is read or trained may be overwritten by what is written."""
    preset_file = Path(o.preset) if Path(o.preset).is_file() else None
    inputs = (o.table, o.phenotypes, *o.compare, o.snp_info, preset_file)
    for trait, out in bundles.items():
        check_bundle(out, homes[trait])
        check_folder("--out", out, inputs)
        check_target(out)
    check_folder("--run-dir", folder, inputs)


class _Data:
    """What the runs are about: tables of the same rows, targets, folds and families, checked.

    Attributes
    ----------
    first : _Table
    others : list of _Table
        Those that it is compared with.
    folds, left_out : ndarray (samples,) of int64
        Fold 1..K of every sample; with whole families left out.
    """

    def __init__(self, o: RunOptions, folder: Path, console: Console):
        self.o = o
        given, families = o.folds == "given", ["families"] * (o.folds == "family")
        console.print(f"reading {o.table}", soft_wrap=True)
        needs = ["folds"] * given + families
        table = read_training_table(o, o.table, console, needs=needs, takes_folds=given)
        table = replace(table, info=_snp_info(o, table))
        self.others = []
        for number, path in enumerate(o.compare, 1):
            console.print(f"reading {path}", soft_wrap=True)
            other = read_training_table(o, path, console, needs=families, takes_folds=False)
            other = other.in_order(table.samples)
            for trait in o.traits:
                same_rows(table.dataset(trait), other.dataset(trait))
            self.others.append(_Table(other, DataFolder(folder / compare_folder(number) / "data")))
        self.first = _Table(table, DataFolder(folder / "data"))
        _say_alleles(o, table.info, console)
        self.folds = _assign(o, table)
        o.wanted_folds(int(self.folds.max()))
        self.targets = [_target(o, table, trait) for trait in o.traits]
        self._check(self.folds)
        if o.new_families:
            self.families, self.families_from = families_of(table, o.seed)
            self.left_out = left_out_folds(self.families, table.source, o.seed)
            self._check(self.left_out)

    def _check(self, folds: np.ndarray) -> None:
        for target in self.targets:
            rows = target.measured
            check_folds(folds[rows], target.values[rows, 0], self.o.seed)

    def save(self) -> None:
        """Write all of it, or check that it is what is there."""
        for table in (self.first, *self.others):
            table.folder.save(table.content, "--run-dir")
            table.folder.save_folds(self.o.folds, self.folds)
            for target in self.targets:
                table.folder.save_target(target)
        if self.o.new_families:
            self.first.folder.save_families(self.families)
            self.first.folder.save_folds("family", self.left_out)


def _target(o: RunOptions, table: TraitTable, trait: str) -> Target:
    """The trait, or the control that takes its place; NaN where the trait was not measured."""
    values = table.values[:, [table.traits.index(trait)]]
    if o.control is not None:
        values = values.copy()
        data = table.dataset(trait)
        made = (
            additive_phenotypes(data, o.seed)
            if o.control == ADDITIVE
            else with_control(data, o.control, o.seed).phenotype
        )
        values[table.measured(trait), 0] = made
    return Target(trait, o.control, values)


def _parts(
    o: RunOptions, model: Model, data: _Data, homes: dict[str, Path], bundles: dict[str, Path]
) -> list[_Part]:
    """The runs of all traits: on the table, on others, with families left out, and of GBLUP."""
    parts = []
    for target in data.targets:
        home = homes[target.trait]
        bundle = BundleSettings(str(bundles[target.trait].resolve()), o.licence, o.source)
        # A model is found again by what it was asked for.
        more: dict[str, Any] = {"model": o.model or model.name, "gpu": o.gpu}
        more["preset"] = getattr(model, "preset", None)
        more |= {"scheme": o.folds, "bundle": bundle, "attribution": o.attribution}
        parts.append(_part(o, home, data.first, target, data.folds, **more))
        for number, other in enumerate(data.others, 1):
            path = home / compare_folder(number)
            parts.append(_part(o, path, other, target, data.folds, **more))
        if o.gblup and model.name != REFERENCE:
            of_gblup = {**more, "model": REFERENCE, "preset": None, "bundle": BundleSettings()}
            of_gblup["attribution"] = ()
            parts.append(_part(o, home / GBLUP, data.first, target, data.folds, **of_gblup))
        if o.new_families:
            more |= {"scheme": "family", "families": data.families_from}
            parts.append(_part(o, home / NEW_FAMILIES, data.first, target, data.left_out, **more))
    return parts


def _part(
    o: RunOptions, path: Path, table: _Table, target: Target, folds: np.ndarray, **more: Any
) -> _Part:
    place = os.path.relpath(table.folder.path, path)
    settings = settings_of_run(o, table.content, target, folds, data=place, **more)
    title = table.content.source + f", {target.trait}" * (len(o.traits) > 1)
    title += ", families left out" * (path.name == NEW_FAMILIES)
    title += ", GBLUP on the same folds" * (path.name == GBLUP)
    numbers = [n for n in range(1, settings.n_folds + 1) if not o.only_folds or n in o.only_folds]
    return _Part(path, title, settings, numbers)


def _snp_info(o: RunOptions, data: TraitTable) -> SnpInfo:
    """What the genotype file says of its SNPs, and what --snp-info does, which goes first."""
    own = data.info
    if o.snp_info is None:
        return own
    info = info_from_table(o.snp_info, data.snps, counted=o.counted_allele, other=o.other_allele)
    pairs = zip(own.counted_allele, own.other_allele, strict=True)
    return with_alleles(info, data.snps, dict(zip(data.snps, pairs, strict=True)), o.table)


def _say_alleles(o: RunOptions, info: SnpInfo, console: Console) -> None:
    """What a model cannot score if the alleles of its SNPs are not known."""
    unknown, total = info.without_alleles, len(info.counted_allele)
    if not unknown:
        return
    if unknown == total:
        found = "the alleles of the SNPs are not known, so that the model will score tables of "
        found += "codes only, no VCF, PLINK or HapMap file"
    else:
        found = f"the alleles of {unknown} of the {total} SNPs are not known: in VCF, PLINK and "
        found += "HapMap files the model will find these SNPs missing"
    way = "to change that, name the alleles with "
    way += "--snp-info FILE --counted-allele COLUMN --other-allele COLUMN"
    if o.snp_info is not None:
        columns = "--counted-allele COLUMN --other-allele COLUMN"
        named = o.counted_allele is not None and o.other_allele is not None
        way = "complete them in" if named else f"name them with {columns}, columns of"
        way += f" {o.snp_info}"
    console.print(f"note: {found}; {way}", soft_wrap=True)


def _assign(o: RunOptions, data: TraitTable) -> np.ndarray:
    if o.folds == "given":
        return folds_from_column(data.fold_labels or [])
    n_folds = o.n_folds or 10
    if o.folds == "family":
        return family_folds(data.families or [], n_folds, o.seed)
    return dealt_folds(o, data, n_folds)


def _describe(o: RunOptions, data: _Data, called: str, console: Console) -> None:
    def say(text: str) -> Any:
        return console.print(text, soft_wrap=True)

    def shape(table: TraitTable) -> str:
        missing = 100 * missing_share(table.codes)
        return f"{len(table.samples)} samples × {len(table.snps)} SNPs, {missing:.1f} % missing"

    first = data.first.content
    say(f"{shape(first)}, {int(data.folds.max())} folds ({o.folds}), {called}")
    if first.genotypes.fractions is not None and not _model(o).dosages:
        say(f"note: {called} does not learn from dosages: each counts as its nearest genotype")
    for trait in o.traits:
        without = first.dropped + len(first.samples) - len(first.measured(trait))
        if without:
            of = f" ({trait})" * (len(o.traits) > 1)
            say(f"{without} samples left out: their phenotype is missing{of}")
    if _model(o).together and o.model is None:
        rows: dict[tuple[bytes, str], list[str]] = {}
        for target in data.targets:
            rows.setdefault((target.measured.tobytes(), o.task_of(target)), []).append(target.trait)
        for traits in rows.values():
            if len(rows) > 1 and len(traits) == 1:
                say(
                    f"note: {traits[0]} has a network of its own: no other trait of its kind is "
                    "measured in the same lines"
                )
    for table in data.others:
        other = table.content
        say(f"compared with {other.source}: {shape(other)}")
        if set(other.snps) != set(first.snps):
            shared = len(set(other.snps) & set(first.snps))
            say(f"warning: the two tables share only {shared} SNPs, so more than gaps differs")
