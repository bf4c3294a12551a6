"""The data of runs on disk, saved once and mapped by every process of every run.

======================== ==================================================================
``codes.npy``            (samples, SNPs) int8
``fractions.npy``        (samples, SNPs) float32, what dosages add to the codes, where there are any
``labels.json``          SNPs, samples, fold labels, the table's name and digests; written last
``snp_info.json``        places and alleles, see `train.data.snpinfo`
``families.npy``         a text per sample, where families are known
``covariates.npy``       (samples, covariates) float64, where there are any
``folds-SCHEME.npy``     fold 1..K of every sample
``trait-NAME.npy``       (samples, 1) float64, NaN where the trait was not measured
``CONTROL-NAME.npy``     the same of a control made from the trait, a column per seed
======================== ==================================================================
"""

import fcntl
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from snpredict.files import write_file, write_files
from snpredict.formulas.genotypes import Genotypes
from train.data.dataset import Dataset, TraitTable, genotypes_sha256
from train.data.snpinfo import SnpInfo
from train.errors import SettingsChanged

#: Samples that are written at a time.
_ROWS = 1024


def file_name(name: str) -> str:
    """A trait's or a model's name as the name of a file: a slash in it makes no folder."""
    return quote(name, safe=" ()+")


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Hold a folder while it is prepared: several commands may start the same runs at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Target:
    """What is predicted: a trait, or a control that was made from it.

    Attributes
    ----------
    control : str or None
        One of `train.data.controls`, such as ``shuffled``.
    values : ndarray (samples, columns) of float64
        A column of a trait, one per seed of a control; NaN in rows that were not measured, in all
        columns alike.
    """

    trait: str
    control: str | None
    values: np.ndarray

    @property
    def name(self) -> str:
        """As reports and folders call it."""
        return self.trait if self.control is None else f"control {self.control}"

    @property
    def values_are_of_trait(self) -> bool:
        """Whether every value is one of the trait's: of shuffled ones too, not of invented ones."""
        return self.control in (None, "shuffled")

    @property
    def measured(self) -> np.ndarray:
        """Rows with a value, ascending int64."""
        return np.flatnonzero(np.isfinite(self.values[:, 0]))


