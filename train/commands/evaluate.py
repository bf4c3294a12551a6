"""The ``evaluate`` command: many models, one set of folds, every result on disk as it ends.

An evaluation folder holds ``settings.json`` (what the figures depend on; a changed one is refused),
``data/`` (codes, targets, families, folds), ``predictions/`` (see `train.evaluation.storage`),
``networks/`` (run folders, see `train.runs.processes`), ``commands.json`` (see
`train.evaluation.command_line`) and what `train.evaluation.report` makes of these. More traits,
schemes, models or folds may be added by a later command; what is there is not fitted again.
"""

import time

import numpy as np
from rich.console import Console

from snpredict.formulas.encoding import MISSING
from train.evaluation import command_line
from train.evaluation.execute import baseline_tasks, network_tasks, run_network, run_tasks
from train.evaluation.setup import EvaluateOptions, check, prepare, read
from train.runs.progress import FitsLeft


def evaluate(options: EvaluateOptions, console: Console) -> None:
    """Fit what is missing, then write the report."""
    from train.evaluation.report import write_report

    o = options
    presets = check(o)
    console.print(f"reading {o.table}", soft_wrap=True)
    table = read(o, console)
    prepared = prepare(o, table)
    missing = 100 * float(np.mean(table.codes == MISSING))
    console.print(
        f"{len(table.samples)} samples × {len(table.snps)} SNPs, {missing:.1f} % missing, "
        f"families: {prepared.settings.families}",
        soft_wrap=True,
    )

    began = time.perf_counter()
    command = command_line.begin(o.out, o.arguments, o.jobs, o.threads)
    try:
        tasks = list(baseline_tasks(o, prepared))
        networks = list(network_tasks(o, prepared, presets))
        folds = [network.model for network in networks for _ in network.lacking]
        left = FitsLeft([*(task.model for task in tasks), *folds], o.jobs)
        run_tasks(o, tasks, command, left, console)
        for network in networks:
            run_network(o, table, prepared, network, command, left, console)
    finally:
        command_line.end(o.out, command, time.perf_counter() - began)
    write_report(o.out, console, o.report)
