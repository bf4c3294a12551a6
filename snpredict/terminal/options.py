"""The command line's options, each defined once, and those of genotype files taken together."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snpredict.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from snpredict.matching.matched_file import InputOptions, MatchedFile

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="Genotypes: VCF, BCF, PLINK .bed or .pgen (or their prefix) or .raw, HapMap, Parquet, "
        "or a table; text may be gzip.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|PATH",
        help="A shipped model or a bundle's folder.  [default: soynam-height]",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write the results to a file."),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="tsv|csv|parquet|json",
        help="Format of the results.  [default: by the suffix of --out]",
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id-column", metavar="NAME", help="Column of the sample ids.  [default: found by name]"
    ),
]
InputFormat = Annotated[
    str | None,
    typer.Option(
        "--input-format",
        metavar="table|vcf|bcf|bed|pgen|hapmap|parquet|raw",
        help="Format of FILE.  [default: by its content]",
    ),
]
SnpsIn = Annotated[
    str | None,
    typer.Option(
        "--snps-in",
        metavar="columns|rows",
        help="Whether a table has one SNP per column or per row.  [default: by its names]",
    ),
]
Coding = Annotated[
    str | None,
    typer.Option(
        "--coding",
        metavar="012|-101",
        help="Genotypes of a table are 0, 1, 2, with -1 for missing (012), or -1, 0, 1 (-101).  "
        "[default: 012, but a table that looks like -1, 0, 1 is refused]",
    ),
]
Dosages = Annotated[
    str,
    typer.Option(
        "--dosages",
        metavar="use|round|ignore",
        show_default=False,
        help="Dosages as expected genotypes, rounded, or the hard calls instead.  [default: use]",
    ),
]
Strand = Annotated[
    str,
    typer.Option(
        "--strand",
        metavar="flip|strict",
        show_default=False,
        help="Recode SNPs given on the other strand, or leave them out.  [default: flip]",
    ),
]
Ambiguous = Annotated[
    str,
    typer.Option(
        "--ambiguous",
        metavar="order|keep|drop",
        show_default=False,
        help="A/T and C/G SNPs: kept if the alleles are in the model's order, always, never.  "
        "[default: order]",
    ),
]
MinMatch = Annotated[
    float | None,
    typer.Option(
        "--min-match",
        metavar="SHARE",
        min=0.0,
        max=1.0,
        show_default=False,
        help="Share of the model's SNPs that FILE must have, and of its effects that must be "
        "called.  [default: 0.75]",
    ),
]
MatchLog = Annotated[
    Path | None,
    typer.Option(
        "--match-log",
        metavar="FILE",
        help="Write what became of each SNP of the model: .tsv, .csv, .parquet or .json.",
    ),
]
Interval = Annotated[
    float | None,
    typer.Option(
        "--interval",
        metavar="LEVEL",
        show_default=False,
        help="Also lower and upper ends of intervals that hold the share LEVEL of true values, "
        "such as 0.9.",
    ),
]
Families = Annotated[
    str | None,
    typer.Option(
        "--families",
        metavar="known|new",
        show_default=False,
        help="With --interval: are FILE's samples of families that the model was trained on, or of "
        "others?  [default: known]",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads",
        metavar="N",
        min=0,
        show_default=False,
        help="Model runs at a time; 0 is one per core.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No summary and no progress bar.")]


def input_options(
    input_format: str | None,
    id_column: str | None,
    snps_in: str | None,
    coding: str | None,
    dosages: str,
    strand: str,
    ambiguous: str,
    min_match: float | None,
    on_match: "Callable[[MatchedFile], None]",
) -> "InputOptions":
    """The options that say how a file is read and matched, checked.

    Raises
    ------
    UsageError
        An option is none of its choices.
    """
    from snpredict.genotypes.coding import CODINGS
    from snpredict.genotypes.formats import FORMATS
    from snpredict.genotypes.reader import DOSAGES, SNPS_IN, ReadOptions
    from snpredict.matching.alleles import AMBIGUOUS, STRANDS, MatchRules
    from snpredict.matching.matched_file import MIN_MATCH, InputOptions

    for option, value, known in (
        ("--input-format", input_format, FORMATS),
        ("--snps-in", snps_in, SNPS_IN),
        ("--coding", coding, CODINGS),
        ("--dosages", dosages, DOSAGES),
        ("--strand", strand, STRANDS),
        ("--ambiguous", ambiguous, AMBIGUOUS),
    ):
        if value is not None and value not in known:
            raise UsageError(f"{option}: found {value!r}, expected one of {', '.join(known)}")

    return InputOptions(
        format=input_format,
        reading=ReadOptions(id_column=id_column, snps_in=snps_in, dosages=dosages, coding=coding),
        rules=MatchRules(strand=strand, ambiguous=ambiguous),
        min_match=MIN_MATCH if min_match is None else min_match,
        on_match=on_match,
    )
