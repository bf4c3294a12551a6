"""A genotype file read to its end: what it holds for a bundle, sample by sample."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from snpredict.bundle.load import Bundle
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.matching.matched_file import MatchedFile, Watch
from snpredict.matching.report import MatchReport
from snpredict.matching.sample_measures import MeasureCollector, SampleMeasures
from snpredict.matching.unlike import Unlike


@dataclass(frozen=True)
class InputFile:
    """Which file was read, and how.

    Attributes
    ----------
    path : Path
    format : str
    sha256 : str
        Of the file as it lies on disk.
    files : dict of str to str
        SHA-256 of every file that was read, `path` first.
    coding : str
        One of `snpredict.choices.CODINGS`; empty for a format that is not bare codes.
    id_column : str
        Column of the sample ids; empty for a format without columns.
    has_alleles : bool
        Whether the file names its alleles.
    notes : dict of str to int
        What was taken otherwise than one might expect, and how often.
    """

    path: Path
    format: str
    sha256: str
    files: dict[str, str]
    coding: str
    id_column: str
    has_alleles: bool
    notes: dict[str, int]


@dataclass(frozen=True)
class FileCheck:
    """What a file, or one sample of it, holds for a bundle, without any prediction.

    Attributes
    ----------
    bundle : Bundle
    source : InputFile
    match : MatchReport
    samples : list of str
    measures : SampleMeasures
    min_match : float
        Smallest share of the model's effects that a sample's calls must carry.
    """

    bundle: Bundle
    source: InputFile
    match: MatchReport
    samples: list[str]
    measures: SampleMeasures
    min_match: float

    @property
    def missing_rate(self) -> float:
        """Share of missing genotypes among all SNPs of the model, absent ones included."""
        missing = int(self.measures.missing.sum())
        return missing / max(1, len(self.samples) * self.match.model_snps)

    @property
    def missing_rate_found(self) -> float:
        """Share of missing genotypes among the SNPs that the file has."""
        n, found = len(self.samples), self.match.matched
        absent = n * (self.match.model_snps - found)
        return (int(self.measures.missing.sum()) - absent) / max(1, n * found)

    @cached_property
    def unlike(self) -> Unlike | None:
        """Which samples are unlike the training set; None where the bundle has no table."""
        if self.bundle.similarity is None or self.measures.distances is None:
            return None
        return Unlike(self.bundle.similarity, self.measures.rates, self.measures.distances)

    def of_sample(self, at: int) -> "FileCheck":
        """That of the sample at a place alone."""
        return replace(self, samples=[self.samples[at]], measures=self.measures.row(at))


#: What reads a file's blocks and hands the samples on: as they are, or in other blocks.
Through = Callable[[Iterator[GenotypeBlock]], Iterable[GenotypeBlock]]


def read_to_end(file: MatchedFile, watch: Watch, through: Through = iter) -> FileCheck:
    """Read all genotypes of a file, measure its samples and digest its files meanwhile.

    Parameters
    ----------
    file : MatchedFile
    watch : callable
        Shows progress.
    through : callable
        Sees every block before it is measured.

    Raises
    ------
    SnpredictError
        As the reader's `genotypes`, and whatever `through` raises.
    """
    samples: list[str] = []
    collector = MeasureCollector(file.bundle, file.match)
    with ThreadPoolExecutor(1) as pool, watch(file.reader) as done:
        digests = pool.submit(_digests, file.reader.files)
        for block in through(file.blocks()):
            samples += block.samples
            collector.add(block.genotypes)
            done(len(block.samples))
        source = _input_file(file, digests.result())
    measures = collector.collected()
    return FileCheck(file.bundle, source, file.report, samples, measures, file.options.min_match)


def _digests(files: list[Path]) -> dict[str, str]:
    """SHA-256 of every file, in hexadecimal."""
    digests = {}
    for path in files:
        with path.open("rb") as file:
            digests[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _input_file(file: MatchedFile, digests: dict[str, str]) -> InputFile:
    reader = file.reader
    return InputFile(
        path=reader.path,
        format=reader.format,
        sha256=digests[str(reader.path)],
        files=digests,
        coding=reader.coding,
        id_column=reader.id_column,
        has_alleles=file.variants.has_alleles,
        notes={what: count for what, count in reader.notes.items() if count},
    )
