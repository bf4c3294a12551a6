"""Invented training tables: small families of recombinant inbreds with an additive trait."""

import gzip
from pathlib import Path

import numpy as np

from train.data.dataset import Dataset, TraitTable
from train.data.genotypes import HowRead
from train.data.phenotypes import PhenotypeFile
from train.data.traits import read_traits
from train.simulate.pedigrees import Families
from train.simulate.traits import Design, simulate_trait

N_CHROMOSOMES = 3


def read_table(
    path: Path, *, trait: str, phenotypes: PhenotypeFile | None = None, **how: object
) -> Dataset:
    """A training table with one trait; see `read_tables`."""
    return read_tables(path, [trait], phenotypes, **how).dataset(trait)


def read_tables(
    path: Path, traits: list[str], phenotypes: PhenotypeFile | None = None, **how: object
) -> TraitTable:
    """A training set, `how` being the attributes of `HowRead`."""
    read = HowRead(**how)  # type: ignore[arg-type]
    return read_traits(path, traits=traits, phenotypes=phenotypes, how=read)


def simulate(
    n_samples: int = 150, n_snps: int = 48, n_families: int = 6, seed: int = 7
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """SNP names, codes (samples, SNPs) int8 with 3 % missing, phenotype, family numbers."""
    each = -(-n_samples // n_families)
    # Three generations: hardly two lines are alike, also where there are few SNPs.
    lines = Families(
        n_families, each, n_snps, generations=3, n_chromosomes=N_CHROMOSOMES, seed=seed
    )
    # As many lines of each family as there are to be, the first families having one more.
    family = np.repeat(np.arange(n_families), each)
    place = np.tile(np.arange(each), n_families)
    kept = place < np.bincount(np.arange(n_samples) % n_families, minlength=n_families)[family]
    design = Design(
        {"additive": min(6, n_snps // 8)}, heritability=0.64, background=0.5, decoys=False
    )
    phenotype = 90 + 10 * simulate_trait(lines, design, seed).y[kept]
    codes, family = lines.codes()[kept], family[kept]
    random = np.random.default_rng(seed)
    codes[random.random(codes.shape) < 0.03] = -1
    names = [
        f"Sim{1 + s * N_CHROMOSOMES // n_snps:02d}_{1000 * (s + 1)}_A_C" for s in range(n_snps)
    ]
    return names, codes, phenotype, family


def write_table(
    path: Path,
    names: list[str],
    codes: np.ndarray,
    phenotype: np.ndarray | list,
    family: np.ndarray,
    n_folds: int = 3,
) -> Path:
    """Write the table as the training command expects it; gzip when the name ends so."""
    lines = ["\t".join(["fold", "height", "line", "family", *names])]
    for row, genotypes in enumerate(codes):
        cells = ["nan" if code < 0 else str(code) for code in genotypes]
        value = phenotype[row]
        text = f"{value:.4f}" if isinstance(value, float) else str(value)
        lines.append(
            "\t".join([str(row % n_folds + 1), text, f"S{row:03d}", str(family[row]), *cells])
        )
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path
