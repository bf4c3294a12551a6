"""PLINK 2 binary file sets: .pgen with .pvar and .psam.

The records are decoded by pgenlib. What it does not check is read here, from the file's header:
whether the file has the size that its records add up to, and which records hold dosages or more
than two alleles.
"""

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from snpredict.errors import InconsistentFiles, MissingPackage, TruncatedFile, UnsupportedFile
from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.formats import cannot_open
from snpredict.genotypes.plink.text_files import part, read_samples
from snpredict.genotypes.plink.variant_lines import VariantList, pvar_layout, read_variants
from snpredict.genotypes.reader import GenotypeBlock, ReadOptions, Selection
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.spool import Spool, row_bytes
from snpredict.genotypes.variants import Variants, Wanted

#: Genotypes decoded at a time.
_BATCH_BYTES = 1 << 22

#: Dosages that a damaged record may have too many, with room to spare.
_SLACK = 1 << 14

#: Variants per block of the header.
_HEADER_BLOCK = 1 << 16

#: Bits of a record's type.
_MULTI_ALLELIC = 0x08
_DOSAGES = 0x60

_REWRITE = "write the file again: plink2 --pfile PREFIX --make-pgen --out NEW"
_COPY = "copy the file again, or write it again"
_UNIQUE_IDS = (
    "samples are named by the column IID of the .psam; give every sample its own id there, for "
    "example with plink2 --pfile PREFIX --update-ids FILE --make-pgen --out NEW"
)


