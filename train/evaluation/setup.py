"""What an evaluation is asked for, checked: data, models, folds, targets, settings."""

import hashlib
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rich.console import Console

from snpredict.bundle.manifest import BINARY
from snpredict.choices import CODINGS
from snpredict.errors import UsageError
from train.data.controls import CONTROLS, with_control
from train.data.dataset import TraitTable, file_sha256, missing_share
from train.data.families import genotype_clusters
from train.data.folds import SCHEMES, check_folds, family_folds, folds_from_column
from train.errors import UnknownModelName
from train.model import Model
from train.networks.network import PREFIX
from train.registry import BASELINES, COVARIATES, find_model
from train.runs.data_folder import DataFolder, Target, digest_of
from train.runs.destinations import check_folder, check_report
from train.runs.options import TrainingOptions, dealt_folds, read_training_table
from train.runs.settings import SETTINGS, EvaluationSettings
from train.runtime import software_versions

#: Given folds say the same as random ones, and of SoyNAM's, figures were used for choices.
DEFAULT_SCHEMES = ("random", "family")
DEFAULT_MODELS = (*(name for name in BASELINES if name != COVARIATES), f"{PREFIX}default")
#: Genotype clusters per fold, where no column names the families.
_CLUSTERS_PER_FOLD = 4


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(TrainingOptions):
    """What a person asks ``python -m train evaluate`` for; see its help for each.

    ``arguments`` are the words of the command line as they were given, None for a call from Python.
    """

    schemes: tuple[str, ...] = DEFAULT_SCHEMES
    models: tuple[str, ...] = DEFAULT_MODELS
    refit: bool = False
    controls: bool = False
    report: Path | None = None
    arguments: tuple[str, ...] | None = None


def check(o: EvaluateOptions) -> dict[str, Model]:
    """The models by name; refuses what does not exist before anything is read."""
    inputs = (o.table, o.phenotypes)
    check_folder("--out", o.out, inputs)
    if o.report is not None:
        check_report(o.report, o.out, inputs)
    o.check_traits()
    for name in o.schemes:
        if name not in SCHEMES:
            known = ", ".join(SCHEMES)
            raise UnknownModelName(
                f"no kind of folds '{name}'; known: {known}", "see --folds in --help"
            )
    names = o.models
    if COVARIATES in names and not o.covariates:
        raise UsageError(
            f"--models names '{COVARIATES}', and there are none", "name columns with --covariates"
        )
    if o.covariates and COVARIATES not in names:
        # What they add alone stands beside what they add to SNPs.
        names = (COVARIATES, *names)
    models = {}
    for name in names:
        model = find_model(name)
        # A preset's file is named after its recipe; a model from outside is found by its own name.
        models[model.name if name.startswith(PREFIX) else name] = model
        if o.binary and o.models != DEFAULT_MODELS:
            model.require(BINARY)
    return models


def read(o: EvaluateOptions, console: Console) -> TraitTable:
    """The table with its traits, refused where given folds lack their column."""
    given = "given" in o.schemes
    needs = ["folds"] * given
    return read_training_table(o, o.table, console, needs=needs, takes_folds=given)


@dataclass(frozen=True)
class Prepared:
    """What is evaluated.

    Attributes
    ----------
    families : list of str
        Per sample.
    folds : dict of str to ndarray (samples,) of int64
        Fold 1..K of every sample under each scheme.
    targets : dict of str to Target
    """

    data: DataFolder
    table: TraitTable
    models: dict[str, Model]
    settings: EvaluationSettings
    families: list[str]
    folds: dict[str, np.ndarray]
    targets: dict[str, Target]

    def save(self) -> None:
        """Write data and settings, or check that those there are the same."""
        self.data.save(self.table, "--out")
        self.data.save_families(self.families)
        for scheme, assignment in self.folds.items():
            self.data.save_folds(scheme, assignment)
        for target in self.targets.values():
            self.data.save_target(target)
        self.settings.write(self.data.path.parent)


