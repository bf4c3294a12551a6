"""The training table: genotypes, phenotype, folds and families of the same samples."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.errors import BadGenotype
from snpredict.genotypes.table import WideTable
from train.errors import ConstantPhenotype, NonNumericPhenotype, TrainingTableError


@dataclass(frozen=True)
class Dataset:
    """Samples that have a phenotype, in the order of their file.

    Attributes
    ----------
    codes : ndarray (samples, SNPs) of int8
    snps : list of str
    samples : list of str
    phenotype : ndarray (samples,) of float64, trait units
    fold_labels, families : list of str or None
        The texts of these columns, where the table has them.
    source : str
        The table's file name, without its folder.
    sha256 : str
        Digest of the table's bytes.
    dropped : int
        Samples left out because their phenotype is missing.
    """

    codes: np.ndarray
    snps: list[str]
    samples: list[str]
    phenotype: np.ndarray
    fold_labels: list[str] | None
    families: list[str] | None
    source: str
    sha256: str
    dropped: int

    @property
    def digest(self) -> str:
        """SHA-256 over all that a figure can depend on: codes, phenotype, names and labels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.codes).tobytes())
        digest.update(self.phenotype.tobytes())
        labels = [self.snps, self.samples, self.fold_labels, self.families]
        digest.update(json.dumps(labels).encode())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the arrays where each fold's process maps them instead of parsing again."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "codes.npy", self.codes)
        np.save(folder / "phenotype.npy", self.phenotype)
        labels = {
            key: getattr(self, key)
            for key in (
                "snps",
                "samples",
                "fold_labels",
                "families",
                "source",
                "sha256",
                "dropped",
            )
        }
        (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> "Dataset":
        """What `save` wrote, with the codes mapped read-only."""
        labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        return Dataset(
            codes=np.load(folder / "codes.npy", mmap_mode="r"),
            phenotype=np.load(folder / "phenotype.npy"),
            **labels,
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_table(
    path: Path,
    *,
    trait: str,
    id_column: str | None = None,
    fold_column: str | None = None,
    family_column: str | None = None,
    ignore: tuple[str, ...] = (),
) -> Dataset:
    """Read a training table: every column that is not named here is a SNP.

    Parameters
    ----------
    path : Path
        Wide table, see `snpredict.genotypes.table.WideTable`.
    trait : str
        Column of the phenotype. A sample whose value is a spelling of missing is left out.
    fold_column, family_column : str, optional
        Read when the table has them; asked for by the caller when a fold scheme needs them.
    ignore : tuple of str
        Further columns that are no SNPs.

    Raises
    ------
    TrainingTableError
        The trait's column or an ignored one is not there, or no SNP column is left.
    NonNumericPhenotype, ConstantPhenotype
        The trait cannot be learned from.
    SnpredictError
        Whatever the table reader finds.
    """
    table = WideTable(path, id_column=id_column)
    others = [c for c in (fold_column, family_column) if c is not None]
    for name in (trait, *others, *ignore):
        if name not in table.header:
            leading = ", ".join(repr(n) for n in table.header[:6])
            raise TrainingTableError(
                f"{path} has no column '{name}'; it begins with {leading}",
                hint="Name the columns with --trait, --fold-column and --family-column",
            )
    if trait == table.id_column:
        raise TrainingTableError(
            f"{path}: column '{trait}' holds the sample ids and cannot be the trait",
            "name the phenotype with --trait, or the ids' column with --id-column",
        )
    not_snps = {trait, table.id_column, *others, *ignore}
    snps = [name for name in table.header if name not in not_snps]
    if not snps:
        raise TrainingTableError(f"{path} has no SNP column beside {', '.join(sorted(not_snps))}")

    samples: list[str] = []
    columns: dict[str, list[str]] = {name: [] for name in (trait, *others)}
    blocks = []
    try:
        for block in table.blocks(snps, columns=[trait, *others]):
            samples += block.samples
            blocks.append(block.codes)
            for name, texts in columns.items():
                texts += block.columns[name]
    except BadGenotype as error:
        raise BadGenotype(
            error.message, "if this column is no SNP, leave it out with --ignore NAME"
        ) from None
    codes = np.concatenate(blocks)
    phenotype = _numbers(path, trait, samples, columns[trait])

    kept = np.flatnonzero(np.isfinite(phenotype))
    if len(kept) < 2 or phenotype[kept].std() == 0:
        found = f"the value {phenotype[kept[0]]:g} everywhere" if len(kept) else "no value"
        raise ConstantPhenotype(
            f"{path}: trait '{trait}' has {found} in {len(kept)} samples; "
            "expected values that differ",
            hint="Name the phenotype's column with --trait",
        )

    def kept_texts(name: str | None) -> list[str] | None:
        return None if name is None else [columns[name][row] for row in kept]

    return Dataset(
        codes=codes if len(kept) == len(codes) else codes[kept],
        snps=snps,
        samples=[samples[row] for row in kept],
        phenotype=phenotype[kept],
        fold_labels=kept_texts(fold_column),
        families=kept_texts(family_column),
        source=path.name,
        sha256=file_sha256(path),
        dropped=len(codes) - len(kept),
    )


def _numbers(path: Path, trait: str, samples: list[str], texts: list[str]) -> np.ndarray:
    """Phenotype texts as float64, NaN where missing.

    Only words stand for a missing phenotype: −9 and −1 may be measurements.
    """
    values = np.empty(len(texts))
    for row, text in enumerate(texts):
        if text.lower() in ("", "nan", "na", ".", "-"):
            values[row] = math.nan
            continue
        try:
            values[row] = float(text)
        except ValueError:
            values[row] = math.inf
        if math.isinf(values[row]):
            raise NonNumericPhenotype(
                f"{path}: trait '{trait}' of sample '{samples[row]}' is '{text}'; "
                "expected a number, or NA where it was not measured",
                hint="Name the phenotype's column with --trait",
            )
    return values
