"""What bundles say as plain tables, for a pipe or a file: one SNP, all models."""

from collections.abc import Sequence

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import Manifest
from snpredict.explaining.pair_report import GENOTYPES, PairReport
from snpredict.explaining.snp_report import SnpReport
from snpredict.results.facts import model_facts
from snpredict.results.tables import Results


def snp_table(report: SnpReport, bundle: Bundle) -> Results:
    """One row per genotype of a SNP: its frequency and effect, behind what is known of the SNP.

    With the range of the effect over training lines, a gap where the bundle has none, and in which
    lines the effect holds.
    The saliency of each fold and the neighbours are in the JSON report only.
    """
    genotypes = list(report.frequencies)
    about = {
        "snp": report.id,
        "chromosome": report.chromosome,
        "position": report.position,
        "counted_allele": report.counted_allele,
        "other_allele": report.other_allele,
        "saliency": report.saliency,
        "centered_saliency": report.centered_saliency,
        "rank": report.rank,
        "percentile": report.percentile,
    }
    columns: dict[str, Sequence] = {name: [value] * len(genotypes) for name, value in about.items()}
    columns["genotype"] = genotypes
    columns["frequency"] = [report.frequencies[genotype] for genotype in genotypes]
    columns["effect"] = [report.effects.get(genotype) for genotype in genotypes]
    for at, name in enumerate(("effect_p05", "effect_p95")):
        ends = (report.effect_ranges.get(genotype) for genotype in genotypes)
        columns[name] = [None if end is None else end[at] for end in ends]
    columns["effects_hold"] = [report.effects_hold] * len(genotypes)
    return Results(model_facts(bundle), columns)


def pair_table(report: PairReport, bundle: Bundle) -> Results:
    """One row per combination of genotypes: shares, prediction and its interaction part."""
    cells = [(a, b) for a in GENOTYPES for b in GENOTYPES]
    columns: dict[str, Sequence] = {
        "snp_a": [report.snp_a] * len(cells),
        "snp_b": [report.snp_b] * len(cells),
        "genotype_a": [a for a, _ in cells],
        "genotype_b": [b for _, b in cells],
        "frequency_a": [report.frequencies_a[a] for a, _ in cells],
        "frequency_b": [report.frequencies_b[b] for _, b in cells],
        "prediction": [report.predictions[a][b] for a, b in cells],
        "interaction": [report.interaction[a][b] for a, b in cells],
    }
    return Results(model_facts(bundle), columns)


def model_table(models: Sequence[tuple[Manifest, int]]) -> Results:
    """One row per model; with each its size in bytes."""
    manifests = [manifest for manifest, _ in models]
    columns: dict[str, Sequence] = {
        "model": [manifest.name for manifest in manifests],
        "trait": [manifest.trait for manifest in manifests],
        "unit": [manifest.unit for manifest in manifests],
        "snps": [manifest.n_snps for manifest in manifests],
        "folds": [len(manifest.folds) for manifest in manifests],
        "pcc_mean": [manifest.metrics.get("pcc_mean") for manifest in manifests],
        "pcc_sd": [manifest.metrics.get("pcc_sd") for manifest in manifests],
        "size_bytes": [size for _, size in models],
    }
    return Results({}, columns)
