"""Many models on the same folds: what was asked, what came out, the report."""
