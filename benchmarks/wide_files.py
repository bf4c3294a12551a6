"""A model's SNPs out of a file of a million variants, and a score of a million weights.

PYTHONPATH=. python benchmarks/wide_files.py FOLDER

FOLDER keeps the simulated files (0.7 GB). Needs plink2.

- The 4,312 SNPs of a shipped model among 1,000,000 variants, against a file of these SNPs alone,
  as .bed and as .pgen: seconds after the list of variants has been read, and whole processes, with
  `plink2 --score` (ten columns) of the same files in the same rounds.
- A PGS Catalog scoring file of 1,000,000 weights: its import, and the scoring of a .bed that has
  all of these variants.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.processes import measure, table
from benchmarks.scoring import write_scores
from benchmarks.simulate import genotypes, sample_ids
from snpredict.bundle.load import load_bundle
from snpredict.bundle.tables import SnpTable
from snpredict.genotypes.spool import pack

ROUNDS = 9

#: Genotypes of the variants that the model does not ask for are these, over and over.
_FILLERS = 1024

#: What a process of its own does and times, given a file.
_AFTER_THE_LIST = """
import json, sys, time
from pathlib import Path
from snpredict.bundle.load import load_bundle
from snpredict.matching.file_check import read_to_end
from snpredict.matching.matched_file import match_file, unwatched
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.scoring.scorer import Scorer
bundle = load_bundle()
scorer = Scorer(bundle)
start = time.perf_counter()
file = match_file(Path(sys.argv[1]), bundle)
listed = time.perf_counter()
def scored(blocks):
    for block in scorer.score(blocks):
        yield GenotypeBlock(block.samples, block.genotypes)
read_to_end([file], unwatched, [scored])
print(json.dumps([listed - start, time.perf_counter() - listed]))
"""


def with_fillers(snps: SnpTable, n_variants: int) -> Iterator[tuple[int, str]]:
    """Every variant's place among the SNPs, −1 for a filler, and its line of a .bim."""
    gap = n_variants // len(snps) - 1
    order = sorted(range(len(snps)), key=lambda at: (snps.chromosome[at], snps.position[at]))
    rest = n_variants - len(snps) * (gap + 1)
    for number, at in enumerate(order):
        chromosome, position = snps.chromosome[at], snps.position[at]
        alleles = f"{snps.counted_allele[at]}\t{snps.other_allele[at]}"
        yield at, f"{chromosome}\t{snps.ids[at]}\t0\t{position}\t{alleles}\n"
        for filler in range(gap + (number < rest)):
            yield -1, f"{chromosome}\tv{number}_{filler}\t0\t{position}\tA\tG\n"


def write_files(folder: Path, snps: SnpTable, n_variants: int, n_samples: int) -> None:
    """narrow.bed and wide.bed with the same genotypes of the model's SNPs; .pgen of both."""
    own = np.concatenate([pack(codes) for codes in genotypes(n_samples, len(snps))])
    fillers = np.concatenate([pack(codes) for codes in genotypes(n_samples, _FILLERS, seed=2)])
    for name, n in (("narrow", len(snps)), ("wide", n_variants)):
        bed = folder / f"{name}.bed"
        with bed.open("wb") as file, bed.with_suffix(".bim").open("w") as bim:
            file.write(b"\x6c\x1b\x01")
            for number, (at, line) in enumerate(with_fillers(snps, n)):
                bim.write(line)
                file.write((own[at] if at >= 0 else fillers[number % _FILLERS]).tobytes())
        with bed.with_suffix(".fam").open("w") as fam:
            fam.writelines(f"0 {sample} 0 0 0 -9\n" for sample in sample_ids(n_samples))
        prefix = str(bed.with_suffix(""))
        command = ["plink2", "--bfile", prefix, "--allow-extra-chr", "--make-pgen", "--out", prefix]
        subprocess.run(command, check=True, capture_output=True)


