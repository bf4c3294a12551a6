"""Bundles: the folders that hold a trained ensemble, found, verified and read.

A bundle is believed only after every file that its manifest names has the SHA-256 given there.
The bytes that were verified are the bytes that are used: no file is opened twice. What the
manifest does not name is never read, and nothing in a bundle is executed or unpickled.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.encoding import CHANNEL_CODES, MISSING
from snpredict.errors import (
    BundleFileAltered,
    BundleFileMissing,
    InvalidBundle,
    SnpredictError,
    UnknownModel,
)
from snpredict.manifest import MANIFEST, OUT_OF_FOLD, SALIENCY, SNPS, Manifest, parse_manifest
from snpredict.names import did_you_mean, listed

DEFAULT_MODEL = "soynam-height"

_PACKAGE = Path(__file__).resolve().parent

#: Per channel, the ending of a table's columns that hold one number per genotype.
_CODE_SUFFIXES = tuple("missing" if code == MISSING else str(code) for code in CHANNEL_CODES)

_FREQUENCY_COLUMNS = [f"freq_{suffix}" for suffix in _CODE_SUFFIXES]
_EFFECT_COLUMNS = [f"effect_{suffix}" for suffix in _CODE_SUFFIXES]


@dataclass(frozen=True)
class SnpTable:
    """A model's SNPs, in the order of its input.

    Attributes
    ----------
    ids : tuple of str
        Unique.
    chromosome : tuple of (str or None)
    position : tuple of (int or None)
        Base pairs on the chromosome.
    counted_allele, other_allele : tuple of (str or None)
        A genotype code counts copies of the counted allele.
    frequencies : ndarray (SNPs, 4) of float64
        Share of each channel in the training set, channel order; rows add up to 1.
    """

    ids: tuple[str, ...]
    chromosome: tuple[str | None, ...]
    position: tuple[int | None, ...]
    counted_allele: tuple[str | None, ...]
    other_allele: tuple[str | None, ...]
    frequencies: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class SaliencyTable:
    """How strongly predictions move with each SNP, in the model's SNP order.

    Attributes
    ----------
    saliency, centered : ndarray (SNPs,) of float64
        Mean over all test samples of all folds, plain and centred; SDs of the trait.
    rank : ndarray (SNPs,) of int64
        By `saliency`, 1 = largest.
    percentile : ndarray (SNPs,) of float64
    per_fold : ndarray (SNPs, folds) of float64
        Mean saliency over the test samples of each fold.
    effects : ndarray (SNPs, 4) of float64, or None
        Signed effect of each genotype in trait units, channel order. None where the network is
        not affine: a genotype's effect then depends on the other SNPs.
    """

    saliency: np.ndarray
    centered: np.ndarray
    rank: np.ndarray
    percentile: np.ndarray
    per_fold: np.ndarray
    effects: np.ndarray | None


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, as a whole in memory.

    Attributes
    ----------
    path : Path
        Its folder.
    manifest : Manifest
    digest : str
        SHA-256 of the manifest, which names all other files by theirs: it stands for the bundle.
    snps : SnpTable
    saliency : SaliencyTable
    files : mapping of str to bytes
        Verified content of every file, by its path within the bundle.
    """

    path: Path
    manifest: Manifest
    digest: str
    snps: SnpTable
    saliency: SaliencyTable
    files: Mapping[str, bytes]

    @property
    def size_bytes(self) -> int:
        """Bytes of all files but the manifest."""
        return sum(map(len, self.files.values()))


def find_bundles() -> dict[str, Path]:
    """Folders of the shipped bundles by name, sorted; those of an installed package come first."""
    roots = [_PACKAGE / "models"]
    # Only in a checkout: next to an installed package, a folder "models" is somebody else's.
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        roots.append(_PACKAGE.parent / "models")
    found: dict[str, Path] = {}
    for root in roots:
        for manifest in root.glob(f"*/{MANIFEST}"):
            found.setdefault(manifest.parent.name, manifest.parent)
    return dict(sorted(found.items()))


