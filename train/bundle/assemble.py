"""A finished run as a bundle: fused ensemble, tables, manifest, card, and the parity of it all."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from snpredict.bundle.entries import EvaluationEntry, Parity, SimilarityEntry
from snpredict.bundle.manifest import BINARY, Manifest
from snpredict.bundle.reliability_entry import CalledShare, ReliabilityEntry
from snpredict.bundle.tables import SaliencyTable
from snpredict.bundle.write import write_bundle
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction
from snpredict.formulas.similarity import SimilarityTable
from snpredict.matching.match import effect_weights
from snpredict.scoring.onnx_session import onnx_predictions
from train.bundle.ensemble_onnx import fused_ensemble
from train.bundle.interval_coverage import measured_intervals
from train.bundle.manifest import manifest_of
from train.bundle.model_card import model_card
from train.bundle.reliability import Lines, measured_reliability
from train.bundle.reliability_called import called_shares
from train.bundle.similarity_table import (
    errors_by_distance,
    held_out_distances,
    known_family_folds,
    manifest_entry,
    similarity_table,
)
from train.bundle.tables import out_of_fold_table, saliency_table, snp_table
from train.data.snpinfo import SnpInfo
from train.networks.score import function_of
from train.parity import parity_genotypes, require_parity
from train.runs.folder import Run, fold_folder
from train.runs.left_out import LeftOut
from train.runs.scores import fixed_of, hidden_of, link_of, read_score


def assemble_bundle(
    run: Run,
    target: Path,
    figures: dict[str, float | None],
    info: SnpInfo,
    console: Console,
    left_out: LeftOut | None = None,
    evaluated: EvaluationEntry | None = None,
) -> None:
    """Write the bundle of a complete run.

    With what was found with families left out, and by an evaluation, where there is one.

    Raises
    ------
    ParityError
        Keras and a fold's ONNX file, or the fold models and the fused ensemble, disagree.
    """
    exported = _export(run, console)
    fused = exported.function is not None
    manifest = manifest_of(target.name, run, figures, fused)
    frequencies = run.data.genotypes.frequencies()
    distances = _Distances.of(run, left_out)
    similarity, similarity_entry = _similarity(run, left_out, distances)
    out_of_fold = out_of_fold_table(run, left_out, distances.known)
    saliency = saliency_table(run, frequencies, exported.function, manifest.trait_scale)
    manifest = replace(
        manifest,
        evaluation=evaluated,
        similarity=similarity_entry,
        # An interval of a probability is not one of values.
        intervals=None
        if run.settings.task == BINARY
        else measured_intervals(
            out_of_fold.residual, out_of_fold.fold, left_out, run.settings.scheme
        ),
        reliability=_reliability(
            run,
            left_out,
            distances,
            _Effects.of(exported.function, manifest, frequencies, saliency),
        ),
        parity=exported.parity,
    )
    write_bundle(
        target,
        manifest,
        model_card(manifest),
        snps=snp_table(run, info, frequencies),
        saliency=saliency,
        out_of_fold=out_of_fold,
        similarity=similarity,
        models=dict(zip(manifest.models, exported.models, strict=True)),
    )


@dataclass(frozen=True)
class _Exported:
    """The models that a bundle gets.

    ``function`` is the score of the fused ensemble, None for a network that cannot be fused;
    ``models`` is that ensemble alone, or else the folds' own models in their order.
    """

    function: ScoreFunction | None
    models: list[bytes]
    parity: Parity


def _export(run: Run, console: Console) -> _Exported:
    """The fused ensemble where there can be one, after all models were held against each other."""
    folders = [fold_folder(run.path, fold) for fold in run.folds]
    models = [(folder / "model.onnx").read_bytes() for folder in folders]
    scores = [read_score(folder) for folder in folders]
    if not all("parity_predictions" in score for score in scores):
        console.print("no fused ensemble, predict will run the fold models", soft_wrap=True)
        return _Exported(None, models, Parity())
    center = np.array([r["center"] for r in run.results])
    scale = np.array([r["scale"] for r in run.results])
    codes = parity_genotypes(len(run.data.snps), run.settings.seed)
    by_folds = np.stack([onnx_predictions(model, codes) for model in models], axis=1)
    by_keras = np.stack([score["parity_predictions"] for score in scores], axis=1)
    keras_onnx = _parity(run.folds, "Keras and ONNX", by_keras, by_folds, scale)
    alpha = link_of(run.settings).alpha
    if alpha is None or any("weights" not in score for score in scores):
        console.print(
            "no fused ensemble, predict will run the fold models: the network's score cannot be "
            "told as numbers",
            soft_wrap=True,
        )
        return _Exported(None, models, Parity(keras_onnx))
    weights = np.stack([score["weights"] for score in scores], axis=2).astype(np.float32)
    bias = np.array([score["bias"] for score in scores], np.float32)
    hidden = hidden_of(scores)
    fixed = fixed_of(scores)
    fused = fused_ensemble(weights, bias, center, scale, alpha, hidden, fixed)
    by_ensemble = onnx_predictions(fused, codes)
    onnx_fused = _parity(run.folds, "its ONNX and the fused ensemble", by_folds, by_ensemble, scale)
    console.print(
        f"parity on random genotypes: Keras and ONNX {keras_onnx:.1e} SD, "
        f"ONNX and fused ensemble {onnx_fused:.1e} SD",
        soft_wrap=True,
    )
    function = function_of(weights, bias, hidden, fixed)
    return _Exported(function, [fused], Parity(keras_onnx, onnx_fused))


def _parity(
    folds: list[int], what: str, one: np.ndarray, other: np.ndarray, scale: np.ndarray
) -> float:
    """Largest difference of two sets of predictions (samples, folds), SDs of the trait."""
    return max(
        require_parity(f"fold {fold}: {what}", one[:, at], other[:, at], scale[at])
        for at, fold in enumerate(folds)
    )


@dataclass(frozen=True)
class _Distances:
    """Held-out distances of all rows, (rows,) float64; ``new`` of families left out, or None."""

    known: np.ndarray
    new: np.ndarray | None

    @staticmethod
    def of(run: Run, left_out: LeftOut | None) -> "_Distances":
        codes = run.data.codes
        folds = known_family_folds(run.fold_of, run.settings.scheme, run.settings.seed)
        new = None if left_out is None else held_out_distances(codes, left_out.fold)
        return _Distances(held_out_distances(codes, folds), new)


def _similarity(
    run: Run, left_out: LeftOut | None, distances: _Distances
) -> tuple[SimilarityTable | None, SimilarityEntry | None]:
    """The table and the manifest's entry; None without."""
    rows = np.concatenate(run.rows)
    table = similarity_table(run.data.codes)
    if table is None or not np.isfinite(distances.known).any():
        return None, None
    predicted = np.concatenate(run.predicted)
    entry = manifest_entry(table, run.data.phenotype[rows], predicted, distances.known[rows])
    if left_out is not None and distances.new is not None and run.settings.scheme != "family":
        assert entry.limit is not None
        errors = errors_by_distance(
            left_out.observed, left_out.predicted, distances.new, entry.limit
        )
        entry = entry._replace(errors_new_families=errors)
    return table, entry


