"""Genotype files: one reader per format behind one interface."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

__all__ = ["GenotypeBlock", "GenotypeReader", "open_genotypes"]


@dataclass(frozen=True)
class GenotypeBlock:
    """Consecutive samples of a file, in file order.

    Attributes
    ----------
    samples : list of str
        Sample ids as the file spells them, never turned into numbers.
    codes : ndarray (samples, SNPs) of int8, C-contiguous
        Genotype codes 0, 1, 2 and −1 (missing), SNPs in the order asked for.
    columns : dict of str to list of str
        The further text columns asked for, one stripped value per sample.
    """

    samples: list[str]
    codes: np.ndarray
    columns: dict[str, list[str]]


class GenotypeReader(Protocol):
    """What every genotype format offers.

    Attributes
    ----------
    path : Path
    format : str
        Short name such as ``"tsv"``.
    size_bytes : int
        Size on disk.
    """

    path: Path
    format: str
    size_bytes: int

    @property
    def bytes_read(self) -> int:
        """Bytes on disk that the latest `blocks` has read so far, for a progress bar."""
        ...

    def blocks(
        self, snps: Sequence[str], *, columns: Sequence[str] = (), block_bytes: int = ...
    ) -> Iterator[GenotypeBlock]:
        """Genotypes of the named SNPs, block by block in file order."""
        ...


def open_genotypes(
    path: str | Path, *, id_column: str | None = None, snps: Collection[str] | None = None
) -> GenotypeReader:
    """Reader for the format that the file's content shows.

    Parameters
    ----------
    path : str or Path
    id_column : str, optional
        Column of the sample ids; found by its name when left out.
    snps : collection of str, optional
        Names of the model's SNPs, which help to tell the id column from the SNP columns.

    Returns
    -------
    GenotypeReader
        Only the file's beginning has been read.

    Raises
    ------
    FileNotFound, EmptyFile, NotATable, TruncatedFile, NoSampleColumn, DuplicateColumn
        See `snpredict.genotypes.table.WideTable`.
    """
    from snpredict.genotypes.table import WideTable

    return WideTable(Path(path), id_column=id_column, snps=snps)
