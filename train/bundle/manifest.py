"""The manifest of a bundle, made from a run."""

from datetime import UTC, datetime

import numpy as np

from snpredict.bundle.entries import Fold, LinkEntry, Training, fold_name
from snpredict.bundle.manifest import CONTINUOUS, ENSEMBLE, NETWORK, Manifest
from snpredict.formulas.encoding import MISSING
from train.runs.folder import Run

#: Of a fold's result, what its entry says beside the model.
_OF_RESULT = (
    *("center", "scale", "n_train", "n_validation", "n_test"),
    *("best_epoch", "epochs", "chosen", "metrics"),
)


def manifest_of(
    name: str, run: Run, figures: dict[str, float | None], alpha: float, fused: bool
) -> Manifest:
    """All entries that the run alone gives."""
    settings, preset = run.settings, run.settings.preset
    assert preset is not None
    return Manifest(
        name=name,
        description=f"{settings.trait} from {len(run.data.snps)} SNPs, "
        f"{len(run.folds)}-fold ensemble of networks, preset {preset.name}",
        trait=settings.trait,
        unit=settings.unit,
        kind=NETWORK,
        task=CONTINUOUS,
        link=LinkEntry("isru", alpha),
        genotype_coding="copies of the counted allele: 0, 1, 2; -1 missing",
        n_snps=len(run.data.snps),
        ensemble=ENSEMBLE if fused else None,
        folds=tuple(
            Fold(
                number=result["fold"],
                model=None if fused else f"folds/{fold_name(result['fold'])}.onnx",
                **{key: result[key] for key in _OF_RESULT},
            )
            for result in run.results
        ),
        metrics=figures,
        preset=preset.as_dict(),
        seed=settings.seed,
        threads=settings.threads,
        training=_training(run),
        software=settings.software,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        licence=settings.bundle.licence,
        source=settings.bundle.source,
    )


def _training(run: Run) -> Training:
    settings, data = run.settings, run.data
    return Training(
        table=data.source,
        sha256=data.sha256,
        data_digest=settings.data_digest,
        samples=len(data.samples),
        families=len(set(data.families)) if data.families else None,
        missing_rate=float(np.mean(data.codes == MISSING)),
        fold_scheme=settings.scheme,
        repeats=settings.repeats,
        table_coding=settings.coding,
        phenotype_mean=float(data.phenotype.mean()),
        phenotype_sd=float(data.phenotype.std()),
    )
