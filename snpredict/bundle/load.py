"""Bundles: the folders that hold a trained ensemble, found, verified and read.

A bundle is believed only after every file that its manifest names has the SHA-256 given there.
The bytes that were verified are the bytes that are used: no file is opened twice. What the
manifest does not name is never read, and nothing in a bundle is executed or unpickled.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from snpredict.bundle.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    OUT_OF_FOLD,
    SALIENCY,
    SNPS,
    Manifest,
    parse_manifest,
)
from snpredict.bundle.onnx_check import check_model
from snpredict.bundle.parquet_columns import NUMBERS, TEXT, WHOLE, Columns
from snpredict.errors import (
    BundleFileAltered,
    BundleFileMissing,
    InvalidBundle,
    SnpredictError,
    UnknownModel,
)
from snpredict.formulas.effects import PERCENTILES, first_wrong_effect, largest_difference
from snpredict.formulas.encoding import CHANNEL_CODES, CHANNEL_NAMES, MISSING
from snpredict.formulas.score_function import ScoreFunction
from snpredict.formulas.similarity import SIMILARITY, Similarity, read_similarity
from snpredict.genotypes.chromosomes import ChromosomeNames
from snpredict.names import did_you_mean, listed

DEFAULT_MODEL = "soynam-height"

#: All files together, which are held in memory.
MAX_BUNDLE_BYTES = 2 << 30

_PACKAGE = Path(__file__).resolve().parent.parent

#: Per channel, the ending of a table's columns that hold one number per genotype.
_CODE_SUFFIXES = tuple("missing" if code == MISSING else str(code) for code in CHANNEL_CODES)

_FREQUENCY_COLUMNS = [f"freq_{suffix}" for suffix in _CODE_SUFFIXES]
_EFFECT_COLUMNS = [f"effect_{suffix}" for suffix in _CODE_SUFFIXES]
_RANGE_COLUMNS = [
    [f"{column}_p{percentile:02d}" for column in _EFFECT_COLUMNS] for percentile in PERCENTILES
]


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

    @cached_property
    def chromosome_names(self) -> ChromosomeNames:
        """What the model calls its chromosomes, to tell whether another name means one."""
        return ChromosomeNames(self.chromosome)


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
        Signed effect of each genotype in trait units, in the average line; channel order. None
        where the network cannot be fused.
    effect_ranges : ndarray (SNPs, 4, 2) of float64, or None
        5th and 95th percentile of each effect over training lines. None in older bundles.
    """

    saliency: np.ndarray
    centered: np.ndarray
    rank: np.ndarray
    percentile: np.ndarray
    per_fold: np.ndarray
    effects: np.ndarray | None
    effect_ranges: np.ndarray | None = None


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
    similarity : Similarity or None
        None in a bundle without that table.
    """

    path: Path
    manifest: Manifest
    digest: str
    snps: SnpTable
    saliency: SaliencyTable
    files: Mapping[str, bytes]
    similarity: Similarity | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of all files but the manifest."""
        return sum(map(len, self.files.values()))

    def check_effects(self, function: ScoreFunction, snps: np.ndarray) -> None:
        """Refuse stored effects of some SNPs that are not those of the weights.

        Parameters
        ----------
        function : ScoreFunction
            Out of the bundle's own ensemble.
        snps : ndarray (n,) of int64
            Places of the SNPs.

        Raises
        ------
        InvalidBundle
        """
        effects = self.saliency.effects
        assert effects is not None  # every bundle with a fused ensemble has them
        scale = np.array([fold.scale for fold in self.manifest.folds])
        wrong = first_wrong_effect(
            effects, snps, function, scale, self.manifest.alpha, self.snps.frequencies
        )
        if wrong is not None:
            snp, channel, expected = wrong
            raise InvalidBundle(
                f"{self.path / SALIENCY}: found the effect {effects[snp, channel]:.6g} for "
                f"{CHANNEL_NAMES[channel]} of SNP {self.snps.ids[snp]}, expected {expected:.6g} "
                "as the model's weights give"
            )


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
    # Not path.is_dir(), which raises for a name that is too long.
    if name and os.path.isdir(path):  # noqa: PTH112
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
    text = _read(folder, MANIFEST, MAX_MANIFEST_BYTES, f"is {folder} the folder of a bundle?")
    return parse_manifest(text, folder / MANIFEST), hashlib.sha256(text).hexdigest()


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
        The manifest or a table cannot be read, they contradict each other, a path leads out of
        the folder, something is larger than a bundle's parts can be, or a model that is run holds
        what it may not.
    """
    folder = find_bundle(name_or_path)
    manifest, digest = read_manifest(folder)
    files: dict[str, bytes] = {}
    left = MAX_BUNDLE_BYTES
    for name, sha256 in manifest.files.items():
        files[name] = _verified(folder, name, sha256, left)
        left -= len(files[name])
    snps = _snp_table(files[SNPS], folder / SNPS, manifest)
    saliency = _saliency_table(files[SALIENCY], folder / SALIENCY, manifest, snps.ids)
    _check_out_of_fold(files[OUT_OF_FOLD], folder / OUT_OF_FOLD)
    similarity = None
    if SIMILARITY in files:
        similarity = read_similarity(
            (files[SIMILARITY], folder / SIMILARITY),
            (files[OUT_OF_FOLD], folder / OUT_OF_FOLD),
            manifest,
        )
    elif manifest.raw.get("similarity") is not None:
        raise InvalidBundle(
            f"{folder / MANIFEST}: 'files' has no SHA-256 for {SIMILARITY}, to which the entry "
            "'similarity' belongs"
        )
    for name in manifest.models:
        check_model(files[name], folder / name)
    return Bundle(folder, manifest, digest, snps, saliency, files, similarity)


def _verified(folder: Path, name: str, expected: str, at_most: int) -> bytes:
    content = _read(folder, name, at_most, "copy the whole bundle again")
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BundleFileAltered(
            f"{folder / name} was altered: found SHA-256 {found}, expected {expected}",
            "copy the whole bundle again",
        )
    return content


def _read(folder: Path, name: str, at_most: int, way_out: str) -> bytes:
    path = folder / name
    try:
        # The manifest's paths have no "..", so only a symbolic link can still lead out.
        # Not Path.resolve(), which raises RuntimeError for a link to itself before Python 3.13.
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            raise InvalidBundle(f"{path} is a link to a file outside the bundle")
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InvalidBundle(f"{path} is a device or a pipe, expected a file")
            if status.st_size > at_most:
                raise InvalidBundle(
                    f"{path} is too large: found {status.st_size} bytes, expected at most {at_most}"
                )
            return file.read(status.st_size)
    except FileNotFoundError:
        raise BundleFileMissing(f"{path} is missing", way_out) from None
    except OSError as error:
        raise BundleFileMissing(f"{path} cannot be read: {error.strerror}", way_out) from None


def _without_waiting(path: str, flags: int) -> int:
    # A pipe that nobody writes to would otherwise be waited for.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _snp_table(content: bytes, path: Path, manifest: Manifest) -> SnpTable:
    columns = Columns(
        content,
        path,
        kinds={
            **dict.fromkeys(("id", "chromosome", "counted_allele", "other_allele"), TEXT),
            "position": WHOLE,
            **dict.fromkeys(_FREQUENCY_COLUMNS, NUMBERS),
        },
        n_rows=manifest.n_snps,
    )
    ids = columns.texts("id", nullable=False)
    if len(set(ids)) < len(ids):
        raise InvalidBundle(f"{path} holds a SNP id more than once")
    frequencies = columns.matrix(_FREQUENCY_COLUMNS)
    in_range = ((frequencies >= 0) & (frequencies <= 1)).all()
    if not in_range or not np.allclose(frequencies.sum(axis=1), 1, atol=1e-3):
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
    folds = [fold.name for fold in manifest.folds]
    effects = _EFFECT_COLUMNS if manifest.ensemble is not None else []
    # One of them, and all have to be there.
    ranges = [name for names in _RANGE_COLUMNS for name in names] if effects else []
    numbers = ["saliency", "centered_saliency", "rank", "percentile", *folds, *effects]
    columns = Columns(
        content,
        path,
        kinds={"id": TEXT, **dict.fromkeys(numbers, NUMBERS)},
        optional=dict.fromkeys(ranges, NUMBERS),
        n_rows=manifest.n_snps,
    )
    if columns.texts("id", nullable=False) != ids:
        raise InvalidBundle(f"{path} does not hold the SNPs of {SNPS} in their order")
    table = SaliencyTable(
        saliency=columns.matrix(["saliency"])[:, 0],
        centered=columns.matrix(["centered_saliency"])[:, 0],
        rank=_ranks(columns, path),
        percentile=columns.matrix(["percentile"])[:, 0],
        per_fold=columns.matrix(folds),
        effects=columns.matrix(effects) if effects else None,
        effect_ranges=_effect_ranges(columns, path, manifest),
    )
    _check_saliency(table, path)
    return table


def _ranks(columns: Columns, path: Path) -> np.ndarray:
    rank = columns.matrix(["rank"])[:, 0]
    if not np.array_equal(np.sort(rank), np.arange(1, len(rank) + 1)):
        raise InvalidBundle(f"{path}: the ranks are not 1 to {len(rank)}, each once")
    return rank.astype(np.int64)


def _effect_ranges(columns: Columns, path: Path, manifest: Manifest) -> np.ndarray | None:
    there = [columns.has(name) for names in _RANGE_COLUMNS for name in names]
    if not any(there):
        return None
    if not all(there):
        raise InvalidBundle(
            f"{path}: found some of the columns {_RANGE_COLUMNS[0][0]} to {_RANGE_COLUMNS[1][-1]}, "
            "expected all or none"
        )
    ranges = np.stack([columns.matrix(names) for names in _RANGE_COLUMNS], axis=2)
    limit = largest_difference([fold.scale for fold in manifest.folds], manifest.alpha)
    largest = float(np.abs(ranges).max())
    if largest > limit * (1 + 1e-6):
        raise InvalidBundle(
            f"{path}: found an effect of {largest:.6g} among the percentiles, expected at most "
            f"{limit:.6g}, as two predictions of the model lie no further apart"
        )
    if (ranges[:, :, 0] > ranges[:, :, 1]).any():
        raise InvalidBundle(f"{path}: a 5th percentile of effects is above the 95th")
    return ranges


def _check_saliency(table: SaliencyTable, path: Path) -> None:
    """Refuse figures that contradict each other; that they are of this model cannot be told."""
    by_rank = table.saliency[np.argsort(table.rank)]
    if (np.diff(by_rank) > 0).any():
        raise InvalidBundle(f"{path}: the ranks are not in the order of the saliency")
    n_snps = len(table.rank)
    if not np.allclose(table.percentile, 100 * (n_snps - table.rank + 1) / n_snps, atol=1e-6):
        raise InvalidBundle(f"{path}: the percentiles are not those of the ranks")
    if min(table.saliency.min(), table.centered.min(), table.per_fold.min()) < 0:
        raise InvalidBundle(f"{path}: found a negative saliency, expected sizes")
    # The folds' means are stored in single precision.
    margin = 1e-5 * table.per_fold.max(axis=1)
    below = table.saliency < table.per_fold.min(axis=1) - margin
    if (below | (table.saliency > table.per_fold.max(axis=1) + margin)).any():
        raise InvalidBundle(f"{path}: a saliency is not a mean of those of its folds")


def _check_out_of_fold(content: bytes, path: Path) -> None:
    numbers = ["fold", "predicted", "residual"]
    columns = Columns(content, path, kinds={"digest": TEXT, **dict.fromkeys(numbers, NUMBERS)})
    columns.check_texts("digest")
    columns.matrix(numbers)
