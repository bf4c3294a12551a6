"""Which variant of a file is which SNP of a model, and which allele its genotypes count."""
