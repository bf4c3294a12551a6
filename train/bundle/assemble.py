"""A finished run as a bundle: fused ensemble, tables, manifest, card, and the parity of it all."""

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console

from snpredict.bundle.manifest import ENSEMBLE, SCHEMA_VERSION, fold_name
from snpredict.bundle.out_of_fold import genotype_digest
from snpredict.bundle.write import write_bundle
from snpredict.formulas.effects import PERCENTILES, average_effects, effect_ranges
from snpredict.formulas.encoding import CHANNEL_CODES, CHANNEL_NAMES, MISSING, genotype_frequencies
from snpredict.formulas.sample_rates import sample_rates
from snpredict.genotypes import CODINGS
from train.bundle.ensemble_onnx import HiddenPart, function_of, fused_ensemble
from train.bundle.model_card import model_card
from train.bundle.similarity_table import (
    as_parquet_table,
    held_out_distances,
    known_family_folds,
    manifest_entry,
    new_family_errors,
    similarity_table,
)
from train.commands.summarize import Run, ranks
from train.data.snpinfo import SnpInfo
from train.errors import ParityError
from train.networks.onnx_export import onnx_predictions, require_parity
from train.networks.presets import HIDDEN, Preset
from train.runs.fold import fold_folder, parity_genotypes
from train.runs.left_out import LeftOut, measured_intervals

#: Networks whose score the fused ensemble can hold: those affine in the one-hot genotypes once
#: dropout is off, and the one with a hidden layer over codes.
FUSED_NETWORKS = ("residual", HIDDEN)

#: Training lines over which the ranges of effects are taken, at most: the time that they take
#: grows with their number, and the percentiles hardly move any more.
EFFECT_LINES = 200


def assemble_bundle(
    run: Run,
    target: Path,
    figures: dict[str, float | None],
    info: SnpInfo,
    console: Console,
    left_out: LeftOut | None = None,
    evaluated: dict[str, Any] | None = None,
) -> None:
    """Write the bundle of a complete run.

    With what was found with families left out, and by an evaluation, where there is one.

    Raises
    ------
    ParityError
        Keras and a fold's ONNX file, or the fold models and the fused ensemble, disagree.
    """
    scores = [dict(np.load(fold_folder(run.path, fold) / "score.npz")) for fold in run.folds]
    weights = np.stack([score["weights"] for score in scores], axis=2).astype(np.float32)
    bias = np.array([score["bias"] for score in scores], np.float32)
    hidden = _hidden(scores)
    center = np.array([r["center"] for r in run.results])
    scale = np.array([r["scale"] for r in run.results])
    alpha = _alpha(run.settings)
    models = [(fold_folder(run.path, fold) / "model.onnx").read_bytes() for fold in run.folds]

    codes = parity_genotypes(len(run.data.snps), run.settings["seed"])
    by_folds = np.stack([onnx_predictions(model, codes) for model in models], axis=1)
    keras_onnx = max(
        require_parity(
            f"fold {fold}: Keras and ONNX", score["parity_predictions"], by_folds[:, at], scale[at]
        )
        for at, (fold, score) in enumerate(zip(run.folds, scores, strict=True))
    )
    fused = fused_ensemble(weights, bias, center, scale, alpha, hidden)
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
        if run.settings["preset"]["network"] in FUSED_NETWORKS:
            raise  # a network that has to be fused and is not is a bug, not a property
        console.print(f"no fused ensemble, predict will run the fold models: {error.message}")
        ensemble, onnx_fused = None, None

    frequencies = genotype_frequencies(run.data.codes)
    effects: dict[str, np.ndarray] = {}
    if ensemble is not None:
        lines = _some_lines(run.data.codes, run.settings["seed"])
        function = function_of(weights, bias, hidden)
        effects = _effect_columns(
            average_effects(function, scale, alpha, frequencies),
            effect_ranges(function, scale, alpha, frequencies, lines),
        )
    manifest = _manifest(target.name, run, figures, alpha, ensemble is not None)
    manifest["evaluation"] = evaluated
    distances, similarity, manifest["similarity"] = _similarity(run, left_out)
    out_of_fold = _out_of_fold_table(run, left_out, distances)
    manifest["intervals"] = measured_intervals(
        out_of_fold["residual"].to_numpy(),
        out_of_fold["fold"].to_numpy(),
        left_out,
        run.settings["fold_scheme"],
    )
    manifest["parity"] = {"keras_onnx_sd": keras_onnx, "onnx_fused_sd": onnx_fused}
    write_bundle(
        target,
        manifest,
        snps=_snp_table(run, info, frequencies),
        saliency=_saliency_table(run, effects),
        out_of_fold=out_of_fold,
        # The ensemble holds them already.
        fold_models=models if ensemble is None else [],
        ensemble=ensemble,
        card=model_card(manifest),
        similarity=similarity,
    )