class PgenReader:
    """The genotypes of a .pgen, which count the alternative allele (ALT) of its .pvar.

    Parameters
    ----------
    path : Path
        The .pgen; the .pvar and the .psam lie beside it.
    options : ReadOptions
        `dosages` is used.
    snps
        Of no concern to this format.

    Raises
    ------
    MissingPackage
        pgenlib is not installed.
    UnsupportedFile
        A storage mode that is not read, or the .pvar is compressed with zstd.
    InconsistentFiles
        The .pvar or the .psam is not there, or the .psam has another number of samples.
    SnpredictError
        The .psam is damaged or has an id twice; see
        `snpredict.genotypes.plink.text_files.read_samples`.
    """

    format = "pgen"
    coding = ""
    id_column = ""
    bytes_read = 0

    def __init__(self, path: Path, options: ReadOptions, snps: Wanted | None):
        try:
            self._pgenlib: Any = importlib.import_module("pgenlib")
        except ImportError:
            raise MissingPackage(
                f"{path}: reading PLINK 2 .pgen files needs pgenlib",
                'pip install "snpredict[pgen]"',
            ) from None
        self._header = _Header.of(path)
        rewrite = f"plink2 --pfile {path.with_suffix('')} vzs --make-pgen --out NEW"
        self.path = path
        self.size_bytes = self._header.size_bytes
        self._pvar = part(path, ".pvar", rewrite)
        self._psam = part(path, ".psam", rewrite)
        self.files = [path, self._pvar, self._psam]
        self.notes: dict[str, int] = {}
        self._dosages = options.dosages
        self._samples = read_samples(self._psam, _UNIQUE_IDS)
        self.n_samples: int | None = len(self._samples)
        if self._header.n_samples != len(self._samples):
            raise InconsistentFiles(
                f"{path} has {self._header.n_samples} samples, expected {len(self._samples)} as "
                f"in {self._psam.name}",
                "the three files must be of one set",
            )
        self._found = VariantList()
        self._types = np.empty(0, np.uint8)

    def variants(self, wanted: Wanted) -> Variants:
        """The variants of the .pvar that may be SNPs of the model.

        Raises
        ------
        InconsistentFiles
            The .pvar has another number of variants, or fewer alleles of one, than the .pgen.
        TruncatedFile
            The .pgen has another size than its header says.
        RaggedRow, BadVariant, NotATable
            The .pvar is damaged.
        """
        source = TextSource(self._pvar)
        self._found = found = read_variants(source, pvar_layout(source), wanted)
        if found.variants.total != self._header.n_variants:
            raise InconsistentFiles(
                f"{self.path} has {self._header.n_variants} variants, expected "
                f"{found.variants.total} as in {self._pvar.name}",
                "the three files must be of one set",
            )
        self._types = self._header.record_types(np.array(found.records, np.int64))
        for place in np.flatnonzero(self._types & _MULTI_ALLELIC).tolist():
            if found.records[place] not in found.n_alleles:
                raise self._too_few_alleles(place)
        self.notes = found.notes
        return found.variants

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """Blocks of samples; see `snpredict.genotypes.reader.GenotypeReader.genotypes`."""
        places = np.unique(selection.variants[selection.variants >= 0])
        first, end, _ = selection.samples.indices(len(self._samples))
        with Spool(self._samples[first:end]) as spool:
            # One entry more, for −1 to stay −1.
            row_of = np.full(len(self._found.records) + 1, -1, np.int64)
            if len(places) and first < end:
                order = self._fill(spool, places, np.arange(first, end, dtype=np.uint32))
                row_of[order] = np.arange(len(places))
            yield from spool.blocks(Selection(row_of[selection.variants], selection.swapped))

    def _fill(self, spool: Spool, places: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Decode the candidates at `places`; returns them in the order of the spool's rows.

        Of the `samples` with those numbers, which are those of the spool.
        """
        records = np.array(self._found.records)[places]
        split = np.isin(records, list(self._found.n_alleles))
        dosages = (self._types[places] & _DOSAGES) > 0
        self._note("multi-allelic variants with dosages, read as hard calls", dosages & split)
        dosages &= ~split
        words = {"use": "used as expected genotypes", "round": "rounded"}.get(self._dosages)
        self._note(f"variants with dosages, {words or 'read as hard calls'}", dosages)
        expected = dosages & (self._dosages == "use")
        rounded = dosages & (self._dosages == "round")
        n_alleles = np.full(self._header.n_variants + 1, 2, np.uintp)
        for record, number in self._found.n_alleles.items():
            n_alleles[record] = number
        offsets = np.cumsum(n_alleles) - n_alleles
        try:
            decoder = self._pgenlib.PgenReader(
                os.fsencode(self.path),
                raw_sample_ct=self._header.n_samples,
                variant_ct=self._header.n_variants,
                allele_idx_offsets=offsets,
                sample_subset=samples if len(samples) < len(self._samples) else None,
            )
        except RuntimeError as error:
            raise TruncatedFile(f"{self.path} is damaged: {_words(error)}", _COPY) from None
        with decoder:
            step = max(1, _BATCH_BYTES // len(samples))
            hard = np.flatnonzero(~expected)
            for start in range(0, len(hard), step):
                batch = hard[start : start + step]
                codes = np.empty((len(batch), len(samples)), np.int8)
                for row, at in zip(codes, batch, strict=True):
                    place = int(places[at])
                    if rounded[at]:
                        row[:] = _rounded(self._decode_dosages(decoder, place, len(samples)))
                    elif split[at]:
                        row[:] = self._decode_alleles(decoder, place, len(samples))
                    else:
                        self._decode(decoder.read, place, row)
                spool.append(np.maximum(codes, MISSING, out=codes))
            for place in places[expected].tolist():
                spool.append_dosages(self._decode_dosages(decoder, place, len(samples)))
        return np.concatenate([places[~expected], places[expected]])

    def _decode_dosages(self, decoder: Any, place: int, n_samples: int) -> np.ndarray:
        """Expected copies of the counted allele, (samples,) float32; NaN for missing."""
        # Of a damaged record pgenlib may write dosages behind the last sample's.
        buffer = np.full(n_samples + _SLACK, -1, np.float32)
        self._decode(decoder.read_dosages, place, buffer)
        dosages = buffer[:n_samples]
        if (buffer[n_samples:] != -1).any() or dosages.max() > 2:
            raise TruncatedFile(
                f"{self.path} is damaged: {self._name(place)} has impossible dosages", _COPY
            )
        dosages[dosages < 0] = np.nan
        return dosages

    def _decode_alleles(self, decoder: Any, place: int, n_samples: int) -> np.ndarray:
        """Codes of one of several alternative alleles against REF, (samples,) int8."""
        alleles = np.empty((n_samples, 2), np.int32)
        self._decode(decoder.read_alleles, place, alleles.reshape(-1))
        if alleles.max() >= self._found.n_alleles[self._found.records[place]]:
            raise self._too_few_alleles(place)
        counted = alleles == self._found.alleles[place]
        # With a third allele the genotype is none of the three that the model knows.
        known = (counted | (alleles == 0)).all(axis=1)
        return np.where(known, counted.sum(axis=1), MISSING).astype(np.int8)

    def _decode(self, read: Any, place: int, out: np.ndarray) -> None:
        try:
            read(self._found.records[place], out)
        except RuntimeError as error:
            raise TruncatedFile(
                f"{self.path} is damaged: {self._name(place)} cannot be decoded: {_words(error)}",
                _COPY,
            ) from None

    def _too_few_alleles(self, place: int) -> InconsistentFiles:
        n_alleles = self._found.n_alleles.get(self._found.records[place], 2)
        return InconsistentFiles(
            f"{self.path} holds more alleles of {self._name(place)} than the {n_alleles} that "
            f"{self._pvar.name} names",
            "the three files must be of one set",
        )

    def _name(self, place: int) -> str:
        id = self._found.variants.candidates[place].id
        return f"variant {self._found.records[place] + 1}" + (f" ({id})" if id else "")

    def _note(self, words: str, which: np.ndarray) -> None:
        if which.any():
            self.notes[words] = int(which.sum())


@dataclass(frozen=True)
class _Header:
    """The beginning of a .pgen.

    Attributes
    ----------
    path : Path
    size_bytes : int
        Size on disk.
    mode : int
        2, 3 and 4: all records alike; 0x10 and 0x11: each has its type and length.
    n_variants, n_samples : int
    control : int
        What is stored per variant: bits 0-1 bytes of a record's length less one, bit 2 a byte
        instead of half a byte for a record's type, bits 6-7 flags of the reference allele.
    """

    path: Path
    size_bytes: int
    mode: int
    n_variants: int
    n_samples: int
    control: int

    @classmethod
    def of(cls, path: Path) -> "_Header":
        try:
            with path.open("rb") as file:
                start = file.read(12)
            size_bytes = path.stat().st_size
        except OSError as error:
            raise cannot_open(path, error) from None
        mode = int.from_bytes(start[2:3])
        if start[:2] != b"\x6c\x1b":
            raise UnsupportedFile(
                f"{path} begins with the bytes {start[:2].hex(' ')}, expected 6c 1b as in a .pgen"
            )
        if mode < 2:
            raise UnsupportedFile(f"{path} is a PLINK 1 .bed file, not a .pgen", _REWRITE)
        if mode & 0xFE in (0x20, 0x30):
            raise UnsupportedFile(f"{path} has its index in a file of its own (.pgi)", _REWRITE)
        if mode not in (2, 3, 4, 0x10, 0x11):
            raise UnsupportedFile(f"{path} has the unknown storage mode 0x{mode:02x}", _REWRITE)
        if len(start) < 12:
            raise TruncatedFile(f"{path} ends within its header", _COPY)
        variants, samples = (int.from_bytes(start[at : at + 4], "little") for at in (3, 7))
        header = cls(path, size_bytes, mode, variants, samples, start[11])
        if mode >= 0x10 and header.control & 0x38:
            raise UnsupportedFile(
                f"{path} stores its records in the unusual way 0x{header.control:02x}", _REWRITE
            )
        return header

    def record_types(self, records: np.ndarray) -> np.ndarray:
        """Types of some records.

        Parameters
        ----------
        records : ndarray (n,) of int64
            Numbers from 0, in ascending order.

        Returns
        -------
        ndarray (n,) of uint8

        Raises
        ------
        TruncatedFile
            The records and the header do not add up to the file's size.
        """
        explicit_flags = self.control >> 6 == 3
        if self.mode < 0x10:
            width = row_bytes(self.n_samples) + {2: 0, 3: 2, 4: 4}[self.mode] * self.n_samples
            flags = (self.n_variants + 7) // 8 if explicit_flags else 0
            self._check_end(12 + flags + self.n_variants * width)
            return np.full(len(records), {2: 0, 3: 0x40, 4: 0xC0}[self.mode], np.uint8)
        types = np.empty(len(records), np.uint8)
        try:
            with self.path.open("rb") as file:
                file.seek(12)
                n_blocks = -(-self.n_variants // _HEADER_BLOCK)
                starts = np.frombuffer(self._read(file, 8 * n_blocks), "<u8").tolist()
                end = starts[0] if starts else file.tell()
                for block, start in enumerate(starts):
                    first = block * _HEADER_BLOCK
                    n = min(_HEADER_BLOCK, self.n_variants - first)
                    of_block, lengths = self._block(file, n)
                    if explicit_flags:
                        self._read(file, (n + 7) // 8)
                    if start != end:
                        raise self._damaged(f"block {block + 1} of its records is out of place")
                    end += lengths
                    mine = slice(*np.searchsorted(records, [first, first + n]))
                    types[mine] = of_block[records[mine] - first]
                if starts and starts[0] < file.tell():
                    raise self._damaged("its records begin within its header")
        except OSError as error:
            raise cannot_open(self.path, error) from None
        self._check_end(end)
        return types

    def _block(self, file: BinaryIO, n: int) -> tuple[np.ndarray, int]:
        """Types of a block's records, and the sum of their lengths."""
        if self.control & 4:
            types = np.frombuffer(self._read(file, n), np.uint8)
        else:
            packed = np.frombuffer(self._read(file, (n + 1) // 2), np.uint8)
            types = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:n]
        width = 1 + (self.control & 3)
        lengths = np.frombuffer(self._read(file, n * width), np.uint8).reshape(n, width)
        return types, int((lengths.sum(axis=0, dtype=np.int64) << (8 * np.arange(width))).sum())

    def _read(self, file: BinaryIO, size: int) -> bytes:
        # Not more than there is, whatever a damaged header asks for.
        content = file.read(size) if size <= self.size_bytes else b""
        if len(content) < size:
            raise TruncatedFile(f"{self.path} ends within its header", _COPY)
        return content

    def _check_end(self, end: int) -> None:
        # Only mode 0x11 may have more behind the records.
        if end > self.size_bytes or (end < self.size_bytes and self.mode != 0x11):
            raise self._damaged(f"it has {self.size_bytes} bytes, expected {end} by its header")

    def _damaged(self, words: str) -> TruncatedFile:
        return TruncatedFile(f"{self.path} is damaged: {words}", _COPY)


def _rounded(dosages: np.ndarray) -> np.ndarray:
    missing = np.isnan(dosages)
    return np.where(missing, MISSING, np.floor(np.nan_to_num(dosages) + 0.5)).astype(np.int8)


def _words(error: RuntimeError) -> str:
    """What pgenlib says, on one line; it hands back text as bytes."""
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split("\0")[0].split()).rstrip(".") or "no reason given"
