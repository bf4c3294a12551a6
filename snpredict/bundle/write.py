"""Writing a bundle: to a temporary folder, read back, then renamed into place."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.bundle.load import load_bundle
from snpredict.bundle.manifest import CARD, MANIFEST, OUT_OF_FOLD, SALIENCY, SNPS
from snpredict.bundle.tables import SIMILARITY
from snpredict.errors import OutputError
from snpredict.files import write_folder
from snpredict.names import listed


def write_bundle(
    target: Path,
    manifest: dict[str, Any],
    snps: pa.Table,
    saliency: pa.Table,
    out_of_fold: pa.Table,
    fold_models: list[bytes],
    ensemble: bytes | None,
    card: str,
    similarity: pa.Table | None = None,
) -> None:
    """Write a bundle, whole or not at all.

    The same input gives the same bytes. A bundle that is there already is replaced once the new
    one is complete and has passed `snpredict.bundle.load.load_bundle`.

    Parameters
    ----------
    target : Path
        The bundle's folder.
    manifest : dict
        All of the manifest but ``files``, which is filled in here.
    snps, saliency, out_of_fold : pyarrow.Table
        See docs/bundle.md for their columns.
    fold_models : list of bytes
        ONNX models of those folds that name a file, in their order.
    ensemble : bytes or None
        ONNX model for the file ``manifest["ensemble"]``; None where that is None.
    card : str
        Markdown.
    similarity : pyarrow.Table, optional

    Raises
    ------
    OutputError
        `target` is something else than a bundle or an empty folder, or cannot be written.
    InvalidBundle
        The parts contradict each other.
    """
    named = [fold["model"] for fold in manifest["folds"] if fold["model"] is not None]
    if len(named) != len(fold_models) or (manifest["ensemble"] is None) != (ensemble is None):
        raise ValueError("the manifest names other models than were given")
    files = dict(zip(named, fold_models, strict=True))
    if ensemble is not None:
        files[manifest["ensemble"]] = ensemble
    for name, table in ((SNPS, snps), (SALIENCY, saliency), (OUT_OF_FOLD, out_of_fold)):
        files[name] = _parquet(table)
    if similarity is not None:
        # Statistics of its many short columns would be a good part of the file.
        files[SIMILARITY] = _parquet(similarity, write_statistics=False)
    files[CARD] = card.encode()
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    text = json.dumps({**manifest, "files": digests}, indent=2, ensure_ascii=False, allow_nan=False)
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
