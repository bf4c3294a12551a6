"""The score function that a fused ensemble's graph hands out beside its predictions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snpredict.errors import InvalidBundle
from snpredict.formulas.encoding import N_CHANNELS
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction
from snpredict.scoring.onnx_session import Session

_SCORE = ("weights", "bias")
_HIDDEN = ("hidden_snps", "hidden_means", "hidden_weights", "hidden_bias", "hidden_output")


def output_names(session: Session) -> list[str]:
    """The outputs that are the numbers of a `ScoreFunction`, in the order of its fields."""
    given = {output.name for output in session.get_outputs()}
    # Either all of the hidden layer's outputs, or none of them.
    return [*_SCORE, *(_HIDDEN if given & {*_HIDDEN} else ())]


def function_of(
    outputs: Sequence[np.ndarray], n_snps: int, n_folds: int, graph: Path
) -> ScoreFunction:
    """The function of the outputs that `output_names` names.

    Parameters
    ----------
    outputs : sequence of ndarray
    n_snps, n_folds : int
        Of the manifest.
    graph : Path
        For messages.

    Raises
    ------
    InvalidBundle
        Their shapes are not those that the manifest implies, or the hidden layer's SNPs are not
        places of different SNPs of the model.
    """
    weights, bias, *hidden = outputs
    shape = (n_snps, N_CHANNELS, n_folds)
    if weights.shape != shape or bias.shape != shape[2:]:
        raise InvalidBundle(
            f"{graph}: found weights {weights.shape} and bias {bias.shape}, "
            f"expected {shape} and {shape[2:]}"
        )
    return ScoreFunction(weights, bias, _hidden_layer(hidden, n_snps, n_folds, graph))


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
