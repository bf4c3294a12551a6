"""SNPs made of the variants of a file: which are taken, their names, their places and alleles."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from snpredict.genotypes.variants import Variant
from snpredict.names import quoted
from train.data.snpinfo import SnpInfo, info_from_names
from train.errors import TrainingTableError


def with_two_alleles(variants: Sequence[Variant]) -> tuple[np.ndarray, int]:
    """Places of variants of sites that have one alternative allele, and the number of others.

    A site's variants stand behind each other, whether the file has them in one record or in
    several.
    """
    kept: list[int] = []
    n_sites = 0

    def site(at: int) -> tuple:
        variant = variants[at]
        known = variant.position is not None and variant.chromosome is not None
        return (*variant[:3], variant.other) if known else (at,)

    for _, group in groupby(range(len(variants)), site):
        places = list(group)
        if len({variants[at].counted for at in places}) == 1:
            kept += places
        else:
            n_sites += 1
    return np.array(kept, np.int64), n_sites


def names_of(path: Path, variants: Sequence[Variant]) -> list[str]:
    """A name per SNP: its id, with the allele where a site has several, or else its place."""
    if not variants:
        raise TrainingTableError(
            f"{path} has no SNP that can be trained on: found no variant of one alternative allele",
            "keep sites of several alleles with --multiallelic split",
        )
    ids = [variant.id for variant in variants]
    several = {id for id, n in Counter(ids).items() if n > 1}
    names = []
    for number, variant in enumerate(variants, 1):
        name = variant.id
        if name in several and name is not None:
            name = f"{name}_{variant.counted}"
        if name is None:
            place = (variant.chromosome, variant.position)
            if None in place:
                raise TrainingTableError(
                    f"{path}: variant {number} has neither a name nor a place",
                    "name every variant, or say where it is",
                )
            alleles = [allele for allele in (variant.other, variant.counted) if allele]
            name = "_".join(map(str, (*place, *alleles)))
        names.append(name)
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise TrainingTableError(
            f"{path} has {len(twice)} SNPs more than once: {quoted(twice)}",
            "give every variant an id of its own, or none, and leave every record in once; in a "
            "VCF with bcftools norm --rm-dup exact",
        )
    return names


def info_of(snps: list[str], variants: Sequence[Variant]) -> SnpInfo:
    """What the file says; of a file without places what the names say."""
    _, chromosomes, positions, counted, other = map(list, zip(*variants, strict=True))
    named = info_from_names(snps)
    if not any(chromosomes):
        chromosomes, positions = named.chromosome, named.position
    return SnpInfo(chromosomes, positions, counted, other)
