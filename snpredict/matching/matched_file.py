"""A genotype file as input of one or several models: how it is opened, matched and judged."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import tee
from pathlib import Path

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.choices import MIN_MATCH
from snpredict.errors import NoSnpMatched, TooFewSnps
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import GenotypeBlock, GenotypeReader, ReadOptions, Selection
from snpredict.genotypes.text_columns import give_back
from snpredict.genotypes.variants import Variants, WantedByAny
from snpredict.matching.alleles import MatchRules
from snpredict.matching.digests import Digests
from snpredict.matching.match import Match, effect_weights, match_variants, wanted_of
from snpredict.matching.report import MatchReport, report_match

#: Shows progress while a file is read: entered with the reader, it gives a function that is told
#: how many samples have been done.
Watch = Callable[[GenotypeReader], AbstractContextManager[Callable[[int], None]]]

#: The way out for a file that has too little.
TAKES_LESS = "--min-match takes a smaller share; docs/limits.md says what it costs"


@dataclass(frozen=True)
class InputOptions:
    """How a genotype file is to be read and matched.

    Attributes
    ----------
    format : str, optional
        One of `snpredict.choices.INPUT_FORMATS`; seen from the content when left out.
    reading : ReadOptions
    rules : MatchRules
    min_match : float
        Smallest match rate, plain and weighted by effect, that is scored.
    on_match : callable, optional
        Told about the match before it is judged, to write a log of it.
    """

    format: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    rules: MatchRules = field(default_factory=MatchRules)
    min_match: float = MIN_MATCH
    on_match: "Callable[[MatchedFile], None] | None" = None


@dataclass(frozen=True)
class MatchedFile:
    """A genotype file whose variants have been matched to a bundle's SNPs.

    Attributes
    ----------
    bundle : Bundle
    reader : GenotypeReader
    variants : Variants
    match : Match
    report : MatchReport
    options : InputOptions
        How it was opened and matched.
    digests : Digests
        Of the files that are read.
    """

    bundle: Bundle
    reader: GenotypeReader
    variants: Variants
    match: Match
    report: MatchReport
    options: InputOptions
    digests: Digests

    def blocks(self) -> Iterator[GenotypeBlock]:
        """Genotypes in the order of the bundle's SNPs, counting its alleles.

        Raises
        ------
        SnpredictError
            As `GenotypeReader.genotypes`.
        """
        return self.reader.genotypes(self.match.selection)


def blocks_for_each(files: Sequence[MatchedFile]) -> list[Iterator[GenotypeBlock]]:
    """The `MatchedFile.blocks` of one file for several bundles, out of one pass over it.

    Blocks are kept from the first that takes them until the last one has: take them in turns.

    Parameters
    ----------
    files : sequence of MatchedFile
        Of one call of `match_files`.
    """
    if len(files) == 1:
        return [files[0].blocks()]
    each = [file.match.selection for file in files]
    pairs = np.concatenate([np.stack([one.variants, one.swapped]) for one in each], axis=1)
    joined, places = np.unique(pairs, axis=1, return_inverse=True)
    read = files[0].reader.genotypes(Selection(joined[0], joined[1].astype(bool)))
    columns = np.split(places.reshape(-1), np.cumsum([len(one.variants) for one in each])[:-1])
    return [
        _of_snps(blocks, of_model)
        for blocks, of_model in zip(tee(read, len(files)), columns, strict=True)
    ]


def _of_snps(blocks: Iterator[GenotypeBlock], snps: np.ndarray) -> Iterator[GenotypeBlock]:
    """The blocks with the SNPs at those places."""
    for block in blocks:
        codes, fractions = block.codes, block.genotypes.fractions
        if not np.array_equal(snps, np.arange(codes.shape[1])):
            # Not codes[:, snps], which is not C-contiguous.
            codes = np.take(codes, snps, axis=1)
            fractions = None if fractions is None else np.take(fractions, snps, axis=1)
        if fractions is not None and not fractions.any():
            fractions = None  # another model's SNPs had them
        yield GenotypeBlock(block.samples, Genotypes(codes, fractions))


@contextmanager
def unwatched(reader: GenotypeReader) -> Iterator[Callable[[int], None]]:
    """The `Watch` that shows nothing."""
    yield lambda samples: None


def match_file(
    path: Path,
    bundle: Bundle,
    options: InputOptions | None = None,
    *,
    watch: Watch = unwatched,
) -> MatchedFile:
    """Open a genotype file and find the bundle's SNPs in it.

    Raises
    ------
    SnpredictError
        As `snpredict.genotypes.detect.open_genotypes` and its reader's `variants`.
    """
    return match_files(path, [bundle], options, watch=watch)[0]


def match_files(
    path: Path,
    bundles: Sequence[Bundle],
    options: InputOptions | None = None,
    *,
    watch: Watch = unwatched,
) -> list[MatchedFile]:
    """As `match_file` for each of several bundles, with one reader; see `blocks_for_each`."""
    options = options or InputOptions()
    each = [wanted_of(bundle.snps) for bundle in bundles]
    wanted = each[0] if len(each) == 1 else WantedByAny(each)
    reader = open_genotypes(path, format=options.format, options=options.reading, snps=wanted)
    digests = Digests(reader.files)
    with watch(reader):
        variants = reader.variants(wanted)
    give_back()
    matched = [_matched(bundle, reader, variants, options, digests) for bundle in bundles]
    give_back()
    return matched


def _matched(
    bundle: Bundle,
    reader: GenotypeReader,
    variants: Variants,
    options: InputOptions,
    digests: Digests,
) -> MatchedFile:
    known = bundle.known_saliency
    effects, saliency = (None, None) if known is None else (known.effects, known.saliency)
    weights = effect_weights(bundle.snps.frequencies, effects, saliency)
    match = match_variants(bundle.snps, variants.candidates, weights=weights, rules=options.rules)
    report = report_match(bundle.snps, variants, match, options.rules)
    matched = MatchedFile(bundle, reader, variants, match, report, options, digests)
    if options.on_match is not None:
        options.on_match(matched)
    return matched


def judge_match(path: Path, report: MatchReport, min_match: float) -> None:
    """Refuse a file that lacks too much of what a model needs.

    Raises
    ------
    NoSnpMatched, TooFewSnps
        The match rate is 0, or below `min_match`, plain or weighted by effect.
    """
    cause = f"likely cause: {report.causes[0]}" if report.causes else None
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.unused.items())
    if not report.matched:
        raise NoSnpMatched(
            f"{path}: none of the model's {report.model_snps:,} SNPs was matched among "
            f"{report.variants:,} variants: {reasons}",
            cause,
        )
    if min(report.rate, report.weighted_rate) < min_match:
        raise TooFewSnps(
            f"{path}: found {report.rate:.1%} of the model's SNPs, with "
            f"{report.weighted_rate:.1%} of its effects, expected at least {min_match:.1%} of "
            f"both: {reasons}",
            f"{cause}; {TAKES_LESS}" if cause else TAKES_LESS,
        )
