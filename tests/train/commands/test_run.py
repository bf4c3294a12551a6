"""The training command as a person runs it, on a small invented table."""

import csv
import fcntl
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.bundle.load import load_bundle
from snpredict.formulas.effects import is_curved
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import Scorer
from tests.simulated import simulate, write_table
from tests.training import QUICK, run, texts_of, train
from train.errors import FoldBusy
from train.evaluation.run_figures import pcc_table
from train.networks.presets import PRESET_FOLDER
from train.runs.folder import read_run
from train.runs.tasks import Task, run_task

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]

UNITS = {"height": "cm", "yield": "t/ha"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_table(folder / "table.tsv.gz", *simulate())
    (folder / "quick.toml").write_text(QUICK)
    return folder


@pytest.fixture(scope="module")
def default_run(folder: Path) -> Path:
    """All folds with the shipped default preset."""
    done = run(folder, "whole", "--jobs", 2, apart=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def quick_run(folder: Path) -> Path:
    """Two of three folds with a few epochs, for what any preset shows."""
    done = run(folder, "quick", "--preset", "quick.toml", "--fold", "1,2")
    assert done.returncode == 0, done.stderr
    assert "folds 3 are not finished" in done.stderr
    assert not (folder / "models" / "quick").exists()
    return folder


@pytest.fixture(scope="module")
def compared_run(folder: Path) -> Path:
    """One fold of two tables, trained as `quick_run`."""
    names, codes, phenotype, family = simulate()
    write_table(folder / "imputed.tsv", names, np.maximum(codes, 0), phenotype, family)
    done = run(folder, "both", "--preset", "quick.toml", "--compare", "imputed.tsv", "--fold", 2)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_ends_in_a_bundle_that_predicts(default_run: Path) -> None:
    bundle = load_bundle(default_run / "models" / "whole")
    assert bundle.manifest.ensemble == "ensemble.onnx"
    # The trait is additive with a heritability of 0.64; folds hold siblings.
    assert bundle.manifest.metrics["pcc_mean"] > 0.4
    # `python -m snpredict` scores the table itself, without TensorFlow.
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snpredict", "predict", "table.tsv.gz"),
            *("--model", "models/whole", "--per-fold", "--format", "json"),
        ],
        cwd=default_run,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["results"]) == 150


def test_a_run_measures_what_distance_costs(default_run: Path) -> None:
    folder = default_run / "models" / "whole"
    bundle = load_bundle(folder)
    assert bundle.similarity is not None
    entry = bundle.manifest.similarity
    out_of_fold = pq.read_table(folder / "out_of_fold.parquet")
    distance, residual = (out_of_fold[name].to_numpy() for name in ("distance", "residual"))
    far = distance > bundle.similarity.limit
    assert entry.limit == bundle.similarity.limit
    for errors, rows in ((entry.errors.flagged, far), (entry.errors.others, ~far)):
        assert errors.n == rows.sum()
        assert errors.mae == pytest.approx(np.abs(residual[rows]).mean())
    assert "unlike the training set" in (folder / "MODEL_CARD.md").read_text()


def test_effects_have_their_range_over_training_lines(default_run: Path) -> None:
    bundle = load_bundle(default_run / "models" / "whole")
    function = Scorer(bundle, 1).score_function()
    effects, ranges = bundle.saliency.effects, bundle.saliency.effect_ranges
    assert ranges.shape == (*effects.shape, 2)
    spread = ranges[:, :, 1] - ranges[:, :, 0]
    curved = np.array([is_curved(function, snp) for snp in range(len(effects))])
    assert curved.any()
    assert (spread[curved].max(axis=1) > 0).any()
    inside = (effects >= ranges[:, :, 0]) & (effects <= ranges[:, :, 1])
    assert inside[np.abs(effects) > np.abs(effects).mean()].mean() > 0.5


def test_the_bundle_holds_heterozygosity_and_call_rate_of_its_lines(default_run: Path) -> None:
    bundle = load_bundle(default_run / "models" / "whole")
    _, codes, _, _ = simulate()
    found = pq.read_table(bundle.path / "out_of_fold.parquet")
    called = (codes >= 0).sum(axis=1)
    assert found["call_rate"].to_pylist() == (called / codes.shape[1]).tolist()
    heterozygosity = (codes == 1).sum(axis=1) / called
    assert found["heterozygosity"].to_pylist() == heterozygosity.tolist()
    assert bundle.similarity is not None
    assert bundle.similarity.rates is not None
    assert bundle.similarity.rates.heterozygosity[1] <= heterozygosity.max() + 0.01


