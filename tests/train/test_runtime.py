"""What is said of the software that a figure depends on."""

from importlib.metadata import PackageNotFoundError

import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from train import runtime


def test_tensorflow_without_cuda_is_a_package_of_another_name(monkeypatch) -> None:
    usual, known = runtime.software_versions(), runtime.version

    def version(name: str) -> str:
        if name == "tensorflow":
            raise PackageNotFoundError(name)
        return known(name.replace("tensorflow-cpu", "tensorflow"))

    monkeypatch.setattr(runtime, "version", version)
    assert runtime.software_versions() == usual
