"""Simulate recombinant inbred lines for a bundle's SNPs: how examples/genotypes.tsv was made.

    python examples/simulate_lines.py --model soynam-height --out examples/genotypes.tsv

Two invented parents per family are drawn SNP by SNP from the allele frequencies in the bundle's
SNP table; their lines inherit each chromosome with cross-overs at 2.5 cM per Mb, and a few
genotypes stay heterozygous or are missing. No genotype of a real line is involved.
"""

import argparse
from pathlib import Path

import numpy as np

from snpredict.bundle import DEFAULT_MODEL, load_bundle

MORGAN_PER_BASE = 2.5e-8
#: Selfing lets cross-overs of several meioses add up: about twice those of one (Haldane 1931).
MAP_EXPANSION = 2.0
HETEROZYGOUS = 0.03
MISSING = 0.015


def parents(frequency: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Two homozygous parents (2, SNPs) of codes 0 and 2, by the counted allele's frequency."""
    return np.where(random.random((2, len(frequency))) < frequency, 2, 0).astype(np.int8)


def inbred(
    pair: np.ndarray, chromosome: np.ndarray, position: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """One recombinant inbred line (SNPs,) int8 of two parents; −1 is missing."""
    morgans = np.diff(position, prepend=position[0]) * MORGAN_PER_BASE * MAP_EXPANSION
    recombination = 0.5 * (1 - np.exp(-2 * np.abs(morgans)))  # Haldane's map function
    recombination[np.r_[True, chromosome[1:] != chromosome[:-1]]] = 0.5
    from_second = np.cumsum(random.random(len(position)) < recombination) % 2
    line = pair[from_second, np.arange(len(position))]
    segregates = pair[0] != pair[1]
    line[segregates & (random.random(len(line)) < HETEROZYGOUS)] = 1
    line[random.random(len(line)) < MISSING] = -1
    return line


def main() -> None:
    """Write the table named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--families", type=int, default=3)
    parser.add_argument("--lines", type=int, default=8, help="lines per family")
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()

    snps = load_bundle(options.model).snps
    called = snps.frequencies[:, 1:].sum(axis=1)  # channel order: missing, 1, 2, 0
    frequency = (snps.frequencies[:, 2] + snps.frequencies[:, 1] / 2) / np.maximum(called, 1e-9)
    chromosome = np.array(snps.chromosome, dtype=str)
    position = np.array(snps.position, float)
    random = np.random.default_rng(options.seed)

    rows = ["\t".join(["line", "family", *snps.ids])]
    for family in range(1, options.families + 1):
        pair = parents(frequency, random)
        for number in range(1, options.lines + 1):
            line = inbred(pair, chromosome, position, random)
            cells = ["nan" if code < 0 else str(code) for code in line]
            rows.append("\t".join([f"SIM-{family}-{number:02d}", f"simulated-{family}", *cells]))

    options.out.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
