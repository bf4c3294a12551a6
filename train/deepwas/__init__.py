"""How much a variant may matter, learned from its annotations and a study's summary statistics.

Amin, Potapczynski and Wilson 2025 (arXiv 2506.19598). The effect of a variant is N(0, f) with f a
network of its annotations; z-scores are then N(0, R Λ R + σ R), with the LD R and Λ = N f. One
window of the genome after the other adds its likelihood.
"""
