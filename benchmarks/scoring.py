"""Scoring against the tools that people use now, whole processes side by side in one run.

PYTHONPATH=. python benchmarks/scoring.py FOLDER

FOLDER keeps the simulated files (1.3 GB). Needs plink2, bcftools and bgzip, and pandas.

- PLINK .bed: `plink2 --score` with ten score columns, one per fold, which is a linear score and
  no network, but the tool that people use;
- wide table: `pandas.read_csv` alone, without any scoring;
- VCF: `bcftools query` of the same genotypes to /dev/null, without any scoring.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.processes import measure, table
from benchmarks.simulate import write_bed, write_table, write_vcf
from snpredict.bundle.load import Bundle, load_bundle
from snpredict.scoring.scorer import Scorer

TABLE_SAMPLES = 5142


def write_scores(path: Path, bundle: Bundle) -> Path:
    """The folds' additive effects as a score file of plink2: id, counted allele, ten columns."""
    function = Scorer(bundle).score_function()
    assert function is not None
    weights = function.weights
    additive = (weights[:, 2] - weights[:, 3]) / 2
    with path.open("w") as file:
        for at, snp in enumerate(bundle.snps.ids):
            values = "\t".join(f"{value:.6g}" for value in additive[at])
            file.write(f"{snp}\t{bundle.snps.counted_allele[at]}\t{values}\n")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, nargs="*", default=[20_000, 200_000])
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    bundle = load_bundle()
    snps, n_folds = bundle.snps, len(bundle.manifest.folds)
    snpredict = [str(Path(sys.executable).with_name("snpredict")), "predict", "--quiet"]
    out = ["--out", str(folder / "predictions.tsv")]

    scores = write_scores(folder / "scores.txt", bundle)
    for n_samples in options.samples:
        bed = folder / f"simulated_{n_samples}.bed"
        if not bed.exists():
            write_bed(bed, snps, n_samples)
        plink = ["plink2", "--bfile", str(bed.with_suffix("")), "--allow-extra-chr"]
        plink += ["--score", str(scores), "1", "2", "--score-col-nums", f"3-{2 + n_folds}"]
        commands = {
            "`plink2 --score`, ten columns": [*plink, "--out", str(folder / "plink")],
            "`snpredict predict`": [*snpredict, str(bed), *out],
            "`snpredict predict --threads 1`": [*snpredict, str(bed), *out, "--threads", "1"],
            "`snpredict check`": [snpredict[0], "check", "--quiet", str(bed)],
        }
        print(f"\n### PLINK .bed, {n_samples:,} samples × {len(snps):,} SNPs, ten folds\n")
        print(table(measure(commands), next(iter(commands))), flush=True)

    tsv = folder / "simulated.tsv.gz"
    if not tsv.exists():
        write_table(tsv, snps, TABLE_SAMPLES)
    read_csv = f"import pandas; pandas.read_csv({str(tsv)!r}, sep='\\t')"
    commands = {
        "`pandas.read_csv` alone": [sys.executable, "-c", read_csv],
        "`snpredict predict`": [*snpredict, str(tsv), *out],
    }
    print(f"\n### Wide table, TSV.gz, {TABLE_SAMPLES:,} samples × {len(snps):,} SNPs\n")
    print(table(measure(commands), next(iter(commands))), flush=True)

    vcf = folder / "simulated.vcf.gz"
    if not vcf.exists():
        write_vcf(vcf, snps, TABLE_SAMPLES)
    query = ["bcftools", "query", "-f", r"[%GT\t]\n", str(vcf)]
    commands = {
        "`bcftools query` of the genotypes": query,
        "`snpredict predict`": [*snpredict, str(vcf), *out],
    }
    print(f"\n### VCF.gz, {TABLE_SAMPLES:,} samples × {len(snps):,} SNPs\n")
    print(table(measure(commands), next(iter(commands))), flush=True)


if __name__ == "__main__":
    main()
