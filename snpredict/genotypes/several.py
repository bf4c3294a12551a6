"""Several files of the same samples as one, such as a VCF per chromosome."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snpredict.errors import FileNotFound, SamplesDiffer, UsageError
from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock, GenotypeReader, Selection

if TYPE_CHECKING:
    from snpredict.genotypes.variants import Variants, Wanted

#: Formats of one file per chromosome: those that hold alleles and places.
FORMATS = ("vcf", "bcf", "bed", "pgen", "hapmap")

#: Files beside those with the genotypes, which a pattern may match too.
_BESIDE = (".bim", ".fam", ".pvar", ".psam", ".tbi", ".csi", ".log", ".md5")


def is_pattern(path: Path) -> bool:
    """Whether it stands for files by ``*``, ``?`` or ``[…]``, and is not a file itself."""
    return bool(re.search(r"[*?\[]", str(path))) and not path.exists()


def expanded(pattern: Path) -> list[Path]:
    """The files that a pattern stands for, chr2 before chr10.

    Raises
    ------
    FileNotFound
        There are none.
    """
    root = Path(pattern.anchor)
    try:
        found = list(root.glob(str(pattern.relative_to(root))))
    except ValueError:  # such as "a**b"
        found = []
    files = [path for path in found if path.is_file() and not path.name.endswith(_BESIDE)]
    if not files:
        raise FileNotFound(
            f"no file has a name like {pattern}",
            "look at the folder and at the pattern",
        )
    return sorted(files, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Texts and numbers of a name, compared as such."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


class SeveralFiles:
    """A `GenotypeReader` of the variants of all files.

    Parameters
    ----------
    pattern : Path
        What a person named.
    readers : sequence of GenotypeReader
        At least one per file, in the order of the files.

    Raises
    ------
    UsageError
        They are of several formats, or of one whose files hold all SNPs.
    """

    coding, id_column = "", ""

    def __init__(self, pattern: Path, readers: Sequence[GenotypeReader]):
        self.path = pattern
        self._readers = list(readers)
        formats = list(dict.fromkeys(reader.format for reader in readers))
        if len(formats) > 1:
            of_each = [next(r.path for r in readers if r.format == f).name for f in formats]
            found = ", ".join(f"{f} ({name})" for f, name in zip(formats, of_each, strict=True))
            raise UsageError(
                f"{pattern} stands for files of several formats: {found}; expected one format",
                "write the pattern so that it matches one of them",
            )
        if formats[0] not in FORMATS:
            raise UsageError(
                f"{pattern} stands for {len(readers)} files of the format {formats[0]}; expected "
                f"one file, or several of {', '.join(FORMATS)}",
                "name one file",
            )
        self.format = formats[0]
        self.files = [file for reader in readers for file in reader.files]
        self.size_bytes = sum(reader.size_bytes for reader in readers)
        self.n_samples = readers[0].n_samples
        self._starts = np.zeros(1, np.int64)

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far, of all files."""
        return sum(reader.bytes_read for reader in self._readers)

    @property
    def notes(self) -> dict[str, int]:
        """Those of all files, added up."""
        total: dict[str, int] = {}
        for reader in self._readers:
            for what, count in reader.notes.items():
                total[what] = total.get(what, 0) + count
        return total

    def variants(self, wanted: "Wanted") -> "Variants":
        """See `GenotypeReader.variants`: those of all files, one file after the other."""
        from snpredict.genotypes.variants import Variants

        of_files = [reader.variants(wanted) for reader in self._readers]
        whole = Variants(
            has_alleles=all(each.has_alleles for each in of_files),
            total=sum(each.total for each in of_files),
            examples=[variant for each in of_files for variant in each.examples][:5],
            chromosomes=set().union(*(each.chromosomes for each in of_files)),
        )
        for each in of_files:
            whole.candidates.append_table(each.candidates.table)
        self._starts = np.cumsum([0, *(len(each.candidates) for each in of_files)])
        return whole

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """See `GenotypeReader.genotypes`.

        Raises
        ------
        SamplesDiffer
            The files do not have the same samples in the same order.
        """
        places, streams = [], []
        ends = zip(self._readers, self._starts[:-1], self._starts[1:], strict=True)
        for reader, start, end in ends:
            inside = (selection.variants >= start) & (selection.variants < end)
            here = np.flatnonzero(inside)
            variants = selection.variants[here] - start
            part = Selection(variants, selection.swapped[here], selection.samples)
            places.append(here)
            streams.append(reader.genotypes(part))
        n_snps = len(selection.variants)
        row = selection.samples.start or 0
        for parts in self._side_by_side(streams):
            samples = parts[0].samples
            self._require_same(parts, row)
            yield GenotypeBlock(samples, _joined([p.genotypes for p in parts], places, n_snps))
            row += len(samples)

    def _side_by_side(
        self, streams: list[Iterator[GenotypeBlock]]
    ) -> Iterator[list[GenotypeBlock]]:
        """Blocks of the same rows of all files; readers cut their blocks as they like."""
        rest: list[GenotypeBlock | None] = [next(stream, None) for stream in streams]
        while any(rest):
            if not all(rest):
                self._refuse_lengths(rest)
            blocks = [block for block in rest if block is not None]
            n = min(len(block.samples) for block in blocks)
            yield [block.rows(slice(n)) for block in blocks]
            rest = [
                block.rows(slice(n, None)) if len(block.samples) > n else next(stream, None)
                for block, stream in zip(blocks, streams, strict=True)
            ]

    def _refuse_lengths(self, rest: Sequence[GenotypeBlock | None]) -> None:
        at = next(i for i, block in enumerate(rest) if block is None)
        longer = next(i for i, block in enumerate(rest) if block is not None)
        block = rest[longer]
        assert block is not None
        raise SamplesDiffer(
            f"{self._readers[at].path} ends before sample {block.samples[0]!r} of "
            f"{self._readers[longer].path}; expected the same samples in every file",
            "make files of the same samples, for example with bcftools view --samples-file",
        )

    def _require_same(self, parts: Sequence[GenotypeBlock], row: int) -> None:
        first = parts[0].samples
        for reader, part in zip(self._readers, parts, strict=True):
            if part.samples == first:
                continue
            pairs = enumerate(zip(first, part.samples, strict=True), row + 1)
            at, (one, other) = next(pair for pair in pairs if pair[1][0] != pair[1][1])
            raise SamplesDiffer(
                f"sample {at} is {one!r} in {self._readers[0].path} and {other!r} in "
                f"{reader.path}; expected the same samples in the same order",
                "make files of the same samples, for example with bcftools view --samples-file",
            )


def _joined(parts: Sequence[Genotypes], places: Sequence[np.ndarray], n_snps: int) -> Genotypes:
    """The SNPs of all files at their places; missing where no file has them."""
    shape = len(parts[0]), n_snps
    codes = np.full(shape, MISSING, np.int8)
    fractions: np.ndarray | None = None
    for part, here in zip(parts, places, strict=True):
        codes[:, here] = part.codes
        if part.fractions is not None:
            if fractions is None:
                fractions = np.zeros(shape, np.float32)
            fractions[:, here] = part.fractions
    return Genotypes(codes, fractions)
