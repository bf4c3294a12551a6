"""The ``evaluate`` command: many models, one set of folds, every result on disk as it ends.

An evaluation folder is a set of runs: ``settings.json`` (what the figures depend on; a changed one
is refused), ``data/`` (see `train.runs.data_folder`), ``runs/`` (see `train.evaluation.fits`),
``commands.json`` (see `train.evaluation.command_line`) and what `train.evaluation.report` makes of
these. More traits, schemes, models or folds may be added by a later command; what is there is not
fitted again.
"""

import time

from rich.console import Console

from snpredict.bundle.manifest import BINARY
from train.data.dataset import missing_share
from train.evaluation import command_line
from train.evaluation.fits import lacking, prepare_runs
from train.evaluation.setup import EvaluateOptions, check, prepare, read
from train.runs.data_folder import turn
from train.runs.progress import FitsLeft, counting
from train.runs.workers import Workers


def evaluate(options: EvaluateOptions, console: Console) -> None:
    """Fit what is missing, then write the report."""
    from train.evaluation.report import write_report

    o = options
    models = check(o)
    console.print(f"reading {o.table}", soft_wrap=True)
    table = read(o, console)
    blind = [name for name, model in models.items() if not model.covariates]
    if o.covariates and blind:
        console.print(f"note: {', '.join(blind)}: fitted without the covariates", soft_wrap=True)
    unfit = [name for name, model in models.items() if BINARY not in model.tasks]
    if o.binary and unfit:
        traits = ", ".join(o.binary)
        console.print(
            f"note: {', '.join(unfit)}: not fitted to {traits}, of 0 and 1", soft_wrap=True
        )
    whole = [name for name, model in models.items() if not model.dosages]
    if table.genotypes.fractions is not None and whole:
        text = f"note: {', '.join(whole)}: fitted to the genotypes nearest to dosages"
        console.print(text, soft_wrap=True)
    prepared = prepare(o, table, models)
    with turn(o.out):
        prepare_runs(o, prepared)
    missing = 100 * missing_share(table.codes)
    console.print(
        f"{len(table.samples)} samples × {len(table.snps)} SNPs, {missing:.1f} % missing, "
        f"families: {prepared.settings.families}",
        soft_wrap=True,
    )

    began = time.perf_counter()
    command = command_line.begin(o.out, o.arguments, o.jobs, o.threads)
    try:
        tasks = list(lacking(o, prepared, command))
        left = FitsLeft([task.kind for task in tasks], o.jobs)
        with Workers(o.jobs, o.threads) as workers, counting(console, left) as watch:
            workers.run(tasks, watch)
    finally:
        command_line.end(o.out, command, time.perf_counter() - began)
    write_report(o.out, console, o.report)
