"""The text files of a PLINK file set: .bim and .pvar with the variants, .fam and .psam with the
samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from snpredict.errors import (
    BadVariant,
    InconsistentFiles,
    NotATable,
    RaggedRow,
    UnsupportedFile,
)
from snpredict.genotypes.sample_ids import check_samples
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.variants import Variant, Variants, Wanted

#: As PLINK has it: 2³¹ − 2.
_MAX_POSITION = 0x7FFFFFFE

_PVAR_COLUMNS = ("CHROM", "POS", "ID", "REF", "ALT")
_NO_ALLELE = frozenset({"0", ".", ""})
_NUMBERS = frozenset({"1", "2", "3", "4"})

NEGATIVE_NOTE = "variants with a negative position, left out as PLINK does"
NUMBERS_NOTE = "variants whose alleles are coded as numbers and not as letters"
SPLIT_NOTE = "multi-allelic sites, split into one variant per alternative allele"


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
    records : list of int
        Per candidate, which record of the file it is, from 0.
    alleles : list of int
        Per candidate, which allele of the record is counted: 1 for the first alternative.
    n_alleles : dict of int to int
        Number of alleles by record, of the candidates with more than two.
    notes : dict of str to int
    """

    variants: Variants = field(default_factory=Variants)
    records: list[int] = field(default_factory=list)
    alleles: list[int] = field(default_factory=list)
    n_alleles: dict[int, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


def part(path: Path, suffix: str, rewrite: str) -> Path:
    """The file of the same set with another suffix.

    Parameters
    ----------
    path : Path
        The .bed or .pgen.
    suffix : str
    rewrite : str
        The command that writes the set without compression.

    Raises
    ------
    InconsistentFiles
        It is not there.
    UnsupportedFile
        It is there as a zstd file only.
    """
    named = path.with_suffix(suffix)
    if named.exists():
        return named
    packed = named.with_name(named.name + ".zst")
    if packed.exists():
        raise UnsupportedFile(
            f"{packed} is a zstd file, which is not read", f"write it uncompressed: {rewrite}"
        )
    raise InconsistentFiles(
        f"{path} comes without its {suffix} file: {named} does not exist",
        f"put {named.name} beside {path.name}",
    )


def read_samples(path: Path, hint: str) -> list[str]:
    """Individual ids (IID) of a .fam or .psam.

    Parameters
    ----------
    path : Path
    hint : str
        The way out of repeated ids.

    Raises
    ------
    NotATable
        The .psam's header has no column IID, or ends before it.
    RaggedRow
        A line has another number of columns than the header, or than the first line.
    NoGenotypes, DuplicateSample
        See `snpredict.genotypes.sample_ids.check_samples`.
    """
    source = TextSource(path)
    place, first, n_columns = 1, 1, 0
    samples: list[str] = []
    blank = 0
    for number, line in source.lines():
        cells = line.split()
        if not samples and line.startswith(b"#"):
            names = [cell.decode() for cell in cells]
            first = number + 1
            if names[0] in ("#FID", "#IID"):
                names[0] = names[0][1:]
                if "IID" not in names:
                    raise NotATable(f"{path}, line {number}: the header has no column IID")
                place, n_columns = names.index("IID"), len(names)
            continue
        if not cells:
            blank = blank or number
            continue
        if blank:
            raise _blank_line(path, blank)
        if not n_columns:
            if first > 1:
                raise NotATable(
                    f"{path}, line {number}: found a sample, expected the header line before it",
                    "the last line that begins with # must begin with #FID or #IID",
                )
            # More than six are further phenotypes.
            n_columns = max(6, len(cells))
        if len(cells) != n_columns:
            raise _ragged(path, number, len(cells), n_columns)
        samples.append(cells[place].decode())
    check_samples(path, samples, "line", first, hint)
    return samples


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
    found = VariantList()
    variants = found.variants
    ids = frozenset(id.encode() for id in wanted.ids)
    positions = frozenset(position for _, position in wanted.places)
    chromosomes: set[bytes] = set()
    number = layout.first_line - 1
    blank = n_blank = 0
    # Most lines of a large file are about no candidate: what is done here is done for all.
    for number, line in _lines_from(source, layout.first_line):
        cells = line.split(layout.delimiter)
        if len(cells) != layout.n_columns:
            if line.strip():
                raise _ragged(source.path, number, len(cells), layout.n_columns)
            blank, n_blank = blank or number, n_blank + 1
            continue
        text = cells[layout.position]
        if text.isdigit() and len(text) < 10:
            position = int(text)
        else:
            position = _position(source.path, number, text)
            if position < 0:
                variants.total += 1
                found.notes[NEGATIVE_NOTE] = found.notes.get(NEGATIVE_NOTE, 0) + 1
                continue
        chromosomes.add(cells[layout.chromosome])
        near = wanted.all or position in positions or cells[layout.id] in ids
        if near or variants.total < 5:
            _add(found, layout, number - layout.first_line, cells, position, wanted)
        variants.total += 1
    if blank and blank + n_blank - 1 != number:
        raise _blank_line(source.path, blank)
    variants.chromosomes = {name.decode() for name in chromosomes - {b"0", b""}}
    return found


def _add(
    found: VariantList,
    layout: Layout,
    record: int,
    cells: Sequence[bytes],
    position: int,
    wanted: Wanted,
) -> None:
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
    alternatives = counted.split(",") if layout.splits else [counted]
    split = [variant._replace(counted=_allele(allele)) for allele in alternatives]
    if len(found.variants.examples) < 5:
        found.variants.examples.append(split[0])
    if not wanted(*variant[:3]):
        return
    found.variants.candidates += split
    found.records += [record] * len(split)
    found.alleles += range(1, len(split) + 1)
    if len(split) > 1:
        found.n_alleles[record] = 1 + len(split)
        found.notes[SPLIT_NOTE] = found.notes.get(SPLIT_NOTE, 0) + 1
    named = {variant.other, *(variant.counted for variant in split)} - {None}
    if named and named <= _NUMBERS:
        found.notes[NUMBERS_NOTE] = found.notes.get(NUMBERS_NOTE, 0) + 1


def _lines_from(source: TextSource, first: int) -> Iterator[tuple[int, bytes]]:
    lines = source.lines()
    for _ in range(first - 1):
        next(lines, None)
    return lines


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


def _ragged(path: Path, number: int, found: int, expected: int) -> RaggedRow:
    return RaggedRow(f"{path}, line {number}: found {found} columns, expected {expected}")


def _blank_line(path: Path, number: int) -> RaggedRow:
    return RaggedRow(
        f"{path}, line {number}: the line is blank, and others follow", "remove the blank line"
    )
