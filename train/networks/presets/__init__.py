"""Presets: every hyper-parameter of a run, one TOML file each."""

import tomllib
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from snpredict.formulas.encoding import N_CHANNELS
from train.errors import PresetError

PRESET_FOLDER = Path(__file__).parent

#: The network with one hidden layer, whose presets have keys of their own.
HIDDEN = "hidden"
#: The paper's network.
RESIDUAL = "residual"
#: The network of the deep-learning GWAS, whose presets have keys of their own too.
DENSE = "dense"
HOMOGENEOUS = "homogeneous"

#: What gave some traits an α of their own, by name, in presets of old.
_BY_TRAIT = "isru_alpha_by_trait"


@dataclass(frozen=True)
class Architecture:
    """Shape and regularisation of the paper's network; see docs/methods.md for the drawing."""

    filters: int
    kernel: int
    long_kernel: int
    dropout: float
    kernel_l2: float
    bias_l2: float
    initializer: str
    isru_alpha: float


@dataclass(frozen=True)
class HiddenArchitecture:
    """Shape of the network with one hidden layer, see `train.networks.hidden`."""

    inputs: int
    units: int
    input_norm: float
    initial_sd: float
    isru_alpha: float


@dataclass(frozen=True)
class DenseArchitecture:
    """Shape of the network with two hidden layers, see `train.networks.dense`.

    Attributes
    ----------
    sizes : tuple of (int, int)
        Units of the two layers, to choose among.
    components : int
        Principal components of the training genotypes beside the covariates.
    snps : {"strongest", "pairs", "all"}
        Which SNPs go in: the `strongest` ones by themselves, these and the SNPs of the `pairs` that
        a scan of all pairs finds strongest, or all.
    strongest, pairs : int
    joint : bool
        Whether traits measured in the same lines share a network, with an output each.
    """

    sizes: tuple[tuple[int, int], ...]
    components: int
    snps: str
    strongest: int
    pairs: int
    joint: bool


@dataclass(frozen=True)
class HomogeneousArchitecture:
    """Shape of the network without biases, see `train.networks.homogeneous`.

    Attributes
    ----------
    layers : tuple of int
        Units of the hidden layers.
    leak : float
        Slope of their units below 0.
    coding : {"haploid", "diploid"}
        Codes 0 and 1 as −1 and 1, or codes 0, 1, 2 as −1, 0, 1; a missing one is 0.
    joint : bool
        Whether traits measured in the same lines share a network, with an output each.
    """

    layers: tuple[int, ...]
    leak: float
    coding: str
    joint: bool


@dataclass(frozen=True)
class Training:
    """The optimiser's side: Adam on squared error, early stopping on validation MAE.

    ``folded`` multiplies a linear network out into one weight per SNP and channel at every step
    (see `train.networks.residual.GenotypeModel`); it needs a network without dropout.
    ``learning_rate_decay`` multiplies the rate after every epoch.
    """

    batch_size: int
    epochs: int
    patience: int
    learning_rate: float
    learning_rate_decay: float
    restore_best: bool
    folded: bool


@dataclass(frozen=True)
class HiddenTraining:
    """Lessons (`train.networks.hidden`), and AdamW on squared error for a fixed number of epochs.

    The rate falls to 0 along half a cosine. ``tree_share`` is the part of the boosted trees in a
    lesson, the rest being the kernel regression's.
    """

    tree_share: float
    virtual_lines: int
    segments: int
    batch_size: int
    epochs: int
    learning_rate: float
    weight_decay: float

    @property
    def patience(self) -> int:
        """No epoch stops the training: all are run."""
        return self.epochs


@dataclass(frozen=True)
class DenseTraining:
    """A path of λ per network, see `train.networks.proximal`, and how many networks are averaged.

    ``balance`` lets the classes of a binary trait weigh alike.
    """

    networks: int
    tried: int
    batch_size: int
    epochs: int
    learning_rate: float
    first_rate: float
    penalty_from: float
    penalty_to: float
    balance: bool

    @property
    def patience(self) -> int:
        """No epoch stops the training before all weights are 0."""
        return self.epochs


@dataclass(frozen=True)
class HomogeneousTraining:
    """AdamW on absolute error; the rate is halved, and the training ends, without a gain.

    A gain is one of at least ``least_gain`` of the validation loss; the rate is halved after
    ``halve_after`` epochs without, and ``patience`` of them end the training.
    """

    networks: int
    batch_size: int
    epochs: int
    patience: int
    halve_after: int
    least_gain: float
    learning_rate: float
    weight_decay: float


