"""PLINK file sets."""
