"""Wide genotype tables: TSV or CSV, one row per sample, one column per SNP."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from snpredict.errors import (
    DuplicateColumn,
    DuplicateSample,
    NoRows,
    NoSampleColumn,
    NoSnpMatched,
    UsageError,
)
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock, Selection, of_range
from snpredict.genotypes.tables.columns import find_id_column
from snpredict.genotypes.tables.delimited import BLOCK_BYTES, DelimitedText
from snpredict.genotypes.variants import Variant, VariantColumns, Variants, Wanted
from snpredict.names import quoted, short

_BAD_CELL = (
    "genotypes are the number of copies of the counted allele; allele letters and calls such as "
    "0/1 must be converted first"
)


class WideTable:
    """A table of genotype codes, of which only the header has been read.

    Parameters
    ----------
    path : Path
    id_column : str, optional
        Column of the sample ids. When left out it is the first of
        `snpredict.genotypes.tables.columns.ID_COLUMNS` in the header; failing that, the only column
        that is not in `snps`.
    snps : collection of str, optional
        Names of the model's SNPs. They are never taken for the id column.
    coding : str, optional
        One of `snpredict.choices.CODINGS`, where a person says it.

    Attributes
    ----------
    path : Path
    files : list of Path
    format : str
        ``"tsv"`` or ``"csv"``, by the header line.
    coding : str
        One of `CODINGS`.
    compressed : bool
    header : list of str
        Column names, stripped.
    id_column : str
        The resolved name, which may be empty as pandas leaves the header of an index.
    size_bytes : int
        Size on disk.
    no_snps : frozenset of str
        Columns that are never SNPs; empty, as a table says nothing about its columns.
    alleles : dict of str to (str or None, str or None)
        By SNP, the counted allele and the other one; empty, for the same reason.
    n_samples : None
        It takes the whole file to know.
    notes : dict of str to int
        See `snpredict.genotypes.reader.GenotypeReader`.

    Raises
    ------
    FileNotFound, EmptyFile, TruncatedFile
        The file cannot be opened or unpacked.
    NotATable
        The file is binary, another format, or its header has neither a tab nor a comma.
    NoSampleColumn
        `id_column` is not in the header, or none was found.
    DuplicateColumn
        The id column's name occurs twice.
    """

    no_snps: frozenset[str] = frozenset()
    _own_ids = "give every row its own id, or name another column with --id-column NAME"

    def __init__(
        self,
        path: Path,
        *,
        id_column: str | None = None,
        snps: Collection[str] | None = None,
        coding: str | None = None,
    ):
        # A .raw is a table too, where a person says so.
        text = DelimitedText(path, _BAD_CELL, ("table", "raw"), coding)
        self._hold(text, text.format, text.header)
        self.id_column = find_id_column(path, self.header, id_column, snps)
        self._check_unique([self.id_column])

    def _hold(self, text: DelimitedText, format: str, header: list[str]) -> None:
        self._text = text
        self.path = text.path
        self.files = [text.path]
        self.format = format
        self.coding = text.coding.name
        self.size_bytes = text.source.size_bytes
        self.compressed = text.source.compressed
        self.header = header
        self.n_samples: int | None = None
        self.notes: dict[str, int] = {}
        self._counts = Counter(header)
        self._position = {name: index for index, name in enumerate(header)}
        self.alleles: dict[str, tuple[str | None, str | None]] = {}
        self._candidates: list[int] = []

    @property
    def bytes_read(self) -> int:
        """Bytes on disk that the running pass has read so far."""
        return self._text.source.bytes_read

    def variants(self, wanted: Wanted) -> Variants:
        """The SNP columns that a model asks for, by name; see `GenotypeReader.variants`.

        Raises
        ------
        DuplicateColumn
            One of them occurs twice.
        """
        others = [name for name in self.header if name != self.id_column]
        names = [name for name in others if wanted.named(name)]
        self._check_unique(names)
        self._candidates = [self._position[name] for name in names]
        return Variants(
            has_alleles=False,
            candidates=VariantColumns(_variant(name) for name in names),
            total=len(others),
            # The last ones: a phenotype stands before the SNPs.
            examples=[_variant(name) for name in others[-5:]],
        )

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """Genotypes of the selected variants; see `GenotypeReader.genotypes`.

        Raises
        ------
        SnpredictError
            As `blocks`.
        """
        of_snp = np.array([*self._candidates, -1], np.intp)[selection.variants]
        columns = _Columns(of_snp, self._position[self.id_column], {})
        for block in of_range(self._blocks(columns, BLOCK_BYTES), selection.samples):
            if selection.swapped.any():
                codes = block.codes
                swapped = selection.swapped & (codes != MISSING)
                turned = Genotypes(np.where(swapped, 2 - codes, codes))
                block = GenotypeBlock(block.samples, turned)
            yield block

    def blocks(
        self,
        snps: Sequence[str],
        *,
        columns: Sequence[str] = (),
        block_bytes: int = BLOCK_BYTES,
        repeats: bool = False,
    ) -> Iterator[GenotypeBlock]:
        """Genotypes of the named SNPs, block by block in file order.

        Parameters
        ----------
        snps : sequence of str
            In the order wanted. A name that the header lacks is missing for all samples.
        columns : sequence of str, optional
            Further columns to hand back as text.
        block_bytes : int
            Unpacked bytes per block, about; memory use is some ten times as much.
        repeats : bool
            Whether a sample id may occur in several rows.

        Returns
        -------
        iterator of GenotypeBlock
            One block, at least one sample, at a time. Names are checked before it is returned,
            rows while it runs; one table supports one running iterator.

        Raises
        ------
        NoSnpMatched
            None of `snps` is in the header.
        DuplicateColumn
            A column that is read has its name twice in the header.
        UsageError
            One of `columns` is not in the header.
        NoRows
            There is nothing below the header.
        UnclearCoding
            At the end, see `snpredict.genotypes.coding`.
        RaggedRow, BadGenotype, NoSampleColumn, DuplicateSample, NotATable, TruncatedFile
            A row is wrong: number of columns, a genotype, an empty or repeated id, quotes, bytes.
            Raised instead of the block that holds the row.
        """
        if block_bytes < 1:
            raise ValueError(f"block_bytes is {block_bytes}, expected at least 1")
        if absent := [name for name in columns if name not in self._counts]:
            raise UsageError(
                f"{self.path} has no column {quoted(absent)}",
                f"its first columns are {quoted(self.header)}",
            )
        if snps and not any(name in self._counts for name in snps):
            found = [name for name in self.header if name not in (self.id_column, *columns)]
            raise NoSnpMatched(
                f"{self.path} has no SNP of the model: found columns such as "
                f"{quoted(found[-3:])}, expected such as {quoted(snps, 3)}",
                "SNPs are matched by name; check that the file and the model name them alike "
                "and that the SNPs are in columns",
            )
        self._check_unique([self.id_column, *columns, *snps])
        of_snp = np.array([self._position.get(name, -1) for name in snps], np.intp)
        texts = {name: self._position[name] for name in columns}
        chosen = _Columns(of_snp, self._position[self.id_column], texts)
        return self._blocks(chosen, block_bytes, repeats)

    def _blocks(
        self, columns: "_Columns", block_bytes: int, repeats: bool = False
    ) -> Iterator[GenotypeBlock]:
        line_of: dict[str, int] = {}
        for rows in self._text.rows(block_bytes):
            if len(rows.lines):
                codes = rows.codes(columns.read)
                texts = {index: rows.texts(index) for index in columns.texts}
                block = columns.block(codes, texts)
                self._check_samples(block.samples, rows.lines, line_of, repeats)
                yield block
        if not line_of:
            raise NoRows(f"{self.path} has a header and no rows")
        self._text.coding.check()
        self.notes |= self._text.coding.notes()

    def _check_unique(self, names: Iterable[str]) -> None:
        repeated = [name for name in dict.fromkeys(names) if self._counts[name] > 1]
        if repeated:
            raise DuplicateColumn(
                f"{self.path} has more than one column {quoted(repeated)}",
                "rename or remove the repeated columns",
            )

    def _check_samples(
        self, samples: list[str], lines: Sequence[int], line_of: dict[str, int], repeats: bool
    ) -> None:
        """Refuse empty ids, and repeated ones unless `repeats`, and add the others to `line_of`."""
        repeated: list[str] = []
        for sample, line in zip(samples, lines, strict=True):
            if not sample:
                raise NoSampleColumn(
                    f"{self.path}, line {line}: the sample id in column {self.id_column!r} is empty"
                )
            first = line_of.setdefault(sample, line)
            if first != line and not repeats:
                repeated.append(f"{short(sample)} (lines {first} and {line})")
        if repeated:
            more = ", ..." if len(repeated) > 5 else ""
            raise DuplicateSample(
                f"{self.path} has repeated sample ids: {', '.join(repeated[:5])}{more}",
                self._own_ids,
            )


class _Columns:
    """Which cells of a row are read, and where their codes go.

    Parameters
    ----------
    of_snp : ndarray (SNPs,) of intp
        Column of each SNP, −1 where there is none.
    id_column : int
    further : dict of str to int
        Columns to hand back as text.

    Attributes
    ----------
    read : slice or ndarray of int
        The SNP columns, ascending, as the cheapest index.
    texts : list of int
        The id column and the further columns.
    """

    def __init__(self, of_snp: np.ndarray, id_column: int, further: dict[str, int]):
        self._id = id_column
        self._further = further
        self.texts = list({id_column, *further.values()})
        self._n_snps = len(of_snp)
        self._present = np.flatnonzero(of_snp >= 0)
        unique, self._source = np.unique(of_snp[self._present], return_inverse=True)
        dense = len(unique) > 0 and unique[-1] - unique[0] + 1 == len(unique)
        self.read = slice(unique[0], unique[-1] + 1) if dense else unique
        self._as_read = np.array_equal(of_snp, unique)

    def block(self, codes: np.ndarray, texts: dict[int, list[str]]) -> GenotypeBlock:
        """Block in the order asked for, from codes in file order."""
        if not self._as_read:
            ordered = np.full((len(codes), self._n_snps), MISSING, np.int8)
            ordered[:, self._present] = codes[:, self._source]
            codes = ordered
        columns = {name: texts[index] for name, index in self._further.items()}
        genotypes = Genotypes(np.ascontiguousarray(codes))
        return GenotypeBlock(texts[self._id], genotypes, columns)


def _variant(name: str) -> Variant:
    return Variant(name, None, None, None, None)
