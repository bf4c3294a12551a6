"""The commands about weights: `import` makes a model of them, `effects` hands out a model's own.

`annotate` says how large weights are expected to be, before any is known.
"""

from pathlib import Path
from typing import Annotated

import typer

from snpredict.errors import UsageError
from snpredict.terminal.options import Format, Out, Quiet


def import_(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A scoring file of the PGS Catalog, or of plink2 --score."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder of the new model.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="ID,ALLELE,WEIGHT",
            help="Columns of a plink2 score file, by number or by name.  [default: 1,2,3]",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the model.  [default: as the file says]")
    ] = None,
    trait: Annotated[
        str | None, typer.Option("--trait", help="What it predicts.  [default: as the file says]")
    ] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Unit of the score.  [default: the weight type]")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Make a model of a file of weights, one per variant.

    FILE is a scoring file of the PGS Catalog in format 2.0, harmonised or not, or one of plink2
    --score; it may be gzip. The score is the sum of weight times copies of the effect allele. A
    missing genotype counts as twice the effect allele's frequency where FILE has it
    (allelefrequency_effect), else as no copy of it. Positions are not lifted to another build.
    """
    if file is None or out is None:
        raise UsageError(
            "import needs a file of weights and a folder for the model",
            "snpredict import PGS000001.txt.gz --out PGS000001",
        )
    from snpredict.terminal.imports import import_weights

    import_weights(file, out, columns, name, trait, unit, quiet)


def effects(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="A shipped model or a bundle's folder.")
    ] = None,
    out: Out = None,
    format: Format = None,
    pgs: Annotated[
        Path | None,
        typer.Option("--pgs", metavar="FILE", help="Write the average effects as a scoring file."),
    ] = None,
    on: Annotated[
        Path | None,
        typer.Option(
            "--on",
            metavar="FILE",
            help="Genotypes on which the scoring file is compared with the model.  [default: lines "
            "drawn with the genotype frequencies of training]",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write what every SNP of a model does to a prediction.

    Columns: snp, chromosome, position, counted_allele, other_allele, frequency (of the counted
    allele in training), effect_0, effect_1, effect_2 and effect_missing (of each genotype, in the
    average line), average_effect (the slope of these effects on the copies, by the frequencies of
    training), effect_sd and sign_agreement (its standard deviation over the folds, and the share of
    the folds that have its sign), saliency and rank. With --pgs, a file of the PGS Catalog's format
    2.0 holds the average effects; its header says what such a file cannot hold and how far its
    scores correlate with the model's own. Without --out the table is then left out.
    """
    if model is None:
        raise UsageError("effects needs a model", "snpredict models lists those that are installed")
    if on is not None and pgs is None:
        raise UsageError(
            "--on compares a scoring file with the model, but none is written", "add --pgs FILE"
        )
    from snpredict.terminal.effects import give_effects

    give_effects(model, out, format, pgs, on, quiet)


def annotate(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="VARIANTS",
            help="A table with a row per variant: id, or chromosome and position, and annotations "
            "by the names that the model knows. TSV, CSV or Parquet.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="DIR",
            help="A bundle of kind variant-effects, as python -m train deepwas run writes it.",
        ),
    ] = None,
    out: Out = None,
    format: Format = None,
    best: Annotated[
        int | None,
        typer.Option(
            "--best", metavar="N", help="The N with the largest expected effects, sorted."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Say how large effects of variants are expected to be.

    Every variant gets the expected variance of its effect, in standard deviations of the trait per
    standard deviation of the genotype, its rank, and what each annotation adds to the variance's
    logarithm against a variant whose annotations are all average. A missing annotation is average.
    """
    if file is None or model is None:
        raise UsageError(
            "annotate needs a table of variants and a model",
            "snpredict annotate variants.parquet --model out/bundles/variant-effects",
        )
    if best is not None and best < 1:
        raise UsageError(f"--best {best}: expected a number from 1 on", "leave --best out")
    from snpredict.terminal.annotate import annotate_variants

    annotate_variants(file, model, out, format, best, quiet)
