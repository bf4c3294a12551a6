"""From a fitted fold to ONNX."""

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
    output = proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = ["prediction" if name == output else name for name in node.output]
        node.input[:] = ["prediction" if name == output else name for name in node.input]
    proto.graph.output[0].name = "prediction"
    return proto.SerializeToString()
