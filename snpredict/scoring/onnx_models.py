"""The fold models of a network's bundle on onnxruntime: one fused ensemble, or one graph a fold."""

import re

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import InvalidBundle, UsageError
from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.score_function import ScoreFunction, dosage_steps
from snpredict.scoring.graph_score import (
    dense_of,
    dense_output_names,
    function_of,
    output_names,
)
from snpredict.scoring.onnx_session import Session, open_session
from snpredict.scoring.trial import hold_dense_against, try_out


class OnnxModels:
    """The `FoldModels` of a bundle of ONNX graphs.

    Parameters
    ----------
    bundle : Bundle

    Raises
    ------
    InvalidBundle
        See `snpredict.scoring.scorer.Scorer`.
    """

    def __init__(self, bundle: Bundle):
        self._bundle = bundle
        self._inputs = [("genotypes", "int8", bundle.manifest.n_snps)]
        if bundle.manifest.covariates:
            self._inputs.append(("covariates", "float", bundle.manifest.n_covariates))
        self._sessions = [(path, self._open(path)) for path in bundle.manifest.models]
        self._function: ScoreFunction | DenseFunction | None = None
        try_out(bundle, self)

    def predict(self, genotypes: Genotypes, covariates: np.ndarray | None = None) -> np.ndarray:
        """See `FoldModels.predict`."""
        folds = self._run(genotypes.codes, covariates)
        have_dosages = genotypes.have_dosages()
        if not have_dosages.any():
            return folds
        with_dosages = self._with_dosages(genotypes, covariates)
        return np.where(have_dosages[:, None], with_dosages, folds).astype(np.float32)

    def score_function(self) -> ScoreFunction | DenseFunction | None:
        """The score as numbers, or None where the graphs hand out none.

        They come out of the very graphs that predict.
        """
        if self._function is None:
            if self._bundle.manifest.ensemble is not None:
                self._function = self._fused()
            elif all(dense_output_names(session) is not None for _, session in self._sessions):
                self._function = self._dense()
        return self._function

    def _fused(self) -> ScoreFunction:
        manifest = self._bundle.manifest
        path, session = self._sessions[0]
        names = output_names(session)
        outputs = dict(zip(names, self._handed_out(path, session, names), strict=True))
        shape = (manifest.n_snps, len(manifest.folds), manifest.n_covariates)
        return function_of(outputs, *shape, self._bundle.path / path)

    def _dense(self) -> DenseFunction:
        manifest = self._bundle.manifest
        folds = []
        for path, session in self._sessions:
            outputs = self._handed_out(path, session, dense_output_names(session) or [])
            where = self._bundle.path / path
            folds.append(dense_of(outputs, manifest.n_snps, manifest.n_covariates, where))
        function = DenseFunction(folds)
        hold_dense_against(function, self._bundle, self)
        return function

    def _handed_out(self, path: str, session: Session, names: list[str]) -> list[np.ndarray]:
        """Outputs that do not depend on the sample."""
        manifest = self._bundle.manifest
        given = {"genotypes": np.full((1, manifest.n_snps), MISSING, np.int8)}
        if manifest.covariates:
            given["covariates"] = np.zeros((1, manifest.n_covariates), np.float32)
        try:
            return session.run(names, given)
        except Exception as error:
            raise self._invalid(path, error) from None

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
        expected = [(name, f"tensor({kind})", 2, [width]) for name, kind, width in self._inputs]
        if inputs != expected or outputs.get("prediction") != "tensor(float)":
            wanted = [f"'{name}' {kind} (samples, {width})" for name, kind, width in self._inputs]
            raise InvalidBundle(
                f"{self._bundle.path / path}: expected the inputs {' and '.join(wanted)} and an "
                "output 'prediction' float32, found "
                f"{[(i.name, i.type, i.shape) for i in session.get_inputs()]} and {outputs}"
            )
        return session

    def _run(
        self, codes: np.ndarray, covariates: np.ndarray | None = None, output: str = "prediction"
    ) -> np.ndarray:
        """One output of all fold models: (samples, folds) of float32."""
        fused = self._bundle.manifest.ensemble is not None
        shape = (len(codes), len(self._bundle.manifest.folds)) if fused else (len(codes),)
        given = {"genotypes": codes}
        if self._bundle.manifest.covariates:
            width = self._bundle.manifest.n_covariates
            nothing = np.zeros((len(codes), width), np.float32)
            given["covariates"] = nothing if covariates is None else covariates
        results = []
        for path, session in self._sessions:
            try:
                (result,) = session.run([output], given)
            except Exception as error:
                raise self._invalid(path, error) from None
            if result.shape != shape:
                raise InvalidBundle(
                    f"{self._bundle.path / path}: found predictions of shape {result.shape}, "
                    f"expected {shape}"
                )
            results.append(result)
        return results[0] if fused else np.stack(results, axis=1)

    def _with_dosages(self, genotypes: Genotypes, covariates: np.ndarray | None) -> np.ndarray:
        """Predictions (samples, folds) float64 for expected genotypes.

        A dosage is code + f, see `snpredict.formulas.score_function`: the score moves by
        f · (W[code + 1] − W[code]) and by what the hidden layer makes of x + f.
        """
        function = self.score_function()
        if function is None:
            raise UsageError(
                f"the layers of model {self._bundle.manifest.name!r} are not known: it has no "
                "prediction for genotypes between the codes",
                "--dosages round takes the nearest code, --dosages ignore the file's hard calls",
            )
        trait = self._bundle.manifest.trait_scale
        if isinstance(function, DenseFunction):
            return trait.predictions(function.scores(genotypes, covariates))
        codes, fractions = genotypes.codes, np.asarray(genotypes.fractions, np.float64)
        z = self._run(codes, covariates, output="score").astype(np.float64)
        for code, step in dosage_steps(function.weights.astype(np.float64)).items():
            z += (fractions * (codes == code)) @ step
        if function.hidden is not None:
            z += function.hidden_scores(genotypes)
            z -= function.hidden_scores(Genotypes(codes))
        predicted = trait.predictions(z)
        if function.fixed is not None and covariates is not None:
            predicted += function.fixed.added(covariates)
        return predicted

    def _invalid(self, path: str, error: Exception) -> InvalidBundle:
        # Without control characters, which names in a graph may hold.
        reason = " ".join(re.sub("[^ -~]", " ", str(error)).split())
        return InvalidBundle(f"{self._bundle.path / path} cannot be run: {reason}")
