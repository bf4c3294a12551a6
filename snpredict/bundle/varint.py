"""Whole numbers of variable length, as protobuf and Thrift write them."""

_MAX_BITS = 64


def varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """The number at a place and the place behind it.

    Seven bits per byte, the lowest first; the eighth bit says that more follow.

    Raises
    ------
    IndexError
        The data end within the number, or it has more than 64 bits.
    """
    value = 0
    for shift in range(0, _MAX_BITS, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise IndexError("a number of more than 64 bits")
