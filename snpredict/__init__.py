"""Score and explain genotype files with shipped fold ensembles (no TensorFlow needed).

`load` gives a `Model`, `select` predicts with several; see docs/python.md. They are imported when
they are first asked for, so that `snpredict --help` answers at once.
"""

from snpredict.version import __version__

TYPE_CHECKING = False  # and not from typing, whose import takes time
if TYPE_CHECKING:
    from snpredict.api import Model, load, select

__all__ = ["Model", "__version__", "load", "select"]


def __getattr__(name: str) -> object:
    if name in ("Model", "load", "select"):
        from snpredict import api

        return getattr(api, name)
    raise AttributeError(f"module 'snpredict' has no attribute {name!r}")
