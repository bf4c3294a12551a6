"""The variants of a genotype file, and which of them a model asks for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, overload

import numpy as np
import pyarrow as pa

from snpredict.arrow import cast, is_in
from snpredict.genotypes.chromosomes import ChromosomeNames
from snpredict.genotypes.text_columns import integers, numbered, texts, whole_numbers

_COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("chromosome", pa.string()),
        ("position", pa.int64()),
        ("counted", pa.string()),
        ("other", pa.string()),
    ]
)

#: Rows that are put together before they become columns.
_ROWS = 1 << 14

#: Positions are below, so that a place is one number.
_MAX_POSITION = 1 << 38


class Variant(NamedTuple):
    """One record of a file, seen as two alleles.

    Attributes
    ----------
    id : str or None
        As the file spells it; None for ".", "" and the like.
    chromosome : str or None
        As the file spells it.
    position : int or None
        Base pairs, from 1.
    counted, other : str or None
        The allele whose copies the file's genotypes count, and the other one, in capitals. None
        for an allele that the file does not name: both in a file of bare codes, one where all
        samples have the other.
    """

    id: str | None
    chromosome: str | None
    position: int | None
    counted: str | None
    other: str | None


class VariantColumns(Sequence[Variant]):
    """Records of a file, held in columns; as a sequence it is one of `Variant`.

    Parameters
    ----------
    records : iterable of Variant
    """

    def __init__(self, records: Iterable[Variant] = ()):
        self._parts: list[pa.Table] = []
        self._rows = list(records)

    @staticmethod
    def of(records: Iterable[Variant]) -> "VariantColumns":
        """These records, which may be in columns already."""
        return records if isinstance(records, VariantColumns) else VariantColumns(records)

    @staticmethod
    def of_table(records: pa.Table) -> "VariantColumns":
        """Records in columns named as the attributes of `Variant`."""
        columns = VariantColumns()
        columns.append_table(records)
        return columns

    def append(self, record: Variant) -> None:
        """Take one more record."""
        self._rows.append(record)
        if len(self._rows) >= _ROWS:
            self._to_columns()

    def append_table(self, records: pa.Table) -> None:
        """Take more records, in columns named as the attributes of `Variant`."""
        self._to_columns()
        columns = [cast(records[of.name], of.type) for of in _COLUMNS]
        self._parts.append(pa.Table.from_arrays(columns, schema=_COLUMNS))

    @property
    def table(self) -> pa.Table:
        """All records; columns are named as the attributes of `Variant`."""
        self._to_columns()
        if len(self._parts) != 1:
            whole = pa.concat_tables(self._parts) if self._parts else _COLUMNS.empty_table()
            self._parts = [whole.combine_chunks()]
        return self._parts[0]

    def _to_columns(self) -> None:
        if self._rows:
            columns = zip(zip(*self._rows, strict=True), _COLUMNS.names, strict=True)
            arrays = [whole_numbers(c) if name == "position" else texts(c) for c, name in columns]
            self._parts.append(pa.table(arrays, schema=_COLUMNS))
            self._rows = []

    def __len__(self) -> int:
        return sum(map(len, self._parts)) + len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Variant: ...
    @overload
    def __getitem__(self, at: slice) -> "list[Variant]": ...
    def __getitem__(self, at: int | slice) -> "Variant | list[Variant]":
        if isinstance(at, slice):
            return list(self)[at]
        at = range(len(self))[at]
        return next(_variants(self.table.slice(at, 1)))

    def __iter__(self) -> Iterator[Variant]:
        return _variants(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __repr__(self) -> str:
        return f"VariantColumns({list(self)!r})"


def _variants(table: pa.Table) -> Iterator[Variant]:
    return map(Variant._make, zip(*(column.to_pylist() for column in table.columns), strict=True))


@dataclass
class Variants:
    """What a file says about its variants.

    Attributes
    ----------
    candidates : VariantColumns
        Those that `Wanted` keeps, in file order. A multi-allelic record appears once per
        alternative allele.
    total : int
        Records of the file.
    has_alleles : bool
        False for a file of bare codes.
    examples : list of Variant
        The file's first records, to name what is different when nothing matches.
    chromosomes : set of str
        All chromosome names of the file, as spelt.
    """

    has_alleles: bool = True
    candidates: VariantColumns = field(default_factory=VariantColumns)
    total: int = 0
    examples: list[Variant] = field(default_factory=list)
    chromosomes: set[str] = field(default_factory=set)

    def see(self, variant: Variant) -> None:
        """Count a record of the file, candidate or not."""
        self.total += 1
        if len(self.examples) < 5:
            self.examples.append(variant)
        if variant.chromosome is not None:
            self.chromosomes.add(variant.chromosome)


class Places:
    """Places on the chromosomes of a model as one number each.

    Two places have the same number where the names of their chromosomes mean the same, see
    `snpredict.genotypes.chromosomes`, and their positions are equal.

    Parameters
    ----------
    chromosomes, positions : Array
        Of the model's SNPs.

    Attributes
    ----------
    names : ChromosomeNames
        What the model calls its chromosomes.
    own : ndarray (SNPs,) of int64
        The places of the SNPs themselves.
    """

    def __init__(self, chromosomes: pa.Array, positions: pa.Array):
        rows, names = numbered(chromosomes)
        counts = np.bincount(rows[rows >= 0], minlength=len(names))
        self.names = ChromosomeNames(dict(zip(names, counts.tolist(), strict=True)))
        self._number: dict[str, int] = {}
        for name in names:
            self._number.setdefault(self.names.key(name), len(self._number))
        self.own = self.of(chromosomes, positions)

    def chromosomes(self, names: "pa.Array | pa.ChunkedArray") -> np.ndarray:
        """A number per chromosome of the model, −1 for others and for gaps: (rows,) int64."""
        rows, different = numbered(names)
        return np.array([*map(self._chromosome, different), -1], np.int64)[rows]

    def of(
        self, chromosomes: "pa.Array | pa.ChunkedArray", positions: "pa.Array | pa.ChunkedArray"
    ) -> np.ndarray:
        """The places of records, −1 where there is none on the model's chromosomes.

        Returns
        -------
        ndarray (rows,) of int64
        """
        number, position = self.chromosomes(chromosomes), integers(positions)
        known = (number >= 0) & (position > 0) & (position < _MAX_POSITION)
        return np.where(known, number * _MAX_POSITION + position, -1)

    def of_one(self, chromosome: str, position: int) -> int:
        """That of one record; see `of`."""
        number = self._chromosome(chromosome)
        known = number >= 0 and 0 < position < _MAX_POSITION
        return number * _MAX_POSITION + position if known else -1

    def _chromosome(self, name: str) -> int:
        return self._number.get(self.names.key(name), -1)


class Wanted:
    """Tells which records of a file may be SNPs of a model.

    Parameters
    ----------
    ids : iterable of str, or Array
    chromosomes : iterable of (str or None), or Array
    positions : iterable of (int or None), or Array
        All of the same length, one entry per SNP.

    Attributes
    ----------
    all : bool
        Whether every record is wanted, as by `everything`.
    """

    all = False

    def __init__(
        self,
        ids: Iterable[str] | pa.Array,
        chromosomes: Iterable[str | None] | pa.Array = (),
        positions: Iterable[int | None] | pa.Array = (),
    ):
        self._ids = texts(ids)
        self._places = Places(texts(chromosomes), whole_numbers(positions))

    @staticmethod
    def everything() -> "Wanted":
        """Wants every record of a file, as training does; it knows no SNP by name."""
        wanted = Wanted(())
        wanted.all = True
        return wanted

    @cached_property
    def ids(self) -> frozenset[str]:
        """The names of the SNPs."""
        return frozenset(self._ids.to_pylist())

    @cached_property
    def _one_by_one(self) -> frozenset[int]:
        return frozenset(self._places.own.tolist()) - {-1}

    def named(self, id: str | None) -> bool:
        """Whether a record with that name may be a SNP of the model."""
        return self.all or id in self.ids

    def __call__(self, id: str | None, chromosome: str | None, position: int | None) -> bool:
        """Whether a record with that name or at that place may be a SNP of the model."""
        if self.named(id):
            return True
        if position is None or chromosome is None or not self._one_by_one:
            return False
        return self._places.of_one(chromosome, position) in self._one_by_one

    def among(self, records: pa.Table) -> np.ndarray:
        """Which of many records may be SNPs of the model: (records,) bool.

        Parameters
        ----------
        records : Table
            With the columns id, chromosome and position of `VariantColumns`.
        """
        if self.all:
            return np.ones(len(records), bool)
        named = integers(is_in(records["id"], self._ids)) > 0
        places = self._places.of(records["chromosome"], records["position"])
        return named | ((places >= 0) & is_among(places, self._sorted_places))

    @cached_property
    def _sorted_places(self) -> np.ndarray:
        return np.unique(self._places.own)


class WantedByAny(Wanted):
    """Tells which records may be SNPs of one of several models, each with its chromosome names.

    Parameters
    ----------
    models : sequence of Wanted
        At least one.
    """

    def __init__(self, models: Sequence[Wanted]):
        super().__init__(())
        self._models = models

    @cached_property
    def ids(self) -> frozenset[str]:
        """The names of the SNPs of all models."""
        return frozenset[str]().union(*(model.ids for model in self._models))

    def __call__(self, id: str | None, chromosome: str | None, position: int | None) -> bool:
        """Whether a record may be a SNP of any of the models."""
        return any(wanted(id, chromosome, position) for wanted in self._models)

    def among(self, records: pa.Table) -> np.ndarray:
        """Which of many records may be SNPs of any of the models."""
        return np.logical_or.reduce([wanted.among(records) for wanted in self._models])


def is_among(values: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    """Which values occur in an array that is in ascending order: bool of the same shape."""
    if not len(ascending):
        return np.zeros(values.shape, bool)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return ascending[at] == values
