"""A phenotype that is additive by construction, on a data set's own genotypes.

It is a control for epistasis: a network trained on it has only additive effects to find, and
whatever interaction is read from it is of the network's own making.

Its share of additive variance is the h² with which GBLUP predicts other lines best. That is a
penalty and no estimate: it is often larger than the trait's heritability, so that the control has
less noise than the trait, and a network makes up less.
"""

import numpy as np

from train.baselines.ridge import fit_ridge
from train.data.dataset import Dataset
from train.errors import TrainingTableError

#: Share of the lines on which h² is chosen.
_VALIDATION = 0.2


def additive_phenotypes(data: Dataset, seed: int) -> np.ndarray:
    """The trait's additive values by GBLUP, and noise for what their share h² leaves.

    Effects come from a random four fifths of the lines, and h² from the rest; the sum has the
    trait's mean and variance.

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
