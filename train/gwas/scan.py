"""All SNPs of a study through one of the three models."""

from collections.abc import Callable, Iterator

import numpy as np

from train.baselines.reml import rotation
from train.gwas.kinship import filled, products
from train.gwas.linear import LinearScan, Tested
from train.gwas.logistic import LogisticScan
from train.gwas.mixed import MixedScan
from train.gwas.study import Study

#: The models, by name.
MODELS = ("linear", "logistic", "mixed")

#: Whose kinship a SNP is tested against: that of the other chromosomes, or of all SNPs.
KINSHIPS = ("loco", "all")

#: Told how much of the work, in SNPs, is done.
Tell = Callable[[int], None]


def linear(study: Study, covariates: np.ndarray, tell: Tell) -> Tested:
    """By `train.gwas.linear`."""
    scan, found = LinearScan(study.y, covariates), []
    for snps in study.blocks():
        found.append(scan.test(study.source.parts(snps)))
        tell(len(snps))
    return _joined(found)


def logistic(study: Study, covariates: np.ndarray, tell: Tell) -> tuple[Tested, int]:
    """By `train.gwas.logistic`, and how many SNPs took the penalised likelihood."""
    scan, found = LogisticScan(study.y, covariates), []
    for snps in study.blocks():
        found.append(scan.test(study.genotypes(snps), tell))
    return _joined(found), scan.n_firth


def mixed(study: Study, covariates: np.ndarray, kinship: str, tell: Tell) -> tuple[Tested, float]:
    """By `train.gwas.mixed`, and the mean share of the kinship in the variance without a SNP.

    Every SNP is looked at three times, or twice with the kinship of all SNPs: `tell` counts that.
    """
    total, count = products(study, np.arange(study.n_snps), tell)
    found: Tested | None = None
    shares = []
    for snps, own in _groups(study, kinship):
        left, n_left = total, count
        if own:
            of_group, n_own = products(study, snps, tell)
            left, n_left = total - of_group, count - n_own
            del of_group
        scan = MixedScan(study.y, covariates, rotation(left / max(n_left, 1)))
        del left
        shares.append(scan.null / (1 + scan.null))
        tested = []
        for block in study.blocks(snps):
            tested.append(scan.test(filled(study.genotypes(block))[0]))
            tell(len(block))
        part = _joined(tested)
        if found is None:
            found = Tested(*(np.full(study.n_snps, np.nan) for _ in part))
        for whole, piece in zip(found, part, strict=True):
            whole[snps] = piece
    assert found is not None
    return found._replace(n=found.n.astype(np.int64)), float(np.mean(shares))


def kinship_of(study: Study, asked: str) -> str:
    """Which of `KINSHIPS` there can be: no chromosome can be left out where only one is known."""
    names = {str(name) for name in study.source.info.chromosome}
    return asked if len(names) > 1 else KINSHIPS[1]


def passes(kinship: str) -> int:
    """How often `mixed` looks at a SNP."""
    return 3 if kinship == "loco" else 2


def _groups(study: Study, kinship: str) -> Iterator[tuple[np.ndarray, bool]]:
    """SNPs that share a kinship, and whether they are left out of it."""
    names = np.array([str(name) for name in study.source.info.chromosome])
    if kinship_of(study, kinship) == "all":
        yield np.arange(study.n_snps), False
        return
    for name in dict.fromkeys(names.tolist()):
        yield np.flatnonzero(names == name), True


def _joined(found: list[Tested]) -> Tested:
    return Tested(*(np.concatenate(part) for part in zip(*found, strict=True)))
