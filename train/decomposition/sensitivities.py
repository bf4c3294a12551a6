"""How a network's prediction moves with each locus, line by line.

The **sensitivity** of a locus in a line is, in trait units per unit of x with x = −1 and 1 for the
two alleles of a haploid line,

- ``difference``: half the difference between the predictions of the line with either allele, which
  any network has;
- ``gradient``: the entry of the Jacobian J(x). A network of dense layers without biases is linear
  between the kinks of its units and equals J(x) x at every line, its equivalent linear map (Golden
  2025, arXiv 2505.24293). It takes one pass for all loci.

The two are the same where no unit changes sides between the alleles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.dense_function import DenseFold
from snpredict.formulas.dense_layers import DenseEnsemble
from snpredict.formulas.encoding import MISSING
from snpredict.scoring.graph_score import dense_of, dense_output_names
from snpredict.scoring.onnx_session import Session, open_session
from train.errors import UnsuitableModel
from train.runs.folder import Run, fold_folder

#: The two notions; the first is the one that recovers known effects better.
KINDS = ("difference", "gradient")


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
    off : float or None
        Largest ``|J x − f|`` of the lines, in SDs of the trait; None of a network with biases.
    """

    fold: int
    x: np.ndarray
    values: np.ndarray
    off: float | None = None


def sensitivities(run: Run, kind: str = KINDS[0]) -> Iterator[Sensitivities]:
    """Of every finished fold, in the lines that the fold tested.

    Raises
    ------
    UnsuitableModel
        The trait is of two classes, there are covariates, the model writes no ONNX file, genotypes
        are others than 0 and 1, or gradients are asked of a network that has biases.
    """
    s = run.settings
    if s.task == BINARY or s.covariates or not run.has("model.onnx"):
        raise UnsuitableModel(
            f"{run.path} is not the run of a network of a continuous trait without covariates",
            "train one with --preset elm",
        )
    for number, result, rows in zip(run.folds, run.results, run.rows, strict=True):
        codes = run.data.genotypes.rows(rows).nearest()
        if codes.max(initial=0) > 1:
            raise UnsuitableModel(
                f"{run.data.source} has genotypes of 2 copies; the decomposition is for haploid "
                "lines of 0 and 1",
                "diploid lines cannot be decomposed yet",
            )
        session = open_session((fold_folder(run.path, number) / "model.onnx").read_bytes())
        x = np.where(codes == MISSING, 0.0, 2.0 * codes - 1)
        network = _homogeneous(run, number, session)
        gradients, off = None, None
        if network is not None:
            gradients, off = _gradients(network, x)
        if kind == "difference":
            values = _differences(session, codes)
        elif gradients is not None:
            values = result["scale"] * gradients
        else:
            raise UnsuitableModel(
                f"the network of {run.path} has biases, or its layers are not known: its gradients "
                "are not all of it",
                "leave --sensitivity out, or train with --preset elm",
            )
        yield Sensitivities(number, x, values, off)


def _differences(session: Session, codes: np.ndarray) -> np.ndarray:
    """Half the difference of the predictions with either allele, locus by locus."""
    found = np.empty(codes.shape)
    for locus in range(codes.shape[1]):
        predicted = []
        for allele in (0, 1):
            changed = codes.copy()
            changed[:, locus] = allele
            (one,) = session.run(["prediction"], {"genotypes": changed})
            predicted.append(one.astype(np.float64))
        found[:, locus] = (predicted[1] - predicted[0]) / 2
    return found


def _gradients(network: DenseFold, x: np.ndarray) -> tuple[np.ndarray, float]:
    """Of the score, (lines, loci), and how far ``J x`` is from it."""
    inputs = x[:, network.inputs.snps]
    gradients = network.layers.gradients(inputs)
    mapped = (gradients * inputs).sum(axis=1)
    whole = np.zeros(x.shape)
    whole[:, network.inputs.snps] = gradients
    return whole, float(np.abs(mapped - network.layers.scores(inputs)[:, 0]).max())


def _homogeneous(run: Run, number: int, session: Session) -> DenseFold | None:
    """The dense layers that the graph hands out, if they have no biases and x for inputs."""
    names, n_snps = dense_output_names(session), len(run.data.snps)
    if names is None:
        return None
    outputs = session.run(names, {"genotypes": np.full((1, n_snps), MISSING, np.int8)})
    found = dense_of(outputs, n_snps, 0, fold_folder(run.path, number) / "model.onnx")
    inputs, layers = found.inputs, found.layers
    each = layers.networks if isinstance(layers, DenseEnsemble) else [layers]
    biases = [bias for network in each for bias in network.biases]
    coded = (inputs.means[inputs.snps] == 0.5).all() and (inputs.sds == 0.5).all()
    if not coded or inputs.loadings.size or any(np.any(bias) for bias in biases):
        return None
    return found