def find_bundle(name_or_path: str | Path) -> Path:
    """Folder of a bundle, given the name of a shipped one or any folder's path.

    A shipped name wins over a folder of that name; write ``./NAME`` for the folder.

    Raises
    ------
    UnknownModel
        Neither.
    """
    shipped = find_bundles()
    name = str(name_or_path)
    if name in shipped:
        return shipped[name]
    path = Path(name_or_path)
    if name and path.is_dir():
        return path
    known = list(shipped)
    way_out = did_you_mean(name, known) or "give the name of a shipped model or a bundle's folder"
    raise UnknownModel(
        f"no model {name!r}: expected a folder, or one of {listed(known) or '(none shipped)'}",
        way_out,
    )


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The checked manifest of a bundle folder and its SHA-256; other files are not looked at.

    Raises
    ------
    BundleFileMissing, UnknownSchema, InvalidBundle
    """
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BundleFileMissing(
            f"{path} cannot be read: {error.strerror}", f"is {folder} the folder of a bundle?"
        ) from None
    return parse_manifest(text, path), hashlib.sha256(text).hexdigest()


def list_bundles() -> tuple[list[tuple[Manifest, int]], list[SnpredictError]]:
    """Manifest and size in bytes of every shipped bundle, and what is wrong with the others.

    Files are not verified, and one that is missing counts as empty.
    """
    listed, broken = [], []
    for folder in find_bundles().values():
        try:
            manifest, _ = read_manifest(folder)
        except SnpredictError as error:
            broken.append(error)
            continue
        paths = [folder / name for name in manifest.files]
        listed.append((manifest, sum(path.stat().st_size for path in paths if path.is_file())))
    return listed, broken


def load_bundle(name_or_path: str | Path = DEFAULT_MODEL) -> Bundle:
    """Find, verify and read a bundle.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped bundle, or any bundle's folder.

    Raises
    ------
    UnknownModel
        No such bundle.
    UnknownSchema
        Written under another schema version; checked before everything else.
    BundleFileMissing, BundleFileAltered
        A file is not there, or is not the one that the manifest was written for.
    InvalidBundle
        The manifest or a table cannot be read, they contradict each other, or a path leads out
        of the folder.
    """
    folder = find_bundle(name_or_path)
    manifest, digest = read_manifest(folder)
    files = {name: _verified(folder, name, sha256) for name, sha256 in manifest.files.items()}
    snps = _snp_table(files[SNPS], folder / SNPS, manifest)
    saliency = _saliency_table(files[SALIENCY], folder / SALIENCY, manifest, snps.ids)
    predicted = _Columns(files[OUT_OF_FOLD], folder / OUT_OF_FOLD)
    predicted.texts("digest", nullable=False)
    predicted.matrix(["fold", "predicted", "residual"])
    return Bundle(folder, manifest, digest, snps, saliency, files)


def _verified(folder: Path, name: str, expected: str) -> bytes:
    path = folder / name
    # The manifest's paths have no "..", so only a symbolic link can still lead out.
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InvalidBundle(f"{path} is a link to a file outside the bundle")
    if not path.is_file():
        raise BundleFileMissing(
            f"{path} is missing, which {MANIFEST} names", "copy the whole bundle again"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleFileMissing(f"{path} cannot be read: {error.strerror}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BundleFileAltered(
            f"{path} was altered: found SHA-256 {found}, expected {expected}",
            "copy the whole bundle again",
        )
    return content


def _snp_table(content: bytes, path: Path, manifest: Manifest) -> SnpTable:
    columns = _Columns(content, path, manifest.n_snps)
    ids = columns.texts("id", nullable=False)
    if len(set(ids)) < len(ids):
        raise InvalidBundle(f"{path} holds a SNP id more than once")
    frequencies = columns.matrix(_FREQUENCY_COLUMNS)
    if (frequencies < 0).any() or not np.allclose(frequencies.sum(axis=1), 1, atol=1e-3):
        raise InvalidBundle(f"{path}: the genotype frequencies of a SNP do not add up to 1")
    return SnpTable(
        ids=ids,
        chromosome=columns.texts("chromosome"),
        position=columns.integers("position"),
        counted_allele=columns.texts("counted_allele"),
        other_allele=columns.texts("other_allele"),
        frequencies=frequencies,
    )


def _saliency_table(
    content: bytes, path: Path, manifest: Manifest, ids: tuple[str, ...]
) -> SaliencyTable:
    columns = _Columns(content, path, manifest.n_snps)
    if columns.texts("id", nullable=False) != ids:
        raise InvalidBundle(f"{path} does not hold the SNPs of {SNPS} in their order")
    rank = columns.matrix(["rank"])[:, 0].astype(np.int64)
    if not np.array_equal(np.sort(rank), np.arange(1, len(rank) + 1)):
        raise InvalidBundle(f"{path}: the ranks are not 1 to {len(rank)}, each once")
    return SaliencyTable(
        saliency=columns.matrix(["saliency"])[:, 0],
        centered=columns.matrix(["centered_saliency"])[:, 0],
        rank=rank,
        percentile=columns.matrix(["percentile"])[:, 0],
        per_fold=columns.matrix([fold.name for fold in manifest.folds]),
        effects=columns.matrix(_EFFECT_COLUMNS) if manifest.ensemble else None,
    )


class _Columns:
    """Columns of a Parquet file, taken out with their type checked."""

    def __init__(self, content: bytes, path: Path, n_rows: int | None = None):
        self._path = path
        try:
            # Not pq.read_table, which imports pandas where that is installed.
            self._table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise InvalidBundle(f"{path} is not readable as Parquet: {error}") from None
        if n_rows is not None and self._table.num_rows != n_rows:
            raise InvalidBundle(
                f"{path}: found {self._table.num_rows} rows, expected {n_rows}, one per SNP"
            )

    def texts(self, name: str, nullable: bool = True) -> tuple:
        column = self._column(name, "text", nullable)
        # A column without any value has type null.
        kinds = (pa.types.is_null, pa.types.is_string, pa.types.is_large_string)
        if not any(is_kind(column.type) for is_kind in kinds):
            raise self._wrong_type(name, column, "text")
        return tuple(column.to_pylist())

    def integers(self, name: str) -> tuple:
        column = self._column(name, "whole numbers", nullable=True)
        if not (pa.types.is_null(column.type) or pa.types.is_integer(column.type)):
            raise self._wrong_type(name, column, "whole numbers")
        return tuple(column.to_pylist())

    def matrix(self, names: Sequence[str]) -> np.ndarray:
        """Columns of finite numbers side by side, (rows, columns) float64."""
        values = np.empty((self._table.num_rows, len(names)))
        for at, name in enumerate(names):
            column = self._column(name, "numbers", nullable=False)
            if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
                raise self._wrong_type(name, column, "numbers")
            # Not column.to_numpy(), which imports pandas where that is installed.
            values[:, at] = np.from_dlpack(column.combine_chunks())
            if not np.isfinite(values[:, at]).all():
                raise InvalidBundle(f"{self._path}: column '{name}' holds a number not finite")
        return values

    def _column(self, name: str, expected: str, nullable: bool) -> pa.ChunkedArray:
        if self._table.column_names.count(name) != 1:
            raise InvalidBundle(f"{self._path} has no column '{name}' of {expected}, or several")
        column = self._table.column(name)
        if column.null_count and not nullable:
            raise InvalidBundle(f"{self._path}: column '{name}' has gaps")
        return column

    def _wrong_type(self, name: str, column: pa.ChunkedArray, expected: str) -> InvalidBundle:
        return InvalidBundle(
            f"{self._path}: column '{name}' is of type {column.type}, expected {expected}"
        )
