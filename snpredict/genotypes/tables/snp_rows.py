"""Genotype tables with one row per SNP: what is known of it, then one column per sample."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snpredict.errors import NoRows, NoSampleColumn
from snpredict.genotypes.reader import GenotypeBlock, ReadOptions, Selection
from snpredict.genotypes.sample_ids import check_samples
from snpredict.genotypes.spool import Spool
from snpredict.genotypes.tables.delimited import DelimitedText
from snpredict.genotypes.tables.snp_columns import SnpColumns, in_rows
from snpredict.genotypes.tables.wide import WideTable
from snpredict.genotypes.variants import Variants, Wanted

_BAD_CELL = (
    "every column is taken for a sample from the first one on that has no usual name for "
    "annotation such as 'snp', 'chrom', 'pos', 'ref', 'alt': remove the others; allele letters and "
    "calls such as 0/1 must be converted first"
)


def open_table(path: Path, options: ReadOptions, snps: Wanted | None) -> "WideTable | SnpRows":
    """Reader for a table of either orientation.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        `snps_in` says the orientation, which is detected when left out: by columns named as
        chromosome and position or as two alleles; then by where there are more of the model's
        SNPs, in the header or in the first rows; then by the first column's name.
    snps : Wanted, optional

    Raises
    ------
    SnpredictError
        As `WideTable` and `SnpRows`.
    UsageError
        As much speaks for either orientation.
    """
    # HapMap and VCF begin like a table whose first column is "rs" or "#CHROM", which a person
    # may say it is.
    text = DelimitedText(path, _BAD_CELL, ("table", "hapmap", "vcf", "raw"), options.coding)
    columns = SnpColumns(path, text.header)
    if in_rows(path, text.header, columns, options, snps, text.first_cells):
        columns.settle(text.first_cells, snps.ids if snps else ())
        return SnpRows(path, text, columns)
    try:
        return WideTable(
            path,
            id_column=options.id_column,
            snps=snps.ids if snps else None,
            coding=options.coding,
        )
    except NoSampleColumn as error:
        hint = f"{error.hint}; where SNPs are in rows, say --snps-in rows"
        raise NoSampleColumn(error.message, hint) from None


class SnpRows:
    """A table with SNPs in rows, of which only the header has been read; see `open_table`.

    Codes count the allele that the annotation says is counted: COUNTED as PLINK's .traw has it,
    or else the effect allele, ALT beside REF, A1 beside A2.

    Parameters
    ----------
    path : Path
    text : DelimitedText
    columns : SnpColumns

    Attributes
    ----------
    path, files, format, coding, size_bytes, n_samples, id_column, notes
        See `snpredict.genotypes.reader.GenotypeReader`.

    Raises
    ------
    NoGenotypes, NoSampleColumn, DuplicateSample
        There is no sample column, or the samples' names are empty or repeated.
    """

    def __init__(self, path: Path, text: DelimitedText, columns: SnpColumns):
        self._text, self._columns = text, columns
        self.path = path
        self.files = [path]
        self.format = text.format
        self.coding = text.coding.name
        self.size_bytes = text.source.size_bytes
        self.id_column = ""
        self.notes: dict[str, int] = {}
        self._samples = [text.header[index] for index in columns.samples]
        check_samples(path, self._samples, "sample column", 1, "give every sample its own name")
        self.n_samples: int | None = len(self._samples)
        self._spool = Spool(self._samples)

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        return self._text.source.bytes_read

    def variants(self, wanted: Wanted) -> Variants:
        """Reads the file to its end; see `GenotypeReader.variants`.

        Raises
        ------
        NoRows
            There is nothing below the header.
        RaggedRow, BadVariant, BadGenotype, NotATable, TruncatedFile
            A row is wrong: number of columns, position, alleles, a genotype, quotes, bytes.
            Alleles and genotypes are those of candidates.
        """
        variants = Variants(has_alleles=self._columns.has_alleles)
        columns = _as_index(self._columns.samples)
        for rows in self._text.rows():
            texts = {index: rows.texts(index) for index in self._columns.read}
            chosen: list[int] = []
            for at, (variant, is_wanted) in enumerate(
                self._columns.variants(texts, "line", rows.lines, wanted)
            ):
                variants.see(variant)
                if is_wanted:
                    chosen.append(at)
                    variants.candidates.append(variant)
            if chosen:
                self._spool.append(
                    rows.codes(columns, slice(None) if len(chosen) == len(rows.lines) else chosen)
                )
        if not variants.total:
            raise NoRows(f"{self.path} has a header and no rows")
        self.notes |= self._columns.notes(variants)
        self.notes |= self._text.coding.notes()
        return variants

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """See `GenotypeReader.genotypes`.

        Raises
        ------
        UnclearCoding
            See `snpredict.genotypes.coding`.
        """
        self._text.coding.check()
        return self._spool.blocks(selection)


def _as_index(columns: list[int]) -> "slice | np.ndarray":
    dense = columns[-1] - columns[0] + 1 == len(columns)
    return slice(columns[0], columns[-1] + 1) if dense else np.array(columns)
