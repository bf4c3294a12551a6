"""An option that is given twice is refused, whatever command it is of."""

import pytest
import typer.main

from docs.generate import commands
from snpredict.cli import app
from snpredict.errors import UsageError
from train.cli import app as train_app


def options():
    for application, name in ((app, "snpredict"), (train_app, "train")):
        for path, command in commands(typer.main.get_command(application), (name,)):
            for option in command.params:
                if option.param_type_name == "option" and option.name != "help":
                    yield pytest.param(command, option, id=f"{' '.join(path)} {option.opts[-1]}")


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_twice(command, option):
    name = max(option.opts, key=len)
    given = [name] if option.is_flag else [name, *["1"] * option.nargs]
    needed = []
    for other in command.params:
        if other.required and other is not option:
            needed += [max(other.opts, key=len), "1"] if other.opts[0][0] == "-" else ["x"]
    if option.multiple:
        command.make_context("x", [*needed, *given, *given])
        return
    with pytest.raises(UsageError, match=f"^{name} is given 2 times, expected once"):
        command.make_context("x", [*needed, *given, *given])


def test_short_and_long_names_are_one_option(run):
    for arguments in (["-m", "tiny", "--model", "tiny"], ["-mtiny", "-m", "tiny"]):
        outcome = run("check", "g.tsv", *arguments)
        assert outcome.code == 2
        assert outcome.out == ""
        assert outcome.err == (
            "error: --model is given 2 times, expected once\n\nhint: give it once\n"
        )


def test_a_switch_and_its_opposite():
    command = typer.main.get_command(train_app).commands["run"]
    with pytest.raises(UsageError, match="--resume is given 2 times"):
        command.make_context("x", ["--resume", "--no-resume"])
