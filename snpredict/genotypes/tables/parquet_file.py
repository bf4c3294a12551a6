"""A Parquet file as columns of genotype codes or text, through pyarrow and without pandas."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.errors import (
    BadGenotype,
    DuplicateColumn,
    NoRows,
    NotATable,
    TruncatedFile,
    UnsupportedFile,
)
from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.coding import MINUS_ONE, UNKNOWN, Coding
from snpredict.genotypes.formats import cannot_open
from snpredict.genotypes.tables.cells import VALUE_OF, bad_genotype
from snpredict.genotypes.tables.snp_columns import FIRST_ROWS
from snpredict.names import quoted, short

#: Cells that are decoded together, at most.
_BATCH_CELLS = 1 << 22

_BAD_CELL = (
    "genotypes are the number of copies of the counted allele, as numbers or text; allele letters "
    "and calls such as 0/1 must be converted first"
)

_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]

#: NumPy's name for each of Arrow's types of numbers.
_NUMBERS = {
    **{name: name for name in _INTEGERS},
    **{"halffloat": "float16", "float": "float32", "double": "float64"},
}

_MAGIC = b"PAR1"


class ParquetFile:
    """A Parquet file, of which only the schema has been read.

    Parameters
    ----------
    path : Path
    coding : str, optional
        One of `snpredict.choices.CODINGS`, where a person says it.

    Attributes
    ----------
    path : Path
    coding : Coding
    size_bytes : int
    header : list of str
        Column names.
    n_rows : int
        At least 1.

    Raises
    ------
    FileNotFound, NotATable, TruncatedFile, UnsupportedFile
        The file cannot be opened, is no Parquet, is damaged, or of a variety that is not read.
    NoRows
    """

    def __init__(self, path: Path, coding: str | None = None):
        self.path = path
        self.coding = Coding(path, coding)
        try:
            self.size_bytes = path.stat().st_size
            with path.open("rb") as file:
                magic = file.read(len(_MAGIC))
        except (OSError, ValueError) as error:
            raise cannot_open(path, error) from None
        if magic != _MAGIC:
            raise NotATable(f"{path} is not a Parquet file", "leave out --input-format")
        with self._reading():
            # Opened here: a name is not to be taken for an address.
            self._file = pq.ParquetFile(
                pa.OSFile(str(path)), page_checksum_verification=True, buffer_size=1 << 16
            )
            fields = list(self._file.schema_arrow)
            self.header: list[str] = [field.name for field in fields]
            self._types: list[pa.DataType] = [field.type for field in fields]
            self.n_rows: int = self._file.metadata.num_rows
        if not (self.n_rows and self.header):
            raise NoRows(f"{path} has no rows")
        self._counts = Counter(self.header)
        self._columns_read = 0

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far, taking all columns for equally long."""
        return self.size_bytes * min(self._columns_read, len(self.header)) // len(self.header)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Arrow's errors as ours."""
        try:
            yield
        except pa.ArrowNotImplementedError as error:
            raise UnsupportedFile(
                f"{self.path} is Parquet of a kind that cannot be read: {_first_line(error)}",
                "write it again with pandas or pyarrow",
            ) from None
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise TruncatedFile(
                f"{self.path} is damaged and cannot be read as Parquet: {_first_line(error)}",
                "copy it or write it again",
            ) from None

    def kind(self, column: int) -> str:
        """Type of a column's values in Arrow's words, ``"string"`` for all that is text."""
        kind = self._types[column]
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        return "string" if _is_text(kind) else str(kind)

    def check_unique(self, columns: Iterable[int]) -> None:
        """Refuse columns whose name occurs twice.

        Raises
        ------
        DuplicateColumn
        """
        names = dict.fromkeys(self.header[column] for column in columns)
        if repeated := [name for name in names if self._counts[name] > 1]:
            raise DuplicateColumn(
                f"{self.path} has more than one column {quoted(repeated)}",
                "rename or remove the repeated columns",
            )

    def is_name(self, column: int) -> bool:
        """Whether a column can hold ids: text or whole numbers."""
        return self.kind(column) in ("string", *_INTEGERS)

    def check_text(self, column: int) -> None:
        """Refuse a column of which `texts` tells nothing.

        Raises
        ------
        UnsupportedFile
        """
        kind = self.kind(column)
        if kind not in ("string", "null", *_NUMBERS):
            raise UnsupportedFile(
                f"{self.path}: column {self.header[column]!r} is of type {kind}, expected text or "
                "numbers"
            )

    def _batches(
        self, columns: Sequence[int], batch_rows: int | None = None
    ) -> Iterator[tuple[int, list[pa.Array]]]:
        """Number of the first row, from 0, and the columns, for consecutive rows."""
        self.check_unique(columns)
        names = [self.header[column] for column in columns]
        batches = self._file.iter_batches(
            batch_size=batch_rows or max(1, _BATCH_CELLS // len(columns)), columns=names
        )
        start = 0
        while True:
            with self._reading():
                batch = next(batches, None)
                if batch is None:
                    break
                batch.validate()
                # By name: asking for "a" also brings "a.b".
                arrays = [batch.column(name) for name in names]
            yield start, arrays
            start += batch.num_rows
        if start != self.n_rows:
            raise TruncatedFile(
                f"{self.path} is damaged: found {start} rows, expected {self.n_rows}"
            )
        self._columns_read += len(columns)

    def texts(
        self, columns: Sequence[int], batch_rows: int = 1 << 16
    ) -> Iterator[tuple[int, list[list[str]]]]:
        """Number of the first row, from 0, and the columns' stripped cells, batch by batch.

        A cell is empty where there is no value, or one that is neither text nor a number.
        """
        for start, arrays in self._batches(columns, batch_rows):
            with self._reading():
                texts = [_texts(array) for array in arrays]
            yield start, texts

    def first_cells(self, columns: list[int]) -> list[list[str]]:
        """Cells of the first rows as text, per column."""
        return next(self.texts(columns, FIRST_ROWS))[1]

    def codes(self, columns: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Number of the first row, from 0, and codes (columns, rows) int8, batch by batch.

        `UNKNOWN` where a cell is no code.
        """
        for start, arrays in self._batches(columns):
            values = np.empty((len(columns), len(arrays[0])), np.int8)
            for at, array in enumerate(arrays):
                with self._reading():
                    values[at] = _decode(array)
            yield start, self.coding.codes(values)

    def bad_cell(self, column: int, row: int, what: str = "") -> BadGenotype:
        """The error for a cell that is no code; `row` counts from 0."""
        found = f"a value of type {self.kind(column)}"
        for start, (texts,) in self.texts([column]):
            if start <= row < start + len(texts) and texts[row - start]:
                found = short(texts[row - start])
        place = f"{self.path}, row {row + 1}{what}, column {self.header[column]!r}"
        return bad_genotype(place, found, self.coding, _BAD_CELL)


def _decode(array: pa.Array) -> np.ndarray:
    """Values of a column as `snpredict.genotypes.coding` takes them."""
    kind = array.type
    values = np.full(len(array), UNKNOWN, np.int8)
    missing = _is_null(array)
    if pa.types.is_dictionary(kind):
        of_value = _decode_values(array.dictionary)
        places = np.where(missing, 0, _numbers(array.indices))
        if len(of_value):
            values = of_value[places]
    elif _is_text(kind):
        return _decode(array.dictionary_encode())
    else:
        return _decode_values(array)
    values[missing] = MISSING
    return values


def _decode_values(array: pa.Array) -> np.ndarray:
    values = np.full(len(array), UNKNOWN, np.int8)
    if _is_text(array.type):
        texts = [_as_text(text) for text in array.to_pylist()]
        values[:] = [VALUE_OF.get(text.lower(), UNKNOWN) for text in texts]
    elif str(array.type) in _NUMBERS:
        numbers = _numbers(array)
        for number, value in ((0, 0), (1, 1), (2, 2), (-1, MINUS_ONE), (-9, MISSING)):
            values[numbers == number] = value
        if numbers.dtype.kind == "f":
            values[np.isnan(numbers)] = MISSING
    values[_is_null(array)] = MISSING
    return values


def _numbers(array: pa.Array) -> np.ndarray:
    # Not array.to_numpy(), which imports pandas where that is installed.
    kind = np.dtype(_NUMBERS[str(array.type)])
    if not len(array):
        return np.empty(0, kind)
    return np.frombuffer(
        array.buffers()[1], kind, count=len(array), offset=array.offset * kind.itemsize
    )


def _is_null(array: pa.Array) -> np.ndarray:
    """Which values are missing, (values,) bool."""
    if array.null_count == len(array):
        return np.ones(len(array), bool)
    bitmap = array.buffers()[0]
    if not array.null_count or bitmap is None:
        return np.zeros(len(array), bool)
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)] == 0


def _texts(array: pa.Array) -> list[str]:
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not (_is_text(kind) or str(kind) in _NUMBERS):
        return [""] * len(array)
    return [_as_text(value) for value in array.to_pylist()]


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _as_text(value: str | int | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _first_line(error: Exception) -> str:
    return short(str(error).partition("\n")[0], 120)
