"""A finished run as a bundle: fused ensemble, tables, manifest, card, and the parity of it all."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console

from snpredict.bundle.write import write_bundle
from snpredict.formulas.effects import average_effects, effect_ranges
from snpredict.formulas.encoding import genotype_frequencies
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import Isru, TraitScale
from snpredict.scoring.onnx_session import onnx_predictions
from train.bundle.ensemble_onnx import function_of, fused_ensemble
from train.bundle.interval_coverage import measured_intervals
from train.bundle.manifest import manifest_of
from train.bundle.model_card import model_card
from train.bundle.similarity_table import (
    as_parquet_table,
    held_out_distances,
    known_family_folds,
    manifest_entry,
    new_family_errors,
    similarity_table,
)
from train.bundle.tables import (
    effect_columns,
    out_of_fold_table,
    saliency_table,
    snp_table,
    some_lines,
)
from train.data.snpinfo import SnpInfo
from train.errors import ParityError
from train.networks.hidden_part import HiddenPart
from train.networks.presets import HIDDEN
from train.parity import parity_genotypes, require_parity
from train.runs.folder import Run, fold_folder
from train.runs.left_out import LeftOut

#: Networks whose score the fused ensemble can hold: those affine in the one-hot genotypes once
#: dropout is off, and the one with a hidden layer over codes.
FUSED_NETWORKS = ("residual", HIDDEN)


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
    alpha = _alpha(run)
    models = [(fold_folder(run.path, fold) / "model.onnx").read_bytes() for fold in run.folds]

    codes = parity_genotypes(len(run.data.snps), run.settings.seed)
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
        if run.settings.preset and run.settings.preset.network in FUSED_NETWORKS:
            raise  # a network that has to be fused and is not is a bug, not a property
        console.print(f"no fused ensemble, predict will run the fold models: {error.message}")
        ensemble, onnx_fused = None, None

    frequencies = genotype_frequencies(run.data.codes)
    effects: dict[str, np.ndarray] = {}
    if ensemble is not None:
        lines = some_lines(run.data.codes, run.settings.seed)
        function = function_of(weights, bias, hidden)
        trait = TraitScale(center, scale, Isru(alpha))
        effects = effect_columns(
            average_effects(function, trait, frequencies),
            effect_ranges(function, trait, frequencies, Genotypes(lines)),
        )
    manifest = manifest_of(target.name, run, figures, alpha, ensemble is not None)
    manifest["evaluation"] = evaluated
    distances, similarity, manifest["similarity"] = _similarity(run, left_out)
    out_of_fold = out_of_fold_table(run, left_out, distances)
    manifest["intervals"] = measured_intervals(
        out_of_fold["residual"].to_numpy(),
        out_of_fold["fold"].to_numpy(),
        left_out,
        run.settings.scheme,
    )
    manifest["parity"] = {"keras_onnx_sd": keras_onnx, "onnx_fused_sd": onnx_fused}
    write_bundle(
        target,
        manifest,
        snps=snp_table(run, info, frequencies),
        saliency=saliency_table(run, effects),
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


def _alpha(run: Run) -> float:
    assert run.settings.preset is not None
    return run.settings.preset.architecture.isru_alpha


def _similarity(
    run: Run, left_out: LeftOut | None
) -> tuple[np.ndarray, pa.Table | None, dict[str, Any] | None]:
    """Held-out distances of all rows, the table and the manifest's entry; NaN and None without."""
    codes, rows = run.data.codes, np.concatenate(run.rows)
    folds = np.load(run.path / "data" / "folds.npy")
    folds = known_family_folds(folds, run.settings.scheme, run.settings.seed)
    distances = held_out_distances(codes, folds)
    table = similarity_table(codes)
    if table is None or not np.isfinite(distances).any():
        return np.full(len(codes), np.nan), None, None
    predicted = np.concatenate(run.predicted)
    entry = manifest_entry(table, run.data.phenotype[rows], predicted, distances[rows])
    if left_out is not None and run.settings.scheme != "family":
        entry["errors_new_families"] = new_family_errors(
            codes, left_out.observed, left_out.residual, left_out.fold, entry["limit"]
        )
    return distances, as_parquet_table(table), entry
