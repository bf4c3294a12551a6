"""The evaluation command: what it leaves on disk, what it refuses, and two controls."""

import csv
import io
import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")
pytest.importorskip("lightgbm", reason="needs the extra 'train'")

from rich.console import Console

from snpredict.errors import DuplicateSample, UsageError
from tests.simulated import read_table, read_tables, simulate, write_table
from train.cli import app
from train.commands.evaluate import evaluate
from train.data.controls import CONTROLS
from train.data.families import genotype_clusters
from train.data.folds import SCHEMES
from train.data.phenotypes import PhenotypeFile, read_phenotypes
from train.errors import (
    ConstantPhenotype,
    IncompleteRun,
    PhenotypeFileError,
    SettingsChanged,
    TrainingTableError,
    UncertainColumns,
    UnknownModelName,
)
from train.evaluation.command_line import read_commands, shown, told
from train.evaluation.figures import Interval, read_evaluation
from train.evaluation.report import write_report
from train.evaluation.setup import EvaluateOptions
from train.registry import BASELINES

pytestmark = pytest.mark.slow

FAST = ("family-mean", "missing-mask", "gblup", "ridge-channels", "rkhs")


def run(options: EvaluateOptions) -> str:
    """What the evaluation says."""
    text = io.StringIO()
    evaluate(options, Console(file=text, width=200))
    return text.getvalue()


