"""A study that is made here: genotypes of lines are LD reference and association study in one.

Trait and genotypes are looked at within families, where there are any: differences between
families would make far variants correlate, and z-scores of a window tell of other windows.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.matching.matched_file import Watch
from train.data.genotypes import HowRead
from train.data.phenotypes import read_phenotypes
from train.data.traits import read_traits
from train.deepwas.cutting import Span
from train.deepwas.inputs.annotations import read_annotations
from train.deepwas.study import Study, frequency_of
from train.deepwas.window import correlations
from train.errors import StudyFileError


@dataclass(frozen=True, kw_only=True)
class LineFiles:
    """What such a study is read from.

    Attributes
    ----------
    genotypes : Path
    trait : str
    phenotypes : Path or None
    how : HowRead
    annotations : tuple of Path
    maf : float
        Smallest frequency of the rarer allele.
    """

    genotypes: Path
    trait: str
    phenotypes: Path | None = None
    how: HowRead
    annotations: tuple[Path, ...] = ()
    maf: float = 0.0


@dataclass(frozen=True)
class OwnLines:
    """The lines as an LD reference; see `train.deepwas.inputs.ld_reference.LdReference`."""

    path: Path
    snps: SnpTable
    people: int
    samples: tuple[str, ...]
    #: Less their mean, within families: (lines, variants) float32.
    _genotypes: np.ndarray

    def ld(self, span: Span, taper: float | None) -> np.ndarray:
        """See `train.deepwas.window.correlations`; of a window's core with all of it."""
        own = slice(span.start, span.stop)
        position = np.array(self.snps.position, np.int64)[own]
        return correlations(self._genotypes[:, own], span.core, position, taper)


def read_lines_study(files: LineFiles, watch: Watch) -> Study:
    """Read lines, and test every SNP.

    z_j is √n times the correlation of trait and SNP, n being the lines less the families.

    Raises
    ------
    SnpredictError
        As `train.data.traits.read_traits` and `read_annotations`.
    StudyFileError
        SNPs without places, or fewer than 50 lines.
    """
    phenotypes = None
    if files.phenotypes is not None:
        phenotypes = read_phenotypes(files.phenotypes, id_column=files.how.id_column)
    table = read_traits(
        files.genotypes, traits=[files.trait], how=files.how, phenotypes=phenotypes, watch=watch
    )
    info = table.info
    if None in info.position or None in info.chromosome:
        raise StudyFileError(
            f"{files.genotypes}: SNPs without a chromosome and a position",
            "DeepWAS looks at neighbours; VCF and PLINK files say where SNPs are",
        )
    n = len(table.samples)
    if n < 50:
        raise StudyFileError(f"{files.genotypes}: {n} lines with the trait, expected 50 or more")
    along = info.along
    every = SnpTable.of(
        ids=[table.snps[at] for at in along.tolist()],
        chromosome=[info.chromosome[at] for at in along.tolist()],
        position=[info.position[at] for at in along.tolist()],
        counted_allele=[info.counted_allele[at] for at in along.tolist()],
        other_allele=[info.other_allele[at] for at in along.tolist()],
        frequencies=table.genotypes.frequencies()[along],
    )
    genotypes = table.genotypes.snps(along)
    group = np.zeros(n, np.int64)
    if table.families is not None:
        group = np.unique(np.array(table.families), return_inverse=True)[1]
    x = within(genotypes.centred(genotypes.means()), group)
    y = within(table.values.astype(np.float64), group)[:, 0]
    frequency = frequency_of(every)
    rarer = np.minimum(frequency, 1 - frequency)
    used = np.flatnonzero((x.std(axis=0) > 1e-3) & (rarer >= files.maf) & (rarer > 0))
    if not len(used):
        raise StudyFileError(f"{files.genotypes}: no SNP varies within families")
    snps = every.rows(used)
    x = np.ascontiguousarray(x[:, used])
    free = n - int(group.max()) - 1
    scale = np.sqrt((x.astype(np.float64) ** 2).sum(axis=0) * (y @ y))
    z = free**0.5 * (x.T.astype(np.float64) @ y) / scale
    annotations = read_annotations(files.annotations, snps)
    families = "" if table.families is None else f" within {group.max() + 1} families"
    notes = [*table.notes, f"z-scores of {n:,} lines{families}"]
    if left := len(every) - len(used):
        notes.append(f"{left:,} SNPs that do not vary within families, or below --maf, left out")
    # The standard error of an effect per copy: that of the residual by the SNP's own spread.
    se = np.sqrt((y @ y) / free) / np.sqrt((x.astype(np.float64) ** 2).sum(axis=0))
    return Study(
        reference=OwnLines(files.genotypes, snps, n, tuple(table.samples), x),
        z=z,
        n=np.full(len(used), float(free)),
        se=se,
        frequency=frequency[used],
        names=annotations.names,
        annotations=annotations.values,
        match=None,
        notes=[*notes, *annotations.notes],
    )


def within(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Less the mean of each row's group, (rows, columns)."""
    sums = np.zeros((group.max() + 1, values.shape[1]), np.float64)
    np.add.at(sums, group, values)
    means = sums / np.bincount(group)[:, None]
    return values - means[group].astype(values.dtype)
