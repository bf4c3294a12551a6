"""How many of ten causal SNPs each method finds: the published benchmark, at its full size.

    python benchmarks/explanations.py FOLDER [--data-sets 5] [--jobs 2] [--reading code]

Admixed samples (`train.simulate.structured`), 10,000 × 10,000, a trait of two classes with ten
causal SNPs, centred. Half of the rows train, a quarter stops and chooses, a quarter is looked at.
A method's recall is the share of the causal SNPs among its ten best. All methods see the same data:

- the network of preset `deeplift` with three components, by DeepLIFT on the rows that are looked
  at: the mean of its single trainings, the average of their scores, and the average over four
  splits that together use all rows;
- a GWAS (linear model of the 0/1 trait) without and with three components, on the training rows
  and on all rows; of the latter -log10 p ranks;
- logistic regression with an L1 penalty, chosen on the validation rows, and LightGBM's gain;
- the oracle: ten best by |z| of a logistic regression that is given the ten causal SNPs, the true
  cluster and 990 other SNPs.

A line of JSON per data set is written as it ends; what is there is not made again. The table of
means is printed at the end.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from snpredict.bundle.manifest import BINARY
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import sigmoid
from train.attribution.methods import attribute
from train.data.folds import Split
from train.data.snpinfo import SnpInfo
from train.gwas import scan
from train.gwas.kinship import components
from train.gwas.study import KeptGenotypes, Study
from train.metrics import area_under_curve
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.dense_fitted import FittedDense
from train.networks.presets import load_preset
from train.simulate.structured import Structured, structured_trait

CAUSAL, TOP, COMPONENTS = 10, 10, 3
SHAPES = (0.01, 0.1, 0.5, 1.0)

#: Far from the seeds that the preset was chosen on.
FIRST_SEED = 101


def recall(scores: np.ndarray) -> float:
    """Share of the causal SNPs, the first ones, among the best."""
    order = np.argsort(-np.nan_to_num(scores), kind="stable")
    # A SNP without any score is not found, whatever its place.
    best = [at for at in order[:TOP].tolist() if scores[at] > 0]
    return sum(at < CAUSAL for at in best) / CAUSAL


def study(codes: np.ndarray, y: np.ndarray) -> Study:
    """Of the rows given."""
    n = codes.shape[1]
    info = SnpInfo(["1"] * n, [*range(1, n + 1)], [None] * n, [None] * n)
    source = KeptGenotypes(Genotypes(codes), [str(at) for at in range(n)], info)
    return Study(None, "y", y, np.empty((len(y), 0)), [], source, 0)  # type: ignore[arg-type]


def gwas(codes: np.ndarray, y: np.ndarray, with_components: bool) -> np.ndarray:
    """Squared statistics of the linear model."""
    one = study(codes, y)
    covariates = components(one, COMPONENTS, 1) if with_components else one.covariates
    return scan.linear(one, covariates, lambda snps: None).statistic ** 2


def oracle(codes: np.ndarray, y: np.ndarray, cluster: np.ndarray, seed: int) -> np.ndarray:
    """|z| of the causal SNPs and 990 others beside the true cluster."""
    random = np.random.default_rng(seed)
    others = CAUSAL + random.permutation(codes.shape[1] - CAUSAL)[:990]
    snps = np.concatenate([np.arange(CAUSAL), others])
    x = codes[:, snps].astype(np.float64)
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)
    design = np.column_stack([x, *(cluster == k for k in range(3))])
    b = np.zeros(design.shape[1])
    penalty = 1e-3 * len(y) * np.eye(len(b)) / 100
    for _ in range(12):
        p = sigmoid(design @ b)
        information = design.T @ (design * (p * (1 - p))[:, None]) + penalty
        step = np.linalg.solve(information, design.T @ (y - p) - penalty @ b)
        b += step
        if np.abs(step).max() < 1e-8:
            break
    found = np.zeros(codes.shape[1])
    found[snps] = np.abs(b / np.sqrt(np.diag(np.linalg.inv(information))))[: len(snps)]
    return found


def network(codes: np.ndarray, y: np.ndarray, rows: Split, seed: int) -> tuple[FittedDense, float]:
    """The fitted network and its AUC on the rows that are looked at."""
    preset = load_preset("deeplift")
    preset = replace(preset, architecture=replace(preset.architecture, components=COMPONENTS))
    inputs = Inputs(Genotypes(codes))
    data = FoldData.of(inputs, y[:, None], rows, seed=seed, task=BINARY)
    fitted = network_of(preset).fit(data)
    assert isinstance(fitted, FittedDense)
    predicted = fitted.predict(inputs.rows(rows.test))[:, 0]
    return fitted, area_under_curve(predicted, y[rows.test])


def deeplift(fitted: FittedDense, codes: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """Scores of each of the averaged networks."""
    test = Inputs(Genotypes(codes[rows]))
    found = []
    whole = fitted.networks
    for one in whole:
        fitted.networks = [one]
        explained, inputs_of = fitted.explained()
        x = inputs_of(test)
        found.append(attribute(explained, x.__getitem__, len(test), "deeplift").score)
    fitted.networks = whole
    return found


def l1(codes: np.ndarray, y: np.ndarray, rows: Split) -> np.ndarray:
    """|coefficients| of the L1 logistic regression with the largest validation AUC."""
    from sklearn.linear_model import LogisticRegression

    x = codes.astype(np.float32)
    x = (x - x[rows.train].mean(axis=0)) / np.maximum(x[rows.train].std(axis=0), 1e-9)
    best, found = -1.0, np.zeros(codes.shape[1])
    for c in (0.003, 0.01, 0.03):
        model = LogisticRegression(penalty="l1", C=c, solver="liblinear", max_iter=200)
        model.fit(x[rows.train], y[rows.train])
        auc = area_under_curve(model.decision_function(x[rows.validation]), y[rows.validation])
        if auc > best:
            best, found = auc, np.abs(model.coef_[0])
    return found


def gain(codes: np.ndarray, y: np.ndarray, rows: Split, seed: int) -> np.ndarray:
    """LightGBM's gain, stopped on the validation rows."""
    import lightgbm

    settings = {
        "objective": "binary",
        "learning_rate": 0.05,
        "num_leaves": 7,
        "feature_fraction": 0.2,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": seed,
        "num_threads": 1,
        "verbosity": -1,
    }
    train = lightgbm.Dataset(codes[rows.train].astype(np.float32), y[rows.train])
    validation = lightgbm.Dataset(
        codes[rows.validation].astype(np.float32), y[rows.validation], reference=train
    )
    booster = lightgbm.train(
        settings,
        train,
        500,
        valid_sets=[validation],
        callbacks=[lightgbm.early_stopping(30, verbose=False)],
    )
    return booster.feature_importance("gain")


