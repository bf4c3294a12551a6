"""What the training commands say of mistakes that the system reports."""

import sys

import pytest

from train import cli


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        # As ctypes raises it where LightGBM does not find its OpenMP: without number and file.
        (
            OSError("libgomp.so.1: cannot open shared object file: No such file or directory"),
            60,
            ["error: a library of the system cannot be loaded: libgomp.so.1: cannot", "libgomp1"],
        ),
        (OSError(28, "No space left on device"), 40, ["error: No space left on device"]),
        (OSError(13, "Permission denied", "/x"), 40, ["error: /x: Permission denied"]),
        (ModuleNotFoundError("No module named 'scipy'", name="scipy"), 60, ["pip install -e"]),
        (
            ImportError("cannot import name 'x'", name="train.runs"),
            1,
            ["error: unexpected ImportError"],
        ),
    ],
    ids=["no shared library", "no file named", "a file", "a package", "ours"],
)
def test_an_error_of_the_system_is_told(monkeypatch, capfd, error, code, words) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("train.commands.summarize.summarize_run", fail)
    monkeypatch.setattr(sys, "argv", ["train", "summarize", "runs/x"])
    assert cli.main() == code
    said = capfd.readouterr().err
    assert [part for part in words if part not in " ".join(said.split())] == [], repr(said)
    assert "None:" not in said
