"""Every baseline by its name."""

from train.baselines.kernels import gblup, ridge_on_channels, rkhs
from train.baselines.naive import family_mean, missing_mask
from train.baselines.reweighted import reweighted_ridge
from train.baselines.sparse import sparse_bayes
from train.baselines.trees import boosted_trees
from train.model import Baseline

#: The model that the others are compared with.
REFERENCE = "gblup"
#: Seeds of the controls for models that fit one more target at almost no cost, and for the others.
MANY, FEW = 50, 2
BASELINES: dict[str, Baseline] = {
    baseline.name: baseline
    for baseline in (
        Baseline(
            "family-mean",
            "family mean",
            "the mean of the family's training lines; of all training lines for a new family",
            family_mean,
            together=True,
            control_seeds=MANY,
        ),
        Baseline(
            "missing-mask",
            "missing mask only",
            "ridge regression on which genotypes are missing, and nothing else",
            missing_mask,
            together=True,
            control_seeds=MANY,
        ),
        Baseline(
            "gblup",
            "GBLUP",
            "ridge regression on centred genotype codes",
            gblup,
            together=True,
            control_seeds=MANY,
        ),
        Baseline(
            "ridge-channels",
            "ridge, four channels",
            "ridge regression on the one-hot channels, missing being one of them",
            ridge_on_channels,
            together=True,
            control_seeds=MANY,
        ),
        Baseline(
            "rkhs",
            "RKHS, Gaussian",
            "kernel ridge regression with a Gaussian kernel, bandwidth and λ chosen",
            rkhs,
            together=True,
            control_seeds=MANY,
        ),
        Baseline(
            "bayesr",
            "BayesR",
            "Gibbs sampling with a mixture of no, small, medium and large effects",
            sparse_bayes,
            together=True,
            control_seeds=FEW,
        ),
        Baseline(
            "lightgbm",
            "LightGBM",
            "boosted trees on the codes, stopped on the validation lines",
            boosted_trees,
            together=False,
            control_seeds=FEW,
        ),
        Baseline(
            "reweighted",
            "re-weighted ridge",
            "ridge regression with prior variances from a first one's squared effects",
            reweighted_ridge,
            together=False,
            control_seeds=FEW,
        ),
    )
}
