"""Score and explain genotype files with shipped fold ensembles (no TensorFlow needed)."""

__version__ = "0.1.0"
