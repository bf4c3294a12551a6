"""Covariates beside the shipped networks: fixed effects in runs, bundles and explanations."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.api import load
from snpredict.cli import app as snpredict
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import open_models
from tests.simulated import simulate, write_table
from train.cli import app
from train.data.folds import Split
from train.metrics import pearson
from train.model import FoldData, Inputs
from train.networks.fixed_effects import fit_beside_covariates
from train.networks.presets import PRESET_FOLDER
from train.runs.folder import read_run

pytestmark = pytest.mark.slow


def test_slopes_are_those_of_generalised_least_squares() -> None:
    """A site that holds whole families takes nothing of what the families are worth."""
    random = np.random.default_rng(2)
    _, codes, height, _ = simulate(240, 48, n_families=12)
    age = random.normal(40, 10, len(codes))
    y = height + 0.8 * age
    data = FoldData.of(
        Inputs(Genotypes(codes), np.column_stack([age, np.full(len(age), 7.0)])),
        y[:, None],
        Split(np.arange(0, 160), np.arange(160, 200), np.arange(200, 240)),
    )
    seen = []

    def fit(left: FoldData, record: object) -> object:
        seen.append(left)

        class Nothing:
            chosen = ({},)

        return Nothing()

    fitted = fit_beside_covariates(data, None, fit)  # type: ignore[arg-type]
    slope, constant = fitted.fixed.slopes[:, 0]  # type: ignore[attr-defined]
    assert slope == pytest.approx(0.8, abs=0.1)
    assert constant == 0
    (left,) = seen
    assert left.train.covariates is None
    mean = data.train.covariates[:, 0].mean()
    expected = data.train_targets[:, 0] - slope * (age[:160] - mean)
    np.testing.assert_allclose(left.train_targets[:, 0], expected)


def table_with_sites(path: Path) -> Path:
    """Lines of two sites, one 40 cm above the other; of some the site is not known."""
    table = write_table(path / "table.tsv", *simulate(120, 24), n_folds=3)
    header, *rows = table.read_text().splitlines()
    lines, known = [f"{header}\tsite"], ["line\tsite"]
    for at, row in enumerate(rows):
        fold, height, *rest = row.split("\t")
        site = "NA" if at % 10 == 9 else "AB"[at // 3 % 2]
        lines.append("\t".join([fold, f"{float(height) + 40 * (at // 3 % 2):.4f}", *rest, site]))
        known.append(f"S{at:03d}\t{site}")
    table.write_text("\n".join(lines) + "\n")
    (path / "sites.tsv").write_text("\n".join(known) + "\n")
    return table


#: Shipped presets, made quick; the last is one that trains nothing.
QUICK = {
    "linear": {"epochs": "2"},
    "default": {"epochs": "3", "virtual_lines": "50"},
    "gblup": {},
}


@pytest.mark.parametrize("name", QUICK)
def test_a_preset_with_a_site(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    table_with_sites(tmp_path)
    text = (PRESET_FOLDER / f"{name}.toml").read_text()
    for key, value in QUICK[name].items():
        text = "\n".join(
            f"{key} = {value}" if line.startswith(f"{key} =") else line
            for line in text.splitlines()
        )
    Path("quick.toml").write_text(text)
    words = ["run", "table.tsv", "--trait", "height", "--unit", "cm", "--threads", "1"]
    words += ["--preset", "quick.toml", "--no-gblup", "--covariates", "site", "--out", "models/x"]
    app(words, standalone_mode=False)
    run = read_run(Path("runs/x"))
    rows = np.concatenate(run.rows)
    assert pearson(np.concatenate(run.predicted), run.data.phenotype[rows]) > 0.7
    slopes = np.array([result["chosen"]["covariate_slopes"] for result in run.results])
    assert (slopes[:, 1] - slopes[:, 0]).mean() == pytest.approx(40, abs=8)

    model = load("models/x")
    assert model.bundle.manifest.ensemble is not None
    assert model.bundle.manifest.reliability.known is not None
    found = model.predict("table.tsv", covariates=Path("sites.tsv"))
    # Lines of the training set are predicted by the fold that did not see them.
    by_run = np.empty(len(run.data.samples))
    by_run[rows] = np.concatenate(run.predicted)
    assert (found.scores.held_out >= 0).all()
    np.testing.assert_allclose(found.scores.prediction, by_run, atol=1e-3)

    explained = model.explain("table.tsv", "S003", covariates=Path("sites.tsv"))
    (share,) = explained.covariates
    assert (share.name, share.value) == ("site", "B")
    assert share.contribution == pytest.approx(20, abs=6)
    total = explained.reference + explained.total
    assert total == pytest.approx(explained.prediction, abs=1e-3)
    assert abs(explained.residual) < 1e-3
    unknown = model.explain("table.tsv", "S009", covariates=Path("sites.tsv"))
    assert unknown.covariates[0].contribution == 0

    Path("new.tsv").write_text(Path("table.tsv").read_text().replace("S003", "new"))
    Path("other.tsv").write_text(Path("sites.tsv").read_text().replace("S003\tB", "new\tNA"))
    words = ["explain", "new.tsv", "--sample", "new", "--model", "models/x", "--json"]
    snpredict([*words, "--covariates", "other.tsv", "--out", "o.json"], standalone_mode=False)
    told = json.loads(Path("o.json").read_text())
    assert told["results"][0] == {
        "kind": "covariate", "snp": "site", "genotype": None, "contribution": 0.0
    }  # fmt: skip
    assert told["prediction"] == pytest.approx(explained.prediction - share.contribution, abs=1e-3)


def test_a_dosage_of_a_model_with_a_site(tmp_path: Path, monkeypatch) -> None:
    """Between two codes the prediction is, with the same site, between those of the codes."""
    monkeypatch.chdir(tmp_path)
    table_with_sites(tmp_path)
    words = ["run", "table.tsv", "--trait", "height", "--unit", "cm", "--threads", "1"]
    words += ["--preset", "gblup", "--no-gblup", "--covariates", "site", "--out", "models/x"]
    app(words, standalone_mode=False)
    model = load("models/x")
    models = open_models(model.bundle)
    copies = np.full((3, 24), 1.0)
    copies[1], copies[2] = 2, 1.5
    for site in ([0.0, 1.0], [np.nan, np.nan]):
        one, two, between = models.predict(
            Genotypes.of_copies(copies), np.full((3, 2), site, np.float32)
        )
        np.testing.assert_array_less(np.minimum(one, two), between)
        np.testing.assert_array_less(between, np.maximum(one, two))
