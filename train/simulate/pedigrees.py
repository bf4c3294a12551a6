"""Two designs with linkage: inbred families of one hub parent, and outbred diploids."""

from collections.abc import Iterator

import numpy as np

from train.simulate.lines import Lines, Sites, even_sites, recombination, sample_names

#: Haplotypes that founders are mosaics of, and changes from one to another per centimorgan.
_ANCESTORS, _CHANGES_PER_CM = 12, 0.2

#: How often the ancestors' genealogy changes, and the share of them that a SNP parts otherwise than
#: the one before.
_GENEALOGIES_PER_CM, _MUTATED = 0.5, 0.1


class Families(Lines):
    """Recombinant inbred lines: a hub parent crossed to others, then selfed by single seeds.

    Every line is followed through its generations: which of the parent's two strands a gamete took
    changes between neighbouring SNPs as Haldane's map function says. After g generations of
    selfing (g − 1 of the F2's) the share of heterozygous genotypes at segregating SNPs is 0.5^g.

    Parameters
    ----------
    n_families, n_lines : int
        Lines per family.
    n_snps : int
    generations : int
        Of selfing; 1 gives an F2.
    n_chromosomes : int
    seed : int
    """

    def __init__(
        self,
        n_families: int,
        n_lines: int,
        n_snps: int,
        *,
        generations: int = 5,
        n_chromosomes: int = 20,
        seed: int = 1,
    ):
        self.samples = sample_names(n_families * n_lines)
        self.sites = even_sites(n_snps, n_chromosomes)
        self._family = np.repeat(np.arange(n_families), n_lines)
        self.families = [f"F{number + 1:02d}" for number in self._family]
        self._generations, self._seed = generations, seed

    def snps(self) -> Iterator[np.ndarray]:
        """See `Lines`."""
        random = np.random.default_rng([self._seed, 4])
        n, n_founders = len(self.samples), int(self._family.max()) + 2
        founders = mosaics(n_founders, self.sites, np.random.default_rng([self._seed, 5]))
        strand = np.zeros((self._generations, 2, n), bool)
        for share, alleles in zip(recombination(self.sites.steps()), founders, strict=True):
            strand ^= random.random(strand.shape, np.float32) < share
            # The first strand of an F1 is the hub's.
            pair = np.stack([np.full(n, alleles[0]), alleles[1:][self._family]])
            for taken in strand:
                pair = np.where(taken, pair[1], pair[0])
            yield pair.sum(axis=0, dtype=np.int8)


class Outbred(Lines):
    """Diploids whose haplotypes copy founders, changing from one to another along the genome.

    Parameters
    ----------
    n_samples, n_snps : int
    n_founders : int
        Haplotypes, mosaics of a few ancestors themselves, so that near SNPs go together.
    changes_per_cm : float
        How often a haplotype goes over to another founder: the older the population, the more.
    n_chromosomes : int
    seed : int
    """

    def __init__(
        self,
        n_samples: int,
        n_snps: int,
        *,
        n_founders: int = 40,
        changes_per_cm: float = 0.5,
        n_chromosomes: int = 10,
        seed: int = 1,
    ):
        self.samples, self.sites = sample_names(n_samples), even_sites(n_snps, n_chromosomes)
        self._founders, self._changes, self._seed = n_founders, changes_per_cm, seed

    def snps(self) -> Iterator[np.ndarray]:
        """See `Lines`."""
        random = np.random.default_rng([self._seed, 6])
        shape = 2, len(self.samples)
        founder = random.integers(0, self._founders, shape)
        haplotypes = mosaics(self._founders, self.sites, np.random.default_rng([self._seed, 9]))
        for step, alleles in zip(self.sites.steps(), haplotypes, strict=True):
            moves = random.random(shape, np.float32) < 1 - np.exp(-step * self._changes)
            founder[moves] = random.integers(0, self._founders, np.count_nonzero(moves))
            yield alleles[founder].sum(axis=0, dtype=np.int8)


def mosaics(count: int, sites: Sites, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Alleles 0 and 1 of haplotypes that copy a few ancestors, SNP by SNP: (count,) of int8.

    Which ancestors share an allele changes along the genome, as their genealogy does: close SNPs
    mostly part them alike.
    """
    ancestor = random.integers(0, _ANCESTORS, count)
    alleles = np.zeros(_ANCESTORS, bool)
    for step in sites.steps():
        moves = random.random(count) < 1 - np.exp(-step * _CHANGES_PER_CM)
        ancestor[moves] = random.integers(0, _ANCESTORS, np.count_nonzero(moves))
        drawn = random.random(_ANCESTORS) < random.uniform(0.1, 0.9)
        if random.random() < 1 - np.exp(-step * _GENEALOGIES_PER_CM):
            alleles = drawn
        else:
            alleles = np.where(random.random(_ANCESTORS) < _MUTATED, drawn, alleles)
        yield alleles[ancestor].astype(np.int8)
