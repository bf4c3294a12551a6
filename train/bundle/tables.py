"""The tables of a bundle, made from a run's folds."""

import numpy as np

from snpredict.bundle.out_of_fold import OutOfFold, genotype_digest
from snpredict.bundle.tables import SaliencyTable, SnpTable
from snpredict.formulas.effects import average_effects, effect_ranges
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.sample_rates import sample_rates
from snpredict.formulas.score_function import ScoreFunction
from train.data.snpinfo import SnpInfo
from train.runs.folder import Run
from train.runs.left_out import LeftOut

#: Training lines over which the ranges of effects are taken, at most: the time that they take
#: grows with their number, and the percentiles hardly move any more.
EFFECT_LINES = 200


def some_lines(codes: np.ndarray, seed: int) -> np.ndarray:
    """The genotypes of at most `EFFECT_LINES` lines, drawn with that seed."""
    if len(codes) <= EFFECT_LINES:
        return codes
    rows = np.random.default_rng(seed).choice(len(codes), EFFECT_LINES, replace=False)
    return codes[np.sort(rows)]


def snp_table(run: Run, info: SnpInfo, frequencies: np.ndarray) -> SnpTable:
    """The SNPs in model order, with their frequencies in training."""
    return SnpTable.of(
        ids=tuple(run.data.snps),
        chromosome=tuple(info.chromosome),
        position=tuple(info.position),
        counted_allele=tuple(info.counted_allele),
        other_allele=tuple(info.other_allele),
        frequencies=frequencies,
    )


def saliency_table(
    run: Run, frequencies: np.ndarray, function: ScoreFunction | None, trait: TraitScale
) -> SaliencyTable | None:
    """Saliency over all test samples, and the effects of each genotype; None where none was kept.

    Parameters
    ----------
    run : Run
    frequencies : ndarray (SNPs, 4)
    function : ScoreFunction or None
        None for a network that cannot be fused; it has no effects.
    trait : TraitScale
    """
    if not run.has("saliency.npz"):
        return None
    effects = ranges = None
    if function is not None:
        effects = average_effects(function, trait, frequencies)
        lines = some_lines(run.data.codes, run.settings.seed)
        ranges = effect_ranges(function, trait, frequencies, Genotypes(lines))
    return SaliencyTable(
        saliency=run.over_samples(run.saliency),
        centered=run.over_samples(run.centered),
        per_fold=run.saliency.T,
        effects=effects,
        effect_ranges=ranges,
        attributions=run.attributions,
    )


def out_of_fold_table(run: Run, left_out: LeftOut | None, distances: np.ndarray) -> OutOfFold:
    """What the fold that did not see a sample predicted for it, in the order of the samples."""
    rows = np.concatenate(run.rows)
    order = np.argsort(rows, kind="stable")
    rows, predicted = rows[order], np.concatenate(run.predicted)[order]
    fold = np.concatenate([np.full(len(r), f) for f, r in zip(run.folds, run.rows, strict=True)])
    return OutOfFold(
        digest=tuple(genotype_digest(run.data.codes[row]) for row in rows),
        fold=fold[order],
        predicted=predicted,
        residual=run.data.phenotype[rows] - predicted,
        distance=distances[rows],
        rates=sample_rates(Genotypes(run.data.codes[rows])),
        # All rows are there, in their order.
        families=None if left_out is None else left_out.for_bundle(),
    )
