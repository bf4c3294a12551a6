"""The ``decompose`` command: what the networks of runs have learned, as tables."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from snpredict.choices import check_choice
from snpredict.errors import UsageError
from snpredict.files import write_files
from train.decomposition.sensitivities import KINDS
from train.decomposition.tables import (
    Decomposed,
    against_truth,
    decompose_run,
    locus_table,
    pair_table,
    variances,
)
from train.errors import IncompleteRun, SimulationError
from train.runs.folder import Run, read_run
from train.runs.settings import SETTINGS
from train.runtime import software_versions

#: Columns of a table of known effects.
_TRUTH = ("trait", "locus", "additive", "partner", "epistatic")

#: Pairs that the terminal is told of.
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class DecomposeOptions:
    """What the command is asked for; see its help for each."""

    runs: tuple[Path, ...]
    out: Path
    null: tuple[Path, ...] = ()
    truth: Path | None = None
    sensitivity: str = KINDS[0]


def decompose(options: DecomposeOptions, console: Console) -> None:
    """Write ``decomposition.parquet``, ``epistasis.parquet``, ``variance.json``, and pictures.

    Raises
    ------
    UsageError
        The folder has files, or a run of a null is not one of a control.
    IncompleteRun, UnsuitableModel, SimulationError
        See `train.decomposition`.
    """
    o = options
    if o.out.exists() and (not o.out.is_dir() or any(o.out.iterdir())):
        raise UsageError(f"--out {o.out} exists and is not an empty folder", "name a new folder")
    runs = _runs(o.runs)
    check_choice("--sensitivity", o.sensitivity, KINDS)
    if control := next((run for run in runs if run.settings.control is not None), None):
        raise UsageError(
            f"{control.path} is the run of a control", "name it with --null, and the trait's as RUN"
        )
    null = {run.settings.trait: run for run in _runs(o.null)}
    for run in null.values():
        if run.settings.control != "shuffled":
            raise UsageError(
                f"--null {run.path} is not a run of shuffled phenotypes",
                "train it with --control shuffled",
            )
    known = None if o.truth is None else _read_truth(o.truth)
    each = [_told(run, o.sensitivity, console) for run in runs]
    nulls = {trait: decompose_run(run, o.sensitivity) for trait, run in null.items()}
    told = {
        found.trait: {**_record(found, run), "sensitivity": o.sensitivity}
        for found, run in zip(each, runs, strict=True)
    }
    from train.decomposition.pictures import estimates_against_truth, pairs_map

    files: dict[Path, bytes] = {
        o.out / "pairs.png": pairs_map(each),
        o.out / "decomposition.parquet": _parquet(locus_table(each)),
        o.out / "epistasis.parquet": _parquet(pair_table(each, nulls)),
    }
    if known is not None:
        points = {}
        for found in each:
            if found.trait not in known:
                raise SimulationError(
                    f"{o.truth} knows no trait {found.trait}", "name the table of these traits"
                )
            additive, pairs = known[found.trait]
            told[found.trait]["truth"] = against_truth(found, additive, pairs)
            points[found.trait] = _points(found, additive, pairs)
            line = ", ".join(f"{k} {v:.3f}" for k, v in told[found.trait]["truth"].items())
            console.print(f"{found.trait}, against {o.truth}: {line}", soft_wrap=True)
        files[o.out / "truth.png"] = estimates_against_truth(points)
    record = {"software": software_versions(), "traits": told}
    files[o.out / "variance.json"] = (json.dumps(record, indent=1) + "\n").encode()
    o.out.mkdir(parents=True, exist_ok=True)
    write_files(files)
    console.print(f"written: {o.out}", soft_wrap=True)


def _runs(paths: Sequence[Path]) -> list[Run]:
    """Those named; a folder of several traits' runs stands for all of them."""
    found = []
    for path in paths:
        inside = [path]
        if path.is_dir() and not (path / SETTINGS).exists():
            inside = sorted(p.parent for p in path.glob(f"*/{SETTINGS}"))
        if not inside:
            raise IncompleteRun(f"{path} is not the folder of a run")
        found += [read_run(each) for each in inside]
    traits = [run.settings.trait for run in found]
    if twice := {trait for trait in traits if traits.count(trait) > 1}:
        raise UsageError(f"two runs are of trait {min(twice)}", "decompose them one by one")
    return found


def _told(run: Run, kind: str, console: Console) -> Decomposed:
    found = decompose_run(run, kind)
    share = variances(found)["additive_share"]["mean"]
    one, other = np.triu_indices(len(found.snps), 1)
    effects = found.mean("pairs")[one, other]
    best = np.argsort(-np.nan_to_num(np.abs(effects)), kind="stable")[:_SHOWN]
    pairs = ", ".join(
        f"{found.snps[one[at]]} × {found.snps[other[at]]} {effects[at]:+.3g}" for at in best
    )
    exact = "" if found.off is None else f"|J x − f| at most {found.off:.1e} SD; "
    console.print(
        f"{found.trait}: {len(found.folds)} folds, {share:.0%} of the genetic variance of the "
        f"network is additive; {exact}strongest pairs {pairs}",
        soft_wrap=True,
    )
    return found


def _record(found: Decomposed, run: Run) -> dict:
    return {
        "run": str(run.path),
        "data_digest": run.settings.data_digest,
        "seed": run.settings.seed,
        "folds": len(found.folds),
        "lines": int(sum(map(len, run.rows))),
        "largest_difference_of_the_map": found.off,
        "variances": variances(found),
    }


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _read_truth(path: Path) -> dict[str, tuple[dict[str, float], dict[frozenset, float]]]:
    """By trait: additive effects by locus, and effects by pair."""
    texts = dict.fromkeys(("trait", "locus", "partner"), str)
    table = pd.read_csv(path, sep="\t", dtype=texts)
    if lacking := [name for name in _TRUTH if name not in table]:
        raise SimulationError(
            f"{path} has no column {lacking[0]}; expected {', '.join(_TRUTH)}",
            "name a table of known effects",
        )
    found: dict[str, tuple[dict[str, float], dict[frozenset, float]]] = {}
    for row in table[[*_TRUTH]].itertuples(index=False):
        additive, pairs = found.setdefault(row.trait, ({}, {}))
        additive[row.locus] = float(row.additive)
        if row.epistatic:
            pairs[frozenset((row.locus, row.partner))] = float(row.epistatic)
    return found


def _points(
    found: Decomposed, additive: Mapping[str, float], pairs: Mapping[frozenset, float]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """True values and estimates of loci and of pairs."""
    one, other = np.triu_indices(len(found.snps), 1)
    true = [
        pairs.get(frozenset((found.snps[a], found.snps[b])), 0.0)
        for a, b in zip(one, other, strict=True)
    ]
    return {
        "additive effects": (
            np.array([additive[snp] for snp in found.snps]),
            found.mean("additive"),
        ),
        "effects of pairs": (np.array(true), found.mean("pairs")[one, other]),
    }
