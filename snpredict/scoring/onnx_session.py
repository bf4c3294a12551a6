"""onnxruntime, which nothing else imports, so that its telemetry is off wherever it is used.

Since 1.29 its official wheels write a device's id and a file of events into the user's cache
folder and send them to the maker, unless the variable below is set when the library is loaded.
"""

import functools
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import os

import numpy as np
import onnxruntime as ort
from onnxruntime import InferenceSession as Session

#: What fails is raised; onnxruntime need not write it to stderr as well.
_FATAL_ONLY = 4


def open_session(model: bytes, threads: int = 1) -> Session:
    """A model, loaded and ready to run on the processor.

    All sessions together may take a quarter of the machine's memory. A model that asks for more
    fails with an error of onnxruntime's.

    Parameters
    ----------
    model : bytes
        ONNX.
    threads : int
        Parallel steps within a run. One gives the same bits on every machine.

    Raises
    ------
    Exception
        Whatever onnxruntime finds wrong; its own errors have no other common base.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _FATAL_ONLY
    _limit_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    return Session(
        model,
        options,
        providers=["CPUExecutionProvider"],
        # It would try once more and say so on stdout.
        enable_fallback=0,
    )


@functools.cache
def _limit_memory() -> None:
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = 16 << 30
    device = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    ort.create_and_register_allocator(device, ort.OrtArenaCfg({"max_mem": memory // 4}))


def onnx_predictions(model: bytes, codes: np.ndarray, threads: int = 1) -> np.ndarray:
    """Output ``prediction`` of an ONNX model for codes (samples, SNPs) int8, as float64.

    Of a model with covariates all of them are missing.
    """
    session = open_session(model, threads)
    given = {"genotypes": codes}
    for one in session.get_inputs():
        if one.name == "covariates":
            given[one.name] = np.full((len(codes), one.shape[1]), np.nan, np.float32)
    return session.run(["prediction"], given)[0].astype(np.float64)
