"""Genotypes to train on, from every format that is predicted, with what the file says of its SNPs.

A table with samples in rows and a PLINK .raw may hold phenotypes, folds and families beside the
SNPs, and `train.data.columns` tells the two apart. All other formats hold genotypes alone, and
alleles, chromosomes and positions with them. What comes of both is a `TrainingGenotypes`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from snpredict.errors import BadGenotype, DuplicateSample, NoSampleColumn
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import (
    SPLIT_NOTE,
    GenotypeBlock,
    GenotypeReader,
    ReadOptions,
    Selection,
)
from snpredict.genotypes.tables.wide import WideTable
from snpredict.genotypes.variants import Wanted
from snpredict.names import quoted
from train.data.columns import snp_columns
from train.data.repeats import Lines, repeated_ids
from train.data.sites import info_of, names_of, with_two_alleles
from train.data.snpinfo import SnpInfo, info_from_names, with_alleles
from train.errors import TrainingTableError

#: What is done with a site of several alternative alleles; the first is the default.
MULTIALLELIC = ("skip", "split")

_SKIP_NOTE = "sites of several alternative alleles, left out (--multiallelic split keeps them)"
_SINGLE_NOTE = "sites without a second allele that can be counted (., *, <DEL>), left out"


@dataclass(frozen=True, kw_only=True)
class HowRead:
    """What a person says about the files of a training set.

    Attributes
    ----------
    covariates : tuple of str
        Further columns that may be looked at, see `train.data.covariates`.
    binary : tuple of str
        Traits of two classes.
    case : str or None
        Which value of such a trait is the case; found by its spelling when left out.
    find_classes : bool
        Whether other traits of two classes are found, too.
    id_column, snps_in, coding : str or None
        See `snpredict.genotypes.reader.ReadOptions`.
    fold_column, family_column : str or None
        Read where there is such a column.
    ignore : tuple of str
        Further columns that are not SNPs.
    snps_from : str or None
        The first SNP of a table; without it columns that look unlike the others stop the reading.
    repeats : {"mean"} or None
        What is done where a sample has several rows: see `train.data.repeats`. None refuses them.
    multiallelic : {"skip", "split"}
        Whether a site of several alternative alleles is left out, or becomes a SNP per allele.
    """

    covariates: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    case: str | None = None
    find_classes: bool = False
    id_column: str | None = None
    fold_column: str | None = "fold"
    family_column: str | None = "family"
    ignore: tuple[str, ...] = ()
    snps_from: str | None = None
    snps_in: str | None = None
    repeats: str | None = None
    coding: str | None = None
    multiallelic: str = MULTIALLELIC[0]


@dataclass(frozen=True)
class TrainingGenotypes:
    """Genotypes of a training file, before phenotypes are joined.

    Attributes
    ----------
    lines : Lines
        Which rows are which line.
    genotypes : Genotypes
    snps : list of str
    info : SnpInfo
        What the file says of them.
    columns : dict of str to list of str
        The further columns that were asked for and are there, a text per row.
    left_out : list of str
        Lines of the file that were not asked for.
    taken : str
        What was taken for SNPs.
    notes : list of str
        What a person should know about how the file was read.
    """

    lines: Lines
    genotypes: Genotypes
    snps: list[str]
    info: SnpInfo
    columns: dict[str, list[str]]
    left_out: list[str]
    taken: str
    notes: list[str]


def open_training_file(
    path: Path, how: HowRead, ids_elsewhere: str | None = None
) -> GenotypeReader:
    """Reader for a training file of any format.

    Parameters
    ----------
    ids_elsewhere : str, optional
        The phenotype table's column of ids. A table that lacks it has its own.

    Raises
    ------
    SnpredictError
        As `snpredict.genotypes.detect.open_genotypes`.
    NoSampleColumn
        Neither file has the column of ids that was named.
    """
    options = ReadOptions(id_column=how.id_column, snps_in=how.snps_in, coding=how.coding)
    try:
        reader = open_genotypes(path, options=options)
    except NoSampleColumn:
        if how.id_column is None or how.id_column != ids_elsewhere:
            raise
        return open_genotypes(path, options=replace(options, id_column=None))
    if how.id_column not in (None, reader.id_column, ids_elsewhere):
        raise NoSampleColumn(
            f"no file has a column {how.id_column!r}; the samples of {path} are named in the file",
            "--id-column names the column of the phenotype table that holds the ids",
        )
    return reader


def columns_of(reader: GenotypeReader) -> list[str]:
    """The columns of a table with samples in rows; none of a file that holds genotypes alone."""
    return reader.header if isinstance(reader, WideTable) else []


def read_genotypes(
    reader: GenotypeReader,
    how: HowRead,
    *,
    columns: Sequence[str],
    elsewhere: Sequence[str],
    only: Collection[str] | None,
    count: Callable[[int], None],
) -> TrainingGenotypes:
    """Read a training file.

    Parameters
    ----------
    reader : GenotypeReader
        Of `open_training_file`.
    columns : sequence of str
        Columns that an option names; those that are there are handed back as text.
    elsewhere : sequence of str
        Columns of the phenotype table; never SNPs.
    only : collection of str or None
        The samples to read, None for all.
    count : callable
        Told of every block how many samples it held.

    Raises
    ------
    TrainingTableError
        No SNP is left, two have one name, or one has neither a name nor a place; or rows of one
        line contradict each other.
    UncertainColumns
        Columns look unlike the SNPs.
    SnpredictError
        Whatever the reader finds.
    """
    if isinstance(reader, WideTable):
        return _of_table(reader, how, columns, elsewhere, only, count)
    return _of_variants(reader, how, columns, elsewhere, only, count)


def _of_table(
    table: WideTable,
    how: HowRead,
    columns: Sequence[str],
    elsewhere: Sequence[str],
    only: Collection[str] | None,
    count: Callable[[int], None],
) -> TrainingGenotypes:
    path = table.path
    chosen = snp_columns(
        path,
        table.header,
        named={*columns, table.id_column, *how.ignore, *table.no_snps},
        elsewhere=elsewhere,
        snps_from=how.snps_from,
    )
    names = [name for name in columns if name in table.header]
    try:
        blocks = table.blocks(chosen.snps, columns=names, repeats=bool(how.repeats))
        rows = _Rows.read(blocks, names, only, count)
    except BadGenotype as error:
        hint = "if this column is not a SNP, leave it out with --ignore NAME"
        if table.coding == "-101" or table.alleles:
            hint = f"{error.hint}; {hint}"
        raise BadGenotype(error.message, hint) from None
    except DuplicateSample as error:
        raise repeated_ids(error) from None
    lines = Lines.of(path, rows.samples)
    # A table of genotypes has codes alone.
    codes, differing = lines.codes(rows.genotypes.nearest())
    averaged = lines.note(differing)
    notes = [averaged] if averaged else []
    if table.coding == "-101":
        notes.append("-1, 0, 1 read as 0, 1, 2 (--coding -101)")
    notes += _told(table.notes)
    info = with_alleles(info_from_names(chosen.snps), chosen.snps, table.alleles, path)
    return TrainingGenotypes(
        lines=lines,
        genotypes=Genotypes(codes),
        snps=chosen.snps,
        info=info,
        columns=rows.columns,
        left_out=rows.left_out,
        taken=str(chosen),
        notes=notes,
    )


def _of_variants(
    reader: GenotypeReader,
    how: HowRead,
    columns: Sequence[str],
    elsewhere: Sequence[str],
    only: Collection[str] | None,
    count: Callable[[int], None],
) -> TrainingGenotypes:
    chosen = chosen_variants(reader, how, columns, elsewhere)
    places = chosen.places
    blocks = reader.genotypes(Selection(places, np.zeros(len(places), bool)))
    rows = _Rows.read(blocks, [], only, count)
    notes = chosen.notes()
    fractions = rows.genotypes.fractions
    if fractions is not None:
        notes["dosages between two genotypes, kept as they are"] = np.count_nonzero(fractions)
    return TrainingGenotypes(
        lines=Lines.of(reader.path, rows.samples),
        genotypes=rows.genotypes,
        snps=chosen.snps,
        info=chosen.info,
        columns={},
        left_out=rows.left_out,
        taken=chosen.taken,
        notes=_told(notes),
    )


@dataclass(frozen=True)
class ChosenVariants:
    """The variants of a file that are taken for SNPs.

    Attributes
    ----------
    reader : GenotypeReader
        Whose `variants` has run.
    places : ndarray (SNPs,) of int64
        Among its candidates, ascending.
    snps : list of str
    info : SnpInfo
    taken : str
        What was taken, in words.
    left_out : dict of str to int
        What was not, and how many.
    """

    reader: GenotypeReader
    places: np.ndarray
    snps: list[str]
    info: SnpInfo
    taken: str
    left_out: dict[str, int]

    def notes(self) -> dict[str, int]:
        """What the reader noted so far, and what was left out."""
        skipped = _SKIP_NOTE in self.left_out
        found = {
            note: n for note, n in self.reader.notes.items() if note != SPLIT_NOTE or not skipped
        }
        return {**found, **self.left_out}


def chosen_variants(
    reader: GenotypeReader, how: HowRead, columns: Sequence[str], elsewhere: Sequence[str]
) -> ChosenVariants:
    """Look up the variants of a file that holds genotypes alone, and take the SNPs among them.

    Raises
    ------
    TrainingTableError, UncertainColumns, SnpredictError
        As `read_genotypes`.
    """
    path = reader.path
    variants = list(reader.variants(Wanted.everything()).candidates)
    places, n_sites, said = np.arange(len(variants)), 0, ""
    if reader.id_column:
        # Parquet with samples in rows: columns, of which some may be no SNPs.
        names = [variant.id or "" for variant in variants]
        if unknown := [name for name in how.ignore if name not in names]:
            raise TrainingTableError(
                f"{path} has no column {quoted(unknown)}; it begins with {quoted(names)}",
                "name the columns that are not SNPs with --ignore",
            )
        never = {*columns, *how.ignore}
        chosen = snp_columns(path, names, named=never, elsewhere=elsewhere, snps_from=how.snps_from)
        places, said = np.flatnonzero(np.isin(names, chosen.snps)), str(chosen)
    elif how.multiallelic == "skip":
        places, n_sites = with_two_alleles(variants)
    # A <DEL>, a * or a "." beside the reference allele: nothing to count.
    single = [v.counted is None and v.other is not None for v in variants]
    n_kept = len(places)
    places = places[~np.array(single, bool)[places]]
    n_single = n_kept - len(places)
    variants = [variants[place] for place in places.tolist()]
    snps = names_of(path, variants)
    left_out = {note: n for note, n in ((_SKIP_NOTE, n_sites), (_SINGLE_NOTE, n_single)) if n}
    taken = said or f"SNPs: {len(snps)} variants, {snps[0]} to {snps[-1]}"
    return ChosenVariants(reader, places, snps, info_of(snps, variants), taken, left_out)


def _told(notes: dict[str, int]) -> list[str]:
    return [f"{count:,} {what}" for what, count in notes.items()]


@dataclass(frozen=True)
class _Rows:
    """The rows of a file that were asked for, in file order."""

    samples: list[str]
    genotypes: Genotypes
    columns: dict[str, list[str]]
    left_out: list[str]

    @staticmethod
    def read(
        blocks: Iterable[GenotypeBlock],
        names: Sequence[str],
        only: Collection[str] | None,
        count: Callable[[int], None],
    ) -> "_Rows":
        samples: list[str] = []
        parts: list[Genotypes] = []
        columns: dict[str, list[str]] = {name: [] for name in names}
        left_out: dict[str, None] = {}
        for block in blocks:
            count(len(block.samples))
            rows = [at for at, s in enumerate(block.samples) if only is None or s in only]
            every = len(rows) == len(block.samples)
            if not every:
                left_out |= dict.fromkeys(s for s in block.samples if s not in (only or ()))
            samples += [block.samples[row] for row in rows]
            parts.append(block.genotypes if every else block.genotypes.rows(np.array(rows, int)))
            for name, texts in columns.items():
                texts += [block.columns[name][row] for row in rows]
        return _Rows(samples, _stacked(parts), columns, list(left_out))


def _stacked(parts: list[Genotypes]) -> Genotypes:
    """Blocks below each other; each is let go when it has been copied, so that memory is once."""
    shape = sum(map(len, parts)), parts[0].n_snps
    codes = np.empty(shape, np.int8)
    # Dosages that are all whole numbers are codes.
    known = any(part.have_dosages().any() for part in parts)
    fractions = np.zeros(shape, np.float32) if known else None
    end = shape[0]
    while parts:
        part = parts.pop()
        rows = slice(end - len(part), end)
        codes[rows] = part.codes
        if fractions is not None and part.fractions is not None:
            fractions[rows] = part.fractions
        end = rows.start
    return Genotypes(codes, fractions)
