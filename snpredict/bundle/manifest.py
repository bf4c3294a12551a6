"""The manifest of a bundle: what `manifest.json` must say, checked before anything else is read."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.errors import InvalidBundle, UnknownSchema
from snpredict.formulas.encoding import CHANNEL_NAMES
from snpredict.formulas.links import Isru, TraitScale

SCHEMA_VERSION = 1

MANIFEST = "manifest.json"
SNPS = "snps.parquet"
SALIENCY = "saliency.parquet"
OUT_OF_FOLD = "out_of_fold.parquet"
CARD = "MODEL_CARD.md"
ENSEMBLE = "ensemble.onnx"

#: Far above what a real bundle has, and little enough that no number in a manifest makes a
#: reader of it take more memory than the bundle's own files.
MAX_MANIFEST_BYTES = 1 << 20
MAX_SNPS = 10_000_000
MAX_FOLDS = 1000

_MAX_DEPTH = 20

_SHA256 = re.compile(r"[0-9a-f]{64}")

#: A path within the bundle. Plain characters only: a backslash or a drive would leave the folder
#: on Windows, and others would steer the terminal that shows them.
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")

#: Control characters but tab and line feed, and halves of a surrogate pair, which no file can hold.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def fold_name(number: int) -> str:
    """Name of a fold in columns and files: ``fold_01``."""
    return f"fold_{number:02d}"


@dataclass(frozen=True)
class Fold:
    """One fold model.

    Attributes
    ----------
    number : int
        From 1, as in the training run.
    model : str or None
        Path of its ONNX file within the bundle; None where the ensemble alone holds it.
    center, scale : float
        Mean and SD of the trait in the fold's training rows, trait units.
    metrics : dict of str to float or None
        On the fold's test rows, such as ``pcc``, ``mae``, ``mse``, ``r2``.
    """

    number: int
    model: str | None
    center: float
    scale: float
    metrics: dict[str, float | None]

    @property
    def name(self) -> str:
        """``fold_01``."""
        return fold_name(self.number)


@dataclass(frozen=True)
class Manifest:
    """What a bundle says about itself.

    Attributes
    ----------
    name, trait, unit : str
    n_snps : int
    alpha : float
        ISRU α.
    ensemble : str or None
        Path of the fused ensemble within the bundle; None where the network cannot be fused.
    folds : tuple of Fold
    metrics : dict of str to float or None
        Cross-validated, such as ``pcc_mean`` and ``pcc_sd``.
    files : dict of str to str
        SHA-256 of every other file, by its path within the bundle.
    raw : dict
        Everything that the file holds, also what this release does not use.
    """

    name: str
    trait: str
    unit: str
    n_snps: int
    alpha: float
    ensemble: str | None
    folds: tuple[Fold, ...]
    metrics: dict[str, float | None]
    files: dict[str, str]
    raw: dict[str, Any]

    @property
    def trait_scale(self) -> TraitScale:
        """What turns the folds' scores into predictions."""
        return TraitScale(
            np.array([fold.center for fold in self.folds]),
            np.array([fold.scale for fold in self.folds]),
            Isru(self.alpha),
        )

    @property
    def models(self) -> list[str]:
        """Paths of the models that are run: the fused ensemble, else those of the folds."""
        return self.fold_models if self.ensemble is None else [self.ensemble]

    @property
    def fold_models(self) -> list[str]:
        """Paths of the folds' own models."""
        return [fold.model for fold in self.folds if fold.model is not None]


