"""The variants of a genotype file, and which of them a model asks for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

#: "Gm01", "Chr01", "chr1", "chromosome_1" and "1" are one chromosome; "scaffold_1" is another.
#: Two letters are a species ("Gm", "Zm"), as in most plant genomes.
_CHROMOSOME = re.compile(
    r"(?:chromosome|chrom|chr|ch|[a-z]{2})?[ ._-]?0*([1-9]\d?[a-z]?|x|y|w|z|mt)"
)


class Variant(NamedTuple):
    """One record of a file, seen as two alleles.

    Attributes
    ----------
    id : str or None
        As the file spells it; None for ".", "" and the like.
    chromosome : str or None
        As the file spells it.
    position : int or None
        Base pairs, from 1.
    counted, other : str or None
        The allele whose copies the file's genotypes count, and the other one, in capitals. None
        for an allele that the file does not name: both in a file of bare codes, one where all
        samples have the other.
    """

    id: str | None
    chromosome: str | None
    position: int | None
    counted: str | None
    other: str | None


@dataclass
class Variants:
    """What a file says about its variants.

    Attributes
    ----------
    candidates : list of Variant
        Those that `Wanted` keeps, in file order. A multi-allelic record appears once per
        alternative allele.
    total : int
        Records of the file.
    has_alleles : bool
        False for a file of bare codes.
    examples : list of Variant
        The file's first records, to name what is different when nothing matches.
    chromosomes : set of str
        All chromosome names of the file, as spelt.
    """

    has_alleles: bool = True
    candidates: list[Variant] = field(default_factory=list)
    total: int = 0
    examples: list[Variant] = field(default_factory=list)
    chromosomes: set[str] = field(default_factory=set)

    def see(self, variant: Variant) -> None:
        """Count a record of the file, candidate or not."""
        self.total += 1
        if len(self.examples) < 5:
            self.examples.append(variant)
        if variant.chromosome is not None:
            self.chromosomes.add(variant.chromosome)


class Wanted:
    """Tells which records of a file may be SNPs of a model.

    Parameters
    ----------
    ids : iterable of str
    chromosomes : iterable of (str or None)
    positions : iterable of (int or None)
        All of the same length, one entry per SNP.

    Attributes
    ----------
    ids : frozenset of str
    places : frozenset of (str, int)
        Normalised chromosome and position.
    """

    def __init__(
        self,
        ids: Iterable[str],
        chromosomes: Iterable[str | None] = (),
        positions: Iterable[int | None] = (),
    ):
        self.ids = frozenset(ids)
        self.places = frozenset(
            (chromosome_key(chromosome), position)
            for chromosome, position in zip(chromosomes, positions, strict=True)
            if chromosome is not None and position is not None
        )
        self._positions = frozenset(position for _, position in self.places)
        self._keys: dict[str, str] = {}

    def __call__(self, id: str | None, chromosome: str | None, position: int | None) -> bool:
        """Whether a record with that name or at that place may be a SNP of the model."""
        if id in self.ids:
            return True
        # Positions alone first: it is true for few records, and chromosome names take longer.
        if position not in self._positions or chromosome is None:
            return False
        key = self._keys.get(chromosome)
        if key is None:
            key = self._keys[chromosome] = chromosome_key(chromosome)
        return (key, position) in self.places


def chromosome_key(name: str) -> str:
    """A chromosome's name without prefix, leading zeros and case.

    Names that do not look like a numbered or lettered chromosome keep all but their case.

    Examples
    --------
    >>> [chromosome_key(name) for name in ("Gm01", "Chr01", "chr1", "1", "scaffold_1", "chr1A")]
    ['1', '1', '1', '1', 'scaffold_1', '1a']
    """
    plain = name.strip().lower()
    found = _CHROMOSOME.fullmatch(plain)
    return found.group(1) if found else plain
