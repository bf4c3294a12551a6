"""Predictions of a bundle's fold models for genotypes, on onnxruntime, in blocks of samples.

A sample's prediction is the mean over the fold models; its spread is their standard deviation
with the divisor (folds − 1), and 0 where there is one fold. A sample of the training set is
predicted by the one fold model that did not see it, and has no spread.

Every run of a model has the same number of rows, filled up with missing genotypes, and one thread;
several run side by side. A sample's prediction is therefore the same to the last bit whether it
comes alone or within a cohort, however the file was cut into blocks, and with any number of
threads.
"""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from snpredict.ahead import map_ahead
from snpredict.bundle.load import Bundle
from snpredict.bundle.out_of_fold import NEW, TrainingSet
from snpredict.errors import InvalidBundle, UsageError
from snpredict.formulas.effects import sampled_snps
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, N_CHANNELS
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.scoring.onnx_session import Session, default_threads, open_session
from snpredict.scoring.predictions import ScoredBlock, stack_folds

#: Rows per run, at most: the masks of a few thousand SNPs then fit a processor's cache.
MAX_ROWS = 64

#: Genotypes per run, about, which bounds the memory of models with very many SNPs.
_MAX_GENOTYPES = 1 << 22

#: What a fused ensemble hands out beside its predictions, see `ScoreFunction`.
SCORE_OUTPUTS = ("weights", "bias")
HIDDEN_OUTPUTS = ("hidden_snps", "hidden_means", "hidden_weights", "hidden_bias", "hidden_output")
_HIDDEN_NUMBERS = ("means", "weights", "bias", "output")


