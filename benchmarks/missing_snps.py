"""What a shipped model's out-of-fold accuracy loses when SNPs or single genotypes are missing.

python benchmarks/missing_snps.py height_chip.tsv.gz --trait height

The table must be the one that the model was trained on, with its fold column: every sample is
predicted by the fold that did not see it. "Mean genotype" replaces the weights of the missing
channel by the mean over the training genotypes, for comparison.
"""

import argparse
from pathlib import Path

import numpy as np

from snpredict.bundle.load import DEFAULT_MODEL, load_bundle
from snpredict.explaining.contributions import read_ensemble
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.detect import open_genotypes
from snpredict.scoring.scorer import Scorer
from train.metrics import metrics

REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--trait", required=True)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    options = parser.parse_args()

    bundle = load_bundle(options.model)
    ensemble = read_ensemble(bundle, Scorer(bundle))
    function = ensemble.function
    blocks = list(
        open_genotypes(options.table).blocks(list(bundle.snps.ids), columns=["fold", options.trait])
    )
    codes = np.concatenate([block.codes for block in blocks])
    fold = np.array([int(text) for block in blocks for text in block.columns["fold"]])
    observed = np.array([float(t) for block in blocks for t in block.columns[options.trait]])

    called = ensemble.frequencies[:, 1:]
    shares = called / called.sum(axis=1, keepdims=True)
    mean_weights = function.weights.copy()
    mean_weights[:, 0, :] = np.einsum("jc,jcf->jf", shares, function.weights[:, 1:, :])

    def figures(masked: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
        pcc, mae = [], []
        curved = function.hidden_scores(Genotypes(masked))
        for at, number in enumerate(f.number for f in bundle.manifest.folds):
            rows = fold == number
            z = function.bias[at] + curved[rows, at]
            z += sum(
                (masked[rows] == code).astype(np.float32) @ weights[:, channel, at]
                for channel, code in enumerate(CHANNEL_CODES)
            )
            found = metrics(ensemble.trait.of_fold(at, z), observed[rows])
            pcc.append(found["pcc"])
            mae.append(found["mae"])
        return float(np.mean(pcc)), float(np.mean(mae))

    print("| missing | share | PCC | MAE | PCC, mean genotype | MAE, mean genotype |")
    print("| --- | --- | --- | --- | --- | --- |")
    random = np.random.default_rng(1)
    for what in ("whole SNPs", "single genotypes"):
        for share in (0.0, 0.01, 0.1, 0.3, 0.5):
            rows = []
            for _ in range(REPEATS if share else 1):
                masked = codes.copy()
                if what == "whole SNPs":
                    masked[:, random.random(codes.shape[1]) < share] = MISSING
                else:
                    masked[random.random(codes.shape, dtype=np.float32) < share] = MISSING
                rows.append(figures(masked, function.weights) + figures(masked, mean_weights))
            own_pcc, own_mae, mean_pcc, mean_mae = np.mean(rows, axis=0)
            print(
                f"| {what} | {share:.0%} | {own_pcc:.3f} | {own_mae:.2f} "
                f"| {mean_pcc:.3f} | {mean_mae:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
