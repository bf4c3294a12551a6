"""Wide genotype tables: TSV or CSV, one row per sample, one column per SNP.

Most bytes of such a table are one-character cells. A chunk of whole lines is therefore parsed as
one numpy array: the positions of the separators give every cell's end and width, and the cell's
bytes index a look-up table. Rows that this pass cannot settle (escaped quotes, padded cells, the
wrong number of columns, an unknown cell) are read one by one, where errors get their words.
"""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from snpredict.encoding import MISSING
from snpredict.errors import (
    BadGenotype,
    DuplicateColumn,
    DuplicateSample,
    NoRows,
    NoSampleColumn,
    NoSnpMatched,
    NotATable,
    RaggedRow,
    UsageError,
)
from snpredict.genotypes import GenotypeBlock
from snpredict.genotypes.cells import CODE_OF, QUOTE, UNKNOWN, decode, inside_quotes
from snpredict.genotypes.source import TextSource

#: Names of the sample id column, the first that the header holds wins. Compared without case and
#: a leading "#", with "_" for spaces, dots and hyphens.
ID_COLUMNS = (
    "sample",
    "sample_id",
    "sampleid",
    "sample_name",
    "samples",
    "iid",
    "id",
    "line",
    "line_id",
    "lines",
    "accession",
    "accession_id",
    "genotype",
    "genotype_id",
    "taxa",
    "taxon",
    "individual",
    "individual_id",
    "name",
    "strain",
    "entry",
)

#: Small enough that a chunk and its index arrays stay in the processor's cache.
BLOCK_BYTES = 1 << 19
MAX_BLOCK_BYTES = 1 << 30

_LINE_FEED = ord("\n")


