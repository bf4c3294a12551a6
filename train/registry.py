"""Every model by its name: baselines, networks by their presets, and models from outside."""

import importlib
import inspect
import re

from train.baselines.kernels import GBLUP, RIDGE_ON_CHANNELS, RKHS
from train.baselines.naive import COVARIATES_ALONE, FAMILY_MEAN, MISSING_MASK
from train.baselines.reweighted import REWEIGHTED_RIDGE
from train.baselines.sparse import SPARSE_BAYES
from train.baselines.trees import BOOSTED_TREES
from train.errors import OutsideModelError, UnknownModelName
from train.model import Model
from train.networks.by_preset import network_of
from train.networks.network import PREFIX
from train.networks.presets import Preset, load_preset

#: Predicts by covariates, and is fitted wherever there are some.
COVARIATES = COVARIATES_ALONE.name
#: The model that the others are compared with.
REFERENCE = GBLUP.name
#: In the order of reports.
BASELINES: dict[str, Model] = {
    model.name: model
    for model in (
        FAMILY_MEAN,
        COVARIATES_ALONE,
        MISSING_MASK,
        GBLUP,
        RIDGE_ON_CHANNELS,
        RKHS,
        SPARSE_BAYES,
        BOOSTED_TREES,
        REWEIGHTED_RIDGE,
    )
}
#: How the names are told to a person.
KNOWN = (*BASELINES, f"{PREFIX}PRESET", "package.module:NAME")


def find_model(name: str, preset: Preset | None = None) -> Model:
    """The model of that name; the name is what the settings of a run keep.

    Parameters
    ----------
    name : str
        A baseline's name; ``network-PRESET`` with a preset's name or the path of a TOML file; or
        ``package.module:NAME``, a `Model`, or a class of one that needs no arguments.
    preset : Preset, optional
        A network's, as a run has kept it, whatever has become of the file.

    Raises
    ------
    UnknownModelName
        There is none of that name.
    PresetError
        The preset is not there, or wrong.
    OutsideModelError
        The module or the name in it is not there, or is not a model.
    """
    if name in BASELINES:
        return BASELINES[name]
    if name.startswith(PREFIX):
        return network_of(preset or load_preset(name.removeprefix(PREFIX)))
    if re.fullmatch(r"[\w.]+:\w+", name):
        return _from_outside(name)
    raise UnknownModelName(
        f"there is no model '{name}'; known: {', '.join(KNOWN)}",
        "see --help, or give package.module:NAME",
    )


def _from_outside(name: str) -> Model:
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise OutsideModelError(
            f"model '{name}': there is no module '{error.name}'",
            "install its package, or name its folder in PYTHONPATH",
        ) from None
    # Anything may happen while a module of a stranger is imported or its class is called.
    except Exception as error:
        raise _broken(name, f"its module cannot be imported: {_said(error)}") from error
    if not hasattr(module, attribute):
        raise _broken(name, f"module '{module_name}' has no '{attribute}'")
    found = getattr(module, attribute)
    if inspect.isclass(found):
        try:
            found = found()
        except Exception as error:
            raise _broken(name, f"it cannot be made without arguments: {_said(error)}") from error
    if not isinstance(found, Model):
        raise _broken(name, f"it is a {type(found).__name__}, not a train.model.Model")
    lacking = [word for word in ("name", "title", "about") if not hasattr(found, word)]
    if lacking:
        raise _broken(name, f"it has no {', '.join(lacking)}")
    return found


def _broken(name: str, why: str) -> OutsideModelError:
    return OutsideModelError(f"model '{name}': {why}", "see train/model.py for what a model has")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
