"""Baselines: small truths that they must find, and rows that they must not look at."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
pytest.importorskip("lightgbm", reason="needs the extra 'train'")

from tests.simulated import simulate
from train.baselines import FoldInput
from train.baselines.kernels import channel_kernel, gaussian_kernels, linear_kernel
from train.baselines.sparse import posterior_mean_effects
from train.data.folds import random_folds, split
from train.metrics import pearson
from train.registry import BASELINES

REGRESSIONS = [name for name in BASELINES if name not in ("family-mean", "missing-mask")]


def fold_of(
    codes: np.ndarray, targets: np.ndarray, families: np.ndarray | None = None
) -> tuple[FoldInput, np.ndarray]:
    """The first of four random folds, and its test targets."""
    targets = targets.reshape(len(codes), -1)
    families = np.zeros(len(codes), str) if families is None else families.astype(str)
    rows = split(random_folds(len(codes), 4, seed=2), 1, seed=2)
    return FoldInput.of(codes, families, targets, rows), targets[rows.test]


@pytest.fixture(scope="module")
def additive() -> tuple[FoldInput, np.ndarray]:
    _, codes, phenotype, family = simulate(n_samples=240, n_snps=60, n_families=4)
    return fold_of(codes, np.stack([phenotype, 5 * phenotype[::-1]], axis=1), family)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_every_regression_finds_an_additive_trait(name: str, additive: tuple) -> None:
    fold, observed = additive
    fitted = BASELINES[name].fit(fold, True)
    assert fitted.test.shape == observed.shape and len(fitted.chosen) == 2
    assert pearson(fitted.test[:, 0], observed[:, 0]) > 0.5
    assert fitted.refit is not None and pearson(fitted.refit[:, 0], observed[:, 0]) > 0.5
    assert not np.array_equal(fitted.refit, fitted.test)


@pytest.mark.parametrize("name", BASELINES)
def test_a_test_sample_is_predicted_without_the_other_test_samples(
    name: str, additive: tuple
) -> None:
    fold, _ = additive
    alone = replace(fold, test_codes=fold.test_codes[:1], test_families=fold.test_families[:1])
    fit = BASELINES[name].fit
    assert fit(alone, False).test == pytest.approx(fit(fold, False).test[:1], rel=1e-4)


@pytest.mark.parametrize("name", BASELINES)
def test_units_scale_and_shift_the_predictions(name: str, additive: tuple) -> None:
    """A trait in other units is predicted in these: 1.8 y + 32."""
    fold, _ = additive
    other = replace(
        fold,
        train_targets=1.8 * fold.train_targets + 32,
        validation_targets=1.8 * fold.validation_targets + 32,
    )
    fit = BASELINES[name].fit
    expected = 1.8 * fit(fold, False).test + 32
    assert fit(other, False).test == pytest.approx(expected, rel=1e-3)


def test_gblup_is_the_ridge_regression_of_its_chosen_shrinkage() -> None:
    _, codes, phenotype, _ = simulate(n_samples=120, n_snps=20)
    codes = np.abs(codes)  # without gaps the means are plain
    fold, _ = fold_of(codes, phenotype)
    fitted = BASELINES["gblup"].fit(fold, False)
    x = fold.train_codes - fold.train_codes.mean(axis=0)
    h2 = fitted.chosen[0]["heritability"]
    penalty = np.mean(np.sum(x**2, axis=1)) * (1 - h2) / h2
    y = fold.train_targets[:, 0]
    effects = np.linalg.solve(x.T @ x + penalty * np.eye(20), x.T @ (y - y.mean()))
    expected = y.mean() + (fold.test_codes - fold.train_codes.mean(axis=0)) @ effects
    assert fitted.test[:, 0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "make", [linear_kernel, channel_kernel(range(4)), gaussian_kernels], ids=["x", "4", "gauss"]
)
def test_kernels_are_centred_scaled_and_the_same_for_other_samples(make: object) -> None:
    _, codes, _, _ = simulate(n_samples=50, n_snps=30)
    for _, kernel, (again,) in make(codes, [codes[:7]]):  # type: ignore[operator]
        assert np.trace(kernel) / 50 == pytest.approx(1, rel=1e-4)
        assert kernel.mean(axis=0) == pytest.approx(np.zeros(50), abs=1e-4)
        assert again == pytest.approx(kernel[:7], abs=1e-4)


def test_bayesr_finds_the_few_snps_that_matter_and_beats_gblup() -> None:
    random = np.random.default_rng(3)
    codes = (2 * random.integers(0, 2, (400, 160))).astype(np.int8)
    causal = np.array([10, 59, 90, 120, 150])
    phenotype = codes[:, causal] @ np.array([1.0, -1.0, 0.8, 0.8, -0.7]) + random.normal(0, 2, 400)
    fold, observed = fold_of(codes, phenotype)
    by_bayes = pearson(BASELINES["bayesr"].fit(fold, False).test[:, 0], observed[:, 0])
    by_gblup = pearson(BASELINES["gblup"].fit(fold, False).test[:, 0], observed[:, 0])
    assert by_bayes > by_gblup + 0.05

    x = (codes - codes.mean(axis=0)).astype(np.float32)
    y = (phenotype - phenotype.mean()) / phenotype.std()
    effects = posterior_mean_effects(x, y[:, None], np.random.default_rng(1))[:, 0]
    assert set(np.argsort(-np.abs(effects))[:5]) == set(causal)
    assert effects[causal] * phenotype.std() == pytest.approx([1, -1, 0.8, 0.8, -0.7], abs=0.25)


def test_trees_and_gaussian_kernels_see_an_interaction_that_sums_cannot() -> None:
    random = np.random.default_rng(4)
    codes = (2 * random.integers(0, 2, (600, 6))).astype(np.int8)
    phenotype = np.where(codes[:, 0] == codes[:, 1], 1.0, -1.0) + random.normal(0, 0.3, 600)
    fold, observed = fold_of(codes, phenotype)

    def pcc(name: str) -> float:
        return pearson(BASELINES[name].fit(fold, False).test[:, 0], observed[:, 0])

    assert abs(pcc("gblup")) < 0.3
    assert pcc("rkhs") > 0.8
    assert pcc("lightgbm") > 0.8


def test_family_means_by_hand() -> None:
    codes = np.zeros((1, 1), np.int8)
    fold = FoldInput(
        train_codes=codes.repeat(3, 0),
        validation_codes=codes,
        test_codes=codes.repeat(2, 0),
        train_families=np.array(["a", "a", "b"]),
        validation_families=np.array(["c"]),
        test_families=np.array(["a", "c"]),
        train_targets=np.array([[1.0], [3.0], [8.0]]),
        validation_targets=np.array([[10.0]]),
    )
    fitted = BASELINES["family-mean"].fit(fold, True)
    # Family c is new to the training rows: their mean, until its validation row is fitted too.
    assert fitted.test.tolist() == [[2.0], [4.0]]
    assert fitted.refit is not None and fitted.refit.tolist() == [[2.0], [10.0]]


def test_the_missing_mask_predicts_when_gaps_name_the_family_and_not_otherwise() -> None:
    random = np.random.default_rng(5)
    family = np.arange(300) % 6
    phenotype = family + random.normal(0, 0.5, 300)
    codes = random.integers(0, 3, (300, 30)).astype(np.int8)
    fold, observed = fold_of(codes, phenotype)
    assert np.ptp(BASELINES["missing-mask"].fit(fold, False).test) == 0
    codes[family[:, None] == np.arange(30) % 6] = -1
    fold, observed = fold_of(codes, phenotype)
    assert pearson(BASELINES["missing-mask"].fit(fold, False).test[:, 0], observed[:, 0]) > 0.9
