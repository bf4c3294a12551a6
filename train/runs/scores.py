"""The scores of a run's models as numbers, as their folds left them."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from snpredict.bundle.entries import LinkEntry
from snpredict.bundle.manifest import BINARY
from snpredict.formulas.fixed_effects import FixedEffects
from train.networks.score import HiddenPart
from train.runs.settings import RunSettings


def link_of(settings: RunSettings) -> LinkEntry:
    """What leads from the score of a run's model to its prediction.

    A model without a preset has no score that a bundle knows: its fold models predict alone.
    """
    if settings.task == BINARY:
        return LinkEntry("logit")
    alpha = getattr(settings.preset and settings.preset.architecture, "isru_alpha", None)
    return LinkEntry("identity") if alpha is None else LinkEntry("isru", alpha)


def read_score(folder: Path) -> dict[str, np.ndarray]:
    """What a fold's model told of itself as numbers, which may be nothing."""
    path = folder / "score.npz"
    return dict(np.load(path)) if path.exists() else {}


def fixed_of(scores: list[dict[str, np.ndarray]]) -> FixedEffects | None:
    """The folds' fixed effects of covariates."""
    if "covariate_slopes" not in scores[0]:
        return None
    means, slopes = (
        np.stack([score[f"covariate_{name}"] for score in scores], axis=1)
        for name in ("means", "slopes")
    )
    return FixedEffects(means, slopes)


def hidden_of(scores: list[dict[str, np.ndarray]]) -> HiddenPart | None:
    """The folds' hidden layers as one."""
    if "hidden_snps" not in scores[0]:
        return None
    names = [field.name for field in fields(HiddenPart)]
    parts = [{name: score[f"hidden_{name}"] for name in names} for score in scores]
    most = max(part["snps"].shape[1] for part in parts)
    parts = [_with_inputs(part, most, len(scores[0]["weights"])) for part in parts]
    return HiddenPart(**{name: np.concatenate([part[name] for part in parts]) for name in names})


def _with_inputs(part: dict[str, np.ndarray], n: int, n_snps: int) -> dict[str, np.ndarray]:
    """A fold's hidden layer over so many SNPs: further ones weigh nothing.

    Where filters leave a fold fewer SNPs than its layer takes, folds have layers of several sizes.
    """
    further = np.setdiff1d(np.arange(n_snps), part["snps"])[: n - part["snps"].shape[1]]
    wide = dict(part)
    for name in ("snps", "means", "grid", "snp_scale"):
        width = [(0, 0), (0, len(further)), *[(0, 0)] * (part[name].ndim - 2)]
        wide[name] = np.pad(part[name], width)
    wide["snps"][:, part["snps"].shape[1] :] = further
    return wide
