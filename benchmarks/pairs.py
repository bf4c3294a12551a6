"""Pairs of SNPs without effects of their own: what a GWAS and networks find of them.

    python benchmarks/pairs.py [--snps 200,1000,5000] [--seeds 3]

10,000 samples of independent SNPs, a trait of two classes whose logit is the sum of five pairs'
products, each less all that either SNP explains, times 1. Half of the rows train, a quarter
chooses, a quarter is looked at. Found is what of the ten SNPs is among the ten best: of the linear
GWAS on the training rows, of DeepLIFT on the network of preset `deeplift` with `snps = "all"`, and
with `snps = "pairs"`, whose scan sees the training rows only. With each the largest |z| of a pair
in a scan of a shuffled trait: what chance alone gives.
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.genotypes import Genotypes
from train.attribution.methods import attribute
from train.data.folds import Split
from train.gwas.linear import LinearScan
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.dense_fitted import FittedDense
from train.networks.pairs import strongest_pairs
from train.networks.presets import load_preset

N, PAIRS = 10_000, 5


def data_set(n_snps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes (samples, SNPs) int8, of which the first ten are the pairs, and the trait."""
    random = np.random.default_rng([seed, n_snps])
    codes = random.binomial(2, random.uniform(0.3, 0.7, n_snps), (N, n_snps)).astype(np.int8)
    score = np.zeros(N)
    for pair in range(PAIRS):
        one, other = (codes[:, 2 * pair + at].astype(float) for at in (0, 1))
        design = np.column_stack([np.ones(N), one, one**2, other, other**2])
        product = (one - one.mean()) * (other - other.mean())
        product -= design @ np.linalg.lstsq(design, product)[0]
        score += product / product.std()
    return codes, (random.random(N) < 1 / (1 + np.exp(-score))).astype(float)


def found(scores: np.ndarray) -> int:
    """Causal SNPs among the ten best with a score."""
    order = np.argsort(-scores, kind="stable")[: 2 * PAIRS]
    return int(sum(at < 2 * PAIRS and scores[at] > 0 for at in order))


def network(codes: np.ndarray, y: np.ndarray, rows: Split, snps: str, seed: int) -> np.ndarray:
    """DeepLIFT's scores."""
    preset = load_preset("deeplift")
    preset = replace(preset, architecture=replace(preset.architecture, snps=snps))
    inputs = Inputs(Genotypes(codes))
    data = FoldData.of(inputs, y[:, None], rows, seed=seed, task=BINARY)
    fitted = network_of(preset).fit(data)
    assert isinstance(fitted, FittedDense)
    explained, inputs_of = fitted.explained()
    x = inputs_of(inputs.rows(rows.test))
    return attribute(explained, x.__getitem__, len(x), "deeplift").score


def main() -> None:
    """A line per data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--snps", default="200,1000,5000")
    parser.add_argument("--seeds", type=int, default=3)
    o = parser.parse_args()
    for n_snps in map(int, o.snps.split(",")):
        for seed in range(1, o.seeds + 1):
            codes, y = data_set(n_snps, seed)
            rows = Split(np.arange(N // 2), np.arange(N // 2, 3 * N // 4), np.arange(3 * N // 4, N))
            train = codes[rows.train]
            scan = LinearScan(y[rows.train], np.empty((len(train), 0)))
            marginal = found(scan.test(iter([Genotypes(train)])).statistic ** 2)
            x = ((train - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
            began = time.perf_counter()
            scanned = strongest_pairs(x, y[rows.train], 90)
            seconds = time.perf_counter() - began
            places = {(pair.first, pair.second): abs(pair.z) for pair in scanned}
            causal = [places.get((2 * at, 2 * at + 1), 0.0) for at in range(PAIRS)]
            shuffled = np.random.default_rng(seed).permutation(y[rows.train])
            chance = abs(strongest_pairs(x, shuffled, 1)[0].z)
            alone = found(network(codes, y, rows, "all", seed))
            behind = found(network(codes, y, rows, "pairs", seed))
            print(
                f"{n_snps} SNPs, seed {seed}: GWAS {marginal}, network {alone}, network behind the "
                f"scan {behind} of 10; z of the pairs {min(causal):.1f} to {max(causal):.1f}, "
                f"shuffled {chance:.1f}; scan {seconds:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
