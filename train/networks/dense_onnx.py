"""A dense network of one fold as ONNX, from genotype codes and covariates to predictions.

Beside the prediction the graph hands out everything that it is made of, by which the runtime
explains it, see `snpredict.scoring.graph_score`.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from snpredict.formulas.dense_function import DenseInputs
from snpredict.formulas.dense_layers import DenseLayers
from snpredict.formulas.encoding import MISSING

OPSET, IR_VERSION = 17, 8


def dense_onnx(
    encoder: DenseInputs, networks: Sequence[DenseLayers], scale: tuple[float, float] | None
) -> bytes:
    """The graph of a fold: its inputs, its networks, and what makes predictions of their mean.

    Parameters
    ----------
    encoder : DenseInputs
    networks : sequence of DenseLayers
        Of the same sizes.
    scale : (center, scale) or None
        From the score to trait units; None for a logit, which becomes a probability.

    Returns
    -------
    bytes
        Model with the inputs ``genotypes`` int8 (samples, SNPs) and, where there are any,
        ``covariates`` float32 (samples, numbers) with NaN for missing, and the outputs

        - ``prediction`` float32 (samples,),
        - ``snps`` int64 and ``snp_sds`` float32 (inputs,), ``means`` float32 (SNPs,),
          ``covariate_means`` and ``covariate_sds`` float32 (numbers,), ``loadings`` float32
          (SNPs, components), see `DenseInputs`, ``leak`` float32 (1,),
        - ``kernel_0`` float32 (networks, inputs, units), ``bias_0`` float32 (networks, 1, units),
          and so on.
    """
    n_snps, n_covariates = len(encoder.means), encoder.n_covariates
    constants: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []
    outputs = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["samples"])]

    def constant(name: str, value: np.ndarray) -> str:
        constants[name] = value
        return name

    def node(operation: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def part(name: str, value: np.ndarray) -> str:
        """A tensor that is handed out too."""
        if value.dtype != np.int64:
            value = value.astype(np.float32)
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        outputs.append(helper.make_tensor_value_info(name, kind, value.shape))
        constant(f"{name}_", value)
        node("Identity", [f"{name}_"], name)
        return f"{name}_"

    def centred(codes: str, means: str, name: str) -> str:
        """Copies less the means, 0 for missing."""
        missing = node("Equal", [codes, "missing"], f"{name}_missing")
        copies = node("Cast", [codes], f"{name}_copies", to=TensorProto.FLOAT)
        return node("Sub", [node("Where", [missing, means, copies], f"{name}_called"), means], name)

    constant("missing", np.array(MISSING, np.int8))
    snps, means = part("snps", encoder.snps.astype(np.int64)), part("means", encoder.means)
    chosen = node("Gather", ["genotypes", snps], "chosen", axis=1)
    away = centred(chosen, node("Gather", [means, snps], "chosen_means", axis=0), "chosen_centred")
    parts = [node("Div", [away, part("snp_sds", encoder.sds)], "snp_inputs")]
    given = [helper.make_tensor_value_info("genotypes", TensorProto.INT8, ["samples", n_snps])]
    mean = part("covariate_means", encoder.covariate_means)
    sd = part("covariate_sds", encoder.covariate_sds)
    if n_covariates:
        given.append(
            helper.make_tensor_value_info(
                "covariates", TensorProto.FLOAT, ["samples", n_covariates]
            )
        )
        # NaN, which stands for missing, is not equal to itself.
        known = node("Equal", ["covariates", "covariates"], "covariate_known")
        filled = node("Where", [known, "covariates", mean], "covariate_filled")
        away = node("Sub", [filled, mean], "covariate_centred")
        parts.append(node("Div", [away, sd], "covariate_inputs"))
    loadings = part("loadings", encoder.loadings)
    if encoder.loadings.shape[1]:
        away = centred("genotypes", means, "centred")
        parts.append(node("MatMul", [away, loadings], "components"))
    at = node("Concat", parts, "inputs", axis=1)
    last, leak = len(networks[0].kernels) - 1, networks[0].leak
    part("leak", np.array([leak]))
    for layer in range(last + 1):
        kernel = part(f"kernel_{layer}", np.stack([net.kernels[layer] for net in networks]))
        bias = part(f"bias_{layer}", np.stack([net.biases[layer][None] for net in networks]))
        at = node("Add", [node("MatMul", [at, kernel], f"product_{layer}"), bias], f"sum_{layer}")
        if layer < last:
            name = f"units_{layer}"
            at = node("LeakyRelu", [at], name, alpha=leak) if leak else node("Relu", [at], name)
    at = node("ReduceMean", [at], "mean", axes=[0], keepdims=0)
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
        outputs,
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
