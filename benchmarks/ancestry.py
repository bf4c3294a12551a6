"""A trait confounded with ancestry: a network and a GWAS with and without principal components.

    python benchmarks/ancestry.py [--data-sets 3]

Admixed samples (`train.simulate.structured`, a = 0.1), 5,000 × 5,000, ten causal SNPs and a mean of
the trait that differs between the clusters of ancestry. Half of the rows train, a quarter chooses,
a quarter is looked at. Printed are the causal SNPs of ten among the ten best, the inflation factor
of the GWAS, and the mean |correlation| with ancestry of the ten best SNPs.
"""

import argparse
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.genotypes import Genotypes
from train.attribution.methods import attribute
from train.data.folds import Split
from train.data.snpinfo import SnpInfo
from train.gwas import scan
from train.gwas.kinship import components
from train.gwas.study import KeptGenotypes, Study
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.dense_fitted import FittedDense
from train.networks.presets import load_preset
from train.simulate.structured import Structured, structured_trait

N, CAUSAL, COMPONENTS, FIRST_SEED = 5_000, 10, 3, 101


def with_ancestry(codes: np.ndarray, ancestry: np.ndarray, best: np.ndarray) -> float:
    """Mean over SNPs of the multiple correlation with ancestry."""
    design = np.column_stack([np.ones(len(codes)), ancestry])
    x = codes[:, best].astype(float)
    left = x - design @ np.linalg.lstsq(design, x)[0]
    return float(np.sqrt(1 - left.var(axis=0) / x.var(axis=0)).mean())


def main() -> None:
    """The means over the data sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-sets", type=int, default=3)
    o = parser.parse_args()
    found: dict[str, list[tuple[float, ...]]] = {}
    preset = load_preset("deeplift")
    for seed in range(FIRST_SEED, FIRST_SEED + o.data_sets):
        lines = Structured(N, N, a=0.1, reading="code", seed=seed)
        codes, ancestry = lines.codes(), lines.ancestry
        trait = structured_trait(codes[:, :CAUSAL], ancestry, seed=seed, centred=True)
        order = np.random.default_rng(seed).permutation(N)
        rows = Split(*(np.sort(part) for part in np.split(order, [N // 2, 3 * N // 4])))
        inputs, y = Inputs(Genotypes(codes)), trait.y
        data = FoldData.of(inputs, y[:, None], rows, seed=seed, task=BINARY)
        info = SnpInfo(["1"] * N, [*range(1, N + 1)], [None] * N, [None] * N)
        source = KeptGenotypes(Genotypes(codes[rows.train]), [str(at) for at in range(N)], info)
        study = Study(None, "y", y[rows.train], np.empty((len(rows.train), 0)), [], source, 0)
        for count in (0, COMPONENTS):
            named = f"{count} components" if count else "no components"
            architecture = replace(preset.architecture, components=count)
            fitted = network_of(replace(preset, architecture=architecture)).fit(data)
            assert isinstance(fitted, FittedDense)
            explained, inputs_of = fitted.explained()
            x = inputs_of(inputs.rows(rows.test))
            score = attribute(explained, x.__getitem__, len(x), "deeplift").score
            covariates = components(study, count, 1) if count else study.covariates
            squared = scan.linear(study, covariates, lambda n: None).statistic ** 2
            for name, values in (("network", score), ("GWAS", np.nan_to_num(squared))):
                best = np.argsort(-values, kind="stable")[:CAUSAL]
                inflation = float(np.median(squared)) / 0.4549 if name == "GWAS" else np.nan
                of_best = with_ancestry(codes, ancestry, best)
                found.setdefault(f"{name}, {named}", []).append(
                    (float((best < CAUSAL).sum()), inflation, of_best)
                )
    print("| | found of 10 | inflation factor | correlation of the ten best with ancestry |")
    print("| --- | --- | --- | --- |")
    for name, values in found.items():
        one, two, three = np.mean(values, axis=0)
        print(f"| {name} | {one:.1f} | {'' if np.isnan(two) else f'{two:.1f}'} | {three:.2f} |")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