def metrics_of(folder: Path) -> dict[tuple[str, ...], float]:
    with (folder / "metrics.csv").open(newline="") as file:
        return {
            (row["trait"], row["scheme"], row["model"], row["figure"]): float(row["value"])
            for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 15 families, and phenotypes of two traits, the second with gaps."""
    folder = tmp_path_factory.mktemp("evaluation")
    parts = simulate(n_samples=240, n_snps=60, n_families=15)
    write_table(folder / "table.tsv", *parts, n_folds=4)
    phenotype = parts[2]
    lines = ["id\tyield\theight"]
    for row in reversed(range(240)):
        second = "NA" if row % 10 == 0 else f"{-phenotype[row]:.3f}"
        lines.append(f"S{row:03d}\t{second}\t{phenotype[row]:.4f}")
    (folder / "phenotypes.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def options(folder: Path) -> EvaluateOptions:
    return EvaluateOptions(
        table=folder / "table.tsv",
        traits=("height", "yield"),
        out=folder / "whole",
        phenotypes=folder / "phenotypes.tsv",
        units=("cm", "t/ha"),
        schemes=SCHEMES,
        models=FAST,
        controls=True,
        refit=True,
        threads=1,
    )


@pytest.fixture(scope="module")
def whole(options: EvaluateOptions) -> Path:
    """The fast models under all schemes with controls."""
    run(replace(options, report=options.out.parent / "docs" / "accuracy.md"))
    return options.out


def test_every_model_is_scored_under_every_scheme(whole: Path) -> None:
    found = metrics_of(whole)
    for trait in ("height", "yield"):
        for scheme in ("given", "random", "family"):
            for model in FAST:
                assert (trait, scheme, model, "mae") in found
            assert found[trait, scheme, "gblup", "pcc"] > 0.3
    # The same trait with the sign changed, on nine tenths of the samples.
    assert found["yield", "given", "gblup", "pcc"] == pytest.approx(
        found["height", "given", "gblup", "pcc"], abs=0.1
    )
    assert np.isnan(found["height", "family", "family-mean", "pcc"])
    assert found["height", "given", "gblup+refit", "pcc"] > 0.4


def test_families_stay_whole_under_the_family_scheme(whole: Path) -> None:
    families = np.load(whole / "data" / "families.npy")
    folds = np.load(whole / "data" / "folds-family.npy")
    for family in set(families):
        assert len(set(folds[families == family])) == 1


def test_samples_without_a_trait_are_left_out_of_it_alone(whole: Path) -> None:
    found = read_evaluation(whole)
    tested = np.concatenate(found.scores["yield", "random", "gblup"].rows)
    assert sorted(tested) == [row for row in range(240) if row % 10]
    assert len(np.concatenate(found.scores["height", "random", "gblup"].rows)) == 240


@pytest.mark.parametrize("model", [name for name in FAST if name != "family-mean"])
def test_controls_are_not_predicted(whole: Path, model: str) -> None:
    """50 shuffles: the mean PCC has a standard error of about 0.01; families' is about 0.04."""
    controls = read_evaluation(whole).controls
    for scheme in ("given", "random", "family"):
        values = controls["shuffled", scheme, model]
        assert len(values) == BASELINES[model].control_seeds
        assert abs(values.mean()) < 0.04, scheme
    assert abs(controls["family-effects", "family", model].mean()) < 0.15


def test_family_effects_are_predicted_where_siblings_were_seen(whole: Path) -> None:
    """The control has power: knowing the family is worth this much on given folds."""
    controls = read_evaluation(whole).controls
    assert controls["family-effects", "given", "family-mean"].mean() > 0.99
    assert controls["family-effects", "given", "gblup"].mean() > 0.5


@pytest.mark.parametrize("name", ["bayesr", "lightgbm", "reweighted"])
def test_controls_of_a_slow_model(folder: Path, options: EvaluateOptions, name: str) -> None:
    out = folder / f"control-{name}"
    slow = replace(options, out=out, models=(name,), refit=False, schemes=("family",))
    run(replace(slow, traits=("height",), units=("cm",), only_folds=(1, 2)))
    controls = read_evaluation(out).controls
    # Two seeds and two folds of 60: a standard error of 0.065; few families, one of 0.35.
    assert abs(controls["shuffled", "family", name].mean()) < 0.2
    assert set(control for control, _, _ in controls) == set(CONTROLS)


def test_the_report_shows_figures_intervals_and_how_to_repeat_it(whole: Path) -> None:
    text = (whole / "report.md").read_text()
    # This evaluation was called from Python: there is no command line to be shown.
    assert "do not edit. Commands that made its fits, in this order: 1." in text
    assert "called from Python; fits: family-mean " in text
    assert "```console" not in text
    found = read_evaluation(whole)
    figure = found.scores["height", "given", "gblup"].figure("pcc", found.settings.seed)
    assert figure.low < figure.value < figure.high
    assert figure.text() in text
    assert "## height (cm)" in text
    assert "## Controls" in text
    assert "numpy 2" in text
    assert str(whole.parent) not in text
    elsewhere = whole.parent / "docs"
    copied = (elsewhere / "accuracy.md").read_text()
    assert "accuracy-height.png" in copied
    assert (elsewhere / "accuracy-height.png").is_file()


def test_a_difference_to_gblup_is_paired_over_folds(whole: Path) -> None:
    found = read_evaluation(whole)
    mine, gblup = (found.scores["height", "random", m] for m in ("rkhs", "gblup"))
    ahead = mine.ahead_of(gblup, "pcc", seed=1)
    assert ahead.value == pytest.approx(np.mean(mine.by_fold["pcc"] - gblup.by_fold["pcc"]))
    alone = mine.figure("pcc", 1)
    # What the folds have in common goes out of the difference.
    assert ahead.high - ahead.low < alone.high - alone.low


@pytest.mark.parametrize(
    ("interval", "signed", "text"),
    [
        (Interval(0.7361, 0.7279, 0.7451), False, "0.736 [0.728, 0.745]"),
        (Interval(-0.01, -0.02, 0.001), True, "−0.010 [−0.020, +0.001]"),
        (Interval(0.5), False, "0.500"),
        (Interval(float("nan")), False, "–"),
    ],
    ids=["plain", "signed", "no interval", "none"],
)
def test_intervals_as_text(interval: Interval, signed: bool, text: str) -> None:
    assert interval.text(signed=signed) == text


def test_the_same_command_continues_where_it_was_killed(
    whole: Path, options: EvaluateOptions
) -> None:
    before = (whole / "metrics.csv").read_bytes()
    folds = whole / "runs" / "gblup" / "random" / "height" / "folds"
    lost, other = (folds / name / "result.json" for name in ("fold_02", "fold_03"))
    lost.unlink()
    untouched = other.stat().st_mtime_ns
    said = run(options)
    assert "1/1" in said
    assert "random fold 2, gblup (height)" in said
    assert lost.is_file()
    assert other.stat().st_mtime_ns == untouched
    figures = dict(zip(before.splitlines(), before.splitlines(), strict=True))
    now = (whole / "metrics.csv").read_bytes().splitlines()
    assert all(line in figures for line in now if b"seconds" not in line)
    assert "1/1" not in run(options)


def test_other_settings_are_refused(whole: Path, options: EvaluateOptions) -> None:
    with pytest.raises(SettingsChanged, match="seed = 1; now it is 2"):
        run(replace(options, seed=2))


def test_processes_give_the_same_figures(folder: Path, options: EvaluateOptions) -> None:
    few = replace(options, models=("gblup",), schemes=("given",), only_folds=(1, 3), controls=False)
    run(replace(few, out=folder / "one"))
    run(replace(few, out=folder / "two", jobs=2))
    one, two = (read_evaluation(folder / name) for name in ("one", "two"))
    key = ("height", "given", "gblup")
    assert one.scores[key].folds == [1, 3]
    assert one.scores[key].predicted[1] == pytest.approx(two.scores[key].predicted[1], rel=1e-9)
    assert "Folds 1, 3 of 4 alone" in (folder / "one" / "report.md").read_text()


def test_gaps_that_name_families_are_said_in_words(tmp_path: Path) -> None:
    names, codes, phenotype, family = simulate(n_samples=120, n_snps=40)
    phenotype = phenotype + 30 * family
    codes[family[:, None] == np.arange(40) % 6] = -1
    table = write_table(tmp_path / "t.tsv", names, codes, phenotype, family)
    options = EvaluateOptions(
        table=table,
        traits=("height",),
        out=tmp_path / "out",
        models=("missing-mask",),
        schemes=("given", "family"),
    )
    said = run(options)
    sentence = "the pattern of missing genotypes identifies families"
    assert sentence in said
    assert (tmp_path / "out" / "report.md").read_text().count(sentence) == 1


def test_families_from_genotypes_when_no_column_names_them(tmp_path: Path) -> None:
    names, codes, phenotype, family = simulate(n_samples=200, n_snps=120, n_families=5, seed=3)
    clusters = np.array(genotype_clusters(codes, 5, seed=1))
    main = [np.unique(clusters[family == f], return_counts=True)[1].max() for f in range(5)]
    assert sum(main) > 0.6 * 200
    table = write_table(tmp_path / "t.tsv", names, codes, phenotype, family)
    options = EvaluateOptions(
        table=table,
        traits=("height",),
        out=tmp_path / "out",
        models=("gblup", "family-mean"),
        schemes=("random", "family"),
        family_column="none",
        ignore=("family",),
    )
    assert "12 genotype clusters" in run(options)
    # The clusters are the families of the models, too: their means differ.
    scores = read_evaluation(tmp_path / "out").scores["height", "random", "family-mean"]
    assert len(np.unique(scores.predicted[0])) > 2


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"models": ("gblub",)}, UnknownModelName, "no model 'gblub'"),
        ({"schemes": ("givn",)}, UnknownModelName, "no kind of folds 'givn'; known: given"),
        ({"traits": ()}, UsageError, "names no trait"),
        ({"units": ("cm",)}, UsageError, "1 entries for 2 traits"),
        ({"only_folds": (9,)}, UsageError, "9 is not one of the folds 1..4"),
        ({"traits": ("height", "oil"), "units": ()}, TrainingTableError, "no column 'oil'"),
        ({"fold_column": "nothing"}, TrainingTableError, "no column 'nothing' to take the folds"),
        ({"family_column": "none"}, UncertainColumns, "column 'family' .* its name is unlike"),
    ],
    ids=["model", "scheme", "no traits", "units", "fold", "trait", "fold column", "no SNP"],
)
def test_what_is_refused_leaves_nothing_behind(
    tmp_path: Path, options: EvaluateOptions, change: dict, error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        run(replace(options, out=tmp_path / "out", **change))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_evaluation(tmp_path: Path) -> None:
    with pytest.raises(IncompleteRun, match="not an evaluation folder"):
        write_report(tmp_path, Console(file=io.StringIO()))


def test_phenotypes_are_joined_by_sample_and_come_first(folder: Path) -> None:
    lines = (folder / "phenotypes.tsv").read_text().splitlines()
    lines[3] = "S237\t1.5\t12.25"
    changed = folder / "changed.tsv"
    changed.write_text("\n".join(lines) + "\n")
    table = folder / "table.tsv"
    data = read_tables(
        table,
        ["height"],
        family_column="family",
        ignore=("fold",),
        phenotypes=read_phenotypes(changed),
    )
    assert data.values[data.samples.index("S237"), 0] == 12.25
    assert data.families is not None
    assert len(data.snps) == 60
    (note,) = data.notes
    assert "'height' is in both files and differs in 1 of 240 samples" in note
    assert "S237" in note
    assert "taken from changed.tsv" in note
    same = read_tables(
        table,
        ["height"],
        ignore=("fold", "family"),
        phenotypes=read_phenotypes(folder / "phenotypes.tsv"),
    )
    assert same.notes == ()
    # Without the file, the other trait is not there at all.
    with pytest.raises(TrainingTableError, match="no column 'yield'"):
        read_table(table, trait="yield")


def phenotypes_of(folder: Path, tmp_path: Path, edit: Callable) -> PhenotypeFile:
    lines = (folder / "phenotypes.tsv").read_text().splitlines()
    (tmp_path / "p.tsv").write_text("\n".join(edit(lines)) + "\n")
    return read_phenotypes(tmp_path / "p.tsv")


def test_samples_of_one_file_only_are_left_out_and_listed(tmp_path: Path, folder: Path) -> None:
    found = phenotypes_of(folder, tmp_path, lambda lines: [*lines[:-2], "other\t1\t2"])
    data = read_tables(folder / "table.tsv", ["height"], found, ignore=("fold", "family"))
    assert len(data.samples) == len(data.codes) == 238
    assert not {"S000", "S001", "other"} & {*data.samples}
    assert data.dropped == 0
    assert data.notes[0] == (
        "2 of the 240 samples of table.tsv are not in p.tsv and are left out: 'S000', 'S001'; "
        "1 of the 239 samples of p.tsv are not in table.tsv and are left out: 'other'"
    )


@pytest.mark.parametrize(
    ("edit", "error", "words"),
    [
        (
            lambda lines: [lines[0], *(f"line{line}" for line in lines[1:])],
            PhenotypeFileError,
            "have no sample in common: found 'S000', .* and 'lineS239'",
        ),
        (lambda lines: [*lines, lines[-1]], DuplicateSample, "S000"),
    ],
    ids=["none in common", "twice"],
)
def test_phenotypes_that_do_not_fit(
    tmp_path: Path, folder: Path, edit: Callable, error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        read_tables(
            folder / "table.tsv",
            ["height"],
            phenotypes_of(folder, tmp_path, edit),
            ignore=("fold", "family"),
        )


def test_the_command_line_asks_for_the_same(folder: Path) -> None:
    words = ["evaluate", str(folder / "table.tsv"), "--trait", "height", "--models", "gblup"]
    words += ["--phenotypes", str(folder / "phenotypes.tsv"), "--folds", "given"]
    words += ["--fold", "1, 4", "--out", str(folder / "command"), "--threads", "1"]
    app(words, standalone_mode=False)
    assert read_evaluation(folder / "command").scores["height", "given", "gblup"].folds == [1, 4]
    first = simulate(n_snps=60)[0][0]
    app([*words, "--snps-from", first], standalone_mode=False)  # the same SNPs: continued
    with pytest.raises(UsageError, match="--fold is '1,x'"):
        app(["1,x" if word == "1, 4" else word for word in words], standalone_mode=False)


def test_plots_of_a_line_are_averaged_before_folds_are_dealt(tmp_path: Path, folder: Path) -> None:
    lines = (folder / "phenotypes.tsv").read_text().splitlines()
    (tmp_path / "plots.tsv").write_text("\n".join([*lines, *lines[1:]]) + "\n")
    words = ["evaluate", str(folder / "table.tsv"), "--trait", "height", "--models", "gblup"]
    words += ["--phenotypes", str(tmp_path / "plots.tsv"), "--folds", "random"]
    words += ["--fold", "1", "--out", str(tmp_path / "out"), "--threads", "1"]
    with pytest.raises(DuplicateSample):
        app(words, standalone_mode=False)
    app([*words, "--repeats", "mean"], standalone_mode=False)
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert (settings["n_samples"], settings["repeats"]) == (240, "mean")
    # A setting of the folder: it may not change, though these values would be the same.
    words[words.index(str(tmp_path / "plots.tsv"))] = str(folder / "phenotypes.tsv")
    with pytest.raises(SettingsChanged, match="repeats = 'mean'; now it is None"):
        app(words, standalone_mode=False)


def test_run_takes_phenotypes_from_a_file_too(tmp_path: Path, folder: Path) -> None:
    """It stops at the trait that only the file has, which is constant here."""
    lines = ["id\tweight", *(f"S{row:03d}\t5" for row in range(240))]
    (tmp_path / "weights.tsv").write_text("\n".join(lines) + "\n")
    words = ["run", str(folder / "table.tsv"), "--trait", "weight", "--unit", "g"]
    words += ["--phenotypes", str(tmp_path / "weights.tsv"), "--ignore", "height"]
    with pytest.raises(ConstantPhenotype, match=r"weights\.tsv: trait 'weight' has the value 5"):
        app([*words, "--out", str(tmp_path / "models" / "w")], standalone_mode=False)


def test_a_network_is_compared_on_the_same_fold(folder: Path, options: EvaluateOptions) -> None:
    pytest.importorskip("tensorflow", reason="needs the extra 'train'")
    out = folder / "network"
    run(
        replace(
            options,
            out=out,
            traits=("yield",),
            units=(),
            models=("gblup", "network-gblup"),
            schemes=("random",),
            only_folds=(2,),
            refit=False,
            controls=False,
        )
    )
    found = read_evaluation(out)
    text = (out / "report.md").read_text()
    versus = text.partition("## Networks against the best baseline")[2].partition("## yield")[0]
    assert versus.count("| yield | random folds |") == 2
    assert "GBLUP 0." in versus
    # A difference without an interval is not called a tie.
    for row in [line for line in versus.splitlines() if line.startswith("| yield")]:
        difference, verdict = row.split("|")[-3:-1]
        assert ("[" in difference) == ("not told" not in verdict)
    network, gblup = (found.scores["yield", "random", m] for m in ("network-gblup", "gblup"))
    assert np.array_equal(network.rows[0], gblup.rows[0])
    # The preset is the same ridge regression inside a network, on another grid of shrinkage.
    assert np.corrcoef(network.predicted[0], gblup.predicted[0])[0, 1] > 0.98
    fold = out / "runs" / "network-gblup" / "random" / "yield" / "folds" / "fold_02"
    assert json.loads((fold / "result.json").read_text())["n_train"] > 50
    assert (fold / "model.onnx").is_file()


def test_the_report_shows_the_command_lines_that_were_given(tmp_path: Path, folder: Path) -> None:
    table = (folder / "table.tsv").read_text()
    for old, new in (("family", "bred from"), (simulate(n_snps=60)[0][0], "it's"), ("fold", "pen")):
        table = table.replace(f"\t{old}\t", f"\t{new}\t", 1).replace(f"{old}\t", f"{new}\t", 1)
    (tmp_path / "my table.tsv").write_text(table)
    words = ["evaluate", str(tmp_path / "my table.tsv"), "--trait=height", "--ignore", "pen"]
    words += ["--ignore", "bred from", "--ignore=it's", "--folds", "random", "--fold", "2"]
    words += ["--out", str(tmp_path / "out"), "--threads", "1", "--models"]
    app([*words, "gblup"], standalone_mode=False)
    report = (tmp_path / "out" / "report.md").read_text()
    shown_line = next(line for line in report.splitlines() if line.startswith("$ "))
    asked = [w.replace(f"{tmp_path}/", "") for w in words]
    assert shlex.split(shown_line) == ["$", "python", "-m", "train", *asked, "gblup"]
    assert "Written by this command; do not edit." in report
    assert str(tmp_path) not in report

    app([*words, "gblup,rkhs"], standalone_mode=False)
    app([*words, "gblup,rkhs"], standalone_mode=False)  # nothing is left to fit
    report = (tmp_path / "out" / "report.md").read_text()
    assert "this command" not in report
    assert "made its fits, in this order: 2" in report
    lines = [line for line in report.splitlines() if line.startswith("$ ")]
    assert [shlex.split(line)[-1] for line in lines] == ["gblup", "gblup,rkhs"]
    assert "- command 2: started 20" in report
    assert "fits: rkhs 1" in report
    commands = read_commands(tmp_path / "out")
    assert [c["arguments"][-1] for c in commands] == ["gblup", "gblup,rkhs", "gblup,rkhs"]
    assert all(c["version"] and c["seconds"] >= 0 for c in commands)

    # A fit that says no command, as one that was put there by hand.
    run_folder = tmp_path / "out" / "runs" / "rkhs" / "random" / "height"
    fit = run_folder / "folds" / "fold_02" / "result.json"
    fit.write_text(
        json.dumps({k: v for k, v in json.loads(fit.read_text()).items() if k != "command"})
    )
    write_report(tmp_path / "out", Console(file=io.StringIO()))
    report = (tmp_path / "out" / "report.md").read_text()
    assert "Fits whose command is not recorded: 1." in report
    assert "this command" not in report


def test_a_command_that_was_stopped_is_recorded(
    tmp_path: Path, options: EvaluateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("train.runs.workers.Workers.run", stop)
    with pytest.raises(KeyboardInterrupt):
        run(
            replace(options, out=tmp_path / "out", arguments=("evaluate", "/a/b.tsv", "--x=/c/d e"))
        )
    (command,) = read_commands(tmp_path / "out")
    assert command["arguments"] == ["evaluate", "/a/b.tsv", "--x=/c/d e"]
    assert shown(command["arguments"]) == "python -m train evaluate b.tsv '--x=d e'"
    assert told([command], {}) == ["Written by `python -m train evaluate`; do not edit.", ""]


def test_the_time_left_is_a_lower_bound_until_every_model_has_been_fitted(
    tmp_path: Path, options: EvaluateOptions
) -> None:
    few = replace(options, out=tmp_path / "out", controls=False, refit=False, schemes=("random",))
    few = replace(few, traits=("height",), units=("cm",), models=("family-mean", "gblup", "rkhs"))
    lines = [line for line in run(few).splitlines() if line.endswith(("left", ")"))]
    assert len(lines) == 12
    assert all("not timed yet" in line and "rkhs)" in line for line in lines[:2])
    assert all("about" in line and "not timed" not in line for line in lines[2:])


def test_random_folds_and_families_left_out_are_what_is_evaluated_unless_told(
    tmp_path: Path, folder: Path
) -> None:
    words = ["evaluate", str(folder / "table.tsv"), "--trait", "height", "--fold", "1"]
    words += ["--models", "gblup", "--threads", "1", "--out", str(tmp_path / "out")]
    app(words, standalone_mode=False)
    assert read_evaluation(tmp_path / "out").schemes == ["random", "family"]
    app([*words, "--folds", "given"], standalone_mode=False)
    assert read_evaluation(tmp_path / "out").schemes == ["given", "random", "family"]