def test_out_of_fold_predictions_are_those_of_the_shipped_fold_models(default_run: Path) -> None:
    from snpredict.genotypes.detect import open_genotypes

    folder = default_run / "models" / "whole"
    bundle = load_bundle(folder)
    table = open_genotypes(default_run / "table.tsv.gz")
    codes = np.concatenate([b.codes for b in table.blocks(list(bundle.snps.ids))])
    predicted = Scorer(bundle).predict(Genotypes(codes))
    stored = pq.read_table(folder / "out_of_fold.parquet").to_pydict()
    for fold in bundle.manifest.folds:
        rows = np.flatnonzero(np.array(stored["fold"]) == fold.number)
        of_fold = predicted[rows, fold.number - 1]
        assert of_fold == pytest.approx(np.array(stored["predicted"])[rows], abs=1e-3)


def test_the_summary_files_agree_with_the_folds(default_run: Path) -> None:
    path = default_run / "runs" / "whole"
    with (path / "fold_pcc_summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    results = [
        json.loads((path / "folds" / f"fold_{n:02d}" / "result.json").read_text())
        for n in (1, 2, 3)
    ]
    pccs = [r["metrics"]["pcc"] for r in results]
    assert [float(r["pcc"]) for r in rows[:3]] == pytest.approx(pccs, abs=1e-6)
    assert rows[3]["fold"] == "mean"
    assert float(rows[3]["pcc"]) == pytest.approx(np.mean(pccs), abs=1e-6)
    with (path / "top_saliency_snps.csv").open() as file:
        top = [float(row["saliency"]) for row in csv.DictReader(file)]
    assert len(top) == 20
    assert top == sorted(top, reverse=True)
    # Mean over all test samples: the folds' means, weighted by their samples.
    weighted = sum(
        np.load(path / "folds" / f"fold_{n:02d}" / "saliency.npz")["saliency"] * r["n_test"]
        for n, r in zip((1, 2, 3), results, strict=True)
    ) / sum(r["n_test"] for r in results)
    assert top[0] == pytest.approx(weighted.max(), rel=1e-6)
    for picture in ("loss_curves", "avg_saliency_across_folds", "predicted_observed"):
        assert (path / f"{picture}.png").read_bytes().startswith(b"\x89PNG")


def test_no_sample_id_reaches_the_bundle(default_run: Path) -> None:
    table = (default_run / "runs" / "whole" / "data" / "labels.json").read_text()
    assert '"S003"' in table  # the run knows the ids, the bundle must not
    assert not [name for name in texts_of(default_run / "models" / "whole") if "S003" in name]


def test_a_finished_fold_is_not_trained_again(quick_run: Path) -> None:
    result = quick_run / "runs" / "quick" / "folds" / "fold_01" / "result.json"
    before = result.stat().st_mtime_ns
    (quick_run / "runs" / "quick" / "folds" / "fold_02" / "result.json").unlink()
    done = run(quick_run, "quick", "--preset", "quick.toml", "--fold", 1, "--fold", 2)
    assert done.returncode == 0, done.stderr
    assert result.stat().st_mtime_ns == before
    assert (quick_run / "runs" / "quick" / "folds" / "fold_02" / "result.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--seed", 2), "seed = 1; now it is 2"),
        (("--preset", "paper"), "model = 'network-default'; now it is 'network-paper'"),
        (("--folds", "random", "--n-folds", 3), "scheme = 'given'; now it is 'random'"),
        (("--snp-info", "snps.csv"), "with other SNPs, or other places or alleles of them"),
        (("--repeats", "mean"), "repeats = None; now it is 'mean'"),
        (("--no-resume",), "--no-resume"),
    ],
    ids=["seed", "preset", "folds", "SNP table", "repeats", "no resume"],
)
def test_a_changed_setting_is_refused_with_both_values(
    default_run: Path, change: tuple, words: str
) -> None:
    names = simulate()[0]
    rows = [f"{name},Chr9,{place}" for place, name in enumerate(names)]
    (default_run / "snps.csv").write_text("\n".join(["snp,chrom,pos", *rows]))
    done = run(default_run, "whole", *change)
    assert done.returncode in (2, 55)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_default_network_repeats_to_the_last_bit_on_two_threads(folder: Path) -> None:
    """With fewer virtual lines and epochs than the default preset has: the steps are the same."""
    preset = (PRESET_FOLDER / "default.toml").read_text()
    short = preset.replace("virtual_lines = 32000", "virtual_lines = 2000")
    short = short.replace("epochs = 20 ", "epochs = 3 ")
    assert len(short) == len(preset) - 2
    (folder / "short.toml").write_text(short)
    predictions = []
    for name in ("bits-1", "bits-2"):
        done = run(folder, name, "--preset", "short.toml", "--fold", 1, "--threads", 2)
        assert done.returncode == 0, done.stderr
        saved = folder / "runs" / name / "folds" / "fold_01" / "predictions.npz"
        predictions.append(np.load(saved)["predicted"].tobytes())
    assert predictions[0] == predictions[1]


