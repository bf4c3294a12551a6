"""What is said of every result beside its rows: the model, the file, calls and similarity."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.typed_json import as_json
from snpredict.matching.file_check import FileCheck, InputFile
from snpredict.matching.low_call_rate import call_facts
from snpredict.scoring_files.words import missing_rule
from snpredict.version import __version__


def model_facts(bundle: Bundle) -> dict[str, Any]:
    """Which model made a result, as JSON values."""
    return {
        "model": bundle.manifest.name,
        "manifest_sha256": bundle.digest,
        "trait": bundle.manifest.trait,
        "unit": bundle.manifest.unit,
        "snpredict_version": __version__,
    }


def input_facts(source: InputFile) -> dict[str, Any]:
    """Which file, and how it was read, as JSON values."""
    return {
        "input": str(source.path),
        "input_format": source.format,
        "input_sha256": source.sha256,
        "input_files": source.files,
        "coding": source.coding or None,
        "id_column": source.id_column,
        "notes": source.notes,
    }


def origin_facts(check: FileCheck) -> dict[str, Any]:
    """Which model and which file, and how they fit, as JSON values."""
    fit = {"match": asdict(check.match)}
    about = model_facts(check.bundle) | _weights_facts(check.bundle)
    return about | input_facts(check.source) | fit


def _weights_facts(bundle: Bundle) -> dict[str, Any]:
    """The file of an imported score's weights; nothing of another model."""
    about = bundle.manifest.scoring_file
    if about is None:
        return {}
    rule = missing_rule(about, bundle.manifest.n_snps)
    return {"scoring_file": as_json(about) | {"missing_genotype_counts_as": rule}}


def sample_facts(check: FileCheck) -> dict[str, Any]:
    """What its samples have called, and how many are unlike the training set, as JSON values."""
    return {"calls": call_facts(check), "similarity": _similarity_facts(check)}


def check_facts(check: FileCheck) -> dict[str, Any]:
    """All that `check` says, as JSON values."""
    return (
        origin_facts(check)
        | {
            "samples": len(check.samples),
            "missing_rate": check.missing_rate,
            "missing_rate_found": check.missing_rate_found,
        }
        | sample_facts(check)
    )


def similarity_columns(check: FileCheck) -> dict[str, list]:
    """Columns ``distance_percentile``, ``unlike_training`` and ``unlike_because``.

    None for no distance, for what cannot be told, and for no reason. No columns where the bundle
    has no table.
    """
    found = check.unlike
    if found is None:
        return {}
    unlike = zip(found.any.tolist(), found.unknown.tolist(), strict=True)
    names = list(found.because)
    reasons = np.stack(list(found.because.values()), axis=1).tolist()
    return {
        "distance_percentile": [None if math.isnan(p) else p for p in found.percentiles.tolist()],
        "unlike_training": [None if unknown else far for far, unknown in unlike],
        "unlike_because": [
            ", ".join(name for name, is_it in zip(names, row, strict=True) if is_it) or None
            for row in reasons
        ],
    }


def _similarity_facts(check: FileCheck) -> dict[str, Any] | None:
    """Counts and the measured errors; None where the bundle has no table."""
    found = check.unlike
    if found is None:
        return None
    said = as_json(check.bundle.manifest.similarity)
    limits = found.similarity.rates
    return {
        "unlike_training": int(found.any.sum()),
        "unlike_because": {name: int(rows.sum()) for name, rows in found.because.items()},
        "beyond_all_training": int(found.beyond.sum()),
        "no_distance": int(np.isnan(found.distances).sum()),
        "limit": found.similarity.limit,
        "heterozygosity_limits": limits and list(limits.heterozygosity),
        "call_rate_limit": limits and limits.call_rate,
        "errors": said["errors"],
        "errors_new_families": said["errors_new_families"],
    }
