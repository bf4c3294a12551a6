"""Writers of genotype files for tests, one module per format.

Each has ``write(path, samples, variants, codes, ...) -> Path``: `variants` are
`snpredict.genotypes.variants.Variant`, `codes` is (samples, variants) int8 and counts
`Variant.counted`, −1 is missing.
"""
