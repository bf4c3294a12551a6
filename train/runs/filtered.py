"""A model that is fitted to the SNPs that pass its filters, as one over all of them.

The filters look at a fold's training rows alone, so that folds keep different SNPs. What is fitted
is widened again: it takes the genotypes of all SNPs and gives those that it does not know weights
of exactly 0, in its score, in its saliency and in its ONNX file. Nothing else has to know.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction
from train.attribution.explained import Among, Explained
from train.data.filters import SnpFilters
from train.model import FittedModel, FoldData, Inputs, Model, Record
from train.parity import parity_genotypes


class FilteredModel(Model):
    """A model with filters before it.

    Parameters
    ----------
    model : Model
    filters : SnpFilters
    order : ndarray (SNPs,) of int
        The SNPs along the chromosomes.
    """

    def __init__(self, model: Model, filters: SnpFilters, order: np.ndarray):
        self.name, self.title, self.about = model.name, model.title, model.about
        self.together, self.control_seeds = model.together, model.control_seeds
        self.tasks, self.covariates, self.dosages = model.tasks, model.covariates, model.dosages
        self.attributable = model.attributable
        self._model, self._filters, self._order = model, filters, order

    def prepare(self, threads: int) -> None:
        """As the model does."""
        self._model.prepare(threads)

    def fit(self, data: FoldData, record: Record | None = None) -> "Widened":
        """Fit to the SNPs that pass in the training rows."""
        kept = self._filters.kept(data.train.genotypes, self._order)
        fitted = self._model.fit(_narrow(data, kept), record)
        return Widened(fitted, kept, data.train.genotypes.n_snps, data.seed)

    def refit(self, data: FoldData, fitted: FittedModel) -> "Widened | None":
        """Fit again to the same SNPs."""
        assert isinstance(fitted, Widened)
        again = self._model.refit(_narrow(data, fitted.kept), fitted.inner)
        if again is None:
            return None
        return Widened(again, fitted.kept, data.train.genotypes.n_snps, data.seed)


class Widened(FittedModel):
    """A model of some SNPs as one of all.

    Parameters
    ----------
    inner : FittedModel
    kept : ndarray of int64
        Places of its SNPs, ascending.
    n_snps : int
        Of all.
    seed : int
        Of the genotypes that a bundle's parts are compared on.
    """

    def __init__(self, inner: FittedModel, kept: np.ndarray, n_snps: int, seed: int):
        self.inner, self.kept = inner, kept
        self._n_snps, self._seed = n_snps, seed
        self.chosen = [{**chosen, "snps_kept": len(kept)} for chosen in inner.chosen]

    def predict(self, inputs: Inputs) -> np.ndarray:
        """From the SNPs that it knows."""
        return self.inner.predict(inputs.snps(self.kept))

    def score_function(self) -> tuple[ScoreFunction, TraitScale] | None:
        """With weights of 0 for the other SNPs."""
        found = self.inner.score_function()
        if found is None:
            return None
        function, scale = found
        hidden = function.hidden
        if hidden is not None:
            hidden = replace(hidden, snps=self.kept[hidden.snps])
        return replace(function, weights=self._wide(function.weights), hidden=hidden), scale

    def explained(self) -> tuple[Explained, Callable[[Inputs], np.ndarray]] | None:
        """With the kept SNPs at their places among all."""
        found = self.inner.explained()
        if found is None:
            return None
        network, inputs_of = found
        among = Among(network, self.kept, self._n_snps)
        return among, lambda inputs: inputs_of(inputs.snps(self.kept))

    def save(self, folder: Path, test: Inputs) -> dict[str, Any]:
        """What the model writes, widened."""
        result = self.inner.save(folder, test.snps(self.kept))
        if (path := folder / "saliency.npz").exists():
            np.savez(path, **{name: self._wide(a) for name, a in dict(np.load(path)).items()})
        if (path := folder / "score.npz").exists():
            np.savez(path, **self._score(dict(np.load(path))))
        if (path := folder / "model.onnx").exists():
            path.write_bytes(wide_onnx(path.read_bytes(), self.kept, self._n_snps))
        return result

    def _score(self, score: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if "weights" in score:
            score["weights"] = self._wide(score["weights"])
        if "hidden_snps" in score:
            score["hidden_snps"] = self.kept[score["hidden_snps"]]
        if "parity_predictions" in score:
            codes = parity_genotypes(self._n_snps, self._seed)
            score["parity_predictions"] = self.predict(Inputs(Genotypes(codes)))[:, 0]
        return score

    def _wide(self, of_kept: np.ndarray) -> np.ndarray:
        """(kept SNPs, …) as (SNPs, …), 0 for the others."""
        wide = np.zeros((self._n_snps, *of_kept.shape[1:]), of_kept.dtype)
        wide[self.kept] = of_kept
        return wide


def _narrow(data: FoldData, kept: np.ndarray) -> FoldData:
    return replace(data, train=data.train.snps(kept), validation=data.validation.snps(kept))


def wide_onnx(model: bytes, kept: np.ndarray, n_snps: int) -> bytes:
    """An ONNX model over some SNPs as one over all, which takes its own out of them.

    Parameters
    ----------
    model : bytes
        With the input ``genotypes`` int8 (samples, kept SNPs).
    kept : ndarray of int64
        Places of these SNPs among all.
    """
    import onnx
    from onnx import numpy_helper

    proto = onnx.load_from_string(model)
    graph, own = proto.graph, "genotypes_of_kept_snps"
    for node in graph.node:
        node.input[:] = [own if name == "genotypes" else name for name in node.input]
    given = next(value for value in graph.input if value.name == "genotypes")
    given.type.tensor_type.shape.dim[1].dim_value = n_snps
    graph.initializer.append(numpy_helper.from_array(kept.astype(np.int64), "kept_snps"))
    take = onnx.helper.make_node("Gather", ["genotypes", "kept_snps"], [own], "kept", axis=1)
    graph.node.insert(0, take)
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)