def prepare(o: EvaluateOptions, table: TraitTable, models: dict[str, Model]) -> Prepared:
    """Deal folds and make controls; refuses what differs from what the folder was started with."""
    there = (o.out / SETTINGS).exists()
    before = EvaluationSettings.read(o.out) if there else None
    given = folds_from_column(table.fold_labels) if table.fold_labels is not None else None
    n_folds = o.n_folds or (int(given.max()) if given is not None else 10)
    families, origin = _families(o, table, n_folds)
    folds = _folds(o, table, given, families, n_folds)

    targets = [Target(t, None, table.values[:, [at]]) for at, t in enumerate(table.traits)]
    for assignment in folds.values():
        for target in targets:
            rows = target.measured
            check_folds(assignment[rows], target.values[rows, 0], o.seed)
    control_trait = (before.control_trait if before else None) or table.traits[0]
    if o.controls:
        if control_trait not in table.traits:
            raise UsageError(
                f"{o.out} has controls of trait '{control_trait}', which --trait does not name"
            )
        targets += [_control(o, table, families, control_trait, name) for name in CONTROLS]
    settings = EvaluationSettings(
        table=table.source,
        table_sha256=table.sha256,
        phenotypes=o.phenotypes.name if o.phenotypes else None,
        phenotypes_sha256=file_sha256(o.phenotypes) if o.phenotypes else None,
        data_digest=digest_of(table, families),
        repeats=o.repeats,
        coding=o.coding or CODINGS[0],
        filters=o.filters,
        n_samples=len(table.samples),
        n_snps=len(table.snps),
        missing=missing_share(table.codes),
        families=origin,
        n_families=len(set(families)),
        seed=o.seed,
        n_folds=n_folds,
        software=software_versions() | {"scikit-learn": version("scikit-learn")},
        control_trait=control_trait if o.controls else None,
        traits={t.trait: _digest(t) for t in targets if t.control is None},
        units=o.unit_of,
        binary=o.binary,
        covariates=() if table.covariates is None else table.covariates.columns,
        schemes={name: int(assignment.max()) for name, assignment in folds.items()},
    )
    if before is not None:
        settings.require_same(o.out, before, "--out")
        settings = settings.continuing(before)
    return Prepared(
        data=DataFolder(o.out / "data"),
        table=table,
        models=models,
        settings=settings,
        families=families,
        folds=folds,
        targets={target.name: target for target in targets},
    )


def _folds(
    o: EvaluateOptions,
    table: TraitTable,
    given: np.ndarray | None,
    families: list[str],
    n_folds: int,
) -> dict[str, np.ndarray]:
    """Fold 1..K of every sample, for each kind of folds that was asked for."""
    folds = {}
    if "given" in o.schemes and given is not None:
        folds["given"] = given
    if "random" in o.schemes:
        folds["random"] = dealt_folds(o, table, n_folds)
    if "family" in o.schemes:
        folds["family"] = family_folds(families, n_folds, o.seed)
    o.wanted_folds(min(int(assignment.max()) for assignment in folds.values()))
    return folds


def _families(o: EvaluateOptions, table: TraitTable, n_folds: int) -> tuple[list[str], str]:
    """A family per sample, and where they come from, in words."""
    if table.families is not None:
        return table.families, f"column '{o.family_column}'"
    n_clusters = min(_CLUSTERS_PER_FOLD * n_folds, len(table.samples) // 2)
    clusters = genotype_clusters(table.codes, n_clusters, o.seed)
    return clusters, f"{n_clusters} genotype clusters"


def _digest(target: Target) -> str:
    return hashlib.sha256(target.values.tobytes()).hexdigest()


def _control(
    o: EvaluateOptions, table: TraitTable, families: list[str], trait: str, name: str
) -> Target:
    """The control made from a trait, a column per seed."""
    rows = table.measured(trait)
    data = replace(table.dataset(trait), families=[families[row] for row in rows])
    most = max(baseline.control_seeds for baseline in BASELINES.values())
    values = np.full((len(table.samples), most), np.nan)
    for column in range(most):
        # No seed is that of another evaluation's next column.
        values[rows, column] = with_control(data, name, o.seed * 1000 + column).phenotype
    return Target(trait, name, values)
