"""Predictions of a bundle's fold models for genotypes, on onnxruntime, in blocks of samples.

A sample's prediction is the mean over the fold models; its spread is their standard deviation
with the divisor (folds − 1), and 0 where there is one fold. Every run of a model has the same
number of rows, filled up with missing genotypes, so that a sample's prediction is the same to the
last bit whether it comes alone or within a cohort, and however the file was cut into blocks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from snpredict.bundle import Bundle
from snpredict.encoding import MISSING, N_CHANNELS
from snpredict.errors import InvalidBundle
from snpredict.genotypes import GenotypeBlock, GenotypeReader

#: Rows per run, at most: the masks of a few thousand SNPs then fit a processor's cache.
MAX_ROWS = 64

#: Genotypes per run, about, which bounds the memory of models with very many SNPs.
_MAX_GENOTYPES = 1 << 22

_ERRORS_ONLY = 3


@dataclass(frozen=True)
class ScoredBlock:
    """Consecutive samples with their predictions.

    Attributes
    ----------
    samples : list of str
    codes : ndarray (samples, SNPs) of int8
    folds : ndarray (samples, folds) of float32
        Prediction of every fold model, trait units.
    """

    samples: list[str]
    codes: np.ndarray
    folds: np.ndarray


@dataclass(frozen=True)
class AffineScore:
    """The affine part of a fused ensemble, out of the very graph that predicts.

    Attributes
    ----------
    weights : ndarray (SNPs, 4, folds) of float32
    bias : ndarray (folds,) of float32
    """

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Coverage:
    """How much of a model's input a file filled.

    Attributes
    ----------
    samples : int
    model_snps : int
    found : int
        SNPs of the model that the file has.
    missing : int
        Missing genotypes over all samples and SNPs of the model, absent SNPs included.
    """

    samples: int
    model_snps: int
    found: int
    missing: int

    @property
    def found_share(self) -> float:
        """Share of the model's SNPs that the file has."""
        return self.found / self.model_snps

    @property
    def missing_rate(self) -> float:
        """Share of missing genotypes among all SNPs of the model."""
        return self.missing / max(1, self.samples * self.model_snps)

    @property
    def missing_rate_found(self) -> float:
        """Share of missing genotypes among the SNPs that the file has."""
        absent = self.samples * (self.model_snps - self.found)
        return (self.missing - absent) / max(1, self.samples * self.found)


