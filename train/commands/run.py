"""The ``run`` command from table to bundle: read and check everything, then train, then summarise.

Nothing is written before all inputs have been read and checked, so that a mistake on the command
line leaves no folder behind and costs no training.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from snpredict.bundle.write import check_target
from snpredict.choices import CODINGS
from snpredict.errors import UsageError
from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.detect import open_wide
from train.commands.summarize import summarize_run
from train.data.controls import with_control
from train.data.dataset import Dataset, same_rows
from train.data.families import left_out_folds, with_families
from train.data.folds import check_folds, family_folds, folds_from_column, random_folds
from train.data.snpinfo import SnpInfo, info_from_names, info_from_table, with_alleles
from train.networks.presets import NETWORK, load_preset
from train.runs.destinations import check_bundle, check_folder
from train.runs.folder import fold_sizes, prepare
from train.runs.left_out import FOLDER as NEW_FAMILIES
from train.runs.options import TrainingOptions, read_training_table
from train.runs.processes import run_folds
from train.runs.progress import watching
from train.runs.settings import BundleSettings, RunSettings
from train.runtime import software_versions


@dataclass(frozen=True, kw_only=True)
class RunOptions(TrainingOptions):
    """What a person asks ``python -m train run`` for; see its help for each."""

    preset: str = "default"
    isru_alpha: float | None = None
    folds: str = "given"
    compare: Path | None = None
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

    @property
    def trait(self) -> str:
        """The trait."""
        return self.traits[0]

    @property
    def unit(self) -> str:
        """Its unit."""
        return self.units[0]


def train_and_export(options: RunOptions, console: Console) -> None:
    """Train every fold that is not finished, then write tables, plots and the bundle."""
    o = options
    folder = o.run_dir or Path("runs") / o.out.name
    _check_options(o, folder)
    check_bundle(o.out, folder)
    preset_file = Path(o.preset) if Path(o.preset).is_file() else None
    inputs = (o.table, o.phenotypes, o.compare, o.snp_info, preset_file)
    check_folder("--out", o.out, inputs)
    check_folder("--run-dir", folder, inputs)
    check_target(o.out)
    preset = load_preset(o.preset)
    if o.isru_alpha is not None:
        preset = preset.with_alpha(o.isru_alpha)

    console.print(f"reading {o.table}", soft_wrap=True)
    data = _read(o, o.table, console, needs_folds=o.folds == "given")
    second = None
    if o.compare is not None:
        second = _read(o, o.compare, console, needs_folds=False)
        same_rows(data, second)
    info = _snp_info(o, data)
    _say_alleles(o, info, console)
    assignment = _assign(o, data)
    n_folds = int(assignment.max())
    wanted = o.wanted_folds(n_folds)
    check_folds(assignment, data.phenotype, o.seed)
    if o.new_families:
        grouped, families_from = with_families(data, o.seed)
        left_out = left_out_folds(grouped, o.seed)
        check_folds(left_out, data.phenotype, o.seed)

    settings = RunSettings(
        trait=o.trait,
        unit=o.unit,
        model=f"{NETWORK}{preset.name}",
        preset=preset,
        scheme=o.folds,
        n_folds=n_folds,
        fold_sizes=fold_sizes(assignment),
        seed=o.seed,
        threads=o.threads,
        gpu=o.gpu,
        families="column" if data.families is not None else None,
        control=o.control,
        repeats=o.repeats,
        coding=o.coding or CODINGS[0],
        data_digest=data.digest,
        snp_info=info.digest,
        software=software_versions(),
        bundle=BundleSettings(str(o.out.resolve()), o.licence or None, o.source or None),
    )
    runs = [(o.table.name, folder, wanted)]
    prepare(folder, data, assignment, settings, info)
    if o.compare is not None and second is not None:
        runs.append((o.compare.name, folder / "compare", wanted))
        # Its own SNPs may be others; their places are not used.
        theirs = info_from_names(second.snps)
        other = replace(settings, snp_info=theirs.digest, data_digest=second.digest)
        prepare(folder / "compare", second, assignment, other, theirs)
    if o.new_families:
        these = replace(
            settings,
            scheme="family",
            families=families_from,
            n_folds=int(left_out.max()),
            fold_sizes=fold_sizes(left_out),
            data_digest=grouped.digest,
        )
        prepare(folder / NEW_FAMILIES, grouped, left_out, these, info)
        every = range(1, int(left_out.max()) + 1)
        numbers = [fold for fold in every if fold in o.only_folds or not o.only_folds]
        runs.append((f"{o.table.name}, families left out", folder / NEW_FAMILIES, numbers))
    _describe(o, data, second, preset.name, n_folds, console)

    began = time.perf_counter()
    for title, run, numbers in runs:
        with watching(console, f"{title}, preset {preset.name}", o.unit) as watch:
            run_folds(run, numbers, jobs=o.jobs, watch=watch)
    n_trained = sum(len(numbers) for _, _, numbers in runs)
    console.print(f"{n_trained} folds in {time.perf_counter() - began:.0f} s")
    summarize_run(folder, o.out, console)


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
    if o.compare is not None and o.compare.resolve() == o.table.resolve():
        raise UsageError("--compare names the table itself", "name a second table")
    o.check_traits()
    if len(o.traits) > 1:
        raise UsageError("--trait names several traits; expected one")


def _read(o: RunOptions, path: Path, console: Console, *, needs_folds: bool) -> Dataset:
    needs = ["folds"] * needs_folds + ["families"] * (o.folds == "family")
    table = read_training_table(o, path, console, needs=needs, takes_folds=needs_folds)
    data = table.dataset(o.trait)
    return with_control(data, o.control, o.seed) if o.control else data


def _snp_info(o: RunOptions, data: Dataset) -> SnpInfo:
    if o.snp_info is None:
        info = info_from_names(data.snps)
    else:
        info = info_from_table(
            o.snp_info, data.snps, counted=o.counted_allele, other=o.other_allele
        )
    return with_alleles(info, data.snps, open_wide(o.table, id_column=o.id_column).alleles, o.table)


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


def _assign(o: RunOptions, data: Dataset) -> np.ndarray:
    if o.folds == "given":
        return folds_from_column(data.fold_labels or [])
    n_folds = o.n_folds or 10
    if o.folds == "family":
        return family_folds(data.families or [], n_folds, o.seed)
    return random_folds(len(data.samples), n_folds, o.seed)


def _describe(
    o: RunOptions,
    data: Dataset,
    second: Dataset | None,
    preset: str,
    n_folds: int,
    console: Console,
) -> None:
    def say(text: str) -> Any:
        return console.print(text, soft_wrap=True)

    def shape(table: Dataset) -> str:
        missing = 100 * float(np.mean(table.codes == MISSING))
        return f"{len(table.samples)} samples × {len(table.snps)} SNPs, {missing:.1f} % missing"

    say(f"{shape(data)}, {n_folds} folds ({o.folds}), preset {preset}")
    if data.dropped:
        say(f"{data.dropped} samples left out: their phenotype is missing")
    if second is not None:
        say(f"compared with {second.source}: {shape(second)}")
        if set(second.snps) != set(data.snps):
            shared = len(set(second.snps) & set(data.snps))
            say(f"warning: the two tables share only {shared} SNPs, so more than gaps differs")
