"""A network's models tried out before a file is read: do they give what the manifest implies?

Four samples tell: one with all genotypes missing, and one for each code.
"""

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.errors import InvalidBundle
from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.effects import sampled_snps
from snpredict.formulas.encoding import CHANNEL_CODES, N_CHANNELS
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.score_function import HiddenLayer, ScoreFunction
from snpredict.scoring.fold_models import FoldModels

_HIDDEN_NUMBERS = ("means", "weights", "bias", "output")


def try_out(bundle: Bundle, models: FoldModels) -> None:
    """Refuse models with wrong outputs, and effects that are not those of the weights.

    Raises
    ------
    InvalidBundle
    """
    simple, folds = _simple(bundle, models)
    if bundle.manifest.ensemble is None:
        return
    function = models.score_function()
    assert isinstance(function, ScoreFunction)
    _hold_against(function, bundle, simple, folds)
    effects = bundle.saliency.effects
    assert effects is not None  # every bundle with a fused ensemble has them
    bundle.check_effects(function, sampled_snps(effects))


def hold_dense_against(function: DenseFunction, bundle: Bundle, models: FoldModels) -> None:
    """Refuse layers that do not give the predictions of the very graphs that hand them out.

    Raises
    ------
    InvalidBundle
    """
    simple, folds = _simple(bundle, models)
    trait = bundle.manifest.trait_scale
    nothing = np.zeros((len(simple), function.n_covariates))
    expected = trait.predictions(function.scores(simple, nothing))
    allowed = 1e-3 * trait.scale + 1e-5 * np.abs(expected)
    if not (np.abs(folds - expected) <= allowed).all():
        raise InvalidBundle(
            f"{bundle.path}: predictions are not those that the layers and the manifest's link, "
            "center and scale give"
        )


def _simple(bundle: Bundle, models: FoldModels) -> tuple[Genotypes, np.ndarray]:
    """The simple samples, and their finite predictions (4, folds)."""
    n_snps = bundle.manifest.n_snps
    simple = np.repeat(np.array(CHANNEL_CODES, np.int8)[:, None], n_snps, axis=1)
    folds = np.concatenate([models.predict(Genotypes(row[None])) for row in simple])
    if not np.isfinite(folds).all():
        raise InvalidBundle(f"{bundle.path}: a prediction is not finite")
    return Genotypes(simple), folds


def _hold_against(
    function: ScoreFunction, bundle: Bundle, simple: Genotypes, folds: np.ndarray
) -> None:
    """Refuse predictions (4, folds) of the simple samples that the weights do not give."""
    manifest = bundle.manifest
    path = bundle.path / manifest.models[0]
    numbers = [function.weights, function.bias]
    if function.hidden is not None:
        numbers += [getattr(function.hidden, name) for name in _HIDDEN_NUMBERS]
    # The graph adds in single precision: the larger the terms, the further off its sum.
    with np.errstate(over="ignore", invalid="ignore"):
        # A product with ones is the fast sum over SNPs, in double precision: (4, folds).
        flat, ones = function.weights.reshape(manifest.n_snps, -1), np.ones(manifest.n_snps)
        shape = (N_CHANNELS, function.n_folds)
        z = function.bias + (ones @ flat).reshape(shape) + function.hidden_scores(simple)
        terms = (ones @ np.abs(flat)).reshape(shape).sum(axis=0)
        if function.hidden is not None:
            terms = terms + _hidden_terms(function.hidden)
    if not all(np.isfinite(values).all() for values in (*numbers, z, terms)):
        raise InvalidBundle(f"{path}: a weight is not finite")
    trait = manifest.trait_scale
    allowed = trait.scale * (1e-3 + 1e-5 * terms) + 1e-6 * np.abs(trait.center)
    expected = trait.predictions(z)
    if function.fixed is not None:
        # Every number is 0 where nothing is said of covariates.
        fixed = function.fixed
        expected = expected + fixed.added(np.zeros((1, fixed.n_numbers)))
        allowed = allowed + 1e-5 * np.abs(fixed.means * fixed.slopes).sum(axis=0)
    if not (np.abs(folds - expected) <= allowed).all():
        raise InvalidBundle(
            f"{path}: its predictions are not those that its "
            "weights and the manifest's link, center and scale give"
        )


def _hidden_terms(hidden: HiddenLayer) -> np.ndarray:
    """How large the terms of a hidden layer can be, (folds,): φ(s) is at most |s| + 0.3."""
    largest = np.abs(hidden.bias, dtype=np.float64) + 2 * np.abs(hidden.weights).sum(
        axis=1, dtype=np.float64
    )
    return ((largest + 0.3) * np.abs(hidden.output)).sum(axis=1)