def write_pgs(path: Path, bim: Path) -> Path:
    """A weight for every variant of a .bim, with the frequency of its allele; for plink2, too."""
    random = np.random.default_rng(3)
    columns = ["rsID", "chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight"]
    plink = path.with_suffix(".score").open("w")
    with path.open("w") as file, bim.open() as lines, plink:
        file.write("#format_version=2.0\n#pgs_id=PGS-MILLION\n#genome_build=none\n")
        file.write("\t".join([*columns, "allelefrequency_effect"]) + "\n")
        for number, line in enumerate(lines):
            chromosome, name, _, _, counted, other = line.split()
            weight, p = random.normal(0, 1e-3), random.uniform(0.05, 0.95)
            cells = (name, chromosome, number + 1, counted, other, f"{weight:.6g}", f"{p:.4f}")
            file.write("\t".join(map(str, cells)) + "\n")
            plink.write(f"{name}\t{counted}\t{weight:.6g}\n")
    return path


def after_the_list(files: dict[str, Path]) -> None:
    """The fastest of the rounds: seconds for the list of variants, and for what comes after it.

    Other work on the machine makes a round slower and never faster.
    """
    seconds: dict[str, list[list[float]]] = {name: [] for name in files}
    for _ in range(ROUNDS):
        for name, path in files.items():
            child = subprocess.run(
                [sys.executable, "-c", _AFTER_THE_LIST, str(path)], check=True, capture_output=True
            )
            seconds[name].append(json.loads(child.stdout))
    print("| file | list of variants (s) | after it (s) | ratio |\n| --- | --- | --- | --- |")
    best = {
        name: [min(column) for column in zip(*rows, strict=True)] for name, rows in seconds.items()
    }
    for name, (listing, after) in best.items():
        ratio = after / best[name.replace("wide", "narrow")][1]
        print(f"| {name} | {listing:.2f} | {after:.3f} | {ratio:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=1000)
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    bundle = load_bundle()
    if not (folder / "wide.pgen").exists():
        write_files(folder, bundle.snps, options.variants, options.samples)
    names = [f"{name}.{suffix}" for suffix in ("bed", "pgen") for name in ("narrow", "wide")]
    after_the_list({name: folder / name for name in names})

    snpredict = [sys.executable, "-m", "snpredict"]
    scores = write_scores(folder / "scores.txt", bundle)
    plink = ["plink2", "--allow-extra-chr", "--out", str(folder / "plink"), "--score", str(scores)]
    plink += ["1", "2", "--score-col-nums", "3-12"]
    out = ["--quiet", "--out", str(folder / "predictions.tsv")]
    for suffix, flag in (("bed", "--bfile"), ("pgen", "--pfile")):
        commands = {}
        for name in ("narrow", "wide"):
            file = str(folder / name)
            commands[f"`plink2 --score`, {name}.{suffix}"] = [*plink, flag, file]
            predict = [*snpredict, "predict", f"{file}.{suffix}", *out]
            commands[f"`snpredict predict`, {name}.{suffix}"] = predict
        print(table(measure(commands), next(iter(commands))), flush=True)

    model = str(folder / "million")
    weights = folder / "million.txt"
    if not weights.exists():
        write_pgs(weights, folder / "wide.bim")
    wide = str(folder / "wide.bed")
    plink = ["plink2", "--allow-extra-chr", "--out", str(folder / "plink"), "--bfile", wide[:-4]]
    plink += ["--score", str(weights.with_suffix(".score")), "1", "2", "3", "no-mean-imputation"]
    commands = {
        "`plink2 --score` of a million weights": plink,
        "`snpredict import` of a million weights": [
            *(*snpredict, "import", str(weights), "--out", model, "--quiet")
        ],
        "`snpredict check` with that model": [
            *snpredict,
            "check",
            "--model",
            model,
            wide,
            "--quiet",
        ],
        "`snpredict predict` with that model": [*snpredict, "predict", wide, "-m", model, *out],
    }
    print(table(measure(commands, repeats=3, warm_up=0), next(iter(commands))), flush=True)


if __name__ == "__main__":
    main()
