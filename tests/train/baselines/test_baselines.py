"""Baselines: small truths that they must find, and rows that they must not look at."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
pytest.importorskip("lightgbm", reason="needs the extra 'train'")

from snpredict.formulas.genotypes import Genotypes
from tests.simulated import simulate
from train.baselines.kernels import channel_kernel, gaussian_kernels, linear_kernel
from train.baselines.sparse import posterior_mean_effects
from train.data.folds import random_folds, split
from train.metrics import BINARY, figures, pearson
from train.model import FoldData, Inputs
from train.registry import BASELINES

NAIVE = ("family-mean", "covariates", "missing-mask")
REGRESSIONS = [name for name in BASELINES if name not in NAIVE]


@dataclass(frozen=True)
class Case:
    """A fold, its test rows, and what was observed in these."""

    data: FoldData
    test: Inputs
    observed: np.ndarray

    def predicted(self, name: str) -> np.ndarray:
        """By a baseline of that name, (samples, targets)."""
        return BASELINES[name].fit(self.data).predict(self.test)

    def pcc(self, name: str) -> float:
        """Of the first target."""
        return pearson(self.predicted(name)[:, 0], self.observed[:, 0])


def case_of(codes: np.ndarray, targets: np.ndarray, families: np.ndarray | None = None) -> Case:
    """The first of four random folds."""
    targets = targets.reshape(len(codes), -1)
    families = np.zeros(len(codes), str) if families is None else families.astype(str)
    rows = split(random_folds(len(codes), 4, seed=2), 1, seed=2)
    inputs = Inputs(Genotypes(codes), families=families)
    return Case(FoldData.of(inputs, targets, rows), inputs.rows(rows.test), targets[rows.test])


@pytest.fixture(scope="module")
def additive() -> Case:
    _, codes, phenotype, family = simulate(n_samples=240, n_snps=60, n_families=4)
    return case_of(codes, np.stack([phenotype, 5 * phenotype[::-1]], axis=1), family)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_every_regression_finds_an_additive_trait(name: str, additive: Case) -> None:
    model = BASELINES[name]
    fitted = model.fit(additive.data)
    predicted = fitted.predict(additive.test)
    assert predicted.shape == additive.observed.shape
    assert len(fitted.chosen) == 2
    refitted = model.refit(additive.data, fitted)
    assert refitted is not None
    again = refitted.predict(additive.test)
    for found in (predicted, again):
        assert pearson(found[:, 0], additive.observed[:, 0]) > 0.5
    assert not np.array_equal(again, predicted)


@pytest.mark.parametrize("name", BASELINES)
def test_units_scale_and_shift_the_predictions(name: str, additive: Case) -> None:
    """A trait in other units is predicted in these: 1.8 y + 32."""
    data = additive.data
    other = replace(
        data,
        train_targets=1.8 * data.train_targets + 32,
        validation_targets=1.8 * data.validation_targets + 32,
    )
    found = replace(additive, data=other).predicted(name)
    assert found == pytest.approx(1.8 * additive.predicted(name) + 32, rel=1e-3)


def test_gblup_is_the_ridge_regression_of_its_chosen_shrinkage() -> None:
    _, codes, phenotype, _ = simulate(n_samples=120, n_snps=20)
    codes = np.abs(codes)  # without gaps the means are plain
    case = case_of(codes, phenotype)
    fitted = BASELINES["gblup"].fit(case.data)
    means = case.data.train.codes.mean(axis=0)
    x = case.data.train.codes - means
    h2 = fitted.chosen[0]["heritability"]
    penalty = np.mean(np.sum(x**2, axis=1)) * (1 - h2) / h2
    y = case.data.train_targets[:, 0]
    effects = np.linalg.solve(x.T @ x + penalty * np.eye(20), x.T @ (y - y.mean()))
    expected = y.mean() + (case.test.codes - means) @ effects
    assert fitted.predict(case.test)[:, 0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "make", [linear_kernel, channel_kernel(range(4)), gaussian_kernels], ids=["x", "4", "gauss"]
)
def test_kernels_are_centred_scaled_and_the_same_for_other_samples(make: object) -> None:
    genotypes = Genotypes(simulate(n_samples=50, n_snps=30)[1])
    for kernel in make(genotypes):  # type: ignore[operator]
        assert np.trace(kernel.matrix) / 50 == pytest.approx(1, rel=1e-4)
        assert kernel.matrix.mean(axis=0) == pytest.approx(np.zeros(50), abs=1e-4)
        assert kernel.to(genotypes.rows(slice(7))) == pytest.approx(kernel.matrix[:7], abs=1e-4)


def test_bayesr_finds_the_few_snps_that_matter_and_beats_gblup() -> None:
    random = np.random.default_rng(3)
    codes = (2 * random.integers(0, 2, (400, 160))).astype(np.int8)
    causal = np.array([10, 59, 90, 120, 150])
    phenotype = codes[:, causal] @ np.array([1.0, -1.0, 0.8, 0.8, -0.7]) + random.normal(0, 2, 400)
    case = case_of(codes, phenotype)
    assert case.pcc("bayesr") > case.pcc("gblup") + 0.05

    x = (codes - codes.mean(axis=0)).astype(np.float32)
    y = (phenotype - phenotype.mean()) / phenotype.std()
    effects = posterior_mean_effects(x, y[:, None], np.random.default_rng(1))[:, 0]
    assert set(np.argsort(-np.abs(effects))[:5]) == set(causal)
    assert effects[causal] * phenotype.std() == pytest.approx([1, -1, 0.8, 0.8, -0.7], abs=0.25)


def test_trees_and_gaussian_kernels_see_an_interaction_that_sums_cannot() -> None:
    random = np.random.default_rng(4)
    codes = (2 * random.integers(0, 2, (600, 6))).astype(np.int8)
    phenotype = np.where(codes[:, 0] == codes[:, 1], 1.0, -1.0) + random.normal(0, 0.3, 600)
    case = case_of(codes, phenotype)
    assert abs(case.pcc("gblup")) < 0.3
    assert case.pcc("rkhs") > 0.8
    assert case.pcc("lightgbm") > 0.8


def lines(families: list[str]) -> Inputs:
    """Lines of which nothing but the families is known."""
    return Inputs(Genotypes(np.zeros((len(families), 1), np.int8)), families=np.array(families))


def test_family_means_by_hand() -> None:
    data = FoldData(
        train=lines(["a", "a", "b"]),
        validation=lines(["c"]),
        train_targets=np.array([[1.0], [3.0], [8.0]]),
        validation_targets=np.array([[10.0]]),
    )
    model = BASELINES["family-mean"]
    fitted = model.fit(data)
    # Family c is new to the training rows: their mean, until its validation row is fitted too.
    assert fitted.predict(lines(["a", "c"])).tolist() == [[2.0], [4.0]]
    again = model.refit(data, fitted)
    assert again is not None
    assert again.predict(lines(["a", "c"])).tolist() == [[2.0], [10.0]]


def test_the_missing_mask_predicts_when_gaps_name_the_family_and_not_otherwise() -> None:
    random = np.random.default_rng(5)
    family = np.arange(300) % 6
    phenotype = family + random.normal(0, 0.5, 300)
    codes = random.integers(0, 3, (300, 30)).astype(np.int8)
    assert np.ptp(case_of(codes, phenotype).predicted("missing-mask")) == 0
    codes[family[:, None] == np.arange(30) % 6] = -1
    assert case_of(codes, phenotype).pcc("missing-mask") > 0.9


def test_covariates_of_a_ridge_are_fixed_effects() -> None:
    """The mixed model y = μ + X b + g + e, by its textbook solution (Henderson 1975)."""
    _, codes, phenotype, _ = simulate(n_samples=120, n_snps=20)
    x = np.random.default_rng(2).normal(size=(120, 2))
    rows = split(random_folds(120, 4, seed=2), 1, seed=2)
    inputs = Inputs(Genotypes(codes), covariates=x)
    data = FoldData.of(inputs, (phenotype + x @ [30.0, -20.0])[:, None], rows)
    fitted = BASELINES["gblup"].fit(data)

    (kernel,) = linear_kernel(data.train.genotypes)
    h2 = fitted.chosen[0]["heritability"]
    inverse = np.linalg.inv(kernel.matrix + (1 - h2) / h2 * np.eye(len(rows.train)))
    design = np.column_stack([np.ones(len(rows.train)), x[rows.train]])
    y = data.train_targets
    b = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y)
    genetic = kernel.to(Genotypes(codes[rows.test])) @ inverse @ (y - design @ b)
    expected = np.column_stack([np.ones(len(rows.test)), x[rows.test]]) @ b + genetic
    assert b[1:, 0] == pytest.approx([30, -20], abs=5)
    assert fitted.predict(inputs.rows(rows.test)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["family-mean", "gblup", "rkhs"])
def test_a_binary_trait_gets_probabilities_that_tell_its_classes_apart(name: str) -> None:
    _, codes, phenotype, family = simulate(n_samples=240, n_snps=60, n_families=4)
    case = case_of(codes, (phenotype > np.median(phenotype)).astype(float), family)
    case = replace(case, data=replace(case.data, task=BINARY))
    predicted = case.predicted(name)[:, 0]
    assert predicted.min() >= 0
    assert predicted.max() <= 1
    assert figures(BINARY)(predicted, case.observed[:, 0])["auc"] > 0.6
