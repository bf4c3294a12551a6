"""Bundles: the folders that hold a trained ensemble, found, verified and read.

A bundle is believed only after every file that its manifest names has the SHA-256 given there.
The bytes that were verified are the bytes that are used: no file is opened twice. What the
manifest does not name is never read, and nothing in a bundle is executed or unpickled.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from snpredict.bundle.decomposition_tables import DecompositionTables
from snpredict.bundle.manifest import (
    DECOMPOSITION,
    EFFECTS,
    EPISTASIS,
    LINEAR,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    NETWORK,
    OUT_OF_FOLD,
    SALIENCY,
    SIMILARITY,
    SNPS,
    VARIANT_EFFECTS,
    Manifest,
    parse_manifest,
)
from snpredict.bundle.onnx_check import check_model
from snpredict.bundle.out_of_fold import OutOfFold, TrainingSet
from snpredict.bundle.similarity_table import read_similarity, similarity_of
from snpredict.bundle.tables import EffectTable, SaliencyTable, SnpTable
from snpredict.choices import DEFAULT_MODEL
from snpredict.errors import (
    BundleFileAltered,
    BundleFileMissing,
    InvalidBundle,
    SnpredictError,
    UnknownModel,
    WrongKindOfModel,
)
from snpredict.formulas.effects import first_wrong_effect
from snpredict.formulas.encoding import CHANNEL_NAMES
from snpredict.formulas.score_function import ScoreFunction
from snpredict.formulas.similarity import Similarity
from snpredict.genotypes.text_columns import give_back
from snpredict.names import did_you_mean, listed

#: All files together, which are held in memory.
MAX_BUNDLE_BYTES = 2 << 30

_PACKAGE = Path(__file__).resolve().parent.parent


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
    files : mapping of str to bytes
        Verified content of every file, by its path within the bundle.
    stored_saliency : SaliencyTable or None
        Of a network, where it was kept; see `saliency`.
    out_of_fold : OutOfFold or None
        Of a network, where it was kept.
    similarity : Similarity or None
        None in a bundle without that table.
    effects : EffectTable or None
        Of a linear bundle.
    decomposition : DecompositionTables or None
        Of a network, where it was kept.
    """

    path: Path
    manifest: Manifest
    digest: str
    snps: SnpTable
    files: Mapping[str, bytes]
    stored_saliency: SaliencyTable | None = None
    out_of_fold: OutOfFold | None = None
    similarity: Similarity | None = None
    effects: EffectTable | None = None
    decomposition: DecompositionTables | None = None

    @cached_property
    def saliency(self) -> SaliencyTable:
        """As `known_saliency`.

        Raises
        ------
        WrongKindOfModel
            It is not known.
        """
        if self.known_saliency is not None:
            return self.known_saliency
        if self.manifest.kind == VARIANT_EFFECTS:
            raise self.predicts_nothing()
        raise WrongKindOfModel(
            f"model {self.manifest.name!r} has no {SALIENCY}: how strongly its predictions move "
            "with a SNP is not known",
            "snpredict predict and check work without it",
        )

    @cached_property
    def known_saliency(self) -> SaliencyTable | None:
        """How strongly predictions move with each SNP; of a linear bundle out of its effects."""
        if self.effects is None:
            return self.stored_saliency
        m = self.manifest
        return self.effects.saliency(m.intercept, m.trait_scale, self.snps.frequencies)

    @cached_property
    def training_set(self) -> TrainingSet:
        """The samples of the training set by their digests; empty where none are kept."""
        numbers = [fold.number for fold in self.manifest.folds]
        if self.out_of_fold is None:
            return TrainingSet((), np.empty(0), numbers)
        return TrainingSet(self.out_of_fold.digest, self.out_of_fold.fold, numbers)

    def predicts_nothing(self) -> WrongKindOfModel:
        """The error of whoever asks this bundle for a prediction."""
        return WrongKindOfModel(
            f"model {self.manifest.name!r} is of kind {self.manifest.kind}: it says how large "
            "effects of variants are expected to be, and predicts no trait",
            "snpredict models lists models that do",
        )

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
        wrong = first_wrong_effect(
            effects, snps, function, self.manifest.trait_scale, self.snps.frequencies
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
    snps = SnpTable.read(files[SNPS], folder / SNPS, manifest.n_snps)
    bundle = Bundle(folder, manifest, digest, snps, files)
    if manifest.kind == LINEAR:
        give_back()
        effects = EffectTable.read(files[EFFECTS], folder / EFFECTS, snps.columns["id"])
        give_back()
        return replace(bundle, effects=effects)
    if manifest.variant_model is not None:
        model = manifest.variant_model.model
        check_model(files[model], folder / model)
    return _with_network(bundle) if manifest.kind == NETWORK else bundle


def _with_network(bundle: Bundle) -> Bundle:
    """The bundle with what a network has beside its SNPs."""
    folder, manifest, files = bundle.path, bundle.manifest, bundle.files
    saliency = training = similarity = decomposition = None
    if SALIENCY in files:
        names = [fold.name for fold in manifest.folds]
        trait = None if manifest.ensemble is None else manifest.trait_scale
        place = folder / SALIENCY
        saliency = SaliencyTable.read(
            files[SALIENCY], place, bundle.snps.columns["id"], names, trait
        )
    if OUT_OF_FOLD in files:
        training = OutOfFold.read(files[OUT_OF_FOLD], folder / OUT_OF_FOLD)
    if manifest.similarity is not None and training is not None:
        place = folder / SIMILARITY
        table = read_similarity(files[SIMILARITY], place, manifest.similarity, manifest.n_snps)
        similarity = similarity_of(table, training, folder / OUT_OF_FOLD)
    if DECOMPOSITION in files:
        decomposition = DecompositionTables.read(
            files[DECOMPOSITION],
            files[EPISTASIS],
            folder,
            bundle.snps.ids,
            (DECOMPOSITION, EPISTASIS),
        )
    for name in manifest.models:
        check_model(files[name], folder / name)
    return replace(
        bundle,
        stored_saliency=saliency,
        out_of_fold=training,
        similarity=similarity,
        decomposition=decomposition,
    )


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
