"""How far a SNP's score moves with the seed of the training, and what averaging does to that.

    python benchmarks/steadiness.py [--trainings 10]

The same rows, ten trainings of preset `deeplift` that differ in the seed alone: on admixed samples
(5,000 × 5,000, ten causal SNPs, three components) and on inbred families (2,000 × 5,000, twenty
additive loci, heritability 0.5). Of every SNP among the ten best of the mean the relative SD over
the trainings is taken, of DeepLIFT's score of one network and of the average that the preset makes;
printed are medians over the ten SNPs, and how many of the ten best two trainings share.
"""

import argparse
from dataclasses import replace
from itertools import combinations

import numpy as np
from threadpoolctl import threadpool_limits

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.genotypes import Genotypes
from train.attribution.methods import attribute
from train.data.folds import Split
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.dense_fitted import FittedDense
from train.networks.presets import load_preset
from train.simulate.pedigrees import Families
from train.simulate.structured import Structured, structured_trait
from train.simulate.traits import Design, simulate_trait

SEED, TOP = 101, 10


def admixed() -> tuple[np.ndarray, np.ndarray, str, int]:
    """Codes, trait, its kind and the components to use."""
    lines = Structured(5000, 5000, a=0.1, reading="code", seed=SEED)
    codes = lines.codes()
    trait = structured_trait(codes[:, :10], lines.ancestry, seed=SEED, centred=True)
    return codes, trait.y, BINARY, 3


def inbred() -> tuple[np.ndarray, np.ndarray, str, int]:
    """Likewise."""
    lines = Families(20, 100, 5000, seed=SEED)
    trait = simulate_trait(lines, Design({"additive": 20}, 0.5), SEED)
    return lines.codes(), trait.y, CONTINUOUS, 5


def scores(fitted: FittedDense, test: Inputs, only: bool) -> np.ndarray:
    """DeepLIFT's, of the first network only or of their average."""
    whole = fitted.networks
    fitted.networks = whole[:1] if only else whole
    explained, inputs_of = fitted.explained()
    x = inputs_of(test)
    fitted.networks = whole
    return attribute(explained, x.__getitem__, len(x), "deeplift").score


def steadiness(found: np.ndarray) -> tuple[float, float]:
    """Median relative SD of the best SNPs over trainings, and mean share of the best in common."""
    mean = found.mean(axis=0)
    best = np.argsort(-mean)[:TOP]
    relative = found[:, best].std(axis=0, ddof=1) / mean[best]
    tops = [{*np.argsort(-row, kind="stable")[:TOP].tolist()} for row in found]
    shared = np.mean([len(one & other) for one, other in combinations(tops, 2)])
    return float(np.median(relative)), float(shared)


def main() -> None:
    """Two lines per population."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainings", type=int, default=10)
    o = parser.parse_args()
    preset = load_preset("deeplift")
    for name, make in (("admixed", admixed), ("inbred families", inbred)):
        codes, y, task, components = make()
        order = np.random.default_rng(SEED).permutation(len(y))
        cuts = np.cumsum([len(y) // 2, len(y) // 4])
        rows = Split(*(np.sort(part) for part in np.split(order, cuts)))
        inputs = Inputs(Genotypes(codes))
        architecture = replace(preset.architecture, components=components)
        model = network_of(replace(preset, architecture=architecture))
        one, average = [], []
        for seed in range(1, o.trainings + 1):
            data = FoldData.of(inputs, y[:, None], rows, seed=seed, task=task)
            fitted = model.fit(data)
            assert isinstance(fitted, FittedDense)
            test = inputs.rows(rows.test)
            one.append(scores(fitted, test, True))
            average.append(scores(fitted, test, False))
        for what, found in (("one network", one), ("average of the preset", average)):
            relative, shared = steadiness(np.array(found))
            print(
                f"{name}, {what}: median relative SD {relative:.2f}, {shared:.1f} of the {TOP} "
                "best in common",
                flush=True,
            )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
