"""α of the ISRU is a setting of the run: the same for every trait unless it is asked for."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import Scorer
from tests.simulated import simulate, write_table
from tests.training import train
from train.networks.presets import load_preset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alpha")
    table = write_table(folder / "table.tsv", *simulate(40, 12), n_folds=2)
    table.write_text(table.read_text().replace("height", "protein", 1))
    for name, options in (("plain", ()), ("asked", ("--isru-alpha", 0.3))):
        done = run(folder, name, *options)
        assert done.returncode == 0, done.stderr
    return folder


def run(folder: Path, name: str, *options: object):
    return train(
        *("run", "table.tsv", "--trait", "protein", "--unit", "%", "--preset", "gblup"),
        *("--out", f"models/{name}", "--threads", 1, "--jobs", 1, *options),
        cwd=folder,
    )


@pytest.mark.parametrize(("name", "alpha"), [("plain", 0.03), ("asked", 0.3)])
def test_the_bundle_says_alpha_and_predicts_by_it(folder: Path, name: str, alpha: float) -> None:
    bundle = load_bundle(folder / "models" / name)
    assert bundle.manifest.link.alpha == alpha
    assert bundle.manifest.preset["architecture"]["isru_alpha"] == alpha
    scorer = Scorer(bundle)
    function = scorer.score_function()
    assert function is not None
    codes = np.full((1, 12), 2, np.int8)
    # The channel of code 2 is the third; the weights' sum is the score.
    z = function.weights[:, 2].sum(axis=0) + function.bias
    expected = [
        fold.center + fold.scale * score / (1 + alpha * score**2) ** 0.5
        for fold, score in zip(bundle.manifest.folds, z, strict=True)
    ]
    assert np.abs(z).max() > 0.3
    assert scorer.predict(Genotypes(codes))[0] == pytest.approx(expected, rel=1e-5)


def test_a_run_is_not_continued_with_another_alpha(folder: Path) -> None:
    done = run(folder, "plain", "--isru-alpha", 0.02)
    assert done.returncode == 55
    assert "preset.architecture.isru_alpha = 0.03; now it is 0.02" in done.stderr


@pytest.mark.parametrize("alpha", ["0", "-1", "nan", "inf"])
def test_an_alpha_that_is_no_positive_number_is_refused(tmp_path: Path, alpha: str) -> None:
    from train.errors import PresetError

    with pytest.raises(PresetError, match="isru_alpha is"):
        load_preset("default").with_alpha(float(alpha))
