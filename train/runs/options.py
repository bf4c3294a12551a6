"""What both commands of training are asked for: a table, its traits, folds, processes."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.choices import CODINGS
from snpredict.errors import UsageError
from snpredict.terminal.progress import watch
from train.data.dataset import TraitTable
from train.data.filters import EVERY_SNP, SnpFilters
from train.data.folds import random_folds, stratified_folds
from train.data.genotypes import HowRead
from train.data.phenotypes import read_phenotypes
from train.data.traits import read_traits
from train.runs.data_folder import Target
from train.runs.folder import fold_sizes
from train.runs.settings import RunSettings
from train.runtime import software_versions


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(HowRead):
    """What ``run`` and ``evaluate`` have in common; see their help for each."""

    table: Path
    traits: tuple[str, ...]
    out: Path
    units: tuple[str, ...] = ()
    phenotypes: Path | None = None
    filters: SnpFilters = EVERY_SNP
    only_folds: tuple[int, ...] = ()
    n_folds: int | None = None
    jobs: int = 1
    threads: int = 2
    seed: int = 1

    @property
    def unit_of(self) -> dict[str, str]:
        """The unit of every trait that was given one."""
        return dict(zip(self.traits, self.units, strict=False))

    def check_traits(self) -> None:
        """Refuse traits, units and columns that contradict each other."""
        if not self.traits:
            raise UsageError("--trait names no trait", "for example --trait height,yield")
        if self.units and len(self.units) != len(self.traits):
            raise UsageError(
                f"--unit has {len(self.units)} entries for {len(self.traits)} traits",
                "give as many, by commas, in the order of --trait",
            )
        for trait in self.binary:
            if trait not in self.traits:
                raise UsageError(f"--binary names '{trait}', which --trait does not name")
        for covariate in self.covariates:
            if covariate in self.traits:
                raise UsageError(f"--trait and --covariates both name '{covariate}'")
        named = {"--id-column": self.id_column, "--fold-column": self.fold_column}
        named["--family-column"] = self.family_column
        for option, name in named.items():
            if name in self.traits:
                raise UsageError(f"--trait and {option} are both '{name}'")

    def task_of(self, target: Target) -> str:
        """What it is learned as: one value per family is a number, whatever the trait is."""
        return BINARY if target.trait in self.binary and target.values_are_of_trait else CONTINUOUS

    def wanted_folds(self, n_folds: int) -> list[int]:
        """The folds that were asked for, all of them unless some were named."""
        wanted = sorted(set(self.only_folds)) or list(range(1, n_folds + 1))
        for number in wanted:
            if not 1 <= number <= n_folds:
                raise UsageError(f"--fold {number} is not one of the folds 1..{n_folds}")
        return wanted


def read_training_table(
    o: TrainingOptions,
    path: Path,
    console: Console,
    *,
    needs: Collection[str] = (),
    takes_folds: bool,
) -> TraitTable:
    """Read a training set and say what was taken for SNPs; see `train.data.traits`."""
    phenotypes = None
    if o.phenotypes is not None:
        phenotypes = read_phenotypes(o.phenotypes, id_column=o.id_column, repeats=bool(o.repeats))
    table = read_traits(
        path,
        traits=o.traits,
        how=o,
        phenotypes=phenotypes,
        needs=needs,
        takes_folds=takes_folds,
        watch=watch(quiet=False),
    )
    console.print(table.taken, soft_wrap=True)
    if phenotypes is not None:
        ids = f"samples of {phenotypes.path.name}: column {phenotypes.id_column!r}"
        console.print(ids, soft_wrap=True)
    for note in table.notes:
        console.print(f"note: {note}", soft_wrap=True)
    if o.filters.active:
        # Each fold looks at its training rows; what all samples fail, no fold could keep.
        kept = o.filters.kept(table.genotypes, table.info.along)
        console.print(
            f"filters inside each fold's training rows: {o.filters}; over all samples "
            f"{len(kept):,} of {len(table.snps):,} SNPs pass",
            soft_wrap=True,
        )
    return table


def dealt_folds(o: TrainingOptions, table: TraitTable, n_folds: int) -> np.ndarray:
    """Random folds 1..K; of one binary trait, each class has its share in every fold."""
    if len(o.traits) == 1 and o.binary:
        return stratified_folds(table.values[:, 0], n_folds, o.seed)
    return random_folds(len(table.samples), n_folds, o.seed)


def settings_of_run(
    o: TrainingOptions,
    table: TraitTable,
    target: Target,
    folds: np.ndarray,
    **more: Any,
) -> RunSettings:
    """The settings of a run on one target.

    Parameters
    ----------
    folds : ndarray (samples,) of int
        Fold 1..K of every sample of the table.
    **more
        Settings that the options do not give, and those that differ from them.
    """
    rows = target.measured
    data = replace(table.dataset(target.trait), phenotype=target.values[rows, 0])
    values: dict[str, Any] = {
        "trait": target.trait,
        "unit": o.unit_of.get(target.trait, ""),
        "control": target.control,
        "task": o.task_of(target),
        "covariates": () if table.covariates is None else table.covariates.columns,
        "n_folds": int(folds[rows].max()),
        "fold_sizes": fold_sizes(folds[rows]),
        "seed": o.seed,
        "threads": o.threads,
        "families": "column" if table.families is not None else None,
        "repeats": o.repeats,
        "coding": o.coding or CODINGS[0],
        "filters": o.filters,
        "data_digest": data.digest,
        "snp_info": table.info.digest,
        "software": software_versions(),
    }
    return RunSettings(**values | more)