@dataclass(frozen=True)
class Scores:
    """All predictions for a file.

    Attributes
    ----------
    samples : list of str
    folds : ndarray (samples, folds) of float32
        Trait units.
    coverage : Coverage
    """

    samples: list[str]
    folds: np.ndarray
    coverage: Coverage

    @property
    def prediction(self) -> np.ndarray:
        """Mean over the folds, (samples,) float64."""
        return ensemble_mean(self.folds)

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation over the folds, (samples,) float64."""
        return ensemble_spread(self.folds)


def ensemble_mean(folds: np.ndarray) -> np.ndarray:
    """Mean over the folds: (samples, folds) → (samples,) float64."""
    return folds.mean(axis=1, dtype=np.float64)


def ensemble_spread(folds: np.ndarray) -> np.ndarray:
    """Standard deviation over the folds, ddof = 1, 0 for one fold: (samples,) float64."""
    if folds.shape[1] == 1:
        return np.zeros(len(folds))
    return folds.std(axis=1, ddof=1, dtype=np.float64)


class Scorer:
    """A bundle's models, loaded and ready.

    Parameters
    ----------
    bundle : Bundle
    threads : int
        Threads within a model run; 0 lets onnxruntime take one per core.

    Raises
    ------
    InvalidBundle
        A model cannot be loaded, or its input or output has another name, type or shape.
    """

    def __init__(self, bundle: Bundle, threads: int = 0):
        self._bundle = bundle
        manifest = bundle.manifest
        self._n_folds = len(manifest.folds)
        paths = [manifest.ensemble] if manifest.ensemble else [f.model for f in manifest.folds]
        self._sessions = [(path, self._open(path, threads)) for path in paths]
        self._rows = min(MAX_ROWS, max(1, _MAX_GENOTYPES // manifest.n_snps))

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """Prediction of every fold model.

        Parameters
        ----------
        codes : ndarray (samples, SNPs) of int8
            SNPs in the bundle's order.

        Returns
        -------
        ndarray (samples, folds) of float32
            Trait units.
        """
        samples = [str(row) for row in range(len(codes))]
        scored = self.score([GenotypeBlock(samples, codes, {})])
        return _stack([block.folds for block in scored], self._n_folds)

    def score(self, blocks: Iterable[GenotypeBlock]) -> Iterator[ScoredBlock]:
        """Predictions block by block, in the order of the samples.

        Raises
        ------
        InvalidBundle
            A model gives a prediction that is not finite, or fails.
        """
        for samples, padded in self._padded(blocks):
            folds = self._run(padded)[: len(samples)]
            if not np.isfinite(folds).all():
                raise InvalidBundle(f"{self._bundle.path}: a prediction is not finite")
            yield ScoredBlock(samples, padded[: len(samples)], folds)

    def affine(self) -> AffineScore | None:
        """Weights and bias of the fused ensemble, or None when the bundle has none.

        Raises
        ------
        InvalidBundle
            The ensemble does not hand them out in the shapes that the manifest implies.
        """
        if self._bundle.manifest.ensemble is None:
            return None
        path, session = self._sessions[0]
        no_sample = np.full((self._rows, self._bundle.manifest.n_snps), MISSING, np.int8)
        try:
            weights, bias = session.run(["weights", "bias"], {"genotypes": no_sample})
        except Exception as error:
            raise self._invalid(path, error) from None
        shape = (self._bundle.manifest.n_snps, N_CHANNELS, self._n_folds)
        if weights.shape != shape or bias.shape != shape[2:]:
            raise InvalidBundle(
                f"{self._bundle.path / path}: found weights {weights.shape} and bias "
                f"{bias.shape}, expected {shape} and {shape[2:]}"
            )
        return AffineScore(weights, bias)

    def _open(self, path: str, threads: int) -> ort.InferenceSession:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = _ERRORS_ONLY
        # Threads that wait busily would take the cores from the reader of the next block.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(
                self._bundle.files[path], options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime's own exceptions have no common base but Exception.
        except Exception as error:
            raise self._invalid(path, error) from None
        inputs = [(i.name, i.type, len(i.shape), i.shape[-1:]) for i in session.get_inputs()]
        expected = [("genotypes", "tensor(int8)", 2, [self._bundle.manifest.n_snps])]
        if inputs != expected or "prediction" not in {o.name for o in session.get_outputs()}:
            raise InvalidBundle(
                f"{self._bundle.path / path}: expected one input 'genotypes' int8 (samples, "
                f"{self._bundle.manifest.n_snps}) and an output 'prediction', found "
                f"{[(i.name, i.type, i.shape) for i in session.get_inputs()]} and "
                f"{[o.name for o in session.get_outputs()]}"
            )
        return session

    def _run(self, codes: np.ndarray) -> np.ndarray:
        fused = self._bundle.manifest.ensemble is not None
        shape = (len(codes), self._n_folds) if fused else (len(codes),)
        results = []
        for path, session in self._sessions:
            try:
                (result,) = session.run(["prediction"], {"genotypes": codes})
            except Exception as error:
                raise self._invalid(path, error) from None
            if result.shape != shape:
                raise InvalidBundle(
                    f"{self._bundle.path / path}: found predictions of shape {result.shape}, "
                    f"expected {shape}"
                )
            results.append(result)
        return results[0] if fused else np.stack(results, axis=1)

    def _padded(self, blocks: Iterable[GenotypeBlock]) -> Iterator[tuple[list[str], np.ndarray]]:
        """The samples in new blocks, all with `_rows` rows of codes."""
        samples: list[str] = []
        codes = self._empty()
        for block in blocks:
            start = 0
            while start < len(block.samples):
                taken = block.samples[start : start + self._rows - len(samples)]
                end = start + len(taken)
                codes[len(samples) : len(samples) + len(taken)] = block.codes[start:end]
                samples += taken
                start = end
                if len(samples) == self._rows:
                    yield samples, codes
                    # A new array: the one handed out is the caller's now.
                    samples, codes = [], self._empty()
        if samples:
            yield samples, codes

    def _empty(self) -> np.ndarray:
        return np.full((self._rows, self._bundle.manifest.n_snps), MISSING, np.int8)

    def _invalid(self, path: str, error: Exception) -> InvalidBundle:
        reason = " ".join(str(error).split())
        return InvalidBundle(f"{self._bundle.path / path} cannot be run: {reason}")


def snps_found(reader: GenotypeReader, snps: Iterable[str]) -> int:
    """How many of the SNPs a table's header names."""
    header = set(getattr(reader, "header", ()))
    return sum(name in header for name in snps)


def collect(blocks: Iterable[ScoredBlock], model_snps: int, found: int) -> Scores:
    """Put scored blocks together and count what is missing.

    Parameters
    ----------
    blocks : iterable of ScoredBlock
    model_snps : int
        SNPs of the model.
    found : int
        How many of them the file has.
    """
    samples: list[str] = []
    folds: list[np.ndarray] = []
    missing = 0
    for block in blocks:
        samples += block.samples
        folds.append(block.folds)
        missing += int(np.count_nonzero(block.codes == MISSING))
    coverage = Coverage(len(samples), model_snps, found, missing)
    return Scores(samples, _stack(folds, folds[0].shape[1] if folds else 0), coverage)


def _stack(parts: list[np.ndarray], n_columns: int) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty((0, n_columns), np.float32)
