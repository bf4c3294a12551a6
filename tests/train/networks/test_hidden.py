"""The network with one hidden layer: its teacher, its lessons, and its numbers."""

from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.formulas.encoding import channel_of
from snpredict.formulas.genotypes import Genotypes
from tests.simulated import simulate
from train.baselines.boosting import fit_trees
from train.baselines.teacher import fit_teacher
from train.commands.summarize import read_history
from train.data.folds import split
from train.errors import PresetError
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.fitted import FittedNetwork
from train.networks.genotype_model import one_hot
from train.networks.hidden import on_grid
from train.networks.onnx_export import fold_onnx
from train.networks.presets import Preset, load_preset
from train.runs.history import History
from train.simulate.virtual import virtual_lines


def test_teacher_by_hand() -> None:
    # Two lines at the median distance: K = [[1, e^-γ], [e^-γ, 1]], and the dual solves
    # (h² K + (1 − h²) I) a = y, times h².
    x = np.array([[0.0], [1.0]], np.float32)
    y = np.array([1.0, -1.0], np.float32)
    teacher = fit_teacher(x, y, gammas=(1.0,), heritabilities=(0.5,))
    median = np.median([0, 1, 1, 0])  # squared distances of all pairs
    k = np.exp(-1 / median)
    dual = 0.5 * np.linalg.solve(0.5 * np.array([[1, k], [k, 1]]) + 0.5 * np.eye(2), y)
    assert teacher.dual == pytest.approx(dual, rel=1e-5)
    assert teacher.predict(x) == pytest.approx(np.array([[1, k], [k, 1]]) @ dual, rel=1e-5)


def test_the_likelihood_tells_signal_from_noise() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 20)).astype(np.float32)
    noise = rng.normal(size=300).astype(np.float32)
    signal = (x @ rng.normal(size=20)).astype(np.float32)
    signal /= signal.std()
    assert fit_teacher(x, noise - noise.mean()).heritability <= 0.2
    assert fit_teacher(x, signal - signal.mean()).heritability >= 0.8


def test_trees_see_what_two_snps_do_together() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, (600, 10)).astype(np.float32)
    y = (2 * x[:, 0] - 1) * (2 * x[:, 1] - 1)  # no sum of single SNPs tells anything about it
    trees = fit_trees(x[:400], y[:400], x[400:500], y[400:500], seed=1, threads=1)
    assert np.corrcoef(trees.predict(x[500:]), y[500:])[0, 1] > 0.9
    noise = rng.normal(size=600).astype(np.float32)
    assert fit_trees(x[:400], noise[:400], x[400:500], noise[400:500], seed=1, threads=1).count < 50


def test_a_share_above_1_is_refused() -> None:
    preset = load_preset("default").as_dict()
    preset["training"]["tree_share"] = 1.5
    with pytest.raises(PresetError, match=r"tree_share is 1\.5; expected .* at most 1"):
        Preset.from_dict(preset)


def test_virtual_lines_alternate_between_two_lines() -> None:
    x = np.repeat(np.arange(5, dtype=np.float32)[:, None], 200, axis=1)  # line number everywhere
    lines = virtual_lines(x, 400, 10, np.random.default_rng(0))
    parents = np.array([len(set(line)) for line in lines])
    assert lines.shape == (400, 200)
    assert set(parents) <= {1, 2}
    changes = (np.diff(lines, axis=1) != 0).sum(axis=1)[parents == 2]
    # Binomial with 199 places and p = 1/20: mean 9.95.
    assert changes.mean() == pytest.approx(9.95, abs=0.7)


def test_the_grid_is_within_half_a_step() -> None:
    kernel = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    kernel[:, 2] = 0
    grid, scale = on_grid(kernel)
    assert grid.dtype == np.int8
    assert (grid[:, 2] == 0).all()
    assert (np.abs(grid * scale - kernel) <= 0.5 * scale * (1 + 1e-5)).all()


def small() -> Preset:
    preset = load_preset("default").as_dict()
    preset["architecture"] |= {"inputs": 20, "units": 6}
    preset["training"] |= {"virtual_lines": 200, "epochs": 5}
    return Preset.from_dict(preset)


ROWS = split(np.arange(120) % 4 + 1, 1, 1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[FittedNetwork, np.ndarray, Path]:
    """A network, the codes of all lines, and its history."""
    _, codes, phenotype, _ = simulate(n_samples=120, n_snps=30)
    history = tmp_path_factory.mktemp("hidden") / "history.csv"
    data = FoldData.of(Inputs(Genotypes(codes)), phenotype[:, None], ROWS)
    model = network_of(small()).fit(data, History(history))
    assert isinstance(model, FittedNetwork)
    return model, codes, history


def test_its_numbers_are_the_network(fitted: tuple[FittedNetwork, np.ndarray, Path]) -> None:
    model, codes, _ = fitted
    assert model.score is not None
    function = model.score.function()
    by_network = model.model.score(one_hot(tf.constant(codes[:10]))).numpy()
    affine = model.score.weights[np.arange(30), channel_of(codes[:10])].sum(axis=1)
    hidden = function.hidden_scores(Genotypes(codes))[:, 0]
    assert affine + model.score.bias + hidden[:10] == pytest.approx(by_network, abs=1e-5)
    assert np.abs(hidden).max() > 0.01


def test_an_onnx_file_does_not_tell_what_was_converted_before(
    fitted: tuple[FittedNetwork, np.ndarray, Path],
) -> None:
    one, other = (fold_onnx(fitted[0].model, 90.0, 10.0) for _ in range(2))
    assert one == other


def test_history_sets_phenotypes_beside_phenotypes(
    fitted: tuple[FittedNetwork, np.ndarray, Path],
) -> None:
    model, codes, path = fitted
    _, _, phenotype, _ = simulate(n_samples=120, n_snps=30)
    history = read_history(path, taught=True)
    error = np.abs(model.predict(Inputs(Genotypes(codes)))[:, 0] - phenotype)
    # The weights are rounded to their grid after the last epoch.
    assert history["mae"][-1] == pytest.approx(error[ROWS.train].mean(), rel=0.02)
    assert history["val_mae"][-1] == pytest.approx(error[ROWS.validation].mean(), rel=0.02)
    assert history["lesson_mae"][-1] < 0.7 * history["mae"][-1]


def test_an_older_history_holds_the_distance_to_the_lessons(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,mae,val_loss,val_mae\n1,0.1,0.03,0.5,0.6\n")
    history = read_history(path, taught=True)
    assert history["lesson_mae"].tolist() == [0.03]
    assert "mae" not in history
    assert read_history(path, taught=False)["mae"].tolist() == [0.03]


def test_the_picture_keeps_lessons_apart_from_phenotypes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train import plots

    drawn = []
    monkeypatch.setattr(plots, "_save", lambda figure, path: drawn.append(figure))
    epochs = np.arange(1, 4)
    measures = {"mae": 3.0 / epochs, "val_mae": 4.0 / epochs, "lesson_mae": 0.1 / epochs}
    taught = {fold: {"epoch": epochs, **measures} for fold in (1, 2)}
    plots.loss_curves(taught, "cm", tmp_path / "x.png")
    first, _, last = (axis for axis in drawn[0].axes if axis.get_visible())
    labels = [line.get_label() for line in first.get_lines()]
    assert labels == ["training rows", "validation rows", "lowest"]
    assert first.get_lines()[0].get_ydata().tolist() == measures["mae"].tolist()
    assert "lessons" in last.get_title()
    assert len(last.get_lines()) == 2
    assert last.get_ylim()[1] < 0.2 < first.get_ylim()[1]
