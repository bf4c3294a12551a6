"""A bundle with what its networks have learned: tables, the manifest's entry, and the card."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snpredict.bundle.decomposition_tables import LOCUS_COLUMNS, MAX_PAIRS, DecompositionTables
from snpredict.bundle.entries import DecompositionEntry
from snpredict.bundle.load import find_bundle, load_bundle, read_manifest
from snpredict.bundle.manifest import NETWORK
from snpredict.bundle.write import add_decomposition
from snpredict.errors import UsageError
from train.bundle.model_card import model_card
from train.decomposition.networks import Networks, networks_of_bundle
from train.decomposition.over_folds import ADDITIVE_BY_ADDITIVE, Decomposed

#: Pairs that a bundle has in any case.
STRONGEST = 1000

#: Lines in which a bundle's predictions are held against those of the networks.
_COMPARED = 50


def check_bundle_of(bundle: Path, networks: Networks) -> None:
    """Refuse a bundle whose networks are others than those that are decomposed.

    Raises
    ------
    UsageError
    """
    kind = read_manifest(find_bundle(bundle))[0].kind
    if kind != NETWORK:
        raise UsageError(
            f"--bundle {bundle} is of kind {kind}, which has no place for these tables",
            "leave --bundle out",
        )
    other = networks_of_bundle(bundle)
    if (other.trait, other.snps, len(other.functions)) != (
        networks.trait,
        networks.snps,
        len(networks.functions),
    ):
        raise UsageError(
            f"--bundle {bundle} is a model of {other.trait} with {len(other.snps):,} SNPs and "
            f"{len(other.functions)} folds; {networks.path} is one of {networks.trait} with "
            f"{len(networks.snps):,} and {len(networks.functions)}",
            "name the bundle of that run",
        )
    codes = networks.contrasts.draw(_COMPARED, np.random.default_rng(1))
    for one, two in zip(networks.functions, other.functions, strict=True):
        off = np.abs(one.predictions(codes) - two.predictions(codes)).max()
        if off > 1e-3 * one.scale.scale[0]:
            raise UsageError(
                f"--bundle {bundle} predicts otherwise than {networks.path}: fold {one.number} "
                f"differs by {off:.3g} {networks.unit}",
                "name the bundle of that run",
            )


def add_to_bundle(
    bundle: Path,
    found: Decomposed,
    pairs: pa.Table,
    record: Mapping[str, Any],
    false_discovery_rate: float,
) -> None:
    """Write the bundle again, with the tables.

    Parameters
    ----------
    bundle : Path
    found : Decomposed
    pairs : Table
        See `train.decomposition.tables.pair_table`.
    record : mapping
        What ``variance.json`` says of the trait.
    false_discovery_rate : float
        Pairs of a smaller q-value are taken, however many.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    there = load_bundle(bundle)
    tables = DecompositionTables(
        _loci(found), *_strongest(found, pairs, record["nulls"], false_discovery_rate)
    )
    variances = record["variances"]
    real = record.get("real_lines", {}).get("pooled_additive")
    entry = DecompositionEntry(
        lines=record["lines"],
        seed=record["seed"],
        variances={name: value["mean"] for name, value in variances.items() if name != _SHARE},
        sds={
            name: value["sd"]
            for name, value in variances.items()
            if name != _SHARE and value["sd"] is not None
        },
        additive_share_of_real_lines=None if real is None else real["mean"],
        nulls=tuple(record["nulls"]),
    )
    manifest = replace(there.manifest, decomposition=entry)
    add_decomposition(there, bundle, manifest, model_card(manifest), tables)


_SHARE = "additive_share"


def _loci(found: Decomposed) -> np.ndarray:
    """`LOCUS_COLUMNS` per copy of the counted allele; of haploids x has twice the steps."""
    factors: dict[str, np.ndarray] = {
        name: np.ones(1) for name in ("additive", "dominance", "epistatic_variance")
    }
    if found.haploid:
        factors["additive"] = np.full(1, 2.0)
        factors["epistatic_variance"] = found.pairs[ADDITIVE_BY_ADDITIVE].other_sd ** 2
    columns = []
    for name in LOCUS_COLUMNS:
        values = getattr(found, name.removesuffix("_sd"))
        column = values.sd if name.endswith("_sd") else values.mean
        columns.append(np.nan_to_num(column) * factors[name.removesuffix("_sd")])
    return np.stack(columns, axis=1)


def _strongest(
    found: Decomposed, pairs: pa.Table, nulls: Sequence[str], rate: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Places, numbers and q-values of the pairs that the bundle gets, the strongest first."""
    pairs = pairs.filter(pc.equal(pairs["kind"], ADDITIVE_BY_ADDITIVE))
    q = pairs["q_value"].to_numpy()
    passing = int(np.flatnonzero(q <= rate).max(initial=-1)) + 1 if nulls else 0
    pairs = pairs.slice(0, min(max(STRONGEST, passing), MAX_PAIRS))
    place = {snp: at for at, snp in enumerate(found.snps)}
    places = np.array(
        [[place[snp] for snp in pairs[f"snp_{side}"].to_pylist()] for side in "ab"], np.int64
    ).T.reshape(-1, 2)
    scale = 4.0 if found.haploid else 1.0
    effect, sd, trait_sd = (
        np.nan_to_num(pairs[name].to_numpy().astype(np.float64))
        for name in ("effect", "sd", "trait_sd")
    )
    numbers = np.stack([scale * effect, scale * sd, trait_sd], axis=1)
    # In single precision, as they are stored, equal ones may change places.
    order = np.argsort(-numbers[:, 2].astype(np.float32), kind="stable")
    q = q[: len(pairs)].astype(np.float64) if nulls else None
    return np.sort(places, axis=1)[order], numbers[order], None if q is None else q[order]
