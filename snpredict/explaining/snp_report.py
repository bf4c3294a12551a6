"""One SNP of a model: found by what a person types, and all that the bundle says about it."""

from dataclasses import dataclass

import numpy as np

from snpredict.bundle.decomposition_tables import LOCUS_COLUMNS
from snpredict.bundle.load import Bundle
from snpredict.bundle.tables import SnpTable
from snpredict.errors import UnknownSnp
from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.effects import average_effects, is_curved
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, unknown_in_training
from snpredict.formulas.score_function import ScoreFunction
from snpredict.genotypes.places import typed_place
from snpredict.names import Search, listed, search

NEIGHBOURS = 5
PARTNERS = 10

#: Names in a message, when a part of a name fits several.
_LISTED = 10

#: What `SnpReport.effects_hold` may say.
IN_EVERY_LINE = "every line, up to the curvature of the model's output (ISRU)"
IN_EVERY_LINE_BY_LINK = {
    "isru": IN_EVERY_LINE,
    "identity": "every line",
    "logit": "every line, up to the curvature of the probability",
}
IN_THE_AVERAGE_LINE = "the average genotype of the training set; other SNPs change them"


@dataclass(frozen=True)
class Neighbour:
    """A SNP near another one on its chromosome."""

    id: str
    position: int
    saliency: float
    rank: int


@dataclass(frozen=True)
class Partner:
    """A SNP whose genotypes change the effect of another one.

    Attributes
    ----------
    id : str
    effect, sd, trait_sd, q_value
        See `snpredict.bundle.decomposition_tables.StoredPair`.
    """

    id: str
    effect: float
    sd: float
    trait_sd: float
    q_value: float | None


@dataclass(frozen=True)
class SnpReport:
    """Everything that a bundle says about one SNP.

    Attributes
    ----------
    id : str
    chromosome, position, counted_allele, other_allele : str, int, str, str or None
    saliency, centered_saliency, percentile : float
    rank, n_snps : int
        Place among the model's SNPs by saliency, 1 = largest.
    fold_saliency : dict of str to float
        By the fold's name.
    frequencies : dict of str to (float or None)
        By genotype (``"0"``, ``"1"``, ``"2"``, ``"missing"``): share in the training set; None
        where no genotype is known there.
    effects : dict of str to float
        By genotype: signed effect in trait units. Empty where the model's layers
        are not known.
    effects_hold : str or None
        In which lines the effects are those: `IN_EVERY_LINE`, or `IN_THE_AVERAGE_LINE` of a SNP
        that enters a hidden layer. None without effects.
    effect_ranges : dict of str to (float, float)
        5th and 95th percentile of the effects over training lines; empty where the bundle does not
        have them.
    attributions : dict of str to float
        By the method's name: mean absolute contribution over the test samples. Those that the
        bundle has.
    neighbours : list of Neighbour
        Up to five on either side, by position; empty without a known position.
    decomposition : dict of str to float
        Average effect of an allele, dominance, variance of the interactions, and their SDs over the
        folds (`snpredict.bundle.decomposition_tables.LOCUS_COLUMNS`); empty where the bundle does
        not have them.
    partners : list of Partner
        The strongest pairs that the SNP is part of, up to ten.
    """

    id: str
    chromosome: str | None
    position: int | None
    counted_allele: str | None
    other_allele: str | None
    saliency: float
    centered_saliency: float
    rank: int
    n_snps: int
    percentile: float
    fold_saliency: dict[str, float]
    frequencies: dict[str, float | None]
    effects: dict[str, float]
    effects_hold: str | None
    effect_ranges: dict[str, tuple[float, float]]
    attributions: dict[str, float]
    neighbours: list[Neighbour]
    decomposition: dict[str, float]
    partners: list[Partner]


#: Keys of a report's genotypes and the channel of each.
_GENOTYPES = {
    name: CHANNEL_CODES.index(code)
    for name, code in {"0": 0, "1": 1, "2": 2, "missing": MISSING}.items()
}


def search_snp(snps: SnpTable, typed: str) -> Search:
    """Look up what a person typed for a SNP: a name, its place, or a part of its name.

    A place is a chromosome as any file may spell it, and a position: ``10:44669893``. It is looked
    for where no name equals what was typed, and before parts of names. A part stands for the only
    name that has it.
    """
    found = search(typed, snps.ids)
    if found.match is not None:
        return found
    place = typed_place(typed.strip())
    if place is not None:
        chromosome, position = place
        here = _on_chromosome(snps, chromosome)
        ids = [snps.ids[at] for there, at in here if there == position]
        if ids:
            return Search(ids[0]) if len(ids) == 1 else Search(None, ids)
        if here and not found.completions:
            by_distance = sorted(here, key=lambda other: abs(other[0] - position))
            return Search(None, nearest=[snps.ids[at] for _, at in by_distance[:3]])
    if len(found.completions) == 1:
        return Search(found.completions[0])
    return found


