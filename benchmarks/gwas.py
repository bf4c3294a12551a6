"""`python -m train gwas` against plink2 and GEMMA on the same invented lines, one after the other.

    python benchmarks/gwas.py FOLDER [--samples 5000] [--snps 100000] [--rounds 3]

Linear: all SNPs beside four covariates, with and without missing genotypes, whole commands from
the start of the process to the written table. Mixed: one chromosome's SNPs against the kinship of
all SNPs, GEMMA reading the kinship that it has written before (its making is counted for both).
Every round runs the two programs in turn on the same number of threads; ratios are printed.
Both are Debian packages; what is not installed is left out, and that is said.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from snpredict.genotypes.spool import pack

THREADS = 2


def write_lines(prefix: Path, n_samples: int, n_snps: int, missing: float, families: int) -> None:
    """PREFIX.bed, .bim and .fam; a trait and four covariates as .tsv, and for the others."""
    random = np.random.default_rng(1)
    family = random.integers(0, families, n_samples)
    y = random.normal(size=n_samples)
    with prefix.with_suffix(".bed").open("wb") as file:
        file.write(b"\x6c\x1b\x01")
        for start in range(0, n_snps, 1000):
            n = min(1000, n_snps - start)
            frequency = random.uniform(0.05, 0.95, (n, families))[:, family]
            drawn = (random.random((2, n, n_samples), np.float32) < frequency).sum(axis=0)
            codes = drawn.astype(np.int8)
            if start == 0:
                y = y + 0.3 * codes[0] - 0.2 * codes[7]
            codes[random.random(codes.shape, np.float32) < missing] = -1
            file.write(pack(codes).tobytes())
    rows = [
        f"{1 + at * 10 // n_snps}\tsnp{at}\t0\t{100 * (at + 1)}\tA\tG\n" for at in range(n_snps)
    ]
    prefix.with_suffix(".bim").write_text("".join(rows))
    names = [f"S{at}" for at in range(n_samples)]
    rows = [f"0 {name} 0 0 0 {value:.9g}\n" for name, value in zip(names, y, strict=True)]
    prefix.with_suffix(".fam").write_text("".join(rows))
    covariates = random.normal(size=(n_samples, 4))
    rows = [
        "\t".join([name, f"{value:.9g}", *(f"{number:.6g}" for number in numbers)]) + "\n"
        for name, value, numbers in zip(names, y, covariates.tolist(), strict=True)
    ]
    prefix.with_suffix(".tsv").write_text("sample\ty\ta\tb\tc\td\n" + "".join(rows))
    prefix.with_suffix(".plink").write_text("#IID\ty\ta\tb\tc\td\n" + "".join(rows))
    design = np.column_stack([np.ones(n_samples), covariates])
    np.savetxt(prefix.with_suffix(".gemma"), design, fmt="%.6g")


def seconds(command: list[str], folder: Path) -> float:
    """Wall seconds of a command on `THREADS` threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(THREADS))
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - began


def in_turn(what: str, commands: dict[str, list[list[str]]], folder: Path, rounds: int) -> None:
    """Run the programs in turn, and print their seconds and the ratio of the medians."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, steps in commands.items():
            taken[name].append(sum(seconds(step, folder) for step in steps))
    medians = {name: float(np.median(times)) for name, times in taken.items()}
    ours, other = medians.values()
    told = ", ".join(f"{name} {median:.2f} s" for name, median in medians.items())
    print(f"{what}: {told}, ratio {ours / other:.2f}", flush=True)


def main() -> None:
    """Both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--snps", type=int, default=100_000)
    parser.add_argument("--mixed-samples", type=int, default=2000)
    parser.add_argument("--mixed-snps", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    ours = [sys.executable, "-m", "train", "gwas"]
    traits = ["--trait", "y", "--covariates", "a,b,c,d", "--no-plots"]
    for missing in (0.0, 0.01):
        name = "missing" if missing else "complete"
        if shutil.which("plink2") is None:
            print("plink2 is not installed: no comparison of the linear model")
            break
        write_lines(o.folder / name, o.samples, o.snps, missing, 1)
        plink2 = ["plink2", "--bfile", name, "--pheno", f"{name}.plink", "--pheno-name", "y"]
        plink2 += ["--covar", f"{name}.plink", "--covar-name", "a-d", "--glm", "hide-covar"]
        plink2 += ["--threads", str(THREADS), "--out", f"{name}.plink2"]
        own = [
            *ours,
            f"{name}.bed",
            "--phenotypes",
            f"{name}.tsv",
            *traits,
            "--out",
            f"{name}.out.tsv",
        ]
        what = f"linear, {o.samples:,} × {o.snps:,}, {missing:.0%} missing"
        in_turn(what, {"train gwas": [own], "plink2": [plink2]}, o.folder, o.rounds)
    if shutil.which("gemma") is None:
        print("gemma is not installed: no comparison of the mixed model")
        return
    write_lines(o.folder / "mixed", o.mixed_samples, o.mixed_snps, 0.01, 20)
    gemma = ["gemma", "-bfile", "mixed", "-outdir", "."]
    kinship = [*gemma, "-gk", "1", "-maf", "0", "-miss", "1", "-o", "kinship"]
    test = [*gemma, "-k", "kinship.cXX.txt", "-lmm", "1", "-c", "mixed.gemma"]
    test += ["-maf", "0", "-miss", "1", "-o", "mixed"]
    own = [*ours, "mixed.bed", "--phenotypes", "mixed.tsv", *traits, "--model", "mixed"]
    own += ["--kinship", "all", "--out", "mixed.out.tsv"]
    what = f"mixed, {o.mixed_samples:,} × {o.mixed_snps:,}"
    in_turn(what, {"train gwas": [own], "gemma": [kinship, test]}, o.folder, o.rounds)


if __name__ == "__main__":
    main()
