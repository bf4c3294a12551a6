"""``python -m train``: parse, delegate, print."""

import signal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from snpredict.errors import OutputError, SnpredictError, UsageError
from snpredict.terminal.commands import App, Command
from snpredict.terminal.program import run_program
from snpredict.terminal.start import interrupt
from train.commands.console import Messages
from train.errors import MissingExtra

app = App(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its boxes leave fifteen characters for a description
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train fold ensembles on SNP genotypes and export them as snpredict bundles.",
)
# A path or a unit may hold brackets, which markup would take for styles.
stderr = Messages(stderr=True, highlight=False, markup=False, emoji=False)


class Control(StrEnum):
    """Phenotypes without signal; see `train.data.controls`."""

    shuffled = "shuffled"
    family_effects = "family-effects"


class FoldScheme(StrEnum):
    """Where folds come from; see `train.data.folds`."""

    given = "given"
    random = "random"
    family = "family"


class Repeats(StrEnum):
    """What is done with several rows of one line; see `train.data.repeats`."""

    mean = "mean"


class Coding(StrEnum):
    """What stands for the genotypes in a table; see `snpredict.genotypes.coding`."""

    counts = "012"
    centred = "-101"


# What both commands that train are asked for.
Table = Annotated[
    Path, typer.Argument(metavar="TABLE", help="Wide table, samples in rows, or a PLINK .raw")
]
Traits = Annotated[str, typer.Option("--trait", help="Column of the phenotype; several by commas")]
Phenotypes = Annotated[
    Path | None,
    typer.Option(help="Table of traits, joined by sample id; its columns come first"),
]
OnlyFolds = Annotated[
    list[str] | None,
    typer.Option("--fold", help="This fold alone; several by commas, or given again"),
]
CovariateOption = Annotated[
    str | None,
    typer.Option(
        "--covariates",
        help="Columns that the models may look at too, by commas: numbers, or texts as categories",
    ),
]
Binary = Annotated[
    str | None,
    typer.Option(help="Of the traits those whose values are 0 and 1, by commas"),
]
Threads = Annotated[int, typer.Option(min=1, help="Threads of each fit")]
Jobs = Annotated[int, typer.Option(min=1, help="Fits at a time")]
Seed = Annotated[
    int, typer.Option(min=0, help="Fixes dealt folds, controls, chains, weights and batches")
]
IdColumn = Annotated[str | None, typer.Option(help="Column of the sample ids")]
FoldColumn = Annotated[str, typer.Option(help="Column of the folds, if there")]
Ignore = Annotated[
    list[str] | None,
    typer.Option(help="A further column that is not a SNP; may be given again"),
]
SnpsFrom = Annotated[
    str | None, typer.Option(help="First SNP; all later columns are SNPs, whatever their names")
]
RepeatsOption = Annotated[
    Repeats | None,
    typer.Option(help="Average several rows of one line to one value; else they are refused"),
]
CodingOption = Annotated[
    Coding | None,
    typer.Option(
        help="Genotypes of the table are 0, 1, 2, with -1 for missing (012), or -1, 0, 1 (-101)  "
        "[default: 012, but a table that looks like -1, 0, 1 is refused]"
    ),
]