def parse_manifest(text: bytes, path: Path) -> Manifest:
    """Check a manifest.

    Parameters
    ----------
    text : bytes
        Content of the file.
    path : Path
        Where it lies, for messages.

    Raises
    ------
    UnknownSchema
        Its schema version is another one; nothing else is looked at then.
    InvalidBundle
        It is no JSON object, names an entry twice, is nested deeply, holds control characters,
        or an entry is missing, of another type or out of range.
    """
    try:
        raw = json.loads(
            text.decode(), parse_constant=_no_constant, object_pairs_hook=_without_repeats
        )
        _check_texts(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(f"{path} is not valid JSON: {error}") from None
    entries = _Entries(raw, str(path))
    version = entries.get("schema_version", int)
    if version != SCHEMA_VERSION:
        raise UnknownSchema(
            f"{path}: found schema version {version}, expected {SCHEMA_VERSION}",
            "update snpredict"
            if version > SCHEMA_VERSION
            else "export the bundle again with this release",
        )
    channels = entries.get("channels", list)
    if channels != list(CHANNEL_NAMES):
        raise entries.wrong("channels", channels, list(CHANNEL_NAMES))
    folds = tuple(
        _fold(_Entries(fold, f"{path}, fold entry {at}"))
        for at, fold in enumerate(entries.get("folds", list), 1)
    )
    numbers = [fold.number for fold in folds]
    if not folds or len(set(numbers)) < len(numbers):
        raise entries.wrong("folds", numbers, "one or more folds with different numbers")
    models = [fold.model for fold in folds if fold.model is not None]
    if len(set(models)) < len(models):
        raise entries.wrong("folds", models, "one model each")
    manifest = Manifest(
        name=entries.get("name", str),
        trait=entries.get("trait", str),
        unit=entries.get("unit", str),
        n_snps=entries.positive("n_snps", int, MAX_SNPS),
        alpha=float(entries.positive("isru_alpha", float)),
        ensemble=entries.get("ensemble", str, type(None)),
        folds=folds,
        metrics=entries.numbers("metrics"),
        files=_files(entries),
        raw=raw,
    )
    if manifest.ensemble is None and len(models) < len(folds):
        raise entries.wrong("ensemble", None, "a path, or a model for every fold")
    needed = [SNPS, SALIENCY, OUT_OF_FOLD, *models]
    for name in [*needed, *([] if manifest.ensemble is None else [manifest.ensemble])]:
        if name not in manifest.files:
            raise InvalidBundle(f"{path}: 'files' has no SHA-256 for {name}")
    return manifest


class _Entries:
    """A JSON object whose entries are taken out with their type checked."""

    def __init__(self, raw: object, where: str):
        if not isinstance(raw, dict):
            raise InvalidBundle(f"{where}: found {_shown(raw)}, expected a JSON object")
        self._raw = raw
        self._where = where

    def wrong(self, name: str, found: object, expected: object) -> InvalidBundle:
        return InvalidBundle(
            f"{self._where}: found {_shown(found)} for '{name}', expected {expected}"
        )

    def get(self, name: str, *types: type) -> Any:
        if name not in self._raw:
            raise InvalidBundle(f"{self._where} has no entry '{name}'")
        value = self._raw[name]
        # A bool is an int to Python, and an int serves as a float.
        allowed = (*types, int) if float in types else types
        if isinstance(value, bool) or not isinstance(value, allowed) or not _is_finite(value):
            names = " or ".join({"NoneType": "null"}.get(t.__name__, t.__name__) for t in types)
            raise self.wrong(name, value, names)
        return value

    def positive(self, name: str, kind: type, at_most: int | None = None) -> Any:
        value = self.get(name, kind)
        if not value > 0:
            raise self.wrong(name, value, "more than 0")
        if at_most is not None and value > at_most:
            raise self.wrong(name, value, f"at most {at_most}")
        return value

    def numbers(self, name: str) -> dict[str, float | None]:
        inner = _Entries(self.get(name, dict), f"{self._where}, '{name}'")
        return {key: inner.get(key, float, type(None)) for key in inner._raw}


def _fold(entries: _Entries) -> Fold:
    return Fold(
        number=entries.positive("fold", int, MAX_FOLDS),
        model=entries.get("model", str, type(None)),
        center=float(entries.get("center", float)),
        scale=float(entries.positive("scale", float)),
        metrics=entries.numbers("metrics"),
    )


def _files(entries: _Entries) -> dict[str, str]:
    files: dict[str, str] = entries.get("files", dict)
    for name, digest in files.items():
        if not _PATH.fullmatch(name):
            raise entries.wrong(
                "files",
                name,
                "paths within the bundle, of letters, digits, '_', '-', '.' and forward slashes",
            )
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise entries.wrong("files", digest, f"the SHA-256 of {name}, 64 hexadecimal digits")
    return files


def _is_finite(value: object) -> bool:
    try:
        return not isinstance(value, int | float) or math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers of JSON differ in which of two they take.
    entries: dict[str, Any] = {}
    for name, value in pairs:
        if name in entries:
            raise ValueError(f"{_shown(name)} occurs twice in an object")
        entries[name] = value
    return entries


def _check_texts(raw: object) -> None:
    """Refuse what could steer a terminal, or break the reader of a value."""
    values = [(raw, 0)]
    while values:
        value, depth = values.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"it is nested more than {_MAX_DEPTH} levels deep")
        if isinstance(value, str) and _UNPRINTABLE.search(value):
            raise ValueError(f"{_shown(value)} holds a control character")
        if isinstance(value, dict):
            values += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            values += [(inner, depth + 1) for inner in value]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
