"""What a GWAS is about: a trait, covariates, and the genotypes of the same lines in blocks of SNPs.

A file of variants is read as the blocks are asked for, so that its genotypes need not fit the
memory. A table with samples in rows is read once and kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import Selection
from snpredict.genotypes.tables.wide import WideTable
from snpredict.matching.matched_file import Watch
from train.data.dataset import TraitTable
from train.data.genotypes import ChosenVariants, HowRead, chosen_variants, open_training_file
from train.data.phenotypes import PhenotypeFile
from train.data.snpinfo import SnpInfo
from train.data.traits import read_lines, read_traits

#: Genotypes that a block of SNPs holds, about; a few float32 copies of it are made.
_BLOCK_GENOTYPES = 1 << 24


class Source(Protocol):
    """Genotypes of all lines of a study, in parts.

    Attributes
    ----------
    snps : list of str
    info : SnpInfo
    """

    snps: list[str]
    info: SnpInfo

    def parts(self, snps: np.ndarray) -> Iterator[Genotypes]:
        """Those SNPs, some lines at a time, in the order of the study's lines."""
        ...


class KeptGenotypes:
    """A `Source` in memory."""

    _ROWS = 256

    def __init__(self, genotypes: Genotypes, snps: list[str], info: SnpInfo):
        self._genotypes, self.snps, self.info = genotypes, snps, info

    def parts(self, snps: np.ndarray) -> Iterator[Genotypes]:
        """See `Source`."""
        chosen = self._genotypes.snps(snps)
        for start in range(0, len(chosen), self._ROWS):
            yield chosen.rows(slice(start, start + self._ROWS))


class FileGenotypes:
    """A `Source` that reads a file of variants again for each block.

    Parameters
    ----------
    chosen : ChosenVariants
    rows : ndarray (lines,) of int64
        Places of the study's lines among the file's samples, ascending.
    """

    def __init__(self, chosen: ChosenVariants, rows: np.ndarray):
        self._chosen, self._rows = chosen, rows
        self.snps, self.info = chosen.snps, chosen.info

    def parts(self, snps: np.ndarray) -> Iterator[Genotypes]:
        """See `Source`."""
        places = self._chosen.places[snps]
        at = 0
        for block in self._chosen.reader.genotypes(Selection(places, np.zeros(len(places), bool))):
            end = at + len(block.samples)
            inside = slice(*np.searchsorted(self._rows, [at, end]))
            rows = self._rows[inside] - at
            at = end
            if len(rows) == len(block.samples):
                yield block.genotypes
            elif len(rows):
                yield block.genotypes.rows(rows)


@dataclass(frozen=True)
class Study:
    """A trait and what is known of its lines.

    Attributes
    ----------
    table : TraitTable
        Of the lines that take part; without genotypes where `source` reads them.
    trait : str
    y : ndarray (lines,) of float64
    covariates : ndarray (lines, numbers) of float64
        Without the intercept; of each category but the first an indicator.
    names : list of str
        Of the covariates' numbers.
    source : Source
    left_out : int
        Lines without the trait or without one of the covariates.
    """

    table: TraitTable
    trait: str
    y: np.ndarray
    covariates: np.ndarray
    names: list[str]
    source: Source
    left_out: int

    @property
    def n_snps(self) -> int:
        """Number of SNPs."""
        return len(self.source.snps)

    def blocks(self, snps: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Places of SNPs, (SNPs,) int64, in blocks that fit the memory."""
        every = np.arange(self.n_snps) if snps is None else snps
        step = max(1, min(4096, _BLOCK_GENOTYPES // max(len(self.y), 1)))
        for start in range(0, len(every), step):
            yield every[start : start + step]

    def genotypes(self, snps: np.ndarray) -> np.ndarray:
        """Copies of those SNPs in all lines, (lines, SNPs) float32, NaN for missing."""
        found = np.empty((len(self.y), len(snps)), np.float32)
        at = 0
        for part in self.source.parts(snps):
            found[at : at + len(part)] = copies(part)
            at += len(part)
        return found


def copies(part: Genotypes) -> np.ndarray:
    """Copies of the counted allele, (lines, SNPs) float32, NaN for missing."""
    x = part.codes.astype(np.float32)
    x[part.codes < 0] = np.nan
    return x if part.fractions is None else x + part.fractions


def open_study(
    path: Path,
    *,
    trait: str,
    how: HowRead,
    phenotypes: PhenotypeFile | None,
    watch: Watch,
    say: Callable[[str], None] = lambda text: None,
) -> Study:
    """Read the lines of a file, and make ready to read their genotypes.

    Parameters
    ----------
    path : Path
        Genotypes in any format.
    trait : str
    how : HowRead
    phenotypes : PhenotypeFile or None
    watch : Watch
        Shows progress.
    say : callable
        Told what a person should know about how the files were read.

    Raises
    ------
    SnpredictError
        As `train.data.traits.read_traits`.
    """
    reader = open_training_file(path, how, None if phenotypes is None else phenotypes.id_column)
    if isinstance(reader, WideTable):
        table = read_traits(path, traits=[trait], how=how, phenotypes=phenotypes, watch=watch)
        for note in (table.taken, *table.notes):
            say(note)
        rows = _complete(table)
        source: Source = KeptGenotypes(table.genotypes.rows(rows), table.snps, table.info)
    else:
        with watch(reader):
            chosen = chosen_variants(reader, how, [], [])
            nothing = Selection(np.empty(0, np.int64), np.empty(0, bool))
            samples = [s for block in reader.genotypes(nothing) for s in block.samples]
        table = read_lines(reader, samples, traits=[trait], how=how, phenotypes=phenotypes)
        notes = [f"{count:,} {what}" for what, count in chosen.notes().items()]
        for note in (chosen.taken, *notes, *table.notes):
            say(note)
        rows = _complete(table)
        place = {sample: at for at, sample in enumerate(samples)}
        source = FileGenotypes(chosen, np.array([place[table.samples[row]] for row in rows]))
    covariates, names = _numbers(table, rows)
    return Study(
        table=table,
        trait=trait,
        y=table.values[rows, 0],
        covariates=covariates,
        names=names,
        source=source,
        left_out=table.dropped + len(table.samples) - len(rows),
    )


def _complete(table: TraitTable) -> np.ndarray:
    """Rows with all covariates; those without the trait are not in the table."""
    if table.covariates is None:
        return np.arange(len(table.samples))
    return np.flatnonzero(np.isfinite(table.covariates.values).all(axis=1))


def _numbers(table: TraitTable, rows: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Covariates without the first category of each, which the intercept stands for."""
    if table.covariates is None:
        return np.empty((len(rows), 0)), []
    values, kept, names, at = table.covariates.values[rows], [], [], 0
    for column in table.covariates.columns:
        here = range(at, at + column.width)
        at += column.width
        if not column.categories:
            kept.append(here[0])
            names.append(column.name)
            continue
        # A category may be gone with the lines that were left out.
        there = [number for number in here if values[:, number].any()]
        kept += there[1:]
        names += [f"{column.name}={column.categories[number - here[0]]}" for number in there[1:]]
    return values[:, kept], names
