"""A decomposition as tables: loci, pairs, and components of variance."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from train.decomposition.haploid import false_discovery
from train.decomposition.over_folds import Decomposed

#: Pairs of a trait and a kind that a table holds at most.
MOST_PAIRS = 500_000

#: By kind of pair, the sizes of the standardised effects of each null, see `sizes_of`.
Nulls = list[dict[str, np.ndarray]]


def locus_table(found: Decomposed) -> pa.Table:
    """A row per locus: effects, SDs over the folds, and the share of folds that agree on a sign."""
    columns: dict[str, list] = {"trait": [found.trait] * len(found.snps), "snp": [*found.snps]}
    for name in ("additive", "dominance", "epistatic_variance"):
        values = getattr(found, name)
        columns[name] = values.mean.tolist()
        columns[f"{name}_sd"] = _known(values.sd)
        if name != "epistatic_variance":
            columns[f"{name}_sign_agreement"] = values.sign_agreement.tolist()
    return pa.table(columns)


def pair_table(found: Decomposed, nulls: Nulls) -> pa.Table:
    """A row per pair, those that add most to the trait first; at most `MOST_PAIRS` of each kind.

    ``trait_sd`` is the SD that the pair's interaction adds to the trait in linkage equilibrium,
    trait units; ``effect`` is per unit of the contrasts of both loci. ``q_value`` is there with a
    null: the largest one where there are several.
    """
    tables = []
    for kind, pairs in found.pairs.items():
        rows, columns = pairs.cells()
        size = pairs.standardised.mean[rows, columns].astype(np.float64)
        q = np.full(len(size), np.nan)
        for null in nulls:
            q = np.fmax(q, false_discovery(size, null[kind])) if kind in null else q
        order = np.argsort(-np.abs(size), kind="stable")[:MOST_PAIRS]
        rows, columns, size, q = rows[order], columns[order], size[order], q[order]
        per_unit = pairs.per_unit(rows, columns)
        sd = pairs.standardised.sd[rows, columns] * per_unit
        agreement = pairs.standardised.sign_agreement[rows, columns]
        snps = np.array(found.snps, object)
        tables.append(
            pa.table(
                {
                    "trait": pa.array([found.trait] * len(order), pa.string()),
                    "kind": pa.array([kind] * len(order), pa.string()),
                    "snp_a": pa.array(snps[pairs.chosen[rows]], pa.string()),
                    "snp_b": pa.array(snps[columns], pa.string()),
                    "effect": size * per_unit,
                    "sd": pa.array(sd, pa.float64(), from_pandas=True),
                    "sign_agreement": agreement,
                    "trait_sd": np.abs(size),
                    "q_value": pa.array(q, pa.float64(), from_pandas=True),
                }
            )
        )
    return pa.concat_tables(tables)


def sizes_of(found: Decomposed) -> dict[str, np.ndarray]:
    """What a decomposition of a null is kept for: sizes of its pairs, by kind, ascending."""
    sizes = {}
    for kind, pairs in found.pairs.items():
        rows, columns = pairs.cells()
        sizes[kind] = np.sort(np.abs(pairs.standardised.mean[rows, columns]))
    return sizes


def variances(found: Decomposed) -> dict[str, dict[str, float | None]]:
    """Mean and SD over the folds of the components, and the additive share of V_G.

    ``se`` is the standard error of the mean that is due to the lines that were drawn.
    """
    parts = [part | {"additive_share": _share(part)} for part in found.variances]
    told = {}
    for name in parts[0]:
        values = np.array([part[name] for part in parts])
        errors = [error[name] for error in found.errors if name in error]
        told[name] = {
            "mean": float(values.mean()),
            "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
            "se": float(np.linalg.norm(errors) / len(errors)) if errors else None,
        }
    return told


def _share(part: Mapping[str, float]) -> float:
    return part["additive"] / part["genetic"] if part["genetic"] > 0 else float("nan")


def _known(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
