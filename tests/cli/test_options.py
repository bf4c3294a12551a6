"""Options that several commands have in common, and what their help says of choices."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
import typer.main

from snpredict import choices
from snpredict.cli import app
from snpredict.terminal.commands import App

CHOICES = {
    "--input-format": choices.INPUT_FORMATS,
    "--snps-in": choices.SNPS_IN,
    "--coding": choices.CODINGS,
    "--dosages": choices.DOSAGES,
    "--strand": choices.STRANDS,
    "--ambiguous": choices.AMBIGUOUS,
    "--families": choices.FAMILIES,
    "--format": choices.OUTPUT_FORMATS,
}
DEFAULTS = {
    "--model": choices.DEFAULT_MODEL,
    "--coding": choices.CODINGS[0],
    "--dosages": choices.DOSAGES[0],
    "--strand": choices.STRANDS[0],
    "--ambiguous": choices.AMBIGUOUS[0],
    "--families": choices.FAMILIES[0],
    "--min-match": choices.MIN_MATCH,
}


@pytest.mark.parametrize("command", ["predict", "check", "explain"])
def test_help_names_the_choices_and_the_default(command):
    parameters = typer.main.get_command(app).commands[command].params
    options = {parameter.opts[0]: parameter for parameter in parameters}
    assert {"--input-format", "--min-match", "--match-log"} <= set(options)
    for name in options.keys() & CHOICES.keys():
        assert options[name].metavar == "|".join(CHOICES[name])
    for name in options.keys() & DEFAULTS.keys():
        assert f"[default: {DEFAULTS[name]}" in options[name].help


@pytest.mark.parametrize("option", sorted(CHOICES))
def test_another_word_is_refused_with_the_choices(run, option):
    more = ("--interval", "0.9") if option == "--families" else ()
    outcome = run("predict", "g.tsv", option, "sideways", *more)
    assert outcome.code == 2
    assert "sideways" in outcome.err
    assert f"expected one of {', '.join(CHOICES[option])}" in outcome.err


@dataclass(frozen=True)
class Shared:
    size: Annotated[int, typer.Option("--size", help="How large.")] = 3
    name: Annotated[str | None, typer.Option("--name", help="Of what.")] = None


def test_a_dataclass_is_one_option_per_field_in_its_place():
    app, seen = App(add_completion=False), []

    @app.command()
    def draw(
        first: Annotated[str, typer.Argument()],
        shared: Shared = Shared(),
        last: Annotated[bool, typer.Option("--last")] = False,
    ) -> None:
        """Draw."""
        seen.append((first, shared, last))

    command = typer.main.get_command(app)
    assert [p.name for p in command.params] == ["first", "size", "name", "last"]
    app(["x", "--size", "4", "--last"], standalone_mode=False)
    app(["y"], standalone_mode=False)
    assert seen == [("x", Shared(4), True), ("y", Shared(), False)]
