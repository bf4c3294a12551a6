"""Are samples that the distance flags predicted worse, and which samples does it flag?

python benchmarks/similarity.py EVALUATION_FOLDER

The folder is one that `python -m train evaluate` wrote, with the schemes `given` (or `random`) and
`family` and the model `gblup`, all folds. Errors are those of its out-of-fold predictions; every
distance is from a table made without the sample's fold. The limit is the 99th percentile under
the first scheme, for both. The second table alters the lines of one test fold.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from snpredict.formulas.encoding import MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.sample_rates import rate_limits, sample_rates
from snpredict.formulas.similarity import UNLIKE_BEYOND, Similarity
from train.bundle.similarity_table import (
    distance_limit,
    errors_by_distance,
    held_out_distances,
    similarity_table,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="gblup")
    options = parser.parse_args()
    folder: Path = options.folder
    schemes = json.loads((folder / "settings.json").read_text())["schemes"]
    known = next(scheme for scheme in ("given", "random") if scheme in schemes)
    codes = np.load(folder / "data" / "codes.npy")
    samples = json.loads((folder / "data" / "labels.json").read_text())["samples"]
    folds = {
        scheme: np.load(folder / "data" / f"folds-{scheme}.npy") for scheme in (known, "family")
    }
    distances = {scheme: held_out_distances(codes, of) for scheme, of in folds.items()}
    limit = distance_limit(distances[known])
    print(f"limit {limit:.4f}; beyond it: ", end="")
    print(", ".join(f"{s} {np.mean(d > limit):.1%}" for s, d in distances.items()))
    _errors(folder, options.model, samples, distances, limit)

    test = folds[known] == np.unique(folds[known])[0]
    limits = rate_limits(sample_rates(Genotypes(codes[~test])), UNLIKE_BEYOND)
    similarity = Similarity(similarity_table(codes[~test]), np.sort(distances[known]), limits)
    print("\n| samples | distance | median percentile | heterozygosity | call rate |")
    print("| --- | --- | --- | --- | --- |")
    for name, altered in _alterations(codes, test):
        found = similarity.table.distances(Genotypes(altered))
        median = np.nanmedian(similarity.percentiles(found))
        present = np.count_nonzero((altered != MISSING).any(axis=0))
        because = similarity.unlike_because(found, sample_rates(Genotypes(altered), n_snps=present))
        far, heterozygous, few = (f"{np.mean(rows):.1%}" for rows in because.values())
        print(f"| {name} | {far} | {median:.1f} | {heterozygous} | {few} |")


def _errors(
    folder: Path,
    model: str,
    samples: list[str],
    distances: dict[str, np.ndarray],
    limit: float,
) -> None:
    table = pq.read_table(folder / "predictions.parquet", filters=[("model", "=", model)])
    rows = table.to_pydict()
    place = {sample: at for at, sample in enumerate(samples)}
    at = np.array([place[sample] for sample in rows["sample"]])
    trait, scheme = np.array(rows["trait"]), np.array(rows["scheme"])
    observed, predicted = np.array(rows["observed"]), np.array(rows["predicted"])
    print("\n| scheme | trait | flagged | MAE, flagged | MAE, others | ratio | PCC | PCC, others |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for of_scheme, of_distances in distances.items():
        for name in dict.fromkeys(rows["trait"]):
            these = (trait == name) & (scheme == of_scheme)
            found = errors_by_distance(
                observed[these], predicted[these], of_distances[at[these]], limit
            )
            far, near = found.flagged, found.others
            print(
                f"| {of_scheme} | {name} | {far.n} | {far.mae:.3g} | {near.mae:.3g} "
                f"| {found.mae_ratio:.2f} [{found.mae_ratio_low:.2f}, "
                f"{found.mae_ratio_high:.2f}] | {far.pcc:.2f} | {near.pcc:.2f} |"
            )


def _alterations(codes: np.ndarray, test: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Test lines as they are, altered, and samples that are none, each with a name."""
    random = np.random.default_rng(5)
    lines = codes[test]
    n_snps = codes.shape[1]
    called = codes >= 0
    frequency = np.where(called, codes, 0).sum(axis=0) / np.maximum(2 * called.sum(axis=0), 1)
    made = [("test lines as they are", lines)]
    for share in (0.01, 0.02, 0.05, 0.2, 1.0):
        snps = random.random(n_snps) < share
        swapped = lines.copy()
        swapped[:, snps] = np.where(lines[:, snps] >= 0, 2 - lines[:, snps], MISSING)
        made.append((f"other allele counted in {share:.0%} of the SNPs", swapped))
    for share in (0.01, 0.05, 0.1):
        wrong = lines.copy()
        cells = random.random(lines.shape) < share
        wrong[cells] = 2 * random.integers(0, 2, int(cells.sum()))
        made.append((f"random calls for {share:.0%} of the genotypes", wrong))
    drawn = random.binomial(2, frequency, (500, n_snps)).astype(np.int8)
    made.append(("random genotypes, training allele frequencies", drawn))
    first, second = lines[random.integers(0, len(lines), (2, 500))]
    cross = np.where((first >= 0) & (second >= 0), (first + second) // 2, MISSING)
    made.append(("F1 of two test lines", cross.astype(np.int8)))
    made.append(("heterozygous everywhere", np.ones((1, n_snps), np.int8)))
    for share in (0.1, 0.3, 0.4):
        gaps = lines.copy()
        gaps[random.random(lines.shape) < share] = MISSING
        made.append((f"{share:.0%} of the genotypes missing", gaps))
    for share in (0.1, 0.3):
        gaps = lines.copy()
        gaps[:, random.random(n_snps) < share] = MISSING
        made.append((f"{share:.0%} of the SNPs absent", gaps))
    gaps = lines.copy()
    gaps[codes[random.integers(0, len(codes), len(lines))] < 0] = MISSING
    made.append(("with the gaps of another line as well", gaps))
    return made


if __name__ == "__main__":
    main()
