"""The fused ensemble: all fold models of a run as one ONNX graph.

A linear network is, before its ISRU, affine in the one-hot genotypes, and a hidden layer over
genotype codes adds one more term: see `snpredict.formulas.score_function` for the formula. The
folds then share one look at the genotypes, in place of one stack of layers each.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from snpredict.formulas.encoding import CHANNEL_CODES, N_CHANNELS
from snpredict.formulas.fixed_effects import FixedEffects
from train.networks.covariates_onnx import fixed_effects_nodes
from train.networks.score import HiddenPart

#: Both are read by every onnxruntime since 1.16.
OPSET = 17
IR_VERSION = 8

# Code 0, the last channel, is what the three masks leave over.
_MASKED_CODES = CHANNEL_CODES[:-1]


def fused_ensemble(
    weights: np.ndarray,
    bias: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    alpha: float,
    hidden: HiddenPart | None = None,
    fixed: FixedEffects | None = None,
) -> bytes:
    """ONNX model of ``center + scale · isru(z)`` with z as in `snpredict.formulas.score_function`.

    With ``isru(z) = z / sqrt(1 + α z²)``. The graph multiplies three masks (missing, code 1,
    code 2) with the weights' differences to the channel of code 0, whose sum over the SNPs joins
    the bias: a quarter less work than four masks, and a constant that a network adds to all
    channels of a SNP costs no precision. The differences are taken in the graph, from the one
    tensor that the output ``weights`` hands out; onnxruntime computes them once, at load.

    Parameters
    ----------
    weights : ndarray (SNPs, 4, folds) of float32
        Channels as in `snpredict.formulas.encoding`.
    bias : ndarray (folds,)
    center, scale : ndarray (folds,)
        Back from the standardised phenotype to trait units.
    alpha : float
        ISRU α, above 0.
    hidden : HiddenPart, optional
    fixed : FixedEffects, optional
        Of covariates, which are then a second input and are added to the prediction.

    Returns
    -------
    bytes
        Model with input ``genotypes`` int8 (samples, SNPs), with fixed effects also ``covariates``
        float32 (samples, numbers), NaN for missing, and outputs

        - ``prediction`` float32 (samples, folds), in trait units,
        - ``score`` float32 (samples, folds), the ISRU's argument,
        - ``weights`` float32 (SNPs, 4, folds) and ``bias`` float32 (folds,), as given,
        - with a hidden layer also ``hidden_snps`` int64 and ``hidden_means`` float32
          (folds, inputs), ``hidden_weights`` float32 (folds, inputs, units), ``hidden_bias`` and
          ``hidden_output`` float32 (folds, units),
        - with fixed effects also ``covariate_means`` and ``covariate_slopes`` float32
          (numbers, folds).

    Raises
    ------
    ValueError
        Shapes disagree, a number is not finite, or `alpha` is not above 0.
    """
    tensors: dict[str, np.ndarray] = {
        "ensemble_weights": np.asarray(weights, np.float32),
        "ensemble_bias": np.asarray(bias, np.float32),
        "center": np.asarray(center, np.float32),
        "scale": np.asarray(scale, np.float32),
        "alpha": np.asarray(alpha, np.float32),
    }
    _check(tensors)
    n_snps, _, n_folds = tensors["ensemble_weights"].shape
    graph = _Graph(tensors)
    graph.output("prediction", TensorProto.FLOAT, "samples", n_folds)
    graph.output("score", TensorProto.FLOAT, "samples", n_folds)
    graph.output("weights", TensorProto.FLOAT, n_snps, N_CHANNELS, n_folds)
    graph.output("bias", TensorProto.FLOAT, n_folds)
    _weighted_sum(graph, n_folds, "score" if hidden is None else "affine")
    if hidden is not None:
        shape = _check_hidden(hidden, n_snps, n_folds)
        _hidden_weights(graph, hidden)
        _hidden_sum(graph)
        graph.node("Add", ["affine", "curved"], "score")
        _hand_out(graph, *shape)
    _prediction(graph, "prediction" if fixed is None else "by_snps")
    if fixed is not None:
        _fixed_effects(graph, fixed, n_folds)
    graph.node("Identity", ["ensemble_weights"], "weights")
    graph.node("Identity", ["ensemble_bias"], "bias")
    return graph.model(n_snps, 0 if fixed is None else fixed.n_numbers)


def _fixed_effects(graph: "_Graph", fixed: FixedEffects, n_folds: int) -> None:
    """What covariates add to the prediction, and their numbers as outputs."""
    tensors = {"covariate_means": "fixed_means", "covariate_slopes": "fixed_slopes"}

    def constant(name: str, value: np.ndarray) -> str:
        return graph.constant(tensors.get(name, name), value)

    graph.node("Add", ["by_snps", fixed_effects_nodes(fixed, constant, graph.node)], "prediction")
    for name, tensor in tensors.items():
        graph.node("Identity", [tensor], name)
        graph.output(name, TensorProto.FLOAT, fixed.n_numbers, n_folds)


class _Graph:
    """An ONNX graph from ``genotypes`` that grows node by node.

    Parameters
    ----------
    constants : dict of str to ndarray
        Its first tensors.
    """

    def __init__(self, constants: dict[str, np.ndarray]):
        self._constants = dict(constants)
        self._nodes: list[onnx.NodeProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def constant(self, name: str, value: np.ndarray | np.generic) -> str:
        """A further tensor; its name."""
        self._constants[name] = np.asarray(value)
        return name

    def node(self, operation: str, inputs: list[str], *outputs: str, **attributes: object) -> str:
        """A further node; the name of its first output."""
        self._nodes.append(helper.make_node(operation, inputs, list(outputs), **attributes))
        return outputs[0]

    def output(self, name: str, kind: int, *shape: int | str) -> None:
        """Hand out what a node of that name computes."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))

    def model(self, n_snps: int, n_covariates: int) -> bytes:
        """The whole graph, checked."""
        given = [helper.make_tensor_value_info("genotypes", TensorProto.INT8, ["samples", n_snps])]
        if n_covariates:
            shape = ["samples", n_covariates]
            given.append(helper.make_tensor_value_info("covariates", TensorProto.FLOAT, shape))
        graph = helper.make_graph(
            self._nodes,
            "fused_ensemble",
            given,
            self._outputs,
            [numpy_helper.from_array(value, name) for name, value in self._constants.items()],
        )
        model = helper.make_model(
            graph,
            producer_name="snpredict",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)


