"""What is trained on: genotypes, phenotypes, folds and families of the same samples."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from train.data.covariates import Covariates
from train.data.snpinfo import SnpInfo
from train.errors import TrainingTableError


@dataclass(frozen=True)
class Dataset:
    """Samples that have a phenotype, in the order of their file.

    Attributes
    ----------
    genotypes : Genotypes
    snps : list of str
    samples : list of str
    phenotype : ndarray (samples,) of float64, trait units
    fold_labels, families : list of str or None
        The texts of these columns, where the table has them.
    source : str
        The table's file name, without its folder.
    sha256 : str
        Digest of the table's bytes; of a PLINK set that of its files one after the other.
    dropped : int
        Samples left out because their phenotype is missing.
    """

    genotypes: Genotypes
    snps: list[str]
    samples: list[str]
    phenotype: np.ndarray
    fold_labels: list[str] | None
    families: list[str] | None
    source: str
    sha256: str
    dropped: int

    @property
    def codes(self) -> np.ndarray:
        """Genotype codes, every dosage at its nearest one, (samples, SNPs) int8."""
        return self.genotypes.nearest()

    @property
    def digest(self) -> str:
        """SHA-256 over all that a figure can depend on: genotypes, phenotype, names and labels."""
        digest = genotypes_sha256(self.genotypes)
        digest.update(self.phenotype.tobytes())
        labels = [self.snps, self.samples, self.fold_labels, self.families]
        digest.update(json.dumps(labels).encode())
        return digest.hexdigest()


def genotypes_sha256(genotypes: Genotypes) -> "hashlib._Hash":
    """SHA-256 of the codes and, where there are dosages, of what these add to them."""
    digest = hashlib.sha256(np.ascontiguousarray(genotypes.codes).data)
    if genotypes.fractions is not None:
        digest.update(np.ascontiguousarray(genotypes.fractions).data)
    return digest


def missing_share(codes: np.ndarray) -> float:
    """Share of the genotypes that are missing; row by row, which takes no memory."""
    missing = sum(int(np.count_nonzero(row == MISSING)) for row in codes)
    return missing / codes.size


def file_sha256(*paths: Path) -> str:
    """SHA-256 of the bytes of files, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class TraitTable:
    """Samples with several traits, not all of which need be measured in every sample.

    Attributes
    ----------
    traits : list of str
    values : ndarray (samples, traits) of float64, trait units; NaN where not measured
    taken : str
        Which columns were taken for SNPs and which not.
    notes : tuple of str
        What a person should know about how the files were read.
    info : SnpInfo
        What the genotype file says of its SNPs, or their names do.
    covariates : Covariates or None

    The others are those of `Dataset`; ``dropped`` counts samples without any of the traits.
    """

    genotypes: Genotypes
    snps: list[str]
    samples: list[str]
    traits: list[str]
    values: np.ndarray
    fold_labels: list[str] | None
    families: list[str] | None
    source: str
    sha256: str
    dropped: int
    info: SnpInfo
    taken: str = ""
    notes: tuple[str, ...] = ()
    covariates: Covariates | None = None

    @property
    def codes(self) -> np.ndarray:
        """Genotype codes, every dosage at its nearest one, (samples, SNPs) int8."""
        return self.genotypes.nearest()

    def measured(self, trait: str) -> np.ndarray:
        """Rows that have the trait, ascending int64."""
        return np.flatnonzero(np.isfinite(self.values[:, self.traits.index(trait)]))

    def in_order(self, samples: list[str]) -> "TraitTable":
        """The same table with its samples in that order, if they are the same samples."""
        place = {sample: at for at, sample in enumerate(self.samples)}
        if self.samples == samples or place.keys() != set(samples):
            return self
        rows = np.array([place[sample] for sample in samples])

        def of_rows(texts: list[str] | None) -> list[str] | None:
            return None if texts is None else [texts[row] for row in rows]

        known = self.covariates
        return replace(
            self,
            genotypes=self.genotypes.rows(rows),
            samples=samples,
            values=self.values[rows],
            fold_labels=of_rows(self.fold_labels),
            families=of_rows(self.families),
            covariates=None if known is None else replace(known, values=known.values[rows]),
        )

    def dataset(self, trait: str) -> Dataset:
        """The samples that have one trait, with that trait alone."""
        rows = self.measured(trait)

        def of_rows(texts: list[str] | None) -> list[str] | None:
            return None if texts is None else [texts[row] for row in rows]

        every = len(rows) == len(self.genotypes)
        return Dataset(
            genotypes=self.genotypes if every else self.genotypes.rows(rows),
            snps=self.snps,
            samples=[self.samples[row] for row in rows],
            phenotype=self.values[rows, self.traits.index(trait)],
            fold_labels=of_rows(self.fold_labels),
            families=of_rows(self.families),
            source=self.source,
            sha256=self.sha256,
            dropped=self.dropped + len(self.genotypes) - len(rows),
        )


def same_rows(data: Dataset, other: Dataset) -> None:
    """Check that a second table holds the same samples in the same order with the same trait.

    Raises
    ------
    TrainingTableError
        They differ; the first difference is named.
    """
    if len(data.samples) != len(other.samples):
        raise TrainingTableError(
            f"{other.source} has {len(other.samples)} samples, {data.source} has "
            f"{len(data.samples)}; a comparison needs the same rows"
        )
    for row, (one, two) in enumerate(zip(data.samples, other.samples, strict=True)):
        if one != two or data.phenotype[row] != other.phenotype[row]:
            raise TrainingTableError(
                f"sample {row + 1} is '{one}' ({data.phenotype[row]:g}) in {data.source} but "
                f"'{two}' ({other.phenotype[row]:g}) in {other.source}; "
                "a comparison needs the same rows"
            )