@dataclass(frozen=True)
class _Effects:
    """The score of a fused ensemble, what turns it into predictions, and each SNP's share in it."""

    function: ScoreFunction
    trait: TraitScale
    shares: np.ndarray

    @staticmethod
    def of(
        function: ScoreFunction | None,
        manifest: Manifest,
        frequencies: np.ndarray,
        saliency: SaliencyTable | None,
    ) -> "_Effects | None":
        """None where the ensemble is not fused."""
        if function is None or saliency is None or saliency.effects is None:
            return None
        shares = effect_weights(frequencies, saliency.effects, saliency.saliency)
        return _Effects(function, manifest.trait_scale, shares)


def _reliability(
    run: Run, left_out: LeftOut | None, distances: _Distances, effects: _Effects | None
) -> ReliabilityEntry | None:
    """Measured on the run's own folds, and with families left out; None where neither was."""
    known = new = None
    called: tuple[CalledShare, ...] = ()
    families = run.data.families
    member = np.unique(families, return_inverse=True)[1] if families else None
    if left_out is not None and distances.new is not None:
        member = left_out.family
        new = measured_reliability(
            Lines(left_out.observed, left_out.predicted, member, left_out.fold, distances.new)
        )
    if run.settings.scheme != "family":
        predicted = np.empty(len(run.data.samples))
        predicted[np.concatenate(run.rows)] = np.concatenate(run.predicted)
        lines = Lines(run.data.phenotype, predicted, member, run.fold_of, distances.known)
        known = measured_reliability(lines)
        if known is not None and effects is not None:
            lines = lines._replace(fold=np.searchsorted(run.folds, run.fold_of))
            called = called_shares(
                run.data.codes,
                effects.function,
                effects.trait,
                effects.shares,
                lines,
                covariates=run.covariates,
            )
    return None if known is None and new is None else ReliabilityEntry(known, new, called)
