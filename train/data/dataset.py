"""The training table: genotypes, phenotype, folds and families of the same samples."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.errors import BadGenotype, DuplicateSample
from snpredict.genotypes.detect import open_wide
from snpredict.genotypes.tables.wide import WideTable
from train.data.columns import snp_columns
from train.data.covariates import Covariates, read_covariates
from train.data.phenotypes import (
    PhenotypeFile,
    differences,
    matching_lines,
    numbers,
    require_binary,
    stand_in,
)
from train.data.repeats import Lines, repeated_ids
from train.errors import (
    ConstantPhenotype,
    TrainingTableError,
)


@dataclass(frozen=True)
class Dataset:
    """Samples that have a phenotype, in the order of their file.

    Attributes
    ----------
    codes : ndarray (samples, SNPs) of int8
    snps : list of str
    samples : list of str
    phenotype : ndarray (samples,) of float64, trait units
    fold_labels, families : list of str or None
        The texts of these columns, where the table has them.
    source : str
        The table's file name, without its folder.
    sha256 : str
        Digest of the table's bytes.
    dropped : int
        Samples left out because their phenotype is missing.
    """

    codes: np.ndarray
    snps: list[str]
    samples: list[str]
    phenotype: np.ndarray
    fold_labels: list[str] | None
    families: list[str] | None
    source: str
    sha256: str
    dropped: int

    @property
    def digest(self) -> str:
        """SHA-256 over all that a figure can depend on: codes, phenotype, names and labels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.codes).tobytes())
        digest.update(self.phenotype.tobytes())
        labels = [self.snps, self.samples, self.fold_labels, self.families]
        digest.update(json.dumps(labels).encode())
        return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class TraitTable:
    """Samples with several traits, not all of which need be measured in every sample.

    Attributes
    ----------
    traits : list of str
    values : ndarray (samples, traits) of float64, trait units; NaN where not measured
    taken : str
        Which columns were taken for SNPs and which not.
    notes : tuple of str
        What a person should know about how the files were read.
    covariates : Covariates or None

    The others are those of `Dataset`; ``dropped`` counts samples without any of the traits.
    """

    codes: np.ndarray
    snps: list[str]
    samples: list[str]
    traits: list[str]
    values: np.ndarray
    fold_labels: list[str] | None
    families: list[str] | None
    source: str
    sha256: str
    dropped: int
    taken: str = ""
    notes: tuple[str, ...] = ()
    covariates: Covariates | None = None

    def measured(self, trait: str) -> np.ndarray:
        """Rows that have the trait, ascending int64."""
        return np.flatnonzero(np.isfinite(self.values[:, self.traits.index(trait)]))

    def dataset(self, trait: str) -> Dataset:
        """The samples that have one trait, with that trait alone."""
        rows = self.measured(trait)

        def of_rows(texts: list[str] | None) -> list[str] | None:
            return None if texts is None else [texts[row] for row in rows]

        every = len(rows) == len(self.codes)
        return Dataset(
            codes=self.codes if every else self.codes[rows],
            snps=self.snps,
            samples=[self.samples[row] for row in rows],
            phenotype=self.values[rows, self.traits.index(trait)],
            fold_labels=of_rows(self.fold_labels),
            families=of_rows(self.families),
            source=self.source,
            sha256=self.sha256,
            dropped=self.dropped + len(self.codes) - len(rows),
        )


def read_table(
    path: Path,
    *,
    trait: str,
    id_column: str | None = None,
    fold_column: str | None = None,
    family_column: str | None = None,
    ignore: tuple[str, ...] = (),
    snps_from: str | None = None,
    repeats: str | None = None,
    coding: str | None = None,
    phenotypes: PhenotypeFile | None = None,
) -> Dataset:
    """Read a training table with one trait; see `read_traits`."""
    return read_traits(
        path,
        traits=[trait],
        id_column=id_column,
        fold_column=fold_column,
        family_column=family_column,
        ignore=ignore,
        snps_from=snps_from,
        repeats=repeats,
        coding=coding,
        phenotypes=phenotypes,
    ).dataset(trait)


