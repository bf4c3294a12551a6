"""A model of some SNPs as one of all: the contract, weights of 0, and its ONNX file."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")

from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.onnx_session import onnx_predictions
from train.baselines.kernels import GBLUP
from train.bundle.ensemble_onnx import fused_ensemble
from train.check_model import check_model
from train.data.filters import SnpFilters
from train.model import FoldData, Inputs
from train.runs.filtered import FilteredModel, wide_onnx

RANDOM = np.random.default_rng(5)
CODES = RANDOM.integers(-1, 3, (60, 30)).astype(np.int8)
CODES[:, ::3] = 2
KEPT = np.flatnonzero(np.arange(30) % 3)


def test_the_contract_of_models_is_kept() -> None:
    check_model(FilteredModel(GBLUP, SnpFilters(min_maf=0.05), np.arange(24)))


def test_snps_that_fail_have_no_part_in_a_prediction() -> None:
    model = FilteredModel(GBLUP, SnpFilters(min_maf=0.05), np.arange(30))
    inputs, target = Inputs(Genotypes(CODES)), RANDOM.normal(size=(60, 1))
    data = FoldData(inputs.rows(slice(0, 40)), inputs.rows(slice(40, 60)), target[:40], target[40:])
    fitted = model.fit(data)
    assert fitted.chosen[0]["snps_kept"] == 20
    changed = CODES.copy()
    changed[:, ::3] = 0
    assert np.array_equal(fitted.predict(inputs), fitted.predict(Inputs(Genotypes(changed))))
    alone = GBLUP.fit(
        FoldData(data.train.snps(KEPT), data.validation.snps(KEPT), target[:40], target[40:])
    )
    assert np.array_equal(fitted.predict(inputs), alone.predict(inputs.snps(KEPT)))
    again = model.refit(data, fitted)
    assert again is not None
    assert np.array_equal(again.kept, KEPT)


def test_an_onnx_model_takes_its_snps_out_of_all(tmp_path: Path) -> None:
    weights = RANDOM.normal(size=(20, 4, 1)).astype(np.float32)
    narrow = fused_ensemble(weights, np.zeros(1), np.zeros(1), np.ones(1), 0.1)
    wide = wide_onnx(narrow, KEPT, 30)
    assert np.array_equal(onnx_predictions(wide, CODES), onnx_predictions(narrow, CODES[:, KEPT]))
