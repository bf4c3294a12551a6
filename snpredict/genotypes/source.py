"""Text files, plain or gzip, as a stream of whole lines."""

import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from snpredict.ahead import ahead
from snpredict.errors import EmptyFile, FileNotFound, NotATable, TruncatedFile
from snpredict.genotypes.formats import BOM, GZIP_MAGIC, cannot_open, format_of_head

#: No genotype file has such a line; a binary file without line ends would fill the memory.
MAX_LINE_BYTES = 1 << 28

_READ_BYTES = 1 << 18

#: A compressed file of more bytes is unpacked ahead of the parsing, by so many pieces.
_AHEAD_BYTES = 1 << 19
_PIECES_AHEAD = 16

_SAVE_AS = "save it as UTF-8 text, tab- or comma-separated"


class TextSource:
    """A text file whose beginning has been checked.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    path : Path
    size_bytes : int
        Size on disk.
    compressed : bool
        Whether it is gzip (also bgzip), by its content and not by its name.
    format : str
        What its beginning looks like, one of `snpredict.choices.INPUT_FORMATS`.
    bytes_read : int
        Bytes on disk read by the latest call of `chunks`.

    Raises
    ------
    FileNotFound
        No such file, not a regular file, or no permission.
    EmptyFile
        No text in it.
    NotATable
        It begins like a known kind of file that is not read, such as an Excel workbook.
    TruncatedFile
        The gzip stream is damaged or ends within the first bytes.
    """

    def __init__(self, path: Path):
        self.path = path
        self.bytes_read = 0
        try:
            if path.exists() and not path.is_file():
                kind = "a directory" if path.is_dir() else "not a regular file"
                raise FileNotFound(f"{path} is {kind}", "name a file")
            self.size_bytes = path.stat().st_size
            with path.open("rb") as file:
                self.compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        except (OSError, ValueError) as error:
            raise cannot_open(path, error) from None
        head = next(self._pieces(_READ_BYTES), b"")
        head = head.removeprefix(BOM)
        if not head:
            raise EmptyFile(f"{path} is empty")
        self.format = format_of_head(head, path)

    def chunks(self, block_bytes: int) -> Iterator[tuple[int, bytes]]:
        """Whole lines, in pieces of about `block_bytes`.

        Parameters
        ----------
        block_bytes : int
            At least 1. A line that is longer is not cut.

        Yields
        ------
        first_line : int
            Number of the piece's first line, from 1.
        text : bytes
            Valid UTF-8 without a byte-order mark, NUL or carriage return; every line, also the
            file's last, ends with a line feed.

        Raises
        ------
        NotATable
            NUL, bytes that are not UTF-8, a carriage return within a line, or no line end.
        TruncatedFile
            The gzip stream is damaged or ends too early.
        """
        self.bytes_read = 0
        line = 1
        for raw in self._whole_lines(block_bytes):
            text = raw.removeprefix(BOM) if line == 1 else raw
            if b"\r" in text:
                text = text.replace(b"\r\n", b"\n")
            self._check_text(text, line)
            yield line, text
            line += text.count(b"\n")

    def lines(self, block_bytes: int = 1 << 17) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers, from 1, without line feeds; see `chunks`."""
        for first, text in self.chunks(block_bytes):
            lines = text.split(b"\n")
            lines.pop()
            yield from enumerate(lines, first)

    def _check_text(self, text: bytes, line: int) -> None:
        if (at := text.find(b"\r")) >= 0:
            line += text.count(b"\n", 0, at)
            raise NotATable(
                f"{self.path}, line {line}: carriage return within the line",
                "convert the line ends to LF or CRLF, for example with mac2unix",
            )
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError as error:
                at = error.start
                line += text.count(b"\n", 0, at)
                raise NotATable(
                    f"{self.path}, line {line}: byte 0x{text[at]:02x} is not UTF-8 text; this "
                    "looks like a binary file or another text encoding",
                    _SAVE_AS,
                ) from None

    def _whole_lines(self, block_bytes: int) -> Iterator[bytes]:
        parts: list[bytes] = []
        size = 0
        pieces: Iterator[bytes] = (unpacked := self._pieces(min(block_bytes, _READ_BYTES)))
        if self.compressed and self.size_bytes > _AHEAD_BYTES:
            pieces = ahead(unpacked, _PIECES_AHEAD)
        for piece in pieces:
            if b"\0" in piece:
                raise NotATable(
                    f"{self.path} holds a NUL byte; this looks like a binary file", _SAVE_AS
                )
            size += len(piece)
            cut = piece.rfind(b"\n") + 1 if size >= block_bytes else 0
            if cut:
                parts.append(piece[:cut])
                yield b"".join(parts)
                parts = [piece[cut:]]
                size = len(piece) - cut
            else:
                parts.append(piece)
                if size > block_bytes + MAX_LINE_BYTES:
                    raise NotATable(f"{self.path} has a line of more than {MAX_LINE_BYTES} bytes")
        if rest := b"".join(parts):
            yield rest if rest.endswith(b"\n") else rest + b"\n"

    def _pieces(self, size: int) -> Generator[bytes, None, None]:
        """Unpacked bytes, at most `size` at a time, never empty."""
        try:
            with self.path.open("rb") as file:
                if self.compressed:
                    yield from self._inflate(file, size)
                else:
                    while piece := self._read(file, size):
                        yield piece
        except zlib.error:
            raise TruncatedFile(
                f"{self.path} is damaged: its gzip data cannot be unpacked", "copy it again"
            ) from None
        except OSError as error:
            raise cannot_open(self.path, error) from None

    def _inflate(self, file: BinaryIO, size: int) -> Iterator[bytes]:
        # zlib and not gzip.GzipFile: a bound on the output per step, and it knows the position.
        # bgzip and `cat a.gz b.gz` write several members, each with its own decompressor.
        member = zlib.decompressobj(wbits=31)
        raw = b""
        while True:
            raw = raw or self._read(file)
            at_end = not raw
            piece = member.decompress(raw, size)
            raw = member.unconsumed_tail
            if piece:
                yield piece
            if member.eof:
                raw = member.unused_data.lstrip(b"\0")  # tape blocks are padded with zeros
                while not raw:
                    more = self._read(file)
                    if not more:
                        return
                    raw = more.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31)
            elif at_end and not piece:
                raise TruncatedFile(
                    f"{self.path} ends before the end of its gzip data", "copy it again"
                )

    def _read(self, file: BinaryIO, size: int = _READ_BYTES) -> bytes:
        raw = file.read(size)
        self.bytes_read += len(raw)
        return raw