def _weighted_sum(graph: _Graph, n_folds: int, name: str) -> None:
    """``b + Σ_j W[j, c_j]`` of every sample and fold, as the output `name`."""
    constant, node = graph.constant, graph.node
    # Constant part: (3 · SNPs, folds) differences in mask order, and the bias at all codes 0.
    sizes = constant("split_sizes", np.array([len(_MASKED_CODES), 1], np.int64))
    node("Split", ["ensemble_weights", sizes], "masked", "code_0", axis=1)
    node("Sub", ["masked", "code_0"], "differences")
    node("Transpose", ["differences"], "by_mask", perm=[1, 0, 2])
    node("Reshape", ["by_mask", constant("flat", np.array([-1, n_folds]))], "matrix")
    # In double precision: thousands of terms that may be far larger than their sum.
    node("Cast", ["code_0"], "code_0_double", to=TensorProto.DOUBLE)
    node("Cast", ["ensemble_bias"], "bias_double", to=TensorProto.DOUBLE)
    axes = constant("snp_and_channel", np.array([0, 1], np.int64))
    node("ReduceSum", ["code_0_double", axes], "code_0_sum", keepdims=0)
    node("Add", ["code_0_sum", "bias_double"], "offset_double")
    node("Cast", ["offset_double"], "offset", to=TensorProto.FLOAT)

    # Per sample.
    masks = [
        node("Equal", ["genotypes", constant(f"code_{name}", np.int8(code))], f"is_{name}")
        for name, code in zip(("missing", "1", "2"), _MASKED_CODES, strict=True)
    ]
    node("Concat", masks, "masks", axis=1)
    node("Cast", ["masks"], "mask_values", to=TensorProto.FLOAT)
    node("Gemm", ["mask_values", "matrix", "offset"], name)


def _hidden_weights(graph: _Graph, hidden: HiddenPart) -> None:
    """The hidden layers' constants: weights by unit, and the bias less what the means take off."""
    constant, node = graph.constant, graph.node
    # The weights themselves, which the output hands out.
    node("Cast", [constant("grid", hidden.grid)], "whole", to=TensorProto.FLOAT)
    snp_scale = constant("snp_scale", hidden.snp_scale[:, :, None].astype(np.float32))
    unit_scale = constant("unit_scale", hidden.unit_scale[:, None, :].astype(np.float32))
    node("Mul", ["whole", snp_scale], "by_snp")
    node("Mul", ["by_snp", unit_scale], "unit_weights")
    for name, array in (("means", hidden.means), ("bias", hidden.bias)):
        constant(f"unit_{name}", array.astype(np.float32))
    constant("unit_output", hidden.output.astype(np.float32))
    constant("unit_snps", hidden.snps.astype(np.int64))
    # What every sample needs of them.
    node("Transpose", ["unit_weights"], "weights_by_unit", perm=[0, 2, 1])
    node("Unsqueeze", ["unit_means", constant("last_axis", np.array([2], np.int64))], "column")
    node("MatMul", ["weights_by_unit", "column"], "taken_off")
    node("Unsqueeze", ["unit_bias", "last_axis"], "bias_column")
    node("Sub", ["bias_column", "taken_off"], "moved_bias")
    node("Unsqueeze", ["unit_output", constant("middle_axis", np.array([1], np.int64))], "row")