@dataclass(frozen=True)
class Start:
    """Where the weights begin: ``random``, or ``ridge`` (see `train.baselines.ridge`)."""

    method: str
    reweightings: int = 0
    shrinkage_floor: float = 0.0


@dataclass(frozen=True)
class Preset:
    """One recipe: a network by name, its architecture, its training and its start."""

    name: str
    description: str
    network: str
    architecture: Architecture | HiddenArchitecture | DenseArchitecture | HomogeneousArchitecture
    training: Training | HiddenTraining | DenseTraining | HomogeneousTraining
    start: Start

    def as_dict(self) -> dict[str, Any]:
        """Every hyper-parameter as plain values, for manifests and run settings."""
        return asdict(self)

    def with_alpha(self, alpha: float) -> "Preset":
        """The same preset with another ISRU α.

        Raises
        ------
        PresetError
            It is not above 0.
        """
        if isinstance(self.architecture, DenseArchitecture | HomogeneousArchitecture):
            raise PresetError(
                f"preset '{self.name}' has no isru_alpha: its network '{self.network}' has no ISRU",
                hint="Leave --isru-alpha out",
            )
        architecture = replace(self.architecture, isru_alpha=alpha)
        changed = replace(self, architecture=architecture)
        _check_values(changed)
        return changed

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "Preset":
        """The reverse of `as_dict`.

        Raises
        ------
        PresetError
            A key is missing or unknown.
        """
        values = dict(values)
        name = values.get("name", "?")
        if _BY_TRAIT in values.get("architecture", {}):
            raise PresetError(
                f"preset '{name}' has {_BY_TRAIT}: α no longer depends on the trait's name",
                hint="Give one isru_alpha, or --isru-alpha for a run",
            )
        try:
            shape, recipe = _PARTS.get(values["network"], (Architecture, Training))
            values["architecture"] = shape(**values["architecture"])
            values["training"] = recipe(**values["training"])
            values["start"] = Start(**values["start"])
            preset = Preset(**values)
            if isinstance(preset.architecture, DenseArchitecture):
                preset = replace(preset, architecture=_checked_dense(preset))
            if isinstance(preset.architecture, HomogeneousArchitecture):
                preset = replace(preset, architecture=_checked_homogeneous(preset))
        except (KeyError, TypeError) as error:
            raise PresetError(
                f"preset '{name}' cannot be used: {error}",
                hint=f"Compare it with {PRESET_FOLDER.name}/paper.toml, or default.toml for the "
                f"network '{HIDDEN}': they hold every key",
            ) from None
        _check_values(preset)
        dropout = getattr(preset.architecture, "dropout", 0)
        if isinstance(preset.training, Training) and preset.training.folded and dropout > 0:
            raise PresetError(
                f"preset '{name}' has dropout {dropout} and folded = true",
                hint="A network with dropout is not linear while it trains: set folded = false",
            )
        if preset.start.method not in ("random", "ridge"):
            raise PresetError(
                f"preset '{name}' starts from '{preset.start.method}'; expected 'random' or 'ridge'"
            )
        if preset.network == HIDDEN and preset.start.method != "ridge":
            raise PresetError(
                f"preset '{preset.name}' starts from '{preset.start.method}'; the network "
                f"'{HIDDEN}' takes its shortcut and its SNPs from a ridge: expected 'ridge'"
            )
        return preset


#: What the tables of a preset hold, by its network; one from outside has the paper's.
_PARTS: dict[str, tuple[Any, Any]] = {
    HIDDEN: (HiddenArchitecture, HiddenTraining),
    RESIDUAL: (Architecture, Training),
    DENSE: (DenseArchitecture, DenseTraining),
    HOMOGENEOUS: (HomogeneousArchitecture, HomogeneousTraining),
}


def _checked_dense(preset: Preset) -> DenseArchitecture:
    """The architecture with its sizes as tuples, also where they come from TOML or JSON."""
    a = preset.architecture
    assert isinstance(a, DenseArchitecture)
    sizes = [tuple(size) for size in a.sizes]
    numbers = [n for size in sizes for n in size]
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in numbers)
    if not (sizes and whole and all(len(size) == 2 for size in sizes)):
        raise PresetError(
            f"preset '{preset.name}': sizes is {a.sizes!r}; expected pairs of whole numbers above "
            "0, such as [[64, 128], [128, 256]]"
        )
    if a.snps not in ("strongest", "pairs", "all"):
        raise PresetError(
            f"preset '{preset.name}': snps is {a.snps!r}; expected 'strongest', 'pairs' or 'all'"
        )
    if not isinstance(a.joint, bool):
        raise PresetError(f"preset '{preset.name}': joint is {a.joint!r}; expected true or false")
    if preset.start.method != "random":
        raise PresetError(
            f"preset '{preset.name}' starts from '{preset.start.method}'; the network '{DENSE}' "
            "has drawn weights: expected 'random'"
        )
    return replace(a, sizes=tuple((one, two) for one, two in sizes))


