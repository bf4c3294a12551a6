"""What `explain` does: one SNP, one sample of a file, or SNPs as they are typed."""

import sys
from dataclasses import asdict
from pathlib import Path

from snpredict.bundle.load import Bundle
from snpredict.errors import UsageError
from snpredict.explaining.pair_report import describe_pair
from snpredict.explaining.snp_report import describe_snp, find_snp
from snpredict.names import listed
from snpredict.predicting import explain_sample, first_samples
from snpredict.results.tables import to_json
from snpredict.scoring.scorer import Scorer
from snpredict.terminal.messages import balance, told_of_explanation
from snpredict.terminal.options import FileOptions
from snpredict.terminal.outputs import Outputs
from snpredict.terminal.plain_tables import pair_table, snp_table
from snpredict.terminal.progress import watch
from snpredict.terminal.screens import show_contributions, show_pair, show_snp
from snpredict.terminal.tables import terminal
from snpredict.terminal.viewer import line_reader, run_viewer
from snpredict.terminal.wrapping import columns_of, for_stream, tell


def explain_snp(snp: str, outputs: Outputs) -> None:
    """What the model knows about one SNP."""
    bundle = outputs.bundle()
    name = find_snp(bundle, snp)
    if name != snp:
        tell([("", f"{snp!r} was read as {name}")])
    report = describe_snp(bundle, name, Scorer(bundle, 1).score_function())
    if outputs.format == "json":
        outputs.write_bytes(to_json(asdict(report)).encode())
    else:
        outputs.give(
            lambda: snp_table(report, bundle), lambda console: show_snp(console, report, bundle)
        )


def explain_pair(pair: tuple[str, str], outputs: Outputs) -> None:
    """What the model predicts for each combination of the genotypes of two SNPs."""
    bundle = outputs.bundle()
    names = [find_snp(bundle, snp) for snp in pair]
    for name, snp in zip(names, pair, strict=True):
        if name != snp:
            tell([("", f"{snp!r} was read as {name}")])
    report = describe_pair(bundle, names[0], names[1], Scorer(bundle, 1).score_function())
    if outputs.format == "json":
        outputs.write_bytes(to_json(asdict(report)).encode())
    else:
        outputs.give(
            lambda: pair_table(report, bundle), lambda console: show_pair(console, report, bundle)
        )


def explain_one_sample(
    file: Path,
    sample: str | None,
    reading: FileOptions,
    outputs: Outputs,
    top: int,
    quiet: bool,
    covariates: Path | None = None,
) -> None:
    """What each SNP added to the prediction of one sample.

    Raises
    ------
    UsageError
        No sample is named; the hint names one.
    """
    options = reading.checked(outputs.note_match)
    bundle = outputs.bundle()
    if sample is None:
        samples = first_samples(file, bundle, options)
        raise UsageError(
            f"which sample of {file} is to be explained? It begins with {listed(samples)}",
            f"add --sample {samples[0]}",
        )
    with outputs.refusal():
        explanation = explain_sample(
            file, bundle, sample, options, covariates=covariates, watch=watch(quiet)
        )
    tell(told_of_explanation(explanation, quiet))
    if not quiet and not outputs.on_screen:
        tell(balance(explanation, top, columns_of(sys.stderr)))
    outputs.give(explanation.results, lambda console: show_contributions(console, explanation, top))


def view(bundle: Bundle) -> None:
    """SNPs as they are typed, until q."""
    console = terminal()
    run_viewer(
        bundle,
        Scorer(bundle, 1).score_function(),
        line_reader(bundle.snps.ids, interactive=sys.stdin.isatty() and sys.stdout.isatty()),
        lambda line: print(for_stream([line], sys.stdout)),
        lambda report: show_snp(console, report, bundle),
    )