def _hidden_sum(graph: _Graph) -> None:
    """What the hidden layers add to the scores, as ``curved``.

    Samples last, so that whole rows are gathered: codes (folds, inputs, samples) with the mean in
    place of a gap, their units, and the units' sum per fold.
    """
    node = graph.node
    node("Transpose", ["genotypes"], "by_snp_first", perm=[1, 0])
    node("Gather", ["by_snp_first", "unit_snps"], "chosen", axis=0)
    node("Equal", ["chosen", "code_missing"], "no_call")
    node("Cast", ["chosen"], "chosen_codes", to=TensorProto.FLOAT)
    node("Where", ["no_call", "column", "chosen_codes"], "inputs")
    node("MatMul", ["weights_by_unit", "inputs"], "products")
    node("Add", ["products", "moved_bias"], "unit_sums")
    node("Sigmoid", ["unit_sums"], "gates")
    node("Mul", ["unit_sums", "gates"], "units")
    node("MatMul", ["row", "units"], "added")
    node("Squeeze", ["added", "middle_axis"], "added_by_fold")
    node("Transpose", ["added_by_fold"], "curved", perm=[1, 0])


def _hand_out(graph: _Graph, n_folds: int, n_inputs: int, n_units: int) -> None:
    """The hidden layers' numbers as outputs."""
    of_inputs, of_units = (n_folds, n_inputs), (n_folds, n_units)
    for name, kind, shape in (
        ("snps", TensorProto.INT64, of_inputs),
        ("means", TensorProto.FLOAT, of_inputs),
        ("weights", TensorProto.FLOAT, (*of_inputs, n_units)),
        ("bias", TensorProto.FLOAT, of_units),
        ("output", TensorProto.FLOAT, of_units),
    ):
        graph.node("Identity", [f"unit_{name}"], f"hidden_{name}")
        graph.output(f"hidden_{name}", kind, *shape)


def _prediction(graph: _Graph, name: str) -> None:
    """``center + scale · z / sqrt(1 + α z²)`` of the score z, by that name."""
    node = graph.node
    node("Mul", ["score", "score"], "square")
    node("Mul", ["square", "alpha"], "scaled_square")
    node("Add", ["scaled_square", graph.constant("one", np.float32(1))], "radicand")
    node("Sqrt", ["radicand"], "root")
    node("Div", ["score", "root"], "standardised")
    node("Mul", ["standardised", "scale"], "deviation")
    node("Add", ["deviation", "center"], name)


def _check(tensors: dict[str, np.ndarray]) -> None:
    shape = tensors["ensemble_weights"].shape
    if len(shape) != 3 or shape[1] != N_CHANNELS or 0 in shape:
        raise ValueError(f"weights have shape {shape}, expected (SNPs, {N_CHANNELS}, folds)")
    for name in ("ensemble_bias", "center", "scale"):
        if tensors[name].shape != shape[2:]:
            raise ValueError(f"{name} has shape {tensors[name].shape}, expected {shape[2:]}")
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds a number that is not finite")
    if not tensors["alpha"] > 0:
        raise ValueError(f"alpha is {tensors['alpha']}, expected more than 0")


def _check_hidden(hidden: HiddenPart, n_snps: int, n_folds: int) -> tuple[int, int, int]:
    shape = hidden.grid.shape
    if len(shape) != 3 or shape[0] != n_folds or 0 in shape or hidden.grid.dtype != np.int8:
        raise ValueError(
            f"grid is {hidden.grid.dtype} {shape}, expected int8 ({n_folds}, inputs, units)"
        )
    for name, expected in (
        ("snps", shape[:2]),
        ("means", shape[:2]),
        ("snp_scale", shape[:2]),
        ("unit_scale", shape[::2]),
        ("bias", shape[::2]),
        ("output", shape[::2]),
    ):
        values = getattr(hidden, name)
        if values.shape != expected:
            raise ValueError(f"{name} has shape {values.shape}, expected {expected}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds a number that is not finite")
    if not 0 <= hidden.snps.min() <= hidden.snps.max() < n_snps:
        raise ValueError(f"snps are not among the {n_snps}")
    return shape
