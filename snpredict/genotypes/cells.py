"""Cells of a genotype table: from their bytes to codes, all cells of a chunk at once."""

import numpy as np

from snpredict.encoding import MISSING, MISSING_SPELLINGS

QUOTE = ord('"')
UNKNOWN = -128

#: Code of every accepted cell, in lower case. pandas writes a column with gaps as floats.
CODE_OF: dict[str, int] = {
    "0": 0,
    "1": 1,
    "2": 2,
    "0.0": 0,
    "1.0": 1,
    "2.0": 2,
    "-9.0": MISSING,
    "-1.0": MISSING,
    **dict.fromkeys(MISSING_SPELLINGS, MISSING),
}

_LOWER = np.frombuffer(bytes(range(256)).lower(), np.uint8)

#: Longest spelling whose bytes fit the uint32 key of the fast pass.
_MAX_KEY_BYTES = 4


def _key_tables() -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """By cell width: the spellings as sorted big-endian numbers, and their codes."""
    tables = {}
    for width in range(1, _MAX_KEY_BYTES + 1):
        keyed = sorted(
            (int.from_bytes(text.encode(), "big"), code)
            for text, code in CODE_OF.items()
            if len(text) == width
        )
        tables[width] = (
            np.array([key for key, _ in keyed], np.uint32),
            np.array([code for _, code in keyed], np.int8),
        )
    return tables


_KEYS = _key_tables()


def _one_byte_table() -> np.ndarray:
    keys, codes = _KEYS[1]
    table = np.full(256, UNKNOWN, np.int8)
    table[keys] = codes
    return table[_LOWER]


_ONE_BYTE = _one_byte_table()


def decode(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Codes of the cells, `UNKNOWN` where the look-up does not know one.

    Parameters
    ----------
    data : ndarray (bytes,) of uint8
    starts, ends : ndarray (rows, SNPs) of int32

    Returns
    -------
    ndarray (rows, SNPs) of int8
    """
    shape = ends.shape
    # Flat copies: an index array leaves another memory order, where a reshaped view is none.
    widths, ends = (ends - starts).ravel(), ends.ravel()
    # Right for cells of one byte; the others are done again below.
    codes = _ONE_BYTE[data[ends - 1]]
    rest = np.flatnonzero(widths != 1)
    rest_widths = widths[rest]
    codes[rest] = np.where(rest_widths == 0, MISSING, UNKNOWN)
    for width in range(2, _MAX_KEY_BYTES + 1):
        cells = rest[rest_widths == width]
        if not len(cells):
            continue
        at = ends[cells] - width
        found = np.zeros(len(cells), np.uint32)
        for offset in range(width):
            found = (found << np.uint32(8)) | _LOWER[data[at + offset]]
        keys, codes_of_keys = _KEYS[width]
        nearest = np.searchsorted(keys, found).clip(max=len(keys) - 1)
        codes[cells] = np.where(keys[nearest] == found, codes_of_keys[nearest], UNKNOWN)
    return codes.reshape(shape)


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