def read_traits(
    path: Path,
    *,
    traits: Sequence[str],
    covariates: Sequence[str] = (),
    binary: Collection[str] = (),
    id_column: str | None = None,
    fold_column: str | None = None,
    family_column: str | None = None,
    ignore: tuple[str, ...] = (),
    snps_from: str | None = None,
    repeats: str | None = None,
    coding: str | None = None,
    phenotypes: PhenotypeFile | None = None,
) -> TraitTable:
    """Read a training table; `train.data.columns` tells its SNPs from its other columns.

    Parameters
    ----------
    path : Path
        Wide table or PLINK .raw, see `snpredict.genotypes.detect.open_wide`.
    traits : sequence of str
        Columns of the phenotypes. A sample that has none of them is left out.
    covariates : sequence of str
        Further columns that may be looked at, see `train.data.covariates`.
    binary : collection of str
        Traits whose values are 0 and 1.
    fold_column, family_column : str, optional
        Read when the table has them; asked for by the caller when a fold scheme needs them.
    ignore : tuple of str
        Further columns that are not SNPs.
    snps_from : str, optional
        The first SNP; without it columns that look unlike the others stop the reading.
    repeats : {"mean"}, optional
        What is done where a sample has several rows: see `train.data.repeats`. Without it they are
        refused.
    coding : str, optional
        One of `snpredict.choices.CODINGS`. Without it a table that looks like −1, 0, 1 is
        refused.
    phenotypes : PhenotypeFile, optional
        Joined by sample id; both sides must hold the same samples. A column that is in both comes
        from this file, because it was named for the purpose, and a note says how many samples
        differ. Its columns are never SNPs of the table.

    Raises
    ------
    PhenotypeFileError
        Samples are on one side only.
    TrainingTableError
        A trait's column, an ignored one or `snps_from` is not there, no SNP column is left, or
        rows of one line contradict each other.
    UncertainColumns
        Columns look unlike the SNPs.
    NonNumericPhenotype, ConstantPhenotype
        A trait cannot be learned from.
    SnpredictError
        Whatever the table reader finds.
    """
    table = open_wide(path, id_column=id_column, coding=coding)
    elsewhere = phenotypes.columns if phenotypes is not None else {}
    others = [c for c in (fold_column, family_column) if c is not None]
    wanted = list(dict.fromkeys([*traits, *covariates, *others]))
    _require_columns(path, table, (*wanted, *ignore), traits, phenotypes)
    chosen = snp_columns(
        path,
        table.header,
        named={*wanted, table.id_column, *ignore, *table.no_snps},
        elsewhere=[] if phenotypes is None else [phenotypes.id_column, *elsewhere],
        snps_from=snps_from,
    )
    columns: dict[str, list[str]] = {name: [] for name in wanted if name in table.header}
    lines, codes = _read_rows(path, table, chosen.snps, columns, repeats=bool(repeats))
    codes, differing = lines.codes(codes)
    sources, notes = _sources(lines, columns, wanted, phenotypes)
    notes = [lines.note(differing), *notes]
    if repeats and not any(notes[:2]):
        notes.append("no sample has several rows: nothing was averaged")
    if table.coding == "-101":
        notes.append("-1, 0, 1 read as 0, 1, 2 (--coding -101)")
    notes += [f"{count:,} {what}" for what, count in table.notes.items()]

    values = np.empty((len(lines.ids), len(traits)))
    for index, trait in enumerate(traits):
        values[:, index], note = sources[trait].trait(trait, binary=trait in binary)
        notes.append(note)
    kept = np.flatnonzero(np.isfinite(values).any(axis=1))

    def kept_texts(name: str | None) -> list[str] | None:
        if name is None:
            return None
        labels = sources[name].labels(name)
        return [labels[line] for line in kept]

    return TraitTable(
        codes=codes if len(kept) == len(codes) else codes[kept],
        snps=chosen.snps,
        samples=[lines.ids[line] for line in kept],
        traits=list(traits),
        values=values[kept],
        fold_labels=kept_texts(fold_column),
        families=kept_texts(family_column),
        source=path.name,
        sha256=file_sha256(path),
        dropped=len(codes) - len(kept),
        taken=str(chosen),
        notes=tuple(filter(None, notes)),
        covariates=read_covariates(
            {name: sources[name].labels(name) for name in covariates}, lines.ids, kept
        ),
    )


def _require_columns(
    path: Path,
    table: WideTable,
    wanted: Sequence[str],
    traits: Sequence[str],
    phenotypes: PhenotypeFile | None,
) -> None:
    """Refuse a column that is in neither file, and ids as a trait."""
    elsewhere = phenotypes.columns if phenotypes is not None else {}
    for name in wanted:
        if name not in table.header and name not in elsewhere:
            leading = ", ".join(repr(n) for n in table.header[:6])
            also = f", {phenotypes.path} has none either" if phenotypes is not None else ""
            raise TrainingTableError(
                f"{path} has no column '{name}'; it begins with {leading}{also}",
                hint="Name the columns with --trait, --fold-column and --family-column",
            )
    if table.id_column in traits:
        raise TrainingTableError(
            f"{path}: column '{table.id_column}' holds the sample ids and cannot be the trait",
            "name the phenotype with --trait, or the ids' column with --id-column",
        )


