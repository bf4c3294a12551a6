"""Which network a preset describes."""

from train.errors import PresetError
from train.networks.dense import DenseNetwork
from train.networks.network import HiddenNetwork, HomogeneousNetwork, Network, ResidualNetwork
from train.networks.presets import DENSE, HIDDEN, HOMOGENEOUS, RESIDUAL, Preset

#: By the name that a preset gives.
NETWORKS: dict[str, type[Network]] = {
    DENSE: DenseNetwork,
    HOMOGENEOUS: HomogeneousNetwork,
    HIDDEN: HiddenNetwork,
    RESIDUAL: ResidualNetwork,
}


def network_of(preset: Preset) -> Network:
    """The network that a preset describes.

    Raises
    ------
    PresetError
        It names a network that does not exist.
    """
    if preset.network not in NETWORKS:
        raise PresetError(
            f"preset '{preset.name}' asks for network '{preset.network}'; "
            f"known: {', '.join(sorted(NETWORKS))}",
            hint="A network of your own is a model from outside: package.module:NAME",
        )
    return NETWORKS[preset.network](preset)
