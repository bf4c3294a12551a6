"""The columns that describe the SNPs of a table which has them in rows, and how such a table is
told from one with samples in rows.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from snpredict.errors import BadVariant, DuplicateColumn, UnsupportedFile, UsageError
from snpredict.genotypes.reader import ReadOptions
from snpredict.genotypes.tables.columns import plain
from snpredict.genotypes.variants import Variant, Variants, Wanted
from snpredict.names import quoted, short

#: What pandas calls an index without a name in Parquet, as the last column.
PANDAS_INDEX = "__index_level_0__"
_INDEX = "index_level_0"

#: Names that only a column of SNP ids has, and those that samples may have too.
_SNP_WORDS = (
    *("snp", "snp_id", "snpid", "marker", "marker_id", "markername", "marker_name"),
    *("variant", "variant_id", "variantid", "rs", "rsid", "rs#", "locus"),
)
#: A column without a name, where R and pandas write row names, comes last.
_SNP_IDS = (*_SNP_WORDS, "id", "name", _INDEX, "")

# The more specific name first: "pos" may be genetic where there is "bp".
_CHROMOSOMES = ("chr", "chrom", "chromosome", "lg", "linkage_group")
_POSITIONS = ("bp", "physical_position", "position_bp", "pos_bp", "pos", "position", "ps", "loc")

#: The counted allele and what the other one may be called. PLINK's .traw has COUNTED and ALT.
_ALLELES = (
    ("counted", ("alt", "ref", "other_allele")),
    ("counted_allele", ("other_allele", "alt", "ref")),
    ("effect_allele", ("other_allele",)),
    ("alt", ("ref",)),
    ("a1", ("a2",)),
)
#: Alleles of which none is said to be the counted one.
_UNCLEAR = ("alleles", "allele", "allele1", "allele2", "allele_1", "allele_2")

_IGNORED = (
    *("cm", "c_m", "genetic_distance", "genetic_position", "strand", "qual", "filter", "info"),
    # HapMap
    *("assembly", "assembly#", "center", "protlsid", "assaylsid", "panellsid", "panel", "qccode"),
)

_ALLELE_NAMES = {name for counted, others in _ALLELES for name in (counted, *others)}
_ANNOTATION = {*_SNP_IDS[:-1], *_CHROMOSOMES, *_POSITIONS, *_ALLELE_NAMES, *_UNCLEAR, *_IGNORED}

#: Rows that are looked at to tell what a column holds.
FIRST_ROWS = 200

_NO_VALUE = {"", ".", "na", "nan"}
_NO_ALLELE = _NO_VALUE | {"0", "n"}
_NO_ALLELES: tuple[str | None, str | None] = (None, None)

#: R writes 100000 as 1e+05, and pandas a column with gaps as 100000.0.
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?(e\+?\d{1,2})?", re.ASCII | re.IGNORECASE)
_MAX_POSITION = 1 << 40

_UNCLEAR_NOTE = "the alleles columns do not say which allele is counted, codes taken as the model's"
_UNNAMED_NOTE = "SNPs without alleles, codes taken as the model's"

#: Stripped cells of a table's first rows, for each of some columns.
FirstCells = Callable[[list[int]], list[list[str]]]


class SnpColumns:
    """The annotation of a table with SNPs in rows: which columns say what about a SNP.

    The annotation ends where the samples begin: a column behind the first unknown name is a
    sample, whatever its name. Only the very first column may have any name.

    Parameters
    ----------
    path : Path
    header : sequence of str

    Attributes
    ----------
    id : int or None
        Column of the SNPs' ids.
    samples : list of int
        All columns that are no annotation.
    has_place : bool
        Whether there are a chromosome and a position.
    has_alleles : bool
        Whether there are two alleles and one of them is said to be counted.
    unclear : bool
        Whether there are alleles and none is said to be counted.
    """

    def __init__(self, path: Path, header: Sequence[str]):
        self._path = path
        self._header = header
        self._columns: dict[str, list[int]] = {}
        leading = True
        for index, name in enumerate(header):
            known = leading and (plain(name) in _ANNOTATION or (index == 0 and not name))
            leading = leading and (known or index == 0)
            if known or name == PANDAS_INDEX:
                self._columns.setdefault(plain(name), []).append(index)
        self._ids = self._called(_SNP_IDS)
        self._chromosome = next(iter(self._called(_CHROMOSOMES)), None)
        self._position = next(iter(self._called(_POSITIONS)), None)
        self._counted: int | None = None
        self._others: list[int] = []
        for counted, others in _ALLELES:
            if counted in self._columns and (found := self._called(others)):
                self._counted, self._others = self._columns[counted][0], found
                break
        self.has_place = self._chromosome is not None and self._position is not None
        self.has_alleles = self._counted is not None
        named = not self._columns.keys().isdisjoint((*_ALLELE_NAMES, *_UNCLEAR))
        self.unclear = named and not self.has_alleles
        self._choose(self._ids[0] if self._ids else None)

    def _called(self, names: Sequence[str]) -> list[int]:
        return [self._columns[name][0] for name in names if name in self._columns]

    def _choose(self, id_column: int | None) -> None:
        self.id = id_column
        annotation = {id_column, *(index for found in self._columns.values() for index in found)}
        self.samples = [index for index in range(len(self._header)) if index not in annotation]

    @property
    def may_be_ids(self) -> list[int]:
        """Columns that may hold the SNPs' ids, the best first; the table's first among them."""
        return list(dict.fromkeys([*self._ids, 0]))

    def shows_rows(self, snps: Collection[str]) -> bool:
        """Whether the names alone tell that SNPs are in rows; those in `snps` are SNPs."""
        pairs = [(self._chromosome, self._position)]
        # SNPs, too, may be called a1 and a2.
        if self._others and plain(self._header[self._counted or 0]) != "a1":
            pairs.append((self._counted, self._others[0]))
        return any(
            all(index is not None and self._header[index] not in snps for index in pair)
            for pair in pairs
        )

    def settle(self, first_cells: FirstCells, snps: Collection[str]) -> None:
        """Choose the id column by what is in it, and refuse columns that cannot be told apart.

        Parameters
        ----------
        first_cells : callable
            Gives the first cells of columns.
        snps : collection of str
            Ids of the model's SNPs.

        Raises
        ------
        DuplicateColumn
            Two columns have the same known name.
        UnsupportedFile
            There are neither SNP ids nor positions.
        """
        for places in self._columns.values():
            if len(places) > 1:
                names = [self._header[index] for index in places]
                raise DuplicateColumn(
                    f"{self._path} has more than one column {quoted(names)}",
                    "rename or remove the repeated columns",
                )
        if snps and self.may_be_ids != self._ids[:1]:
            hits = count_known(first_cells(self.may_be_ids), snps)
            if max(hits) > 0:
                self._choose(self.may_be_ids[hits.index(max(hits))])
        if self.id is None and not self.has_place:
            raise UnsupportedFile(
                f"{self._path} has no column of SNP ids such as 'snp', 'marker' or 'id', and none "
                f"of chromosomes and positions such as 'chrom' and 'pos'; found "
                f"{quoted(self._header)}",
                "name the SNPs' columns so; where samples are in rows, say --snps-in columns",
            )

    @property
    def read(self) -> list[int]:
        """Columns that `variants` takes."""
        columns = [self.id, self._chromosome, self._position, self._counted, *self._others]
        return [index for index in dict.fromkeys(columns) if index is not None]

    def variants(
        self,
        texts: Mapping[int, Sequence[str]],
        word: str,
        numbers: Sequence[int],
        wanted: Wanted,
    ) -> Iterator[tuple[Variant, bool]]:
        """Variants of consecutive rows, and whether they are wanted.

        Parameters
        ----------
        texts : mapping of int to sequence of str
            Stripped cells of each column in `read`.
        word : str
            ``"line"`` or ``"row"``.
        numbers : sequence of int
            Of each row.
        wanted : Wanted

        Raises
        ------
        BadVariant
            A position is no whole number. The alleles of a wanted variant are numbers, are equal,
            or the counted one is none of the two.
        """
        empty = [""] * len(numbers)
        cells = [
            empty if index is None else texts[index]
            for index in (self.id, self._chromosome, self._position, self._counted)
        ]
        others = [texts[index] for index in self._others]
        for number, id, chromosome, position, counted, *rest in zip(
            numbers, *cells, *others, strict=True
        ):
            place = _position(position)
            if place is None:
                raise BadVariant(
                    f"{self._path}, {word} {number}, column "
                    f"{self._header[self._position or 0]!r}: found {short(position)}, expected a "
                    "position in base pairs",
                    "a column of genetic positions must be called cM",
                )
            alleles = _counted_and_other(counted, rest) if others else _NO_ALLELES
            variant = Variant(
                _value(id), _value(chromosome), place or None, *(alleles or _NO_ALLELES)
            )
            is_wanted = wanted(variant.id, variant.chromosome, variant.position)
            if is_wanted and alleles is None:
                raise self._bad_alleles(word, number, [counted, *rest])
            yield variant, is_wanted

    def notes(self, variants: Variants) -> dict[str, int]:
        """What was taken otherwise than one might expect."""
        unnamed = [v for v in variants.candidates if v.counted is None and v.other is None]
        found = {
            _UNCLEAR_NOTE: variants.total if self.unclear else 0,
            _UNNAMED_NOTE: len(unnamed) if self.has_alleles else 0,
        }
        return {note: count for note, count in found.items() if count}

    def _bad_alleles(self, word: str, number: int, found: Sequence[str]) -> BadVariant:
        names = [self._header[index] for index in (self._counted or 0, *self._others)]
        return BadVariant(
            f"{self._path}, {word} {number}, columns {quoted(names)}: found {quoted(found)}, "
            "expected the counted allele and one that differs",
            "columns of these names are taken for alleles; rename them if they are samples",
        )


def in_rows(
    path: Path,
    header: Sequence[str],
    columns: SnpColumns,
    options: ReadOptions,
    snps: Wanted | None,
    first_cells: FirstCells,
) -> bool:
    """Whether a table has one row per SNP, and not one per sample.

    Raises
    ------
    UsageError
        As much speaks for rows as for columns; or SNPs are in rows, and `options` names a column
        of sample ids.
    """
    found = options.snps_in == "rows" or (
        options.snps_in is None and _in_rows(path, header, columns, snps, first_cells)
    )
    if found and options.id_column is not None:
        raise UsageError(
            f"{path} has its SNPs in rows, so that its sample ids are column names",
            "leave out --id-column; where samples are in rows, say --snps-in columns",
        )
    return found


def _in_rows(
    path: Path,
    header: Sequence[str],
    columns: SnpColumns,
    snps: Wanted | None,
    first_cells: FirstCells,
) -> bool:
    known = snps.ids if snps else frozenset[str]()
    if columns.shows_rows(known):
        return True
    in_header = len(known.intersection(header))
    if in_header > FIRST_ROWS:
        return False
    in_cells = max(count_known(first_cells(columns.may_be_ids), known)) if known else 0
    if in_header == in_cells == 0:
        return bool(header) and plain(header[0]) in _SNP_WORDS
    if in_header == in_cells:
        raise UsageError(
            f"{path} names {in_header} SNPs of the model in its header and as many in its rows",
            "say which ones are the SNPs with --snps-in rows or --snps-in columns",
        )
    return in_cells > in_header


def count_known(columns: Sequence[Sequence[str]], ids: Collection[str]) -> list[int]:
    """Per column, how many different cells are among `ids`."""
    return [sum(cell in ids for cell in set(cells)) for cells in columns]


def _value(text: str) -> str | None:
    return None if text.lower() in _NO_VALUE else text


def _allele(text: str) -> str | None:
    return None if text.lower() in _NO_ALLELE else text.upper()


def _counted_and_other(counted: str, others: Sequence[str]) -> tuple[str | None, str | None] | None:
    """The two alleles, where of "counted", "ref" and "alt" one is another's repetition.

    None where they contradict each other, or are numbers and thus perhaps a sample's genotypes.
    """
    first = _allele(counted)
    rest = [_allele(other) for other in others]
    differ = list(dict.fromkeys(a for a in rest if a not in (None, first)))
    if any(a is not None and a.isdecimal() for a in (first, *rest)) or len(differ) > 1:
        return None
    if differ:
        return first, differ[0]
    return None if first is not None and None not in rest else (first, None)


def _position(text: str) -> int | None:
    """Base pairs, 0 where there is none, None where it is no whole number."""
    if text.isdecimal() and text.isascii() and len(text) < 12:
        return int(text)
    if text.lower() in _NO_VALUE:
        return 0
    value = float(text) if _NUMBER.fullmatch(text) else 0.5
    return int(value) if value.is_integer() and value < _MAX_POSITION else None
