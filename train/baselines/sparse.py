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
    dosages = True

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
        self.means = inputs.genotypes.means()
        self.effects = posterior_mean_effects(
            inputs.genotypes.centred(self.means),
            (targets - self.center) / self.scale,
            np.random.default_rng([seed, 30]),
        )

    def predict(self, inputs: Inputs) -> np.ndarray:
        """A sum over SNPs."""
        return self.center + self.scale * (inputs.genotypes.centred(self.means) @ self.effects)

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
    chain = _Chain(x, y, random)
    for sweep in range(sweeps):
        chain.draw_effects(keep=sweep >= burn_in)
        chain.draw_variances()
    return chain.totals / (sweeps - burn_in)


class _Chain:
    """The state of the chains, one per target.

    Attributes
    ----------
    effects, classes : ndarray (SNPs, targets)
        b, and which of `VARIANCES` each was drawn from.
    totals : ndarray (SNPs, targets)
        Sum of the expected effects over the sweeps that are kept.
    shares : ndarray (classes, targets)
        π.
    noise, genetic : ndarray (targets,)
        σ² and σ_g².
    residual : ndarray (samples, targets) of float32
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, random: np.random.Generator):
        n_samples, n_snps = x.shape
        n_targets, n_classes = y.shape[1], len(VARIANCES)
        self.random = random
        self.x = np.asfortranarray(x)
        self.residual = y.astype(np.float32)
        self.squares = np.einsum("ij,ij->j", self.x, self.x).astype(np.float64)
        self.blocks = [slice(start, start + BLOCK) for start in range(0, n_snps, BLOCK)]
        self.grams = [
            (self.x[:, block].T @ self.x[:, block]).astype(np.float64) for block in self.blocks
        ]
        self.effects = np.zeros((n_snps, n_targets))
        self.totals = np.zeros((n_snps, n_targets))
        self.classes = np.zeros((n_snps, n_targets), np.intp)
        self.shares = np.full((n_classes, n_targets), 0.1 / (n_classes - 1))
        self.shares[0] = 0.9
        self.noise = np.full(n_targets, 1 - _START_HERITABILITY)
        # The genetic variance is Σ_j var(x_j) b_j² on average, so that this is σ_g² in units of b.
        unit = n_snps * n_samples / max(float(self.squares.sum()), 1e-12)
        self.genetic_start = _START_HERITABILITY * unit
        self.genetic = np.full(n_targets, self.genetic_start)

    def draw_effects(self, keep: bool) -> None:
        """Draw the effects of all SNPs, one after the other."""
        x, effects, each = self.x, self.effects, np.arange(self.effects.shape[1])
        prior = VARIANCES[:, None] * self.genetic
        # With s = x'x and c = x'(residual of the other SNPs), class k has posterior variance
        # V = v / (s v / σ² + 1), mean V c / σ² and weight π_k exp(V c² / 2σ⁴) / √(s v / σ² + 1).
        inflation = self.squares[:, None, None] * (prior / self.noise) + 1
        variance = prior / inflation
        gain = variance / self.noise
        deviation = np.sqrt(variance)
        exponent = variance / (2 * self.noise**2)
        log_weight = np.log(self.shares) - 0.5 * np.log(inflation)
        size: tuple[int, ...] = effects.shape
        uniform, normal = self.random.random(size), self.random.standard_normal(size)
        for block, gram in zip(self.blocks, self.grams, strict=True):
            products = (x[:, block].T @ self.residual).astype(np.float64)
            changes = np.empty_like(products)
            for offset in range(len(gram)):
                j = block.start + offset
                product = products[offset] + self.squares[j] * effects[j]
                weights = log_weight[j] + exponent[j] * (product * product)
                weights -= weights.max(axis=0)
                np.exp(weights, out=weights)
                if keep:
                    expected = (weights * gain[j]).sum(axis=0) / weights.sum(axis=0)
                    self.totals[j] += expected * product
                np.cumsum(weights, axis=0, out=weights)
                drawn = (weights < uniform[j] * weights[-1]).sum(axis=0)
                new = gain[j, drawn, each] * product + deviation[j, drawn, each] * normal[j]
                changes[offset] = new - effects[j]
                effects[j] = new
                self.classes[j] = drawn
                products -= gram[:, offset, None] * changes[offset]
            self.residual -= x[:, block] @ changes.astype(np.float32)

    def draw_variances(self) -> None:
        """Draw π, σ² and σ_g²."""
        n_samples, n_targets = self.residual.shape
        counts = np.stack([(self.classes == k).sum(axis=0) for k in range(len(VARIANCES))])
        shares = [self.random.dirichlet(counts[:, t] + 1.0) for t in range(n_targets)]
        # A share of exactly 0 has no logarithm.
        self.shares = np.maximum(np.stack(shares, axis=1), 1e-12)
        sum_squares = np.einsum("ij,ij->j", self.residual, self.residual).astype(np.float64)
        self.noise = (sum_squares + 1e-6) / self.random.chisquare(n_samples, n_targets)
        variances = VARIANCES[self.classes]
        in_use = variances > 0
        scaled = np.where(in_use, self.effects**2 / np.where(in_use, variances, 1.0), 0.0)
        prior_sum = self.genetic_start * (_PRIOR_DF - 2)
        degrees = _PRIOR_DF + in_use.sum(axis=0)
        self.genetic = (scaled.sum(axis=0) + prior_sum) / self.random.chisquare(degrees)


SPARSE_BAYES = SparseBayes()
