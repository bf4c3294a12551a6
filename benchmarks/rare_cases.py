"""A binary trait of 5 % cases: how well networks, logistic ridge and boosted trees tell them.

    python benchmarks/rare_cases.py [--seeds 3] [--folds 5]

10,000 outbred samples, 3,000 SNPs, a liability of heritability 0.5 with ten additive loci, five
recessive ones and a polygenic background of half of its genetic variance; the upper 5 % are cases.
All models have the same folds: a fifth is predicted, of the rest an eighth chooses and seven
eighths train. AUC, average precision and Brier score are means over folds; the calibration slope
is that of a logistic regression of all out-of-fold cases on the predicted logits (1 is calibrated,
below 1 too sure of itself), and the mean prediction is to be the share of cases.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.genotypes import Genotypes
from train.data.folds import Split, stratified_folds
from train.metrics import binary_figures
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.presets import load_preset
from train.simulate.pedigrees import Outbred
from train.simulate.traits import Design, simulate_trait

SAMPLES, SNPS, FIRST_SEED = 10_000, 3_000, 101


def network(balance: bool) -> Callable[[np.ndarray, np.ndarray, Split, int], np.ndarray]:
    """Preset `deeplift`, its classes balanced in training or not."""

    def predicted(codes: np.ndarray, y: np.ndarray, rows: Split, seed: int) -> np.ndarray:
        preset = load_preset("deeplift")
        preset = replace(preset, training=replace(preset.training, balance=balance))
        inputs = Inputs(Genotypes(codes))
        data = FoldData.of(inputs, y[:, None], rows, seed=seed, task=BINARY)
        return network_of(preset).fit(data).predict(inputs.rows(rows.test))[:, 0]

    return predicted


def logistic_ridge(codes: np.ndarray, y: np.ndarray, rows: Split, seed: int) -> np.ndarray:
    """Penalty by the log-likelihood of the validation rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    x = codes.astype(np.float32)
    x = (x - x[rows.train].mean(axis=0)) / np.maximum(x[rows.train].std(axis=0), 1e-9)
    best, found = np.inf, None
    for c in (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2):
        model = LogisticRegression(C=c, max_iter=300).fit(x[rows.train], y[rows.train])
        loss = log_loss(y[rows.validation], model.predict_proba(x[rows.validation])[:, 1])
        if loss < best:
            best, found = loss, model
    assert found is not None
    return found.predict_proba(x[rows.test])[:, 1]


def trees(codes: np.ndarray, y: np.ndarray, rows: Split, seed: int) -> np.ndarray:
    """LightGBM, stopped by the log-likelihood of the validation rows."""
    import lightgbm

    settings = {
        "objective": "binary",
        "learning_rate": 0.03,
        "num_leaves": 7,
        "feature_fraction": 0.2,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 10,
        "seed": seed,
        "num_threads": 1,
        "verbosity": -1,
    }
    x = codes.astype(np.float32)
    train = lightgbm.Dataset(x[rows.train], y[rows.train])
    validation = lightgbm.Dataset(x[rows.validation], y[rows.validation], reference=train)
    stop = lightgbm.early_stopping(50, verbose=False)
    booster = lightgbm.train(settings, train, 1000, valid_sets=[validation], callbacks=[stop])
    return np.asarray(booster.predict(x[rows.test]))


MODELS = {
    "network `deeplift`": network(False),
    "network, balanced classes": network(True),
    "logistic ridge": logistic_ridge,
    "LightGBM": trees,
}


def slope(predicted: np.ndarray, y: np.ndarray) -> float:
    """Of the logit, by logistic regression."""
    from sklearn.linear_model import LogisticRegression

    p = np.clip(predicted, 1e-6, 1 - 1e-6)
    logit = np.log(p / (1 - p))[:, None]
    if np.ptp(logit) < 1e-9:
        return float("nan")
    return float(LogisticRegression(C=np.inf, tol=1e-8).fit(logit, y).coef_[0, 0])


def main() -> None:
    """A line per data set and model, then the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    o = parser.parse_args()
    rows_of: dict[str, list[list[float]]] = {name: [] for name in MODELS}
    design = Design({"additive": 10, "recessive": 5}, 0.5, background=0.5, prevalence=0.05)
    for seed in range(FIRST_SEED, FIRST_SEED + o.seeds):
        lines = Outbred(SAMPLES, SNPS, seed=seed)
        y, codes = simulate_trait(lines, design, seed).y, lines.codes()
        fold_of = stratified_folds(y, o.folds, seed)
        for name, model in MODELS.items():
            whole, figures = np.empty(len(y)), []
            for fold in range(1, o.folds + 1):
                test = np.flatnonzero(fold_of == fold)
                rest = np.random.default_rng(seed).permutation(np.flatnonzero(fold_of != fold))
                cut = len(rest) // 8
                rows = Split(np.sort(rest[cut:]), np.sort(rest[:cut]), test)
                whole[test] = model(codes, y, rows, seed)
                figures.append(binary_figures(whole[test], y[test]))
            means = [np.mean([f[k] for f in figures]) for k in figures[0]]
            rows_of[name].append([*means, slope(whole, y), whole.mean()])
            told = ", ".join(f"{value:.4f}" for value in rows_of[name][-1])
            print(f"seed {seed}, {name}: {told}", flush=True)
    print("| | AUC | average precision | Brier score | calibration slope | mean prediction |")
    print("| --- |" + " --- |" * 5)
    for name, found in rows_of.items():
        print(f"| {name} | " + " | ".join(f"{v:.4f}" for v in np.mean(found, axis=0)) + " |")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
