"""The fused ensemble: all fold models of an affine network as one ONNX graph.

A network without hidden non-linearities is, before its ISRU, affine in the one-hot genotypes.
Its folds then share one matrix product, in place of one stack of convolutions each.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from snpredict.encoding import CHANNEL_CODES, N_CHANNELS

#: Both are read by every onnxruntime since 1.16.
OPSET = 17
IR_VERSION = 8

# Code 0, the last channel, is what the three masks leave over.
_MASKED_CODES = CHANNEL_CODES[:-1]


def fused_ensemble(
    weights: np.ndarray, bias: np.ndarray, center: np.ndarray, scale: np.ndarray, alpha: float
) -> bytes:
    """ONNX model of ``center + scale · isru(bias + Σ_j weights[j, channel(code_j)])``.

    With ``isru(z) = z / sqrt(1 + α z²)``. The graph multiplies three masks (missing, code 1,
    code 2) with the weights' differences to the channel of code 0, whose sum over the SNPs joins
    the bias: a quarter less work than four masks, and a constant that a network adds to all
    channels of a SNP costs no precision. The differences are taken in the graph, from the one
    tensor that the output ``weights`` hands out; onnxruntime computes them once, at load.

    Parameters
    ----------
    weights : ndarray (SNPs, 4, folds) of float32
        Channels as in `snpredict.encoding`.
    bias : ndarray (folds,)
    center, scale : ndarray (folds,)
        Back from the standardised phenotype to trait units.
    alpha : float
        ISRU α, above 0.

    Returns
    -------
    bytes
        Model with input ``genotypes`` int8 (samples, SNPs) and outputs

        - ``prediction`` float32 (samples, folds), in trait units,
        - ``score`` float32 (samples, folds), the ISRU's argument,
        - ``weights`` float32 (SNPs, 4, folds) and ``bias`` float32 (folds,), as given.

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

    constants = dict(tensors)
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, value: np.ndarray | np.generic) -> str:
        constants[name] = np.asarray(value)
        return name

    def node(operation: str, inputs: list[str], *outputs: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operation, inputs, list(outputs), **attributes))
        return outputs[0]

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
    node("Gemm", ["mask_values", "matrix", "offset"], "score")
    node("Mul", ["score", "score"], "square")
    node("Mul", ["square", "alpha"], "scaled_square")
    node("Add", ["scaled_square", constant("one", np.float32(1))], "radicand")
    node("Sqrt", ["radicand"], "root")
    node("Div", ["score", "root"], "standardised")
    node("Mul", ["standardised", "scale"], "deviation")
    node("Add", ["deviation", "center"], "prediction")
    node("Identity", ["ensemble_weights"], "weights")
    node("Identity", ["ensemble_bias"], "bias")

    graph = helper.make_graph(
        nodes,
        "fused_ensemble",
        [helper.make_tensor_value_info("genotypes", TensorProto.INT8, ["samples", n_snps])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (
                ("prediction", ["samples", n_folds]),
                ("score", ["samples", n_folds]),
                ("weights", [n_snps, N_CHANNELS, n_folds]),
                ("bias", [n_folds]),
            )
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="snpredict",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


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
