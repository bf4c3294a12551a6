"""Additive effects, dominance and epistasis of diploids, of any function of the genotypes.

Lines are drawn in linkage equilibrium at the population's genotype frequencies. The function is
asked for every line with each genotype of each locus; the contrasts of these three values are the
locus' sensitivities S_A and S_D in that line (`train.decomposition.contrasts`). Their means are
its average effect and dominance deviation. How S_A of locus i goes with w_A of locus j is their
additive-by-additive effect; S_A and w_D give additive by dominance, S_D and w_D dominance by
dominance.

A squared mean is larger than the square of what is estimated. So a component of variance is a mean
over pairs of different lines n ≠ m, which is right in the mean for any number of lines. With
sensitivities and contrasts in units of the contrasts' SDs, and S S' and W W' matrices of (lines,
lines):

    V_A  = mean (S_A S_A')              V_AA = ½ mean (S_A S_A' ∘ W_A W_A')
    V_D  = mean (S_D S_D')              V_AD =   mean (S_A S_A' ∘ W_D W_D')
                                        V_DD = ½ mean (S_D S_D' ∘ W_D W_D')

less the terms of a locus with itself, which are 0 but for chance. No matrix of pairs of loci is
needed. What V_G, a Monte Carlo of the variance of the function itself, has more than their sum is
of three and more loci. Standard errors are of a jackknife over groups of lines: all components
share the lines.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from train.decomposition.contrasts import Contrasts

#: Groups of lines that the jackknife leaves out in turn.
GROUPS = 20

#: Components of variance, in the order in which they are told; V_G is ``genetic``.
COMPONENTS = (
    "additive",
    "dominance",
    "additive_by_additive",
    "additive_by_dominance",
    "dominance_by_dominance",
)

#: From lines (lines, loci) of int8 to their values (lines, 3) with each genotype of a locus, locus
#: by locus.
EachGenotype = Callable[[np.ndarray], Iterator[np.ndarray]]

#: Is told that a locus is done.
Tell = Callable[[], None]


@dataclass(frozen=True)
class DiploidSensitivities:
    """Of one function in lines that were drawn.

    Attributes
    ----------
    contrasts : Contrasts
    codes : ndarray (lines, loci) of int8
    additive, dominance : ndarray (lines, loci) of float32
        S_A and S_D, units of the function.
    values : ndarray (lines,) of float64
        The function.
    """

    contrasts: Contrasts
    codes: np.ndarray
    additive: np.ndarray
    dominance: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Component:
    """A component of variance and its standard error over the lines that were drawn."""

    value: float
    se: float


def sensitivities_of(
    function: EachGenotype, contrasts: Contrasts, codes: np.ndarray, tell: Tell = lambda: None
) -> DiploidSensitivities:
    """Those of a function in given lines (lines, loci) without missing genotypes."""
    additive, dominance = (np.empty(codes.shape, np.float32) for _ in range(2))
    values = np.zeros(len(codes))
    for locus, each in enumerate(function(codes)):
        additive[:, locus] = contrasts.average_effects(each, locus)
        dominance[:, locus] = contrasts.deviations(each, locus)
        if locus == 0:
            # The line as it is stands among the three values of any of its loci.
            own = codes[:, [0]].astype(np.int64)
            values = np.take_along_axis(each, own, axis=1)[:, 0].astype(np.float64)
        tell()
    return DiploidSensitivities(contrasts, codes, additive, dominance, values)


def variance_components(found: DiploidSensitivities) -> dict[str, Component]:
    """`COMPONENTS`, ``genetic`` for V_G, and ``higher``, what V_G has more than their sum."""
    a, d = coded(found)
    group = np.arange(len(found.values)) * GROUPS // len(found.values)
    # Interactions are what sensitivities have beside their means.
    s_a, s_d = (each.s - each.s.mean(axis=0) for each in (a, d))
    pairs = (
        _Pairs.of(a.s, None, group),
        _Pairs.of(d.s, None, group),
        _Pairs.of(s_a, a.w, group, 0.5),
        _Pairs.of(s_a, d.w, group),
        _Pairs.of(s_d, d.w, group, 0.5),
    )
    parts = dict(zip(COMPONENTS, pairs, strict=True))
    estimates = {name: part.estimates() for name, part in parts.items()}
    genetic = _genetic(found.values, a, d, group)
    estimates["genetic"] = genetic
    estimates["higher"] = genetic - sum(estimates[name] for name in COMPONENTS)
    return {name: _jackknifed(each) for name, each in estimates.items()}


@dataclass(frozen=True)
class Coded:
    """Sensitivities and contrasts of one kind, both in SDs of the contrast: (lines, loci)."""

    s: np.ndarray
    w: np.ndarray


def coded(found: DiploidSensitivities) -> tuple[Coded, Coded]:
    """The additive ones, and those of dominance."""
    w_a, w_d = found.contrasts.coded(found.codes)
    sd_a, sd_d = (
        np.sqrt(variance).astype(np.float32)
        for variance in (
            found.contrasts.additive_variance,
            found.contrasts.dominance_variance,
        )
    )
    return Coded(found.additive * sd_a, w_a), Coded(found.dominance * sd_d, w_d)


def pair_effects(one: Coded, other: Coded, chosen: np.ndarray) -> np.ndarray:
    """The interaction of contrast `one` at some loci with contrast `other` at all loci.

    Parameters
    ----------
    one, other : Coded
        Twice the additive ones for additive by additive, and so on.
    chosen : ndarray (n,) of int64
        Places of the loci of `one`.

    Returns
    -------
    ndarray (n, loci) of float32
        The SD that the pair's interaction adds, with its sign: the mean of what both loci's
        sensitivities say. NaN for a locus with itself.
    """
    s_one, s_other = (each - each.mean(axis=0) for each in (one.s[:, chosen], other.s))
    found = s_one.T @ other.w
    found += one.w[:, chosen].T @ s_other
    found /= 2 * (len(one.s) - 1)
    found[np.arange(len(chosen)), chosen] = np.nan
    return found


@dataclass(frozen=True)
class _Pairs:
    """Sums over pairs of different lines, by the groups of both: what means are made of."""

    sums: np.ndarray
    counts: np.ndarray

    @staticmethod
    def of(s: np.ndarray, w: np.ndarray | None, group: np.ndarray, factor: float = 1) -> "_Pairs":
        """Of ``S S'``, or of ``S S' ∘ W W'`` less its terms of equal loci, times a factor."""
        member = (group[:, None] == np.arange(GROUPS)).astype(np.float64)
        products = s @ s.T
        each = s
        if w is not None:
            products = products * (w @ w.T)
            each = s * w
        products[np.diag_indices(len(s))] = 0
        sums = member.T @ products.astype(np.float64) @ member
        if w is not None:
            by_group = member.T @ each.astype(np.float64)
            sums -= by_group @ by_group.T
            squares = (each.astype(np.float64) ** 2).sum(axis=1)
            sums += np.diag(member.T @ squares)
        sizes = member.sum(axis=0)
        return _Pairs(factor * sums, np.outer(sizes, sizes) - np.diag(sizes))

    def estimates(self) -> np.ndarray:
        """Of all lines, then without each group in turn."""
        return _with_all(self.sums) / _with_all(self.counts)


def _with_all(table: np.ndarray) -> np.ndarray:
    """The sum of a table of groups by groups, then without each group's row and column."""
    whole = table.sum()
    return np.concatenate([[whole], whole - table.sum(axis=0) - table.sum(axis=1) + np.diag(table)])


def _genetic(values: np.ndarray, a: "Coded", d: "Coded", group: np.ndarray) -> np.ndarray:
    """V_G of all lines, then without each group.

    The variance of the lines that happened to be drawn is off by a few percent, mostly by that of
    single loci's sums in these lines, whose variance is known. So that is put in its place.
    """
    of_a, of_d = (each.s.mean(axis=0, dtype=np.float64) for each in (a, d))
    single = a.w @ of_a + d.w @ of_d
    known = (of_a**2).sum() + (of_d**2).sum()
    return _left_out_variances(values, group) - _left_out_variances(single, group) + known


def _left_out_variances(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    left = [values[group != each].var(ddof=1) for each in range(GROUPS)]
    return np.array([values.var(ddof=1), *left])


def _jackknifed(estimates: np.ndarray) -> Component:
    left = estimates[1:]
    se = np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    return Component(float(estimates[0]), float(se))
