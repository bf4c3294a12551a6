"""Score and explain genotype files with shipped fold ensembles (no TensorFlow needed)."""

from snpredict.version import __version__

__all__ = ["__version__"]
