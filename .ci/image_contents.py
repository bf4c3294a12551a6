"""What lies in an image: checked, and listed as a bill of materials (SBOM, CycloneDX 1.6).

    python .ci/image_contents.py ROOT REVISION SBOM.json

ROOT is the image's root, mounted. Exits with a line for everything that should not be there.
Needs cyclonedx-bom.
"""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from constraints import normalised, read
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

#: Programs that build software, and what fetches it.
TOOLS = ("gcc", "cc", "g++", "c++", "clang", "ld", "make", "git", "curl", "wget", "pip", "pip3")


def complaints(root: Path, found: list[Distribution]) -> Iterator[str]:
    """One line for each thing that is wrong with an image."""
    for folder in ("usr/bin", "usr/local/bin", "opt/venv/bin", "opt/snpredict/bin"):
        for name in TOOLS:
            if (root / folder / name).exists():
                yield f"a tool that builds or fetches: /{folder}/{name}"
    for pattern in ("tests", "pip", "setuptools", "pkg_resources", "include", ".cache"):
        for folder in sorted((root / "opt").rglob(pattern)):
            # A module of that name inside a package is its own affair: keras/.../tests.py is none.
            if folder.is_dir() and any(folder.iterdir()):
                yield f"not needed: /{folder.relative_to(root)}"
    for folder in ("root/.cache", "var/lib/apt/lists", "var/cache/apt/archives", "tmp"):
        files = (
            [p for p in (root / folder).rglob("*") if p.is_file()]
            if (root / folder).exists()
            else []
        )
        if files:
            yield f"left over: /{files[0].relative_to(root)}"
    stale = [p for p in (root / "opt").rglob("*.pyc") if not p.read_bytes()[4] & 1]
    if stale:
        yield f"{len(stale)} compiled files go by times, such as /{stale[0].relative_to(root)}"
    versions = read()
    for d in found:
        name = normalised(d.name)
        if name != "snpredict" and versions.get(name) != d.version:
            yield f"{name} {d.version} is installed, constraints.txt has {versions.get(name)}"


def debian(root: Path) -> Iterator[tuple[str, str]]:
    """Name and version of Debian's packages."""
    words = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package} ${Version}\n"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        name, version = line.split()
        yield name, version


def component(d: Distribution) -> Component:
    """A Python package, with the licence that it names."""
    licence = d.metadata.get("License-Expression") or d.metadata.get("License")
    return Component(
        name=d.name,
        version=d.version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", name=normalised(d.name), version=d.version),
        bom_ref=f"pypi:{normalised(d.name)}",
        # Some packages put the whole text there.
        licenses=[LicenseFactory().make_from_string(licence)]
        if licence and len(licence) < 80
        else [],
    )


def sbom(root: Path, found: list[Distribution], revision: str) -> str:
    """The bill of materials; the same image gives the same text."""
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{revision}:{len(found)}"))
    for d in found:
        bom.components.add(component(d))
    for name, version in debian(root):
        url = PackageURL("deb", "debian", name, version)
        kind = ComponentType.LIBRARY
        bom.components.add(
            Component(name=name, version=version, type=kind, purl=url, bom_ref=f"deb:{name}")
        )
    bom.metadata.timestamp = None
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)


def main(root: Path, revision: str, out: Path) -> None:
    """Check the image at `root`, and write its bill of materials."""
    places = [*root.glob("opt/venv/lib/python3*/site-packages"), root / "opt" / "snpredict"]
    found = sorted(distributions(path=[str(p) for p in places]), key=lambda d: d.name.lower())
    assert found, f"no Python packages under {root}"
    out.write_text(sbom(root, found, revision) + "\n")
    lines = list(complaints(root, found))
    if lines:
        sys.exit("\n".join(f"error: {line}" for line in lines))
    print(
        f"{len(found)} Python packages as constrained; no compiler, pip, cache or tests; {out.name}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
