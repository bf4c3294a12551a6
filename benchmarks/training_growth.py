"""Seconds and memory of one fold by number of lines and of SNPs, on simulated families.

PYTHONPATH=. python benchmarks/training_growth.py --plot docs/training-growth.png

Every point is a process of its own with one thread: one fold of five, from the data on disk to the
exported model. Lines are recombinants of a common parent and one of forty others; 100 of the SNPs
have effects, heritability 0.6.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from snpredict.formulas.genotypes import Genotypes
from train.data.dataset import TraitTable
from train.data.folds import random_folds
from train.data.snpinfo import info_from_names
from train.networks.presets import load_preset
from train.runs.data_folder import DataFolder, Target
from train.runs.folder import fold_result, prepare
from train.runs.options import TrainingOptions, settings_of_run
from train.runs.tasks import Task
from train.runs.workers import Workers

LINES = (1000, 2000, 4000, 8000)
SNPS = (4312, 10_000, 20_000, 50_000)
#: What the other axis holds meanwhile.
FIXED_SNPS, FIXED_LINES = 4312, 2000
FAMILIES = 40


def simulated(n_lines: int, n_snps: int, seed: int = 1) -> TraitTable:
    """Families of a common parent, twenty chromosomes of equal length."""
    random = np.random.default_rng(seed)
    family = np.arange(n_lines) % FAMILIES
    parents = 2 * random.integers(0, 2, (FAMILIES + 1, n_snps), dtype=np.int8)
    chromosome = np.arange(n_snps) * 20 // n_snps
    # One crossing-over per chromosome and line.
    place = np.arange(n_snps) / n_snps * 20 - chromosome
    cut = random.random((n_lines, 20), np.float32)[:, chromosome]
    first = random.integers(0, 2, (n_lines, 20), dtype=np.int8)[:, chromosome]
    hub = (place[None] < cut) == (first == 1)
    codes = np.where(hub, parents[-1], parents[family]).astype(np.int8)
    codes[random.random(codes.shape, np.float32) < 0.015] = -1
    causal = random.choice(n_snps, 100, replace=False)
    genetic = codes[:, causal].astype(float) @ random.normal(size=100)
    genetic = (genetic - genetic.mean()) / genetic.std()
    phenotype = np.sqrt(0.6) * genetic + np.sqrt(0.4) * random.normal(size=n_lines)
    snps = [f"Sim{c + 1:02d}_{at + 1}" for at, c in enumerate(chromosome)]
    return TraitTable(
        genotypes=Genotypes(codes),
        snps=snps,
        samples=[f"line{at}" for at in range(n_lines)],
        traits=["trait"],
        values=phenotype[:, None],
        fold_labels=None,
        families=[f"family{f}" for f in family],
        source="simulated",
        sha256="",
        dropped=0,
        info=info_from_names(snps),
    )


def one_fold(n_lines: int, n_snps: int, preset: str) -> dict:
    """The fold's ``result.json``."""
    table = simulated(n_lines, n_snps)
    folds = random_folds(n_lines, 5, 1)
    target = Target("trait", None, table.values)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        options = TrainingOptions(
            table=Path("simulated"), traits=("trait",), out=run, units=("SD",), threads=1
        )
        known = load_preset(preset)
        model = {"model": f"network-{preset}", "preset": known, "scheme": "random"}
        settings = settings_of_run(options, table, target, folds, **model)
        data = DataFolder(run / "data")
        data.save(table, "")
        data.save_folds("random", folds)
        data.save_target(target)
        prepare({run: settings}, lambda: None)
        del table, target
        with Workers(1, 1) as workers:
            workers.run([Task((run,), 1)])
        return fold_result(run, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--presets", nargs="+", default=["default", "gblup"])
    options = parser.parse_args()
    points = [(n, FIXED_SNPS) for n in LINES] + [(FIXED_LINES, m) for m in SNPS[1:]]
    print("| preset | lines | SNPs | seconds | PCC | peak memory (MB) |")
    print("| --- | --- | --- | --- | --- | --- |")
    found = {}
    for preset in options.presets:
        for n_lines, n_snps in points:
            result = found[preset, n_lines, n_snps] = one_fold(n_lines, n_snps, preset)
            print(
                f"| `{preset}` | {n_lines:,} | {n_snps:,} | {result['seconds']:.1f} | "
                f"{result['metrics']['pcc']:.2f} | {result['peak_memory_mb']} |",
                flush=True,
            )
    if options.plot is not None:
        _plot(found, options)


def _plot(found: dict, options: argparse.Namespace) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
    for axis, values, fixed, label in (
        (axes[0], LINES, FIXED_SNPS, "lines"),
        (axes[1], SNPS, FIXED_LINES, "SNPs"),
    ):
        for preset in options.presets:
            points = [
                found.get((preset, *((v, fixed) if label == "lines" else (fixed, v))))
                for v in values
            ]
            points = [p["seconds"] if p else np.nan for p in points]
            axis.plot(values, points, "o-", label=preset)
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.set_xticks(values, [f"{v:,}" for v in values])
        axis.set_yticks((3, 10, 30, 100), ("3", "10", "30", "100"))
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.set_title(f"{fixed:,} {'SNPs' if label == 'lines' else 'lines'}", fontsize=10)
    axes[0].set_ylabel("seconds of a fold, one thread")
    axes[0].legend(frameon=False)
    figure.savefig(options.plot, dpi=130)


if __name__ == "__main__":
    main()
