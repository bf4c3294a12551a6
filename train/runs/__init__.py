"""Cross-validated runs: their folders, their folds, their processes."""
