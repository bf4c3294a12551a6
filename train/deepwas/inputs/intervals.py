"""Stretches of a genome: BED, bedGraph and GFF3."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.bundle.tables import SnpTable
from train.deepwas.inputs.text import open_text
from train.errors import StudyFileError

#: Columns of chromosome, start, end and value or kind, and the first base's number.
_LAYOUT = {"bed": (0, 1, 2, None, 0), "bedgraph": (0, 1, 2, 3, 0), "gff3": (0, 3, 4, 2, 1)}


@dataclass(frozen=True)
class Intervals:
    """Stretches, in the file's order.

    Attributes
    ----------
    chromosome : list of str
    start, end : ndarray (intervals,) of int64
        From 0, without the end, as in BED.
    value : list of str
        bedGraph's value, or GFF3's kind of feature; empty texts otherwise.
    """

    chromosome: list[str]
    start: np.ndarray
    end: np.ndarray
    value: list[str]

    def on(self, snps: SnpTable, chromosome: str) -> np.ndarray:
        """Places of the intervals on a chromosome, whatever either calls it; by start."""
        key = snps.chromosome_names.key
        same = {name: key(name) == key(chromosome) for name in set(self.chromosome)}
        rows = np.flatnonzero([same[name] for name in self.chromosome])
        return rows[np.argsort(self.start[rows], kind="stable")]

    def covers(self, snps: SnpTable, kinds: frozenset[str] | None = None) -> np.ndarray:
        """Whether each variant lies in one of them, or in one of those kinds: (variants,) bool."""
        found = np.zeros(len(snps), bool)
        for chromosome, rows in _by_chromosome(snps):
            own = self.on(snps, chromosome)
            if kinds is not None:
                own = own[[self.value[at] in kinds for at in own.tolist()]]
            base = _bases(snps)[rows]
            begun = np.searchsorted(np.sort(self.start[own]), base, "right")
            ended = np.searchsorted(np.sort(self.end[own]), base, "right")
            found[rows] = begun > ended
        return found

    def value_at(self, path: Path, snps: SnpTable) -> np.ndarray:
        """The value of the interval that each variant lies in, (variants,) float32, NaN outside.

        Raises
        ------
        StudyFileError
            Intervals overlap.
        """
        values, found = np.array(self.value, np.float32), np.full(len(snps), np.nan, np.float32)
        for chromosome, rows in _by_chromosome(snps):
            own = self.on(snps, chromosome)
            if not len(own):
                continue
            start, end = self.start[own], self.end[own]
            over = np.flatnonzero(end[:-1] > start[1:])
            if len(over):
                raise StudyFileError(
                    f"{path}: intervals overlap at {chromosome}:{start[over[0] + 1] + 1}",
                    "a bedGraph has one value for each base",
                )
            base = _bases(snps)[rows]
            at = np.searchsorted(start, base, "right") - 1
            inside = (at >= 0) & (base < end[np.maximum(at, 0)])
            found[rows[inside]] = values[own[at[inside]]]
        return found


def _bases(snps: SnpTable) -> np.ndarray:
    return np.array(snps.position, np.int64) - 1


def _by_chromosome(snps: SnpTable) -> list[tuple[str, np.ndarray]]:
    names = np.array(snps.chromosome)
    return [(str(name), np.flatnonzero(names == name)) for name in dict.fromkeys(names.tolist())]


def read_intervals(path: Path, format: str) -> Intervals:
    """Read a file.

    Parameters
    ----------
    format : {"bed", "bedgraph", "gff3"}

    Raises
    ------
    TruncatedFile
    StudyFileError
        A row has too few columns, or no whole numbers for start and end, or its end first.
    """
    chromosome, starts, ends, values = [], [], [], []
    where, start_at, end_at, value_at, first = _LAYOUT[format]
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            cells = line.rstrip("\r\n").split("\t" if "\t" in line else None)
            try:
                start, end = int(cells[start_at]) - first, int(cells[end_at])
                value = "" if value_at is None else cells[value_at]
                if format == "bedgraph":
                    float(value)
            except (IndexError, ValueError):
                raise StudyFileError(
                    f"{path}, line {number}: not a row of {format}: {line.strip()[:60]!r}"
                ) from None
            if not 0 <= start < end:
                raise StudyFileError(
                    f"{path}, line {number}: starts at {cells[start_at]} and ends at {end}"
                )
            chromosome.append(cells[where])
            starts.append(start)
            ends.append(end)
            values.append(value)
    if not starts:
        raise StudyFileError(f"{path} has no interval")
    return Intervals(chromosome, np.array(starts), np.array(ends), values)


def bed_columns(intervals: Intervals, snps: SnpTable, name: str) -> dict[str, np.ndarray]:
    """1 for a variant inside one of the intervals, 0 outside."""
    return {name: intervals.covers(snps).astype(np.float32)}


def gene_columns(path: Path, intervals: Intervals, snps: SnpTable) -> dict[str, np.ndarray]:
    """``coding``, ``exon`` and ``gene``, 0 or 1, and ``gene_distance``, log10 of 1 + base pairs.

    Raises
    ------
    StudyFileError
        The file has no gene.
    """
    genes = [at for at, kind in enumerate(intervals.value) if kind == "gene"]
    if not genes:
        raise StudyFileError(
            f"{path} has no feature of the kind 'gene'", "the third column of a GFF3 says the kind"
        )
    columns = {
        name: intervals.covers(snps, frozenset((kind,))).astype(np.float32)
        for name, kind in (("coding", "CDS"), ("exon", "exon"), ("gene", "gene"))
    }
    distance = np.full(len(snps), np.nan, np.float32)
    is_gene = np.zeros(len(intervals.start), bool)
    is_gene[genes] = True
    for chromosome, rows in _by_chromosome(snps):
        own = intervals.on(snps, chromosome)
        own = own[is_gene[own]]
        if not len(own):
            continue
        base = _bases(snps)[rows]
        start = intervals.start[own]
        # The furthest end of all genes that begin before.
        end = np.maximum.accumulate(intervals.end[own])
        at = np.searchsorted(start, base, "right")
        before = np.where(at > 0, base - end[np.maximum(at - 1, 0)] + 1, np.iinfo(np.int64).max)
        after = np.where(at < len(start), start[np.minimum(at, len(start) - 1)] - base, before)
        away = np.maximum(np.minimum(before, after), 0)
        distance[rows] = np.log10(1 + away)
    return {**columns, "gene_distance": distance}
