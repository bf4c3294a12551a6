"""Fixed effects as a part of an ONNX graph."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from snpredict.formulas.fixed_effects import FixedEffects

#: Adds a tensor, and a node (operation, inputs, output), to a graph; both give its name back.
Constant = Callable[[str, np.ndarray], str]
Node = Callable[[str, list[str], str], str]


def fixed_effects_nodes(fixed: FixedEffects, constant: Constant, node: Node) -> str:
    """Nodes from ``covariates`` (samples, numbers) to what they add, (samples, folds).

    ``covariate_means`` and ``covariate_slopes`` are the names of their tensors.
    """
    means = constant("covariate_means", fixed.means.astype(np.float32))
    slopes = constant("covariate_slopes", fixed.slopes.astype(np.float32))
    # NaN, which stands for missing, is not equal to itself.
    known = node("Equal", ["covariates", "covariates"], "covariate_known")
    zero = constant("no_covariate", np.array(0, np.float32))
    one = constant("a_covariate", np.array(1, np.float32))
    values = node("Where", [known, "covariates", zero], "covariate_values")
    share = node("Where", [known, one, zero], "covariate_share")
    at_means = node("Mul", [means, slopes], "covariate_at_means")
    of_values = node("MatMul", [values, slopes], "covariate_of_values")
    of_means = node("MatMul", [share, at_means], "covariate_of_means")
    return node("Sub", [of_values, of_means], "covariate_effects")


def with_fixed_effects(model: bytes, fixed: FixedEffects) -> bytes:
    """A fold's model of genotypes with the input ``covariates`` and their effects besides.

    Parameters
    ----------
    model : bytes
        ONNX with the output ``prediction`` (samples,).
    fixed : FixedEffects
        Of one fold.
    """
    proto = onnx.load_from_string(model)
    graph = proto.graph

    def constant(name: str, value: np.ndarray) -> str:
        graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def node(operation: str, inputs: list[str], output: str) -> str:
        graph.node.append(helper.make_node(operation, inputs, [output]))
        return output

    for one in graph.node:
        one.output[:] = ["by_snps" if name == "prediction" else name for name in one.output]
        one.input[:] = ["by_snps" if name == "prediction" else name for name in one.input]
    graph.input.append(
        helper.make_tensor_value_info("covariates", TensorProto.FLOAT, ["samples", fixed.n_numbers])
    )
    effects = fixed_effects_nodes(fixed, constant, node)
    column = constant("covariate_axis", np.array([1], np.int64))
    node("Add", ["by_snps", node("Squeeze", [effects, column], "covariate_sum")], "prediction")
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)
