"""SNPs made of the variants of a file: which are taken, their names, their places and alleles."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from snpredict.genotypes.variants import Variant
from snpredict.names import quoted
from train.data.snpinfo import SnpInfo, info_from_names
from train.errors import TrainingTableError


def with_two_alleles(variants: Sequence[Variant]) -> tuple[np.ndarray, int]:
    """Places of variants of sites that have one alternative allele, and the number of others.

    Records of one place are one site where they have the same reference allele, whatever they are
    called. Formats that do not say which allele is the reference may name them in either order: of
    single bases those that share one are one site.
    """
    if len({(v.chromosome, v.position) for v in variants}) == len(variants):
        return np.arange(len(variants)), 0  # as in most files, no two at one place
    at_place: dict[tuple, list[int]] = {}
    for at, variant in enumerate(variants):
        known = variant.position is not None and variant.chromosome is not None
        key = (variant.chromosome, variant.position) if known else (at,)
        at_place.setdefault(key, []).append(at)
    kept: list[int] = []
    n_sites = 0
    for places in at_place.values():
        for site in _sites(variants, places):
            pairs = [{variants[at].counted, variants[at].other} - {None} for at in site]
            if len(set.union(*pairs)) > 2 and set.intersection(*pairs):
                n_sites += 1
            else:
                kept += site
    return np.array(sorted(kept), np.int64), n_sites


def _sites(variants: Sequence[Variant], places: list[int]) -> Iterable[list[int]]:
    """Variants of one place, those of single bases together, others by their reference allele."""
    if all(len(allele or "") <= 1 for at in places for allele in variants[at][3:]):
        return [places]
    by_reference: dict[str | None, list[int]] = {}
    for at in places:
        by_reference.setdefault(variants[at].other, []).append(at)
    return by_reference.values()


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
