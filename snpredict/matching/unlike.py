"""Which samples of a file are unlike a model's training set, and why."""

import numpy as np

from snpredict.formulas.sample_rates import SampleRates
from snpredict.formulas.similarity import Similarity


class Unlike:
    """Which samples are unlike the training set, every array of (samples,).

    Parameters
    ----------
    similarity : Similarity
        Of the bundle.
    rates : SampleRates
    distances : ndarray of float64

    Attributes
    ----------
    because : dict of str to ndarray of bool
        For each reason.
    any : ndarray of bool
        For one reason at least.
    unknown : ndarray of bool
        For no reason that can be told, and without a distance.
    beyond : ndarray of bool
        Farther than every training sample.
    """

    def __init__(self, similarity: Similarity, rates: SampleRates, distances: np.ndarray):
        self.similarity = similarity
        self.distances = distances
        self.because = similarity.unlike_because(distances, rates)
        self.any = np.logical_or.reduce(list(self.because.values()))
        # A sample without a distance may still be unlike for another reason.
        self.unknown = np.isnan(distances) & ~self.any
        self.beyond = similarity.beyond_all(distances)

    @property
    def percentiles(self) -> np.ndarray:
        """Percentage of the training samples that are nearer, NaN without a distance."""
        return self.similarity.percentiles(self.distances)

    @property
    def unmeasured(self) -> np.ndarray:
        """Unlike in a way for which the bundle has no measured error."""
        others = [rows for reason, rows in self.because.items() if reason != "distance"]
        return np.logical_or.reduce([self.beyond, *others])
