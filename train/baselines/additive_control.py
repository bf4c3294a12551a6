"""A phenotype that is additive by construction, on a data set's own genotypes.

It is a control for epistasis: a network trained on it has only additive effects to find, about as
large and as many as those of the trait, and whatever interaction is read from it is of the
network's own making.
"""

import numpy as np

from train.baselines.ridge import fit_ridge
from train.data.dataset import Dataset
from train.errors import TrainingTableError

#: Share of the lines on which the heritability is chosen.
_VALIDATION = 0.2


def additive_phenotypes(data: Dataset, seed: int) -> np.ndarray:
    """The trait's additive values by GBLUP, and noise for what its heritability leaves.

    Effects and heritability come from a random four fifths of the lines and the rest of them;
    values are scaled to the heritability, mean and variance of the trait.

    Returns
    -------
    ndarray (samples,) of float64, trait units

    Raises
    ------
    TrainingTableError
        The trait has two values: a threshold makes loci depend on each other.
    """
    y = data.phenotype
    if len(np.unique(y)) <= 2:
        raise TrainingTableError(
            f"{data.source}: the control 'additive' needs a trait of more than two values",
            hint="use --control shuffled",
        )
    random = np.random.default_rng([seed, 21])
    order = random.permutation(len(y))
    n = max(1, round(_VALIDATION * len(y)))
    validation, train = np.sort(order[:n]), np.sort(order[n:])
    standardised = ((y - y[train].mean()) / y[train].std()).astype(np.float32)
    rows = data.genotypes.rows
    found = fit_ridge(rows(train), standardised[train], rows(validation), standardised[validation])
    values = data.genotypes.centred(found.means) @ found.effects
    genetic = (values - values.mean()) / (values.std() or 1)
    noise = random.standard_normal(len(y))
    h2 = found.heritability
    made = h2**0.5 * genetic + (1 - h2) ** 0.5 * noise
    return y.mean() + y.std() * made
