"""The variants of a genotype file, and which of them a model asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from snpredict.genotypes.chromosomes import ChromosomeNames


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
    chromosomes : ChromosomeNames
        What the model calls its chromosomes.
    places : frozenset of (str, int)
        Key of the chromosome, and position.
    all : bool
        Whether every record is wanted, as by `everything`.
    """

    all = False

    def __init__(
        self,
        ids: Iterable[str],
        chromosomes: Iterable[str | None] = (),
        positions: Iterable[int | None] = (),
    ):
        self.ids = frozenset(ids)
        chromosomes = tuple(chromosomes)
        self.chromosomes = ChromosomeNames(chromosomes)
        self.places = frozenset(
            (self.chromosomes.key(chromosome), position)
            for chromosome, position in zip(chromosomes, positions, strict=True)
            if chromosome is not None and position is not None
        )
        self._positions = frozenset(position for _, position in self.places)

    @staticmethod
    def everything() -> "Wanted":
        """Wants every record of a file, as training does; it knows no SNP by name."""
        wanted = Wanted(())
        wanted.all = True
        return wanted

    def named(self, id: str | None) -> bool:
        """Whether a record with that name may be a SNP of the model."""
        return self.all or id in self.ids

    def __call__(self, id: str | None, chromosome: str | None, position: int | None) -> bool:
        """Whether a record with that name or at that place may be a SNP of the model."""
        if self.named(id):
            return True
        # Positions alone first: it is true for few records, and chromosome names take longer.
        if position not in self._positions or chromosome is None:
            return False
        return (self.chromosomes.key(chromosome), position) in self.places


class WantedByAny(Wanted):
    """Tells which records may be SNPs of one of several models, each with its chromosome names.

    Parameters
    ----------
    models : sequence of Wanted
        At least one.
    """

    def __init__(self, models: Sequence[Wanted]):
        super().__init__(())
        self.ids = frozenset().union(*(model.ids for model in models))
        self.places = frozenset().union(*(model.places for model in models))
        self._models = models

    def __call__(self, id: str | None, chromosome: str | None, position: int | None) -> bool:
        """Whether a record may be a SNP of any of the models."""
        return any(wanted(id, chromosome, position) for wanted in self._models)
