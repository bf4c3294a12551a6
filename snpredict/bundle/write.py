"""Writing a bundle: to a temporary folder, read back, then renamed into place."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.bundle.decomposition_tables import DecompositionTables
from snpredict.bundle.load import Bundle, load_bundle
from snpredict.bundle.manifest import (
    CARD,
    DECOMPOSITION,
    EFFECTS,
    EPISTASIS,
    MANIFEST,
    OUT_OF_FOLD,
    SALIENCY,
    SIMILARITY,
    SNPS,
    Manifest,
)
from snpredict.bundle.out_of_fold import OutOfFold
from snpredict.bundle.similarity_table import similarity_to_arrow
from snpredict.bundle.tables import EffectTable, SaliencyTable, SnpTable
from snpredict.errors import OutputError
from snpredict.files import write_folder
from snpredict.formulas.similarity import SimilarityTable
from snpredict.names import listed


def write_bundle(
    target: Path,
    manifest: Manifest,
    card: str,
    *,
    snps: SnpTable,
    saliency: SaliencyTable | None = None,
    out_of_fold: OutOfFold | None = None,
    similarity: SimilarityTable | None = None,
    effects: EffectTable | None = None,
    models: Mapping[str, bytes] | None = None,
) -> None:
    """Write a bundle, whole or not at all.

    The same input gives the same bytes. A bundle that is there already is replaced once the new
    one is complete and has passed `snpredict.bundle.load.load_bundle`.

    Parameters
    ----------
    target : Path
        The bundle's folder.
    manifest : Manifest
        Its ``files`` are filled in here.
    card : str
        Markdown.
    snps, saliency, out_of_fold, similarity, effects : tables
        Those that the manifest's kind has.
    models : mapping of str to bytes, optional
        ONNX models by the paths that the manifest gives them.

    Raises
    ------
    OutputError
        `target` is something else than a bundle or an empty folder, or cannot be written.
    InvalidBundle
        The parts contradict each other.
    """
    files = {**(models or {}), CARD: card.encode(), SNPS: _parquet(snps.to_arrow())}
    if saliency is not None:
        folds = [fold.name for fold in manifest.folds]
        files[SALIENCY] = _parquet(saliency.to_arrow(snps.columns["id"], folds))
    if out_of_fold is not None:
        files[OUT_OF_FOLD] = _parquet(out_of_fold.to_arrow())
    if similarity is not None:
        # Statistics of its many short columns would be a good part of the file.
        files[SIMILARITY] = _parquet(similarity_to_arrow(similarity), write_statistics=False)
    if effects is not None:
        files[EFFECTS] = _parquet(effects.to_arrow(snps.columns["id"]))
    _write(target, manifest, files)


def add_decomposition(
    bundle: Bundle,
    target: Path,
    manifest: Manifest,
    card: str,
    decomposition: DecompositionTables,
) -> None:
    """Write a bundle again with the tables of its decomposition, whole or not at all.

    Parameters
    ----------
    bundle : Bundle
        As it was read; all its other files stay as they are.
    target : Path
        Its folder, or another one.
    manifest : Manifest
        Its own, with the entry ``decomposition``.
    card : str
        Markdown.
    decomposition : DecompositionTables

    Raises
    ------
    OutputError, InvalidBundle
        As for `write_bundle`.
    """
    files = dict(bundle.files)
    files[CARD] = card.encode()
    files[DECOMPOSITION] = _parquet(decomposition.loci_to_arrow(bundle.snps.columns["id"]))
    files[EPISTASIS] = _parquet(decomposition.pairs_to_arrow())
    _write(target, manifest, files)


def _write(target: Path, manifest: Manifest, files: dict[str, bytes]) -> None:
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    entries = replace(manifest, files=digests).as_dict()
    text = json.dumps(entries, indent=2, ensure_ascii=False, allow_nan=False)
    files[MANIFEST] = f"{text}\n".encode()

    check_target(target)
    write_folder(files, target, load_bundle)


def _parquet(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    # Without the schema's metadata, where pandas records its version.
    pq.write_table(table.replace_schema_metadata(None), buffer, compression="zstd", **options)
    return buffer.getvalue()


def check_target(target: Path) -> None:
    """Refuse a folder that `write_bundle` would refuse, before hours of training.

    Raises
    ------
    OutputError
        `target` or a folder above it is a file, it is a folder of something else, or it holds
        files beside those of a bundle.
    """
    above = next(folder for folder in target.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise OutputError(
            f"{target} cannot be made: {above} is not a folder", "name another folder"
        )
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise OutputError(f"{target} exists and is not a folder", "name another folder")
    if not target.stat().st_mode & 0o222:
        raise OutputError(f"{target} is write-protected", "name another folder")
    if any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise OutputError(
            f"{target} is not empty and holds no {MANIFEST}: it is not replaced",
            "name another folder",
        )
    if others := _others(target):
        raise OutputError(
            f"{target} holds what is not of a bundle: {listed(others)}; it is not replaced",
            "move these files away, or name another folder",
        )


def _others(target: Path) -> list[str]:
    """Files that the manifest of an older bundle, of whatever schema, does not name."""
    there = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    try:
        named = {MANIFEST, *json.loads((target / MANIFEST).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        named = set()
    return sorted(there - named)
