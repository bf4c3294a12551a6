"""Tables of genotype codes, as text and as Parquet."""
