"""Checks of sample ids that all formats share."""

from collections.abc import Sequence
from pathlib import Path

from snpredict.errors import DuplicateSample, NoGenotypes, NoSampleColumn


def check_samples(path: Path, samples: Sequence[str], place: str, first: int, hint: str) -> None:
    """Refuse a file without samples, an empty id and an id that occurs twice.

    Parameters
    ----------
    path : Path
        The file that holds the ids.
    samples : sequence of str
    place : str
        What a sample has there: ``"line"`` or ``"column"``.
    first : int
        Number of the first sample's place.
    hint : str
        The way out of repeated ids.

    Raises
    ------
    NoGenotypes, NoSampleColumn, DuplicateSample
    """
    if not samples:
        raise NoGenotypes(f"{path} has no samples")
    places: dict[str, int] = {}
    repeated: list[str] = []
    for number, sample in enumerate(samples, first):
        if not sample:
            raise NoSampleColumn(f"{path}, {place} {number}: the sample id is empty")
        earlier = places.setdefault(sample, number)
        if earlier != number:
            repeated.append(f"{sample!r} ({place}s {earlier} and {number})")
    if repeated:
        more = ", ..." if len(repeated) > 5 else ""
        raise DuplicateSample(
            f"{path} has repeated sample ids: {', '.join(repeated[:5])}{more}", hint
        )
