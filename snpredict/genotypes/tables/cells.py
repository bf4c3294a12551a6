"""Cells of a genotype table: from their bytes to values, all cells of a chunk at once."""

import itertools

import numpy as np

from snpredict.errors import BadGenotype
from snpredict.formulas.encoding import MISSING, MISSING_SPELLINGS
from snpredict.genotypes.coding import MINUS_ONE, UNKNOWN, Coding

QUOTE = ord('"')

#: Value of every accepted cell, in lower case, as `snpredict.genotypes.coding` takes it. pandas
#: writes a column with gaps as floats.
VALUE_OF: dict[str, int] = {
    **dict.fromkeys(MISSING_SPELLINGS, MISSING),
    "0": 0,
    "1": 1,
    "2": 2,
    "0.0": 0,
    "1.0": 1,
    "2.0": 2,
    "-9.0": MISSING,
    "-1": MINUS_ONE,
    "-1.0": MINUS_ONE,
}

_SPACE = ord(" ")
_LINE_FEED = ord("\n")

#: Blanks on either side of a cell that the fast pass takes off.
_MAX_PADDING = 8

#: Longest spelling: its bytes are one uint32.
_KEY_BYTES = 4

#: Keeps the first bytes of a key, by their number.
_KEY_MASK = np.array([(1 << 8 * width) - 1 for width in range(_KEY_BYTES + 1)], np.uint32)


def _key_tables() -> tuple[np.ndarray, np.ndarray]:
    """All spellings, in either case, as sorted little-endian numbers, and their values."""
    value_of_key = {
        int.from_bytes("".join(spelling).encode(), "little"): value
        for text, value in VALUE_OF.items()
        for spelling in itertools.product(*((letter, letter.upper()) for letter in text))
    }
    keys = sorted(value_of_key)
    return np.array(keys, np.uint32), np.array([value_of_key[key] for key in keys], np.int8)


_KEYS, _VALUES_OF_KEYS = _key_tables()


def _one_byte_table() -> np.ndarray:
    table = np.full(256, UNKNOWN, np.int8)
    single = _KEYS < 256
    table[_KEYS[single]] = _VALUES_OF_KEYS[single]
    table[_SPACE] = MISSING
    return table


_ONE_BYTE = _one_byte_table()


def decode(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Values of the cells, see `snpredict.genotypes.coding`; `UNKNOWN` where there is none.

    Parameters
    ----------
    data : ndarray (bytes,) of uint8
        Without NUL.
    starts, ends : ndarray (rows, SNPs) of int32

    Returns
    -------
    ndarray (rows, SNPs) of int8
    """
    shape = ends.shape
    # Flat copies: an index array leaves another memory order, where a reshaped view is none.
    widths, ends = (ends - starts).ravel(), ends.ravel()
    # Right for cells of one byte; the others are done again below.
    # "clip", which never happens, spares `take` the copy that checking for errors costs.
    values = _ONE_BYTE.take(data.take(ends - 1, mode="clip"), mode="clip")
    rest = np.flatnonzero(widths != 1)
    if len(rest):
        values[rest] = _decode_wide(data, widths[rest], ends[rest])
    return values.reshape(shape)


def _decode_wide(data: np.ndarray, widths: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """As `decode`, for cells of any width; `widths` and `ends` are changed."""
    if (data == _SPACE).any():
        for _ in range(_MAX_PADDING):
            padded = (data[ends - 1] == _SPACE) & (widths > 0)
            ends -= padded
            widths -= padded
            leading = (data[ends - widths] == _SPACE) & (widths > 0)
            widths -= leading
            if not (padded.any() or leading.any()):
                break
    # A key is the four bytes from where a cell starts, less those behind its end.
    padded_data = np.concatenate((data, np.zeros(_KEY_BYTES, np.uint8)))
    every_four: np.ndarray = np.ndarray((len(data) + 1,), "<u4", padded_data, 0, (1,))
    found = every_four[ends - widths] & _KEY_MASK[np.minimum(widths, _KEY_BYTES)]
    nearest = np.searchsorted(_KEYS, found).clip(max=len(_KEYS) - 1)
    known = (_KEYS[nearest] == found) & (widths <= _KEY_BYTES)
    return np.where(known, _VALUES_OF_KEYS[nearest], np.int8(UNKNOWN))


def locate(text: bytes, delimiter: str, width: int) -> tuple[np.ndarray, ...] | None:
    """Where every cell of a chunk starts and ends.

    Parameters
    ----------
    text : bytes
        Whole lines.
    delimiter : str
    width : int
        Cells that every line must have.

    Returns
    -------
    (ndarray (bytes,) of uint8, ndarray (rows, width) of int32, ndarray (rows, width) of int32)
        The bytes; per cell its first position and the one behind its last, without quotes.
        None when not all rows have that number of cells, or quotes need the csv module.
    """
    data = np.frombuffer(text, np.uint8)
    line_feeds = data == _LINE_FEED
    separators = line_feeds | (data == ord(delimiter))
    quoted = b'"' in text
    if quoted:
        inside = inside_quotes(data, separators, line_feeds)
        if inside is None:
            return None
        separators &= ~inside
    ends = np.flatnonzero(separators).astype(np.int32)
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
    return data, starts.reshape(rows, width), ends.reshape(rows, width)


def inside_quotes(
    data: np.ndarray, separators: np.ndarray, line_feeds: np.ndarray
) -> np.ndarray | None:
    """Which bytes are within quotes, or None where it takes more than counting to know.

    The quotes are taken in pairs. Each pair must enclose a whole cell of one line, so that an
    escaped quote, a quote within a cell and one that is not closed all give None.

    Returns
    -------
    ndarray (bytes,) of bool, or None
    """
    quotes = data == QUOTE
    at = np.flatnonzero(quotes)
    if len(at) % 2:
        return None
    # A line feed ends the text, so position −1 is a separator and no quote is the last byte.
    if not (separators[at[0::2] - 1].all() and separators[at[1::2] + 1].all()):
        return None
    inside = np.bitwise_xor.accumulate(quotes)
    return None if (inside & line_feeds).any() else inside


def bad_genotype(place: str, found: str, coding: Coding, hint: str) -> BadGenotype:
    """The error for a cell that is no code.

    Parameters
    ----------
    place : str
        File, line or row, and column.
    found : str
        The cell, as to be shown.
    coding : Coding
        That of the file.
    hint : str
        The way out, unless the number tells a better one.
    """
    try:
        number = float(found.strip("'"))
    except ValueError:
        number = 0.0
    if coding.name == "-101" and number == 2:
        hint = "leave out --coding -101 where the codes are 0, 1, 2"
    elif 0 < number < 2 and number != 1:
        hint = "tables hold whole genotypes; dosages are read from VCF (DS) and PLINK 2 files"
    return BadGenotype(f"{place}: found {found}, expected {coding.expected}", hint)
