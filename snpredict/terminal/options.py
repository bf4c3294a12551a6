"""The command line's options, each defined once, and those of genotype files taken together."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snpredict.choices import (
    AMBIGUOUS,
    CODINGS,
    DEFAULT_MODEL,
    DOSAGES,
    FAMILIES,
    INPUT_FORMATS,
    MIN_MATCH,
    OUTPUT_FORMATS,
    SNPS_IN,
    STRANDS,
    check_choice,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from snpredict.matching.matched_file import InputOptions, MatchedFile

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="Genotypes: VCF, BCF, PLINK .bed or .pgen (or their prefix) or .raw, HapMap, Parquet, "
        "or a table; text may be gzip. A pattern in quotes, such as 'chr*.vcf.gz', stands for "
        "several files of the same samples.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|PATH",
        help=f"A shipped model or a bundle's folder.  [default: {DEFAULT_MODEL}]",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|PATH",
        show_default=False,
        help="A shipped model or a bundle's folder. Give it again for each further model: FILE is "
        f"read once.  [default: {DEFAULT_MODEL}]",
    ),
]
Rank = Annotated[
    bool,
    typer.Option(
        "--rank", help="Sort the samples, the highest prediction first, or the highest index."
    ),
]
Best = Annotated[
    int | None,
    typer.Option(
        "--best",
        metavar="N",
        show_default=False,
        help="Sort them and keep the N best, with all that tie with the last of them.",
    ),
]
Index = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="TRAIT:WEIGHT,…",
        show_default=False,
        help='Also a selection index, such as "yield:2,height:-1": weights per standard deviation '
        "of a trait in the training set. A negative weight selects for low values.",
    ),
]
Covariates = Annotated[
    Path | None,
    typer.Option(
        "--covariates",
        metavar="TABLE",
        show_default=False,
        help="A table of sample ids and of the covariates that a model takes. NA stands for a "
        "value that is not known.",
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
        metavar="|".join(OUTPUT_FORMATS),
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
        metavar="|".join(INPUT_FORMATS),
        help="Format of FILE.  [default: by its content]",
    ),
]
SnpsIn = Annotated[
    str | None,
    typer.Option(
        "--snps-in",
        metavar="|".join(SNPS_IN),
        help="Whether a table has one SNP per column or per row.  [default: by its names]",
    ),
]
Coding = Annotated[
    str | None,
    typer.Option(
        "--coding",
        metavar="|".join(CODINGS),
        help="Genotypes of a table are 0, 1, 2, with -1 for missing (012), or -1, 0, 1 (-101).  "
        f"[default: {CODINGS[0]}, but a table that looks like -1, 0, 1 is refused]",
    ),
]
Dosages = Annotated[
    str,
    typer.Option(
        "--dosages",
        metavar="|".join(DOSAGES),
        show_default=False,
        help="Use dosages as they are, round them to whole genotypes, or ignore them and read the "
        f"called genotypes.  [default: {DOSAGES[0]}]",
    ),
]
Strand = Annotated[
    str,
    typer.Option(
        "--strand",
        metavar="|".join(STRANDS),
        show_default=False,
        help="Recode SNPs that are given on the other strand (flip), or leave them out (strict).  "
        f"[default: {STRANDS[0]}]",
    ),
]
Ambiguous = Annotated[
    str,
    typer.Option(
        "--ambiguous",
        metavar="|".join(AMBIGUOUS),
        show_default=False,
        help="A/T and C/G SNPs, whose strand cannot be seen: keep those with the model's order of "
        f"alleles, keep all, or drop all.  [default: {AMBIGUOUS[0]}]",
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
        f"called.  [default: {MIN_MATCH}]",
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
        help="Also the lower and upper ends of prediction intervals that hold this share of the "
        "observed values, such as 0.9.",
    ),
]
Families = Annotated[
    str | None,
    typer.Option(
        "--families",
        metavar="|".join(FAMILIES),
        show_default=False,
        help="For intervals and reliability: are FILE's samples of families that the model was "
        f"trained on, or of others?  [default: {FAMILIES[0]}]",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads",
        metavar="N",
        min=0,
        show_default=False,
        help="How many model runs at a time; 0 means one per core.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No summary and no progress bar.")]


@dataclass(frozen=True)
class FileOptions:
    """How FILE is read and matched, as it was typed; an option of a command for each field."""

    input_format: InputFormat = None
    id_column: IdColumn = None
    snps_in: SnpsIn = None
    coding: Coding = None
    dosages: Dosages = DOSAGES[0]
    strand: Strand = STRANDS[0]
    ambiguous: Ambiguous = AMBIGUOUS[0]
    min_match: MinMatch = None
    match_log: MatchLog = None

    def checked(self, on_match: "Callable[[MatchedFile], None]") -> "InputOptions":
        """The same for those who read the file; the match log is a matter of the outputs.

        Raises
        ------
        UsageError
            An option is none of its choices.
        """
        from snpredict.genotypes.reader import ReadOptions
        from snpredict.matching.alleles import MatchRules
        from snpredict.matching.matched_file import InputOptions

        check_choice("--input-format", self.input_format, INPUT_FORMATS)
        check_choice("--snps-in", self.snps_in, SNPS_IN)
        check_choice("--coding", self.coding, CODINGS)
        check_choice("--dosages", self.dosages, DOSAGES)
        check_choice("--strand", self.strand, STRANDS)
        check_choice("--ambiguous", self.ambiguous, AMBIGUOUS)
        return InputOptions(
            format=self.input_format,
            reading=ReadOptions(
                id_column=self.id_column,
                snps_in=self.snps_in,
                dosages=self.dosages,
                coding=self.coding,
            ),
            rules=MatchRules(strand=self.strand, ambiguous=self.ambiguous),
            min_match=MIN_MATCH if self.min_match is None else self.min_match,
            on_match=on_match,
        )
