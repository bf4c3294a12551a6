"""People whose genotypes say how variants correlate, read from a genotype file window by window."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.formulas.encoding import genotype_frequencies
from snpredict.genotypes.reader import GenotypeReader, Selection
from train.data.genotypes import HowRead, chosen_variants, open_training_file
from train.deepwas.cutting import Span
from train.deepwas.window import correlations
from train.errors import StudyFileError

#: Genotypes that are held at a time, about.
_BLOCK = 1 << 26


@dataclass(frozen=True)
class LdReference:
    """Variants of a genotype file along the genome.

    Attributes
    ----------
    path : Path
    snps : SnpTable
        Along the chromosomes; frequencies are those of the reference.
    people : int
    samples : tuple of str
        Their ids.
    """

    path: Path
    snps: SnpTable
    people: int
    samples: tuple[str, ...]
    _reader: GenotypeReader
    _places: np.ndarray

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """Genotype codes of those variants, (people, variants) int8, −1 for missing.

        Parameters
        ----------
        rows : ndarray (variants,) of int64
            Places in `snps`.
        """
        return _read(self._reader, self._places[rows])

    def ld(self, span: Span, taper: float | None) -> np.ndarray:
        """See `train.deepwas.window.correlations`; of a window's core with all of it."""
        own = np.arange(span.start, span.stop)
        return correlations(self.codes(own), span.core, self.position[own], taper)

    @cached_property
    def position(self) -> np.ndarray:
        """Base pairs, (variants,) int64."""
        return np.array(self.snps.position, np.int64)

    def only(self, rows: np.ndarray) -> "LdReference":
        """With these variants only, ascending places in `snps`."""
        return LdReference(
            self.path,
            self.snps.rows(rows),
            self.people,
            self.samples,
            self._reader,
            self._places[rows],
        )


def open_ld_reference(path: Path) -> LdReference:
    """Read which variants there are, and how frequent their genotypes.

    Raises
    ------
    SnpredictError
        As `train.data.genotypes.open_training_file` and `chosen_variants`.
    StudyFileError
        Variants without a place, or fewer than ten people.
    """
    reader = open_training_file(path, HowRead())
    chosen = chosen_variants(reader, HowRead(), [], [])
    if None in chosen.info.position or None in chosen.info.chromosome:
        at = chosen.info.position.index(None) if None in chosen.info.position else 0
        raise StudyFileError(
            f"{path}: variant {chosen.snps[at]} has no place; LD is a matter of neighbours",
            "an LD reference is a .bed, .pgen or VCF, whose variants have places",
        )
    along = chosen.info.along
    places = chosen.places[along]
    frequencies = [genotype_frequencies(block) for block in _blocks(reader, places)]
    first = reader.genotypes(Selection(places[:1], np.zeros(1, bool)))
    samples = [sample for block in first for sample in block.samples]
    people = len(samples)
    if people < 10:
        raise StudyFileError(f"{path} has {people} people, too few for correlations")
    info = chosen.info
    snps = SnpTable.of(
        ids=[chosen.snps[at] for at in along.tolist()],
        chromosome=[info.chromosome[at] for at in along.tolist()],
        position=[info.position[at] for at in along.tolist()],
        counted_allele=[info.counted_allele[at] for at in along.tolist()],
        other_allele=[info.other_allele[at] for at in along.tolist()],
        frequencies=np.concatenate(frequencies),
    )
    return LdReference(path, snps, people, tuple(samples), reader, places)


def _blocks(reader: GenotypeReader, places: np.ndarray) -> Iterator[np.ndarray]:
    people = reader.n_samples or 10_000
    step = max(1, _BLOCK // max(people, 1))
    for start in range(0, len(places), step):
        yield _read(reader, places[start : start + step])


def _read(reader: GenotypeReader, places: np.ndarray) -> np.ndarray:
    blocks = reader.genotypes(Selection(places, np.zeros(len(places), bool)))
    return np.concatenate([block.genotypes.nearest() for block in blocks])
