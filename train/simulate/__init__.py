"""Simulated lines."""
