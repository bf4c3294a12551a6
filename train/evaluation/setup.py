"""What an evaluation is asked for, and its folder before the first fit: data, folds, settings."""

import hashlib
import json
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rich.console import Console

from snpredict.choices import CODINGS
from snpredict.errors import UsageError
from snpredict.formulas.encoding import MISSING
from train.data.controls import CONTROLS, with_control
from train.data.dataset import TraitTable, file_sha256
from train.data.families import genotype_clusters
from train.data.folds import SCHEMES, check_folds, family_folds, folds_from_column, random_folds
from train.errors import UnknownModelName
from train.evaluation.storage import Target, save_targets
from train.networks.presets import NETWORK, Preset, load_preset
from train.registry import BASELINES
from train.runs.destinations import check_folder, check_report
from train.runs.options import TrainingOptions, read_training_table
from train.runs.settings import SETTINGS, EvaluationSettings
from train.runtime import software_versions

#: Given folds say the same as random ones, and of SoyNAM's, figures were used for choices.
DEFAULT_SCHEMES = ("random", "family")
DEFAULT_MODELS = (*BASELINES, f"{NETWORK}default")
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


def check(o: EvaluateOptions) -> dict[str, Preset]:
    """The networks' presets by model name; refuses what does not exist before anything is read."""
    inputs = (o.table, o.phenotypes)
    check_folder("--out", o.out, inputs)
    if o.report is not None:
        check_report(o.report, o.out, inputs)
    o.check_traits()
    for what, option, given, known in (
        ("kind of folds", "--folds", o.schemes, SCHEMES),
        ("model", "--models", o.models, (*BASELINES, f"{NETWORK}PRESET")),
    ):
        for name in given:
            if name not in known and not (what == "model" and name.startswith(NETWORK)):
                raise UnknownModelName(
                    f"no {what} '{name}'; known: {', '.join(known)}", f"see {option} in --help"
                )
    networks = [name for name in o.models if name.startswith(NETWORK)]
    return {name: load_preset(name.removeprefix(NETWORK)) for name in networks}


def read(o: EvaluateOptions, console: Console) -> TraitTable:
    """The table with its traits, refused where given folds lack their column."""
    given = "given" in o.schemes
    needs = ["folds"] * given
    return read_training_table(o, o.table, console, needs=needs, takes_folds=given)


@dataclass(frozen=True)
class Prepared:
    """A folder whose data and settings are on disk.

    Attributes
    ----------
    families : ndarray (samples,) of str
    folds : dict of str to ndarray (samples,) of int64
        Fold 1..K of every sample under each scheme.
    targets : dict of str to Target
    """

    settings: EvaluationSettings
    families: np.ndarray
    folds: dict[str, np.ndarray]
    targets: dict[str, Target]


def prepare(o: EvaluateOptions, table: TraitTable) -> Prepared:
    """Write the folder's data and settings, or check that those there are the same."""
    given = folds_from_column(table.fold_labels) if table.fold_labels is not None else None
    n_folds = o.n_folds or (int(given.max()) if given is not None else 10)
    there = (o.out / SETTINGS).exists()
    before = EvaluationSettings.read(o.out) if there else None
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
    o.wanted_folds(min(int(assignment.max()) for assignment in folds.values()))

    targets = {t: Target(t, False, table.values[:, [i]]) for i, t in enumerate(table.traits)}
    control_trait = (before.control_trait if before else None) or table.traits[0]
    if o.controls:
        if control_trait not in table.traits:
            raise UsageError(
                f"{o.out} has controls of trait '{control_trait}', which --trait does not name"
            )
        for name in CONTROLS:
            targets[f"control {name}"] = _control(o, table, families, control_trait, name)

    for assignment in folds.values():
        for trait in table.traits:
            rows = table.measured(trait)
            check_folds(assignment[rows], targets[trait].values[rows, 0], o.seed)
    names = {"families": families, "folds": table.fold_labels}
    labels = json.dumps([table.snps, table.samples, names]).encode()
    digest = hashlib.sha256(np.ascontiguousarray(table.codes).tobytes() + labels).hexdigest()
    settings = EvaluationSettings(
        table=table.source,
        table_sha256=table.sha256,
        phenotypes=o.phenotypes.name if o.phenotypes else None,
        phenotypes_sha256=file_sha256(o.phenotypes) if o.phenotypes else None,
        data_digest=digest,
        repeats=o.repeats,
        coding=o.coding or CODINGS[0],
        n_samples=len(table.samples),
        n_snps=len(table.snps),
        missing=float(np.mean(table.codes == MISSING)),
        families=origin,
        n_families=len(set(families)),
        seed=o.seed,
        n_folds=n_folds,
        software=software_versions() | {"scikit-learn": version("scikit-learn")},
        control_trait=control_trait if o.controls else None,
        traits={t: hashlib.sha256(targets[t].values.tobytes()).hexdigest() for t in table.traits},
        units=o.unit_of,
        schemes={name: int(assignment.max()) for name, assignment in folds.items()},
    )
    if before is not None:
        settings.require_same(o.out, before, "--out")
        settings = settings.continuing(before)

    data = o.out / "data"
    data.mkdir(parents=True, exist_ok=True)
    if before is None:
        np.save(data / "codes.npy", table.codes)
        np.save(data / "families.npy", np.array(families, dtype=str))
        np.save(data / "samples.npy", np.array(table.samples, dtype=str))
    for scheme, assignment in folds.items():
        np.save(data / f"folds-{scheme}.npy", assignment)
    save_targets(data, list(targets.values()))
    settings.write(o.out)
    return Prepared(settings, np.array(families, dtype=str), folds, targets)


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
