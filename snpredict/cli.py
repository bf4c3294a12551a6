"""The command line: parses, delegates, prints.

Everything that takes time to import is imported inside the functions that need it, so that
`snpredict --help` answers at once.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snpredict.choices import FAMILIES, check_choice
from snpredict.errors import UsageError
from snpredict.terminal.commands import App
from snpredict.terminal.options import (
    Best,
    Covariates,
    Families,
    File,
    FileOptions,
    Format,
    Index,
    Interval,
    Json,
    Model,
    Models,
    Out,
    Quiet,
    Rank,
    Threads,
)
from snpredict.terminal.program import run_program
from snpredict.terminal.weight_commands import annotate, effects, import_
from snpredict.terminal.wrapping import for_stream, tell
from snpredict.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from snpredict.bundle.load import Bundle

app = App(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = App(rich_markup_mode=None)
app.add_typer(models_app, name="models")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"snpredict {__version__}")
        raise typer.Exit


@app.callback()
def _snpredict(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Predict traits from SNP genotypes, and say which SNPs made the prediction."""


@app.command()
def predict(
    file: File = None,
    model: Models = None,
    rank: Rank = False,
    best: Best = None,
    index: Index = None,
    out: Out = None,
    format: Format = None,
    per_fold: Annotated[
        bool, typer.Option("--per-fold", help="Also the prediction of every fold model.")
    ] = False,
    top: Annotated[
        int,
        typer.Option(
            "--top",
            metavar="K",
            min=0,
            show_default=False,
            help="Also the K SNPs that contributed most to a sample.",
        ),
    ] = 0,
    interval: Interval = None,
    families: Families = None,
    covariates: Covariates = None,
    reading: FileOptions = FileOptions(),
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Predict the trait for every sample of FILE.

    The output is a table on a terminal, and tab-separated text in a pipe. Its columns:

    sample; prediction, the mean over the fold models; spread, their standard deviation; with
    --interval lower and upper, the ends of the interval.

    reliability: the squared correlation of predictions and phenotypes inside families, in
    cross-validation, for lines like this one. It is empty where that was not measured.

    predicted_by: "ensemble", or for a sample of the training set the one fold model that did not
    see it.

    low_call_rate: whether the called genotypes carry less of the model's effects than --min-match.

    distance_percentile: how many per cent of the training samples are nearer to the training set
    than this one. unlike_training: whether its distance, heterozygosity or call rate is beyond
    that of 99 % of them. unlike_because: which of the three. Models without a table of similarity
    lack these columns.

    With several models each has its own columns: height is the prediction of the trait height,
    height_spread its spread, and so on. Two models of one trait have columns by the models' names.
    --rank and --best add rank, --index adds index, both behind sample; samples with equal values
    have equal ranks. --rank sorts from the highest to the lowest value: --index "height:-1" puts
    the shortest first.
    """
    if file is None:
        raise UsageError("predict needs a file of genotypes", _example("predict {file}"))
    from snpredict.intervals import check_request
    from snpredict.predicting import predict_models
    from snpredict.results.selection import plan_selection
    from snpredict.terminal.outputs import Outputs
    from snpredict.terminal.progress import watch
    from snpredict.terminal.selection_words import told_of_selection

    outputs = Outputs(file, model or [], out, format, reading.match_log)
    if interval is not None:
        check_request(interval, families or FAMILIES[0])
    check_choice("--families", families, FAMILIES)
    options = reading.checked(outputs.note_match)
    bundles = outputs.bundles()
    if families and interval is None and not any(b.manifest.reliability for b in bundles):
        raise UsageError(
            "--families says whose intervals and reliability, and there are none of either",
            "ask for intervals: --interval 0.9",
        )
    plan = plan_selection(bundles, index=index, rank=rank, best=best)
    with outputs.refusal():
        predictions = predict_models(
            file,
            bundles,
            options,
            threads=threads,
            top=top,
            interval=interval,
            families=families or FAMILIES[0],
            covariates=covariates,
            watch=watch(quiet),
        )
    selection = plan.of(predictions)
    tell(told_of_selection(selection, quiet))

    def draw(console: "Console") -> None:
        from snpredict.terminal.predictions import show_selection

        show_selection(console, selection, per_fold)

    outputs.give(lambda: selection.results(per_fold), draw)


@app.command()
def check(
    file: File = None,
    model: Model = None,
    json: Json = False,
    reading: FileOptions = FileOptions(),
    quiet: Quiet = False,
) -> None:
    """Say how FILE fits a model, without predicting anything.

    Reads the whole file, matches its variants to the model's SNPs, and reports what was matched,
    recoded and left out, why, how many genotypes are missing, and how many samples are unlike the
    training set.
    """
    if file is None:
        raise UsageError("check needs a file of genotypes", _example("check {file}"))
    from snpredict.predicting import check_file, judge
    from snpredict.results.facts import check_facts
    from snpredict.terminal.messages import told_of_check, warnings_of
    from snpredict.terminal.outputs import Outputs, print_json
    from snpredict.terminal.progress import watch

    outputs = Outputs(file, _one(model), None, "json" if json else None, reading.match_log)
    options = reading.checked(outputs.note_match)
    checked = check_file(file, outputs.bundle(), options, watch=watch(quiet))
    if json:
        print_json(check_facts(checked))
    else:
        print(for_stream(told_of_check(checked), sys.stdout))
    with outputs.refusal():
        judge(checked)
    outputs.write_log()
    tell(warnings_of(checked))


@app.command()
def explain(
    file: File = None,
    snp: Annotated[
        str | None,
        typer.Option(
            "--snp", metavar="NAME", help="A SNP of the model: name, unique part of it, or place."
        ),
    ] = None,
    pair: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--pair", metavar="NAME NAME", help="Two SNPs: predictions for all their genotypes."
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option("--sample", metavar="ID", help="Explain the prediction of a sample of FILE."),
    ] = None,
    model: Model = None,
    json: Json = False,
    top: Annotated[
        int, typer.Option("--top", metavar="K", min=1, help="SNPs to show on a terminal.")
    ] = 20,
    covariates: Covariates = None,
    out: Out = None,
    format: Format = None,
    reading: FileOptions = FileOptions(),
    quiet: Quiet = False,
) -> None:
    """Say which SNPs make a prediction.

    With --snp, what the model knows about one SNP; in a pipe, one row per genotype with columns
    snp, chromosome, position, counted_allele, other_allele, saliency, centered_saliency, rank,
    percentile, genotype, frequency, effect, effect_p05, effect_p95 and effects_hold, and with
    --json everything. With --pair, predictions of the average line with all genotypes of two SNPs,
    and their interaction part. With FILE and --sample, what each SNP added to that sample's
    prediction, and each covariate of a model that takes some. Contributions to a probability are
    logits. With neither, type names of SNPs until q.
    """
    if snp is not None and (file is not None or sample is not None):
        raise UsageError(
            "--snp looks up a SNP of the model and takes no FILE and no --sample",
            "ask for one at a time",
        )
    if pair is not None and any(name.startswith("-") for name in pair):
        raise UsageError(
            f"--pair: found {pair[0]} {pair[1]}, expected the names of two SNPs",
            "write --pair NAME NAME",
        )
    if pair is not None and (file is not None or sample is not None or snp is not None):
        raise UsageError(
            "--pair looks up two SNPs of the model and takes no FILE, no --sample and no --snp",
            "ask for one at a time",
        )
    if sample is not None and file is None:
        raise UsageError(
            "--sample needs the file that holds the sample",
            _example("explain {file} --sample {sample}"),
        )
    looked_up = snp is not None or pair is not None
    if file is None and not looked_up and (json or out is not None or format is not None):
        raise UsageError(
            "the viewer writes no file",
            "name what to explain with --snp or --pair, or FILE and --sample",
        )
    if file is None and covariates is not None:
        raise UsageError("--covariates needs FILE and --sample", "leave --covariates out")
    if file is None and reading.match_log is not None:
        raise UsageError("--match-log needs FILE, whose match it is", "leave --match-log out")
    from snpredict.terminal.explain import explain_one_sample, explain_pair, explain_snp, view
    from snpredict.terminal.outputs import Outputs

    if file is None and not looked_up:
        view(_load(model))
        return
    outputs = Outputs(file, _one(model), out, "json" if json else format, reading.match_log)
    if file is not None:
        explain_one_sample(file, sample, reading, outputs, top, quiet, covariates)
    elif snp is not None:
        explain_snp(snp, outputs)
    elif pair is not None:
        explain_pair(pair, outputs)


app.command("import")(import_)
app.command()(effects)
app.command()(annotate)


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context, json: Json = False) -> None:
    """List the models that come with snpredict.

    A table on a terminal, tab-separated in a pipe.
    """
    if context.invoked_subcommand is not None:
        return
    from snpredict.bundle.load import list_bundles
    from snpredict.results.tables import encode
    from snpredict.terminal.outputs import print_bytes, print_json
    from snpredict.terminal.plain_tables import model_table
    from snpredict.terminal.screens import show_models
    from snpredict.terminal.tables import terminal

    listed, broken = list_bundles()
    tell([("warning: ", error.message) for error in broken])
    if json:
        print_json([manifest.as_dict() | {"size_bytes": size} for manifest, size in listed])
    elif not sys.stdout.isatty():
        print_bytes(encode(model_table(listed), "tsv"))
    elif listed:
        show_models(terminal(), listed)
    if not listed:
        tell([("", "no models are installed; name a bundle's folder with --model PATH")])


@models_app.command("show")
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A shipped model or a bundle's folder.")
    ],
    json: Json = False,
) -> None:
    """Verify one model and show what its manifest says."""
    from snpredict.terminal.outputs import print_json
    from snpredict.terminal.screens import show_model
    from snpredict.terminal.tables import terminal

    bundle = _load(name)
    if json:
        print_json(
            bundle.manifest.as_dict() | {"manifest_sha256": bundle.digest, "path": str(bundle.path)}
        )
    else:
        show_model(terminal(), bundle)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when left out.

    Returns
    -------
    int
        Exit code: 0 done, 1 unexpected, 2 usage, 130 interrupted, else that of the error's class.
    """
    # numpy's small products run beside the models: with threads of their own they mostly wait for
    # each other. It reads this when it is imported, which is later.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if arguments is None and hasattr(signal, "SIGPIPE"):
        # As other filters do: `snpredict predict … | head` ends without a word.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    return run_program(app, "snpredict", arguments)


def _one(model: str | None) -> list[str]:
    return [] if model is None else [model]


def _load(model: str | None) -> "Bundle":
    from snpredict.bundle.load import DEFAULT_MODEL, load_bundle

    return load_bundle(DEFAULT_MODEL if model is None else model)


def _example(command: str) -> str:
    """A command that works, for a person who has no file at hand."""
    for folder in (Path(__file__).parent, Path(__file__).parent.parent):
        example = folder / "examples" / "genotypes.tsv"
        if example.is_file():
            with example.open() as lines:
                lines.readline()
                sample = lines.readline().split("\t")[0]
            with contextlib.suppress(ValueError):
                example = example.relative_to(Path.cwd())
            return "for example: snpredict " + command.format(file=example, sample=sample)
    return (
        r"for example, with a table of one line and one SNP: printf 'sample\tGm01_3321482_T_C\n"
        r"line-1\t2\n' > genotypes.tsv && snpredict "
        + command.format(file="genotypes.tsv", sample="line-1")
        + " --min-match 0"
    )