def _checked_homogeneous(preset: Preset) -> HomogeneousArchitecture:
    """The architecture with its units as a tuple, also where they come from TOML or JSON."""
    a = preset.architecture
    assert isinstance(a, HomogeneousArchitecture)
    layers = tuple(a.layers)
    if not layers or not all(type(n) is int and n > 0 for n in layers):
        raise PresetError(
            f"preset '{preset.name}': layers is {a.layers!r}; expected whole numbers above 0, such "
            "as [1024, 1024]"
        )
    if a.coding not in ("haploid", "diploid"):
        raise PresetError(
            f"preset '{preset.name}': coding is {a.coding!r}; expected 'haploid' or 'diploid'"
        )
    if not isinstance(a.joint, bool):
        raise PresetError(f"preset '{preset.name}': joint is {a.joint!r}; expected true or false")
    if preset.start.method != "random":
        raise PresetError(
            f"preset '{preset.name}' starts from '{preset.start.method}'; the network "
            f"'{HOMOGENEOUS}' has drawn weights: expected 'random'"
        )
    return replace(a, layers=layers)


#: Smallest value of every number in a preset; integers where the default here is one.
_AT_LEAST: dict[str, float] = {
    "filters": 1,
    "kernel": 1,
    "long_kernel": 1,
    "dropout": 0.0,
    "kernel_l2": 0.0,
    "bias_l2": 0.0,
    "isru_alpha": 1e-9,
    "batch_size": 1,
    "epochs": 0,
    "patience": 0,
    "learning_rate": 0.0,
    "learning_rate_decay": 0.0,
    "inputs": 1,
    "units": 1,
    "tree_share": 0.0,
    "virtual_lines": 0,
    "segments": 1,
    "input_norm": 1e-9,
    "initial_sd": 0.0,
    "weight_decay": 0.0,
    "reweightings": 0,
    "shrinkage_floor": 0.0,
    "components": 0,
    "strongest": 1,
    "pairs": 1,
    "networks": 1,
    "tried": 1,
    "first_rate": 1e-9,
    "penalty_from": 1e-9,
    "penalty_to": 1e-9,
    "leak": 0.0,
    "halve_after": 1,
    "least_gain": 0.0,
}
_BELOW_1 = ("dropout",)
_UP_TO_1 = ("tree_share",)


def _check_values(preset: Preset) -> None:
    """Refuse a value of the wrong type or range before anything trains."""
    values = {**asdict(preset.architecture), **asdict(preset.training), **asdict(preset.start)}
    for name, least in _AT_LEAST.items():
        if name not in values:
            continue
        value = values[name]
        wanted = int if isinstance(least, int) else (int, float)
        right = isinstance(value, wanted) and not isinstance(value, bool) and least <= value < inf
        if right and not (name in _BELOW_1 and value >= 1) and not (name in _UP_TO_1 and value > 1):
            continue
        kind = "a whole number" if isinstance(least, int) else "a number"
        raise PresetError(
            f"preset '{preset.name}': {name} is {value!r}; expected {kind} of {least} or more"
            + (" and below 1" if name in _BELOW_1 else " and at most 1" * (name in _UP_TO_1))
        )
    filters = values.get("filters", N_CHANNELS)
    if preset.start.method == "ridge" and filters < N_CHANNELS:
        raise PresetError(
            f"preset '{preset.name}' starts at a ridge solution, which passes {N_CHANNELS} "
            f"channels through {filters} filters",
            hint=f"Give filters = {N_CHANNELS} or more",
        )


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    return sorted(path.stem for path in PRESET_FOLDER.glob("*.toml"))


def load_preset(name_or_path: str) -> Preset:
    """A preset by name, or any TOML file by path.

    Raises
    ------
    PresetError
        No such preset, no valid TOML, or a key that is missing or unknown.
    """
    path = PRESET_FOLDER / f"{name_or_path}.toml"
    if not path.exists():
        path = Path(name_or_path)
    if not path.is_file():
        raise PresetError(
            f"no preset '{name_or_path}'; known: {', '.join(preset_names())}",
            hint="Give one of these names or the path of a TOML file",
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PresetError(f"{path} is not valid TOML: {error}") from None
    return Preset.from_dict({"name": path.stem, **values})
