"""The ``decompose`` command: what the networks of runs and bundles have learned, as tables."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from snpredict.choices import check_choice
from snpredict.errors import UsageError
from snpredict.files import write_files
from snpredict.names import did_you_mean, squared
from train.bundle.decomposed import add_to_bundle, check_bundle_of
from train.commands.console import counting_snps
from train.data.controls import ADDITIVE, WITHOUT_INTERACTION
from train.decomposition import linkage, tables
from train.decomposition.networks import (
    Networks,
    is_bundle,
    networks_of_bundle,
    networks_of_run,
)
from train.decomposition.of_networks import How, decompose_networks, steps
from train.decomposition.over_folds import ADDITIVE_BY_ADDITIVE, Decomposed
from train.decomposition.sensitivities import KINDS
from train.decomposition.truth import Compared, Truth, against_truth, read_truth
from train.errors import IncompleteRun, SimulationError
from train.runs.folder import Run, read_run
from train.runs.settings import SETTINGS
from train.runtime import software_versions

#: Pairs, and loci that do not vary, that the terminal is told of.
_SHOWN = 3

#: The rate of false pairs that a list is told for.
FALSE = 0.1

#: Lines that make a jackknife over groups of them, and more than any computer holds twice.
_LEAST_LINES, _MOST_LINES = 100, 20_000


@dataclass(frozen=True, kw_only=True)
class DecomposeOptions:
    """What the command is asked for; see its help for each."""

    runs: tuple[Path, ...]
    out: Path
    null: tuple[Path, ...] = ()
    truth: Path | None = None
    sensitivity: str = KINDS[0]
    lines: int = 2000
    pairs_of: tuple[str, ...] = ()
    seed: int = 0
    bundle: Path | None = None


@dataclass
class _Written:
    """What is known so far: a table of loci per trait, records, and what pictures need."""

    loci: list[pa.Table] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    drawn: list[Any] = field(default_factory=list)
    points: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = field(default_factory=dict)
    into_bundle: Callable[[], None] | None = None


def decompose(options: DecomposeOptions, console: Console) -> None:
    """Write ``decomposition.parquet``, ``epistasis.parquet``, ``variance.json``, and pictures.

    Raises
    ------
    UsageError
        The folder has files, an option is out of range, or a run of a null is not one of a control.
    IncompleteRun, UnsuitableModel, SimulationError
        See `train.decomposition`.
    """
    o = options
    _check(o)
    truth = None if o.truth is None else read_truth(o.truth)
    asked = _named(o.runs)
    if control := next((n for n in asked if n.run and n.run.settings.control is not None), None):
        raise UsageError(
            f"{control.path} is the run of a control", "name it with --null, and the trait's as RUN"
        )
    _once([networks.trait for networks in asked])
    nulls = _nulls(o.null, asked)
    if o.bundle is not None:
        if len(asked) > 1:
            raise UsageError(
                f"--bundle {o.bundle} is of one trait, and {len(asked)} are decomposed",
                "decompose them one by one",
            )
        check_bundle_of(o.bundle, asked[0])
    for networks in asked:
        if truth is not None and networks.trait not in truth:
            raise SimulationError(
                f"{o.truth} knows no trait {networks.trait}", "name the table of these traits"
            )
    written = _Written()
    buffer = io.BytesIO()
    writer = None
    for networks in asked:
        known = None if truth is None else truth[networks.trait]
        table = _one(o, networks, nulls.get(networks.trait, {}), known, written, console)
        writer = writer or pq.ParquetWriter(buffer, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()
    from train.decomposition import pictures

    files = {
        o.out / "pairs.png": pictures.pairs_map(written.drawn),
        o.out / "additive.png": pictures.effects_along_genome(written.drawn),
        o.out / "variance.png": pictures.variance_shares(written.drawn),
        o.out / "decomposition.parquet": _parquet(pa.concat_tables(written.loci)),
        o.out / "epistasis.parquet": buffer.getvalue(),
    }
    if written.points:
        files[o.out / "truth.png"] = pictures.estimates_against_truth(written.points)
    record = {"software": software_versions(), "traits": written.record}
    files[o.out / "variance.json"] = (json.dumps(record, indent=1) + "\n").encode()
    o.out.mkdir(parents=True, exist_ok=True)
    write_files(files)
    if written.into_bundle is not None:
        written.into_bundle()
        console.print(f"written: {o.bundle}", soft_wrap=True)
    console.print(f"written: {o.out}", soft_wrap=True)


def _check(o: DecomposeOptions) -> None:
    if o.out.exists() and (not o.out.is_dir() or any(o.out.iterdir())):
        raise UsageError(f"--out {o.out} exists and is not an empty folder", "name a new folder")
    check_choice("--sensitivity", o.sensitivity, KINDS)
    if not _LEAST_LINES <= o.lines <= _MOST_LINES:
        raise UsageError(
            f"--lines {o.lines}: expected {_LEAST_LINES} to {_MOST_LINES:,}",
            "memory grows with the square of it",
        )


def _named(paths: Sequence[Path]) -> list[Networks]:
    """Those named; a folder of several traits' runs stands for all of them."""
    found = []
    for path in paths:
        if is_bundle(path):
            found.append(networks_of_bundle(path))
            continue
        single = (path / SETTINGS).exists()
        inside = [path] if single else sorted(p.parent for p in path.glob(f"*/{SETTINGS}"))
        if not inside:
            raise IncompleteRun(f"{path} is not the folder of a run or a bundle")
        found += [networks_of_run(read_run(each)) for each in inside]
    return found


