"""Filters of SNPs on hand-made genotypes."""

import numpy as np
import pytest

from snpredict.formulas.genotypes import Genotypes
from train.data.filters import EVERY_SNP, SnpFilters
from train.data.snpinfo import SnpInfo
from train.errors import TrainingTableError

#: Ten samples; rarer allele and missing share of each SNP are in the names.
SNPS = {
    "0.05, none": [1, *[0] * 9],
    "0.5, none": [1] * 10,
    "0.1, of the other allele": [0, *[2] * 9],
    "0.25, 6 missing": [-1] * 6 + [2, 0, 0, 0],
    "never called": [-1] * 10,
}
CODES = np.array(list(SNPS.values()), np.int8).T
ORDER = np.arange(5)


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (SnpFilters(), [0, 1, 2, 3, 4]),
        (SnpFilters(min_maf=0.05), [0, 1, 2, 3]),
        (SnpFilters(min_maf=0.1), [1, 2, 3]),
        (SnpFilters(max_missing=0.6), [0, 1, 2, 3]),
        (SnpFilters(max_missing=0.5), [0, 1, 2]),
        (SnpFilters(min_maf=0.1, max_missing=0.5), [1, 2]),
        (SnpFilters(max_snps=2), [1, 3]),
        (SnpFilters(max_snps=9), [0, 1, 2, 3, 4]),
        (SnpFilters(min_maf=0.1, max_snps=1), [2]),
    ],
)
def test_which_snps_pass(filters: SnpFilters, kept: list[int]) -> None:
    assert filters.kept(Genotypes(CODES), ORDER).tolist() == kept
    # Rows in any order, and more than are counted at a time.
    many = np.tile(CODES[::-1], (100, 1))
    assert filters.kept(Genotypes(many), ORDER).tolist() == kept


def test_even_steps_run_along_the_chromosomes_and_not_along_the_file() -> None:
    info = SnpInfo(["1", "2", "1", "2", "1"], [30, 10, 10, 5, 20], [None] * 5, [None] * 5)
    assert info.along.tolist() == [2, 4, 0, 3, 1]
    assert SnpFilters(max_snps=2).kept(Genotypes(CODES), info.along).tolist() == [3, 4]


def test_a_filter_that_nothing_passes_says_what_there_is() -> None:
    with pytest.raises(TrainingTableError, match="none of the 2 SNPs passes") as caught:
        SnpFilters(min_maf=0.2, max_missing=0.1).kept(Genotypes(CODES[:, [0, 2]]), np.arange(2))
    assert "the largest minor allele frequency is 0.1" in caught.value.message
    assert "--min-maf" in str(caught.value.hint)


def test_filters_in_words() -> None:
    assert str(EVERY_SNP) == ""
    assert not EVERY_SNP.active
    assert str(SnpFilters(0.05, 0.2, 5000)) == (
        "minor allele frequency at least 0.05, missing at most 20 %, at most 5,000 SNPs at even "
        "steps along the chromosomes"
    )
