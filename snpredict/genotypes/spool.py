"""Genotypes as PLINK 1 packs them: two bits each, one row of bytes per variant.

A .bed is read from such rows, and every format that has its variants in rows goes through a
temporary file of them: a quarter of a byte per genotype, turned into blocks of samples at the
end. The file is mapped, never read as a whole.

The bits of a genotype (second, first) mean, for a row that counts allele A over B: 00 A/A, 01
missing, 10 A/B, 11 B/B. The first sample has the lowest bits of the first byte.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import BinaryIO, cast

import numpy as np

from snpredict.errors import OutputError
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock, Selection

#: Samples and genotypes per block, at most: a block of a few thousand SNPs fits the processor's
#: cache, and one of very many SNPs still fits the memory.
_BLOCK_SAMPLES = 256
_BLOCK_GENOTYPES = 1 << 23

#: Bytes copied from the mapped file at a time, about: they are read again by columns, and should
#: lie in the processor's cache then.
_STRIPE_BYTES = 1 << 22

#: Bytes of a row that are copied at a time, at least: of very many rows each pass takes longer
#: than what it copies.
_LEAST_WIDTH = 32

#: Rows after which mapped pages are given back; the system maps some 64 kB around each access.
_ROWS_MAPPED = 512

#: Rows are read one by one where they lie further apart than this, on average.
_SCATTERED = 8

_LOW_BITS = np.uint8(0x55)


class PackedRows:
    """Rows of packed genotypes in an open file.

    Parameters
    ----------
    file : BinaryIO
        Not written to while it is read here.
    samples : sequence of str
        Ids, one per genotype of a row.
    offset : int
        Where the first row begins.
    """

    def __init__(self, file: BinaryIO, samples: Sequence[str], offset: int = 0):
        self._file = file
        self.samples = list(samples)
        self.row_bytes = row_bytes(len(self.samples))
        self._offset = offset

    def blocks(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """The selected rows as blocks of samples.

        Parameters
        ----------
        selection : Selection
            Its `variants` are row numbers, from 0.
        """
        n_snps = len(selection.variants)
        present = np.flatnonzero(selection.variants >= 0)
        rows = selection.variants[present]
        if not len(present):
            chosen = self.samples[selection.samples]
            for start in range(0, len(chosen), _BLOCK_SAMPLES):
                samples = chosen[start : start + _BLOCK_SAMPLES]
                nothing = np.full((len(samples), n_snps), MISSING, np.int8)
                yield GenotypeBlock(samples, Genotypes(nothing))
            return
        # As a mask per SNP: where the model counts B, the bits of A/A and B/B change places.
        swap = np.where(selection.swapped[present], _LOW_BITS, np.uint8(0))
        step = max(1, min(_BLOCK_SAMPLES, _BLOCK_GENOTYPES // len(present)) // 4)
        width = max(_STRIPE_BYTES // len(present), _LEAST_WIDTH)
        stripe = max(1, width // step) * step
        first, end, _ = selection.samples.indices(len(self.samples))
        last = row_bytes(end) if first < end else 0
        for start in range(first // 4, last, stripe):
            packed = self._stripe(rows, start, min(start + stripe, last))
            for at in range(0, packed.shape[1], step):
                part = np.ascontiguousarray(packed[:, at : at + step].T)
                begin = 4 * (start + at)
                # The first and the last byte may hold samples that were not asked for.
                here = slice(max(begin, first), min(begin + 4 * len(part), end))
                samples = self.samples[here]
                codes = _unpack(part, swap)[here.start - begin : here.stop - begin]
                if len(present) < n_snps:
                    widened = np.full((len(samples), n_snps), MISSING, np.int8)
                    widened[:, present] = codes
                    codes = widened
                yield GenotypeBlock(samples, Genotypes(codes))

    def _stripe(self, rows: np.ndarray, start: int, end: int) -> np.ndarray:
        """Bytes `start` to `end` of the rows, (rows, end − start) uint8."""
        if len(rows) and np.ptp(rows) > _SCATTERED * len(rows) and hasattr(os, "pread"):
            # A mapped page, and its neighbours, would be fetched for each few bytes.
            number, width = self._file.fileno(), end - start
            first = (self._offset + start + rows * self.row_bytes).tolist()
            pieces = b"".join([os.pread(number, width, at) for at in first])
            return np.frombuffer(pieces, np.uint8).reshape(len(rows), width)
        packed = np.empty((len(rows), end - start), np.uint8)
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            table = np.frombuffer(mapped, np.uint8, offset=self._offset)
            table = table[: len(table) // self.row_bytes * self.row_bytes]
            table = table.reshape(-1, self.row_bytes)
            for first in range(0, len(rows), _ROWS_MAPPED):
                part = slice(first, first + _ROWS_MAPPED)
                packed[part] = table[rows[part], start:end]
                # What was read is copied, so its pages can go; they would count as our memory.
                if hasattr(mapped, "madvise"):
                    mapped.madvise(mmap.MADV_DONTNEED)
            del table  # the map cannot be closed while it is in use
        return packed


def _temporary_file() -> BinaryIO:
    try:
        return cast("BinaryIO", tempfile.TemporaryFile())
    except OSError as error:
        raise OutputError(
            f"a temporary file cannot be made: {error.strerror or error}",
            "name a folder that can be written in the environment variable TMPDIR; a container "
            "with a read-only root gets one by --tmpfs /tmp",
        ) from None


class Spool:
    """A temporary file of packed rows, for formats that have their variants in rows.

    Rows are appended, then read as blocks of samples. The file has no name and vanishes with
    this object, also when the process is killed. It lies in the folder that TMPDIR names.

    Parameters
    ----------
    samples : sequence of str

    Raises
    ------
    OutputError
        No folder for temporary files can be written.
    """

    def __init__(self, samples: Sequence[str]):
        self._samples = list(samples)
        self._files: list[BinaryIO] = []
        self._codes = self._file()
        self._dosages: BinaryIO | None = None
        #: Row of the dosage file by row of the code file.
        self._dosage_row: dict[int, int] = {}
        self.n_rows = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Give the disk space back."""
        for file in self._files:
            file.close()

    def append(self, codes: np.ndarray) -> None:
        """Add variants.

        Parameters
        ----------
        codes : ndarray (variants, samples) of int8
            Copies of the file's counted allele: −1, 0, 1, 2.

        Raises
        ------
        OutputError
            The temporary folder is full.
        """
        self._write(self._codes, pack(codes))
        self.n_rows += len(codes)

    def append_dosages(self, dosages: np.ndarray) -> None:
        """Add one variant with dosages.

        Parameters
        ----------
        dosages : ndarray (samples,) of float32
            Expected copies of the file's counted allele, 0 to 2; NaN for missing.

        Raises
        ------
        OutputError
            The temporary folder is full.
        """
        missing = np.isnan(dosages)
        whole = np.where(missing, MISSING, np.nan_to_num(dosages)).astype(np.int8)
        if (missing | (whole == dosages)).all():
            self.append(whole[None])
            return
        if self._dosages is None:
            self._dosages = self._file()
        self._dosage_row[self.n_rows] = len(self._dosage_row)
        self._write(self._dosages, np.ascontiguousarray(dosages, np.float32))
        self.append(whole[None])

    def blocks(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """The selected rows as blocks of samples; see `PackedRows.blocks`."""
        if not self._samples:
            return
        self._codes.flush()
        if self.n_rows == 0:
            # An empty file cannot be mapped, and nothing is selected from it.
            self._codes.write(b"\0")
            self._codes.flush()
        blocks = PackedRows(self._codes, self._samples).blocks(selection)
        with_dosages = [
            (snp, self._dosage_row[row])
            for snp, row in enumerate(selection.variants.tolist())
            if row in self._dosage_row
        ]
        if not with_dosages or self._dosages is None:
            yield from blocks
            return
        self._dosages.flush()
        snps, rows = map(np.array, zip(*with_dosages, strict=True))
        swapped = selection.swapped[snps]
        start = selection.samples.start or 0
        with mmap.mmap(self._dosages.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            table = np.frombuffer(mapped, np.float32).reshape(-1, len(self._samples))
            try:
                for block in blocks:
                    end = start + len(block.samples)
                    dosages = table[:, start:end][rows].T
                    if hasattr(mapped, "madvise"):
                        mapped.madvise(mmap.MADV_DONTNEED)
                    yield _with_dosages(block, snps, np.where(swapped, 2 - dosages, dosages))
                    start = end
            finally:
                del table

    def _file(self) -> BinaryIO:
        file = _temporary_file()
        self._files.append(file)
        return file

    def _write(self, file: BinaryIO, rows: np.ndarray) -> None:
        try:
            file.write(rows.data)
        except OSError as error:
            raise OutputError(
                f"the temporary file in {tempfile.gettempdir()} cannot be written: "
                f"{error.strerror or error}",
                "name a folder with more room in the environment variable TMPDIR; it takes a "
                "quarter of a byte per genotype, 4 bytes per dosage",
            ) from None


class SpooledReader:
    """What readers share that spool a file's variants before they hand them out by samples.

    `variants` fills the spool.
    """

    coding = ""
    id_column = ""
    _spool: Spool | None = None

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """Genotypes of the selected variants, block by block; see `GenotypeReader`."""
        if self._spool is None:
            raise RuntimeError("genotypes() is called after variants()")
        return self._spool.blocks(selection)


def row_bytes(n_samples: int) -> int:
    """Bytes of one variant's row."""
    return (n_samples + 3) // 4


def pack(codes: np.ndarray) -> np.ndarray:
    """Rows of packed genotypes.

    Parameters
    ----------
    codes : ndarray (variants, samples) of int8
        −1, 0, 1, 2.

    Returns
    -------
    ndarray (variants, (samples + 3) // 4) of uint8
    """
    n_variants, n_samples = codes.shape
    # +1 makes −1, 0, 1, 2 to 0, 1, 2, 3, which are then translated many at a time.
    plus_one = np.zeros((n_variants, row_bytes(n_samples), 4), np.uint8)
    flat = plus_one.reshape(n_variants, 4 * row_bytes(n_samples))
    np.add(codes, 1, out=flat[:, :n_samples].view(np.int8))
    packed = plus_one[:, :, 0].copy()
    for place in range(1, 4):
        packed |= plus_one[:, :, place] << np.uint8(2 * place)
    low, high = packed & _LOW_BITS, (packed >> 1) & _LOW_BITS
    # 00 → 01, 01 → 11, 10 → 10, 11 → 00
    first = high ^ _LOW_BITS
    second = low ^ high
    return (second << 1) | first


def _unpack(packed: np.ndarray, swap: np.ndarray) -> np.ndarray:
    """Codes (4 · n, rows) of bytes (n, rows); `swap` is 0x55 where the other allele counts."""
    first = packed & _LOW_BITS
    second = (packed >> 1) & _LOW_BITS
    # Code + 1 in two bits: the low one is 1 for A/A and B/B, the high one for A/B and for the
    # homozygote that counts 2.
    low = (first ^ second) ^ _LOW_BITS
    high = (second & swap) | ((first ^ _LOW_BITS) & (swap ^ _LOW_BITS))
    plus_one = (high << 1) | low
    codes = np.empty((len(packed), 4, packed.shape[1]), np.int8)
    for place in range(4):
        bits = (plus_one >> np.uint8(2 * place)) & np.uint8(3)
        np.subtract(bits.view(np.int8), np.int8(1), out=codes[:, place])
    return codes.reshape(-1, packed.shape[1])


def _with_dosages(block: GenotypeBlock, snps: np.ndarray, dosages: np.ndarray) -> GenotypeBlock:
    missing = np.isnan(dosages)
    floor = np.floor(np.nan_to_num(dosages)).astype(np.int8)
    codes = block.codes.copy()
    codes[:, snps] = np.where(missing, MISSING, floor)
    fractions = np.zeros(codes.shape, np.float32)
    fractions[:, snps] = np.where(missing, 0, np.nan_to_num(dosages) - floor)
    return GenotypeBlock(block.samples, Genotypes(codes, fractions), block.columns)
