"""What an evaluation is asked for, and its folder before the first fit: data, folds, settings."""

import hashlib
import json
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.errors import UsageError
from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.coding import CODINGS
from snpredict.genotypes.detect import open_wide
from train.data.controls import CONTROLS, with_control
from train.data.dataset import TraitTable, file_sha256, read_traits
from train.data.families import genotype_clusters
from train.data.folds import check_folds, family_folds, folds_from_column, random_folds
from train.data.phenotypes import read_phenotypes
from train.errors import SettingsChanged, TrainingTableError, UnknownModelName
from train.evaluation.storage import SETTINGS, Target, save_targets, write_json
from train.networks.presets import Preset, load_preset
from train.registry import BASELINES
from train.runs.destinations import check_folder, check_report
from train.runtime import software_versions

SCHEMES = ("given", "random", "family")
#: Given folds say the same as random ones, and of SoyNAM's, figures were used for choices.
DEFAULT_SCHEMES = ("random", "family")
#: What a model's name begins with when the rest is a preset of the network.
NETWORK = "network-"
DEFAULT_MODELS = (*BASELINES, f"{NETWORK}default")
#: Genotype clusters per fold, where no column names the families.
_CLUSTERS_PER_FOLD = 4


@dataclass(frozen=True)
class EvaluateOptions:
    """What a person asks ``python -m train evaluate`` for; see its help for each.

    ``arguments`` are the words of the command line as they were given, None for a call from Python.
    """

    table: Path
    traits: tuple[str, ...]
    out: Path
    phenotypes: Path | None = None
    units: tuple[str, ...] = ()
    schemes: tuple[str, ...] = DEFAULT_SCHEMES
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
    snps_from: str | None = None
    repeats: str | None = None
    coding: str | None = None
    arguments: tuple[str, ...] | None = None


def check(o: EvaluateOptions) -> dict[str, Preset]:
    """The networks' presets by model name; refuses what does not exist before anything is read."""
    inputs = (o.table, o.phenotypes)
    check_folder("--out", o.out, inputs)
    if o.report is not None:
        check_report(o.report, o.out, inputs)
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


def read(o: EvaluateOptions) -> TraitTable:
    """The table with its traits, refused where a scheme lacks its column."""
    phenotypes = None
    if o.phenotypes is not None:
        phenotypes = read_phenotypes(o.phenotypes, repeats=bool(o.repeats))
    header = {*open_wide(o.table, id_column=o.id_column).header}
    header |= set(phenotypes.columns) if phenotypes is not None else set()
    if "given" in o.schemes and o.fold_column not in header:
        raise TrainingTableError(
            f"{o.table} has no column '{o.fold_column}', which the scheme 'given' needs",
            "name it with --fold-column, or leave the scheme out: --schemes random,family",
        )
    has_folds = o.fold_column in header
    # A fold dealt to each row says nothing about a line of several rows.
    unused = has_folds and o.repeats is not None and "given" not in o.schemes
    return read_traits(
        o.table,
        traits=o.traits,
        id_column=o.id_column,
        fold_column=o.fold_column if has_folds and not unused else None,
        family_column=o.family_column if o.family_column in header else None,
        ignore=(*o.ignore, o.fold_column) if unused else o.ignore,
        snps_from=o.snps_from,
        repeats=o.repeats,
        coding=o.coding,
        phenotypes=phenotypes,
    )


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

    settings: dict[str, Any]
    families: np.ndarray
    folds: dict[str, np.ndarray]
    targets: dict[str, Target]


def prepare(o: EvaluateOptions, table: TraitTable) -> Prepared:
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
            check_folds(assignment[rows], targets[trait].values[rows, 0], o.seed)
    names = {"families": families, "folds": table.fold_labels}
    labels = json.dumps([table.snps, table.samples, names]).encode()
    digest = hashlib.sha256(np.ascontiguousarray(table.codes).tobytes() + labels).hexdigest()
    settings = {
        "table": table.source,
        "table_sha256": table.sha256,
        "phenotypes": o.phenotypes.name if o.phenotypes else None,
        "phenotypes_sha256": file_sha256(o.phenotypes) if o.phenotypes else None,
        "data_digest": digest,
        "repeats": o.repeats,
        "coding": o.coding or CODINGS[0],
        "n_samples": len(table.samples),
        "n_snps": len(table.snps),
        "missing": float(np.mean(table.codes == MISSING)),
        "families": origin,
        "n_families": len(set(families)),
        "seed": o.seed,
        "n_folds": n_folds,
        "software": {
            **software_versions(),
            "scikit-learn": version("scikit-learn"),
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
    write_json(o.out / SETTINGS, settings)
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
    for key in ("repeats", "data_digest", "families", "seed", "n_folds", "software"):
        if before and before.get(key) != now[key]:
            if key == "data_digest":
                raise SettingsChanged(
                    f"{folder} was started with other genotypes, samples or SNPs",
                    "give the table and the options that it was started with, such as --ignore, "
                    "or another --out, or delete this one to start again",
                )
            raise SettingsChanged(
                f"{folder} was started with {key} = {before.get(key)!r}; now it is {now[key]!r}",
                "give another --out, or delete this one to start again",
            )
    for trait, digest in before.get("traits", {}).items():
        if now["traits"][trait] != digest:
            raise SettingsChanged(
                f"{folder} was started with other values of trait '{trait}'",
                "give another --out, or delete this one to start again",
            )
