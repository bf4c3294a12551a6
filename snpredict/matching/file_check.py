"""A genotype file read to its end: what it holds for a bundle, sample by sample."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from snpredict.bundle.load import Bundle
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.matching.matched_file import MatchedFile, Watch, blocks_for_each
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
        Of the file as it lies on disk; of several files that of their digests in a row.
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


def read_to_end(
    files: Sequence[MatchedFile], watch: Watch, through: Sequence[Through]
) -> list[FileCheck]:
    """Read all genotypes of a file once, and measure its samples.

    Parameters
    ----------
    files : sequence of MatchedFile
        The file as it was matched to each of some bundles, see `match_files`.
    watch : callable
        Shows progress.
    through : sequence of callable
        For each bundle, sees every block before it is measured.

    Returns
    -------
    list of FileCheck
        For each bundle.

    Raises
    ------
    SnpredictError
        As the reader's `genotypes`, and whatever `through` raises.
    """
    samples: list[str] = []
    collectors = [MeasureCollector(file.bundle, file.match) for file in files]
    with watch(files[0].reader) as done:
        blocks = blocks_for_each(files)
        streams = [iter(see(one)) for see, one in zip(through, blocks, strict=True)]
        for at, block in _in_turns(streams):
            collectors[at].add(block.genotypes)
            if at == 0:
                samples += block.samples
                done(len(block.samples))
        source = _input_file(files[0], files[0].digests.result())
    return [
        FileCheck(f.bundle, source, f.report, samples, c.collected(), f.options.min_match)
        for f, c in zip(files, collectors, strict=True)
    ]


def _in_turns(streams: Sequence[Iterator[GenotypeBlock]]) -> Iterator[tuple[int, GenotypeBlock]]:
    """Their blocks, each with the place of its stream: next is the one with the fewest samples."""
    samples = dict.fromkeys(range(len(streams)), 0)
    while samples:
        at = min(samples, key=samples.__getitem__)
        block = next(streams[at], None)
        if block is None:
            del samples[at]
            continue
        samples[at] += len(block.samples)
        yield at, block


def _input_file(file: MatchedFile, digests: dict[str, str]) -> InputFile:
    reader = file.reader
    return InputFile(
        path=reader.path,
        format=reader.format,
        sha256=_sha256(reader.path, digests),
        files=digests,
        coding=reader.coding,
        id_column=reader.id_column,
        has_alleles=file.variants.has_alleles,
        notes={what: count for what, count in reader.notes.items() if count},
    )


def _sha256(path: Path, digests: dict[str, str]) -> str:
    """That of the file; of several files that of their digests, one after the other."""
    found = digests.get(str(path))
    return found or hashlib.sha256("".join(digests.values()).encode()).hexdigest()
