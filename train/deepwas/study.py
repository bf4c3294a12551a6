"""A study's z-scores lined up with an LD reference and annotations, variant by variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.errors import NoSnpMatched
from snpredict.formulas.encoding import CHANNEL_CODES
from snpredict.genotypes.variants import Variants
from snpredict.matching.alleles import ALLELES, Alleles, MatchRules
from snpredict.matching.match import Match, match_variants
from snpredict.matching.report import MatchReport, report_match
from train.deepwas.cutting import Span
from train.deepwas.inputs.annotations import read_annotations
from train.deepwas.inputs.ld_matrices import LdMatrices, is_matrices, open_ld_matrices
from train.deepwas.inputs.ld_reference import LdReference, open_ld_reference
from train.deepwas.inputs.summary_statistics import read_summary_statistics
from train.errors import StudyFileError

#: A/T and C/G variants are told apart by frequency where the rarer allele is below this.
CLEAR_FREQUENCY = 0.4

#: Largest share of variants that are found by id at another place.
_MOVED = 0.02

#: Annotations that the variants themselves give.
FROM_SNPS = ("frequency", "position", "neighbourhood", "ld-score")


@dataclass(frozen=True, kw_only=True)
class StudyFiles:
    """What a study is read from, and which of its variants are used.

    Attributes
    ----------
    summary_statistics, reference : Path
    annotations : tuple of Path
    columns : mapping of str to str
        See `read_summary_statistics`.
    people : float or None
        Of the study, where its file does not say.
    maf, info : float
        Smallest frequency of the rarer allele in the reference, and quality of imputation.
    """

    summary_statistics: Path
    reference: Path
    annotations: tuple[Path, ...] = ()
    columns: Mapping[str, str] | None = None
    people: float | None = None
    maf: float = 0.0
    info: float = 0.0


class Reference(Protocol):
    """How variants correlate: by people's genotypes, the study's own lines, or given matrices."""

    @property
    def path(self) -> Path:
        """Of the genotypes."""
        ...

    @property
    def snps(self) -> SnpTable:
        """The variants, along the chromosomes."""
        ...

    @property
    def people(self) -> int:
        """Number of people or lines; 0 where it is not known."""
        ...

    def ld(self, span: Span, taper: float | None) -> np.ndarray:
        """Correlations of a window's core with all of it, (core, all) float32."""
        ...


@dataclass(frozen=True)
class Study:
    """Arrays of (variants,), along the genome.

    Attributes
    ----------
    reference : Reference
        Of these variants; its counted alleles are the effect alleles.
    z, n, se : ndarray of float64
        By the counted allele; see `train.deepwas.inputs.summary_statistics.SummaryStatistics`.
    frequency : ndarray of float64
        Of the counted allele, in the reference.
    names : list of str
        Annotations that files gave.
    annotations : ndarray (variants, annotations) of float32
        NaN where nothing is known.
    match : MatchReport or None
        None where genotypes and z-scores are of the same lines.
    notes : list of str
        What a person should know.
    """

    reference: Reference
    z: np.ndarray
    n: np.ndarray
    se: np.ndarray
    frequency: np.ndarray
    names: list[str]
    annotations: np.ndarray
    match: MatchReport | None
    notes: list[str]

    @property
    def snps(self) -> SnpTable:
        """The variants."""
        return self.reference.snps

    @property
    def chromosome(self) -> np.ndarray:
        """Names, (variants,) of str."""
        return np.array(self.snps.chromosome, str)

    @property
    def position(self) -> np.ndarray:
        """Base pairs, (variants,) int64."""
        return np.array(self.snps.position, np.int64)

    def __len__(self) -> int:
        return len(self.z)


def read_study(files: StudyFiles) -> Study:
    """Read and line up.

    Raises
    ------
    SnpredictError
        As the readers.
    NoSnpMatched
        The reference and the summary statistics have no variant in common.
    StudyFileError
        They are of different builds of the genome, or the effect alleles are the other ones.
    """
    statistics = read_summary_statistics(
        files.summary_statistics, columns=files.columns, people=files.people
    )
    given = is_matrices(files.reference)
    reference: LdMatrices | LdReference = (
        open_ld_matrices(files.reference) if given else open_ld_reference(files.reference)
    )
    snps, notes = reference.snps, [f"z-scores from {statistics.from_what}"]
    if statistics.left_out:
        notes.append(f"{statistics.left_out:,} rows without a z-score or alleles, left out")
    rules = MatchRules(ambiguous="keep")
    weights = np.full(len(snps), 1 / len(snps))
    match = match_variants(snps, statistics.variants, weights=weights, rules=rules)
    found = Variants(candidates=statistics.variants, total=len(statistics.z))
    for variant in statistics.variants[:1000]:
        found.see(variant)
    found.total = len(statistics.z)
    report = report_match(snps, found, match, rules)
    _refuse_strangers(files, report)
    frequency = np.full(len(snps), np.nan) if given else frequency_of(snps)
    rows = np.flatnonzero(match.matched)
    turned = match.recoded[rows]
    of_file = match.variant[rows]
    theirs = np.where(turned, 1 - statistics.frequency[of_file], statistics.frequency[of_file])
    turned, clear = _by_frequency(match, rows, turned, theirs, frequency[rows], notes)
    theirs = np.where(turned, 1 - statistics.frequency[of_file], statistics.frequency[of_file])
    if given:
        # Matrices do not say how frequent alleles are.
        frequency[rows] = theirs
        if not np.isfinite(theirs).any():
            raise StudyFileError(
                f"neither {files.summary_statistics} nor {files.reference} has frequencies",
                "name their column: --column frequency=NAME",
            )
    _refuse_other_alleles(files, theirs[clear], frequency[rows][clear])
    minor = np.minimum(frequency[rows], 1 - frequency[rows])
    used = clear & (minor > 0) & (minor >= files.maf)
    known = np.isfinite(statistics.info[of_file])
    used &= ~known | (statistics.info[of_file] >= files.info)
    if left := int(clear.sum() - used.sum()):
        notes.append(f"{left:,} variants that do not vary, or below --maf or --info, left out")
    if not used.any():
        raise NoSnpMatched(
            f"{files.summary_statistics}: no variant is left after the filters",
            "lower --maf or --info",
        )
    rows, of_file, turned = rows[used], of_file[used], turned[used]
    reference = reference.only(rows)
    annotations = read_annotations(files.annotations, reference.snps)
    return Study(
        reference=reference,
        z=np.where(turned, -statistics.z[of_file], statistics.z[of_file]),
        n=statistics.n[of_file],
        se=statistics.se[of_file],
        frequency=frequency[rows],
        names=annotations.names,
        annotations=annotations.values,
        match=report,
        notes=[*notes, *annotations.notes],
    )


