"""Whether a trait can be held in single precision, in which every exported model predicts.

A float32 has 24 bits: at 100,000 its neighbours are 0.008 apart, at 100 million 8. What a model
learns is centred and scaled in double precision, but its output is in trait units, and a trait of
small spread around a large mean loses there what cannot be brought back.
"""

import numpy as np

from train.errors import TraitScale

#: Steps between neighbouring predictions, as a share of the trait's SD, that are small enough.
COARSEST = 0.01

#: SDs between which tables show a trait with a few digits, and no figure over- or underflows.
SMALLEST_SD, LARGEST_SD = 1e-6, 1e9


def step(values: np.ndarray) -> float:
    """Distance between neighbouring float32 at the largest absolute value."""
    return float(np.spacing(np.abs(values).max().astype(np.float32)))


def require_scale(what: str, phenotype: np.ndarray) -> None:
    """Refuse a trait whose predictions could not be told apart.

    Parameters
    ----------
    what : str
        Which rows these are, for the message.
    phenotype : ndarray (rows,) of float64, trait units

    Raises
    ------
    TraitScale
        The SD is out of range, or small against the steps of single precision at these values.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = float(phenotype.mean()), float(phenotype.std())
        steps = step(phenotype)
    found = f"{what} have a phenotype of mean {mean:.6g} and SD {sd:.3g}"
    if SMALLEST_SD <= sd <= LARGEST_SD:
        if steps <= COARSEST * sd:
            return
        raise TraitScale(
            f"{found}; predictions of this size come in steps of {steps:.2g} (single precision), "
            f"expected at most {COARSEST:g} SD",
            f"subtract a constant from all values, such as {mean:.2g}, and train on the rest; if "
            "the values hardly differ, look for a mistake in the column",
        )
    # A trait around 0 has no mean worth taking off, only a unit of the wrong size.
    too = "small" if sd < SMALLEST_SD else "large"
    raise TraitScale(
        f"{found}, which is too {too}; expected an SD from {SMALLEST_SD:g} to {LARGEST_SD:g}",
        "rescale the trait: give it in another unit, in which its SD is nearer to 1; if the "
        "values hardly differ, look for a mistake in the column",
    )
