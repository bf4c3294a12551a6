"""The manifest of a bundle: what `manifest.json` must say, checked before anything else is read."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np

from snpredict.bundle.entries import (
    Covariate,
    DecompositionEntry,
    EvaluationEntry,
    Figures,
    Fold,
    IntervalsEntry,
    LinkEntry,
    Parity,
    ScoringFile,
    SimilarityEntry,
    Training,
    VariantModel,
)
from snpredict.bundle.reliability_entry import ReliabilityEntry
from snpredict.bundle.typed_json import Entry, as_json, from_json, read_json, wrong
from snpredict.errors import InvalidBundle, UnknownSchema
from snpredict.formulas.encoding import CHANNEL_NAMES
from snpredict.formulas.links import Isru, Logit, TraitScale

#: What is written; schema 1 is read as well.
SCHEMA_VERSION = 2

MANIFEST = "manifest.json"
SNPS = "snps.parquet"
SALIENCY = "saliency.parquet"
OUT_OF_FOLD = "out_of_fold.parquet"
SIMILARITY = "similarity.parquet"
EFFECTS = "effects.parquet"
DECOMPOSITION = "decomposition.parquet"
EPISTASIS = "epistasis.parquet"
CARD = "MODEL_CARD.md"
ENSEMBLE = "ensemble.onnx"

#: Far above what a real bundle has, see also `snpredict.bundle.entries.MAX_FOLDS`.
MAX_MANIFEST_BYTES = 1 << 20
MAX_SNPS = 10_000_000

#: What a bundle can be.
NETWORK: Final = "network"
LINEAR: Final = "linear"
VARIANT_EFFECTS: Final = "variant-effects"
CONTINUOUS: Final = "continuous"
BINARY: Final = "binary"

#: Tables that a bundle of each kind may have beside its SNPs.
_TABLES: dict[str, tuple[str, ...]] = {
    NETWORK: (SALIENCY, OUT_OF_FOLD, SIMILARITY, DECOMPOSITION, EPISTASIS),
    LINEAR: (EFFECTS,),
    VARIANT_EFFECTS: (EFFECTS,),
}

_SHA256 = re.compile(r"[0-9a-f]{64}")

#: A path within the bundle. Plain characters only: a backslash or a drive would leave the folder
#: on Windows, and others would steer the terminal that shows them.
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


@dataclass(frozen=True)
class Manifest:
    """What a bundle says about itself.

    Attributes
    ----------
    name, trait, unit : str
    kind : str
        `NETWORK`: fold models or a fused ensemble. `LINEAR`: one effect per SNP.
        `VARIANT_EFFECTS`: how large effects of variants are expected to be; predicts nothing.
    task : str
        `CONTINUOUS` or `BINARY`.
    link : LinkEntry
    covariates : tuple of Covariate
    n_snps : int
    folds : tuple of Fold
        A linear bundle has one, with its center and scale; one of variant effects may have none.
    ensemble : str or None
        Path of the fused ensemble within the bundle; None where the network cannot be fused.
    intercept : float
        Score of a linear bundle where every SNP has its mean code.
    metrics : mapping of str to float or None
        Cross-validated, such as ``pcc_mean`` and ``pcc_sd``.
    preset : mapping or None
        Settings of the network.
    files : mapping of str to str
        SHA-256 of every other file, by its path within the bundle.
    description, genotype_coding, seed, threads, software, created, licence, source : str or int
        For a person.
    training, evaluation, similarity, intervals, decomposition, parity, scoring_file,
    variant_model : or None
        See `snpredict.bundle.entries`.
    reliability : ReliabilityEntry or None
    """

    name: str
    trait: str
    unit: str
    n_snps: Annotated[int, Entry(above=0, at_most=MAX_SNPS)]
    kind: Literal["network", "linear", "variant-effects"]
    task: Literal["continuous", "binary"]
    link: LinkEntry
    folds: tuple[Fold, ...]
    ensemble: str | None = None
    intercept: float = 0.0
    covariates: tuple[Covariate, ...] = ()
    description: str | None = None
    genotype_coding: str | None = None
    channels: tuple[str, ...] = CHANNEL_NAMES
    metrics: Figures = field(default_factory=dict)
    preset: Mapping[str, Any] | None = None
    seed: int | None = None
    threads: int | None = None
    training: Training | None = None
    software: Mapping[str, str] = field(default_factory=dict)
    created: str | None = None
    licence: str | None = None
    source: str | None = None
    evaluation: EvaluationEntry | None = None
    similarity: SimilarityEntry | None = None
    intervals: IntervalsEntry | None = None
    reliability: Annotated[ReliabilityEntry | None, Entry(left_out=True)] = None
    decomposition: Annotated[DecompositionEntry | None, Entry(left_out=True)] = None
    parity: Parity | None = None
    scoring_file: Annotated[ScoringFile | None, Entry(left_out=True)] = None
    variant_model: Annotated[VariantModel | None, Entry(left_out=True)] = None
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def trait_scale(self) -> TraitScale:
        """What turns the folds' scores into predictions."""
        return TraitScale(
            np.array([fold.center for fold in self.folds]),
            np.array([fold.scale for fold in self.folds]),
            self.link.link,
        )

    @property
    def models(self) -> list[str]:
        """Paths of the models that are run: the fused ensemble, else those of the folds."""
        return self.fold_models if self.ensemble is None else [self.ensemble]

    @property
    def fold_models(self) -> list[str]:
        """Paths of the folds' own models."""
        return [fold.model for fold in self.folds if fold.model is not None]

    @property
    def n_covariates(self) -> int:
        """Columns of the models' input ``covariates``; 0 where they have none."""
        return sum(covariate.n_inputs for covariate in self.covariates)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"schema_version": SCHEMA_VERSION, **as_json(self)}


