"""Real genotypes of a file, for traits that are made up on them (a spike-in)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snpredict.genotypes.reader import GenotypeReader, Selection
from snpredict.genotypes.tables.wide import WideTable
from train.data.columns import snp_columns
from train.data.genotypes import HowRead, chosen_variants, open_training_file
from train.data.snpinfo import SnpInfo, info_from_names, with_alleles
from train.errors import TrainingTableError
from train.simulate.lines import BASES_PER_CM, Lines, Sites

_SNPS_AT_ONCE = 4096


class RealLines(Lines):
    """The lines of a genotype file of any format; dosages count as their nearest code.

    Parameters
    ----------
    path : Path
    how : HowRead

    Raises
    ------
    TrainingTableError
        A SNP's place is not known.
    SnpredictError
        Whatever the reader finds.
    """

    def __init__(self, path: Path, how: HowRead):
        reader = open_training_file(path, how)
        self._whole: np.ndarray | None = None
        self._reader: GenotypeReader = reader
        if isinstance(reader, WideTable):
            names = snp_columns(
                path,
                reader.header,
                named={reader.id_column, *how.ignore, *reader.no_snps},
                elsewhere=(),
                snps_from=how.snps_from,
            ).snps
            blocks = list(reader.blocks(names))
            self.samples = [sample for block in blocks for sample in block.samples]
            self._whole = np.concatenate([block.genotypes.nearest() for block in blocks])
            info = with_alleles(info_from_names(names), names, reader.alleles, path)
        else:
            chosen = chosen_variants(reader, how, [], [])
            names, info, self._places = chosen.snps, chosen.info, chosen.places
            nothing = Selection(np.empty(0, np.int64), np.empty(0, bool))
            self.samples = [s for block in reader.genotypes(nothing) for s in block.samples]
        self.sites = _sites(path, names, info)

    def snps(self) -> Iterator[np.ndarray]:
        """See `Lines`."""
        for start in range(0, len(self.sites), _SNPS_AT_ONCE):
            yield from self._rows(slice(start, start + _SNPS_AT_ONCE))

    def _rows(self, snps: slice) -> np.ndarray:
        if self._whole is not None:
            return np.ascontiguousarray(self._whole[:, snps].T)
        places = self._places[snps]
        selection = Selection(places, np.zeros(len(places), bool))
        parts = [block.genotypes.nearest() for block in self._reader.genotypes(selection)]
        return np.ascontiguousarray(np.concatenate(parts).T)


def _sites(path: Path, names: list[str], info: SnpInfo) -> Sites:
    lacking = [
        name
        for name, chromosome, position in zip(names, info.chromosome, info.position, strict=True)
        if chromosome is None or position is None
    ]
    if lacking:
        raise TrainingTableError(
            f"{path}: the place of {len(lacking)} SNPs is not known, such as {lacking[0]!r}; "
            "expected chromosome and position of each, to set loci apart",
            "give a format that has them, or names such as CHROMOSOME_POSITION",
        )
    position = np.array(info.position, np.int64)
    chromosome = [str(name) for name in info.chromosome]
    return Sites(
        names, chromosome, position, position / BASES_PER_CM, info.counted_allele, info.other_allele
    )
