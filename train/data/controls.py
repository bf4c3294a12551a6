"""Phenotypes about which genotypes can say nothing: what an accuracy claim has to fail on."""

from dataclasses import replace

import numpy as np

from train.data.dataset import Dataset
from train.errors import TrainingTableError

CONTROLS = ("shuffled", "family-effects")

#: A trait's own additive values and noise, by `train.baselines.additive_control`.
ADDITIVE = "additive"

#: Controls in whose phenotypes loci do not interact.
WITHOUT_INTERACTION = ("shuffled", ADDITIVE)


def with_control(data: Dataset, control: str, seed: int) -> Dataset:
    """The same table with a phenotype that carries no signal.

    ``shuffled`` deals the phenotypes out at random: every PCC must be about 0.
    ``family-effects`` gives every family one random value and its samples nothing else: with
    whole families left out, PCC must be about 0, because a new family's value cannot be known.

    Raises
    ------
    TrainingTableError
        ``family-effects`` without a family column, or an unknown control.
    """
    random = np.random.default_rng([seed, 20])
    if control == "shuffled":
        return replace(data, phenotype=random.permutation(data.phenotype))
    if control == "family-effects":
        if data.families is None:
            raise TrainingTableError(
                f"{data.source} has no families, which the control 'family-effects' needs",
                hint="Name their column with --family-column",
            )
        member = np.unique(np.array(data.families), return_inverse=True)[1]
        return replace(data, phenotype=random.standard_normal(member.max() + 1)[member])
    raise TrainingTableError(f"no control '{control}'; known: {', '.join(CONTROLS)}")
