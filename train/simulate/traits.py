"""Traits on genotypes, with loci that are known: what a method of finding loci is judged by.

Loci are drawn among the SNPs with a minor allele that is not rare, far from each other. A locus'
term is a function of its genotypes, standardised over the lines, times its effect:

- ``additive``: the copies; ``dominant``: one copy or more; ``recessive``: two copies;
  ``overdominant``: exactly one.
- ``epistatic``, a pair: the product of the two SNPs' centred codes, less what either of them
  explains of it by itself, so that neither has an effect of its own.

A polygenic background adds small additive effects of many SNPs. Decoys are SNPs as far away from
all loci and as frequent as they are, one per locus, without an effect (as in SNPBench: Reynolds &
Pan 2025). Noise is scaled so that the share of genetic variance is exact in the lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snpredict.formulas.encoding import MISSING
from train.errors import SimulationError
from train.simulate.lines import Lines, Sites

KINDS = ("additive", "dominant", "recessive", "overdominant", "epistatic")

#: Loci and decoys are so far from each other, if they share a chromosome.
APART_CM = 10.0


@dataclass(frozen=True)
class Design:
    """What a trait is to be like.

    Attributes
    ----------
    loci : mapping of str to int
        Number of loci of each of `KINDS`; of pairs for ``epistatic``.
    heritability : float
        Share of the genetic variance, 0 to 1.
    background : float
        Share of the polygenic background in the genetic variance.
    equal : bool
        Whether all effects are ±1; else they are drawn from N(0, 1).
    prevalence : float or None
        Share of cases of a trait of two classes; the trait is then a liability.
    decoys : bool
    min_maf : float
    """

    loci: Mapping[str, int]
    heritability: float
    background: float = 0.0
    equal: bool = False
    prevalence: float | None = None
    decoys: bool = True
    min_maf: float = 0.05


@dataclass(frozen=True)
class Locus:
    """A locus, or a decoy, of a trait.

    Attributes
    ----------
    snp : int
        Its place.
    kind : str
    effect : float
        In SDs of the term, before scaling; 0 of a decoy.
    partner : int or None
        The other SNP of a pair.
    variance_share : float
        Of the trait's variance; of a pair, that of the pair.
    """

    snp: int
    kind: str
    effect: float
    partner: int | None
    variance_share: float


@dataclass(frozen=True)
class Trait:
    """A trait and its truth.

    Attributes
    ----------
    y : ndarray (lines,) of float64
        SD 1 and mean 0, or 0 and 1.
    genetic : ndarray (lines,) of float64
        The genetic part, on the scale of the (liability) trait.
    loci : list of Locus
        Loci, then decoys of kind ``decoy``.
    """

    y: np.ndarray
    genetic: np.ndarray
    loci: list[Locus]


def simulate_trait(lines: Lines, design: Design, seed: int) -> Trait:
    """Draw loci and effects, and the trait of the lines.

    Raises
    ------
    SimulationError
        Shares are not between 0 and 1, or there are too few SNPs far enough from each other.
    """
    _check(design)
    random = np.random.default_rng([seed, 7])
    maf = _minor_frequencies(lines)
    usable = np.flatnonzero(maf >= design.min_maf)
    kinds = [kind for kind, count in design.loci.items() for _ in range(count)]
    wanted = len(kinds) + kinds.count("epistatic")
    placed = _apart(lines.sites, random.permutation(usable), wanted, [])
    if len(placed) < wanted:
        raise SimulationError(
            f"found {len(placed)} SNPs with a minor allele of at least {design.min_maf:g} that lie "
            f"{APART_CM:g} cM apart, expected {wanted} for the loci",
            "ask for fewer loci, or give more SNPs or chromosomes",
        )
    decoys = _decoys(lines.sites, usable, maf, placed, random) if design.decoys else []
    drawn = random.standard_normal(len(kinds))
    effects = np.sign(drawn) if design.equal else drawn
    small = random.permutation(usable)[: max(1, len(usable) // 2)]
    if not design.background:
        small = small[:0]
    codes, polygenic = _gathered(lines, placed, small, random)
    terms, pairs, at = [], [], 0
    for kind in kinds:
        used = placed[at : at + (2 if kind == "epistatic" else 1)]
        terms.append(_term(kind, [codes[snp] for snp in used]))
        pairs.append(used)
        at += len(used)
    parts = np.stack(terms, axis=1) * effects if kinds else np.zeros((len(lines.samples), 0))
    genetic, scale = _scaled(parts.sum(axis=1), 1 - design.background if len(kinds) else 0.0)
    if design.background:
        genetic = genetic + _scaled(polygenic, design.background)[0]
    genetic, again = _scaled(genetic, design.heritability)
    noise = random.standard_normal(len(genetic))
    liability = genetic + _noise(noise, genetic, 1 - design.heritability)
    y = liability
    if design.prevalence is not None:
        y = (liability > np.quantile(liability, 1 - design.prevalence)).astype(np.float64)
    shares = parts.var(axis=0) * (scale * again) ** 2
    loci = [
        Locus(snp, kind, float(effect), _other(used, snp), float(share))
        for kind, effect, used, share in zip(kinds, effects, pairs, shares, strict=True)
        for snp in used
    ]
    return Trait(y, genetic, [*loci, *(Locus(snp, "decoy", 0.0, None, 0.0) for snp in decoys)])


def _other(used: list[int], snp: int) -> int | None:
    return next((each for each in used if each != snp), None)


def _check(design: Design) -> None:
    for name, value in (
        ("heritability", design.heritability),
        ("background", design.background),
        ("prevalence", 0.5 if design.prevalence is None else design.prevalence),
    ):
        if not 0 <= value <= 1:
            raise SimulationError(f"{name} is {value:g}; expected a share from 0 to 1")
    for kind, count in design.loci.items():
        if kind not in KINDS or count < 0:
            raise SimulationError(
                f"found {count} loci of kind '{kind}'; expected a number of {', '.join(KINDS)}"
            )


def _minor_frequencies(lines: Lines) -> np.ndarray:
    found = np.zeros(len(lines.sites))
    for at, block in lines.blocks():
        called = np.maximum((block != MISSING).sum(axis=1), 1)
        share = np.where(block == MISSING, 0, block).sum(axis=1, dtype=np.int64) / (2 * called)
        found[at] = np.minimum(share, 1 - share)
    return found


def _apart(sites: Sites, order: np.ndarray, count: int, taken: list[int]) -> list[int]:
    """The first SNPs of an order that are far from each other and from those taken."""
    found: list[int] = []
    for snp in order.tolist():
        if len(found) == count:
            break
        if all(_far(sites, snp, other) for other in (*taken, *found)):
            found.append(snp)
    return found


def _far(sites: Sites, one: int, other: int) -> bool:
    if sites.chromosome[one] != sites.chromosome[other]:
        return True
    return bool(abs(sites.centimorgan[one] - sites.centimorgan[other]) >= APART_CM)


def _decoys(
    sites: Sites, usable: np.ndarray, maf: np.ndarray, loci: list[int], random: np.random.Generator
) -> list[int]:
    """A SNP per locus, of about its frequency; fewer where there is no room."""
    found: list[int] = []
    for locus in loci:
        # Not always the nearest frequency, which could be the same SNP's neighbours.
        away = np.abs(maf[usable] - maf[locus]) + random.random(len(usable)) / 50
        order = usable[np.argsort(away)]
        found += _apart(sites, order, 1, [*loci, *found])
    return found


def _gathered(
    lines: Lines, loci: list[int], background: np.ndarray, random: np.random.Generator
) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Copies of the loci, missing ones at the mean, and the sum of the background's effects."""
    effects = np.zeros(len(lines.sites))
    effects[background] = random.standard_normal(len(background))
    codes: dict[int, np.ndarray] = {}
    polygenic = np.zeros(len(lines.samples))
    wanted = set(loci)
    for at, block in lines.blocks():
        for snp in wanted.intersection(range(at.start, at.stop)):
            codes[snp] = _filled(block[snp - at.start])
        here = np.flatnonzero(effects[at])
        if len(here):
            x = np.stack([_standardised(_filled(row)) for row in block[here]])
            polygenic += effects[at][here] @ x
    return codes, polygenic