def test_a_fold_that_is_being_trained_is_left_alone(default_run: Path) -> None:
    """Two processes on one fold would write into each other's files."""
    folder = default_run / "runs" / "whole" / "folds" / "fold_01"
    history = (folder / "history.csv").read_bytes()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FoldBusy, match="another process"):
            run_task(Task((default_run / "runs" / "whole",), 1))
    assert (folder / "history.csv").read_bytes() == history


def test_a_terminated_run_stops_its_folds(folder: Path) -> None:
    long = QUICK.replace("epochs = 3", "epochs = 100000").replace(
        "patience = 10", "patience = 1000000"
    )
    (folder / "long.toml").write_text(long)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "train", "run", "table.tsv.gz", "--trait", "height"),
            *("--unit", "cm", "--preset", "long.toml", "--fold", "1", "--out", "models/long"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
    )
    fold = folder / "runs" / "long" / "folds" / "fold_01"
    deadline = time.monotonic() + 600
    while not (fold / "history.csv").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "finished folds stay" in said
    with (fold / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its process is gone
    assert not (fold / "result.json").exists()


def test_same_seed_same_bits_also_of_a_fold_that_is_run_alone(
    quick_run: Path, compared_run: Path
) -> None:
    """Dropout, shuffling and random weights repeat to the last bit.

    One of the two was the second fold of its process.
    """
    predictions = [
        np.load(quick_run / "runs" / name / "folds" / "fold_02" / "predictions.npz")["predicted"]
        for name in ("quick", "both")
    ]
    assert predictions[0].tobytes() == predictions[1].tobytes()
    assert np.ptp(predictions[0]) > 0


def test_comparing_two_tables_over_the_same_rows(compared_run: Path) -> None:
    folder = compared_run
    with (folder / "runs" / "both" / "fold_pcc_summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["fold", "pcc_non_imputed", "pcc_imputed", "pcc_gblup"]
    assert [row["fold"] for row in rows] == ["2", "mean"]
    for column, run_folder in (("pcc_non_imputed", "both"), ("pcc_imputed", "both/compare")):
        result = folder / "runs" / run_folder / "folds" / "fold_02" / "result.json"
        pcc = json.loads(result.read_text())["metrics"]["pcc"]
        assert float(rows[0][column]) == pytest.approx(pcc, abs=1e-6)

    names, codes, phenotype, family = simulate()
    phenotype[0] += 1
    write_table(folder / "other.tsv", names, codes, phenotype, family)
    refused = run(folder, "both2", "--compare", "other.tsv")
    assert refused.returncode == 50
    assert "sample 1 is 'S000'" in refused.stderr
    assert not (folder / "runs" / "both2").exists()


def test_two_tables_of_the_same_kind_keep_a_column_each(
    default_run: Path, compared_run: Path
) -> None:
    one, two = (read_run(default_run / "runs" / name) for name in ("whole", "both"))
    header, _, row, *_ = pcc_table(one, [two])
    assert header == ["fold", "pcc_first", "pcc_second"]
    assert row == [2, one.results[1]["metrics"]["pcc"], two.results[0]["metrics"]["pcc"]]
    assert row[1] != row[2]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"phenotype": [5.0] * 150}, 52, "value 5 everywhere"),
        ({"phenotype": ["tall"] * 150}, 51, "'tall'"),
        ({"n_folds": 1}, 53, "0 train rows"),
        ({"phenotype": [5.0 if row % 3 == 2 else 1.0 * row for row in range(150)]}, 52, "fold 1"),
    ],
    ids=[
        "constant phenotype",
        "phenotype of words",
        "a fold without training rows",
        "constant in the training rows of a fold",
    ],
)
def test_bad_tables_end_in_one_line_and_leave_nothing(
    tmp_path: Path, change: dict, code: int, words: str
) -> None:
    names, codes, phenotype, family = simulate()
    parts = {"phenotype": phenotype, "n_folds": 3, **change}
    write_table(tmp_path / "table.tsv.gz", names, codes, family=family, **parts)
    done = run(tmp_path, "bad")
    assert done.returncode == code, done.stderr
    assert words in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["table.tsv.gz"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--fold", 9), 2, "--fold 9 is not one of the folds 1..3"),
        (("--n-folds", 5), 2, "--folds random"),
        (("--folds", "random", "--n-folds", 500), 50, "too few for 500 folds"),
        (("--counted-allele", "alt"), 2, "--snp-info"),
        (("--snp-info", "no.tsv"), 50, "no.tsv does not exist"),
        (("--compare", "no.tsv"), 3, "no.tsv"),
        (("--compare", "table.tsv.gz"), 2, "the table itself"),
        (("--fold-column", "block"), 50, "--folds random"),
        (("--trait", "line"), 50, "sample ids"),
        (("--trait", "fold"), 2, "--fold-column"),
        (("--ignore", "height2"), 50, "no column 'height2'"),
        (("--family-column", "none"), 63, "--ignore family"),
        (("--snps-from", "Sim09_1_A_C"), 50, "no column 'Sim09_1_A_C'"),
        (("--preset", "pap"), 54, "known: deeplift, default"),
        (("--out", "table.tsv.gz/x"), 40, "is not a folder"),
        (("--jobs", "many"), 2, "--jobs"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_mistakes_on_the_command_line_cost_no_training(
    tmp_path: Path, options: tuple, code: int, words: str
) -> None:
    parts = simulate(n_samples=30, n_snps=12)
    parts[3][:] += 10  # families that no genotype is called
    write_table(tmp_path / "table.tsv.gz", *parts)
    done = run(tmp_path, "bad", *options)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["table.tsv.gz"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("filters = 5", "filters = 0"), "filters is 0"),
        (("epochs = 3", 'epochs = "3"'), "epochs is '3'"),
        (("isru_alpha = 0.03", "isru_alpha = 0"), "isru_alpha is 0"),
        (("dropout = 0.2", "dropout = 1.0"), "dropout is 1.0"),
        (("patience = 10", "patience = 10\npatient = 1"), "patient"),
        (("bias_l2 = 0.001\n", ""), "bias_l2"),
        (('method = "random"', 'method = "best"'), "'best'"),
        (("[start]", "[start"), "not valid TOML"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_preset_with_a_mistake_is_refused(tmp_path: Path, change: tuple, words: str) -> None:
    from train.errors import PresetError
    from train.networks.presets import load_preset

    path = tmp_path / "mine.toml"
    path.write_text(QUICK.replace(*change))
    with pytest.raises(PresetError, match=re.escape(words)):
        load_preset(str(path))


def test_a_figure_that_does_not_exist_stops_nothing(tmp_path: Path, default_run: Path) -> None:
    """A test fold whose phenotype is constant has no PCC: null in the bundle, no crash."""
    names, codes, phenotype, family = simulate(n_samples=60, n_snps=12)
    values = [88.0 if row % 4 == 0 else float(v) for row, v in enumerate(phenotype)]
    write_table(tmp_path / "table.tsv.gz", names, codes, values, family, n_folds=4)
    done = run(tmp_path, "flat", "--preset", "gblup", "--fold", 1)
    assert done.returncode == 0, done.stderr
    result = "folds/fold_01/result.json"
    metrics = json.loads((tmp_path / "runs" / "flat" / result).read_text())["metrics"]
    assert metrics["pcc"] is None
    assert metrics["mae"] > 0

    # In a complete run, whose other folds need not be trained for this.
    shutil.copytree(default_run / "runs" / "whole", tmp_path / "runs" / "whole")
    path = tmp_path / "runs" / "whole" / result
    path.write_text(json.dumps({**json.loads(path.read_text()), "metrics": metrics}))
    done = train("summarize", "runs/whole", "--out", "models/flat", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    bundle = load_bundle(tmp_path / "models" / "flat")
    assert bundle.manifest.folds[0].metrics["pcc"] is None
    assert bundle.manifest.folds[1].metrics["pcc"] is not None
    assert "| 1 | not available | " in (tmp_path / "models" / "flat" / "MODEL_CARD.md").read_text()


def test_phenotypes_that_look_like_genotypes_are_not_trained_on(tmp_path: Path) -> None:
    """Notes of 0 to 2 that follow the trait: as SNPs they would double the accuracy."""
    names, codes, phenotype, family = simulate(n_samples=60, n_snps=24)
    notes = np.digitize(phenotype, np.quantile(phenotype, [0.4, 0.8])).astype(np.int8)
    columns = {"rust": notes > 0, "site": notes == 1, "lodging": notes}
    sheet = np.column_stack([columns["rust"], codes, columns["site"], columns["lodging"]])
    write_table(
        tmp_path / "table.tsv.gz",
        ["rust", *names, "site", "lodging"],
        sheet.astype(np.int8),
        phenotype,
        family,
    )
    refused = run(tmp_path, "sheet", "--preset", "gblup")
    assert refused.returncode == 63
    assert "3 columns 'rust', 'site', 'lodging'" in refused.stderr
    assert f"other 24, {names[0]} to {names[-1]}" in refused.stderr
    assert "--ignore rust --ignore site --ignore lodging" in refused.stderr
    assert not (tmp_path / "runs").exists()

    ways = {
        "ignored": ["--ignore", "rust", "--ignore", "site", "--ignore", "lodging"],
        "begun": ["--snps-from", names[0], "--ignore", "site", "--ignore", "lodging"],
        "insisted": ["--snps-from", "rust"],
    }
    n_snps = {}
    for name, words in ways.items():
        # One fold, which is enough: what it is trained on is in the run's folder.
        done = run(tmp_path, name, "--preset", "gblup", "--fold", 1, *words)
        assert done.returncode == 0, done.stderr
        labels = json.loads((tmp_path / "runs" / name / "data" / "labels.json").read_text())
        n_snps[name] = len(labels["snps"])
        assert f"SNPs: {n_snps[name]} columns" in done.stderr
        assert "not SNPs: 'fold', 'height', 'line', 'family'" in done.stderr
    assert n_snps == {"ignored": 24, "begun": 24, "insisted": 27}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            (),
            "will score tables of codes only, no VCF, PLINK or HapMap file; to change that, name "
            "the alleles with --snp-info FILE --counted-allele COLUMN --other-allele COLUMN",
        ),
        (
            ("--snp-info", "s.tsv"),
            "name them with --counted-allele COLUMN --other-allele COLUMN, columns of s.tsv",
        ),
        (
            ("--snp-info", "s.tsv", "--counted-allele", "b", "--other-allele", "a"),
            "alleles of 2 of the 12 SNPs are not known: in VCF, PLINK and HapMap files the model "
            "will find these SNPs missing; complete them in s.tsv",
        ),
        (("--snp-info", "s.tsv", "--counted-allele", "c", "--other-allele", "a"), None),
    ],
    ids=["no SNP table", "no columns", "gaps", "all known"],
)
def test_what_a_model_without_alleles_cannot_do_is_said_before_training(
    tmp_path: Path, options: tuple, words: str | None
) -> None:
    parts = simulate(n_samples=30, n_snps=12)
    write_table(tmp_path / "table.tsv.gz", *parts)
    ends = ["NA\tNA\tC", "NA\tNA\tC", "A\tNA\tC", *["A\tC\tC"] * 9]
    rows = [f"{n}\t1\t{at}\t{end}" for at, (n, end) in enumerate(zip(parts[0], ends, strict=True))]
    (tmp_path / "s.tsv").write_text("\n".join(["snp\tchrom\tpos\ta\tb\tc", *rows]) + "\n")
    done = run(tmp_path, "bare", "--fold", 9, *options)  # there is none: nothing is trained
    assert done.returncode == 2, done.stderr
    assert ("note: " in done.stderr) is (words is not None)
    assert words is None or words in done.stderr


def test_several_traits_share_their_data_and_get_a_bundle_each(tmp_path: Path) -> None:
    names, codes, phenotype, family = simulate(n_samples=60, n_snps=24)
    write_table(tmp_path / "table.tsv.gz", names, codes, phenotype, family, n_folds=2)
    rows = ["id\tyield", *(f"S{n:03d}\t{'NA' if n % 10 == 0 else n}" for n in range(60))]
    (tmp_path / "yield.tsv").write_text("\n".join(rows) + "\n")
    words = ("--trait", "height,yield", "--unit", "cm,t/ha", "--phenotypes", "yield.tsv")
    done = run(tmp_path, "two", "--preset", "gblup", *words)
    assert done.returncode == 0, done.stderr
    assert "6 samples left out: their phenotype is missing (yield)" in done.stderr
    bundles = {trait: load_bundle(tmp_path / "models" / f"two-{trait}") for trait in UNITS}
    assert {trait: bundle.manifest.unit for trait, bundle in bundles.items()} == UNITS
    tested = {trait: sum(f.n_test for f in b.manifest.folds) for trait, b in bundles.items()}
    assert tested == {"height": 60, "yield": 54}
    assert len(list((tmp_path / "runs" / "two").rglob("codes.npy"))) == 1

    # Alone, a trait of all lines is trained the same way.
    done = run(tmp_path, "one", "--preset", "gblup")
    assert done.returncode == 0, done.stderr
    ensembles = [tmp_path / "models" / name / "ensemble.onnx" for name in ("one", "two-height")]
    assert ensembles[0].read_bytes() == ensembles[1].read_bytes()


def test_lines_of_several_rows_are_averaged_and_stay_in_one_fold(tmp_path: Path) -> None:
    names, codes, phenotype, family = simulate(n_samples=30, n_snps=24)
    path = write_table(tmp_path / "table.tsv", names, codes, phenotype, family)
    header, *rows = path.read_text().splitlines()
    # The second row of each line is higher by 2, and stands in another fold.
    again = [row.split("\t") for row in rows]
    again = [[str(int(r[0]) % 3 + 1), f"{float(r[1]) + 2:.4f}", *r[2:]] for r in again]
    twice = "\n".join([header, *rows, *("\t".join(row) for row in again)]) + "\n"
    (tmp_path / "table.tsv.gz").write_bytes(gzip.compress(twice.encode()))
    words = ("--preset", "gblup", "--folds", "random", "--n-folds", 2)
    refused = run(tmp_path, "plots", *words)
    assert refused.returncode == 16
    assert "--repeats mean" in refused.stderr
    given = run(tmp_path, "plots", "--preset", "gblup", "--repeats", "mean")
    assert given.returncode == 50
    assert "rows of line 'S000' hold '1' and '2'" in given.stderr
    assert "--folds random" in given.stderr
    assert not (tmp_path / "runs").exists()

    done = run(tmp_path, "plots", *words, "--repeats", "mean")
    assert done.returncode == 0, done.stderr
    assert "60 rows of 30 lines averaged to one value per line (table.tsv.gz)" in done.stderr
    bundle = load_bundle(tmp_path / "models" / "plots")
    training = bundle.manifest.training
    assert (training.samples, training.repeats) == (30, "mean")
    assert training.phenotype_mean == pytest.approx(phenotype.mean() + 1, abs=1e-3)
    card = (tmp_path / "models" / "plots" / "MODEL_CARD.md").read_text()
    assert "averaged to one value per line (`--repeats mean`)" in card


def test_summary_of_something_else_says_so(tmp_path: Path) -> None:
    done = train("summarize", tmp_path, cwd=tmp_path)
    assert done.returncode == 56
    assert "not a run folder" in done.stderr


def test_disagreeing_models_are_not_exported() -> None:
    from train.errors import ParityError
    from train.parity import require_parity

    one = np.array([90.0, 100.0])
    assert require_parity("x", one, one + 0.0005, scale=10.0) == pytest.approx(5e-5)
    with pytest.raises(ParityError, match="fold 3 differ by"):
        require_parity("fold 3", one, one + 0.002, scale=10.0)
    with pytest.raises(ParityError):
        require_parity("fold 3", one, one * np.nan, scale=10.0)


def test_an_altered_fold_model_stops_the_export(default_run: Path) -> None:
    """The proof is made from the files that would ship, not from what the fold remembers."""
    folds = default_run / "runs" / "whole" / "folds"
    models = [folds / f"fold_{n:02d}" / "model.onnx" for n in (1, 2)]
    kept = models[0].read_bytes()
    models[0].write_bytes(models[1].read_bytes())
    try:
        done = train("summarize", "runs/whole", "--out", "models/altered", cwd=default_run)
    finally:
        models[0].write_bytes(kept)
    assert done.returncode == 58
    assert "fold 1: Keras and ONNX differ" in done.stderr
    assert not (default_run / "models" / "altered").exists()
