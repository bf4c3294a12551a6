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

from snpredict.errors import UsageError
from snpredict.terminal.commands import App
from snpredict.terminal.options import (
    Ambiguous,
    Coding,
    Dosages,
    Families,
    File,
    Format,
    IdColumn,
    InputFormat,
    Interval,
    Json,
    MatchLog,
    MinMatch,
    Model,
    Out,
    Quiet,
    SnpsIn,
    Strand,
    Threads,
    input_options,
)
from snpredict.terminal.program import run_program
from snpredict.terminal.streams import printable, printable_lines
from snpredict.terminal.wrapping import columns_of, for_stream
from snpredict.version import __version__

if TYPE_CHECKING:
    from snpredict.bundle.load import Bundle
    from snpredict.matching.matched_file import InputOptions
    from snpredict.terminal.outputs import Outputs

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
    model: Model = None,
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
    input_format: InputFormat = None,
    id_column: IdColumn = None,
    snps_in: SnpsIn = None,
    coding: Coding = None,
    dosages: Dosages = "use",
    strand: Strand = "flip",
    ambiguous: Ambiguous = "order",
    min_match: MinMatch = None,
    match_log: MatchLog = None,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Predict the trait for every sample of FILE.

    Columns: sample, prediction (the mean over the fold models), spread (their standard deviation)
    and predicted_by: "ensemble", or the one fold model that did not see a sample of the training
    set. With --interval also lower and upper, behind spread. low_call_rate says whether the called
    genotypes carry less of the model's effects than --min-match. Models that hold a table of
    similarity add distance_percentile, the percentage of training samples that are nearer to the
    training set than this one, and unlike_training: whether its distance, heterozygosity or call
    rate is beyond that of 99 % of them; unlike_because says which. A table on a terminal,
    tab-separated in a pipe.
    """
    if file is None:
        raise UsageError("predict needs a file of genotypes", _example("predict {file}"))
    if families is not None and interval is None:
        raise UsageError(
            "--families says whose intervals, but none were asked for", "--interval 0.9"
        )
    from snpredict.intervals import check_request
    from snpredict.matching.low_call_rate import low_call_rate_warning
    from snpredict.predicting import predict_file
    from snpredict.terminal import messages, screens
    from snpredict.terminal.outputs import Outputs
    from snpredict.terminal.progress import watch
    from snpredict.terminal.similarity_words import similarity_warning
    from snpredict.terminal.tables import terminal

    outputs = Outputs(file, model, out, format, match_log)
    families = families or "known"
    if interval is not None:
        check_request(interval, families)
    options = input_options(
        input_format,
        id_column,
        snps_in,
        coding,
        dosages,
        strand,
        ambiguous,
        min_match,
        outputs.note_match,
    )
    with outputs.refusal():
        prediction = predict_file(
            file,
            _load(model),
            options,
            threads=threads,
            top=top,
            interval=interval,
            families=families,
            watch=watch(quiet),
        )
    coverage = prediction.scores.coverage
    if not quiet:
        samples = f"{coverage.samples:,}"
        _tell(
            messages.input_summary(
                prediction.bundle,
                prediction.source,
                prediction.match,
                coverage,
                prediction.measures,
                samples,
            )
        )
        _tell(messages.training_note(prediction))
        _tell(messages.interval_note(prediction))
        _tell(similarity_warning(prediction.bundle, prediction.measures))
    _tell(messages.few_snps_warning(prediction.match))
    called = prediction.measures.weighted_call_rate
    _tell(low_call_rate_warning(prediction.scores.samples, called, options.min_match))
    if out is None and outputs.format is None and sys.stdout.isatty():
        screens.show_predictions(terminal(), prediction, per_fold)
        outputs.write_log()
    else:
        outputs.write(prediction.results(per_fold))


@app.command()
def check(
    file: File = None,
    model: Model = None,
    json: Json = False,
    input_format: InputFormat = None,
    id_column: IdColumn = None,
    snps_in: SnpsIn = None,
    coding: Coding = None,
    dosages: Dosages = "use",
    strand: Strand = "flip",
    ambiguous: Ambiguous = "order",
    min_match: MinMatch = None,
    match_log: MatchLog = None,
    quiet: Quiet = False,
) -> None:
    """Say how FILE fits a model, without predicting anything.

    Reads the whole file, matches its variants to the model's SNPs, and reports what was matched,
    recoded and left out, why, how many genotypes are missing, and how many samples are unlike the
    training set.
    """
    if file is None:
        raise UsageError("check needs a file of genotypes", _example("check {file}"))
    from snpredict.matching.low_call_rate import judge_calls, low_call_rate_warning
    from snpredict.matching.matched_file import judge_match
    from snpredict.predicting import check_file
    from snpredict.terminal import messages
    from snpredict.terminal.outputs import Outputs
    from snpredict.terminal.progress import watch
    from snpredict.terminal.similarity_words import similarity_text

    outputs = Outputs(file, model, None, "json" if json else None, match_log)
    options = input_options(
        input_format,
        id_column,
        snps_in,
        coding,
        dosages,
        strand,
        ambiguous,
        min_match,
        outputs.note_match,
    )
    checked = check_file(file, _load(model), options, watch=watch(quiet))
    if json:
        _write_json(checked.facts())
    else:
        samples = f"{checked.coverage.samples:,}"
        summary = messages.input_summary(
            checked.bundle,
            checked.source,
            checked.match,
            checked.coverage,
            checked.measures,
            samples,
        )
        print(for_stream(summary, sys.stdout))
        if similarity := similarity_text(checked.bundle, checked.measures):
            print(for_stream(similarity, sys.stdout))
    called = checked.measures.weighted_call_rate
    with outputs.refusal():
        judge_match(file, checked.match, options)
        judge_calls(file, called, checked.match, checked.source.notes, options.min_match)
    outputs.write_log()
    _tell(messages.few_snps_warning(checked.match))
    _tell(low_call_rate_warning(checked.samples, called, options.min_match))


@app.command()
def explain(
    file: File = None,
    snp: Annotated[
        str | None,
        typer.Option(
            "--snp", metavar="NAME", help="A SNP of the model: name, unique part of it, or place."
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
    out: Out = None,
    format: Format = None,
    input_format: InputFormat = None,
    id_column: IdColumn = None,
    snps_in: SnpsIn = None,
    coding: Coding = None,
    dosages: Dosages = "use",
    strand: Strand = "flip",
    ambiguous: Ambiguous = "order",
    min_match: MinMatch = None,
    match_log: MatchLog = None,
    quiet: Quiet = False,
) -> None:
    """Say which SNPs make a prediction.

    With --snp, what the model knows about one SNP; in a pipe, one row per genotype with columns
    snp, chromosome, position, counted_allele, other_allele, saliency, centered_saliency, rank,
    percentile, genotype, frequency, effect, effect_p05, effect_p95 and effects_hold, and with
    --json everything. With FILE and --sample, what each SNP added to that sample's prediction.
    With neither, type names of SNPs until q.
    """
    if snp is not None and (file is not None or sample is not None):
        raise UsageError(
            "--snp looks up a SNP of the model and takes no FILE and no --sample",
            "ask for one at a time",
        )
    if sample is not None and file is None:
        raise UsageError(
            "--sample needs the file that holds the sample",
            _example("explain {file} --sample {sample}"),
        )
    if file is None and snp is None and (json or out is not None or format is not None):
        raise UsageError(
            "the viewer writes no file", "name what to explain with --snp, or FILE and --sample"
        )
    if file is None and match_log is not None:
        raise UsageError("--match-log needs FILE, whose match it is", "leave --match-log out")
    if file is None and snp is None:
        _view(model)
        return
    from snpredict.terminal.outputs import Outputs

    outputs = Outputs(file, model, out, "json" if json else format, match_log)
    if file is None:
        assert snp is not None
        _explain_snp(snp, model, outputs)
        return
    options = input_options(
        input_format,
        id_column,
        snps_in,
        coding,
        dosages,
        strand,
        ambiguous,
        min_match,
        outputs.note_match,
    )
    _explain_sample(file, sample, model, outputs, options, top, quiet)


def _explain_snp(snp: str, model: str | None, outputs: "Outputs") -> None:
    from dataclasses import asdict

    from snpredict.explaining.snp_report import describe_snp, find_snp
    from snpredict.results import to_json
    from snpredict.scoring.scorer import Scorer
    from snpredict.terminal import screens
    from snpredict.terminal.plain_tables import snp_table
    from snpredict.terminal.tables import terminal

    bundle = _load(model)
    name = find_snp(bundle, snp)
    if name != snp:
        _tell(f"{snp!r} was read as {name}")
    report = describe_snp(bundle, name, Scorer(bundle, 1).score_function())
    if outputs.format is None and outputs.out is None and sys.stdout.isatty():
        screens.show_snp(terminal(), report, bundle)
    elif outputs.format == "json":
        outputs.write_bytes(to_json(asdict(report)).encode())
    else:
        outputs.write(snp_table(report, bundle))


def _explain_sample(
    file: Path,
    sample: str | None,
    model: str | None,
    outputs: "Outputs",
    options: "InputOptions",
    top: int,
    quiet: bool,
) -> None:
    from snpredict.matching.low_call_rate import low_call_rate_warning
    from snpredict.names import listed
    from snpredict.predicting import explain_sample, first_samples
    from snpredict.terminal import messages, screens
    from snpredict.terminal.progress import watch
    from snpredict.terminal.similarity_words import sample_text
    from snpredict.terminal.tables import terminal

    bundle = _load(model)
    if sample is None:
        samples = first_samples(file, bundle, options)
        raise UsageError(
            f"which sample of {file} is to be explained? It begins with {listed(samples)}",
            f"add --sample {samples[0]}",
        )
    with outputs.refusal():
        explanation = explain_sample(file, bundle, sample, options, watch=watch(quiet))
    if not quiet:
        samples_line = f"{printable(sample)!r} explained"
        _tell(
            messages.input_summary(
                bundle,
                explanation.source,
                explanation.match,
                explanation.coverage,
                explanation.measures,
                samples_line,
            )
        )
        _tell(sample_text(bundle, explanation.measures))
    _tell(messages.few_snps_warning(explanation.match))
    called = explanation.measures.weighted_call_rate
    _tell(low_call_rate_warning([sample], called, options.min_match))
    if outputs.out is None and outputs.format is None and sys.stdout.isatty():
        screens.show_contributions(terminal(), explanation, top)
        outputs.write_log()
        return
    if not quiet:
        _tell(screens.balance(explanation, min(top, len(bundle.snps)), columns_of(sys.stderr)))
    outputs.write(explanation.results())


def _view(model: str | None) -> None:
    from snpredict.scoring.scorer import Scorer
    from snpredict.terminal import screens
    from snpredict.terminal.tables import terminal
    from snpredict.terminal.viewer import line_reader, run_viewer

    bundle = _load(model)
    console = terminal()
    run_viewer(
        bundle,
        Scorer(bundle, 1).score_function(),
        line_reader(bundle.snps.ids, interactive=sys.stdin.isatty() and sys.stdout.isatty()),
        lambda line: print(for_stream(printable(line), sys.stdout)),
        lambda report: screens.show_snp(console, report, bundle),
    )


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context, json: Json = False) -> None:
    """List the models that come with snpredict.

    A table on a terminal, tab-separated in a pipe.
    """
    if context.invoked_subcommand is not None:
        return
    from snpredict.bundle.load import list_bundles
    from snpredict.results import encode
    from snpredict.terminal import screens
    from snpredict.terminal.plain_tables import model_table
    from snpredict.terminal.tables import terminal

    listed, broken = list_bundles()
    for error in broken:
        _tell(f"warning: {error.message}")
    if json:
        _write_json([manifest.raw | {"size_bytes": size} for manifest, size in listed])
    elif not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(encode(model_table(listed), "tsv"))
    elif listed:
        screens.show_models(terminal(), listed)
    if not listed:
        _tell("no models are installed; name a bundle's folder with --model PATH")


@models_app.command("show")
def show_model(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A shipped model or a bundle's folder.")
    ],
    json: Json = False,
) -> None:
    """Verify one model and show what its manifest says."""
    from snpredict.terminal import screens
    from snpredict.terminal.tables import terminal

    bundle = _load(name)
    if json:
        _write_json(
            bundle.manifest.raw | {"manifest_sha256": bundle.digest, "path": str(bundle.path)}
        )
    else:
        screens.show_model(terminal(), bundle)


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


def _load(model: str | None) -> "Bundle":
    from snpredict.bundle.load import DEFAULT_MODEL, load_bundle

    return load_bundle(DEFAULT_MODEL if model is None else model)


def _write_json(value: object) -> None:
    from snpredict.results import to_json

    sys.stdout.flush()
    sys.stdout.buffer.write(to_json(value).encode())


def _tell(text: str | None) -> None:
    if text:
        print(for_stream(printable_lines(text), sys.stderr), file=sys.stderr)


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