def parse_manifest(text: bytes, path: Path) -> Manifest:
    """Check a manifest of schema 2 or 1.

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
        It cannot be read, see `snpredict.bundle.typed_json`, or its entries contradict each other.
    """
    raw, where = read_json(text, path), str(path)
    version = from_json(_Version, raw, where).schema_version
    if version == 1:
        raw = _as_schema_2(raw, where)
    elif version != SCHEMA_VERSION:
        raise UnknownSchema(
            f"{path}: found schema version {version}, expected 1 or {SCHEMA_VERSION}",
            "update snpredict"
            if version > SCHEMA_VERSION
            else "export the bundle again with this release",
        )
    manifest = from_json(Manifest, raw, where)
    if "files" not in raw:
        raise InvalidBundle(f"{where} has no entry 'files'")
    _check_score(manifest, where)
    _check_folds(manifest, where)
    _check_files(manifest, where)
    _check_reliability(manifest, where)
    _check_variant_model(manifest, where)
    return manifest


@dataclass(frozen=True)
class _Version:
    schema_version: int


def _as_schema_2(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """The entries of a manifest of schema 1, which knew networks with an ISRU alone."""
    for name in ("isru_alpha", "ensemble"):
        if name not in raw:
            raise InvalidBundle(f"{where} has no entry '{name}'")
    _require_files((SALIENCY, OUT_OF_FOLD), raw.get("files"), where)
    lifted = {
        **raw,
        "kind": NETWORK,
        "task": CONTINUOUS,
        "link": {"name": Isru.name, "alpha": raw["isru_alpha"]},
        "covariates": [],
    }
    evaluation = raw.get("evaluation")
    if isinstance(evaluation, dict) and isinstance(evaluation.get("models"), list):
        models = [_with_figures(row) for row in evaluation["models"]]
        lifted["evaluation"] = {**evaluation, "models": models}
    return lifted


def _with_figures(row: Any) -> Any:
    """An evaluated model whose figures stood among its other entries."""
    if not isinstance(row, dict):
        return row
    own = {name: row[name] for name in ("scheme", "model", "title", "folds") if name in row}
    return {**own, "figures": {name: row[name] for name in row if name not in own}}


def _check_score(manifest: Manifest, where: str) -> None:
    """What makes a score into a prediction."""
    link, binary = manifest.link, manifest.task == BINARY
    if list(manifest.channels) != list(CHANNEL_NAMES):
        raise wrong(where, "channels", list(manifest.channels), list(CHANNEL_NAMES))
    if (link.alpha is not None) != (link.name == Isru.name):
        raise wrong(f"{where}, 'link'", "alpha", link.alpha, "a number for isru, and for it alone")
    if binary != (link.name == Logit.name):
        raise wrong(where, "link", link.name, "logit for a binary task, and for it alone")
    for fold in manifest.folds if binary else ():
        if (fold.center, fold.scale) != (0, 1):
            found = (fold.center, fold.scale)
            raise wrong(where, "center and scale", found, "0 and 1 for a binary task")
    if manifest.intercept and manifest.kind != LINEAR:
        raise wrong(where, "intercept", manifest.intercept, f"0 for kind {manifest.kind}")
    names = [covariate.name for covariate in manifest.covariates]
    if len(set(names)) < len(names):
        raise wrong(where, "covariates", names, "different names")
    if names and manifest.kind != NETWORK:
        raise wrong(where, "covariates", names, f"none for kind {manifest.kind}")
    for at, covariate in enumerate(manifest.covariates, 1):
        numbers = (covariate.mean is not None, covariate.sd is not None)
        categories = len(covariate.categories or ())
        if (*numbers, categories > 0) != (
            (True, True, False) if covariate.kind == "number" else (False, False, True)
        ) or categories > len(set(covariate.categories or ())):
            raise InvalidBundle(
                f"{where}, 'covariates' entry {at}: expected 'mean' and 'sd' of a number, or "
                "different 'categories' of a category"
            )


def _check_folds(manifest: Manifest, where: str) -> None:
    folds, kind = manifest.folds, manifest.kind
    numbers = [fold.number for fold in folds]
    if len(set(numbers)) < len(numbers) or not (numbers or kind == VARIANT_EFFECTS):
        raise wrong(where, "folds", numbers, "one or more folds with different numbers")
    models = manifest.fold_models
    if len(set(models)) < len(models):
        raise wrong(where, "folds", models, "one model each")
    if kind == NETWORK and manifest.ensemble is None and len(models) < len(folds):
        raise wrong(where, "ensemble", None, "a path, or a model for every fold")
    if kind != NETWORK and manifest.models:
        raise InvalidBundle(f"{where}: found the model {manifest.models[0]} in kind {kind}")
    if kind == LINEAR and len(folds) != 1:
        raise wrong(where, "folds", numbers, "one for kind linear")


def _require_files(needed: Iterable[str], files: object, where: str) -> None:
    for name in needed:
        if not isinstance(files, Mapping) or name not in files:
            raise InvalidBundle(f"{where}: 'files' has no SHA-256 for {name}")


def _check_files(manifest: Manifest, where: str) -> None:
    for name, digest in manifest.files.items():
        if not _PATH.fullmatch(name):
            expected = "paths within the bundle, of letters, digits, '_', '-', '.' and '/'"
            raise wrong(where, "files", name, expected)
        if not _SHA256.fullmatch(digest):
            raise wrong(where, "files", digest, f"the SHA-256 of {name}, 64 hexadecimal digits")
    needed = [SNPS, *manifest.fold_models, *manifest.models]
    if manifest.kind == LINEAR:
        needed.append(EFFECTS)
    if manifest.ensemble is not None:
        needed.append(SALIENCY)  # its effects are held against the ensemble's weights
    if SIMILARITY in manifest.files:
        needed.append(OUT_OF_FOLD)  # it has the distances of the training samples
    _require_files(needed, manifest.files, where)
    kind = manifest.kind
    for name in {name for tables in _TABLES.values() for name in tables} - {*_TABLES[kind]}:
        if name in manifest.files:
            raise InvalidBundle(f"{where}: found the file {name}, which kind {kind} does not have")
    if (manifest.similarity is None) == (SIMILARITY in manifest.files):
        lacks = "entry 'similarity'" if manifest.similarity is None else f"file {SIMILARITY}"
        raise InvalidBundle(f"{where} has no {lacks}, which belongs to the other")
    for name in (DECOMPOSITION, EPISTASIS):
        if (manifest.decomposition is None) == (name in manifest.files):
            lacks = "entry 'decomposition'" if manifest.decomposition is None else f"file {name}"
            raise InvalidBundle(f"{where} has no {lacks}, which belongs to the other")


def _check_reliability(manifest: Manifest, where: str) -> None:
    entry = manifest.reliability
    if entry is None:
        return
    shares = [number for point in entry.called for number in point]
    if min(shares, default=0) < 0:
        raise wrong(f"{where}, 'reliability'", "called", min(shares), "numbers from 0 to 1")
    if any(after.called <= before.called for before, after in pairwise(entry.called)):
        raise wrong(f"{where}, 'reliability'", "called", list(shares), "shares that rise")
    for measured in (entry.known, entry.new):
        if measured is None:
            continue
        place = f"{where}, 'reliability'"
        values = [measured.reliability, *(band.reliability for band in measured.bands)]
        if min(values) < 0:
            raise wrong(place, "reliability", min(values), "a number from 0 to 1")
        ends = [band.up_to for band in measured.bands]
        if any(after <= before for before, after in pairwise(ends)):
            raise wrong(place, "bands", ends, "distances that rise")


def _check_variant_model(manifest: Manifest, where: str) -> None:
    entry = manifest.variant_model
    if entry is None:
        return
    place = f"{where}, 'variant_model'"
    if manifest.kind != VARIANT_EFFECTS:
        raise InvalidBundle(f"{place}: found in kind {manifest.kind}")
    _require_files([entry.model], manifest.files, where)
    names = list(entry.annotations)
    if not names or len(set(names)) < len(names):
        raise wrong(place, "annotations", names, "one or more different names")
    lengths = [len(names), len(entry.means), len(entry.scales)]
    if len(set(lengths)) > 1:
        raise wrong(place, "means and scales", lengths[1:], f"{len(names)} of each")
    if min(entry.scales) <= 0:
        raise wrong(place, "scales", min(entry.scales), "numbers above 0")
