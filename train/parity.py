"""The proof that Keras, a fold's ONNX and the fused ensemble say the same."""

import numpy as np

from train.data.precision import step
from train.errors import ParityError

#: Genotypes on which Keras, the fold ONNX and the fused ensemble are compared.
PARITY_SAMPLES = 64

#: Largest difference that an export may show, in standard deviations of the trait.
PARITY_TOLERANCE = 1e-4


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


def parity_genotypes(n_snps: int, seed: int) -> np.ndarray:
    """Random codes (64, SNPs) int8 with all four genotypes, and an all-missing sample."""
    codes = np.random.default_rng([seed, n_snps]).integers(
        -1, 3, (PARITY_SAMPLES, n_snps), dtype=np.int8
    )
    codes[0] = -1
    return codes
