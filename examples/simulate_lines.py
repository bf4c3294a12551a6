"""Simulate recombinant inbred lines for a bundle's SNPs: how the files in examples/ were made.

    python examples/simulate_lines.py --model soynam-height --out examples/genotypes.tsv \\
        --vcf examples/lines.vcf.gz

All families share one parent, which has the commoner allele of every SNP; the other parent is
drawn. The bundle's principal components (its table of similarity) say which alleles stand together
in the training lines: the parent is a point drawn in them, rounded to two copies or none. SNPs
that the table does not hold take the allele of the nearest one that it does, commoner or rarer.
Lines inherit each chromosome with cross-overs at 2.5 cM per Mb, and a few genotypes stay
heterozygous or are missing. No genotype of a real line is involved.

The VCF holds the same lines as files from elsewhere do: chromosomes without prefix, no ids, other
alleles as the reference, some SNPs on the other strand, some absent, a few with other alleles.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

from snpredict.bundle.load import Bundle, load_bundle
from snpredict.bundle.tables import SnpTable
from snpredict.choices import DEFAULT_MODEL
from snpredict.formulas.similarity import STEPS

MORGAN_PER_BASE = 2.5e-8
#: Selfing lets cross-overs of several meioses add up: about twice those of one (Haldane 1931).
MAP_EXPANSION = 2.0
HETEROZYGOUS = 0.03
MISSING = 0.015


def common_parent(snps: SnpTable) -> np.ndarray:
    """Codes 0 and 2 (SNPs,) int8: the commoner allele of every SNP, twice."""
    # A heterozygous genotype holds one of each.
    _missing, _heterozygous, counted, other = snps.frequencies.T
    return np.where(counted >= other, 2, 0).astype(np.int8)


class OtherParents:
    """Draws parents whose alleles stand together as in the training lines.

    Parameters
    ----------
    bundle : Bundle
        With a table of similarity, whose loadings are ``v_ji √w_i`` with ``w_i = l_i / (l_i + s)``:
        so the eigenvalues l_i are known, too.
    """

    def __init__(self, bundle: Bundle):
        assert bundle.similarity is not None
        table, snps = bundle.similarity.table, bundle.snps
        vectors = table.loadings * table.scale
        # Loadings are rounded, which may make a w_i of nearly 1 more than that.
        weights = np.minimum((vectors**2).sum(axis=0), 0.9999)
        eigenvalues = table.variances.sum() * weights / (1 - weights)
        n_samples = len(bundle.similarity.training)
        self._axes = vectors * np.sqrt(eigenvalues / n_samples / weights)
        self._means = table.means
        self._table_snps = table.snps
        self._common = common_parent(snps)
        chromosome, position = np.array(snps.chromosome, str), np.array(snps.position, float)
        self._nearest = np.empty(len(snps), np.int64)
        for name in np.unique(chromosome):
            of_model = np.flatnonzero(chromosome == name)
            of_table = np.flatnonzero(chromosome[table.snps] == name)
            there = position[table.snps[of_table]]
            far = np.abs(position[of_model][:, None] - there)
            self._nearest[of_model] = of_table[far.argmin(axis=1)]

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Codes 0 and 2, (SNPs,) int8."""
        point = self._means + self._axes @ random.standard_normal(self._axes.shape[1])
        codes = np.where(point >= STEPS, 2, 0)
        rarer = (codes != self._common[self._table_snps])[self._nearest]
        return np.where(rarer, 2 - self._common, self._common).astype(np.int8)


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


def awkward_vcf(
    codes: np.ndarray, samples: list[str], snps: SnpTable, random: np.random.Generator
) -> str:
    """A VCF of lines (samples, SNPs) that leaves the matching something to do."""
    complement = str.maketrans("ACGT", "TGCA")
    calls = {-1: "./.", 0: "0/0", 1: "0/1", 2: "1/1"}
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    lines = ["##fileformat=VCFv4.2", "\t".join(head)]
    for at, chromosome in enumerate(snps.chromosome):
        counted, other = str(snps.counted_allele[at]), str(snps.other_allele[at])
        column = codes[:, at]
        absent, swapped, flipped, mistaken = random.random(4) < (0.06, 0.4, 0.03, 0.004)
        if absent:
            continue
        if swapped:
            counted, other = other, counted
            column = np.where(column < 0, column, 2 - column)
        if flipped:
            counted, other = counted.translate(complement), other.translate(complement)
        if mistaken:
            counted = next(base for base in "ACGT" if base not in (counted, other))
        place = [str(chromosome).lstrip("Gm0"), str(snps.position[at]), ".", other, counted]
        genotypes = [calls[code] for code in column.tolist()]
        lines.append("\t".join([*place, ".", ".", ".", "GT", *genotypes]))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vcf", type=Path, help="also write the lines as a VCF.gz")
    parser.add_argument("--families", type=int, default=3)
    parser.add_argument("--lines", type=int, default=8, help="lines per family")
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()

    bundle = load_bundle(options.model)
    snps, common, others = bundle.snps, common_parent(bundle.snps), OtherParents(bundle)
    chromosome = np.array(snps.chromosome, dtype=str)
    position = np.array(snps.position, float)
    random = np.random.default_rng(options.seed)

    lines: dict[str, np.ndarray] = {}
    rows = ["\t".join(["line", "family", *snps.ids])]
    for family in range(1, options.families + 1):
        pair = np.stack([common, others.draw(random)])
        for number in range(1, options.lines + 1):
            line = inbred(pair, chromosome, position, random)
            lines[f"SIM-{family}-{number:02d}"] = line
            cells = ["nan" if code < 0 else str(code) for code in line]
            rows.append("\t".join([f"SIM-{family}-{number:02d}", f"simulated-{family}", *cells]))

    options.out.write_text("\n".join(rows) + "\n", encoding="utf-8")
    if options.vcf:
        text = awkward_vcf(np.stack(list(lines.values())), list(lines), snps, random)
        # Without time and name in its header, the file is the same every time.
        options.vcf.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
