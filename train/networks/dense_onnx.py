"""A dense network of one fold as ONNX, from genotype codes and covariates to predictions."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from snpredict.formulas.dense_layers import DenseLayers
from snpredict.formulas.encoding import MISSING
from train.networks.dense_inputs import Encoder

OPSET, IR_VERSION = 17, 8


def dense_onnx(
    encoder: Encoder,
    network: DenseLayers,
    n_snps: int,
    scale: tuple[float, float] | None,
) -> bytes:
    """The graph of a fold: `encoder`, `network`, and what makes predictions of its score.

    Parameters
    ----------
    n_snps : int
        Of the model.
    scale : (center, scale) or None
        From the score to trait units; None for a logit, which becomes a probability.

    Returns
    -------
    bytes
        Model with the inputs ``genotypes`` int8 (samples, SNPs) and, where there are any,
        ``covariates`` float32 (samples, numbers) with NaN for missing, and the output
        ``prediction`` float32 (samples,).
    """
    constants: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, value: np.ndarray) -> str:
        constants[name] = value
        return name

    def node(operation: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def standardised(codes: str, snps: np.ndarray, name: str) -> str:
        """Codes of those SNPs in SDs from the mean, 0 for missing."""
        missing = node("Equal", [codes, "missing"], f"{name}_missing")
        copies = node("Cast", [codes], f"{name}_copies", to=TensorProto.FLOAT)
        mean = constant(f"{name}_mean", encoder.means[snps][None])
        called = node("Where", [missing, mean, copies], f"{name}_called")
        away = node("Sub", [called, mean], f"{name}_centred")
        return node("Div", [away, constant(f"{name}_sd", encoder.sds[snps][None])], name)

    constant("missing", np.array(MISSING, np.int8))
    chosen = node("Gather", ["genotypes", constant("snps", encoder.snps)], "chosen", axis=1)
    parts = [standardised(chosen, encoder.snps, "snp_inputs")]
    given = [helper.make_tensor_value_info("genotypes", TensorProto.INT8, ["samples", n_snps])]
    if encoder.covariates is not None:
        width = len(encoder.covariates.means)
        given.append(
            helper.make_tensor_value_info("covariates", TensorProto.FLOAT, ["samples", width])
        )
        mean = constant("covariate_mean", encoder.covariates.means[None].astype(np.float32))
        # NaN, which stands for missing, is not equal to itself.
        known = node("Equal", ["covariates", "covariates"], "covariate_known")
        filled = node("Where", [known, "covariates", mean], "covariate_filled")
        away = node("Sub", [filled, mean], "covariate_centred")
        sd = constant("covariate_sd", encoder.covariates.sds[None].astype(np.float32))
        parts.append(node("Div", [away, sd], "covariate_inputs"))
    if encoder.loadings.shape[1]:
        everything = standardised("genotypes", np.arange(n_snps), "all_snps")
        loadings = constant("loadings", encoder.loadings)
        parts.append(node("MatMul", [everything, loadings], "components"))
    at = node("Concat", parts, "inputs", axis=1)
    last = len(network.kernels) - 1
    for layer, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
        kernel_name = constant(f"kernel_{layer}", kernel.astype(np.float32))
        bias_name = constant(f"bias_{layer}", bias.astype(np.float32))
        at = node("Gemm", [at, kernel_name, bias_name], f"sum_{layer}")
        if layer < last:
            at = node("Relu", [at], f"units_{layer}")
    at = node("Squeeze", [at, constant("output_axis", np.array([1], np.int64))], "score")
    if scale is None:
        node("Sigmoid", [at], "prediction")
    else:
        at = node("Mul", [at, constant("scale", np.array(scale[1], np.float32))], "deviation")
        node("Add", [at, constant("center", np.array(scale[0], np.float32))], "prediction")
    graph = helper.make_graph(
        nodes,
        "dense_network",
        given,
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["samples"])],
        [numpy_helper.from_array(np.ascontiguousarray(v), name) for name, v in constants.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="snpredict",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)
