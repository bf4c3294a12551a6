"""From a fitted fold to ONNX, and the proof that both say the same."""

from typing import Any

import numpy as np

from snpredict.scoring.onnx_session import open_session
from train.data.precision import step
from train.errors import ParityError

#: Largest difference that an export may show, in standard deviations of the trait.
PARITY_TOLERANCE = 1e-4

OPSET = 17


def fold_onnx(fitted: Any) -> bytes:
    """The fold model as ONNX: int8 (samples, SNPs) → float32 (samples,) in trait units.

    Encoding, network, ISRU and the return to trait units are inside the graph. Converted from a
    `tf.function`, because Keras's own ONNX export breaks with numpy 2.

    Parameters
    ----------
    fitted : train.networks.fitting.FittedFold
    """
    import tensorflow as tf
    import tf2onnx

    model = fitted.model
    n_snps = model.network.input_shape[1]

    def prediction(genotypes: tf.Tensor) -> tf.Tensor:
        from train.networks.residual import isru, one_hot

        # The network itself, not its folded form: a fold model keeps the layers that were trained.
        score = model.network(one_hot(genotypes), training=False)[:, 0]
        standardised = isru(score, model.alpha)
        return tf.identity(
            tf.constant(fitted.scale, tf.float32) * standardised
            + tf.constant(fitted.center, tf.float32),
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


def onnx_predictions(model: bytes, codes: np.ndarray, threads: int = 1) -> np.ndarray:
    """Output ``prediction`` of an ONNX model for codes (samples, SNPs) int8, as float64."""
    session = open_session(model, threads)
    return session.run(["prediction"], {"genotypes": codes})[0].astype(np.float64)


def require_parity(what: str, one: np.ndarray, other: np.ndarray, scale: float) -> float:
    """Largest difference of two sets of predictions, in standard deviations of the trait.

    Raises
    ------
    ParityError
        It is not finite, or reaches `PARITY_TOLERANCE` and the step between neighbouring float32
        at these predictions: closer, two models that agree need not come.
    """
    difference = float(np.max(np.abs(one - other)) / scale)
    allowed = PARITY_TOLERANCE + step(np.concatenate([one, other])) / scale
    if not difference < allowed:
        raise ParityError(
            f"{what} differ by {difference:.2g} SD of the trait on random genotypes; "
            f"expected less than {allowed:.2g}, so nothing was exported"
        )
    return difference
