"""Process-wide settings that have to be made before TensorFlow is imported."""

import os
import platform
import socket
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from snpredict.version import __version__


def thread_environment(threads: int, gpu: bool) -> dict[str, str]:
    """Environment of a fold's process: BLAS threads, TensorFlow's chatter, CPU unless asked.

    Threads are part of a run's settings, because the order of floating-point sums depends on them.
    """
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = str(threads)
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    environment["PYTHONHASHSEED"] = "0"
    if not gpu:
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
    return environment


def keep_to_itself() -> None:
    """Make this process, which is to train a fold alone, leave home and network untouched.

    On import Keras writes its settings into a person's home, and imports matplotlib, which writes
    a list of fonts; TensorFlow imports urllib3, which opens a socket to see whether there is IPv6.
    Settings that a person keeps there for other work, such as half precision, do not count here.
    """
    os.environ["KERAS_HOME"] = f"{os.devnull}/keras"
    sys.modules["matplotlib"] = None  # type: ignore[assignment]
    socket.has_ipv6 = False


def configure_tensorflow(threads: int) -> None:
    """Limit TensorFlow's threads and make its kernels repeatable."""
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        # A worker sets them before anything else; where TensorFlow runs already, it keeps its own.
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()


def software_versions() -> dict[str, str]:
    """Versions of everything that a figure can depend on."""
    names = ("keras", "tf2onnx", "onnx", "onnxruntime", "numpy", "scipy", "lightgbm")
    return {
        "python": platform.python_version(),
        "snpredict": __version__,
        "tensorflow": _tensorflow_version(),
        **{name: version(name) for name in names},
    }


def _tensorflow_version() -> str:
    """Of the package that holds TensorFlow: without CUDA it has another name."""
    try:
        return version("tensorflow")
    except PackageNotFoundError:
        return version("tensorflow-cpu")