class WideTable:
    """A table of genotype codes, of which only the header has been read.

    Parameters
    ----------
    path : Path
    id_column : str, optional
        Column of the sample ids. When left out it is the first of `ID_COLUMNS` in the header;
        failing that, the only column that is not in `snps`.
    snps : collection of str, optional
        Names of the model's SNPs. They are never taken for the id column.

    Attributes
    ----------
    path : Path
    format : str
        ``"tsv"`` or ``"csv"``, by the header line.
    compressed : bool
    header : list of str
        Column names, stripped.
    id_column : str
        The resolved name, which may be empty as pandas leaves the header of an index.
    size_bytes : int
        Size on disk.

    Raises
    ------
    FileNotFound, EmptyFile, TruncatedFile
        The file cannot be opened or unpacked.
    NotATable
        The file is binary, another format, or its header has neither a tab nor a comma.
    NoSampleColumn
        `id_column` is not in the header, or none was found.
    DuplicateColumn
        The id column's name occurs twice.
    """

    def __init__(
        self, path: Path, *, id_column: str | None = None, snps: Collection[str] | None = None
    ):
        self._source = TextSource(path)
        self.path = path
        self.size_bytes = self._source.size_bytes
        self.compressed = self._source.compressed
        line = next(self._source.chunks(1 << 16))[1].partition(b"\n")[0]
        self._delimiter = _delimiter(path, line)
        self.format = "tsv" if self._delimiter == "\t" else "csv"
        self.header = [name.strip() for name in self._cells(line, 1)]
        self._counts = Counter(self.header)
        self.id_column = self._find_id_column(id_column, snps)
        self._check_unique([self.id_column])

    @property
    def bytes_read(self) -> int:
        """Bytes on disk that the latest `blocks` has read so far."""
        return self._source.bytes_read

    def blocks(
        self,
        snps: Sequence[str],
        *,
        columns: Sequence[str] = (),
        block_bytes: int = BLOCK_BYTES,
    ) -> Iterator[GenotypeBlock]:
        """Genotypes of the named SNPs, block by block in file order.

        Parameters
        ----------
        snps : sequence of str
            In the order wanted. A name that the header lacks is missing for all samples.
        columns : sequence of str, optional
            Further columns to hand back as text.
        block_bytes : int
            Unpacked bytes per block, about; memory use is some ten times as much.

        Returns
        -------
        iterator of GenotypeBlock
            One block, at least one sample, at a time. Names are checked before it is returned,
            rows while it runs; one table supports one running iterator.

        Raises
        ------
        NoSnpMatched
            None of `snps` is in the header.
        DuplicateColumn
            A column that is read has its name twice in the header.
        UsageError
            One of `columns` is not in the header.
        NoRows
            There is nothing below the header.
        RaggedRow, BadGenotype, NoSampleColumn, DuplicateSample, NotATable, TruncatedFile
            A row is wrong: number of columns, a genotype, an empty or repeated id, quotes, bytes.
            Raised instead of the block that holds the row.
        """
        if block_bytes < 1:
            raise ValueError(f"block_bytes is {block_bytes}, expected at least 1")
        if absent := [name for name in columns if name not in self._counts]:
            raise UsageError(
                f"{self.path} has no column {_names(absent)}",
                f"its first columns are {_names(self.header)}",
            )
        if snps and not any(name in self._counts for name in snps):
            found = [name for name in self.header if name not in (self.id_column, *columns)]
            raise NoSnpMatched(
                f"{self.path} has no SNP of the model: found columns such as "
                f"{_names(found[-3:])}, expected such as {_names(snps, 3)}",
                "SNPs are matched by name; check that the file and the model name them alike "
                "and that the SNPs are in columns",
            )
        self._check_unique([self.id_column, *columns, *snps])
        selection = _Selection(self.header, self.id_column, snps, columns)
        return self._blocks(selection, min(block_bytes, MAX_BLOCK_BYTES))

    def _blocks(self, selection: "_Selection", block_bytes: int) -> Iterator[GenotypeBlock]:
        line_of: dict[str, int] = {}
        for first_line, text in self._source.chunks(block_bytes):
            if first_line == 1:
                first_line, text = 2, text[text.index(b"\n") + 1 :]
            block, lines = self._parse(text, first_line, selection)
            if block.samples:
                self._check_samples(block.samples, lines, line_of)
                yield block
        if not line_of:
            raise NoRows(f"{self.path} has a header and no rows")

    # --- the fast pass ---------------------------------------------------------------------

    def _parse(
        self, text: bytes, first_line: int, selection: "_Selection"
    ) -> tuple[GenotypeBlock, Sequence[int]]:
        """A block and the line number of each of its samples."""
        cells = self._locate(text)
        if cells is None:
            return self._parse_rows(text, first_line, selection)
        data, starts, ends = cells
        width = len(self.header)
        lines = range(first_line, first_line + len(starts) // width)
        starts, ends = starts.reshape(-1, width), ends.reshape(-1, width)
        codes = decode(data, starts[:, selection.cells], ends[:, selection.cells])
        unsettled = np.flatnonzero((codes == UNKNOWN).any(axis=1))
        if len(unsettled):
            rows = text.split(b"\n")
            for row in unsettled:
                cells_of_row = self._cells(rows[row], lines[row])
                codes[row] = self._codes_of_row(cells_of_row, lines[row], selection)
        texts = {
            index: [
                text[start:end].decode().strip()
                for start, end in zip(
                    starts[:, index].tolist(), ends[:, index].tolist(), strict=True
                )
            ]
            for index in selection.text_cells
        }
        return selection.block(codes, texts), lines

    def _locate(self, text: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Where every cell starts and ends.

        Returns
        -------
        (ndarray (bytes,) of uint8, ndarray (cells,) of int32, ndarray (cells,) of int32) or None
            The bytes; per cell its first position and the one behind its last, without quotes.
            None when not all rows have the header's number of columns, or quotes need the csv
            module.
        """
        data = np.frombuffer(text, np.uint8)
        line_feeds = data == _LINE_FEED
        separators = line_feeds | (data == ord(self._delimiter))
        quoted = b'"' in text
        if quoted:
            inside = inside_quotes(data, separators, line_feeds)
            if inside is None:
                return None
            separators &= ~inside
        ends = np.flatnonzero(separators).astype(np.int32)
        width = len(self.header)
        rows = np.count_nonzero(line_feeds)
        if len(ends) != rows * width or not line_feeds[ends[width - 1 :: width]].all():
            return None
        starts = np.empty_like(ends)
        if len(ends):
            starts[0] = 0
            np.add(ends[:-1], 1, out=starts[1:])
        if quoted:
            opened = data[starts] == QUOTE
            starts += opened
            ends -= opened
        return data, starts, ends

    # --- one row at a time -----------------------------------------------------------------

    def _parse_rows(
        self, text: bytes, first_line: int, selection: "_Selection"
    ) -> tuple[GenotypeBlock, Sequence[int]]:
        lines: list[int] = []
        codes: list[np.ndarray] = []
        texts: dict[int, list[str]] = {index: [] for index in selection.text_cells}
        for number, line in enumerate(text.split(b"\n"), first_line):
            if not line.strip(b" "):
                continue
            cells = self._cells(line, number)
            if len(cells) != len(self.header):
                raise self._ragged(number, len(cells))
            lines.append(number)
            codes.append(self._codes_of_row(cells, number, selection))
            for index, values in texts.items():
                values.append(cells[index].strip())
        shape = (len(lines), len(selection.cell_list))
        return selection.block(np.array(codes, np.int8).reshape(shape), texts), lines

    def _cells(self, line: bytes, number: int) -> list[str]:
        text = line.decode()
        if '"' not in text:
            return text.split(self._delimiter)
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True))
        except csv.Error:
            raise NotATable(
                f"{self.path}, line {number}: a quoted cell is not closed, or text follows its "
                "closing quote",
                'a quote within a quoted cell is written ""; line breaks within cells are not read',
            ) from None

    def _codes_of_row(self, cells: list[str], number: int, selection: "_Selection") -> np.ndarray:
        wanted = [cells[index] for index in selection.cell_list]
        # map and not a comprehension: a file of padded cells comes here for every row.
        codes = list(map(CODE_OF.get, map(str.lower, map(str.strip, wanted))))
        if None in codes:
            at = codes.index(None)
            raise BadGenotype(
                f"{self.path}, line {number}, column {self.header[selection.cell_list[at]]!r}: "
                f"found {_short(wanted[at])}, expected 0, 1, 2 or missing (NA, nan, -9, -1, empty)",
                "genotypes are the number of copies of the counted allele; allele letters and "
                "calls such as 0/1 must be converted first",
            )
        return np.array(codes, np.int8)

    def _ragged(self, number: int, found: int) -> RaggedRow:
        expected = len(self.header)
        hint = None
        if number == 2 and found == expected + 1:
            hint = (
                "R's write.table leaves out the header of the row names: "
                "write the table with col.names = NA"
            )
        return RaggedRow(
            f"{self.path}, line {number}: found {found} columns, expected {expected} as in the "
            "header",
            hint,
        )

    # --- checks ----------------------------------------------------------------------------

    def _find_id_column(self, wanted: str | None, snps: Collection[str] | None) -> str:
        known = frozenset(snps or ())
        others = [name for name in self.header if name not in known]
        if wanted is not None:
            if wanted in self._counts:
                return wanted
            raise NoSampleColumn(
                f"{self.path} has no column {wanted!r}; found {_names(others)}",
                "name the column of the sample ids with --id-column NAME",
            )
        by_plain_name: dict[str, list[str]] = {}
        for name in dict.fromkeys(others):
            by_plain_name.setdefault(_plain(name), []).append(name)
        for plain in ID_COLUMNS:
            match by_plain_name.get(plain, ()):
                case [name]:
                    return name
                case [_, *_] as names:
                    raise NoSampleColumn(
                        f"{self.path} has more than one column that may hold the sample ids: "
                        f"{_names(names)}",
                        "name the one to use with --id-column NAME",
                    )
        if known and len(others) == 1:
            return others[0]
        raise NoSampleColumn(
            f"{self.path} has no column with a usual name for sample ids such as "
            f"{_names(ID_COLUMNS[:3])}; found {_names(others)}",
            "name the column of the sample ids with --id-column NAME",
        )

    def _check_unique(self, names: Iterable[str]) -> None:
        repeated = [name for name in dict.fromkeys(names) if self._counts[name] > 1]
        if repeated:
            raise DuplicateColumn(
                f"{self.path} has more than one column {_names(repeated)}",
                "rename or remove the repeated columns",
            )

    def _check_samples(
        self, samples: list[str], lines: Sequence[int], line_of: dict[str, int]
    ) -> None:
        """Refuse empty and repeated ids, and add the others to `line_of`."""
        repeated: list[str] = []
        for sample, line in zip(samples, lines, strict=True):
            if not sample:
                raise NoSampleColumn(
                    f"{self.path}, line {line}: the sample id in column {self.id_column!r} is empty"
                )
            first = line_of.setdefault(sample, line)
            if first != line:
                repeated.append(f"{_short(sample)} (lines {first} and {line})")
        if repeated:
            more = ", ..." if len(repeated) > 5 else ""
            raise DuplicateSample(
                f"{self.path} has repeated sample ids: {', '.join(repeated[:5])}{more}",
                "give every row its own id, or name another column with --id-column NAME",
            )


class _Selection:
    """Which cells of a row are read, and where their codes go.

    Attributes
    ----------
    cell_list : list of int
        Positions of the SNP columns in the file, ascending.
    cells : slice or ndarray
        The same, as the cheapest index.
    text_cells : list of int
        Positions of the id column and of the further columns.
    """

    def __init__(
        self, header: list[str], id_column: str, snps: Sequence[str], columns: Sequence[str]
    ):
        position = {name: index for index, name in enumerate(header)}
        self._names = {name: position[name] for name in columns}
        self._id = position[id_column]
        self.text_cells = list({self._id, *self._names.values()})

        of_snp = np.array([position.get(name, -1) for name in snps], np.intp)
        self._present = np.flatnonzero(of_snp >= 0)
        unique, self._source = np.unique(of_snp[self._present], return_inverse=True)
        self.cell_list: list[int] = unique.tolist()
        dense = len(unique) > 0 and unique[-1] - unique[0] + 1 == len(unique)
        self.cells = slice(unique[0], unique[-1] + 1) if dense else unique
        self._n_snps = len(snps)
        self._as_read = np.array_equal(of_snp, unique)

    def block(self, codes: np.ndarray, texts: dict[int, list[str]]) -> GenotypeBlock:
        """Block in the order asked for, from codes in file order."""
        if not self._as_read:
            ordered = np.full((len(codes), self._n_snps), MISSING, np.int8)
            ordered[:, self._present] = codes[:, self._source]
            codes = ordered
        columns = {name: texts[index] for name, index in self._names.items()}
        return GenotypeBlock(texts[self._id], np.ascontiguousarray(codes), columns)


def _delimiter(path: Path, line: bytes) -> str:
    if b"\t" in line:
        return "\t"
    if b"," in line:
        return ","
    if not line.strip():
        raise NotATable(f"{path}: the first line is blank", "the first line must name the columns")
    hint = "separate the columns by tabs or commas"
    if b";" in line:
        hint += ", not by semicolons"
    elif b" " in line.strip():
        hint += ", not by spaces"
    raise NotATable(f"{path} has neither a tab nor a comma in its first line", hint)


def _plain(name: str) -> str:
    return name.removeprefix("#").lower().replace(" ", "_").replace(".", "_").replace("-", "_")


def _short(value: str, limit: int = 40) -> str:
    return repr(value if len(value) <= limit else value[:limit] + "...")


def _names(names: Sequence[str], limit: int = 5) -> str:
    more = ", ..." if len(names) > limit else ""
    return ", ".join(_short(name) for name in names[:limit]) + more
