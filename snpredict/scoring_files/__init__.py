"""Files of one weight per variant, in and out: the PGS Catalog's and those of plink2 --score."""
