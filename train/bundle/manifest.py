"""The manifest of a bundle, made from a run."""

from datetime import UTC, datetime
from typing import Any

from snpredict.bundle.entries import Covariate, Fold, Training, fold_name
from snpredict.bundle.manifest import BINARY, CONTINUOUS, ENSEMBLE, NETWORK, Manifest
from train.data.covariates import Covariate as Column
from train.data.dataset import missing_share
from train.runs.folder import Run
from train.runs.scores import link_of

#: Of a fold's result, what its entry says beside the model.
_OF_RESULT = ("n_train", "n_validation", "n_test", "best_epoch", "epochs", "chosen")


def manifest_of(name: str, run: Run, figures: dict[str, float | None], fused: bool) -> Manifest:
    """All entries that the run alone gives."""
    settings, preset = run.settings, run.settings.preset
    networks = f"model {settings.model}" if preset is None else f"networks, preset {preset.name}"
    return Manifest(
        name=name,
        description=f"{settings.trait} from {len(run.data.snps)} SNPs, "
        f"{len(run.folds)}-fold ensemble of {networks}",
        trait=settings.trait,
        unit=settings.unit,
        kind=NETWORK,
        task=BINARY if settings.task == BINARY else CONTINUOUS,
        link=link_of(settings),
        covariates=tuple(_covariate(column) for column in settings.covariates),
        genotype_coding="copies of the counted allele: 0, 1, 2; -1 missing",
        n_snps=len(run.data.snps),
        ensemble=ENSEMBLE if fused else None,
        folds=tuple(_fold(run, result, fused) for result in run.results),
        metrics=figures,
        preset=None if preset is None else preset.as_dict(),
        seed=settings.seed,
        threads=settings.threads,
        training=_training(run),
        software=settings.software,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        licence=settings.bundle.licence,
        source=settings.bundle.source,
    )


def _covariate(column: Column) -> Covariate:
    """Numbers go into a model as they are in the table."""
    if column.categories:
        return Covariate(column.name, "category", categories=column.categories)
    return Covariate(column.name, "number", mean=0.0, sd=1.0)


def _fold(run: Run, result: dict[str, Any], fused: bool) -> Fold:
    scale = (0.0, 1.0)
    if run.settings.task != BINARY:
        # A model without a scale of its own has that of the trait.
        scale = (float(run.data.phenotype.mean()), float(run.data.phenotype.std()))
        scale = (result.get("center", scale[0]), result.get("scale", scale[1]))
    return Fold(
        number=result["fold"],
        model=None if fused else f"folds/{fold_name(result['fold'])}.onnx",
        center=scale[0],
        scale=scale[1],
        **{key: result.get(key) for key in _OF_RESULT},
        metrics=result["metrics"],
    )


def _training(run: Run) -> Training:
    settings, data = run.settings, run.data
    return Training(
        table=data.source,
        sha256=data.sha256,
        data_digest=settings.data_digest,
        samples=len(data.samples),
        families=len(set(data.families)) if data.families else None,
        missing_rate=missing_share(data.codes),
        fold_scheme=settings.scheme,
        repeats=settings.repeats,
        table_coding=settings.coding,
        snp_filters=str(settings.filters) or None,
        phenotype_mean=float(data.phenotype.mean()),
        phenotype_sd=float(data.phenotype.std()),
    )
