"""``python -m train``: parse, delegate, print."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from snpredict.errors import SnpredictError, UsageError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Train fold ensembles on SNP genotypes and export them as snpredict bundles.",
)
stderr = Console(stderr=True, highlight=False)


class Control(StrEnum):
    """Phenotypes without signal; see `train.controls`."""

    shuffled = "shuffled"
    family_effects = "family-effects"


class FoldScheme(StrEnum):
    """Where folds come from."""

    column = "column"
    random = "random"
    family = "family"


@app.command()
def run(
    table: Annotated[Path, typer.Argument(help="Wide table: samples in rows, one column per SNP")],
    trait: Annotated[str, typer.Option(help="Column of the phenotype")],
    unit: Annotated[str, typer.Option(help="Unit of the phenotype, for example cm")],
    out: Annotated[Path, typer.Option(help="Bundle folder to write, for example models/NAME")],
    preset: Annotated[str, typer.Option(help="default, paper, or a TOML file")] = "default",
    folds: Annotated[
        FoldScheme, typer.Option(help="Given in a column, random, or whole families")
    ] = FoldScheme.column,
    n_folds: Annotated[int, typer.Option(min=2, help="For random and family")] = 10,
    fold: Annotated[
        list[int] | None, typer.Option(help="Run this fold alone; may be given again")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Folds at a time")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each fold")] = 2,
    seed: Annotated[
        int, typer.Option(min=0, help="Fixes weights, dropout, batches and dealt folds")
    ] = 1,
    compare: Annotated[
        Path | None, typer.Option(help="A second table over the same rows, trained the same way")
    ] = None,
    snp_info: Annotated[
        Path | None, typer.Option(help="Table of SNPs: id, chromosome, position, alleles")
    ] = None,
    counted_allele: Annotated[
        str | None, typer.Option(help="Column of --snp-info whose allele the codes count")
    ] = None,
    other_allele: Annotated[
        str | None, typer.Option(help="Column of --snp-info with the other allele")
    ] = None,
    id_column: Annotated[str | None, typer.Option(help="Column of the sample ids")] = None,
    fold_column: Annotated[str, typer.Option(help="Column of the folds, if there")] = "fold",
    family_column: Annotated[str, typer.Option(help="Column of the families, if there")] = "family",
    ignore: Annotated[
        list[str] | None, typer.Option(help="A further column that is no SNP; may be given again")
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="Where folds are kept; default runs/NAME")
    ] = None,
    control: Annotated[
        Control | None, typer.Option(help="Replace the phenotype by one that must give PCC 0")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the data, for the card")] = None,
    source: Annotated[str | None, typer.Option(help="Origin of the data, for the card")] = None,
    resume: Annotated[
        bool, typer.Option(help="Continue a killed run, or refuse to touch its folder")
    ] = True,
    gpu: Annotated[bool, typer.Option(help="Let TensorFlow use a GPU")] = False,
) -> None:
    """Train all folds, then summarise them and write the bundle."""
    import numpy as np

    from train import crossval
    from train.controls import with_control
    from train.dataset import read_table
    from train.folds import family_folds, folds_from_column, random_folds
    from train.presets import load_preset
    from train.progress import watching
    from train.snpinfo import info_from_names, info_from_table

    folder = run_dir or Path("runs") / out.name
    if folder.exists() and not resume:
        raise UsageError(f"{folder} exists and --no-resume was given", hint="Delete it first")
    recipe = load_preset(preset)
    stderr.print(f"reading {table}")
    columns = _optional_columns(table, folds, fold_column, family_column)

    def read(path: Path) -> Any:
        data = read_table(
            path, trait=trait, id_column=id_column, ignore=tuple(ignore or ()), **columns
        )
        return with_control(data, control.value, seed) if control else data

    data = read(table)
    assignment = {
        FoldScheme.column: lambda: folds_from_column(data.fold_labels or []),
        FoldScheme.random: lambda: random_folds(len(data.samples), n_folds, seed),
        FoldScheme.family: lambda: family_folds(data.families or [], n_folds, seed),
    }[folds]()
    settings = {
        "trait": trait,
        "unit": unit,
        "seed": seed,
        "threads": threads,
        "fold_scheme": folds.value,
        "control": control.value if control else None,
        "preset": recipe.as_dict(),
        "bundle": {
            "out": str(out),
            "licence": licence,
            "source": source,
        },
    }
    info = (
        info_from_table(snp_info, data.snps, counted=counted_allele, other=other_allele)
        if snp_info
        else info_from_names(data.snps)
    )
    runs = {table: folder}
    crossval.prepare(folder, data, assignment, settings)
    info.save(folder / "data" / "snp_info.json")
    if compare is not None:
        second = read(compare)
        crossval.same_rows(data, second)
        runs[compare] = folder / "compare"
        crossval.prepare(folder / "compare", second, assignment, settings)

    total = int(assignment.max())
    wanted = sorted(set(fold)) if fold else list(range(1, total + 1))
    for number in wanted:
        if not 1 <= number <= total:
            raise UsageError(f"--fold {number} is not one of the folds 1..{total}")
    _say(data, recipe.name, folds.value, total, int(np.mean(data.codes == -1) * 1000) / 10)
    began = time.perf_counter()
    for path, one in runs.items():
        with watching(stderr, f"{path.name}, preset {recipe.name}", unit) as watch:
            crossval.run_folds(one, wanted, jobs=jobs, gpu=gpu, watch=watch)
    stderr.print(f"{len(wanted)} folds in {time.perf_counter() - began:.0f} s")
    summarize(folder, out)


def _optional_columns(
    table: Path, folds: FoldScheme, fold_column: str, family_column: str
) -> dict[str, str | None]:
    """The fold and family columns, where the table has them or the scheme needs them."""
    from snpredict.genotypes.table import WideTable

    header = WideTable(table).header
    needed = {"fold_column": folds is FoldScheme.column, "family_column": folds.value == "family"}
    names = {"fold_column": fold_column, "family_column": family_column}
    return {key: names[key] if names[key] in header or needed[key] else None for key in names}


def _say(data: Any, preset: str, scheme: str, n_folds: int, missing: float) -> None:
    stderr.print(
        f"{len(data.samples)} samples × {len(data.snps)} SNPs, {missing} % missing, "
        f"{n_folds} folds ({scheme}), preset {preset}",
        soft_wrap=True,
    )
    if data.dropped:
        stderr.print(f"{data.dropped} samples left out: their phenotype is missing")


@app.command(name="run-fold", hidden=True)
def run_fold(run: Path, fold: int) -> None:
    """One fold of a prepared run folder, in this process (one job of a cluster array)."""
    from train.crossval import read_settings
    from train.fold import run_fold as run_one

    run_one(run, fold, read_settings(run))


@app.command()
def summarize(
    run: Annotated[Path, typer.Argument(help="Run folder, for example runs/NAME")],
    out: Annotated[
        Path | None, typer.Option(help="Bundle folder to write; default: the one of the run")
    ] = None,
) -> None:
    """Tables, plots and the bundle of a run whose folds are finished."""
    from train.summary import summarize_run

    summarize_run(run, out, stderr)


def main() -> None:
    """Entry point: errors become one line, a hint and an exit code."""
    try:
        app()
    except SnpredictError as error:
        sys.stdout.flush()
        stderr.print(f"[bold red]error:[/] {error.message}", soft_wrap=True)
        if error.hint:
            stderr.print(f"\n[bold]hint:[/] {error.hint}", soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        stderr.print("stopped; finished folds stay, the same command continues")
        sys.exit(130)
