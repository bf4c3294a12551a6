"""Effects of genotypes: what one SNP changes, in the average line and in real ones.

In the average line all SNPs are at the average genotype of the training set, see
`snpredict.formulas.score_function`. Without a hidden layer a genotype changes the score alike in
every line, and its effect varies only with the slope of the link. With one, the other SNPs of the
layer change it.
"""

import numpy as np

from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.encoding import N_CHANNELS, centred_codes
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import (
    HiddenLayer,
    ScoreFunction,
    TableCells,
    flat_by_fold,
    silu,
)

#: Of the effects over training lines, what is stored.
PERCENTILES = (5, 95)

#: SNPs whose effects are held against the weights: that many with the largest ones, and as many
#: at even distances.
_TRIED = 64

#: SNPs whose effects in all lines are in memory at a time.
_CHUNK = 64


def average_effects(
    function: ScoreFunction | DenseFunction,
    trait: TraitScale,
    frequencies: np.ndarray,
    snps: np.ndarray | None = None,
) -> np.ndarray:
    """Signed effect of every genotype in the average line, trait units.

    What the score changes when one SNP goes from its average to genotype c while all others stay
    at theirs, times the slope of the ISRU at the average line's score z_f:

        mean_f σ_f ISRU'(z_f) (W_f[j, c] − E_fj + Σ_h v_fh (φ(s_fh + d_fjh) − φ(s_fh)))

    with d = U_fjh (x_c − mean x_j), and E, s and mean x of the average line, see
    `snpredict.formulas.score_function`.

    Parameters
    ----------
    function : ScoreFunction or DenseFunction
        Of the latter the score is passed through all layers.
    trait : TraitScale
    frequencies : ndarray (SNPs, 4)
        Shares of the channels in the training set.
    snps : ndarray (n,) of int, optional
        Places of the SNPs that are asked for; all without it.

    Returns
    -------
    ndarray (n, 4) of float64, channel order. Also for a channel that never occurs in training,
        where it is what the model would add all the same; its frequency of 0 tells.
    """
    asked = np.arange(len(frequencies)) if snps is None else np.asarray(snps)
    slopes = trait.slopes(function.reference(frequencies))
    if isinstance(function, DenseFunction):
        return (function.average_steps(frequencies, asked) * slopes).mean(axis=2)
    weights = function.weights[asked].astype(np.float64)
    steps = weights - np.einsum("jcf,jc->jf", weights, frequencies[asked])[:, None, :]
    hidden = function.hidden
    for fold in range(function.n_folds if hidden is not None else 0):
        assert hidden is not None
        x_ref = hidden.average_inputs(fold, frequencies)
        s_ref = hidden.bias[fold] + x_ref @ hidden.weights[fold]
        at, inputs = _within(hidden.snps[fold], asked)
        kernel, now = hidden.weights[fold][inputs], silu(s_ref)
        for channel, x in enumerate(centred_codes(hidden.means[fold][inputs]).T):
            moved = silu(s_ref + kernel * (x - x_ref[inputs])[:, None])
            steps[at, channel, fold] += (moved - now) @ hidden.output[fold]
    return (steps * slopes).mean(axis=2)


