"""How a network's prediction moves with each locus, line by line: its equivalent linear map.

At a line x the network equals J(x) x + b(x), with J its Jacobian: between the kinks of its units it
is linear. Without biases b is 0 (Golden 2025, arXiv 2505.24293). The entry of J at a locus is the
locus' **sensitivity**, here per unit of x and in trait units. For haploid lines x is −1 or 1, so
that a sensitivity is half the difference between the two alleles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.dense_function import DenseFold
from snpredict.formulas.encoding import MISSING
from snpredict.scoring.graph_score import dense_of, dense_output_names
from snpredict.scoring.onnx_session import open_session
from train.errors import UnsuitableModel
from train.runs.folder import Run, fold_folder


@dataclass(frozen=True)
class Sensitivities:
    """Those of one fold's network in its test lines.

    Attributes
    ----------
    fold : int
    x : ndarray (lines, loci) of float64
        −1 or 1; 0 for a missing genotype.
    values : ndarray (lines, loci) of float64
        Trait units per unit of x.
    off : float
        Largest ``|J x − f|`` of the lines, in SDs of the trait.
    """

    fold: int
    x: np.ndarray
    values: np.ndarray
    off: float


def sensitivities(run: Run) -> Iterator[Sensitivities]:
    """Of every finished fold, in the lines that the fold tested.

    Raises
    ------
    UnsuitableModel
        The trait is of two classes, the model hands out no dense layers, they have biases, or
        genotypes are others than 0 and 1.
    """
    if run.settings.task == BINARY:
        raise UnsuitableModel(
            f"{run.path} is about a trait of 0 and 1", "decompose a continuous trait"
        )
    for number, result, rows in zip(run.folds, run.results, run.rows, strict=True):
        fold = _network(run, number)
        if any(np.any(bias) for bias in fold.layers.biases) or fold.inputs.loadings.size:
            raise UnsuitableModel(
                f"the network of {run.path} has biases or principal components, and its "
                "sensitivities are not all of it",
                "train with --preset elm",
            )
        genotypes = run.data.genotypes.rows(rows)
        _require_haploid(run, genotypes.nearest())
        x = fold.inputs.of_snps(genotypes).astype(np.float64)
        gradients, scale = fold.layers.gradients(x), result["scale"]
        off = np.abs((gradients * x).sum(axis=1) - fold.layers.scores(x)[:, 0]).max()
        whole = np.zeros((2, len(rows), len(run.data.snps)))
        whole[0][:, fold.inputs.snps] = x
        whole[1][:, fold.inputs.snps] = scale * gradients
        yield Sensitivities(number, whole[0], whole[1], float(off))


def _network(run: Run, number: int) -> DenseFold:
    path = fold_folder(run.path, number) / "model.onnx"
    found = open_session(path.read_bytes()) if path.exists() else None
    names = None if found is None else dense_output_names(found)
    if found is None or names is None or run.settings.covariates:
        raise UnsuitableModel(
            f"the model of {run.path} is not a network of dense layers without covariates",
            "train with --preset elm",
        )
    n_snps = len(run.data.snps)
    outputs = found.run(names, {"genotypes": np.full((1, n_snps), MISSING, np.int8)})
    return dense_of(outputs, n_snps, 0, path)


def _require_haploid(run: Run, codes: np.ndarray) -> None:
    if codes.max(initial=0) > 1:
        raise UnsuitableModel(
            f"{run.data.source} has genotypes of 2 copies; the decomposition is for haploid lines "
            "of 0 and 1",
            "diploid lines cannot be decomposed yet",
        )
