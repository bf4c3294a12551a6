"""Every baseline by its name."""

from train.baselines.kernels import GBLUP, RIDGE_ON_CHANNELS, RKHS
from train.baselines.naive import FAMILY_MEAN, MISSING_MASK
from train.baselines.reweighted import REWEIGHTED_RIDGE
from train.baselines.sparse import SPARSE_BAYES
from train.baselines.trees import BOOSTED_TREES
from train.model import Model

#: The model that the others are compared with.
REFERENCE = GBLUP.name
#: In the order of reports.
BASELINES: dict[str, Model] = {
    model.name: model
    for model in (
        FAMILY_MEAN,
        MISSING_MASK,
        GBLUP,
        RIDGE_ON_CHANNELS,
        RKHS,
        SPARSE_BAYES,
        BOOSTED_TREES,
        REWEIGHTED_RIDGE,
    )
}
