"""Predictions of a bundle's fold models for genotypes, in tiles of samples.

A sample's prediction is the mean over the fold models; its spread is their standard deviation
with the divisor (folds − 1), NaN where there is one fold. A sample of the training set is
predicted by the one fold model that did not see it, and has no spread.

Every run of a model has the same number of rows, filled up with missing genotypes, and one thread;
several run side by side. A sample's prediction is therefore the same to the last bit whether it
comes alone or within a cohort, however the file was cut into blocks, and with any number of
threads.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

import numpy as np

from snpredict.ahead import default_threads, map_ahead
from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import VARIANT_EFFECTS
from snpredict.errors import InvalidBundle, WrongKindOfModel
from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.score_function import ScoreFunction
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.scoring.covariates import CovariateTable
from snpredict.scoring.fold_models import FoldModels
from snpredict.scoring.linear import LinearModel
from snpredict.scoring.predictions import ScoreCollector, ScoredBlock, Scores
from snpredict.scoring.tiles import Tile, tiles


def open_models(bundle: Bundle) -> FoldModels:
    """The fold models of a bundle, by its kind.

    Raises
    ------
    InvalidBundle
        See `Scorer`.
    WrongKindOfModel
        The bundle predicts nothing.
    """
    if bundle.manifest.kind == VARIANT_EFFECTS:
        raise bundle.predicts_nothing()
    if bundle.effects is not None:
        return LinearModel(bundle)
    from snpredict.scoring.onnx_models import OnnxModels

    return OnnxModels(bundle)


class Scorer:
    """A bundle's models, loaded and ready.

    Parameters
    ----------
    bundle : Bundle
    threads : int
        Model runs at a time; 0 takes one per core.
    covariates : CovariateTable, optional
        Of a model that takes covariates: what is known of the samples that will be scored.

    Raises
    ------
    InvalidBundle
        A model cannot be loaded, or its input or output has another name, type or shape; or its
        outputs for simple genotypes are not finite, or not those that the manifest implies; or
        the bundle's effects are not those of its weights.
    WrongKindOfModel
        The bundle predicts nothing.
    """

    def __init__(self, bundle: Bundle, threads: int = 0, covariates: CovariateTable | None = None):
        self._bundle = bundle
        self._covariates = covariates if bundle.manifest.covariates else None
        self._threads = threads or default_threads()
        self._models = open_models(bundle)
        self._training_set = bundle.training_set

    def predict(self, genotypes: Genotypes) -> np.ndarray:
        """Prediction of every fold model.

        Parameters
        ----------
        genotypes : Genotypes
            SNPs in the bundle's order.

        Returns
        -------
        ndarray (samples, folds) of float32
            Trait units.
        """
        names = [str(row) for row in range(len(genotypes))]
        return self.scores([GenotypeBlock(names, genotypes)]).folds

    def scores(self, blocks: Iterable[GenotypeBlock]) -> Scores:
        """Predictions of all samples together; see `score`."""
        scores = ScoreCollector(len(self._bundle.manifest.folds))
        for scored in self.score(blocks):
            scores.add(scored)
        return scores.collected()

    def score(
        self, blocks: Iterable[GenotypeBlock], pool: Executor | None = None
    ) -> Iterator[ScoredBlock]:
        """Predictions block by block, in the order of the samples.

        Blocks are taken from `blocks` while earlier ones are still running, a few ahead. Models
        run in threads of their own, or in those of a pool that several scorers share.

        Raises
        ------
        InvalidBundle
            A model gives a prediction that is not finite, or fails.
        UsageError
            There are dosages, and the models' layers are not known.
        WrongKindOfModel
            The model takes covariates, and there is no table of them.
        BadCovariate
            A sample has no row in it.
        """
        if self._bundle.manifest.covariates and self._covariates is None:
            names = ", ".join(covariate.name for covariate in self._bundle.manifest.covariates)
            raise WrongKindOfModel(
                f"model {self._bundle.manifest.name!r} also takes covariates ({names}), which a "
                "file of genotypes does not hold",
                "name a table of them with --covariates TABLE",
            )
        cut = tiles(blocks, self._bundle.manifest.n_snps)
        return map_ahead(self._score, cut, self._threads, 2 * self._threads, pool)

    def score_function(self) -> ScoreFunction | DenseFunction | None:
        """See `FoldModels.score_function`; it is that of the very models that predict."""
        return self._models.score_function()

    def covariates_of(self, samples: Sequence[str]) -> np.ndarray | None:
        """What the models are told of samples beside genotypes, (samples, numbers) float32.

        NaN for a missing value; None for models that take no covariates.

        Raises
        ------
        BadCovariate
            A sample has no row in the table.
        """
        return None if self._covariates is None else self._covariates.of(samples)

    def _score(self, tile: Tile) -> ScoredBlock:
        n = len(tile.samples)
        folds = self._models.predict(tile.genotypes, self._covariates_of(tile))[:n]
        if not np.isfinite(folds).all():
            raise InvalidBundle(f"{self._bundle.path}: a prediction is not finite")
        genotypes = tile.genotypes.rows(slice(0, n))
        if not genotypes.have_dosages().any():
            genotypes = Genotypes(genotypes.codes)
        # A training line with dosages is known by the nearest codes.
        held_out = self._training_set.held_out_by(genotypes.nearest())
        return ScoredBlock(tile.samples, genotypes, folds, held_out)

    def _covariates_of(self, tile: Tile) -> np.ndarray | None:
        """Of its samples, then rows of missing values."""
        if self._covariates is None:
            return None
        known = self.covariates_of(tile.samples)
        assert known is not None
        filled = np.full((len(tile.genotypes), known.shape[1]), np.nan, np.float32)
        filled[: len(known)] = known
        return filled
