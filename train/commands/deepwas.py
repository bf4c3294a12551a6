"""``python -m train deepwas``: its commands' options; the work is in modules of their own."""

from pathlib import Path
from typing import Annotated

import typer

from snpredict.errors import UsageError
from snpredict.terminal.commands import App
from train.commands.console import Messages

app = App(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Learn from annotations how much a variant may matter.",
)
stderr = Messages(stderr=True, highlight=False, markup=False, emoji=False)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for the study.")],
    truth: Annotated[
        str,
        typer.Option(
            metavar="enrichments|network|null",
            help="What says how large effects are: thresholds of annotations and an interaction, a "
            "random network, or nothing (no effects).",
        ),
    ] = "enrichments",
    variants: Annotated[int, typer.Option(metavar="N", help="Of the genome.")] = 60_000,
    chromosomes: Annotated[int, typer.Option(metavar="N", help="Of the genome.")] = 20,
    per_megabase: Annotated[float, typer.Option(metavar="N", help="Variants.")] = 150.0,
    people: Annotated[float, typer.Option(metavar="N", help="Of the study.")] = 100_000,
    heritability: Annotated[float, typer.Option(metavar="SHARE", help="Of the trait.")] = 0.5,
    reference_people: Annotated[
        int, typer.Option(metavar="N", help="People whose LD is that of the study.")
    ] = 2_000,
    new_people: Annotated[
        int, typer.Option(metavar="N", help="People to predict; 0 for none.")
    ] = 1_000,
    seed: Annotated[int, typer.Option(metavar="N", help="Of all that is drawn.")] = 1,
) -> None:
    """Make up a study whose truth is known."""
    from train.commands.deepwas_simulate import DeepwasSimulateOptions, deepwas_simulate

    options = DeepwasSimulateOptions(
        out=out,
        truth=truth,
        variants=variants,
        chromosomes=chromosomes,
        per_megabase=per_megabase,
        people=people,
        heritability=heritability,
        reference_people=reference_people,
        new_people=new_people,
        seed=seed,
    )
    deepwas_simulate(options, stderr)