class Scorer:
    """A bundle's models, loaded and ready.

    Parameters
    ----------
    bundle : Bundle
    threads : int
        Model runs at a time; 0 takes one per core.

    Raises
    ------
    InvalidBundle
        A model cannot be loaded, or its input or output has another name, type or shape; or its
        outputs for simple genotypes are not finite, or not those that the manifest implies; or
        the bundle's effects are not those of its weights.
    """

    def __init__(self, bundle: Bundle, threads: int = 0):
        self._bundle = bundle
        self._threads = threads or default_threads()
        manifest = bundle.manifest
        self._n_folds = len(manifest.folds)
        self._sessions = [(path, self._open(path)) for path in manifest.models]
        self._rows = min(MAX_ROWS, max(1, _MAX_GENOTYPES // manifest.n_snps))
        self._function: ScoreFunction | None = None
        self._training_set = TrainingSet(bundle)
        self._try_out()

    def predict(self, codes: np.ndarray, fractions: np.ndarray | None = None) -> np.ndarray:
        """Prediction of every fold model.

        Parameters
        ----------
        codes : ndarray (samples, SNPs) of int8
            SNPs in the bundle's order.
        fractions : ndarray (samples, SNPs) of float32, optional
            What dosages add to the codes, see `GenotypeBlock`.

        Returns
        -------
        ndarray (samples, folds) of float32
            Trait units.
        """
        samples = [str(row) for row in range(len(codes))]
        scored = self.score([GenotypeBlock(samples, codes, {}, fractions)])
        return stack_folds([block.folds for block in scored], self._n_folds)

    def score(self, blocks: Iterable[GenotypeBlock]) -> Iterator[ScoredBlock]:
        """Predictions block by block, in the order of the samples.

        Blocks are taken from `blocks` while earlier ones are still running, a few ahead.

        Raises
        ------
        InvalidBundle
            A model gives a prediction that is not finite, or fails.
        UsageError
            There are dosages, and the bundle has no fused ensemble.
        """
        tiles = self._tiles(blocks)
        return map_ahead(self._score, tiles, self._threads, pending=2 * self._threads)

    def score_function(self) -> ScoreFunction | None:
        """The fused ensemble's score as numbers, or None when the bundle has no ensemble.

        They come out of the very graph that predicts.

        Raises
        ------
        InvalidBundle
            The ensemble does not hand them out in the shapes that the manifest implies.
        """
        if self._bundle.manifest.ensemble is None:
            return None
        if self._function is None:
            self._function = self._read_function()
        return self._function

    def _read_function(self) -> ScoreFunction:
        path, session = self._sessions[0]
        given = {output.name for output in session.get_outputs()}
        # Either all of the hidden layer's outputs, or none of them.
        names = [*SCORE_OUTPUTS, *(HIDDEN_OUTPUTS if given & {*HIDDEN_OUTPUTS} else ())]
        no_sample = np.full((1, self._bundle.manifest.n_snps), MISSING, np.int8)
        try:
            weights, bias, *hidden = session.run(names, {"genotypes": no_sample})
        except Exception as error:
            raise self._invalid(path, error) from None
        shape = (self._bundle.manifest.n_snps, N_CHANNELS, self._n_folds)
        if weights.shape != shape or bias.shape != shape[2:]:
            raise InvalidBundle(
                f"{self._bundle.path / path}: found weights {weights.shape} and bias "
                f"{bias.shape}, expected {shape} and {shape[2:]}"
            )
        if not hidden:
            return ScoreFunction(weights, bias)
        inputs, units = (*hidden[2].shape[1:], 0, 0)[:2]
        expected = [
            (self._n_folds, inputs),
            (self._n_folds, inputs),
            (self._n_folds, inputs, units),
            (self._n_folds, units),
            (self._n_folds, units),
        ]
        shapes = [array.shape for array in hidden]
        if shapes != expected or hidden[0].dtype != np.int64:
            raise InvalidBundle(
                f"{self._bundle.path / path}: found a hidden layer of the shapes {shapes}, "
                f"expected {expected}"
            )
        for row in hidden[0]:
            if len(row) and not 0 <= row.min() <= row.max() < shape[0]:
                raise InvalidBundle(
                    f"{self._bundle.path / path}: its hidden layer names SNPs that are not among "
                    f"the {shape[0]}"
                )
            if len(np.unique(row)) < len(row):
                raise InvalidBundle(f"{self._bundle.path / path}: its hidden layer repeats a SNP")
        snps, *numbers = hidden
        return ScoreFunction(
            weights, bias, HiddenLayer(snps, *(n.astype(np.float64) for n in numbers))
        )

    def _open(self, path: str) -> Session:
        try:
            # Parallel runs are faster than parallel steps within a run, and give the same bits
            # however many there are.
            session = open_session(self._bundle.files[path], threads=1)
            inputs = [(i.name, i.type, len(i.shape), i.shape[-1:]) for i in session.get_inputs()]
            outputs = {o.name: o.type for o in session.get_outputs()}
        # onnxruntime's own exceptions have no common base but Exception.
        except Exception as error:
            raise self._invalid(path, error) from None
        expected = [("genotypes", "tensor(int8)", 2, [self._bundle.manifest.n_snps])]
        if inputs != expected or outputs.get("prediction") != "tensor(float)":
            raise InvalidBundle(
                f"{self._bundle.path / path}: expected one input 'genotypes' int8 (samples, "
                f"{self._bundle.manifest.n_snps}) and an output 'prediction' float32, found "
                f"{[(i.name, i.type, i.shape) for i in session.get_inputs()]} and {outputs}"
            )
        return session

    def _try_out(self) -> None:
        """Refuse models with wrong outputs before a file is read.

        Four samples tell: one with all genotypes missing, and one for each code.
        """
        manifest, n_snps = self._bundle.manifest, self._bundle.manifest.n_snps
        simple = np.repeat(np.array(CHANNEL_CODES, np.int8)[:, None], n_snps, axis=1)
        folds = np.concatenate([self._run(row[None]) for row in simple])
        if not np.isfinite(folds).all():
            raise InvalidBundle(f"{self._bundle.path}: a prediction is not finite")
        function = self.score_function()
        if function is None:
            return
        path = self._bundle.path / manifest.models[0]
        numbers = [function.weights, function.bias]
        if function.hidden is not None:
            numbers += [getattr(function.hidden, name) for name in _HIDDEN_NUMBERS]
        # The graph adds in single precision: the larger the terms, the further off its sum.
        with np.errstate(over="ignore", invalid="ignore"):
            # A product with ones is the fast sum over SNPs, in double precision: (4, folds).
            flat, ones = function.weights.reshape(n_snps, -1), np.ones(n_snps)
            shape = (N_CHANNELS, self._n_folds)
            z = function.bias + (ones @ flat).reshape(shape) + function.hidden_scores(simple)
            terms = (ones @ np.abs(flat)).reshape(shape).sum(axis=0)
            if function.hidden is not None:
                terms = terms + _hidden_terms(function.hidden)
        if not all(np.isfinite(values).all() for values in (*numbers, z, terms)):
            raise InvalidBundle(f"{path}: a weight is not finite")
        trait = manifest.trait_scale
        allowed = trait.scale * (1e-3 + 1e-5 * terms) + 1e-6 * np.abs(trait.center)
        if (np.abs(folds - trait.predictions(z)) > allowed).any():
            raise InvalidBundle(
                f"{path}: its predictions are not those that its "
                "weights and the manifest's isru_alpha, center and scale give"
            )
        effects = self._bundle.saliency.effects
        assert effects is not None  # every bundle with a fused ensemble has them
        self._bundle.check_effects(function, sampled_snps(effects))

    def _score(self, tile: GenotypeBlock) -> ScoredBlock:
        """Score one tile: `samples` may be fewer than the rows of its codes."""
        n = len(tile.samples)
        folds = self._run(tile.codes)[:n]
        fractions = None if tile.fractions is None else tile.fractions[:n]
        has_dosage = np.zeros(n, bool) if fractions is None else fractions.any(axis=1)
        if has_dosage.any():
            folds = self._with_dosages(tile, folds, has_dosage)
        else:
            fractions = None
        if not np.isfinite(folds).all():
            raise InvalidBundle(f"{self._bundle.path}: a prediction is not finite")
        codes = tile.codes[:n]
        missing = int(np.count_nonzero(codes == MISSING))
        # A dosage is not what a model was trained on; the sample's neighbours do not matter.
        held_out = np.full(n, NEW)
        held_out[~has_dosage] = self._training_set.held_out_by(codes[~has_dosage])
        return ScoredBlock(tile.samples, codes, fractions, folds, held_out, missing)

    def _run(self, codes: np.ndarray, output: str = "prediction") -> np.ndarray:
        fused = self._bundle.manifest.ensemble is not None
        shape = (len(codes), self._n_folds) if fused else (len(codes),)
        results = []
        for path, session in self._sessions:
            try:
                (result,) = session.run([output], {"genotypes": codes})
            except Exception as error:
                raise self._invalid(path, error) from None
            if result.shape != shape:
                raise InvalidBundle(
                    f"{self._bundle.path / path}: found predictions of shape {result.shape}, "
                    f"expected {shape}"
                )
            results.append(result)
        return results[0] if fused else np.stack(results, axis=1)

    def _with_dosages(
        self, tile: GenotypeBlock, folds: np.ndarray, has_dosage: np.ndarray
    ) -> np.ndarray:
        """The predictions of a tile's samples, those that have dosages anew.

        A dosage of code + f is the expected genotype, see `snpredict.formulas.score_function`: the
        score moves by f · (W[code + 1] − W[code]) and by what the hidden layer makes of x + f.
        """
        function = self.score_function()
        if function is None:
            raise UsageError(
                f"model {self._bundle.manifest.name!r} has no fused ensemble: it has no prediction "
                "for genotypes between the codes",
                "--dosages round takes the nearest code, --dosages ignore the file's hard calls",
            )
        # All rows of the tile, also those that only fill it up: a product of another shape may
        # round otherwise, and a sample's prediction must not depend on its company.
        fractions = np.zeros(tile.codes.shape)
        assert tile.fractions is not None
        fractions[: len(tile.fractions)] = tile.fractions
        z = self._run(tile.codes, "score").astype(np.float64)
        for code, step in dosage_steps(function.weights.astype(np.float64)).items():
            z += (fractions * (tile.codes == code)) @ step
        if function.hidden is not None:
            z += function.hidden_scores(tile.codes, fractions)
            z -= function.hidden_scores(tile.codes)
        predicted = self._bundle.manifest.trait_scale.predictions(z)
        n = len(tile.samples)
        return np.where(has_dosage[:, None], predicted[:n], folds).astype(np.float32)

    def _tiles(self, blocks: Iterable[GenotypeBlock]) -> Iterator[GenotypeBlock]:
        """The samples in new blocks, all with `_rows` rows of codes."""
        samples: list[str] = []
        codes, fractions = self._empty(), None
        for block in blocks:
            start = 0
            while start < len(block.samples):
                if not samples and len(block.samples) - start >= self._rows:
                    # A whole tile at once needs no copy.
                    part = slice(start, start + self._rows)
                    yield GenotypeBlock(
                        block.samples[part],
                        block.codes[part],
                        {},
                        None if block.fractions is None else block.fractions[part],
                    )
                    start += self._rows
                    continue
                taken = block.samples[start : start + self._rows - len(samples)]
                into = slice(len(samples), len(samples) + len(taken))
                source = slice(start, start + len(taken))
                codes[into] = block.codes[source]
                if block.fractions is not None:
                    if fractions is None:
                        fractions = np.zeros(codes.shape, np.float32)
                    fractions[into] = block.fractions[source]
                samples += taken
                start += len(taken)
                if len(samples) == self._rows:
                    yield GenotypeBlock(samples, codes, {}, fractions)
                    # New arrays: those handed out are in use.
                    samples, codes, fractions = [], self._empty(), None
        if samples:
            yield GenotypeBlock(samples, codes, {}, fractions)

    def _empty(self) -> np.ndarray:
        return np.full((self._rows, self._bundle.manifest.n_snps), MISSING, np.int8)

    def _invalid(self, path: str, error: Exception) -> InvalidBundle:
        # Without control characters, which names in a graph may hold.
        reason = " ".join(re.sub("[^ -~]", " ", str(error)).split())
        return InvalidBundle(f"{self._bundle.path / path} cannot be run: {reason}")


def _hidden_terms(hidden: HiddenLayer) -> np.ndarray:
    """How large the terms of a hidden layer can be, (folds,): φ(s) is at most |s| + 0.3."""
    largest = np.abs(hidden.bias, dtype=np.float64) + 2 * np.abs(hidden.weights).sum(
        axis=1, dtype=np.float64
    )
    return ((largest + 0.3) * np.abs(hidden.output)).sum(axis=1)


def dosage_steps(weights: np.ndarray) -> dict[int, np.ndarray]:
    """What one more counted allele changes, by the code that it is added to.

    Parameters
    ----------
    weights : ndarray (SNPs, 4, ...)
        Channel order.

    Returns
    -------
    dict
        For code 0 and code 1: ndarray (SNPs, ...).
    """
    of_code = {code: weights[:, CHANNEL_CODES.index(code)] for code in (0, 1, 2)}
    return {code: of_code[code + 1] - of_code[code] for code in (0, 1)}
