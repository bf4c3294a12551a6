"""Bundles that lie: each has one thing wrong, and digests that say it is right."""
