"""A linear bundle of a scoring file's weights.

Its score is the sum of weight · copies of the effect allele, without an intercept. A missing
genotype counts as twice the effect allele's frequency where the file says that, and else as no
copy; it does not depend on which other samples are scored.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.bundle.entries import Fold, LinkEntry, ScoringFile
from snpredict.bundle.manifest import CONTINUOUS, LINEAR, Manifest
from snpredict.bundle.tables import EffectTable, SnpTable
from snpredict.bundle.write import write_bundle
from snpredict.formulas.encoding import CHANNEL_CODES
from snpredict.scoring_files.weights import Weights
from snpredict.scoring_files.words import missing_rule
from snpredict.version import __version__

_NOT_OURS = "snpredict has not trained or tested\nthem: how well they predict is not known here."


@dataclass(frozen=True)
class Names:
    """What a person calls an imported score; None takes what the file says."""

    name: str | None = None
    trait: str | None = None
    unit: str | None = None


def write_weights(
    target: Path, weights: Weights, names: Names | None = None, told: str | None = None
) -> Manifest:
    """Write the bundle, whole or not at all.

    Parameters
    ----------
    told : str, optional
        How the weights were made, for the card; without it they come from somebody else.

    Raises
    ------
    OutputError, InvalidBundle
        As `snpredict.bundle.write.write_bundle`.
    """
    known = np.isfinite(weights.frequency)
    means = np.where(known, 2 * weights.frequency, 0.0)
    names, about = names or Names(), weights.about
    stem = about.file.split(".")[0]
    manifest = Manifest(
        name=names.name or weights.name or stem,
        trait=names.trait or weights.trait or weights.name or stem,
        unit=names.unit or about.weight_type or "score",
        n_snps=len(means),
        kind=LINEAR,
        task=CONTINUOUS,
        link=LinkEntry("identity"),
        folds=(Fold(number=1, model=None, center=0.0, scale=1.0),),
        intercept=float(np.dot(weights.weight, means)),
        description=f"{len(means):,} weights, imported from {about.file}",
        genotype_coding="copies of the effect allele: 0, 1, 2; -1 missing",
        software={"snpredict": __version__},
        source=weights.citation,
        scoring_file=about,
    )
    write_bundle(
        target,
        manifest,
        _card(manifest, about, told or _NOT_OURS),
        snps=SnpTable.of(
            ids=weights.id,
            chromosome=weights.chromosome,
            position=weights.position,
            counted_allele=weights.effect_allele,
            other_allele=weights.other_allele,
            frequencies=_frequencies(weights.frequency),
        ),
        effects=EffectTable(weights.weight, means),
    )
    return manifest


def _frequencies(of_effect_allele: np.ndarray) -> np.ndarray:
    """Shares of the genotypes as in a random mating population; all missing where unknown."""
    p = np.nan_to_num(of_effect_allele)
    shares = {-1: np.zeros_like(p), 0: (1 - p) ** 2, 1: 2 * p * (1 - p), 2: p**2}
    frequencies = np.stack([shares[code] for code in CHANNEL_CODES], axis=1)
    frequencies[np.isnan(of_effect_allele)] = [code == -1 for code in CHANNEL_CODES]
    return frequencies


def _card(manifest: Manifest, about: ScoringFile, told: str) -> str:
    build = about.genome_build or "not known"
    return f"""# {manifest.name}

The sum of {manifest.n_snps:,} weights times the copies of an allele, for {manifest.trait}. The
weights are those of `{about.file}` (SHA-256 `{about.sha256}`). {told}

- Genome build of the positions: {build}. Positions are not lifted to another build.
- A missing genotype, also that of a SNP which a file lacks, counts as
  {missing_rule(about, manifest.n_snps)}. It does not depend on which samples are scored together.
- Without the other allele: {about.without_other_allele:,} SNPs. Without a place:
  {about.without_place:,}.
- Weight type: {about.weight_type or "not said"}. Source: {manifest.source or "not said"}.
"""
