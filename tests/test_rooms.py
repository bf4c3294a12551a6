"""Imports go down the list of rooms, and in no circle; the message names the line that does not."""

from pathlib import Path

from tests.draw_rooms import PICTURE, picture
from tests.rooms import Import, circle, imports, modules, unknown, upward

KNOWN = modules()
FOUND = list(imports(KNOWN))


def test_every_module_stands_in_a_room():
    assert unknown(KNOWN) == []


def test_no_import_goes_up():
    assert upward(FOUND) == []


def test_no_circle():
    assert circle(FOUND) == []


def test_the_picture_is_of_these_rooms():
    assert PICTURE.read_text(encoding="utf-8") == picture(), "run python -m tests.draw_rooms"


def test_imports_are_found_wherever_they_stand(tmp_path):
    source = """
from typing import TYPE_CHECKING
import snpredict.cli
if TYPE_CHECKING:
    from snpredict.bundle import Bundle
def late():
    from snpredict import genotypes
"""
    (tmp_path / "snpredict" / "genotypes").mkdir(parents=True)
    (tmp_path / "train").mkdir()
    for name in ("cli", "bundle", "genotypes/__init__"):
        (tmp_path / "snpredict" / f"{name}.py").touch()
    (tmp_path / "train" / "model.py").write_text(source)
    found = {(one.line, one.imported) for one in imports(modules(tmp_path), tmp_path)}
    assert found == {
        (3, "snpredict.cli"),
        (5, "snpredict.bundle"),
        (7, "snpredict.genotypes.__init__"),
    }


def made(*pairs: tuple[str, str]) -> list[Import]:
    return [Import(Path("file.py"), at, *pair) for at, pair in enumerate(pairs, 1)]


def test_an_import_that_goes_up_is_named():
    down = ("train.runs.folder", "snpredict.bundle.load")
    up = ("snpredict.matching.alleles", "snpredict.scoring.scorer")
    other_package = ("snpredict.errors", "train.errors")
    assert [line.split(",")[0] for line in upward(made(down, up, other_package))] == [
        "file.py:2: snpredict.matching.alleles imports snpredict.scoring.scorer",
        "file.py:3: snpredict.errors imports train.errors",
    ]


def test_a_circle_is_named_line_by_line():
    pairs = [("train.a", "train.b"), ("train.b", "train.c"), ("train.c", "train.a")]
    assert circle(made(*pairs, ("train.a", "train.d"))) != []
    assert len(circle(made(*pairs))) == 3
    assert circle(made(*pairs[:2])) == []