def effect_ranges(
    function: ScoreFunction,
    trait: TraitScale,
    frequencies: np.ndarray,
    lines: Genotypes,
) -> np.ndarray:
    """Between which effects nine tenths of the lines are, for every genotype; trait units.

    The effect of genotype c of SNP j in a line is the model's prediction for the line with that
    genotype, less its prediction with the SNP at its average; all other SNPs stay as they are in
    the line:

        mean_f σ_f (g(z_f of the line with c) − g(z_f of the line with the average))

    where the average has E_fj in place of W_f[j, c], and mean x_j in place of x_c.

    Parameters
    ----------
    function, trait, frequencies
        As for `average_effects`.
    lines : Genotypes
        Training lines, at least one.

    Returns
    -------
    ndarray (SNPs, 4, 2) of float64
        The `PERCENTILES` over the lines, channel order.
    """
    n_snps, n_folds = lines.n_snps, function.n_folds
    average = function.average(frequencies)
    tables = flat_by_fold(function.weights)
    cells = TableCells(lines)
    linear = np.stack([cells.look_up(table).sum(axis=1) for table in tables], axis=1)
    z = function.bias + linear + function.hidden_scores(lines)
    layers: list[_HiddenInLines] = []
    if function.hidden is not None:
        layers = [_HiddenInLines(function.hidden, fold, lines) for fold in range(n_folds)]
    ranges = np.empty((n_snps, N_CHANNELS, len(PERCENTILES)))
    for start in range(0, n_snps, _CHUNK):
        asked = np.arange(start, min(start + _CHUNK, n_snps))
        effects = np.zeros((len(lines), len(asked), N_CHANNELS))
        for fold in range(n_folds):
            others = z[:, fold, None] - cells.look_up(tables[fold], asked)
            at_average = others + average[asked, fold]
            with_code = others[:, :, None] + function.weights[asked, :, fold]
            for layer in layers[fold : fold + 1]:
                at, inputs = _within(layer.hidden.snps[fold], asked)
                x_ref = layer.hidden.average_inputs(fold, frequencies)
                at_average[:, at] += layer.change(inputs, x_ref[inputs])
                for channel, x in enumerate(centred_codes(layer.hidden.means[fold][inputs]).T):
                    with_code[:, at, channel] += layer.change(inputs, x)
            effects += trait.change(fold, with_code, at_average[:, :, None])
        ranges[asked] = np.moveaxis(np.percentile(effects, PERCENTILES, axis=0), 0, -1)
    return ranges


class _HiddenInLines:
    """The hidden layer of one fold in real lines."""

    def __init__(self, hidden: HiddenLayer, fold: int, lines: Genotypes):
        self.hidden = hidden
        x = hidden.inputs(fold, lines)
        s = hidden.bias[fold] + x @ hidden.weights[fold]
        # In single precision, as the graph itself: exp takes most of the time.
        parts = (hidden.weights[fold], hidden.output[fold], x, s)
        self._kernel, self._output, self._x, self._s = (part.astype(np.float32) for part in parts)
        self._now = silu(self._s) @ self._output

    def change(self, inputs: np.ndarray, x: np.ndarray) -> np.ndarray:
        """What it adds to the score of each line when one input takes its x: (lines, inputs)."""
        further = (x.astype(np.float32) - self._x[:, inputs])[:, :, None] * self._kernel[inputs]
        return silu(self._s[:, None, :] + further) @ self._output - self._now[:, None]


def sampled_snps(effects: np.ndarray) -> np.ndarray:
    """SNPs whose stored effects are tried: those with the largest, and others at even distances.

    Parameters
    ----------
    effects : ndarray (SNPs, 4)

    Returns
    -------
    ndarray (n,) of int64, ascending; at most 128
    """
    n_snps = len(effects)
    by_size = np.argsort(-np.abs(effects).max(axis=1), kind="stable")
    spread = np.linspace(0, n_snps - 1, min(_TRIED, n_snps)).round().astype(np.int64)
    return np.unique(np.concatenate([by_size[:_TRIED], spread]))


def first_wrong_effect(
    effects: np.ndarray,
    tried: np.ndarray,
    function: ScoreFunction,
    trait: TraitScale,
    frequencies: np.ndarray,
) -> tuple[int, int, float] | None:
    """A stored effect that the score function does not give, among those of some SNPs.

    Parameters
    ----------
    effects : ndarray (SNPs, 4)
        As stored, in single precision.
    tried : ndarray (n,) of int64
        Places of the SNPs.
    function, trait, frequencies
        As for `average_effects`.

    Returns
    -------
    (int, int, float) or None
        SNP, channel, and what the score function gives.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        expected = average_effects(function, trait, frequencies, tried)
        off = np.abs(effects[tried] - expected)
        # Stored in single precision, and smallest where what it is the difference of is large.
        wrong = ~(off <= 1e-4 * np.abs(expected) + 1e-5 * trait.scale.mean())
    if not wrong.any():
        return None
    row, channel = np.argwhere(wrong)[0]
    return int(tried[row]), int(channel), float(expected[row, channel])


def is_curved(function: ScoreFunction | DenseFunction, snp: int) -> bool:
    """Whether a SNP enters a hidden layer, so that other SNPs change its effects."""
    if isinstance(function, DenseFunction):
        return True
    return function.hidden is not None and bool((function.hidden.snps == snp).any())


def _within(inputs: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in `asked` of the SNPs that are inputs too, and their places among the inputs."""
    _, at, places = np.intersect1d(asked, inputs, assume_unique=True, return_indices=True)
    return at, places
