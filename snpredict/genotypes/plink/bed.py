"""PLINK 1 binary file sets: .bed with .bim and .fam."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snpredict.errors import InconsistentFiles, UnsupportedFile
from snpredict.genotypes.formats import BED_MAGIC, cannot_open
from snpredict.genotypes.plink.text_files import part, read_samples
from snpredict.genotypes.plink.variant_lines import BIM, read_variants
from snpredict.genotypes.reader import GenotypeBlock, ReadOptions, Selection
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.spool import PackedRows, row_bytes
from snpredict.genotypes.variants import Variants, Wanted

_UNIQUE_IDS = (
    "samples are named by the second column of the .fam; give every sample its own id there, for "
    "example with plink2 --bfile PREFIX --update-ids FILE --make-bed --out NEW"
)


class BedReader:
    """The genotypes of a .bed, which count the allele in the fifth column of its .bim (A1).

    Parameters
    ----------
    path : Path
        The .bed; the .bim and the .fam lie beside it.
    options, snps
        Of no concern to this format.

    Raises
    ------
    InconsistentFiles
        The .bim or the .fam is not there.
    UnsupportedFile
        It is not a .bed in variant-major order.
    SnpredictError
        The .fam is damaged or has an id twice; see
        `snpredict.genotypes.plink.text_files.read_samples`.
    """

    format = "bed"
    coding = ""
    id_column = ""
    bytes_read = 0

    def __init__(self, path: Path, options: ReadOptions, snps: Wanted | None):
        try:
            with path.open("rb") as file:
                magic = file.read(3)
            self.size_bytes = path.stat().st_size
        except OSError as error:
            raise cannot_open(path, error) from None
        if magic != BED_MAGIC:
            raise UnsupportedFile(
                f"{path} begins with the bytes {magic.hex(' ')}, expected {BED_MAGIC.hex(' ')} as "
                "in a .bed in variant-major order"
            )
        rewrite = f"plink2 --bfile {path.with_suffix('')} vzs --make-bed --out NEW"
        self.path = path
        self._bim = part(path, ".bim", rewrite)
        self._fam = part(path, ".fam", rewrite)
        self.files = [path, self._bim, self._fam]
        self.notes: dict[str, int] = {}
        self._samples = read_samples(self._fam, _UNIQUE_IDS)
        self.n_samples: int | None = len(self._samples)
        self._rows = np.empty(0, np.int64)

    def variants(self, wanted: Wanted) -> Variants:
        """The variants of the .bim that may be SNPs of the model.

        Raises
        ------
        InconsistentFiles
            The .bed has another size than its .bim and its .fam make it.
        RaggedRow, BadVariant, NotATable
            The .bim is damaged.
        """
        found = read_variants(TextSource(self._bim), BIM, wanted)
        total, n_samples = found.variants.total, len(self._samples)
        expected = len(BED_MAGIC) + total * row_bytes(n_samples)
        if self.size_bytes != expected:
            raise InconsistentFiles(
                f"{self.path} has {self.size_bytes} bytes, expected {expected} for the {total} "
                f"variants of {self._bim.name} and the {n_samples} samples of {self._fam.name}",
                "the three files must be of one set, and complete",
            )
        self.notes = found.notes
        self._rows = np.array(found.records, np.int64)
        return found.variants

    def genotypes(self, selection: Selection) -> Iterator[GenotypeBlock]:
        """Blocks of samples; see `snpredict.genotypes.reader.GenotypeReader.genotypes`."""
        rows = np.full(len(selection.variants), -1, np.int64)
        present = selection.variants >= 0
        rows[present] = self._rows[selection.variants[present]]
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise cannot_open(self.path, error) from None
        with file:
            packed = PackedRows(file, self._samples, offset=len(BED_MAGIC))
            of_rows = Selection(rows, selection.swapped, selection.samples)
            yield from packed.blocks(of_rows)
