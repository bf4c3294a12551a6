"""README and docs say what the programs do."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the reference covers the training commands too")

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "docs"))

import typer.main
from generate import PAGES, commands, error_classes, snpredict_app, train_app

from snpredict.terminal.program import run_program


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_current(name: str) -> None:
    written = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run: python docs/generate.py"


def every_command() -> list:
    """Path, application and command of every command of both programs, by a readable id."""
    return [
        pytest.param(application, path[1:], command, id=" ".join(path))
        for application, name in ((snpredict_app, "snpredict"), (train_app, "train"))
        for path, command in commands(typer.main.get_command(application), (name,))
    ]


@pytest.mark.parametrize(("application", "path", "command"), every_command())
def test_reference_gives_every_default_and_what_is_required(application, path, command) -> None:
    program = "snpredict" if application is snpredict_app else "python -m train"
    page = PAGES["cli.md"]().partition(f"## `{' '.join((program, *path))}`\n")[2]
    rows = dict(re.findall(r"^\| `([^`]+)`.* \| ([^|]*) \|$", page.partition("\n## ")[0], re.M))
    for parameter in command.params:
        if parameter.name == "help":
            continue
        argument = parameter.param_type_name == "argument"
        said = (
            rows[parameter.metavar or parameter.name.upper()]
            if argument
            else rows[parameter.opts[0]]
        )
        if parameter.required:
            assert said == "*required*"
        elif isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool):
            assert said == str(parameter.default)
        elif parameter.secondary_opts:
            assert said in (*parameter.opts, *parameter.secondary_opts)


@pytest.mark.parametrize(("application", "path", "command"), every_command())
def test_help_is_readable_at_80_columns(application, path, command, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run_program(application, "program", [*path, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith("...") and "Usage" not in line]
    for parameter in command.params:
        if text := getattr(parameter, "help", None):
            beginning = text[:12]
            begins = [line.index(beginning) for line in lines if beginning in line]
            assert begins, f"{parameter.name}: its description is broken within 12 characters"
            assert min(begins) <= 45, f"{parameter.name}: its description is too narrow"


def test_every_command_and_option_has_help() -> None:
    for application in (snpredict_app, train_app):
        for path, command in commands(typer.main.get_command(application), ("app",)):
            assert command.help, path  # type: ignore[attr-defined]
            for parameter in command.params:  # type: ignore[attr-defined]
                assert getattr(parameter, "help", None), (path, parameter.name)


def test_every_error_has_an_exit_code_of_its_own() -> None:
    codes = [error.exit_code for error in error_classes()]
    assert len(codes) == len(set(codes))
    assert not {0, 1} & set(codes)


def test_readme_holds_exactly_two_commands_to_run() -> None:
    """CI runs the ``sh`` blocks as they stand; other examples are ``console`` blocks."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert [block.count("\n") for block in blocks] == [1, 1]
    assert "snpredict predict" in blocks[0]
    assert "pytest" in blocks[1]


def test_readme_links_lead_somewhere() -> None:
    for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_readme_shows_the_predictions_of_the_shipped_model() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    number = r"\t([\d.]+)"
    shown = re.findall(rf"^(SIM-\d-\d\d){3 * number}\tensemble\t", readme, re.MULTILINE)
    assert len(shown) >= 3
    done = subprocess.run(
        [sys.executable, "-m", "snpredict", "predict", "examples/genotypes.tsv"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in done.stderr.splitlines():
        assert line in readme
    checked = subprocess.run(
        [sys.executable, "-m", "snpredict", "check", "examples/lines.vcf.gz"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked.stdout in readme
    predicted = {line.split("\t")[0]: line.split("\t") for line in done.stdout.splitlines()}
    # The first thing that a person sees is not a warning about most of the lines.
    flagged = [cells[7] for cells in predicted.values()].count("true")
    assert 0 < flagged <= 3
    for sample, prediction, spread, reliability in shown:
        assert float(predicted[sample][1]) == pytest.approx(float(prediction), abs=0.01)
        assert float(predicted[sample][2]) == pytest.approx(float(spread), abs=0.01)
        assert predicted[sample][3] == reliability


def test_readme_figures_are_those_of_the_evaluation() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    report = (REPOSITORY / "docs" / "accuracy.md").read_text(encoding="utf-8")
    # trait, folds, figure, network, best baseline
    rows = re.findall(
        r"^\| (\w+) \| ([\w ]+) \| ([\w ]+) \| ([\d.]+) \| .*? ([\d.]+) \|", report, re.M
    )
    figures = {(trait, folds, what): (one, other) for trait, folds, what, one, other in rows}
    shown = re.findall(r"^\| `soynam-(\w+)` \|(.*)\|$", readme, re.M)
    assert len(shown) == 4
    for trait, cells in shown:
        expected = [
            number
            for what in ("mean PCC", "within families")
            for number in figures[trait, "random folds", what]
        ]
        assert re.findall(r"\d\.\d+", cells) == expected
    text = readme.replace("\n", " ")
    for trait, what, words in (
        ("yield", "mean PCC", "behind BayesR on yield ({} against {}"),
        ("yield", "within families", "; inside families {} against {})"),
        ("protein", "within families", "behind GBLUP on protein ({} against {})"),
    ):
        assert words.format(*figures[trait, "families left out", what]) in text


def _rows_of_models(text: str) -> dict[str, set[str]]:
    """All cells of all table rows that begin with the same name, without bold."""
    rows: dict[str, set[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip(" *") for cell in line.split("|")[1:-1]]
        if len(cells) > 5:
            rows.setdefault(cells[0], set()).update(cells[1:])
    return rows


@pytest.mark.parametrize("trait", ["height", "yield", "protein", "oil"])
def test_card_figures_are_those_of_the_evaluation(trait: str) -> None:
    report = _rows_of_models((REPOSITORY / "docs" / "accuracy.md").read_text(encoding="utf-8"))
    card = REPOSITORY / "models" / f"soynam-{trait}" / "MODEL_CARD.md"
    _, compared = card.read_text(encoding="utf-8").split("## Compared with baselines")
    shown = _rows_of_models(compared.split("\n## ")[0])
    assert "BayesR" in shown
    assert "network, default" in shown
    for model in shown.keys() - {"model", "---"}:
        assert shown[model] <= report[model]


def test_readme_shows_what_explains_a_sample(monkeypatch, capsys) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    command, _, shown = re.search(
        r"^\$ snpredict (explain .*?)$(\n)(.*?)^```$", readme, re.M | re.S
    ).groups()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.chdir(REPOSITORY)
    assert run_program(snpredict_app, "snpredict", command.split()) == 0
    plain = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    printed = [line.rstrip() for line in plain.splitlines() if line.strip()]
    assert printed == [line.rstrip() for line in shown.splitlines() if line.strip()]


def shown_commands() -> list[str]:
    """What README and docs show of `snpredict` behind a prompt."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    texts = [page.read_text(encoding="utf-8") for page in pages]
    return [c for text in texts for c in re.findall(r"^\$ snpredict (.*)$", text, re.M)]


def runnable(command: str) -> bool:
    return all((REPOSITORY / word).exists() for word in command.split() if "/" in word)


@pytest.mark.parametrize("command", list(filter(runnable, shown_commands())))
def test_a_command_that_is_shown_runs_as_it_stands(command: str, monkeypatch, capsys) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert run_program(snpredict_app, "snpredict", shlex.split(command)) == 0
    assert capsys.readouterr().out
