"""Genome-wide association: one SNP at a time, beside what a network attributes."""
