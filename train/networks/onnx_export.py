"""From a fitted fold to ONNX."""

import onnx
import tensorflow as tf
import tf2onnx

from train.networks.genotype_model import GenotypeModel, isru, one_hot

OPSET = 17


def fold_onnx(model: GenotypeModel, center: float, scale: float) -> bytes:
    """The fold model as ONNX: int8 (samples, SNPs) → float32 (samples,) in trait units.

    Encoding, network, ISRU and the return to trait units are inside the graph. Converted from a
    `tf.function`, because Keras's own ONNX export breaks with numpy 2.

    Parameters
    ----------
    center, scale : float
        From the standardised phenotype to trait units.
    """
    n_snps = model.network.input_shape[1]

    def prediction(genotypes: tf.Tensor) -> tf.Tensor:
        # The network itself, not its folded form: a fold model keeps the layers that were trained.
        score = model.network(one_hot(genotypes), training=False)[:, 0]
        standardised = isru(score, model.alpha)
        return tf.identity(
            tf.constant(scale, tf.float32) * standardised + tf.constant(center, tf.float32),
            name="prediction",
        )

    signature = [tf.TensorSpec((None, n_snps), tf.int8, name="genotypes")]
    proto, _ = tf2onnx.convert.from_function(
        # Nothing branches on a tensor, so the source need not be read and translated.
        tf.function(prediction, input_signature=signature, autograph=False),
        input_signature=signature,
        opset=OPSET,
    )
    _name_by_place(proto.graph)
    return proto.SerializeToString()


def _name_by_place(graph: onnx.GraphProto) -> None:
    """Name everything by where it stands, so that the same network gives the same bytes.

    The converter's names count what the process has converted before, in an order of its own.
    """
    (given,), (result,) = graph.input, graph.output
    names = {given.name: given.name}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    in_use: list[onnx.TensorProto] = []
    for node in graph.node:
        for name in node.input:
            if name in constants and name not in names:
                in_use.append(constants[name])
                names[name] = f"constant_{len(in_use)}"
    for place, node in enumerate(graph.node, start=1):
        node.name = f"{node.op_type}_{place}"
        names |= {name: f"{node.name}_{at}" for at, name in enumerate(node.output)}
    names[result.name] = "prediction"
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for tensor in in_use:
        tensor.name = names[tensor.name]
    kept = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in in_use]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept)
    result.name, graph.doc_string = "prediction", ""
    for value in (given, result):
        value.type.tensor_type.shape.dim[0].dim_param = "samples"
