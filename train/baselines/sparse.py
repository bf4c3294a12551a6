"""BayesR: a regression on all SNPs that lets most of them have no effect, by Gibbs sampling.

Model, for a target standardised on the rows of the fit and codes centred on them::

    y = X b + e,  e ~ N(0, σ²),  b_j ~ Σ_k π_k N(0, v_k σ_g²),  v = (0, 1e-4, 1e-3, 1e-2)

with π ~ Dirichlet(1, 1, 1, 1) and scaled inverse χ² priors of few degrees of freedom on σ² and
σ_g². Everything is sampled, so the validation rows have nothing to choose. The prediction is by
the posterior mean of b. A variational version of the same model was tried and was worse: SNPs in
strong linkage make it settle on one of them.

Source: Erbe et al. (2012), Moser et al. (2015); the block updates are those of any blocked
coordinate method.
"""

import numpy as np

from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction
from train.baselines.sums import sum_over_snps
from train.data.centred import centered, training_means
from train.model import FittedModel, FoldData, Inputs, Model, Record

#: Prior variances of an effect, as shares of σ_g².
VARIANCES = np.array([0.0, 1e-4, 1e-3, 1e-2])
SWEEPS, BURN_IN = 400, 100
#: SNPs between two updates of the residuals. Inside a block the products with the residuals are
#: kept current by the block's own X'X, so that the long vectors are touched once per block.
BLOCK = 64
_PRIOR_DF = 4.0
_START_HERITABILITY = 0.5


class SparseBayes(Model):
    """BayesR, all targets side by side in one chain each."""

    name, title = "bayesr", "BayesR"
    about = "Gibbs sampling with a mixture of no, small, medium and large effects"
    together = True

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Sample on the training rows."""
        return FittedEffects(data.train, data.train_targets, data.seed)

    def refit(self, data: FoldData, fitted: FittedModel) -> FittedModel:
        """Sample on training and validation rows."""
        return FittedEffects(*data.joined, data.seed)


class FittedEffects(FittedModel):
    """Posterior means of standardised targets' effects."""

    def __init__(self, inputs: Inputs, targets: np.ndarray, seed: int):
        self.chosen = [{"sweeps": SWEEPS, "burn_in": BURN_IN} for _ in range(targets.shape[1])]
        self.center, scale = targets.mean(axis=0), targets.std(axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.means = training_means(inputs.codes)
        self.effects = posterior_mean_effects(
            centered(inputs.codes, self.means),
            (targets - self.center) / self.scale,
            np.random.default_rng([seed, 30]),
        )

    def predict(self, inputs: Inputs) -> np.ndarray:
        """A sum over SNPs."""
        return self.center + self.scale * (centered(inputs.codes, self.means) @ self.effects)

    def score_function(self) -> tuple[ScoreFunction, TraitScale]:
        """That sum."""
        return sum_over_snps(self.effects, self.means, self.center, self.scale)


def posterior_mean_effects(
    x: np.ndarray,
    y: np.ndarray,
    random: np.random.Generator,
    *,
    sweeps: int = SWEEPS,
    burn_in: int = BURN_IN,
) -> np.ndarray:
    """Posterior means of the effects.

    Parameters
    ----------
    x : ndarray (samples, SNPs) of float32, centred
    y : ndarray (samples, targets) of float64, standardised

    Returns
    -------
    ndarray (SNPs, targets) of float64
    """
    n_samples, n_snps = x.shape
    n_targets, n_classes = y.shape[1], len(VARIANCES)
    x = np.asfortranarray(x)
    residual = y.astype(np.float32)
    squares = np.einsum("ij,ij->j", x, x).astype(np.float64)
    blocks = [slice(start, start + BLOCK) for start in range(0, n_snps, BLOCK)]
    grams = [(x[:, block].T @ x[:, block]).astype(np.float64) for block in blocks]

    effects = np.zeros((n_snps, n_targets))
    totals = np.zeros((n_snps, n_targets))
    classes = np.zeros((n_snps, n_targets), np.intp)
    shares = np.full((n_classes, n_targets), 0.1 / (n_classes - 1))
    shares[0] = 0.9
    noise = np.full(n_targets, 1 - _START_HERITABILITY)
    # The genetic variance is Σ_j var(x_j) b_j² on average, so that this is σ_g² in units of b.
    unit = n_snps * n_samples / max(float(squares.sum()), 1e-12)
    genetic_start = _START_HERITABILITY * unit
    genetic = np.full(n_targets, genetic_start)
    each = np.arange(n_targets)

    for sweep in range(sweeps):
        keep = sweep >= burn_in
        prior = VARIANCES[:, None] * genetic
        # With s = x'x and c = x'(residual of the other SNPs), class k has posterior variance
        # V = v / (s v / σ² + 1), mean V c / σ² and weight π_k exp(V c² / 2σ⁴) / √(s v / σ² + 1).
        inflation = squares[:, None, None] * (prior / noise) + 1
        variance = prior / inflation
        gain = variance / noise
        deviation = np.sqrt(variance)
        exponent = variance / (2 * noise**2)
        log_weight = np.log(shares) - 0.5 * np.log(inflation)
        uniform = random.random((n_snps, n_targets))
        normal = random.standard_normal((n_snps, n_targets))
        for block, gram in zip(blocks, grams, strict=True):
            products = (x[:, block].T @ residual).astype(np.float64)
            changes = np.empty_like(products)
            for offset in range(len(gram)):
                j = block.start + offset
                product = products[offset] + squares[j] * effects[j]
                weights = log_weight[j] + exponent[j] * (product * product)
                weights -= weights.max(axis=0)
                np.exp(weights, out=weights)
                if keep:
                    totals[j] += (weights * gain[j]).sum(axis=0) / weights.sum(axis=0) * product
                np.cumsum(weights, axis=0, out=weights)
                drawn = (weights < uniform[j] * weights[-1]).sum(axis=0)
                new = gain[j, drawn, each] * product + deviation[j, drawn, each] * normal[j]
                changes[offset] = new - effects[j]
                effects[j] = new
                classes[j] = drawn
                products -= gram[:, offset, None] * changes[offset]
            residual -= x[:, block] @ changes.astype(np.float32)

        counts = np.stack([(classes == k).sum(axis=0) for k in range(n_classes)])
        shares = np.stack([random.dirichlet(counts[:, t] + 1.0) for t in each], axis=1)
        # A share of exactly 0 has no logarithm.
        shares = np.maximum(shares, 1e-12)
        sum_squares = np.einsum("ij,ij->j", residual, residual).astype(np.float64)
        noise = (sum_squares + 1e-6) / random.chisquare(n_samples, n_targets)
        in_use = VARIANCES[classes] > 0
        scaled = np.where(in_use, effects**2 / np.where(in_use, VARIANCES[classes], 1.0), 0.0)
        prior_sum = genetic_start * (_PRIOR_DF - 2)
        degrees = _PRIOR_DF + in_use.sum(axis=0)
        genetic = (scaled.sum(axis=0) + prior_sum) / random.chisquare(degrees)
    return totals / (sweeps - burn_in)


SPARSE_BAYES = SparseBayes()
