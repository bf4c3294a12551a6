"""Check that the conda recipe and the Galaxy tool are true, with the `snpredict` on PATH.

The recipe must parse and ask for what pyproject.toml asks for. The Galaxy tool's command is filled
in as Galaxy does, for each of its own tests, run, and its outputs held against what the test says.
Needs py-rattler-build and Cheetah.
"""

import re
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from Cheetah.Template import Template
from rattler_build import Stage0Recipe

HERE = Path(__file__).resolve().parent
PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]


def check_conda() -> None:
    """The recipe has our version and our requirements."""
    (variant,) = Stage0Recipe.from_file(HERE / "conda" / "recipe.yaml").render()
    recipe = variant.recipe
    assert str(recipe.package.version) == PROJECT["version"], recipe.package.version
    found = {str(line).replace(" ", "") for line in recipe.requirements.run}
    expected = {f"python{PROJECT['requires-python']}", *PROJECT["dependencies"]}
    assert found == expected, f"the recipe asks for {found ^ expected}, or lacks it"
    print(
        f"conda: {recipe.package.name} {recipe.package.version}, requirements as in pyproject.toml"
    )


def value(param: Element) -> Any:
    """What Galaxy puts where a template names a parameter without a value from the user."""
    if param.get("type") != "select":
        return param.get("value", "")
    chosen = [o.get("value") for o in param.iter("option") if o.get("selected") == "true"]
    return chosen if param.get("multiple") == "true" else chosen[0]


def parameters(tool: Element, test: Element) -> dict[str, Any]:
    """Values of all parameters for one test of the tool."""

    def name(param: Element) -> str:
        return param.get("name") or param.get("argument", "").lstrip("-").replace("-", "_")

    values: dict[str, Any] = {name(p): value(p) for p in tool.findall("inputs/param")}
    for conditional in tool.findall("inputs/conditional"):
        inner = {name(p): value(p) for p in conditional.iter("param")}
        given = test.findall(f"conditional[@name='{conditional.get('name')}']/param")
        for p in given:
            inner[p.get("name", "")] = p.get("value")
        inner["names"] = (
            inner["names"].split(",") if isinstance(inner["names"], str) else inner["names"]
        )
        values[conditional.get("name", "")] = inner
    for p in test.findall("param"):
        values[p.get("name", "")] = p.get("value")
    values["genotypes"] = str(HERE / "galaxy" / "test-data" / values["genotypes"])
    return values


def check_output(path: Path, output: Element) -> None:
    """Hold a file against the assertions of a test."""
    text = path.read_text()
    for rule in output.iterfind("assert_contents/*"):
        if rule.tag == "has_n_lines":
            assert len(text.splitlines()) == int(rule.get("n", "")), (
                path.name,
                len(text.splitlines()),
            )
        elif rule.tag == "has_text":
            assert rule.get("text", "") in text, (path.name, rule.get("text"))
        elif rule.tag == "has_line_matching":
            pattern = rule.get("expression", "")
            assert any(re.fullmatch(pattern, line) for line in text.splitlines()), (
                path.name,
                pattern,
            )
        else:
            raise AssertionError(f"no rule {rule.tag}")


def check_galaxy() -> None:
    """Run the tool's command for each of its tests."""
    tool = ElementTree.parse(HERE / "galaxy" / "snpredict_predict.xml").getroot()
    version = tool.findtext("macros/token[@name='@TOOL_VERSION@']")
    assert version == PROJECT["version"], version
    tests = tool.findall("tests/test")
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            files = {
                d.get("name", ""): Path(folder, f"{d.get('name')}.dat")
                for d in tool.findall("outputs/data")
            }
            filled = {**parameters(tool, test), **{k: str(v) for k, v in files.items()}}
            command = str(Template(tool.findtext("command"), searchList=[filled]))
            subprocess.run(["/bin/sh", "-c", " ".join(command.split("\n"))], cwd=folder, check=True)
            for data in tool.findall("outputs/data"):
                if data.get("from_work_dir"):
                    Path(folder, data.get("from_work_dir", "")).rename(files[data.get("name", "")])
            for output in test.findall("output"):
                check_output(files[output.get("name", "")], output)
    print(f"Galaxy: the command of {version}, run for its {len(tests)} tests")


if __name__ == "__main__":
    check_conda()
    check_galaxy()
