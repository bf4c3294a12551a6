"""The networks as models: what a preset becomes. TensorFlow is imported when one is fitted."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from train.model import FittedModel, FoldData, Record, SideBySide, SingleTargetModel
from train.networks.fixed_effects import fit_beside_covariates
from train.networks.presets import (
    Architecture,
    DenseArchitecture,
    HomogeneousArchitecture,
    Preset,
)
from train.runtime import configure_tensorflow

if TYPE_CHECKING:
    import keras

    from train.networks.fitted import Standardised
    from train.networks.genotype_model import GenotypeModel

#: What a network's name begins with; the rest is that of its preset.
PREFIX = "network-"


class Network(SingleTargetModel):
    """A network by its preset.

    It draws by ``seed + fold``, and the threads that TensorFlow is given are those of the data.
    """

    #: A network takes too long for more.
    control_seeds = 1
    attributable = True

    def __init__(self, preset: Preset):
        self.preset = preset
        self.name = f"{PREFIX}{preset.name}"
        self.title = f"network, {preset.name}"
        self.about = preset.description

    def prepare(self, threads: int) -> None:
        """Import TensorFlow, Keras and ONNX Runtime."""
        configure_tensorflow(threads)
        import train.networks.fitted  # noqa: F401


class KerasNetwork(Network):
    """A network from one-hot genotypes to one score, trained on the phenotypes themselves.

    A subclass gives the layers; training, ONNX, saliency and the score as numbers are here.

    Attributes
    ----------
    affine : bool
        Whether the score is affine in the one-hot genotypes once dropout is off. Then the fused
        ensemble holds it.
    """

    affine = False
    covariates = True

    @abstractmethod
    def layers(self, n_snps: int) -> "keras.Model":
        """From one-hot genotypes (batch, SNPs, 4) to scores (batch, 1), freshly drawn weights."""

    def start(
        self, model: "GenotypeModel", data: FoldData, targets: "Standardised"
    ) -> dict[str, Any] | None:
        """Set the weights before the first epoch; what the data chose, None for random weights."""
        return None

    def fit_one(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Train until the validation rows gain no more."""
        self.prepare(data.threads)
        from train.networks.fitting import fit_network

        def fit(data: FoldData, record: Record | None) -> FittedModel:
            return fit_network(
                self.preset,
                data,
                record,
                layers=self.layers,
                start=self.start,
                affine=self.affine,
            )

        return fit_beside_covariates(data, record, fit)


class ResidualNetwork(KerasNetwork):
    """The paper's residual network, see `train.networks.residual`."""

    affine = True
    dosages = True

    def layers(self, n_snps: int) -> "keras.Model":
        """Three convolutions with a shortcut, and a dense layer."""
        from train.networks.residual import residual_network

        assert isinstance(self.preset.architecture, Architecture)
        return residual_network(self.preset.architecture, n_snps)

    def start(
        self, model: "GenotypeModel", data: FoldData, targets: "Standardised"
    ) -> dict[str, Any] | None:
        """Where the preset says: random weights, or a ridge solution."""
        if self.preset.start.method == "random":
            return None
        from train.networks.residual import start_at_ridge

        return start_at_ridge(model, data, targets, self.preset.start)


class HiddenNetwork(Network):
    """One hidden layer beside a linear shortcut, taught, see `train.networks.hidden`."""

    dosages = True
    covariates = True

    def fit_one(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Fit the teachers, then the network to what they say."""
        self.prepare(data.threads)
        from train.networks.hidden import fit_hidden

        return fit_beside_covariates(data, record, partial(fit_hidden, self.preset))


class JointNetwork(Network):
    """A network that traits measured in the same lines may share, with an output each."""

    def __init__(self, preset: Preset):
        super().__init__(preset)
        assert isinstance(preset.architecture, DenseArchitecture | HomogeneousArchitecture)
        self.together = preset.architecture.joint

    @abstractmethod
    def fit_all(self, data: FoldData, record: Record | None) -> Sequence[FittedModel]:
        """A fitted model per target, of networks that all targets share."""

    def fit(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """Learn the targets one after the other, or in a network that they share."""
        if not self.together:
            return super().fit(data, record)
        found = self.fit_all(data, record)
        return found[0] if len(found) == 1 else SideBySide([*found])

    def fit_one(self, data: FoldData, record: Record | None = None) -> FittedModel:
        """`fit` for data with one target."""
        return self.fit_all(data, record)[0]


class HomogeneousNetwork(JointNetwork):
    """Dense layers without biases, see `train.networks.homogeneous`."""

    dosages = True

    def fit_all(self, data: FoldData, record: Record | None) -> Sequence[FittedModel]:
        """See `JointNetwork`."""
        self.prepare(data.threads)
        from train.networks.homogeneous import fit_homogeneous

        return fit_homogeneous(self.preset, data, record)
