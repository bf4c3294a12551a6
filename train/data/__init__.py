"""What models learn from: tables, phenotypes, families, folds."""