def _hidden(scores: list[dict[str, np.ndarray]]) -> HiddenPart | None:
    """The folds' hidden layers as one."""
    if "hidden_snps" not in scores[0]:
        return None
    names = [field.name for field in fields(HiddenPart)]
    return HiddenPart(
        **{name: np.concatenate([score[f"hidden_{name}"] for score in scores]) for name in names}
    )


def _some_lines(codes: np.ndarray, seed: int) -> np.ndarray:
    """The genotypes of at most `EFFECT_LINES` lines, drawn with that seed."""
    if len(codes) <= EFFECT_LINES:
        return codes
    rows = np.random.default_rng(seed).choice(len(codes), EFFECT_LINES, replace=False)
    return codes[np.sort(rows)]


def _effect_columns(effects: np.ndarray, ranges: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the effects (SNPs, 4) and of their percentiles (SNPs, 4, 2)."""
    columns = {}
    for name, code in {"0": 0, "1": 1, "2": 2, "missing": MISSING}.items():
        at = CHANNEL_CODES.index(code)
        columns[f"effect_{name}"] = effects[:, at].astype(np.float32)
        for place, percentile in enumerate(PERCENTILES):
            of_lines = ranges[:, at, place].astype(np.float32)
            columns[f"effect_{name}_p{percentile:02d}"] = of_lines
    return columns


def _alpha(settings: dict[str, Any]) -> float:
    return Preset.from_dict(settings["preset"]).architecture.isru_alpha


def _manifest(
    name: str, run: Run, figures: dict[str, float | None], alpha: float, fused: bool
) -> dict[str, Any]:
    settings, data = run.settings, run.data
    options = settings["bundle"]
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "description": f"{settings['trait']} from {len(data.snps)} SNPs, "
        f"{len(run.folds)}-fold ensemble of networks, preset {settings['preset']['name']}",
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
        "preset": settings["preset"],
        "seed": settings["seed"],
        "threads": settings["threads"],
        "training": {
            "table": data.source,
            "sha256": data.sha256,
            "data_digest": settings["data_digest"],
            "samples": len(data.samples),
            "families": len(set(data.families)) if data.families else None,
            "missing_rate": float(np.mean(data.codes == MISSING)),
            "fold_scheme": settings["fold_scheme"],
            "repeats": settings.get("repeats"),
            "table_coding": settings.get("coding", CODINGS[0]),
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


def _saliency_table(run: Run, effects: dict[str, np.ndarray]) -> pa.Table:
    mean = run.over_samples(run.saliency)
    rank = ranks(mean)
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
            **effects,
        }
    )


def _similarity(
    run: Run, left_out: LeftOut | None
) -> tuple[np.ndarray, pa.Table | None, dict[str, Any] | None]:
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
    if left_out is not None and run.settings["fold_scheme"] != "family":
        entry["errors_new_families"] = new_family_errors(
            codes, left_out.observed, left_out.residual, left_out.fold, entry["limit"]
        )
    return distances, as_parquet_table(table), entry


def _out_of_fold_table(run: Run, left_out: LeftOut | None, distances: np.ndarray) -> pa.Table:
    rows = np.concatenate(run.rows)
    predicted = np.concatenate(run.predicted)
    fold = np.concatenate([np.full(len(r), f) for f, r in zip(run.folds, run.rows, strict=True)])
    order = np.argsort(rows, kind="stable")
    rates = sample_rates(run.data.codes[rows[order]])
    return pa.table(
        {
            "digest": [genotype_digest(run.data.codes[row]) for row in rows[order]],
            "fold": fold[order].astype(np.int16),
            "predicted": predicted[order],
            "residual": run.data.phenotype[rows[order]] - predicted[order],
            # All rows are there, in their order.
            **(left_out.columns() if left_out is not None else {}),
            # Gaps where a row has no distance.
            "distance": pa.array(distances[rows[order]], pa.float64(), from_pandas=True),
            # A gap where too little of a row is called.
            "heterozygosity": pa.array(rates.heterozygosity, pa.float64(), from_pandas=True),
            "call_rate": rates.call_rate,
        }
    )
