"""Genotype files: one reader per format behind one interface.

A file is read in two steps. `GenotypeReader.variants` says which of its variants may be SNPs of
the model; `snpredict.matching` decides which one is which SNP and which allele is counted;
`GenotypeReader.genotypes` then yields the genotypes of the matched variants as blocks of samples,
in the model's order and counting the model's alleles. No reader holds the whole file.
"""
