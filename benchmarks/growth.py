"""How time and memory grow with samples and with SNPs, as a table and a plot.

PYTHONPATH=. python benchmarks/growth.py FOLDER --plot growth.png

FOLDER keeps the simulated files. Samples grow with the shipped model; SNPs grow with bundles of
ten folds of random effects, made here, and .bed files that have just their SNPs.
"""

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.processes import Measured, measure
from benchmarks.simulate import write_bed
from snpredict.bundle import load_bundle
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
        tiny.write(path, fold_models=Tiny(n_snps=4, n_folds=10).fold_models())
    return path


def predict(bed: Path, *options: str) -> Measured:
    program = str(Path(sys.executable).with_name("snpredict"))
    out = str(bed.with_suffix(".predictions.tsv"))
    command = [program, "predict", "--quiet", str(bed), "--out", out, *options]
    return measure({"": command}, repeats=3)[""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plot", type=Path, default=Path("growth.png"))
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex="col", layout="constrained")
    print("| samples | SNPs | wall clock (s) | peak memory (MB) |\n| --- | --- | --- | --- |")
    snps = load_bundle().snps
    by_samples = {}
    for n in SAMPLES:
        bed = folder / f"simulated_{n}.bed"
        if not bed.exists():
            write_bed(bed, snps, n)
        by_samples[n] = predict(bed)
        print(f"| {n:,} | {len(snps):,} | {_cells(by_samples[n])} |", flush=True)
    by_snps = {}
    for n in SNPS:
        model = bundle_of(folder, n)
        bed = folder / f"snps_{n}.bed"
        if not bed.exists():
            write_bed(bed, load_bundle(model).snps, SAMPLES_OF_SNPS)
        by_snps[n] = predict(bed, "--model", str(model))
        print(f"| {SAMPLES_OF_SNPS:,} | {n:,} | {_cells(by_snps[n])} |", flush=True)

    for column, (measured, label) in enumerate(
        [
            (by_samples, f"samples ({len(snps):,} SNPs)"),
            (by_snps, f"SNPs ({SAMPLES_OF_SNPS:,} samples)"),
        ]
    ):
        for row, (attribute, what) in enumerate(
            [("seconds", "wall clock (s)"), ("peak_mb", "peak memory (MB)")]
        ):
            axis = axes[row, column]
            axis.plot(list(measured), [getattr(m, attribute) for m in measured.values()], "o-")
            axis.set_xscale("log")
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
            if column == 0:
                axis.set_ylabel(what)
            if row == 1:
                axis.set_xlabel(label)
    figure.suptitle("snpredict predict FILE.bed, ten folds, two cores, whole process")
    figure.savefig(options.plot, dpi=110)


def _cells(measured: Measured) -> str:
    return f"{measured.seconds:.2f} | {measured.peak_mb:.0f}"


if __name__ == "__main__":
    main()
