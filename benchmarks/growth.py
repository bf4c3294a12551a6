"""How time and memory grow with samples and with SNPs, as a table and a plot.

PYTHONPATH=. python benchmarks/growth.py FOLDER --plot growth.png
PYTHONPATH=. python benchmarks/growth.py --table docs/performance.md --plot docs/growth.png

FOLDER keeps the simulated files. Samples grow with the shipped model; SNPs grow with bundles of
ten folds of random effects, made here, and .bed files that have just their SNPs. With --table
nothing is measured: the plot is drawn of the rows that this program has printed before.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.processes import Measured, measure
from benchmarks.simulate import write_bed
from snpredict.bundle.load import load_bundle
from tests.bundles import Tiny

SAMPLES = [1_000, 3_000, 10_000, 30_000, 100_000, 200_000]
SNPS = [4_000, 20_000, 100_000, 500_000]
SAMPLES_OF_SNPS = 1_000


def bundle_of(folder: Path, n_snps: int) -> Path:
    path = folder / f"bundle_{n_snps}"
    if not path.exists():
        weights = np.random.default_rng(1).normal(0, 0.3 / n_snps**0.5, (n_snps, 4, 10))
        tiny = Tiny(n_snps=n_snps, n_folds=10, weights=weights)
        # The fold models are never run where there is a fused ensemble; small ones will do.
        tiny.write(path, models=Tiny(n_snps=4, n_folds=10).models())
    return path


def predict(bed: Path, *options: str) -> Measured:
    program = str(Path(sys.executable).with_name("snpredict"))
    out = str(bed.with_suffix(".predictions.tsv"))
    command = [program, "predict", "--quiet", str(bed), "--out", out, *options]
    return measure({"": command}, repeats=3)[""]


#: Wall clock (s) and peak memory (MB) by the number that grows.
Growth = Mapping[int, tuple[float, float]]

TICKS = {
    "wall clock (s)": [0.3, 1, 3, 10, 30],
    "peak memory (MB)": [100, 200, 500, 1000, 2000],
}

HEADER = "| samples | SNPs | wall clock (s) | peak memory (MB) |"


def measured(folder: Path) -> tuple[Growth, Growth, int]:
    """By samples, by SNPs, and the SNPs of the first; printed row by row."""
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{HEADER}\n| --- | --- | --- | --- |")
    snps = load_bundle().snps
    by_samples = {}
    for n in SAMPLES:
        bed = folder / f"simulated_{n}.bed"
        if not bed.exists():
            write_bed(bed, snps, n)
        by_samples[n] = _figures(predict(bed))
        print(_row(n, len(snps), by_samples[n]), flush=True)
    by_snps = {}
    for n in SNPS:
        model = bundle_of(folder, n)
        bed = folder / f"snps_{n}.bed"
        if not bed.exists():
            write_bed(bed, load_bundle(model).snps, SAMPLES_OF_SNPS)
        by_snps[n] = _figures(predict(bed, "--model", str(model)))
        print(_row(SAMPLES_OF_SNPS, n, by_snps[n]), flush=True)
    return by_samples, by_snps, len(snps)


def printed(page: Path) -> tuple[Growth, Growth, int]:
    """What `measured` gave when it printed the table in this Markdown page."""
    table = page.read_text().partition(HEADER)[2].partition("\n\n")[0]
    rows = [
        [float(cell.replace(",", "")) for cell in row]
        for row in re.findall(r"^\| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \| (\d+) \|$", table, re.M)
    ]
    n_snps = rows[0][1]
    by_samples = {int(row[0]): (row[2], row[3]) for row in rows if row[1] == n_snps}
    by_snps = {int(row[1]): (row[2], row[3]) for row in rows if row[1] != n_snps}
    return by_samples, by_snps, int(n_snps)


def draw(by_samples: Growth, by_snps: Growth, n_snps: int, path: Path) -> None:
    """Both axes are logarithmic: what grows in proportion is a line of slope 1."""
    figure, axes = plt.subplots(
        2, 2, figsize=(9, 6), sharex="col", sharey="row", layout="constrained"
    )
    for column, (growth, label) in enumerate(
        [
            (by_samples, f"samples ({n_snps:,} SNPs)"),
            (by_snps, f"SNPs ({SAMPLES_OF_SNPS:,} samples)"),
        ]
    ):
        for row, (what, ticks) in enumerate(TICKS.items()):
            axis = axes[row, column]
            axis.loglog(list(growth), [figures[row] for figures in growth.values()], "o-")
            # The labels of 100,000 and 200,000 would run into each other.
            labels = [n for n in growth if not any(n / 3 < other < n for other in growth)]
            axis.set_xticks(labels, [f"{n:,}" for n in labels])
            axis.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
            axis.minorticks_off()
            axis.grid(alpha=0.3)
            if column == 0:
                axis.set_ylabel(what)
            if row == 1:
                axis.set_xlabel(label)
    figure.suptitle("snpredict predict FILE.bed, ten folds, two cores, whole process")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--table", type=Path, help="a page with the table of an earlier run")
    parser.add_argument("--plot", type=Path, default=Path("growth.png"))
    options = parser.parse_args()
    if (options.folder is None) == (options.table is None):
        parser.error("give FOLDER to measure in, or --table")
    draw(*(printed(options.table) if options.table else measured(options.folder)), options.plot)


def _figures(measured: Measured) -> tuple[float, float]:
    return measured.seconds, measured.peak_mb


def _row(samples: int, snps: int, figures: tuple[float, float]) -> str:
    return f"| {samples:,} | {snps:,} | {figures[0]:.2f} | {figures[1]:.0f} |"


if __name__ == "__main__":
    main()
