"""What is known of variants beside their effects: columns of numbers, from several kinds of files.

Every reader gives its columns for the variants of a study, NaN where the file says nothing.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.errors import FileNotFound, MissingPackage
from snpredict.genotypes.text_columns import texts, whole_numbers
from snpredict.names import quoted
from train.deepwas.inputs.intervals import bed_columns, gene_columns, read_intervals
from train.deepwas.inputs.summary_statistics import COLUMNS, numbers_of, read_texts
from train.errors import StudyFileError

if TYPE_CHECKING:
    import pandas

#: Columns that name a variant; all further ones are annotations.
_KEYS = {
    "chromosome": COLUMNS["chromosome"],
    "position": COLUMNS["position"],
    "id": COLUMNS["id"],
    "first": ("effect_allele", "counted_allele", "a1", "alt", "allele1"),
    "second": ("other_allele", "a2", "ref", "allele2", "allele0"),
}
_NOT_ANNOTATIONS = ("cm", "maf", "l2", "base", "build")


class Annotations(NamedTuple):
    """Columns of numbers, by name.

    Attributes
    ----------
    names : list of str
    values : ndarray (variants, columns) of float32
        NaN where nothing is known.
    notes : list of str
        What a person should know about how the files were read.
    """

    names: list[str]
    values: np.ndarray
    notes: list[str]


def read_annotations(paths: Sequence[Path], snps: SnpTable) -> Annotations:
    """The columns of all files beside each other.

    Parameters
    ----------
    paths : sequence of Path
        BED, bedGraph, bigWig, GFF3, Parquet, or tables with a header: LDSC's .annot, TSV, CSV.
    snps : SnpTable
        The study's variants.

    Raises
    ------
    FileNotFound
    MissingPackage
        A bigWig without the package that reads it.
    StudyFileError
        A file has no annotation, or not one of the variants; or two columns have one name.
    """
    names: list[str] = []
    columns: list[np.ndarray] = []
    notes: list[str] = []
    for path in paths:
        if not path.is_file():
            raise FileNotFound(f"{path} does not exist or is not a file")
        found = _reader(path)(path, snps)
        known = int(np.isfinite(found.values).any(axis=1).sum())
        if not known:
            raise StudyFileError(
                f"{path} says something of none of the {len(snps):,} variants",
                "are chromosomes and positions of the same build of the genome?",
            )
        if twice := set(names) & set(found.names):
            raise StudyFileError(f"{path}: an annotation {quoted(sorted(twice))} is there already")
        names += found.names
        columns.append(found.values)
        notes += found.notes
        if known < len(snps):
            notes.append(f"{path.name} says something of {known:,} of {len(snps):,} variants")
    empty = np.empty((len(snps), 0), np.float32)
    return Annotations(names, np.concatenate(columns, axis=1) if columns else empty, notes)


def _reader(path: Path) -> Callable[[Path, SnpTable], Annotations]:
    name = path.name.casefold().removesuffix(".gz").removesuffix(".bgz")
    for endings, reader in (
        ((".bw", ".bigwig"), _big_wig),
        ((".bedgraph", ".bdg", ".bg"), _bedgraph),
        ((".bed",), _bed),
        ((".gff3", ".gff"), _gff3),
        ((".parquet",), _parquet),
    ):
        if name.endswith(endings):
            return reader
    return _table


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _bed(path: Path, snps: SnpTable) -> Annotations:
    return _of(bed_columns(read_intervals(path, "bed"), snps, _stem(path)))


def _bedgraph(path: Path, snps: SnpTable) -> Annotations:
    intervals = read_intervals(path, "bedgraph")
    return _of({_stem(path): intervals.value_at(path, snps)})


def _gff3(path: Path, snps: SnpTable) -> Annotations:
    return _of(gene_columns(path, read_intervals(path, "gff3"), snps))


def _of(columns: dict[str, np.ndarray]) -> Annotations:
    return Annotations(list(columns), np.stack(list(columns.values()), axis=1), [])


def _big_wig(path: Path, snps: SnpTable) -> Annotations:
    try:
        library = import_module("pyBigWig")
    except ImportError:
        raise MissingPackage(
            f"{path} is a bigWig, and the package that reads it is not installed",
            'pip install -e ".[train,deepwas]"',
        ) from None
    try:
        file = library.open(str(path))
    except RuntimeError:
        raise StudyFileError(f"{path} is not a bigWig, or is damaged") from None
    chromosome, position = np.array(snps.chromosome), np.array(snps.position)
    values = np.full(len(snps), np.nan, np.float32)
    key = snps.chromosome_names.key
    for name, length in file.chroms().items():
        rows = np.flatnonzero((chromosome == _same(key, name, chromosome)) & (position <= length))
        if len(rows):
            first, last = int(position[rows].min()) - 1, int(position[rows].max())
            for start in range(first, last, 10_000_000):
                stop = min(start + 10_000_000, last)
                own = rows[(position[rows] > start) & (position[rows] <= stop)]
                values[own] = file.values(name, start, stop, numpy=True)[position[own] - 1 - start]
    file.close()
    return _of({_stem(path): values})


def _same(key: Callable[[str], str], name: str, chromosomes: np.ndarray) -> str:
    """How the study spells the chromosome that a file calls `name`."""
    for own in dict.fromkeys(chromosomes.tolist()):
        if key(own) == key(name):
            return own
    return ""


def _parquet(path: Path, snps: SnpTable) -> Annotations:
    import pandas
    import pyarrow

    try:
        table = pandas.read_parquet(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise StudyFileError(f"{path} is not a Parquet file: {error}") from None
    return _joined(path, table, snps)


def _table(path: Path, snps: SnpTable) -> Annotations:
    return _joined(path, read_texts(path), snps)


def _joined(path: Path, table: "pandas.DataFrame", snps: SnpTable) -> Annotations:
    """Rows of a table by place and alleles, or by id where it has no places."""
    small = {str(name).casefold(): str(name) for name in table.columns}
    keys = {k: next((small[n] for n in names if n in small), None) for k, names in _KEYS.items()}
    taken = {name for name in keys.values() if name}
    wanted = [
        name
        for name in map(str, table.columns)
        if name not in taken and name.casefold() not in _NOT_ANNOTATIONS
    ]
    if not wanted:
        raise StudyFileError(f"{path} has no column of annotations: {quoted(list(small.values()))}")
    row = _rows(path, table, keys, snps)
    columns, notes, names = [], [], []
    known = {name for name in small.values() if name.casefold() in _NOT_ANNOTATIONS} - taken
    if known:
        notes.append(f"{path.name}: not taken for annotations: {quoted(sorted(known))}")
    for name in wanted:
        values = _numbers(path, table, name)
        if np.nanmin(values) == np.nanmax(values):
            notes.append(f"{path.name}: {name} is the same for all variants, left out")
            continue
        names.append(name)
        columns.append(np.append(values, np.nan)[row].astype(np.float32))
    if not columns:
        raise StudyFileError(f"{path}: all annotations are the same for all variants")
    return Annotations(names, np.stack(columns, axis=1), notes)


def _numbers(path: Path, table: "pandas.DataFrame", name: str) -> np.ndarray:
    from pandas.api.types import is_numeric_dtype

    if is_numeric_dtype(table[name]):
        values = table[name].to_numpy(np.float64, na_value=np.nan)
    else:
        values = numbers_of(path, table, name)
    if not np.isfinite(values).any():
        raise StudyFileError(f"{path}: column {name!r} holds no number")
    return values


def _rows(
    path: Path, table: "pandas.DataFrame", keys: dict[str, str | None], snps: SnpTable
) -> np.ndarray:
    """For each variant the row that is about it, −1 where there is none."""
    import pandas

    places = keys["chromosome"] is not None and keys["position"] is not None
    if places:
        position = pandas.to_numeric(table[keys["position"]], errors="coerce").fillna(0)
        chromosome = texts([None if c is None else str(c) for c in table[keys["chromosome"]]])
        theirs = snps.places.of(chromosome, whole_numbers(position.to_numpy(np.int64)))
        ours = snps.places.own
    elif keys["id"] is not None:
        known = {name: at for at, name in enumerate(snps.ids)}
        theirs = np.array([known.get(name, -1) for name in table[keys["id"]]], np.int64)
        ours = np.arange(len(snps))
    else:
        raise StudyFileError(
            f"{path} names its variants neither by place nor by id; "
            f"it has {quoted([str(name) for name in table.columns])}",
            "columns named chromosome and position, or id",
        )
    order = np.argsort(theirs, kind="stable")
    first = np.searchsorted(theirs[order], ours)
    last = np.searchsorted(theirs[order], ours, "right")
    row = np.where(last > first, np.append(order, -1)[np.minimum(first, len(order))], -1)
    if not (keys["first"] and keys["second"]):
        if places and keys["id"] is not None:
            ids = table[keys["id"]].tolist()
            return _checked(
                row, first, last, order, lambda at, snp: ids[at] == snps.ids[snp], lone=True
            )
        return row
    a, b = (
        [None if v is None else str(v).upper() for v in table[keys[k]]] for k in ("first", "second")
    )
    pairs = [
        {None if v is None else v.upper() for v in pair}
        for pair in zip(snps.counted_allele, snps.other_allele, strict=True)
    ]
    return _checked(row, first, last, order, lambda at, snp: {a[at], b[at]} == pairs[snp])


def _checked(
    row: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    order: np.ndarray,
    fits: Callable[[int, int], bool],
    lone: bool = False,
) -> np.ndarray:
    """Of the rows at a variant's place the one that fits; a lone one need not where `lone`."""
    row = row.copy()
    for snp in np.flatnonzero(row >= 0).tolist():
        own = order[first[snp] : last[snp]].tolist()
        if lone and len(own) == 1:
            continue
        row[snp] = next((at for at in own if fits(at, snp)), -1)
    return row
