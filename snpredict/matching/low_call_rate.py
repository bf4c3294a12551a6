"""Whether enough genotypes are called to predict from: of each sample, and of a file.

A match says which of a model's SNPs a file has; a genotype that is there may still not be called.
The weighted call rate of a sample is the share of the model's effects that its called genotypes
carry. A sample of which nothing is called gets the same prediction as any other such sample.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.errors import TooFewSnps
from snpredict.genotypes.coding import MINUS_ONES
from snpredict.matching.report import MatchReport
from snpredict.names import listed


def low_call_rate(weighted_call_rate: np.ndarray, min_match: float) -> np.ndarray:
    """Which samples have too little called: (samples,) bool.

    Parameters
    ----------
    weighted_call_rate : ndarray (samples,)
    min_match : float
        Smallest share that is enough; nothing at all never is, not even for 0.
    """
    return (weighted_call_rate < min_match) | (weighted_call_rate <= 0)


def judge_calls(
    path: Path,
    weighted_call_rate: np.ndarray,
    match: MatchReport,
    notes: dict[str, int],
    min_match: float,
) -> None:
    """Refuse a file whose samples have too little called on average.

    Parameters
    ----------
    path : Path
    weighted_call_rate : ndarray (samples,)
    match : MatchReport
    notes : dict of str to int
        What the reader says of the file, see `GenotypeReader.notes`.
    min_match : float

    Raises
    ------
    TooFewSnps
    """
    mean = _mean(weighted_call_rate)
    if mean >= min_match:
        return
    way_out = "--min-match takes a smaller share; docs/limits.md says what it costs"
    missing = {what: n for what, n in notes.items() if what.endswith("taken as missing")}
    if missing:
        most = max(missing, key=missing.__getitem__)
        if most == MINUS_ONES:
            way_out = f"--coding -101 reads -1 as a genotype; {way_out}"
        way_out = f"likely cause: {missing[most]:,} {most}; {way_out}"
    raise TooFewSnps(
        f"{path}: found calls for {mean:.1%} of the model's effects ({match.matched:,} of its "
        f"{match.model_snps:,} SNPs found), expected at least {min_match:.1%}",
        way_out,
    )


def call_facts(weighted_call_rate: np.ndarray, min_match: float) -> dict[str, Any]:
    """The mean and how many samples are below as JSON values."""
    return {
        "weighted_call_rate": _mean(weighted_call_rate),
        "low_call_rate": int(low_call_rate(weighted_call_rate, min_match).sum()),
        "min_match": min_match,
    }


def _mean(weighted_call_rate: np.ndarray) -> float:
    """Rounded as the rates are: the mean of many 0.7 may fall below 0.7 in its last bit."""
    return round(float(weighted_call_rate.mean()), 9)


def low_call_rate_warning(
    samples: Sequence[str], weighted_call_rate: np.ndarray, min_match: float
) -> str | None:
    """A sentence that names the samples with too little called, else None."""
    low = np.flatnonzero(low_call_rate(weighted_call_rate, min_match))
    if not len(low):
        return None
    named = listed([samples[at] for at in low.tolist()])
    have = "1 sample has" if len(low) == 1 else f"{len(low):,} samples have"
    enough = f"less than {min_match:.1%}" if min_match > 0 else "none"
    return (
        f"warning: {have} calls for {enough} of the model's effects ({named}): too little to "
        "predict from"
    )