def splits(n: int, seed: int) -> list[Split]:
    """Four splits, each half, quarter and quarter, that together train on all rows."""
    quarters = np.array_split(np.random.default_rng(seed).permutation(n), 4)
    found = []
    for at in range(4):
        one, two, three, four = (quarters[(at + k) % 4] for k in range(4))
        found.append(Split(np.sort(np.concatenate([one, two])), np.sort(three), np.sort(four)))
    return found


def one_data_set(a: float, seed: int, reading: str, n: int, snps: int) -> dict[str, float | str]:
    """All methods on one data set, on one thread."""
    with threadpool_limits(1):
        return _one_data_set(a, seed, reading, n, snps)


def _one_data_set(a: float, seed: int, reading: str, n: int, snps: int) -> dict[str, float | str]:
    lines = Structured(n, snps, a=a, reading=reading, seed=seed)
    codes = lines.codes()
    trait = structured_trait(codes[:, :CAUSAL], lines.ancestry, seed=seed, centred=True)
    y = trait.y
    each = splits(n, seed)
    first = each[0]
    found: dict[str, float | str] = {"a": a, "seed": seed, "reading": reading}
    found["cases"] = float(y.mean())
    whole = []
    for number, rows in enumerate(each):
        fitted, auc = network(codes, y, rows, seed)
        scores = deeplift(fitted, codes, rows.test)
        if number == 0:
            found["network_auc"] = auc
            found["network_single"] = float(np.mean([recall(score) for score in scores]))
            found["network_average"] = recall(np.mean(scores, axis=0))
        whole.append(np.mean(scores, axis=0))
    found["network_all_rows"] = recall(np.mean(whole, axis=0))
    found["gwas_raw"] = recall(gwas(codes[first.train], y[first.train], False))
    found["gwas_components"] = recall(gwas(codes[first.train], y[first.train], True))
    found["gwas_raw_all_rows"] = recall(gwas(codes, y, False))
    found["gwas_components_all_rows"] = recall(gwas(codes, y, True))
    found["l1"] = recall(l1(codes, y, first))
    found["lightgbm"] = recall(gain(codes, y, first, seed))
    train = first.train
    found["oracle"] = recall(oracle(codes[train], y[train], trait.cluster[train], seed))
    found["oracle_all_rows"] = recall(oracle(codes, y, trait.cluster, seed))
    return found


def table(found: list[dict]) -> str:
    """Means by a, as Markdown."""
    names = [name for name in found[0] if name not in ("a", "seed", "reading")]
    shapes = sorted({one["a"] for one in found})
    lines = ["| | " + " | ".join(f"a = {a:g}" for a in shapes) + " | all |"]
    lines.append("| --- |" + " --- |" * (len(shapes) + 1))
    for name in names:
        of_shape = [np.mean([one[name] for one in found if one["a"] == a]) for a in shapes]
        cells = [f"{value:.2f}" for value in (*of_shape, np.mean([one[name] for one in found]))]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    counts = [sum(one["a"] == a for one in found) for a in shapes]
    lines.append("| data sets | " + " | ".join(map(str, (*counts, len(found)))) + " |")
    return "\n".join(lines)


def main() -> None:
    """All data sets that are not there yet, then the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-sets", type=int, default=5)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--snps", type=int, default=10_000)
    parser.add_argument("--reading", default="code")
    parser.add_argument("--jobs", type=int, default=2)
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    path = o.folder / f"structured-{o.reading}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    there = {(one["a"], one["seed"]) for one in found}
    wanted = [
        (a, FIRST_SEED + number)
        for number in range(o.data_sets)
        for a in SHAPES
        if (a, FIRST_SEED + number) not in there
    ]
    with ProcessPoolExecutor(o.jobs) as pool:
        runs = [
            pool.submit(one_data_set, a, seed, o.reading, o.samples, o.snps) for a, seed in wanted
        ]
        for run in runs:
            found.append(run.result())
            with path.open("a") as file:
                file.write(json.dumps(found[-1]) + "\n")
            print(json.dumps(found[-1]), flush=True)
    print(table(found))


if __name__ == "__main__":
    main()
