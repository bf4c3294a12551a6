"""A phenotype that is additive by construction, on a data set's own genotypes.

It is a control for epistasis: a network trained on it has only additive effects to find, and
whatever interaction is read from it is of the network's own making. Its heritability is the one
that restricted maximum likelihood finds in the trait, and its additive values are drawn as the
trait leaves them open: their best predictions are smoother than the values themselves, and a
network would predict them too well.
"""

import numpy as np

from train.baselines.reml import rotation, variance_ratio
from train.data.dataset import Dataset
from train.errors import TrainingTableError


def additive_phenotypes(data: Dataset, seed: int) -> np.ndarray:
    """The trait's additive values, drawn given the trait, and noise of what they leave.

    With kinship K, heritability and variance as `variance_ratio` finds them in all lines, values u
    are drawn from their normal distribution given the trait y, whose mean is GBLUP's prediction;
    the noise is new. The sum has the trait's mean, and in expectation its variance.

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
    values, heritability = additive_values(data, random)
    noise = random.standard_normal(len(y)) * ((1 - heritability) * y.var()) ** 0.5
    return y.mean() + values - values.mean() + noise


def additive_values(data: Dataset, random: np.random.Generator) -> tuple[np.ndarray, float]:
    """Additive values of the lines, drawn given the trait, and the heritability.

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
    heritability = ratio / (ratio + 1)
    left = (1 - heritability) * y.var() * shrunk
    draw = random.standard_normal(len(y)) * np.sqrt(left)
    return at.vectors @ (shrunk * rotated + draw), heritability
