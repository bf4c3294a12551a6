"""The manifest of a bundle: what `manifest.json` must say, checked before anything else is read."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from snpredict.encoding import CHANNEL_NAMES
from snpredict.errors import InvalidBundle, UnknownSchema

SCHEMA_VERSION = 1

MANIFEST = "manifest.json"
SNPS = "snps.parquet"
SALIENCY = "saliency.parquet"
OUT_OF_FOLD = "out_of_fold.parquet"
CARD = "MODEL_CARD.md"
ENSEMBLE = "ensemble.onnx"

_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    model : str
        Path of its ONNX file within the bundle.
    center, scale : float
        Mean and SD of the trait in the fold's training rows, trait units.
    metrics : dict of str to float or None
        On the fold's test rows, such as ``pcc``, ``mae``, ``mse``, ``r2``.
    """

    number: int
    model: str
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
        Path of the fused ensemble within the bundle; None where the network is not affine.
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
        It is no JSON object, or an entry is missing, of another type or out of range.
    """
    try:
        raw = json.loads(text.decode(), parse_constant=_no_constant)
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
    manifest = Manifest(
        name=entries.get("name", str),
        trait=entries.get("trait", str),
        unit=entries.get("unit", str),
        n_snps=entries.positive("n_snps", int),
        alpha=float(entries.positive("isru_alpha", float)),
        ensemble=entries.get("ensemble", str, type(None)),
        folds=folds,
        metrics=entries.numbers("metrics"),
        files=_files(entries),
        raw=raw,
    )
    needed = [SNPS, SALIENCY, OUT_OF_FOLD, *(fold.model for fold in folds)]
    for name in [*needed, *([manifest.ensemble] if manifest.ensemble else [])]:
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
        finite = not isinstance(value, int | float) or math.isfinite(value)
        if isinstance(value, bool) or not isinstance(value, allowed) or not finite:
            names = " or ".join({"NoneType": "null"}.get(t.__name__, t.__name__) for t in types)
            raise self.wrong(name, value, names)
        return value

    def positive(self, name: str, kind: type) -> Any:
        value = self.get(name, kind)
        if not value > 0:
            raise self.wrong(name, value, "more than 0")
        return value

    def numbers(self, name: str) -> dict[str, float | None]:
        inner = _Entries(self.get(name, dict), f"{self._where}, '{name}'")
        return {key: inner.get(key, float, type(None)) for key in inner._raw}


def _fold(entries: _Entries) -> Fold:
    return Fold(
        number=entries.positive("fold", int),
        model=entries.get("model", str),
        center=float(entries.get("center", float)),
        scale=float(entries.positive("scale", float)),
        metrics=entries.numbers("metrics"),
    )


def _files(entries: _Entries) -> dict[str, str]:
    files: dict[str, str] = entries.get("files", dict)
    for name, digest in files.items():
        parts = PurePosixPath(name).parts
        # A backslash or a drive would leave the folder on Windows.
        if not parts or parts[0] == "/" or ".." in parts or "\\" in name or ":" in name:
            raise entries.wrong("files", name, "paths within the bundle, with forward slashes")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise entries.wrong("files", digest, f"the SHA-256 of {name}, 64 hexadecimal digits")
    return files


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
