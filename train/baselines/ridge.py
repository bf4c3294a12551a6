"""Start a residual network at a ridge solution, with shrinkage chosen on the validation rows.

Why: from random weights the network needs heavy dropout to keep some 17,000 input weights from
fitting the noise of 4,000 samples, and it still ends behind a plain ridge regression (GBLUP).
Started at the ridge solution it has the shrinkage from the first step, and training only has to
find what the ridge cannot express.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snpredict.formulas.encoding import channel_weights
from snpredict.formulas.genotypes import Genotypes
from train.baselines.dual import START_SHARES, solve_dual
from train.metrics import pearson


@dataclass(frozen=True)
class RidgeSolution:
    """Effects b (SNPs,) of one more copy, and how they were chosen.

    ``means`` (SNPs,) are those of the training rows, ``variances`` (SNPs,) the prior variances D.
    """

    effects: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    heritability: float
    validation_mse: float
    validation_pcc: float

    def channel_weights(self) -> np.ndarray:
        """The same function as weights (SNPs, 4) of float32."""
        return channel_weights(self.effects, self.means).astype(np.float32)


def fit_ridge(
    genotypes: Genotypes,
    y: np.ndarray,
    validation: Genotypes,
    y_validation: np.ndarray,
    *,
    reweightings: int = 0,
    floor: float = 0.0,
    shares: Sequence[float] = START_SHARES,
) -> RidgeSolution:
    """Ridge regression in its dual form, with one prior variance per SNP.

    Effects are ``b = D Xᵀ (X D Xᵀ + λ I)⁻¹ y`` for codes X centred on their training means (a
    missing genotype is the mean) and prior variances D. The first round has D = I: GBLUP. Every
    further round sets ``D_j ∝ b_j² / mean(b²) + floor``, so that major loci are shrunk less. λ is
    given as the share of variance ``h²`` that the SNPs explain, ``λ = mean(diag K)(1 − h²)/h²``;
    each round keeps the h² with the lowest squared error on the validation rows. The last round's
    solution is returned: the preset says how many there are, because one fold's validation rows
    are too few to choose it.

    Parameters
    ----------
    genotypes, validation : Genotypes
    y, y_validation : ndarray (samples,) of float32, standardised on the training rows
    shares : sequence of float
        The h² that are tried.
    """
    means = genotypes.means()
    x = genotypes.centred(means)
    x_validation = validation.centred(means)

    variances = np.ones(x.shape[1], np.float32)
    best: RidgeSolution | None = None
    for round_number in range(reweightings + 1):
        scaled = x * variances
        kernel = scaled @ x.T
        kernel_validation = x_validation @ scaled.T
        mean_diagonal = float(np.trace(kernel)) / len(kernel)
        best = None
        for heritability in shares:
            noise = mean_diagonal * (1 - heritability) / heritability
            dual = solve_dual(kernel, y, noise).weights
            fitted = kernel_validation @ dual
            mse = float(np.mean((fitted - y_validation) ** 2))
            if best is None or mse < best.validation_mse:
                best = RidgeSolution(
                    effects=scaled.T @ dual,
                    means=means,
                    variances=variances,
                    heritability=heritability,
                    validation_mse=mse,
                    validation_pcc=pearson(fitted, y_validation),
                )
        if best is not None and round_number < reweightings:
            squared = best.effects**2
            variances = (squared / squared.mean() + floor).astype(np.float32)
    assert best is not None
    return best
