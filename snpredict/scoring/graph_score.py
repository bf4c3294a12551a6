"""The numbers that a graph hands out beside its predictions: a score as a function.

A fused ensemble's are those of a `ScoreFunction`, the graph's of a dense network those of a
`DenseFold`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from snpredict.errors import InvalidBundle
from snpredict.formulas.dense_function import DenseFold, DenseInputs
from snpredict.formulas.dense_layers import DenseEnsemble, DenseLayers
from snpredict.formulas.encoding import N_CHANNELS
from snpredict.formulas.fixed_effects import FixedEffects
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction
from snpredict.scoring.onnx_session import Session

_SCORE = ("weights", "bias")
_DENSE = ("snps", "means", "snp_sds", "covariate_means", "covariate_sds", "loadings", "leak")
_FIXED = ("covariate_means", "covariate_slopes")
_HIDDEN = ("hidden_snps", "hidden_means", "hidden_weights", "hidden_bias", "hidden_output")


def output_names(session: Session) -> list[str]:
    """The outputs that are the numbers of a `ScoreFunction`, in the order of its fields."""
    given = {output.name for output in session.get_outputs()}
    # Either all outputs of a part, or none of them.
    parts = [part for part in (_FIXED, _HIDDEN) if given & {*part}]
    return [*_SCORE, *(name for part in parts for name in part)]


def function_of(
    outputs: Mapping[str, np.ndarray], n_snps: int, n_folds: int, n_covariates: int, graph: Path
) -> ScoreFunction:
    """The function of the outputs that `output_names` names.

    Parameters
    ----------
    outputs : dict of str to ndarray
    n_snps, n_folds, n_covariates : int
        Of the manifest.
    graph : Path
        For messages.

    Raises
    ------
    InvalidBundle
        Their shapes are not those that the manifest implies, or the hidden layer's SNPs are not
        places of different SNPs of the model.
    """
    weights, bias = (outputs[name] for name in _SCORE)
    shape = (n_snps, N_CHANNELS, n_folds)
    if weights.shape != shape or bias.shape != shape[2:]:
        raise InvalidBundle(
            f"{graph}: found weights {weights.shape} and bias {bias.shape}, "
            f"expected {shape} and {shape[2:]}"
        )
    hidden = [outputs[name] for name in _HIDDEN if name in outputs]
    fixed = None
    if n_covariates:
        parts = [outputs[name].astype(np.float64) for name in _FIXED if name in outputs]
        if [part.shape for part in parts] != [(n_covariates, n_folds)] * len(_FIXED):
            raise InvalidBundle(
                f"{graph}: found {[part.shape for part in parts]} for means and slopes of "
                f"covariates, expected twice {(n_covariates, n_folds)}"
            )
        fixed = FixedEffects(*parts)
    return ScoreFunction(weights, bias, _hidden_layer(hidden, n_snps, n_folds, graph), fixed)


def dense_output_names(session: Session) -> list[str] | None:
    """The outputs that are the numbers of a `DenseFold`; None for a graph without them.

    Kernels and biases of the layers follow the rest in turn, from the first layer on.
    """
    given = {output.name for output in session.get_outputs()}
    layers = sum(name.startswith("kernel_") for name in given)
    each = [f"{kind}_{layer}" for layer in range(layers) for kind in ("kernel", "bias")]
    names = [*_DENSE, *each]
    return names if layers and given.issuperset(names) else None


def dense_of(
    outputs: Sequence[np.ndarray], n_snps: int, n_covariates: int, graph: Path
) -> DenseFold:
    """The network of the outputs that `dense_output_names` names, its numbers in float64.

    Raises
    ------
    InvalidBundle
        Shapes do not go together, a number is not finite, or SNPs are not places of the model's.
    """
    snps, means, sds, covariate_means, covariate_sds, loadings, leak, *layers = outputs
    kernels = layers[::2]
    n_inputs = snps.size + n_covariates + (loadings.shape[1] if loadings.ndim == 2 else 0)
    networks = len(kernels[0]) if kernels[0].ndim else 0
    widths = [n_inputs, *(kernel.shape[-1] if kernel.ndim else 0 for kernel in kernels)]
    given = (means, sds, covariate_means, covariate_sds, leak, *layers)
    found = [array.shape for array in given]
    expected: list[tuple[int, ...]] = [(n_snps,), (snps.size,)]
    expected += [(n_covariates,), (n_covariates,), (1,)]
    for one, two in pairwise(widths):
        expected += [(networks, one, two), (networks, 1, two)]
    if (
        found != expected
        or snps.ndim != 1
        or loadings.ndim != 2
        or len(loadings) != n_snps
        or widths[-1] != 1
        or not networks
        or snps.dtype != np.int64
    ):
        raise InvalidBundle(f"{graph}: found layers of the shapes {found}, expected {expected}")
    if len(snps) and not 0 <= snps.min() <= snps.max() < n_snps:
        raise InvalidBundle(f"{graph}: it names SNPs that are not among the {n_snps}")
    if len(np.unique(snps)) < len(snps):
        raise InvalidBundle(f"{graph}: it repeats a SNP")
    numbers = [array.astype(np.float64) for array in outputs[1:]]
    if not all(np.isfinite(array).all() for array in numbers) or not (
        (numbers[1] > 0).all() and (numbers[3] > 0).all()
    ):
        raise InvalidBundle(f"{graph}: a number is not finite, or a standard deviation is not > 0")
    means, sds, covariate_means, covariate_sds, loadings, leak, *layers = numbers
    each = [
        DenseLayers(
            [kernel[at] for kernel in layers[::2]],
            [bias[at, 0] for bias in layers[1::2]],
            float(leak[0]),
        )
        for at in range(networks)
    ]
    inputs = DenseInputs(snps, means, sds, covariate_means, covariate_sds, loadings)
    return DenseFold(inputs, DenseEnsemble(each))


def _hidden_layer(
    outputs: list[np.ndarray], n_snps: int, n_folds: int, graph: Path
) -> HiddenLayer | None:
    if not outputs:
        return None
    snps, *numbers = outputs
    inputs, units = (*outputs[2].shape[1:], 0, 0)[:2]
    of_inputs, of_units = (n_folds, inputs), (n_folds, units)
    expected = [of_inputs, of_inputs, (*of_inputs, units), of_units, of_units]
    shapes = [array.shape for array in outputs]
    if shapes != expected or snps.dtype != np.int64:
        raise InvalidBundle(
            f"{graph}: found a hidden layer of the shapes {shapes}, expected {expected}"
        )
    for row in snps:
        if len(row) and not 0 <= row.min() <= row.max() < n_snps:
            raise InvalidBundle(
                f"{graph}: its hidden layer names SNPs that are not among the {n_snps}"
            )
        if len(np.unique(row)) < len(row):
            raise InvalidBundle(f"{graph}: its hidden layer repeats a SNP")
    return HiddenLayer(snps, *(values.astype(np.float64) for values in numbers))
