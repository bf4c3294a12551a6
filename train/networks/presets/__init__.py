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
    architecture: Architecture | HiddenArchitecture
    training: Training | HiddenTraining
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
            hidden = values["network"] == HIDDEN
            values["architecture"] = (HiddenArchitecture if hidden else Architecture)(
                **values["architecture"]
            )
            values["training"] = (HiddenTraining if hidden else Training)(**values["training"])
            values["start"] = Start(**values["start"])
            preset = Preset(**values)
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