def _once(traits: Sequence[str]) -> None:
    if twice := {trait for trait in traits if traits.count(trait) > 1}:
        raise UsageError(f"two runs are of trait {min(twice)}", "decompose them one by one")


def _nulls(paths: Sequence[Path], asked: Sequence[Networks]) -> dict[str, dict[str, Networks]]:
    """By trait, then by control."""
    found: dict[str, dict[str, Networks]] = {}
    for networks in _named(paths):
        control = networks.run and networks.run.settings.control
        if control not in WITHOUT_INTERACTION:
            raise UsageError(
                f"--null {networks.path} is not a run of "
                f"{' or '.join(WITHOUT_INTERACTION)} phenotypes",
                f"train it with --control {WITHOUT_INTERACTION[0]}",
            )
        of_trait = found.setdefault(networks.trait, {})
        if control in of_trait:
            raise UsageError(f"two nulls are {control} {networks.trait}", "give the one")
        of_trait[control] = networks
    for networks in asked:
        for control, null in found.get(networks.trait, {}).items():
            if null.snps != networks.snps:
                raise UsageError(
                    f"the null {null.path} has other SNPs than {networks.path}",
                    f"train it on the same table with --control {control}",
                )
    return found


def _one(
    o: DecomposeOptions,
    networks: Networks,
    nulls: dict[str, Networks],
    truth: Truth | None,
    written: _Written,
    console: Console,
) -> pa.Table:
    """Decompose one trait and its nulls; its table of pairs."""
    from train.decomposition.pictures import drawn

    how = _how(o, networks)

    def say(text: str) -> None:
        console.print(text, soft_wrap=True)

    _say_unvarying(networks, say)
    sizes, of_nulls = [], {}
    for control, null in nulls.items():
        what = f"{networks.trait}, {control}"
        found = _decomposed(null, how, what, console)
        sizes.append(tables.sizes_of(found))
        of_nulls[control] = {"run": str(null.path), "variances": tables.variances(found)}
        if control == ADDITIVE:
            of_nulls[control]["real_lines"] = _real_lines(o, null, f"{what}, real lines", console)
    found = _decomposed(networks, how, networks.trait, console)
    pairs = tables.pair_table(found, sizes)
    variances = tables.variances(found)
    record = _record(found, networks, o) | {"variances": variances, "nulls": of_nulls}
    if sizes:
        record["pairs_that_pass"] = {"false_discovery_rate": FALSE} | _passing(pairs)
    _say_variances(found, record, pairs, say)
    if networks.run is not None:
        record["real_lines"] = _real_lines(o, networks, f"{networks.trait}, real lines", console)
        _say_linkage(record["real_lines"], say)
    if truth is not None:
        compared: Compared = against_truth(found, truth, networks.contrasts)
        record["truth"] = compared.figures
        written.points[found.trait] = compared.points
        line = ", ".join(f"{k} {v:.3f}" for k, v in compared.figures.items())
        say(f"{found.trait}, against {o.truth}: {line}")
    locus_sd = found.pairs[ADDITIVE_BY_ADDITIVE].other_sd
    written.drawn.append(drawn(found, networks.info, locus_sd, variances))
    written.loci.append(tables.locus_table(found))
    written.record[found.trait] = record
    if (bundle := o.bundle) is not None:
        written.into_bundle = lambda: add_to_bundle(bundle, found, pairs, record, FALSE)
    return pairs


