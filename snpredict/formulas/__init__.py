"""The formulas, in numpy alone: each stated once, for both packages."""