@app.command()
def run(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="For windows, fits and results.")],
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="A study whose study.toml names its files, as of simulate."
        ),
    ] = None,
    sumstats: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Summary statistics: GWAS-SSF, LDSC, GWAS-VCF, plink2, BOLT-LMM, fastGWA, "
            "or plain.",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Genotypes for the LD: .bed, .pgen or VCF."),
    ] = None,
    genotypes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Lines with a trait instead of both: they are LD reference and study in one.",
        ),
    ] = None,
    phenotypes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table with the lines' trait.")
    ] = None,
    family_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Families of the lines, within which all is looked at."),
    ] = "family",
    id_column: Annotated[str | None, typer.Option(metavar="NAME", help="Ids of the lines.")] = None,
    ignore: Annotated[
        str, typer.Option(metavar="NAMES", help="Columns of the lines that are not SNPs.")
    ] = "",
    annotations: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="BED, bedGraph, bigWig, GFF3, .annot.gz, Parquet or a table; several times.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT=NAME",
            help="A column of the summary statistics whose name is not known, such as "
            "effect-allele=Allele2.",
        ),
    ] = None,
    people: Annotated[
        float | None, typer.Option(metavar="N", help="Of the study, if its file does not say.")
    ] = None,
    own_ld: Annotated[
        bool,
        typer.Option(help="The reference are the study's own people, so that its LD is exact."),
    ] = False,
    taper: Annotated[
        float | None,
        typer.Option(metavar="BASES", help="Correlations fall to 0 at this distance."),
    ] = None,
    shrink: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="How far correlations of few people are shrunk; as many people ask for, if left "
            "out.",
        ),
    ] = None,
    maf: Annotated[
        float, typer.Option(metavar="SHARE", help="Least frequency of the rarer allele.")
    ] = 0.0,
    info: Annotated[
        float, typer.Option(metavar="SHARE", help="Least quality of imputation.")
    ] = 0.0,
    core: Annotated[int, typer.Option(metavar="BASES", help="Length of a window.")] = 1_000_000,
    halo: Annotated[
        int, typer.Option(metavar="BASES", help="What is looked at on either side of it.")
    ] = 1_000_000,
    blocks: Annotated[
        Path | None, typer.Option(metavar="BED", help="LD blocks that are the windows.")
    ] = None,
    from_snps: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Annotations that the variants give: frequency, position, neighbourhood, "
            "ld-score.",
        ),
    ] = "frequency",
    shuffle: Annotated[
        bool, typer.Option(help="A control: the annotations are dealt out at random.")
    ] = False,
    networks: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Of constant, linear, mlp, mlp-large, attention."),
    ] = "constant,linear,mlp",
    objectives: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="full: the likelihood; ldsr: LD-score regression, its peer."
        ),
    ] = "full,ldsr",
    seeds: Annotated[int, typer.Option(metavar="N", help="Fits of each that are averaged.")] = 1,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the first.")] = 1,
    held_out: Annotated[
        str,
        typer.Option(
            metavar="CHROMOSOMES",
            help="For the figures; 6,7,8 where there are these, else stretches.",
        ),
    ] = "",
    validation: Annotated[
        str,
        typer.Option(metavar="CHROMOSOMES", help="To stop the training; 9,10 likewise."),
    ] = "",
    scaling: Annotated[
        float,
        typer.Option(
            metavar="POWER",
            help="Of 4pq in the prior variance, such as 0.7; 0 leaves it to the network.",
        ),
    ] = 0.0,
    epochs: Annotated[int, typer.Option(metavar="N", help="At most.")] = 10,
    learning_rate: Annotated[float, typer.Option(metavar="RATE", help="Of AdamW.")] = 5e-3,
    windows_per_step: Annotated[
        int, typer.Option(metavar="N", help="Whose gradients make a step.")
    ] = 4,
    solver: Annotated[
        str,
        typer.Option(
            metavar="auto|exact|iterative",
            help="Of the likelihood: exactly, with random probes, or by the size of a window.",
        ),
    ] = "auto",
    learn_sigma: Annotated[
        bool, typer.Option(help="Learn the variance of the noise, which is 1 otherwise.")
    ] = False,
    threshold: Annotated[
        float,
        typer.Option(
            metavar="P", help="Of the plain score ct: 5e-08, 1e-06, 0.0001, …, 0.05, 0.1, 0.5, 1."
        ),
    ] = 0.05,
    trait: Annotated[
        str, typer.Option(metavar="NAME", help="The lines' column, and for the scores.")
    ] = "trait",
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Of the study's effects.")] = "SD",
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Fits at a time; a core each.")
    ] = None,
) -> None:
    """Learn priors from a study, and estimate effects under them."""
    from train.commands.deepwas_run import DeepwasRunOptions, deepwas_run
    from train.data.genotypes import HowRead

    options = DeepwasRunOptions(
        out=out,
        folder=folder,
        sumstats=sumstats,
        reference=reference,
        genotypes=genotypes,
        phenotypes=phenotypes,
        how=HowRead(id_column=id_column, family_column=family_column, ignore=_names(ignore)),
        annotations=tuple(annotations or ()),
        columns=dict(map(_column, column or ())),
        people=people,
        own_ld=own_ld,
        taper=taper,
        shrink=shrink,
        maf=maf,
        info=info,
        core=core,
        halo=halo,
        blocks=blocks,
        from_snps=_names(from_snps),
        shuffle=shuffle,
        networks=_names(networks),
        objectives=_names(objectives),
        seeds=seeds,
        seed=seed,
        held_out=_names(held_out),
        validation=_names(validation),
        scaling=scaling,
        training={
            "epochs": epochs,
            "learning_rate": learning_rate,
            "windows_per_step": windows_per_step,
            "solver": solver,
            "learn_sigma": learn_sigma,
        },
        threshold=threshold,
        trait=trait,
        unit=unit,
        jobs=jobs,
    )
    deepwas_run(options, stderr)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _column(text: str) -> tuple[str, str]:
    what, equals, name = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--column {text}: expected WHAT=NAME", "such as effect-allele=Allele2")
    return what, name