def _how(o: DecomposeOptions, networks: Networks) -> How:
    chosen = None
    if o.pairs_of:
        place = {snp: at for at, snp in enumerate(networks.snps)}
        if lacking := [name for name in o.pairs_of if name not in place]:
            raise UsageError(
                f"--pairs-of {lacking[0]}: {networks.path} has no such SNP",
                did_you_mean(lacking[0], networks.snps) or "name SNPs of the model",
            )
        chosen = np.array(sorted({place[name] for name in o.pairs_of}))
    return How(sensitivity=o.sensitivity, lines=o.lines, seed=o.seed, pairs_of=chosen)


def _decomposed(networks: Networks, how: How, what: str, console: Console) -> Decomposed:
    with counting_snps(console, what, steps(networks, how)) as tell:
        return decompose_networks(networks, how, lambda: tell(1))


def _real_lines(
    o: DecomposeOptions, networks: Networks, what: str, console: Console
) -> dict[str, object]:
    total = len(networks.snps) * len(networks.functions)
    with counting_snps(console, what, total) as tell:
        return linkage.told(linkage.under_linkage(networks, o.seed, lambda: tell(1)))


def _passing(pairs: pa.Table) -> dict[str, int]:
    """Pairs of each kind whose q-value is at most `FALSE`."""
    kinds, q = pairs.column("kind").to_numpy(), pairs.column("q_value").to_numpy()
    return {kind: int((q[kinds == kind] <= FALSE).sum()) for kind in dict.fromkeys(kinds.tolist())}


def _say_unvarying(networks: Networks, say: Callable[[str], None]) -> None:
    loci = networks.unvarying
    if loci:
        more = f" and {len(loci) - _SHOWN:,} more" if len(loci) > _SHOWN else ""
        say(
            f"note: {', '.join(loci[:_SHOWN])}{more} of {networks.trait} have one genotype in the "
            "training set: they have no effects here"
        )


def _say_variances(
    found: Decomposed, record: dict[str, Any], pairs: pa.Table, say: Callable[[str], None]
) -> None:
    variances = record["variances"]
    genetic, folds = variances["genetic"]["mean"], len(found.variances)
    parts = [
        f"{v['mean'] / genetic:.1%} {name.replace('_', ' ')}"
        for name, v in variances.items()
        if name not in ("genetic", "additive_share") and genetic > 0
    ]
    best = pairs.slice(0, _SHOWN).to_pylist()
    strongest = ", ".join(
        f"{pair['snp_a']} × {pair['snp_b']} {pair['effect']:+.3g}" for pair in best
    )
    passing = ""
    if "pairs_that_pass" in record:
        count = record["pairs_that_pass"][ADDITIVE_BY_ADDITIVE]
        passing = f" ({count:,} pairs pass a false-discovery rate of {FALSE:.0%})"
    of_folds = f"{folds} fold{'s' * (folds != 1)}"
    say(
        f"{found.trait}: {of_folds}, V_G {genetic:.4g} {squared(found.unit)} in linkage "
        f"equilibrium: {', '.join(parts)}; |J x + b − f| at most {found.off:.1e} SD; strongest "
        f"pairs {strongest}{passing}"
    )


def _say_linkage(told: dict[str, Any], say: Callable[[str], None]) -> None:
    for kind, words in (("pooled", "over the real lines"), ("within_families", "within families")):
        if f"{kind}_additive" not in told:
            continue
        shares = ", ".join(
            f"{told[f'{kind}_{part}']['mean']:.1%} {part}"
            for part in ("additive", "curvature", "rest")
        )
        within = "" if kind == "pooled" else "_within"
        rs = (f"{told[f'r_{who}{within}']['mean']:.3f}" for who in ("network", "additive"))
        say(f"  {words}: {shares}; r with phenotypes: network {next(rs)}, additive {next(rs)}")


def _record(found: Decomposed, networks: Networks, o: DecomposeOptions) -> dict[str, Any]:
    run: Run | None = networks.run
    return {
        "of": str(networks.path),
        "unit": found.unit,
        "data_digest": None if run is None else run.settings.data_digest,
        "training_seed": None if run is None else run.settings.seed,
        "seed": o.seed,
        "folds": len(found.variances),
        "haploid": found.haploid,
        "lines": found.lines,
        "sensitivity": o.sensitivity if found.haploid else "difference",
        "loci": len(found.snps),
        "loci_without_variation": len(networks.unvarying),
        "pairs_of": "all"
        if len(found.pairs[ADDITIVE_BY_ADDITIVE].chosen) == len(found.snps)
        else len(found.pairs[ADDITIVE_BY_ADDITIVE].chosen),
        "largest_difference_of_the_map": found.off,
    }


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
