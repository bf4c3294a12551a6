"""The variants of a .bim or .pvar.

Most lines of a large file are about no candidate. A block of lines is therefore taken apart in
columns, by Arrow; a block that is out of the ordinary, and may hold a mistake, line by line.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from snpredict.arrow import call, cast, holds, is_in, split_at, take
from snpredict.errors import BadVariant, NotATable, RaggedRow
from snpredict.genotypes.plink.text_files import blank_line, ragged
from snpredict.genotypes.reader import SPLIT_NOTE
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.text_columns import integers, texts, whole_numbers, without
from snpredict.genotypes.variants import Variant, VariantColumns, Variants, Wanted

#: As PLINK has it: 2³¹ − 2.
_MAX_POSITION = 0x7FFFFFFE

_PVAR_COLUMNS = ("CHROM", "POS", "ID", "REF", "ALT")
_NO_ALLELE = frozenset({"0", ".", ""})
_NUMBERS = frozenset({"1", "2", "3", "4"})

NEGATIVE_NOTE = "variants with a negative position, left out as PLINK does"
NUMBERS_NOTE = "variants whose alleles are coded as numbers and not as letters"


@dataclass(frozen=True)
class Layout:
    """Where a line about a variant has what.

    Attributes
    ----------
    chromosome, id, position, counted, other : int
        Places of the columns, from 0.
    n_columns : int
    delimiter : bytes or None
        None for runs of spaces and tabs.
    first_line : int
        Number of the first line that is about a variant.
    splits : bool
        Whether the counted alleles of one line may be several, separated by commas.
    """

    chromosome: int
    id: int
    position: int
    counted: int
    other: int
    n_columns: int
    delimiter: bytes | None = None
    first_line: int = 1
    splits: bool = False


BIM = Layout(chromosome=0, id=1, position=3, counted=4, other=5, n_columns=6)


@dataclass
class VariantList:
    """The variants of a .bim or .pvar that a model may ask for.

    Attributes
    ----------
    variants : Variants
    records : array of int
        Per candidate, which record of the file it is, from 0.
    alleles : array of int
        Per candidate, which allele of the record is counted: 1 for the first alternative.
    n_alleles : dict of int to int
        Number of alleles by record, of the candidates with more than two.
    notes : dict of str to int
    """

    variants: Variants = field(default_factory=Variants)
    records: "array[int]" = field(default_factory=lambda: array("q"))
    alleles: "array[int]" = field(default_factory=lambda: array("q"))
    n_alleles: dict[int, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, words: str, count: int) -> None:
        """Count what was taken otherwise than one might expect."""
        if count:
            self.notes[words] = self.notes.get(words, 0) + count


def pvar_layout(source: TextSource) -> Layout:
    """Where a .pvar has what, by its header line, or as in a .bim where it has none.

    Raises
    ------
    NotATable
        The header lacks a column or has it twice.
    RaggedRow
        There is no header, and the first line has neither 5 nor 6 columns.
    """
    path = source.path
    for number, line in source.lines(1 << 16):
        if line.startswith(b"##"):
            continue
        if line.startswith(b"#"):
            delimiter = b"\t" if b"\t" in line else None
            names = [name.decode() for name in line[1:].split(delimiter)]
            wrong = [name for name in _PVAR_COLUMNS if names.count(name) != 1]
            if wrong:
                raise NotATable(
                    f"{path}, line {number}: the header has {names.count(wrong[0]) or 'no'} "
                    f"columns {wrong[0]}, expected one each of {', '.join(_PVAR_COLUMNS)}"
                )
            return Layout(
                chromosome=names.index("CHROM"),
                id=names.index("ID"),
                position=names.index("POS"),
                counted=names.index("ALT"),
                other=names.index("REF"),
                n_columns=len(names),
                delimiter=delimiter,
                first_line=number + 1,
                splits=True,
            )
        n_columns = len(line.split())
        if n_columns not in (5, 6):
            raise RaggedRow(
                f"{path}, line {number}: found {n_columns} columns, expected a header line that "
                "begins with #CHROM, or 5 or 6 columns as in a .bim"
            )
        # Without the column of centimorgans there are five.
        return replace(
            BIM,
            position=n_columns - 3,
            counted=n_columns - 2,
            other=n_columns - 1,
            n_columns=n_columns,
            first_line=number,
        )
    raise NotATable(f"{path} has no header line that begins with #CHROM")


#: Parts of a `Layout`, by the names that the columns have here.
_CELLS = ("id", "chromosome", "position", "counted", "other")

#: A number of fewer digits is a position in any case.
_SURE_DIGITS = 10

#: Bytes that are read at a time.
_BLOCK_BYTES = 1 << 24

#: What a block taken apart in columns may hold beside letters, digits and the like.
_ORDINARY = bytes(range(0x21, 0x7F)) + b"\t\n"


def read_variants(source: TextSource, layout: Layout, wanted: Wanted) -> VariantList:
    """The variants of a .bim or .pvar.

    Raises
    ------
    RaggedRow
        A line has another number of columns, or is blank and not at the end.
    BadVariant
        A position is not a whole number.
    NotATable
        See `TextSource`.
    """
    lines = _Lines(source.path, layout, wanted)
    for number, text in source.chunks(_BLOCK_BYTES):
        header = layout.first_line - number
        if header > 0:
            # The header of a .pvar; it ends within a block, or is all of it.
            parts = text.split(b"\n", header)
            number, text = number + len(parts) - 1, parts[-1]
        cells = _cells(text, layout)
        if cells is None:
            lines.one_by_one(number, text)
        else:
            lines.in_columns(number, cells)
    return lines.finished()


def _cells(text: bytes, layout: Layout) -> pa.Table | None:
    """The columns of a layout by its names, or None for a block that is out of the ordinary.

    In an ordinary block all cells of a line are set apart by one tab each, and positions are
    whole numbers.
    """
    if not text or text.translate(None, _ORDINARY) or text[:1] in b"\t\n":
        return None
    characters = np.frombuffer(text, np.uint8)
    # Runs of tabs are one delimiter, or an empty cell.
    ends = characters == ord("\n") if layout.delimiter else characters <= ord("\n")
    if (ends[1:] & ends[:-1]).any():
        return None
    places = {name: getattr(layout, name) for name in _CELLS}
    names = [str(place) for place in range(layout.n_columns)]
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(use_threads=False, block_size=len(text), column_names=names),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                include_columns=[str(place) for place in places.values()],
                column_types=dict.fromkeys(names, pa.string()),
            ),
        )
    except pa.ArrowInvalid:
        return None
    table = table.combine_chunks().rename_columns(list(places))
    position = table["position"]
    if not call("all", call("utf8_is_digit", position)).as_py():
        return None
    return table if call("max", call("binary_length", position)).as_py() < _SURE_DIGITS else None


class _Lines:
    """What has been found in the lines so far.

    Parameters
    ----------
    path : Path
        For messages.
    layout : Layout
    wanted : Wanted
    """

    def __init__(self, path: Path, layout: Layout, wanted: Wanted):
        self._path = path
        self._layout = layout
        self._wanted = wanted
        self._found = VariantList()
        self._chromosomes: set[str] = set()
        self._number = layout.first_line - 1
        self._blank = self._n_blank = 0

    def in_columns(self, first: int, cells: pa.Table) -> None:
        """Take the lines of an ordinary block.

        Parameters
        ----------
        first : int
            Number of the first line.
        cells : Table
            See `_cells`.
        """
        variants = self._found.variants
        positions = integers(cast(cells["position"], pa.int64()))
        named = {
            "id": without(cells["id"], (".", "")),
            "chromosome": without(cells["chromosome"], ("0", "")),
            "position": whole_numbers(positions, positions > 0),
            "counted": cells["counted"],
            "other": cells["other"],
        }
        records = pa.table(named)
        self._chromosomes.update(call("unique", records["chromosome"]).to_pylist())
        if len(variants.examples) < 5:
            few, parents, _ = _split(records.slice(0, 5), self._layout.splits)
            # Of a record with several alternative alleles the first.
            few = take(few, whole_numbers(np.unique(parents, return_index=True)[1]))
            variants.examples += list(VariantColumns.of_table(few))[: 5 - len(variants.examples)]
        variants.total += len(records)
        self._number = first + len(records) - 1
        rows = np.flatnonzero(self._wanted.among(records))
        if len(rows):
            self._add(first - self._layout.first_line + rows, take(records, whole_numbers(rows)))

    def _add(self, numbers: np.ndarray, records: pa.Table) -> None:
        """Candidates among the records, with their numbers from 0."""
        found = self._found
        split, parents, alleles = _split(records, self._layout.splits)
        found.variants.candidates.append_table(split)
        found.records.frombytes(numbers[parents].tobytes())
        found.alleles.frombytes(alleles.tobytes())
        n_split = np.bincount(parents)
        several = np.flatnonzero(n_split > 1)
        found.n_alleles.update(
            zip(numbers[several].tolist(), (n_split[several] + 1).tolist(), strict=True)
        )
        found.note(SPLIT_NOTE, len(several))
        numbers_as_letters = texts(sorted(_NUMBERS))
        named, letters = np.zeros(len(records), bool), np.zeros(len(records), bool)
        for name in ("counted", "other"):
            there = integers(call("is_valid", split[name])) > 0
            named[parents[there]] = True
            is_number = integers(is_in(split[name], numbers_as_letters)) > 0
            letters[parents[there & ~is_number]] = True
        found.note(NUMBERS_NOTE, int(np.count_nonzero(named & ~letters)))

    def one_by_one(self, first: int, text: bytes) -> None:
        """Take the lines of any block, the first of which has that number."""
        layout, found = self._layout, self._found
        lines = text.split(b"\n")
        lines.pop()
        for number, line in enumerate(lines, first):
            self._number = number
            cells = line.split(layout.delimiter)
            if len(cells) != layout.n_columns:
                if line.strip():
                    raise ragged(self._path, number, len(cells), layout.n_columns)
                self._blank, self._n_blank = self._blank or number, self._n_blank + 1
                continue
            position = _position(self._path, number, cells[layout.position])
            found.variants.total += 1
            if position < 0:
                found.note(NEGATIVE_NOTE, 1)
                continue
            self._add_line(number - layout.first_line, cells, position)

    def _add_line(self, record: int, cells: Sequence[bytes], position: int) -> None:
        layout, found = self._layout, self._found
        id, chromosome, counted, other = (
            cells[place].decode().strip()
            for place in (layout.id, layout.chromosome, layout.counted, layout.other)
        )
        variant = Variant(
            id if id not in (".", "") else None,
            chromosome if chromosome not in ("0", "") else None,
            position or None,
            None,
            _allele(other),
        )
        if variant.chromosome is not None:
            self._chromosomes.add(variant.chromosome)
        alternatives = counted.split(",") if layout.splits else [counted]
        split = [variant._replace(counted=_allele(allele)) for allele in alternatives]
        if len(found.variants.examples) < 5:
            found.variants.examples.append(split[0])
        if not self._wanted(*variant[:3]):
            return
        for allele, one in enumerate(split, 1):
            found.variants.candidates.append(one)
            found.records.append(record)
            found.alleles.append(allele)
        if len(split) > 1:
            found.n_alleles[record] = 1 + len(split)
            found.note(SPLIT_NOTE, 1)
        named = {variant.other, *(variant.counted for variant in split)} - {None}
        found.note(NUMBERS_NOTE, int(bool(named) and named <= _NUMBERS))

    def finished(self) -> VariantList:
        """All that was found, when all lines have been taken."""
        if self._blank and self._blank + self._n_blank - 1 != self._number:
            raise blank_line(self._path, self._blank)
        self._found.variants.chromosomes = {name for name in self._chromosomes if name}
        return self._found


def _split(records: pa.Table, splits: bool) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """One row per counted allele, the record of each, and its number among the record's, from 1."""
    counted, parents = records["counted"].combine_chunks(), np.arange(len(records))
    if splits and call("any", holds(counted, ",")).as_py():
        lists = split_at(counted, ",")
        counted, parents = call("list_flatten", lists), integers(call("list_parent_indices", lists))
        records = take(records, whole_numbers(parents))
    first = np.searchsorted(parents, parents)
    alleles = {
        "counted": call("ascii_upper", without(counted, _NO_ALLELE)),
        "other": call("ascii_upper", without(records["other"], _NO_ALLELE)),
    }
    columns = {name: records[name] for name in ("id", "chromosome", "position")}
    return pa.table({**columns, **alleles}), parents, np.arange(len(parents)) - first + 1


def _allele(text: str) -> str | None:
    return None if text in _NO_ALLELE else text.upper()


def _position(path: Path, number: int, text: bytes) -> int:
    digits = text.removeprefix(b"-")
    if digits.isdigit() and len(digits) < 20 and int(digits) <= _MAX_POSITION:
        return int(text)
    shown = text[:40].decode(errors="replace") + ("..." if len(text) > 40 else "")
    raise BadVariant(
        f"{path}, line {number}: found position {shown!r}, expected a whole number of base pairs "
        f"up to {_MAX_POSITION}"
    )