def _read_rows(
    path: Path,
    table: WideTable,
    snps: list[str],
    columns: dict[str, list[str]],
    *,
    repeats: bool,
) -> tuple[Lines, np.ndarray]:
    """Lines and codes (rows, SNPs) of the table; fills the columns with a text per row."""
    samples: list[str] = []
    blocks = []
    try:
        for block in table.blocks(snps, columns=list(columns), repeats=repeats):
            samples += block.samples
            blocks.append(block.codes)
            for name, texts in columns.items():
                texts += block.columns[name]
    except BadGenotype as error:
        hint = "if this column is not a SNP, leave it out with --ignore NAME"
        if table.coding == "-101" or table.alleles:
            hint = f"{error.hint}; {hint}"
        raise BadGenotype(error.message, hint) from None
    except DuplicateSample as error:
        raise repeated_ids(error) from None
    return Lines.of(path, samples), np.concatenate(blocks)


def _sources(
    lines: Lines,
    columns: dict[str, list[str]],
    wanted: Sequence[str],
    phenotypes: PhenotypeFile | None,
) -> tuple[dict[str, "_Source"], list[str]]:
    """Where each column comes from, the phenotype file first, and notes on it."""
    sources = {name: _Source(lines, texts) for name, texts in columns.items()}
    if phenotypes is None:
        return sources, []
    notes = [phenotypes.lines.note()]
    order = matching_lines(lines.path, lines.ids, phenotypes)
    for name in wanted:
        if name in phenotypes.columns:
            if name in columns:
                notes += _in_both(name, lines, columns[name], phenotypes, order)
            sources[name] = _Source(phenotypes.lines, phenotypes.columns[name], order)
    return sources, notes


@dataclass(frozen=True)
class _Source:
    """A column's texts, one per row of its file, to be read in the order of the training table.

    Attributes
    ----------
    order : list of int or None
        Places of the training table's lines among those of this file; None where they are its own.
    """

    lines: Lines
    texts: list[str]
    order: list[int] | None = None

    def numbers(self, trait: str) -> np.ndarray:
        """The trait in each row of the file; (rows,) float64, NaN where missing."""
        return numbers(self.lines.path, trait, self.lines.samples, self.texts)

    def trait(self, trait: str, *, binary: bool) -> tuple[np.ndarray, str]:
        """The trait of each line, (lines,) float64, NaN where missing, and a note on it.

        Raises
        ------
        NonNumericPhenotype, ConstantPhenotype
            It cannot be learned from.
        """
        found = self.numbers(trait)
        if binary:
            require_binary(self.lines.path, trait, self.lines.samples, found)
        values = self.mean(found)
        if binary:
            require_binary(self.lines.path, trait, self.lines.ids, self.lines.mean(found))
        measured = values[np.isfinite(values)]
        if len(measured) < 2 or np.ptp(measured) == 0:
            what = f"the value {measured[0]:g} everywhere" if len(measured) else "no value"
            raise ConstantPhenotype(
                f"{self.lines.path}: trait '{trait}' has {what} in {len(measured)} "
                "samples; expected values that differ",
                hint="Name the phenotype's column with --trait",
            )
        return values, "" if binary else stand_in(trait, found)

    def mean(self, found: np.ndarray) -> np.ndarray:
        """`numbers` of each line, the mean of its rows; (lines,) float64, NaN where missing."""
        values = self.lines.mean(found)
        return values if self.order is None else values[self.order]

    def labels(self, column: str) -> list[str]:
        """What each line's rows say."""
        labels = self.lines.label(column, self.texts)
        return labels if self.order is None else [labels[line] for line in self.order]


def _in_both(
    name: str, lines: Lines, texts: list[str], phenotypes: PhenotypeFile, order: list[int]
) -> list[str]:
    """A note on a column that table and phenotype file both have."""
    if len(lines.repeated) or len(phenotypes.lines.repeated):
        return [f"column '{name}' is in both files: taken from {phenotypes.path.name}"]
    in_file = [phenotypes.columns[name][row] for row in order]
    return differences(lines.path, phenotypes, name, lines.ids, texts, in_file)


def same_rows(data: Dataset, other: Dataset) -> None:
    """Check that a second table holds the same samples in the same order with the same trait.

    Raises
    ------
    TrainingTableError
        They differ; the first difference is named.
    """
    if len(data.samples) != len(other.samples):
        raise TrainingTableError(
            f"{other.source} has {len(other.samples)} samples, {data.source} has "
            f"{len(data.samples)}; a comparison needs the same rows"
        )
    for row, (one, two) in enumerate(zip(data.samples, other.samples, strict=True)):
        if one != two or data.phenotype[row] != other.phenotype[row]:
            raise TrainingTableError(
                f"sample {row + 1} is '{one}' ({data.phenotype[row]:g}) in {data.source} but "
                f"'{two}' ({other.phenotype[row]:g}) in {other.source}; "
                "a comparison needs the same rows"
            )
