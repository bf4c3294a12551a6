"""A run's decomposition over its folds: tables, variances, and how they meet a known truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from train.decomposition.haploid import Decomposition, decompose, false_discovery
from train.decomposition.sensitivities import KINDS, sensitivities
from train.errors import SimulationError
from train.runs.folder import Run


@dataclass(frozen=True)
class Decomposed:
    """The folds' networks of one trait.

    Attributes
    ----------
    trait : str
    snps : sequence of str
    folds : list of Decomposition
    off : float or None
        Largest distance of the linear map from the network, SDs of the trait; None of a network
        that is none.
    """

    trait: str
    snps: Sequence[str]
    folds: list[Decomposition]
    off: float | None

    def mean(self, name: str) -> np.ndarray:
        """Of an attribute of `Decomposition`, over the folds."""
        return np.mean([getattr(fold, name) for fold in self.folds], axis=0)

    def sd(self, name: str) -> np.ndarray:
        """Likewise the standard deviation; NaN with one fold."""
        values = np.array([getattr(fold, name) for fold in self.folds])
        return values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1:], np.nan)


def decompose_run(run: Run, kind: str = KINDS[0]) -> Decomposed:
    """Every fold's network, in the lines that it did not see."""
    found = list(sensitivities(run, kind))
    folds = [decompose(each) for each in found]
    off = [each.off for each in found if each.off is not None]
    return Decomposed(run.settings.trait, run.data.snps, folds, max(off, default=None))


def locus_table(each: Sequence[Decomposed]) -> pa.Table:
    """A row per trait and locus: effects and SDs over the folds."""
    columns: dict[str, list] = {"trait": [], "snp": []}
    for found in each:
        columns["trait"] += [found.trait] * len(found.snps)
        columns["snp"] += found.snps
        for name in ("additive", "epistatic_variance"):
            columns.setdefault(name, []).extend(found.mean(name).tolist())
            columns.setdefault(f"{name}_sd", []).extend(_known(found.sd(name)))
    return pa.table(columns)


def pair_table(each: Sequence[Decomposed], null: Mapping[str, Decomposed]) -> pa.Table:
    """A row per trait and pair, strongest first; ``q_value`` where the trait has a null."""
    columns: dict[str, list] = {
        name: [] for name in ("trait", "snp_a", "snp_b", "effect", "sd", "q_value")
    }
    for found in each:
        one, other = np.triu_indices(len(found.snps), 1)
        effects, sds = found.mean("pairs")[one, other], found.sd("pairs")[one, other]
        known = np.isfinite(effects)
        one, other, effects, sds = one[known], other[known], effects[known], sds[known]
        q = np.full(len(effects), np.nan)
        if found.trait in null:
            of_null = null[found.trait].mean("pairs")
            of_null = of_null[np.triu_indices(len(of_null), 1)]
            q = false_discovery(effects, of_null[np.isfinite(of_null)])
        order = np.argsort(-np.abs(effects), kind="stable")
        columns["trait"] += [found.trait] * len(order)
        columns["snp_a"] += [found.snps[at] for at in one[order]]
        columns["snp_b"] += [found.snps[at] for at in other[order]]
        columns["effect"] += effects[order].tolist()
        columns["sd"] += _known(sds[order])
        columns["q_value"] += _known(q[order])
    return pa.table(columns)


def variances(found: Decomposed) -> dict[str, dict[str, float | None]]:
    """Mean and SD over the folds of V_A, V_I and V_G, and the additive share."""
    parts = [dict(fold.variances) for fold in found.folds]
    for part in parts:
        part["additive_share"] = part["additive"] / part["genetic"]
    told = {}
    for name in parts[0]:
        values = np.array([part[name] for part in parts])
        sd = float(values.std(ddof=1)) if len(values) > 1 else None
        told[name] = {"mean": float(values.mean()), "sd": sd}
    return told


def against_truth(
    found: Decomposed, additive: Mapping[str, float], pairs: Mapping[frozenset, float]
) -> dict[str, float]:
    """r and slope of the estimates on known effects: of loci, of all pairs, of true pairs.

    A pair that the truth does not name has no effect. ``true_pairs_found`` is the share of true
    ones among as many strongest pairs, ``quadratic`` the coefficient of the variances of the
    sensitivities on the squared effects of their pairs; that and ``true_pairs_r`` need three.

    Raises
    ------
    SimulationError
        The truth lacks a locus.
    """
    if lacking := [snp for snp in found.snps if snp not in additive]:
        raise SimulationError(
            f"the truth of {found.trait} lacks locus {lacking[0]}; expected every SNP of the run",
            "name the table that belongs to these lines",
        )
    true = np.array([additive[snp] for snp in found.snps])
    one, other = np.triu_indices(len(found.snps), 1)
    names = [frozenset((found.snps[a], found.snps[b])) for a, b in zip(one, other, strict=True)]
    of_pairs = np.array([pairs.get(name, 0.0) for name in names])
    estimated = found.mean("pairs")[one, other]
    known = np.isfinite(estimated)
    of_pairs, estimated = of_pairs[known], estimated[known]
    told = _named("additive", _line(true, found.mean("additive")))
    if of_pairs.any():
        told |= _named("pairs", _line(of_pairs, estimated))
        real = of_pairs != 0
        strongest = np.argsort(-np.abs(estimated), kind="stable")[: real.sum()]
        told["true_pairs_found"] = float(real[strongest].mean())
        if real.sum() > 2:
            told["true_pairs_r"] = _line(of_pairs[real], estimated[real])[0]
            # With one partner the variance of a sensitivity is the squared effect of the pair.
            of_locus = np.array([_of_partner(snp, pairs) for snp in found.snps])
            told["quadratic"] = float(np.polyfit(of_locus, found.mean("epistatic_variance"), 2)[0])
    return told


def _line(true: np.ndarray, estimated: np.ndarray) -> tuple[float, float]:
    """r, and the slope of the estimates on the truth."""
    r = float(np.corrcoef(true, estimated)[0, 1])
    return r, r * float(estimated.std() / true.std())


def _of_partner(snp: str, pairs: Mapping[frozenset, float]) -> float:
    """The root of the summed squares of a locus' effects, with the sign of a single one."""
    own = [effect for pair, effect in pairs.items() if snp in pair]
    return own[0] if len(own) == 1 else float(np.linalg.norm(own))


def _named(name: str, line: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_r": line[0], f"{name}_slope": line[1]}


def _known(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
