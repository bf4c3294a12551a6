"""A model's average effects as a linear score, and how far that score is the model.

The score is the sum of average effect · copies of the counted allele, where a missing genotype
counts as twice the allele's frequency in training: what a file of weights can hold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.explaining.effect_table import EffectsOfSnps
from snpredict.formulas.encoding import CHANNEL_CODES, assumed_frequencies
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.matching.matched_file import MatchedFile
from snpredict.scoring.predictions import ScoreCollector
from snpredict.scoring.scorer import Scorer

#: Lines that are drawn where there is no file, and the seed of the drawing.
LINES, SEED = 1000, 1

_TILE = 64


@dataclass(frozen=True)
class LinearFit:
    """How a linear score goes with a model's predictions, in some lines.

    Attributes
    ----------
    n_lines : int
    correlation : float
        Pearson's; NaN where one of the two does not vary.
    offset : float
        What is added to the score so that its mean is that of the predictions; trait units.
    """

    n_lines: int
    correlation: float
    offset: float


def linear_scores(genotypes: Genotypes, effects: EffectsOfSnps) -> np.ndarray:
    """The linear score of lines: (lines,) float64.

    A SNP whose average effect does not exist has no part in it.
    """
    weights = np.nan_to_num(effects.average)
    copies = genotypes.copies()
    missing = np.isnan(copies)
    return np.where(missing, 2 * np.nan_to_num(effects.frequency), copies) @ weights


def fit_to_drawn_lines(bundle: Bundle, scorer: Scorer, effects: EffectsOfSnps) -> LinearFit:
    """The fit in `LINES` lines whose genotypes are drawn SNP by SNP, as frequent as in training.

    Neighbouring SNPs are independent in such lines, and in real ones they are not. Of a SNP without
    a frequency both alleles are as common.
    """
    random = np.random.default_rng(SEED)
    edges = np.cumsum(assumed_frequencies(bundle.snps.frequencies), axis=1)[:, :-1]
    codes_of = np.array(CHANNEL_CODES, np.int8)

    def blocks() -> Iterator[GenotypeBlock]:
        for start in range(0, LINES, _TILE):
            n = min(_TILE, LINES - start)
            channel = (random.random((n, len(edges)))[:, :, None] > edges).sum(axis=2)
            names = [f"line {start + at}" for at in range(n)]
            yield GenotypeBlock(names, Genotypes(codes_of[channel]))

    return _fit(blocks(), bundle, scorer, effects)


def fit_to_file(file: MatchedFile, scorer: Scorer, effects: EffectsOfSnps) -> LinearFit:
    """The fit in the samples of a file, predicted as `predict` does.

    Raises
    ------
    SnpredictError
        As the reader's `genotypes`, and `Scorer.score`.
    """
    return _fit(file.blocks(), file.bundle, scorer, effects)


def _fit(
    blocks: Iterable[GenotypeBlock], bundle: Bundle, scorer: Scorer, effects: EffectsOfSnps
) -> LinearFit:
    scores = ScoreCollector(len(bundle.manifest.folds))
    linear = []
    for block in scorer.score(blocks):
        scores.add(block)
        linear.append(linear_scores(block.genotypes, effects))
    predicted, score = scores.collected().prediction, np.concatenate(linear)
    varies = len(score) > 1 and predicted.std() > 0 and score.std() > 0
    correlation = float(np.corrcoef(predicted, score)[0, 1]) if varies else float("nan")
    return LinearFit(len(score), correlation, float(predicted.mean() - score.mean()))
