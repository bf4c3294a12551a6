"""Two SNPs of a model: predictions of all their genotypes, and the interaction in them."""

from pathlib import Path

import numpy as np
import pytest

from snpredict import errors
from snpredict.api import load
from snpredict.bundle.load import load_bundle
from snpredict.explaining.pair_report import PairReport, describe_pair
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny

ONE, OTHER = 2, 7


def line() -> np.ndarray:
    """A line whose every SNP has the genotype that all training lines have."""
    return np.random.default_rng(1).integers(-1, 3, 12).astype(np.int8)


def frequencies() -> np.ndarray:
    """Those of lines that are all the same, but for two SNPs."""
    found = np.array([[code == channel for channel in (-1, 1, 2, 0)] for code in line()], float)
    # Missing, 1, 2, 0.
    found[ONE] = [0.1, 0.45, 0.27, 0.18]
    found[OTHER] = [0.0, 0.2, 0.5, 0.3]
    return found


def of(tiny: Tiny, folder: Path) -> PairReport:
    bundle = load_bundle(tiny.write(folder / "tiny"))
    function = Scorer(bundle, 1).score_function()
    return describe_pair(bundle, tiny.ids[ONE], tiny.ids[OTHER], function)


@pytest.mark.parametrize("units", [0, 3])
def test_predictions_are_those_of_the_line(units: int, tmp_path: Path) -> None:
    """With all other SNPs the same in all training lines, the average line is one of them."""
    tiny = Tiny(units=units, frequencies=frequencies())
    report = of(tiny, tmp_path)
    model = load(tmp_path / "tiny")
    for a in (0, 1, 2):
        for b in (0, 1, 2):
            codes = line()
            codes[[ONE, OTHER]] = a, b
            expected = model.predict(codes[None]).prediction[0]
            assert report.predictions[a][b] == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(report.frequencies_a, [0.2, 0.5, 0.3])
    np.testing.assert_allclose(report.frequencies_b, [0.3, 0.2, 0.5])


def test_the_interaction_is_what_rows_and_columns_leave(tmp_path: Path) -> None:
    report = of(Tiny(units=3, frequencies=frequencies()), tmp_path)
    found = np.array(report.interaction)
    p_a, p_b = np.array(report.frequencies_a), np.array(report.frequencies_b)
    np.testing.assert_allclose(found @ p_b, 0, atol=1e-9)
    np.testing.assert_allclose(p_a @ found, 0, atol=1e-9)
    # What it leaves of the predictions is a sum of rows and columns.
    sums = np.array(report.predictions) - found
    np.testing.assert_allclose(sums - sums[:1] - sums[:, :1] + sums[0, 0], 0, atol=1e-9)
    assert report.interaction_sd == pytest.approx(np.sqrt(p_a @ found**2 @ p_b))
    assert report.interaction_sd > 0.05
    assert report.fold_sd > 0
    assert report.effect is None


def test_a_sum_over_snps_has_no_interaction(tmp_path: Path) -> None:
    """Up to the curvature of its output, which is next to nothing here."""
    report = of(Tiny(alpha=1e-9, frequencies=frequencies()), tmp_path)
    assert report.interaction_sd < 1e-6


def test_what_is_refused(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.write(tmp_path / "tiny")
    Tiny(affine=False).write(tmp_path / "folds")
    with pytest.raises(errors.UsageError, match="both SNPs are"):
        load(tmp_path / "tiny").pair(tiny.ids[1], tiny.ids[1])
    with pytest.raises(errors.UnknownSnp):
        load(tmp_path / "tiny").pair(tiny.ids[1], "rs1")
    with pytest.raises(errors.NotExplainable):
        load(tmp_path / "folds").pair(tiny.ids[1], tiny.ids[2])
