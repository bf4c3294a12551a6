"""A training set read from its files: genotypes of any format, joined with their phenotypes."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.errors import UsageError
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeReader
from snpredict.matching.matched_file import Watch
from snpredict.names import quoted
from train.data.classes import Classes
from train.data.covariates import read_covariates
from train.data.dataset import TraitTable, file_sha256
from train.data.genotypes import (
    HowRead,
    TrainingGenotypes,
    columns_of,
    open_training_file,
    read_genotypes,
)
from train.data.phenotypes import (
    PhenotypeFile,
    differences,
    joined,
    numbers,
    require_binary,
    stand_in,
)
from train.data.repeats import Lines
from train.data.snpinfo import SnpInfo
from train.errors import ConstantPhenotype, NonNumericPhenotype, TrainingTableError


def _nobody(reader: GenotypeReader) -> AbstractContextManager[Callable[[int], None]]:
    """Shows no progress."""
    return nullcontext(lambda samples: None)


def read_traits(
    path: Path,
    *,
    traits: Sequence[str],
    how: HowRead | None = None,
    phenotypes: PhenotypeFile | None = None,
    needs: Collection[str] = (),
    takes_folds: bool = True,
    watch: Watch = _nobody,
) -> TraitTable:
    """Read a training set.

    Parameters
    ----------
    path : Path
        Genotypes in any format that `snpredict.genotypes.detect.open_genotypes` reads.
    traits : sequence of str
        Columns of the phenotypes. A sample that has none of them is left out.
    how : HowRead, optional
    phenotypes : PhenotypeFile, optional
        Joined by sample id. Samples of one side only are left out, and a note lists them. A column
        that is in both files comes from this one, because it was named for the purpose, and a note
        says how many samples differ. Its columns are never SNPs.
    needs : collection of str
        Of ``"folds"`` and ``"families"``: columns that must be there.
    takes_folds : bool
        Whether folds are taken from the column. A fold dealt to each row says nothing about a line
        of several rows, so that it is not read then.
    watch : Watch
        Shows progress.

    Raises
    ------
    PhenotypeFileError
        The two files have no sample in common.
    TrainingTableError
        A trait's column, an ignored one or the first SNP is not there, no SNP is left, or
        rows of one line contradict each other.
    UncertainColumns
        Columns look unlike the SNPs.
    NonNumericPhenotype, ConstantPhenotype
        A trait cannot be learned from.
    SnpredictError
        Whatever the reader of the genotypes finds.
    """
    reader, how = _opened(path, how, phenotypes)
    return _read(reader, how, phenotypes, traits, needs, takes_folds, watch)


def read_lines(
    reader: GenotypeReader,
    samples: Sequence[str],
    *,
    traits: Sequence[str],
    how: HowRead,
    phenotypes: PhenotypeFile | None,
) -> TraitTable:
    """As `read_traits`, without genotypes: the lines of a file that holds nothing else.

    Parameters
    ----------
    reader : GenotypeReader
        Of no table with samples in rows.
    samples : sequence of str
        Its samples.
    """
    _require_known(reader, how, {*_elsewhere(phenotypes)}, (), traits, phenotypes)
    only = None if phenotypes is None else frozenset(phenotypes.lines.ids)
    both = [sample for sample in samples if only is None or sample in only]
    nothing = TrainingGenotypes(
        lines=Lines.of(reader.path, both),
        genotypes=Genotypes(np.empty((len(both), 0), np.int8)),
        snps=[],
        info=SnpInfo([], [], [], []),
        columns={},
        left_out=[sample for sample in samples if only is not None and sample not in only],
        taken="",
        notes=[],
    )
    return _joined(reader.files, nothing, phenotypes, traits, how, None, None)


def _opened(
    path: Path, how: HowRead | None, phenotypes: PhenotypeFile | None
) -> tuple[GenotypeReader, HowRead]:
    how = how or HowRead()
    ids_elsewhere = None if phenotypes is None else phenotypes.id_column
    return open_training_file(path, how, ids_elsewhere), how


def _elsewhere(phenotypes: PhenotypeFile | None) -> dict[str, list[str]]:
    return {} if phenotypes is None else phenotypes.columns


def _read(
    reader: GenotypeReader,
    how: HowRead,
    phenotypes: PhenotypeFile | None,
    traits: Sequence[str],
    needs: Collection[str],
    takes_folds: bool,
    watch: Watch,
) -> TraitTable:
    header = columns_of(reader)
    elsewhere = _elsewhere(phenotypes)
    known = {*header, *elsewhere}
    _require_known(reader, how, known, needs, traits, phenotypes)
    fold = how.fold_column if how.fold_column in known else None
    family = how.family_column if how.family_column in known else None
    named = [*traits, *how.covariates, *filter(None, (fold, family))]
    with watch(reader) as count:
        genotypes = read_genotypes(
            reader,
            how,
            columns=list(dict.fromkeys(named)),
            elsewhere=[] if phenotypes is None else [phenotypes.id_column, *elsewhere],
            only=None if phenotypes is None else frozenset(phenotypes.lines.ids),
            count=count,
        )
    if how.repeats is not None and not takes_folds:
        fold = None
    return _joined(reader.files, genotypes, phenotypes, traits, how, fold, family)


def _joined(
    files: Sequence[Path],
    genotypes: TrainingGenotypes,
    phenotypes: PhenotypeFile | None,
    traits: Sequence[str],
    how: HowRead,
    fold: str | None,
    family: str | None,
) -> TraitTable:
    """Genotypes with what the columns say of their lines, those that have a trait."""
    lines = genotypes.lines
    wanted = [*traits, *how.covariates, *filter(None, (fold, family))]
    sources, told = _sources(genotypes, wanted, phenotypes)
    notes = [*genotypes.notes, *told]
    both = [lines] if phenotypes is None else [lines, phenotypes.lines]
    if how.repeats and not any(len(each.repeated) for each in both):
        notes.append("no sample has several rows: nothing was averaged")
    values = np.empty((len(lines.ids), len(traits)))
    for index, trait in enumerate(traits):
        binary = trait in how.binary
        values[:, index], note = sources[trait].trait(trait, how, binary=binary)
        notes.append(note)
    kept = np.flatnonzero(np.isfinite(values).any(axis=1))

    def kept_texts(name: str | None) -> list[str] | None:
        if name is None:
            return None
        labels = sources[name].labels(name)
        return [labels[line] for line in kept]

    every = len(kept) == len(lines.ids)
    return TraitTable(
        genotypes=genotypes.genotypes if every else genotypes.genotypes.rows(kept),
        snps=genotypes.snps,
        samples=[lines.ids[line] for line in kept],
        traits=list(traits),
        values=values[kept],
        fold_labels=kept_texts(fold),
        families=kept_texts(family),
        source=files[0].name,
        sha256=file_sha256(*files),
        dropped=len(lines.ids) - len(kept),
        info=genotypes.info,
        taken=genotypes.taken,
        notes=tuple(filter(None, notes)),
        covariates=read_covariates(
            {name: sources[name].labels(name) for name in how.covariates}, kept
        ),
    )


def _require_known(
    reader: GenotypeReader,
    how: HowRead,
    known: Collection[str],
    needs: Collection[str],
    traits: Sequence[str],
    phenotypes: PhenotypeFile | None,
) -> None:
    """Refuse what is in neither file, ids as a trait, and columns of a file that has none."""
    path, header = reader.path, columns_of(reader)
    if not header and phenotypes is None:
        raise TrainingTableError(
            f"{path} ({reader.format}) holds genotypes and no phenotypes; expected a table of "
            f"them for {', '.join(map(repr, traits))}",
            "name a table of sample ids and traits with --phenotypes TABLE",
        )
    if not header and not reader.id_column and (how.ignore or how.snps_from):
        raise UsageError(
            f"--ignore and --snps-from tell the columns of a table apart; {path} is "
            f"{reader.format} and has none",
            "leave them out",
        )
    if "folds" in needs and how.fold_column not in known:
        raise TrainingTableError(
            f"{path} has no column '{how.fold_column}' to take the folds from",
            "deal them with --folds random, or name the column with --fold-column",
        )
    if "families" in needs and how.family_column not in known:
        raise TrainingTableError(
            f"{path} has no column '{how.family_column}', which --folds family needs",
            "name the column with --family-column",
        )
    for name in (*traits, *how.covariates, *(how.ignore if header else ())):
        if name not in known:
            raise _no_column(path, name, header, phenotypes)
    if reader.id_column and reader.id_column in traits:
        raise TrainingTableError(
            f"{path}: column '{reader.id_column}' holds the sample ids and cannot be the trait",
            "name the phenotype with --trait, or the ids' column with --id-column",
        )


def _no_column(
    path: Path, name: str, header: Sequence[str], phenotypes: PhenotypeFile | None
) -> TrainingTableError:
    hint = "name the columns with --trait, --fold-column and --family-column"
    if not header and phenotypes is not None:
        found = ", ".join(map(repr, list(phenotypes.columns)[:6]))
        return TrainingTableError(f"{phenotypes.path} has no column '{name}'; found {found}", hint)
    leading = ", ".join(repr(n) for n in header[:6])
    also = f", {phenotypes.path} has none either" if phenotypes is not None else ""
    return TrainingTableError(
        f"{path} has no column '{name}'; it begins with {leading}{also}", hint
    )


def _sources(
    genotypes: TrainingGenotypes, wanted: Sequence[str], phenotypes: PhenotypeFile | None
) -> tuple[dict[str, "_Source"], list[str]]:
    """Where each column comes from, the phenotype file first, and notes on it."""
    lines, columns = genotypes.lines, genotypes.columns
    sources = {name: _Source(lines, texts) for name, texts in columns.items()}
    if phenotypes is None:
        return sources, []
    order, left = joined(lines.path, lines.ids, genotypes.left_out, phenotypes)
    notes = [phenotypes.lines.note(), left]
    for name in dict.fromkeys(wanted):
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

    def trait(self, trait: str, how: HowRead, *, binary: bool) -> tuple[np.ndarray, str]:
        """The trait of each line, (lines,) float64, NaN where missing, and a note on it.

        Of two classes, as `train.data.classes` knows them, the case is 1.

        Raises
        ------
        NonNumericPhenotype, ConstantPhenotype
            It cannot be learned from.
        """
        classes = Classes.of(self.texts, how.case) if binary or how.find_classes else None
        if classes is None and how.case is not None:
            held = quoted(list(dict.fromkeys(self.texts)), 4)
            raise NonNumericPhenotype(
                f"{self.lines.path}: trait '{trait}' holds {held}; expected two values, one of "
                f"them {how.case!r}",
                "--case names the value of the cases, and all others have one other value",
            )
        if classes is not None:
            found, binary = classes.values(self.texts), True
            case, other = repr(classes.case), repr(classes.other)
            said = f"trait '{trait}': {case} is taken as the case (1), {other} as 0"
        else:
            found, said = self.numbers(trait), ""
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
        plain = classes is not None and (classes.other, classes.case) == ("0", "1")
        if binary:
            return values, "" if plain and not how.find_classes else said
        return values, stand_in(trait, found)

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
