"""What is said of a scoring file that became a model; reads none."""

from snpredict.bundle.entries import ScoringFile

#: How the names of types begin whose weights are added up.
_ADDITIVE_TYPES = ("beta", "log", "ln", "additive")


def missing_rule(about: ScoringFile, n_snps: int) -> str:
    """What a missing genotype counts as, in words."""
    twice, no_copy = "twice the effect allele's frequency", "no copy of the effect allele"
    if about.with_frequency == n_snps:
        return twice
    if not about.with_frequency:
        return no_copy
    return (
        f"{twice} of {about.with_frequency:,} SNPs, {no_copy} of the other "
        f"{n_snps - about.with_frequency:,}"
    )


def unknown_type(about: ScoringFile) -> str | None:
    """What a type of weights is taken for that is not known to be additive; None of others."""
    said = (about.weight_type or "beta").lower().split(", ")
    if all(word.startswith(_ADDITIVE_TYPES) for word in said):
        return None
    return (
        f"the weight type {about.weight_type!r} is not known; its weights are added up per copy of "
        "the effect allele"
    )
