"""The manifest of a bundle, made from a run."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from snpredict.bundle.manifest import ENSEMBLE, SCHEMA_VERSION, fold_name
from snpredict.formulas.encoding import CHANNEL_NAMES, MISSING
from train.runs.folder import Run


def manifest_of(
    name: str, run: Run, figures: dict[str, float | None], alpha: float, fused: bool
) -> dict[str, Any]:
    """All entries of the manifest but the digests of the files."""
    settings, data = run.settings, run.data
    preset = settings.preset
    assert preset is not None
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "description": f"{settings.trait} from {len(data.snps)} SNPs, "
        f"{len(run.folds)}-fold ensemble of networks, preset {preset.name}",
        "trait": settings.trait,
        "unit": settings.unit,
        "genotype_coding": "copies of the counted allele: 0, 1, 2; -1 missing",
        "channels": list(CHANNEL_NAMES),
        "n_snps": len(data.snps),
        "isru_alpha": alpha,
        "ensemble": ENSEMBLE if fused else None,
        "folds": [
            {
                "fold": r["fold"],
                "model": None if fused else f"folds/{fold_name(r['fold'])}.onnx",
                **{
                    key: r[key]
                    for key in (
                        "center",
                        "scale",
                        "n_train",
                        "n_validation",
                        "n_test",
                        "best_epoch",
                        "epochs",
                        "chosen",
                        "metrics",
                    )
                },
            }
            for r in run.results
        ],
        "metrics": figures,
        "preset": preset.as_dict(),
        "seed": settings.seed,
        "threads": settings.threads,
        "training": {
            "table": data.source,
            "sha256": data.sha256,
            "data_digest": settings.data_digest,
            "samples": len(data.samples),
            "families": len(set(data.families)) if data.families else None,
            "missing_rate": float(np.mean(data.codes == MISSING)),
            "fold_scheme": settings.scheme,
            "repeats": settings.repeats,
            "table_coding": settings.coding,
            "phenotype_mean": float(data.phenotype.mean()),
            "phenotype_sd": float(data.phenotype.std()),
        },
        "software": settings.software,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "licence": settings.bundle.licence,
        "source": settings.bundle.source,
    }