def find_snp(bundle: Bundle, typed: str) -> str:
    """Id of the SNP that was typed, see `search_snp`.

    Raises
    ------
    UnknownSnp
        With the names that have it as a part, or the nearest ones.
    """
    found = search_snp(bundle.snps, typed)
    if found.match is not None:
        return found.match
    model = f"model {bundle.manifest.name!r}"
    if found.completions:
        raise UnknownSnp(
            f"{model} has {len(found.completions):,} SNPs with {typed!r} in their names or at that "
            f"place: {listed(found.completions, _LISTED)}",
            "type more of the name",
        )
    hint = "snpredict explain, without further arguments, completes names as you type"
    if found.nearest:
        hint = f"did you mean {' or '.join(found.nearest)}?"
    raise UnknownSnp(f"{model} has no SNP {typed!r} among its {len(bundle.snps):,}", hint)


def _on_chromosome(snps: SnpTable, name: str) -> list[tuple[int, int]]:
    """Position and place among the model's SNPs of those on a chromosome, by position."""
    key = snps.chromosome_names.key
    return sorted(
        (position, at)
        for at, (chromosome, position) in enumerate(
            zip(snps.chromosome, snps.position, strict=True)
        )
        if chromosome is not None and position is not None and key(chromosome) == key(name)
    )


def describe_snp(
    bundle: Bundle, snp: str, function: ScoreFunction | DenseFunction | None
) -> SnpReport:
    """Look up a SNP.

    Parameters
    ----------
    bundle : Bundle
    snp : str
        Its exact id.
    function : ScoreFunction, DenseFunction or None
        The bundle's, from a `Scorer`.

    Raises
    ------
    InvalidBundle
        The stored effects of this SNP are not those of the weights.
    """
    at = bundle.snps.ids.index(snp)
    snps, saliency = bundle.snps, bundle.saliency
    hold, effects = None, None
    if isinstance(function, DenseFunction):
        # Such bundles store none: one SNP's are quickly made of the layers themselves.
        trait, hold = bundle.manifest.trait_scale, IN_THE_AVERAGE_LINE
        effects = average_effects(function, trait, snps.frequencies, np.array([at]))[0]
    elif function is not None:
        assert saliency.effects is not None  # every bundle with a fused ensemble has them
        effects = saliency.effects[at]
        # A `Scorer` has tried a sample of the SNPs, which may be without this one.
        bundle.check_effects(function, np.array([at]))
        linear = IN_EVERY_LINE_BY_LINK[bundle.manifest.link.name]
        hold = IN_THE_AVERAGE_LINE if is_curved(function, at) else linear
    return SnpReport(
        id=snp,
        chromosome=snps.chromosome[at],
        position=snps.position[at],
        counted_allele=snps.counted_allele[at],
        other_allele=snps.other_allele[at],
        saliency=float(saliency.saliency[at]),
        centered_saliency=float(saliency.centered[at]),
        rank=int(saliency.rank[at]),
        n_snps=len(snps),
        percentile=float(saliency.percentile[at]),
        fold_saliency={
            fold.name: float(value)
            for fold, value in zip(bundle.manifest.folds, saliency.per_fold[at], strict=True)
        },
        frequencies=_frequencies(snps.frequencies[at]),
        effects={} if effects is None else {g: float(effects[c]) for g, c in _GENOTYPES.items()},
        effects_hold=hold,
        effect_ranges=_ranges(saliency.effect_ranges, at),
        attributions={name: float(of[at]) for name, of in saliency.attributions.items()},
        neighbours=_neighbours(bundle, at),
        decomposition=_decomposition(bundle, at),
        partners=_partners(bundle, at),
    )


def _decomposition(bundle: Bundle, at: int) -> dict[str, float]:
    tables = bundle.decomposition
    if tables is None:
        return {}
    return dict(zip(LOCUS_COLUMNS, tables.loci[at].tolist(), strict=True))


def _partners(bundle: Bundle, at: int) -> list[Partner]:
    tables = bundle.decomposition
    found = [] if tables is None else tables.partners(at, PARTNERS)
    return [
        Partner(bundle.snps.ids[other], pair.effect, pair.sd, pair.trait_sd, pair.q_value)
        for other, pair in found
    ]


def _frequencies(of_snp: np.ndarray) -> dict[str, float | None]:
    unknown = bool(unknown_in_training(of_snp[None])[0])
    return {g: None if unknown else float(of_snp[c]) for g, c in _GENOTYPES.items()}


def _ranges(ranges: np.ndarray | None, at: int) -> dict[str, tuple[float, float]]:
    if ranges is None:
        return {}
    return {g: (float(ranges[at, c, 0]), float(ranges[at, c, 1])) for g, c in _GENOTYPES.items()}


def _neighbours(bundle: Bundle, at: int) -> list[Neighbour]:
    snps, saliency = bundle.snps, bundle.saliency
    chromosome, own = snps.chromosome[at], snps.position[at]
    if chromosome is None or own is None:
        return []
    placed = _on_chromosome(snps, chromosome)
    here = placed.index((own, at))
    near = placed[max(0, here - NEIGHBOURS) : here] + placed[here + 1 : here + 1 + NEIGHBOURS]
    return [
        Neighbour(
            snps.ids[index], position, float(saliency.saliency[index]), int(saliency.rank[index])
        )
        for position, index in near
    ]
