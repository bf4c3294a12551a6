"""Why a prediction is what it is, and what a model says of one SNP."""
