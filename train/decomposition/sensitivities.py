"""How a network's prediction moves with each locus of haploid lines, line by line.

The **sensitivity** of a locus in a line is, in trait units per unit of x with x = −1 and 1 for the
two alleles,

- ``difference``: half the difference between the predictions of the line with either allele, which
  any network has;
- ``gradient``: the entry of the Jacobian J(x). A network of dense layers without biases is linear
  between the kinks of its units and equals J(x) x at every line, its equivalent linear map (Golden
  2025, arXiv 2505.24293). It takes one pass for all loci.

The two are the same where no unit changes sides between the alleles.
"""

from dataclasses import dataclass

import numpy as np

from snpredict.formulas.dense_function import DenseFold, DenseFunction
from snpredict.formulas.dense_layers import DenseEnsemble
from snpredict.formulas.encoding import MISSING
from train.decomposition.diploid import Tell
from train.decomposition.fold_functions import FoldFunction
from train.errors import UnsuitableModel

#: The two notions; the first is the one that recovers known effects better.
KINDS = ("difference", "gradient")


@dataclass(frozen=True)
class Sensitivities:
    """Those of one network in given lines.

    Attributes
    ----------
    x : ndarray (lines, loci) of float64
        −1 or 1; 0 for a missing genotype.
    values : ndarray (lines, loci) of float64
        Trait units per unit of x.
    """

    x: np.ndarray
    values: np.ndarray


def haploid_sensitivities(
    function: FoldFunction, codes: np.ndarray, kind: str = KINDS[0], tell: Tell = lambda: None
) -> Sensitivities:
    """Those of a fold's network in lines (lines, loci) of codes 0 and 1.

    Raises
    ------
    UnsuitableModel
        Gradients are asked of a network that has biases.
    """
    x = np.where(codes == MISSING, 0.0, 2.0 * codes - 1)
    if kind == "difference":
        values = np.empty(codes.shape)
        for locus, each in enumerate(function.each_genotype(codes, (0, 1))):
            values[:, locus] = (each[:, 1] - each[:, 0]) / 2
            tell()
        return Sensitivities(x, values)
    network = _homogeneous(function)
    if network is None:
        raise UnsuitableModel(
            "the network has biases: its gradients are not all of it",
            "leave --sensitivity out, or train with --preset elm",
        )
    values = np.zeros(x.shape)
    snps = network.inputs.snps
    values[:, snps] = function.scale.scale[0] * network.layers.gradients(x[:, snps])
    for _ in range(codes.shape[1]):
        tell()
    return Sensitivities(x, values)


def _homogeneous(function: FoldFunction) -> DenseFold | None:
    """The dense layers, if they have no biases and x for inputs."""
    if not isinstance(function.score, DenseFunction):
        return None
    (found,) = function.score.folds
    inputs, layers = found.inputs, found.layers
    each = layers.networks if isinstance(layers, DenseEnsemble) else [layers]
    biases = [bias for network in each for bias in network.biases]
    coded = (inputs.means[inputs.snps] == 0.5).all() and (inputs.sds == 0.5).all()
    if not coded or inputs.loadings.size or any(np.any(bias) for bias in biases):
        return None
    return found