def frequency_of(snps: SnpTable) -> np.ndarray:
    """Of the counted allele, (SNPs,) float64; of called genotypes."""
    by_code = dict(zip(CHANNEL_CODES, snps.frequencies.T, strict=True))
    called = by_code[0] + by_code[1] + by_code[2]
    return (by_code[2] + by_code[1] / 2) / np.maximum(called, 1e-12)


def _refuse_strangers(files: StudyFiles, report: MatchReport) -> None:
    if not report.matched:
        cause = f": {report.causes[0]}" if report.causes else ""
        raise NoSnpMatched(
            f"{files.summary_statistics} has no variant of {files.reference}{cause}",
            "both need the same ids, or places in the same build of the genome",
        )
    if report.moved > _MOVED * report.matched:
        raise StudyFileError(
            f"{files.summary_statistics} and {files.reference} have {report.moved:,} of "
            f"{report.matched:,} common ids at different places: another build of the genome",
            "lift one of them, for example with bcftools +liftover; nothing is lifted here",
        )


def _by_frequency(
    match: Match,
    rows: np.ndarray,
    turned: np.ndarray,
    theirs: np.ndarray,
    ours: np.ndarray,
    notes: list[str],
) -> tuple[np.ndarray, np.ndarray]:
    """A/T and C/G variants: whether each is turned, and whether its strand is clear.

    The letters are the same on both strands, so that the frequencies have to tell.
    """
    kinds = (Alleles.AMBIGUOUS, Alleles.AMBIGUOUS_SWAPPED)
    ambiguous = np.isin(match.alleles[rows], [ALLELES.index(kind) for kind in kinds])
    minor = np.minimum(np.minimum(theirs, 1 - theirs), np.minimum(ours, 1 - ours))
    far = np.maximum(np.minimum(theirs, 1 - theirs), np.minimum(ours, 1 - ours)) < CLEAR_FREQUENCY
    clear = ~ambiguous | (np.isfinite(minor) & far)
    other = ambiguous & clear & ((theirs < 0.5) != (ours < 0.5))
    if ambiguous.any():
        notes.append(
            f"A/T and C/G variants: {int((ambiguous & clear).sum()):,} kept, of which "
            f"{int(other.sum()):,} turned by their frequency; {int((~clear).sum()):,} left out, "
            f"whose frequency is near a half or not known"
        )
    return turned ^ other, clear


def _refuse_other_alleles(files: StudyFiles, theirs: np.ndarray, ours: np.ndarray) -> None:
    """Frequencies of one population agree; turned ones mean that the effect alleles are turned."""
    known = np.isfinite(theirs)
    if known.sum() < 50 or not theirs[known].std() or not ours[known].std():
        return
    r = float(np.corrcoef(theirs[known], ours[known])[0, 1])
    if r < -0.5:
        raise StudyFileError(
            f"{files.summary_statistics}: frequencies of the effect alleles and those of "
            f"{files.reference} are opposite (r = {r:.2f})",
            "name the other column: --column effect-allele=NAME --column other-allele=NAME",
        )


def from_snps(study: Study, wanted: Sequence[str], ld_score: np.ndarray) -> dict[str, np.ndarray]:
    """Annotations that the variants themselves give, (variants,) float32 each.

    ``frequency``: log 4pq. ``position``: along the chromosome, from 0 to 1, and its distance from
    the middle. ``neighbourhood``: log of the variants within 10 and within 100 kb. ``ld-score``:
    its logarithm.

    Parameters
    ----------
    wanted : sequence of str
        Of `FROM_SNPS`.
    ld_score : ndarray (variants,)
    """
    found: dict[str, np.ndarray] = {}
    p, position, chromosome = study.frequency, study.position, study.chromosome
    if "frequency" in wanted:
        found["log_4pq"] = np.log(4 * p * (1 - p))
    if "ld-score" in wanted:
        found["log_ld_score"] = np.log(np.maximum(ld_score, 1))
    for name in dict.fromkeys(chromosome.tolist()):
        rows = np.flatnonzero(chromosome == name)
        own = position[rows]
        if "position" in wanted:
            along = (own - own[0]) / max(int(own[-1] - own[0]), 1)
            for key, values in (("along", along), ("from_middle", np.abs(along - 0.5))):
                found.setdefault(key, np.empty(len(study)))[rows] = values
        if "neighbourhood" in wanted:
            for reach in (10_000, 100_000):
                count = np.searchsorted(own, own + reach, "right") - np.searchsorted(
                    own, own - reach
                )
                key = f"log_variants_{reach // 1000}kb"
                found.setdefault(key, np.empty(len(study)))[rows] = np.log(count)
    return {name: values.astype(np.float32) for name, values in found.items()}
