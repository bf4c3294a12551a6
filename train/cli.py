"""``python -m train``: parse, delegate, print."""

import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from snpredict.errors import OutputError, SnpredictError
from snpredict.terminal.commands import App, Command
from snpredict.terminal.program import run_program
from snpredict.terminal.start import interrupt
from train.commands import deepwas
from train.commands.console import Messages
from train.commands.options import (
    EvaluateOnly,
    Genotypes,
    GwasOnly,
    RunOnly,
    SharedOptions,
    SimulateOnly,
    SimulationDesign,
)
from train.errors import MissingExtra

app = App(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its boxes leave fifteen characters for a description
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train fold ensembles on SNP genotypes and export them as snpredict bundles.",
)
app.add_typer(deepwas.app, name="deepwas")
# A path or a unit may hold brackets, which markup would take for styles.
stderr = Messages(stderr=True, highlight=False, markup=False, emoji=False)


@app.command()
def run(table: Genotypes, shared: SharedOptions, own: RunOnly) -> None:
    """Train all folds, then summarise them and write the bundle."""
    from train.commands.run import RunOptions, train_and_export

    train_and_export(RunOptions(table=table, **shared.parsed(), **own.parsed()), stderr)


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
    context: typer.Context, table: Genotypes, shared: SharedOptions, own: EvaluateOnly
) -> None:
    """Compare baselines and networks on the same folds in a report."""
    from train.commands.evaluate import evaluate as run_evaluation
    from train.evaluation.setup import EvaluateOptions

    words = context.meta["arguments"]
    options = EvaluateOptions(table=table, arguments=words, **shared.parsed(), **own.parsed())
    run_evaluation(options, stderr)


@app.command()
def simulate(design: SimulationDesign, own: SimulateOnly) -> None:
    """Make up genotypes, and a trait whose loci are known."""
    from train.commands.simulate import SimulateOptions
    from train.commands.simulate import simulate as run_simulation

    run_simulation(SimulateOptions(design=design, **own.parsed(design)), stderr)


@app.command()
def gwas(table: Genotypes, own: GwasOnly) -> None:
    """Test the SNPs one by one: linear, logistic or mixed model."""
    from train.commands.gwas import GwasOptions
    from train.commands.gwas import gwas as run_gwas

    run_gwas(GwasOptions(table=table, **own.parsed()), stderr)


@app.command()
def decompose(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…",
            help="Folders of runs or bundles, or one that holds runs of several traits.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A new folder for the tables.")],
    null: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="The same with --control shuffled, or additive: pairs get a q-value, the share of "
            "false ones in a list that ends with the pair. It may be given several times.",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="Known effects, of simulated lines: trait, locus, additive, partner, epistatic, "
            "and of diploids dominance.",
        ),
    ] = None,
    sensitivity: Annotated[
        str,
        typer.Option(
            metavar="difference|gradient",
            help="Of a locus in a haploid line: half the difference between the alleles, or the "
            "gradient.",
        ),
    ] = "difference",
    lines: Annotated[
        int,
        typer.Option(
            metavar="N", help="Diploid lines that are drawn for each fold, in linkage equilibrium."
        ),
    ] = 2000,
    pairs_of: Annotated[
        str,
        typer.Option(
            metavar="SNPS",
            help="Pairs of these SNPs with all others, separated by commas. Without it all pairs, "
            "and of more than 5,000 SNPs those of the 1,000 with most interaction.",
        ),
    ] = "",
    seed: Annotated[int, typer.Option(metavar="N", help="Of the lines that are drawn.")] = 0,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The bundle of the run, or the one that is decomposed: it gets the tables, for "
            "explain --snp and --pair.",
        ),
    ] = None,
) -> None:
    """Say what networks have learned: effects, pairs, variances."""
    from train.commands.decompose import DecomposeOptions
    from train.commands.decompose import decompose as run_decompose

    options = DecomposeOptions(
        runs=tuple(runs),
        out=out,
        null=tuple(null or ()),
        truth=truth,
        sensitivity=sensitivity,
        lines=lines,
        pairs_of=tuple(name.strip() for name in pairs_of.split(",") if name.strip()),
        seed=seed,
        bundle=bundle,
    )
    run_decompose(options, stderr)


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
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of the run, for example runs/NAME.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The model to write.  [default: the one of the run]"),
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="What 'evaluate' wrote of the same data, for the card."
        ),
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
        translate=translate,
        interrupted="stopped; finished folds stay, the same command continues",
    )


def translate(error: Exception) -> SnpredictError | None:
    """An error of a library or of the system as one of ours, or None."""
    # A name of ours that cannot be imported is our mistake.
    if isinstance(error, ImportError) and not (error.name or "").startswith(("snpredict", "train")):
        return MissingExtra(
            f"training needs packages that are not installed: {error}",
            'pip install -e ".[train]"',
        )
    if isinstance(error, OSError) and error.errno is None:
        # As ctypes says that a shared library is not there.
        return MissingExtra(
            f"a library of the system cannot be loaded: {error}",
            "install the package that holds it; on Debian and Ubuntu libgomp.so.1 is in libgomp1",
        )
    if isinstance(error, OSError):
        where = [str(error.filename)] if error.filename is not None else []
        return OutputError(": ".join([*where, error.strerror or str(error)]))
    return None
