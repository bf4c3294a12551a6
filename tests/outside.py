"""A model from outside that writes its own ONNX file, and needs no TensorFlow."""

#: A weighted sum of codes and covariates, written as ONNX node by node.
MODULE = """
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from train.metrics import BINARY
from train.model import FittedModel, SingleTargetModel

class Sum(SingleTargetModel):
    name, title, about = "sum", "a weighted sum", "ridge regression on the codes"
    tasks, covariates = ("continuous", "binary"), True

    def fit_one(self, data, record=None):
        x = columns(data.train)
        y = data.train_targets[:, 0]
        weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ (y - y.mean()))
        return Fitted(weights, y.mean(), data.task)

def columns(inputs):
    parts = [inputs.codes, *([] if inputs.covariates is None else [inputs.covariates])]
    return np.concatenate(parts, axis=1).astype(float)

class Fitted(FittedModel):
    def __init__(self, weights, mean, task):
        self.weights, self.mean, self.task, self.chosen = weights, mean, task, [{}]

    def predict(self, inputs):
        z = columns(inputs) @ self.weights + self.mean
        return (1 / (1 + np.exp(-z)) if self.task == BINARY else z)[:, None]

    def save(self, folder, test):
        n, total = test.genotypes.n_snps, len(self.weights)
        node, value = helper.make_node, helper.make_tensor_value_info
        nodes = [
            node("Cast", ["genotypes"], ["codes"], to=TensorProto.FLOAT),
            node("MatMul", ["codes", "of_codes"], ["sum"]),
            node("Squeeze", ["sum", "one"], ["flat"]),
            node("Add", ["flat", "mean"], ["plain" if total > n else "z"]),
        ]
        inputs = [value("genotypes", TensorProto.INT8, ["samples", n])]
        if total > n:
            inputs.append(value("covariates", TensorProto.FLOAT, ["samples", total - n]))
            nodes += [
                node("MatMul", ["covariates", "of_covariates"], ["further"]),
                node("Squeeze", ["further", "one"], ["added"]),
                node("Add", ["plain", "added"], ["z"]),
            ]
        last = "Sigmoid" if self.task == BINARY else "Identity"
        numbers = {
            "of_codes": self.weights[:n, None].astype(np.float32),
            "of_covariates": self.weights[n:, None].astype(np.float32),
            "mean": np.float32(self.mean),
            "one": np.array([1]),
        }
        graph = helper.make_graph(
            [*nodes, node(last, ["z"], ["prediction"])],
            "sum",
            inputs,
            [value("prediction", TensorProto.FLOAT, ["samples"])],
            [numpy_helper.from_array(np.asarray(v), name) for name, v in numbers.items() if v.size],
        )
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return {}
"""
