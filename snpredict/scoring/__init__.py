"""Predictions for genotypes."""