@dataclass(frozen=True)
class DataFolder:
    """A folder that `save` wrote."""

    path: Path

    def save(self, table: TraitTable, option: str) -> None:
        """Write what all runs share, or check that it is what is there.

        Parameters
        ----------
        option : str
            What names another folder, for the hint.

        Raises
        ------
        SettingsChanged
            The folder holds other data.
        """
        digest = digest_of(table, table.families)
        if (self.path / "labels.json").exists():
            if self.labels["digest"] != digest:
                raise SettingsChanged(
                    f"{self.path.parent} was started with other genotypes, samples, SNPs, folds, "
                    "families or covariates",
                    "Give the table and the options that it was started with, such as --ignore, or "
                    f"another {option}, or delete this one to start again",
                )
            return
        self.path.mkdir(parents=True, exist_ok=True)
        arrays = {"codes": table.genotypes.codes, "fractions": table.genotypes.fractions}
        if table.covariates is not None:
            arrays["covariates"] = table.covariates.values
        known = {name: values for name, values in arrays.items() if values is not None}
        write_files({self.path / f"{name}.npy": _npy(values) for name, values in known.items()})
        if table.families is not None:
            self.save_families(table.families)
        table.info.save(self.path / "snp_info.json")
        labels = {
            key: getattr(table, key)
            for key in ("snps", "samples", "fold_labels", "source", "sha256", "dropped")
        }
        text = json.dumps({**labels, "digest": digest})
        write_file(text.encode(), self.path / "labels.json")

    def save_families(self, families: Sequence[str]) -> None:
        """Keep a text per sample."""
        _keep(self.path / "families.npy", np.array(families, dtype=str))

    def save_folds(self, scheme: str, folds: np.ndarray) -> None:
        """Keep the fold of every sample under a scheme; refuses others than are there."""
        path = self.path / f"folds-{scheme}.npy"
        if path.exists() and not np.array_equal(np.load(path), folds):
            raise SettingsChanged(
                f"{self.path.parent} was started with another assignment of folds ({scheme})",
                "name another folder, or delete this one to start again",
            )
        _keep(path, folds)

    def save_target(self, target: Target) -> None:
        """Keep what is to be predicted."""
        _keep(self._target_path(target.trait, target.control), target.values)

    def _target_path(self, trait: str, control: str | None) -> Path:
        return self.path / f"{control or 'trait'}-{file_name(trait)}.npy"

    def target(self, trait: str, control: str | None) -> Target:
        """What `save_target` wrote."""
        return Target(trait, control, np.load(self._target_path(trait, control)))

    def folds(self, scheme: str) -> np.ndarray:
        """Fold 1..K of every sample, (samples,) int64."""
        return np.load(self.path / f"folds-{scheme}.npy")

    @cached_property
    def genotypes(self) -> Genotypes:
        """Of all samples, mapped read-only."""
        path = self.path / "fractions.npy"
        return Genotypes(
            np.load(self.path / "codes.npy", mmap_mode="r"),
            np.load(path, mmap_mode="r") if path.exists() else None,
        )

    @cached_property
    def families(self) -> np.ndarray | None:
        """A text per sample, where families are known."""
        path = self.path / "families.npy"
        return np.load(path) if path.exists() else None

    @cached_property
    def covariates(self) -> np.ndarray | None:
        """The numbers that a model may look at, (samples, numbers) float64, where there are any."""
        path = self.path / "covariates.npy"
        return np.load(path) if path.exists() else None

    @cached_property
    def labels(self) -> dict[str, Any]:
        """SNPs, samples, fold labels, and the table's name and digests."""
        return json.loads((self.path / "labels.json").read_text(encoding="utf-8"))

    @property
    def snp_info(self) -> SnpInfo:
        """Places and alleles of the SNPs."""
        return SnpInfo.load(self.path / "snp_info.json")

    def dataset(self, target: Target, *, families: bool) -> Dataset:
        """The samples that have the target, with its first column as the phenotype."""
        rows, labels = target.measured, self.labels
        every = len(rows) == len(self.genotypes)
        samples, fold_labels = labels["samples"], labels["fold_labels"]
        known = self.families[rows].tolist() if families and self.families is not None else None
        return Dataset(
            genotypes=self.genotypes if every else self.genotypes.rows(rows),
            snps=labels["snps"],
            samples=[samples[row] for row in rows],
            phenotype=target.values[rows, 0],
            fold_labels=None if fold_labels is None else [fold_labels[row] for row in rows],
            families=known,
            source=labels["source"],
            sha256=labels["sha256"],
            dropped=labels["dropped"] + len(self.genotypes) - len(rows),
        )


def digest_of(table: TraitTable, families: Sequence[str] | None) -> str:
    """SHA-256 over all samples' genotypes, names, families, fold labels and covariates."""
    names = {"families": families, "folds": table.fold_labels}
    labels = json.dumps([table.snps, table.samples, names]).encode()
    digest = genotypes_sha256(table.genotypes)
    digest.update(labels)
    if table.covariates is not None:
        digest.update(table.covariates.values.tobytes())
    return digest.hexdigest()


def _npy(values: np.ndarray) -> Iterator[bytes]:
    """An array as a .npy file, in pieces; `np.save` does not say why a disk took only a part."""
    header = io.BytesIO()
    described = np.lib.format.header_data_from_array_1_0(values) | {"fortran_order": False}
    np.lib.format.write_array_header_1_0(header, described)
    yield header.getvalue()
    for start in range(0, len(values), _ROWS):
        yield np.ascontiguousarray(values[start : start + _ROWS]).tobytes()


def _keep(path: Path, values: np.ndarray) -> None:
    """Write an array whole; what is there already is left to the workers that may read it."""
    file = io.BytesIO()
    np.save(file, values)
    if not path.exists() or path.read_bytes() != file.getvalue():
        write_file(file.getvalue(), path)