@app.command()
def run(
    table: Table,
    trait: Traits,
    unit: Annotated[str, typer.Option(help="Unit of the phenotype, for example cm; by commas")],
    out: Annotated[
        Path,
        typer.Option(help="Bundle to write, for example models/NAME; NAME-TRAIT of several traits"),
    ],
    preset: Annotated[
        str, typer.Option(help="default, linear, paper, gblup, reweighted, or a TOML file")
    ] = "default",
    model: Annotated[
        str | None,
        typer.Option(help="A model of 'evaluate' instead of a preset, such as package.module:NAME"),
    ] = None,
    isru_alpha: Annotated[
        float | None,
        typer.Option(
            help="α of the network's last unit, which keeps predictions within 1/√α SD of the mean "
            "[default: the preset's]"
        ),
    ] = None,
    folds: Annotated[
        FoldScheme, typer.Option(help="Given in a column, random, or whole families")
    ] = FoldScheme.given,
    n_folds: Annotated[
        int | None, typer.Option(min=2, help="For random and family  [default: 10]")
    ] = None,
    fold: OnlyFolds = None,
    jobs: Jobs = 1,
    threads: Threads = 2,
    seed: Seed = 1,
    compare: Annotated[
        Path | None, typer.Option(help="A second table over the same rows, trained the same way")
    ] = None,
    new_families: Annotated[
        bool,
        typer.Option(
            help="Also train with a tenth of the families left out at a time, for accuracy and "
            "intervals in new families"
        ),
    ] = False,
    snp_info: Annotated[
        Path | None, typer.Option(help="Table of SNPs: id, chromosome, position, alleles")
    ] = None,
    counted_allele: Annotated[
        str | None, typer.Option(help="Column of --snp-info whose allele the codes count")
    ] = None,
    other_allele: Annotated[
        str | None, typer.Option(help="Column of --snp-info with the other allele")
    ] = None,
    id_column: IdColumn = None,
    fold_column: FoldColumn = "fold",
    family_column: Annotated[str, typer.Option(help="Column of the families, if there")] = "family",
    ignore: Ignore = None,
    snps_from: SnpsFrom = None,
    repeats: RepeatsOption = None,
    coding: CodingOption = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="Where folds are kept; default runs/NAME")
    ] = None,
    phenotypes: Phenotypes = None,
    covariates: CovariateOption = None,
    binary: Binary = None,
    control: Annotated[
        Control | None,
        typer.Option(
            help="Replace the phenotype by one without signal: PCC must be 0, of family-effects "
            "only with --folds family"
        ),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the data, for the card")] = None,
    source: Annotated[str | None, typer.Option(help="Origin of the data, for the card")] = None,
    resume: Annotated[
        bool, typer.Option(help="Continue a killed run, or refuse to touch its folder")
    ] = True,
    gpu: Annotated[bool, typer.Option(help="Let TensorFlow use a GPU")] = False,
) -> None:
    """Train all folds, then summarise them and write the bundle."""
    from train.commands.run import RunOptions, train_and_export

    options = RunOptions(
        table=table,
        traits=_names(trait),
        units=_units(unit),
        out=out,
        preset=preset,
        model=model,
        isru_alpha=isru_alpha,
        folds=folds.value,
        n_folds=n_folds,
        only_folds=_numbers(fold),
        jobs=jobs,
        threads=threads,
        seed=seed,
        compare=compare,
        new_families=new_families,
        snp_info=snp_info,
        counted_allele=counted_allele,
        other_allele=other_allele,
        id_column=id_column,
        fold_column=fold_column,
        family_column=family_column,
        ignore=tuple(ignore or ()),
        snps_from=snps_from,
        repeats=repeats.value if repeats else None,
        coding=coding.value if coding else None,
        run_dir=run_dir,
        phenotypes=phenotypes,
        covariates=_names(covariates or ""),
        binary=_names(binary or ""),
        control=control.value if control else None,
        licence=licence,
        source=source,
        resume=resume,
        gpu=gpu,
    )
    train_and_export(options, stderr)