def _filled(row: np.ndarray) -> np.ndarray:
    known = row != MISSING
    mean = row[known].mean() if known.any() else 0.0
    return np.where(known, row, mean).astype(np.float64)


def _standardised(values: np.ndarray) -> np.ndarray:
    away = values - values.mean()
    return away / (float(away.std()) or 1.0)


def _term(kind: str, codes: list[np.ndarray]) -> np.ndarray:
    if kind == "additive":
        return _standardised(codes[0])
    if kind == "dominant":
        return _standardised(np.minimum(codes[0], 1))
    if kind == "recessive":
        return _standardised(np.maximum(codes[0] - 1, 0))
    if kind == "overdominant":
        return _standardised(1 - np.abs(codes[0] - 1))
    one, other = (_standardised(each) for each in codes)
    # What each genotype of either SNP predicts of the product, and not only each copy.
    columns = [np.ones(len(one)), one, one**2, other, other**2]
    design = np.column_stack(columns)
    product = one * other
    return _standardised(product - design @ np.linalg.lstsq(design, product)[0])


def _scaled(values: np.ndarray, variance: float) -> tuple[np.ndarray, float]:
    """Centred and of that variance, and the factor."""
    away = values - values.mean()
    size = float(away.std())
    factor = variance**0.5 / size if size > 0 else 0.0
    return away * factor, factor


def _noise(noise: np.ndarray, genetic: np.ndarray, variance: float) -> np.ndarray:
    """Noise of that variance that does not go with the genetic part by chance."""
    noise = noise - noise.mean()
    size = float(genetic @ genetic)
    if size > 0:
        noise = noise - genetic * float(noise @ genetic) / size
    return _scaled(noise, variance)[0]
