"""Parquet tables of genotype codes, with samples in rows or SNPs in rows.

Parquet lies on disk column by column, and so it is read here: a few columns at a time, each once.
Of a table with samples in rows they are SNPs and go through a temporary file; of one with SNPs in
rows they are samples, and thus a block.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snpredict.errors import NoSampleColumn
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.coding import UNKNOWN
from snpredict.genotypes.reader import GenotypeBlock, ReadOptions, Selection
from snpredict.genotypes.sample_ids import check_samples
from snpredict.genotypes.spool import Spool
from snpredict.genotypes.tables.columns import ID_COLUMNS, find_id_column, plain
from snpredict.genotypes.tables.parquet_file import ParquetFile
from snpredict.genotypes.tables.snp_columns import PANDAS_INDEX, SnpColumns, in_rows
from snpredict.genotypes.variants import Variant, VariantColumns, Variants, Wanted
from snpredict.names import short

#: Columns that are read together, and their cells, at most.
_GROUP_COLUMNS = 128
_GROUP_CELLS = 1 << 24


def open_parquet(
    path: Path, options: ReadOptions, snps: Wanted | None
) -> "ParquetSamples | ParquetSnps":
    """Reader for a Parquet table of either orientation, told apart as `open_table` does.

    Raises
    ------
    TruncatedFile, UnsupportedFile
        The file is damaged, or compressed in a way that is not read.
    NoRows
        It has none.
    SnpredictError
        The columns of the sample or SNP ids are not to be found.
    """
    file = ParquetFile(path, options.coding)
    columns = SnpColumns(path, file.header)
    if in_rows(path, file.header, columns, options, snps, file.first_cells):
        columns.settle(file.first_cells, snps.ids if snps else ())
        return ParquetSnps(file, columns)
    try:
        return ParquetSamples(file, options.id_column, snps)
    except NoSampleColumn as error:
        hint = f"{error.hint}; where SNPs are in rows, say --snps-in rows"
        raise NoSampleColumn(error.message, hint) from None


class ParquetSamples:
    """A Parquet table with samples in rows; see `snpredict.genotypes.reader.GenotypeReader`.

    Parameters
    ----------
    file : ParquetFile
    id_column : str, optional
    snps : Wanted, optional

    Raises
    ------
    NoSampleColumn
        `id_column` is not there, or none was found.
    """

    format = "parquet"

    def __init__(self, file: ParquetFile, id_column: str | None, snps: Wanted | None):
        self._file = file
        self.path, self.files, self.size_bytes = file.path, [file.path], file.size_bytes
        self.coding = file.coding.name
        self.n_samples: int | None = file.n_rows
        self.notes: dict[str, int] = {}
        # Row numbers that pandas kept are no names.
        named = PANDAS_INDEX in file.header and (
            file.kind(file.header.index(PANDAS_INDEX)) == "string"
        )
        usual = (*ID_COLUMNS, plain(PANDAS_INDEX)) if named else ID_COLUMNS
        self.id_column = find_id_column(
            file.path, file.header, id_column, snps.ids if snps else None, usual
        )
        self._id = file.header.index(self.id_column)
        self._candidates: list[int] = []

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        return self._file.bytes_read

    def variants(self, wanted: Wanted) -> Variants:
        """The SNP columns that a model asks for, by name; see `GenotypeReader.variants`.

        Raises
        ------
        DuplicateColumn
            One of them occurs twice.
        """
        others = [index for index in range(len(self._file.header)) if index != self._id]
        self._candidates = [index for index in others if wanted.named(self._file.header[index])]
        self._file.check_unique(self._candidates)
        return Variants(
            has_alleles=False,
            candidates=VariantColumns(map(self._variant, self._candidates)),
            total=len(others),
            examples=[self._variant(index) for index in others[-5:]],
        )

    def _variant(self, column: int) -> Variant:
        return Variant(self._file.header[column], None, None, None, None)

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """See `GenotypeReader.genotypes`.

        Raises
        ------
        NoSampleColumn, DuplicateSample
            A sample id is empty, repeated, or neither text nor a whole number.
        BadGenotype, TruncatedFile
            A cell is no genotype, or the file is damaged.
        """
        samples = self._samples()
        places, rows = np.unique(selection.variants, return_inverse=True)
        first = int(np.searchsorted(places, 0))
        columns = [self._candidates[place] for place in places[first:].tolist()]
        step = max(1, min(_GROUP_COLUMNS, _GROUP_CELLS // len(samples)))
        with Spool(samples) as spool:
            for at in range(0, len(columns), step):
                group = columns[at : at + step]
                whole = np.empty((len(group), len(samples)), np.int8)
                for start, codes in self._file.codes(group):
                    whole[:, start : start + codes.shape[1]] = codes
                if (whole == UNKNOWN).any():
                    row, column = np.argwhere(whole.T == UNKNOWN)[0].tolist()
                    who = f" (sample {short(samples[row])})"
                    raise self._file.bad_cell(group[column], row, who)
                spool.append(whole)
            self._file.coding.check()
            self.notes |= self._file.coding.notes()
            of_rows = rows.reshape(-1) - first
            yield from spool.blocks(Selection(of_rows, selection.swapped, selection.samples))

    def _samples(self) -> list[str]:
        if not self._file.is_name(self._id):
            raise NoSampleColumn(
                f"{self.path}: the sample ids in column {self.id_column!r} are of type "
                f"{self._file.kind(self._id)}, expected text or whole numbers",
                "name the column of the sample ids with --id-column NAME",
            )
        samples: list[str] = []
        seen: set[str] = set()
        for _, (texts,) in self._file.texts([self._id]):
            samples += texts
            seen.update(texts)
            # A few bytes of Parquet can stand for very many equal values.
            if "" in seen or len(seen) < len(samples):
                break
        check_samples(
            self.path,
            samples,
            "row",
            1,
            "give every row its own id, or name another column with --id-column NAME",
        )
        return samples


class ParquetSnps:
    """A Parquet table with SNPs in rows; see `snpredict.genotypes.reader.GenotypeReader`.

    Parameters
    ----------
    file : ParquetFile
    columns : SnpColumns

    Raises
    ------
    NoGenotypes, NoSampleColumn, DuplicateSample
        There is no sample column, or the samples' names are empty or repeated.
    """

    format = "parquet"
    id_column = ""

    def __init__(self, file: ParquetFile, columns: SnpColumns):
        self._file, self._columns = file, columns
        self.path, self.files, self.size_bytes = file.path, [file.path], file.size_bytes
        self.coding = file.coding.name
        self.notes: dict[str, int] = {}
        self._samples = [file.header[index].strip() for index in columns.samples]
        check_samples(
            file.path, self._samples, "sample column", 1, "give every sample its own name"
        )
        self.n_samples: int | None = len(self._samples)
        self._rows: list[int] = []

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        return self._file.bytes_read

    def variants(self, wanted: Wanted) -> Variants:
        """Reads the annotation; see `GenotypeReader.variants`.

        Raises
        ------
        BadVariant, TruncatedFile
            A position or the alleles are wrong, or the file is damaged.
        """
        variants = Variants(has_alleles=self._columns.has_alleles)
        for column in self._columns.read:
            self._file.check_text(column)
        for start, cells in self._file.texts(self._columns.read):
            texts = dict(zip(self._columns.read, cells, strict=True))
            numbers = range(start + 1, start + 1 + len(cells[0]))
            for number, (variant, is_wanted) in zip(
                numbers, self._columns.variants(texts, "row", numbers, wanted), strict=True
            ):
                variants.see(variant)
                if is_wanted:
                    variants.candidates.append(variant)
                    self._rows.append(number - 1)
        self.notes |= self._columns.notes(variants)
        return variants

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """See `GenotypeReader.genotypes`.

        Raises
        ------
        BadGenotype, TruncatedFile
            A cell is no genotype, or the file is damaged.
        """
        present = np.flatnonzero(selection.variants >= 0)
        rows, source = np.unique(
            np.array(self._rows, np.int64)[selection.variants[present]], return_inverse=True
        )
        swapped = selection.swapped[present]
        step = max(1, min(_GROUP_COLUMNS, _GROUP_CELLS // max(1, len(selection.variants))))
        samples = self._samples[selection.samples]
        columns = self._columns.samples[selection.samples]
        for at in range(0, len(samples), step):
            group = columns[at : at + step]
            whole = np.empty((len(group), len(rows)), np.int8)
            for start, codes in self._file.codes(group) if len(rows) else ():
                here = slice(*np.searchsorted(rows, [start, start + codes.shape[1]]))
                whole[:, here] = codes[:, rows[here] - start]
            if (whole == UNKNOWN).any():
                row, column = np.argwhere(whole.T == UNKNOWN)[0].tolist()
                raise self._file.bad_cell(group[column], int(rows[row]))
            block = np.full((len(group), len(selection.variants)), MISSING, np.int8)
            chosen = whole[:, source]
            block[:, present] = np.where(swapped & (chosen != MISSING), 2 - chosen, chosen)
            yield GenotypeBlock(samples[at : at + step], Genotypes(block))
        self._file.coding.check()
        self.notes |= self._file.coding.notes()