class Remembering(Command):
    """A command that knows the words it was given: in its context's ``meta``."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:
        """Parse the words, and keep them."""
        words = (info_name or "", *args)
        context = super().make_context(info_name, args, *rest, **more)
        context.meta["arguments"] = words
        return context


@app.command(cls=Remembering)
def evaluate(
    context: typer.Context,
    table: Table,
    trait: Traits,
    out: Annotated[Path, typer.Option(help="Folder of the evaluation; continued if it is there")],
    phenotypes: Phenotypes = None,
    covariates: CovariateOption = None,
    binary: Binary = None,
    unit: Annotated[
        str | None, typer.Option(help="Units of the traits, by commas, for the report")
    ] = None,
    folds: Annotated[
        str,
        typer.Option(help="Of given (in a column), random, and family (left out), by commas"),
    ] = "random,family",
    models: Annotated[
        str | None,
        typer.Option(
            help="Baselines, and network-PRESET  [default: all baselines, network-default]"
        ),
    ] = None,
    fold: OnlyFolds = None,
    n_folds: Annotated[
        int | None,
        typer.Option(min=2, help="Random and family folds  [default: as many as given, or 10]"),
    ] = None,
    refit: Annotated[
        bool,
        typer.Option(help="Also fit the baselines again on training and validation samples"),
    ] = False,
    controls: Annotated[
        bool,
        typer.Option(
            help="Also fit phenotypes without signal: PCC must be 0, of family-effects only with "
            "families left out"
        ),
    ] = False,
    jobs: Jobs = 1,
    threads: Threads = 2,
    seed: Seed = 1,
    report: Annotated[
        Path | None, typer.Option(help="Write the report here too, its plots beside it")
    ] = None,
    id_column: IdColumn = None,
    fold_column: FoldColumn = "fold",
    family_column: Annotated[
        str, typer.Option(help="Column of the families; without it, genotype clusters")
    ] = "family",
    ignore: Ignore = None,
    snps_from: SnpsFrom = None,
    repeats: RepeatsOption = None,
    coding: CodingOption = None,
) -> None:
    """Compare baselines and networks on the same folds in a report."""
    from train.commands.evaluate import evaluate as run_evaluation
    from train.evaluation.setup import DEFAULT_MODELS, EvaluateOptions

    options = EvaluateOptions(
        table=table,
        traits=_names(trait),
        units=_units(unit),
        out=out,
        phenotypes=phenotypes,
        covariates=_names(covariates or ""),
        binary=_names(binary or ""),
        schemes=_names(folds),
        models=_names(models or "") or DEFAULT_MODELS,
        only_folds=_numbers(fold),
        n_folds=n_folds,
        refit=refit,
        controls=controls,
        jobs=jobs,
        threads=threads,
        seed=seed,
        report=report,
        id_column=id_column,
        fold_column=fold_column,
        family_column=family_column,
        ignore=tuple(ignore or ()),
        snps_from=snps_from,
        repeats=repeats.value if repeats else None,
        coding=coding.value if coding else None,
        arguments=context.meta["arguments"],
    )
    run_evaluation(options, stderr)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _units(text: str | None) -> tuple[str, ...]:
    # Two traits may well have the same unit.
    return tuple(unit.strip() for unit in text.split(",")) if text else ()


def _numbers(texts: list[str] | None) -> tuple[int, ...]:
    text = ",".join(texts or ())
    try:
        return tuple(int(name) for name in _names(text))
    except ValueError:
        raise UsageError(f"--fold is '{text}'; expected numbers such as 1,4,7") from None


@app.command(hidden=True)
def worker(parent: int) -> None:
    """Take tasks from stdin until the process `parent` ends; see `train.runs.workers`."""
    from train.runs.orphans import end_with_parent

    end_with_parent(parent)

    # It takes a while to import, in which a parent may end.
    from train.runs.workers import serve

    serve()


@app.command()
def summarize(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, for example runs/NAME")],
    out: Annotated[
        Path | None, typer.Option(help="Bundle folder to write; default: the one of the run")
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(help="Folder of 'evaluate' on the same data, for the model card"),
    ] = None,
) -> None:
    """Tables, plots and the bundle of a run whose folds are finished."""
    from train.commands.summarize import summarize_run

    summarize_run(run, out, stderr, evaluation)


def main() -> int:
    """Run the command line; see `snpredict.terminal.program.run_program` for the exit codes."""
    # A terminated run must stop its folds like an interrupted one.
    signal.signal(signal.SIGTERM, interrupt)
    return run_program(
        app,
        "python -m train",
        translate=_translate,
        interrupted="stopped; finished folds stay, the same command continues",
    )


def _translate(error: Exception) -> SnpredictError | None:
    if isinstance(error, ImportError):
        return MissingExtra(
            f"training needs packages that are not installed: {error}",
            'pip install -e ".[train]"',
        )
    if isinstance(error, OSError):
        return OutputError(f"{error.filename}: {error.strerror}")
    return None
