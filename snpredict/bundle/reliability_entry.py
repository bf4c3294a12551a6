"""What a manifest says of reliability: how well lines like a sample were predicted out of fold."""

from typing import Annotated, NamedTuple

from snpredict.bundle.typed_json import Entry


class ReliabilityBand(NamedTuple):
    """Lines up to a distance from the training set, and beyond the band before.

    ``reliability`` is their squared correlation, never larger than in the band before.
    """

    up_to: float
    reliability: Annotated[float, Entry(at_most=1)]


class CheckedBand(NamedTuple):
    """Lines up to a distance, each given the reliability that the other folds' lines have.

    Attributes
    ----------
    up_to : float or None
        None where distances are not known.
    n : int
    said : float
        Mean of the reliabilities given.
    observed, low, high : float
        Squared correlation of these lines, with its 95 % interval.
    """

    up_to: float | None
    n: int
    said: float
    observed: float
    low: float
    high: float


class MeasuredReliability(NamedTuple):
    """The squared correlation of predicted and observed values, out of fold.

    Attributes
    ----------
    lines : int
    families : int or None
        Correlated are deviations from the means of families; None: from the mean of all lines.
    reliability, low, high : float
        Of all lines together, with its 95 % interval.
    farthest : float or None
        Largest distance of a line from the training set; beyond it nothing was measured.
    near_minus_far : tuple of float, or None
        Of the nearer half and the farther half of the lines, with its 95 % interval.
    bands : tuple of ReliabilityBand
        Empty where the nearer half is not clearly more reliable: one value is for all.
    check : tuple of CheckedBand
        The same bands, or thirds, by estimates without the lines' own folds.
    """

    lines: int
    families: int | None
    reliability: Annotated[float, Entry(at_most=1)]
    low: float
    high: float
    farthest: float | None = None
    near_minus_far: tuple[float, ...] | None = None
    bands: tuple[ReliabilityBand, ...] = ()
    check: tuple[CheckedBand, ...] = ()


class CalledShare(NamedTuple):
    """Lines of which this share of the model's effects was left when SNPs were taken away.

    ``of_whole`` is their reliability, as a part of that of the same lines before.
    """

    called: Annotated[float, Entry(at_most=1)]
    of_whole: Annotated[float, Entry(at_most=1)]


class ReliabilityEntry(NamedTuple):
    """Of lines whose families are in the training set, and of others; None where not measured.

    ``called`` says what missing genotypes cost, ascending; measured on lines of known families.
    Empty where the model's score is not known as numbers.
    """

    known: MeasuredReliability | None = None
    new: MeasuredReliability | None = None
    called: tuple[CalledShare, ...] = ()
