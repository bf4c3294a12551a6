"""What every reader of genotype files offers, and what it takes and hands out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from snpredict.choices import DOSAGES
from snpredict.formulas.genotypes import Genotypes

if TYPE_CHECKING:
    from snpredict.genotypes.variants import Variants, Wanted

#: Note of every reader on sites that became several variants.
SPLIT_NOTE = "multi-allelic sites, split into one variant per alternative allele"


@dataclass(frozen=True)
class GenotypeBlock:
    """Consecutive samples of a file, in file order.

    Attributes
    ----------
    samples : list of str
        Sample ids as the file spells them, never turned into numbers.
    genotypes : Genotypes
        SNPs in the order asked for; C-contiguous.
    columns : dict of str to list of str
        The further text columns asked for, one stripped value per sample.
    """

    samples: list[str]
    genotypes: Genotypes
    columns: dict[str, list[str]] = field(default_factory=dict)

    @property
    def codes(self) -> np.ndarray:
        """Genotype codes, (samples, SNPs) int8."""
        return self.genotypes.codes

    def rows(self, which: slice) -> "GenotypeBlock":
        """Some of the samples."""
        columns = {name: values[which] for name, values in self.columns.items()}
        return GenotypeBlock(self.samples[which], self.genotypes.rows(which), columns)


@dataclass(frozen=True)
class Selection:
    """Which variants of a file are read, and of which samples.

    A part of a file is a part of its candidates, of its samples, or both. The parts side by side
    are the whole, to the bit.

    Attributes
    ----------
    variants : ndarray (SNPs,) of int64
        Place in `Variants.candidates`; −1 for a SNP that the file lacks. A place may occur twice.
    swapped : ndarray (SNPs,) of bool
        Whether the model counts the allele that the file's codes do not count: a genotype g is
        then handed back as 2 − g.
    samples : slice
        Consecutive samples of the file, by number from 0, without a step and not counted from
        the end. All of them when left out. Behind the file's last sample there is nothing.
    """

    variants: np.ndarray
    swapped: np.ndarray
    samples: slice = field(default_factory=lambda: slice(None))


def of_range(blocks: Iterator[GenotypeBlock], samples: slice) -> Iterator[GenotypeBlock]:
    """Blocks of all samples, cut down to a range of them.

    All blocks are taken, as what is wrong with a file may show at its end.

    Parameters
    ----------
    blocks : iterator of GenotypeBlock
    samples : slice
        As in `Selection`.
    """
    at = 0
    for block in blocks:
        n = len(block.samples)
        first = max((samples.start or 0) - at, 0)
        end = n if samples.stop is None else min(max(samples.stop - at, 0), n)
        if (first, end) == (0, n):
            yield block
        elif first < end:
            yield block.rows(slice(first, end))
        at += n


@dataclass(frozen=True)
class ReadOptions:
    """What a person says about a file; each reader uses what concerns its format.

    Attributes
    ----------
    id_column : str, optional
        Column of the sample ids (tables with samples in rows, Parquet).
    snps_in : {"columns", "rows"}, optional
        Orientation of a table; detected when left out.
    dosages : {"use", "round", "ignore"}
        Use dosages as expected genotypes, round them to the nearest code, or read the hard calls.
    coding : {"012", "-101"}, optional
        What stands for the genotypes in a file of bare codes. When left out it is 0, 1, 2, where
        −1 is missing, and a file that looks like −1, 0, 1 is refused.
    """

    id_column: str | None = None
    snps_in: str | None = None
    dosages: str = DOSAGES[0]
    coding: str | None = None


class GenotypeReader(Protocol):
    """What every genotype format offers.

    Attributes
    ----------
    path : Path
        The file that was named.
    files : list of Path
        Every file that is read, `path` first: a .bed comes with its .bim and .fam.
    format : str
        One of `snpredict.choices.INPUT_FORMATS`; of tables ``"tsv"`` or ``"csv"``.
    coding : str
        One of `snpredict.choices.CODINGS`; empty for a format whose genotypes are not bare codes.
    size_bytes : int
        Size of `path` on disk.
    bytes_read : int
        Bytes of it read so far by the pass that is running, for a progress bar.
    n_samples : int or None
        None where it takes the whole file to know.
    id_column : str
        Column of the sample ids; empty for a format that has no columns.
    notes : dict of str to int
        What was taken otherwise than one might expect, in words, and how often, such as
        ``"half-calls, taken as missing"``. Complete when `genotypes` has ended.
    """

    path: Path
    files: list[Path]
    format: str
    coding: str
    size_bytes: int
    n_samples: int | None
    id_column: str

    @property
    def notes(self) -> dict[str, int]:
        """See above."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        ...

    def variants(self, wanted: "Wanted") -> "Variants":
        """The variants that may be SNPs of the model.

        A format that has its variants in rows together with their genotypes is read to its end.

        Raises
        ------
        SnpredictError
            The file is damaged, or contradicts itself.
        """
        ...

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """Genotypes of the selected variants, block by block in file order.

        Called after `variants`, any number of times, one iterator at a time. Every block holds at
        least one sample; a file without samples is an error. Sample ids are unique and not empty.

        Of a .bed, a .pgen and a file that was spooled only what is selected is read. A table with
        its samples in rows is read and checked to its end by every call.

        Raises
        ------
        SnpredictError
            As `variants`. Raised instead of the block that the mistake is in.
        """
        ...
