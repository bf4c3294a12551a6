"""The methods by name, and a network's attribution over many samples."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from snpredict.choices import ATTRIBUTIONS
from snpredict.errors import UsageError
from train.attribution.deeplift import deeplift
from train.attribution.explained import Explained
from train.attribution.gradients import gradient_input, integrated_gradients, smooth_gradient
from train.attribution.occlusion import neighbour_occlusion, occlusion
from train.attribution.saliency import centred_saliency, saliency
from train.attribution.shapley import shapley

#: From a network and inputs (samples, inputs) to contributions (samples, SNPs).
Method = Callable[[Explained, np.ndarray, np.random.Generator], np.ndarray]

METHODS: dict[str, Method] = dict(
    zip(
        ATTRIBUTIONS,
        (
            saliency,
            centred_saliency,
            gradient_input,
            deeplift,
            integrated_gradients,
            smooth_gradient,
            occlusion,
            neighbour_occlusion,
            shapley,
        ),
        strict=True,
    )
)

#: Numbers that a block of samples holds, about.
_BLOCK_NUMBERS = 1 << 21


@dataclass(frozen=True)
class Attribution:
    """What a method says of the SNPs over many samples.

    Attributes
    ----------
    method : str
    score : ndarray (SNPs,) of float64
        Mean absolute contribution: the published score of a SNP.
    mean : ndarray (SNPs,) of float64
        Mean contribution, with its sign.
    """

    method: str
    score: np.ndarray
    mean: np.ndarray


def attribute(
    network: Explained,
    encode: Callable[[slice], np.ndarray],
    n_samples: int,
    method: str,
    *,
    seed: int = 1,
    tell: Callable[[int], None] | None = None,
) -> Attribution:
    """A method over all samples, block by block.

    Parameters
    ----------
    network : Explained
    encode : callable
        From a slice of the samples to their inputs (samples, inputs).
    n_samples : int
    method : str
        One of `METHODS`.
    seed : int
        Of methods that draw.
    tell : callable, optional
        Told of every block how many samples it held.
    """
    function = METHODS[method]
    random = np.random.default_rng(seed)
    size, total = np.zeros(network.n_snps), np.zeros(network.n_snps)
    step = max(16, min(512, _BLOCK_NUMBERS // max(len(network.snp_of), 1)))
    for start in range(0, n_samples, step):
        block = slice(start, min(start + step, n_samples))
        values = function(network, encode(block), random)
        size += np.abs(values).sum(axis=0)
        total += values.sum(axis=0)
        if tell is not None:
            tell(len(values))
    return Attribution(method, size / n_samples, total / n_samples)


def check_methods(names: tuple[str, ...]) -> None:
    """Refuse a method that is not known.

    Raises
    ------
    UsageError
    """
    for name in names:
        if name not in METHODS:
            raise UsageError(
                f"--attribution names '{name}'; known: {', '.join(METHODS)}",
                "give one of these, or several by commas",
            )
