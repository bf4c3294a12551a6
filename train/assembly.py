"""A finished run as a bundle: fused ensemble, tables, manifest, card, and the parity of it all."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console

from snpredict.encoding import CHANNEL_CODES, CHANNEL_NAMES, MISSING, genotype_frequencies
from snpredict.manifest import ENSEMBLE, SCHEMA_VERSION, fold_name
from snpredict.training_set import genotype_digest
from train.bundling import write_bundle
from train.card import model_card
from train.errors import ParityError
from train.export import onnx_predictions, require_parity
from train.fold import fold_folder, parity_genotypes
from train.fused import fused_ensemble
from train.similarity import (
    as_parquet_table,
    held_out_distances,
    known_family_folds,
    manifest_entry,
    similarity_table,
)
from train.snpinfo import SnpInfo
from train.summary import Run, ranks

#: Shares of samples whose absolute out-of-fold residual stays below the stored quantile.
INTERVAL_LEVELS = (0.5, 0.8, 0.9, 0.95)

#: Networks whose score is affine in the one-hot genotypes once dropout is off.
AFFINE_NETWORKS = ("residual",)


def assemble_bundle(
    run: Run,
    target: Path,
    figures: dict[str, float | None],
    info: SnpInfo,
    console: Console,
) -> None:
    """Write the bundle of a complete run.

    Raises
    ------
    ParityError
        Keras and a fold's ONNX file, or the fold models and the fused ensemble, disagree.
    """
    affine = [np.load(fold_folder(run.path, fold) / "affine.npz") for fold in run.folds]
    weights = np.stack([a["weights"] for a in affine], axis=2).astype(np.float32)
    bias = np.array([a["bias"] for a in affine], np.float32)
    center = np.array([r["center"] for r in run.results])
    scale = np.array([r["scale"] for r in run.results])
    alpha = _alpha(run.settings)
    models = [(fold_folder(run.path, fold) / "model.onnx").read_bytes() for fold in run.folds]

    codes = parity_genotypes(len(run.data.snps), run.settings["seed"])
    by_folds = np.stack([onnx_predictions(model, codes) for model in models], axis=1)
    keras_onnx = max(
        require_parity(
            f"fold {fold}: Keras and ONNX", a["parity_predictions"], by_folds[:, at], scale[at]
        )
        for at, (fold, a) in enumerate(zip(run.folds, affine, strict=True))
    )
    fused = fused_ensemble(weights, bias, center, scale, alpha)
    ensemble: bytes | None = fused
    onnx_fused: float | None
    try:
        by_ensemble = onnx_predictions(fused, codes)
        onnx_fused = max(
            require_parity(
                f"fold {fold}: its ONNX and the fused ensemble",
                by_folds[:, at],
                by_ensemble[:, at],
                scale[at],
            )
            for at, fold in enumerate(run.folds)
        )
        console.print(
            f"parity on random genotypes: Keras and ONNX {keras_onnx:.1e} SD, "
            f"ONNX and fused ensemble {onnx_fused:.1e} SD",
            soft_wrap=True,
        )
    except ParityError as error:
        if run.settings["preset"]["network"] in AFFINE_NETWORKS:
            raise  # an affine network that does not fold is a bug, not a property
        console.print(f"no fused ensemble, predict will run the fold models: {error.message}")
        ensemble, onnx_fused = None, None

    frequencies = genotype_frequencies(run.data.codes)
    manifest = _manifest(target.name, run, figures, alpha, ensemble is not None)
    manifest["parity"] = {"keras_onnx_sd": keras_onnx, "onnx_fused_sd": onnx_fused}
    distances, similarity, manifest["similarity"] = _similarity(run)
    write_bundle(
        target,
        manifest,
        snps=_snp_table(run, info, frequencies),
        saliency=_saliency_table(
            run, effects(weights, bias, scale, alpha, frequencies) if ensemble else None
        ),
        out_of_fold=_out_of_fold_table(run, distances),
        fold_models=models,
        ensemble=ensemble,
        card=model_card(manifest),
        similarity=similarity,
    )


def effects(
    weights: np.ndarray,
    bias: np.ndarray,
    scale: np.ndarray,
    alpha: float,
    frequencies: np.ndarray,
) -> np.ndarray:
    """Signed effect of every genotype against the training average, trait units.

    ``mean_f σ_f ISRU'(z_f) (W_f[j, c] − Σ_c' freq[j, c'] W_f[j, c'])`` with the slope taken at
    the reference score ``z_f = b_f + Σ_j Σ_c freq[j, c] W_f[j, c]``.

    Parameters
    ----------
    weights : ndarray (SNPs, 4, folds)
    bias, scale : ndarray (folds,)
    frequencies : ndarray (SNPs, 4)
        Shares of the channels in the training set.

    Returns
    -------
    ndarray (SNPs, 4) of float64, channel order. Also for a channel that never occurs in training,
        where it is what the model would add all the same; its frequency of 0 tells.
    """
    w = weights.astype(np.float64)
    expected = np.einsum("jcf,jc->jf", w, frequencies)
    reference = bias + expected.sum(axis=0)
    slope = scale * (1 + alpha * reference**2) ** -1.5
    return ((w - expected[:, None, :]) * slope).mean(axis=2)


def _alpha(settings: dict[str, Any]) -> float:
    from train.presets import Preset

    return Preset.from_dict(settings["preset"]).architecture.alpha(settings["trait"])


def _manifest(
    name: str, run: Run, figures: dict[str, float | None], alpha: float, fused: bool
) -> dict[str, Any]:
    settings, data = run.settings, run.data
    residuals = np.abs(np.concatenate(run.predicted) - data.phenotype[np.concatenate(run.rows)])
    options = settings["bundle"]
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "description": f"{settings['trait']} from {len(data.snps)} SNPs, "
        f"{len(run.folds)}-fold ensemble of residual networks",
        "trait": settings["trait"],
        "unit": settings["unit"],
        "genotype_coding": "copies of the counted allele: 0, 1, 2; -1 missing",
        "channels": list(CHANNEL_NAMES),
        "n_snps": len(data.snps),
        "isru_alpha": alpha,
        "ensemble": ENSEMBLE if fused else None,
        "folds": [
            {
                "fold": r["fold"],
                "model": f"folds/{fold_name(r['fold'])}.onnx",
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
                        "start",
                        "metrics",
                    )
                },
            }
            for r in run.results
        ],
        "metrics": figures,
        "preset": settings["preset"],
        "seed": settings["seed"],
        "threads": settings["threads"],
        "interval_quantiles": {
            f"{level:g}": float(np.quantile(residuals, level)) for level in INTERVAL_LEVELS
        },
        "training": {
            "table": data.source,
            "sha256": data.sha256,
            "data_digest": settings["data_digest"],
            "samples": len(data.samples),
            "families": len(set(data.families)) if data.families else None,
            "missing_rate": float(np.mean(data.codes == MISSING)),
            "fold_scheme": settings["fold_scheme"],
            "phenotype_mean": float(data.phenotype.mean()),
            "phenotype_sd": float(data.phenotype.std()),
        },
        "software": settings["software"],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "licence": options.get("licence"),
        "source": options.get("source"),
    }


def _snp_table(run: Run, info: SnpInfo, frequencies: np.ndarray) -> pa.Table:
    by_code = {code: frequencies[:, at] for at, code in enumerate(CHANNEL_CODES)}
    return pa.table(
        {
            "id": pa.array(run.data.snps, pa.string()),
            "chromosome": pa.array(info.chromosome, pa.string()),
            "position": pa.array(info.position, pa.int64()),
            "counted_allele": pa.array(info.counted_allele, pa.string()),
            "other_allele": pa.array(info.other_allele, pa.string()),
            "freq_0": by_code[0],
            "freq_1": by_code[1],
            "freq_2": by_code[2],
            "freq_missing": by_code[MISSING],
        }
    )


def _saliency_table(run: Run, effect: np.ndarray | None) -> pa.Table:
    mean = run.over_samples(run.saliency)
    rank = ranks(mean)
    effects_of: dict[str, np.ndarray] = {}
    if effect is not None:
        by_code = {code: effect[:, at] for at, code in enumerate(CHANNEL_CODES)}
        names = {0: "effect_0", 1: "effect_1", 2: "effect_2", MISSING: "effect_missing"}
        effects_of = {name: by_code[code].astype(np.float32) for code, name in names.items()}
    return pa.table(
        {
            "id": pa.array(run.data.snps, pa.string()),
            "saliency": mean,
            "rank": rank,
            "percentile": 100.0 * (len(mean) - rank + 1) / len(mean),
            "centered_saliency": run.over_samples(run.centered),
            **{
                fold_name(fold): run.saliency[at].astype(np.float32)
                for at, fold in enumerate(run.folds)
            },
            **effects_of,
        }
    )


def _similarity(run: Run) -> tuple[np.ndarray, pa.Table | None, dict[str, Any] | None]:
    """Held-out distances of all rows, the table and the manifest's entry; NaN and None without."""
    codes, rows = run.data.codes, np.concatenate(run.rows)
    folds = np.load(run.path / "data" / "folds.npy")
    folds = known_family_folds(folds, run.settings["fold_scheme"], run.settings["seed"])
    distances = held_out_distances(codes, folds)
    table = similarity_table(codes)
    if table is None or not np.isfinite(distances).any():
        return np.full(len(codes), np.nan), None, None
    predicted = np.concatenate(run.predicted)
    entry = manifest_entry(table, run.data.phenotype[rows], predicted, distances[rows])
    return distances, as_parquet_table(table), entry


def _out_of_fold_table(run: Run, distances: np.ndarray) -> pa.Table:
    rows = np.concatenate(run.rows)
    predicted = np.concatenate(run.predicted)
    fold = np.concatenate([np.full(len(r), f) for f, r in zip(run.folds, run.rows, strict=True)])
    order = np.argsort(rows, kind="stable")
    return pa.table(
        {
            "digest": [genotype_digest(run.data.codes[row]) for row in rows[order]],
            "fold": fold[order].astype(np.int16),
            "predicted": predicted[order],
            "residual": run.data.phenotype[rows[order]] - predicted[order],
            # Gaps where a row has no distance.
            "distance": pa.array(distances[rows[order]], pa.float64(), from_pandas=True),
        }
    )
