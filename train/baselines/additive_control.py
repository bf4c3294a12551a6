"""A phenotype that is additive by construction, on a data set's own genotypes.

It is a control for epistasis: a network trained on it has only additive effects to find, and
whatever interaction is read from it is of the network's own making. Its heritability is the one
that restricted maximum likelihood finds in the trait: with less noise than the trait has, a network
would make up less.
"""

import numpy as np

from train.baselines.reml import rotation, variance_ratio
from train.data.dataset import Dataset
from train.errors import TrainingTableError


def additive_phenotypes(data: Dataset, seed: int) -> np.ndarray:
    """The trait's additive values by GBLUP, and noise for what their heritability leaves.

    Values and heritability are those of all lines; the sum has the trait's mean and variance.

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
    values, heritability = additive_values(data)
    values = (values - values.mean()) / (values.std() or 1)
    noise = np.random.default_rng([seed, 21]).standard_normal(len(y))
    made = heritability**0.5 * values + (1 - heritability) ** 0.5 * noise
    return y.mean() + y.std() * made


def additive_values(data: Dataset) -> tuple[np.ndarray, float]:
    """Best linear unbiased predictions of the lines' additive values, and the heritability.

    The heritability is the additive share of the variance among these lines, by restricted maximum
    likelihood with the centred kinship.

    Returns
    -------
    (values, heritability)
        ndarray (samples,) of float64, trait units from the mean; and a share, 0 to 1.
    """
    y = data.phenotype - data.phenotype.mean()
    x = data.genotypes.centred(data.genotypes.means())
    kinship = (x @ x.T).astype(np.float64)
    kinship *= (len(y) - 1) / np.trace(kinship)
    at = rotation(kinship)
    rotated = at.vectors.T @ y
    ratio = variance_ratio(rotated, at.vectors.sum(axis=0)[:, None], at.values)
    shrunk = ratio * at.values / (ratio * at.values + 1)
    return at.vectors @ (shrunk * rotated), ratio / (ratio + 1)
