"""Whether enough genotypes are called to predict from: of each sample, and of a file.

A match says which of a model's SNPs a file has; a genotype that is there may still not be called.
The weighted call rate of a sample is the share of the model's effects that its called genotypes
carry. A sample of which nothing is called gets the same prediction as any other such sample.
"""

from typing import Any

import numpy as np

from snpredict.errors import TooFewSnps
from snpredict.genotypes.coding import MINUS_ONES
from snpredict.matching.file_check import FileCheck
from snpredict.matching.matched_file import TAKES_LESS


def low_call_rate(check: FileCheck) -> np.ndarray:
    """Which samples have less called than is enough: (samples,) bool.

    Nothing at all never is enough, not even where the least share is 0.
    """
    called = check.measures.weighted_call_rate
    return (called < check.min_match) | (called <= 0)


def judge_calls(check: FileCheck) -> None:
    """Refuse a file whose samples have too little called on average.

    Raises
    ------
    TooFewSnps
    """
    mean, match = _mean(check), check.match
    if mean >= check.min_match:
        return
    way_out = TAKES_LESS
    missing = {
        what: n for what, n in check.source.notes.items() if what.endswith("taken as missing")
    }
    if missing:
        most = max(missing, key=missing.__getitem__)
        if most == MINUS_ONES:
            way_out = f"--coding -101 reads -1 as a genotype; {way_out}"
        way_out = f"likely cause: {missing[most]:,} {most}; {way_out}"
    raise TooFewSnps(
        f"{check.source.path}: found calls for {mean:.1%} of the model's effects "
        f"({match.matched:,} of its {match.model_snps:,} SNPs found), expected at least "
        f"{check.min_match:.1%}",
        way_out,
    )


def call_facts(check: FileCheck) -> dict[str, Any]:
    """The mean and how many samples are below as JSON values."""
    return {
        "weighted_call_rate": _mean(check),
        "low_call_rate": int(low_call_rate(check).sum()),
        "min_match": check.min_match,
    }


def _mean(check: FileCheck) -> float:
    """Rounded as the rates are: the mean of many 0.7 may fall below 0.7 in its last bit."""
    return round(float(check.measures.weighted_call_rate.mean()), 9)
