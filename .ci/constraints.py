"""Write .ci/constraints.txt, the versions that both images install, or check it.

    python .ci/constraints.py             the newest versions that pyproject.toml allows
    python .ci/constraints.py --check     it holds a version that fits for all of pyproject.toml

Resolved for Python 3.11, the oldest one, and tried for 3.12, the one that the Dockerfiles name.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

HERE = Path(__file__).resolve().parent
FILE = HERE / "constraints.txt"
HEADER = "# Versions of what both images install. Written and checked by .ci/constraints.py.\n"


def wanted(python: str) -> list[str]:
    """What the training image installs, which is more than what the runtime image does."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(line for e in ("bcf", "pgen", "train") for line in extras[e]),
    ]
    found = map(Requirement, lines)
    return [
        # The CPU-only TensorFlow is another package with the same versions.
        f"{r.name.replace('tensorflow', 'tensorflow-cpu')}{r.specifier}"
        for r in found
        if r.marker is None or r.marker.evaluate({"python_version": python})
    ]


def resolve(python: str, *options: str) -> dict[str, str]:
    """Versions that pip would install for a version of Python, by normalised name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        words = ["install", "--dry-run", "--quiet", "--ignore-installed", "--only-binary=:all:"]
        words += ["--python-version", python, "--target", folder, "--report", str(report)]
        subprocess.run([sys.executable, "-m", "pip", *words, *options, *wanted(python)], check=True)
        entries = json.loads(report.read_text())["install"]
    named = {normalised(e["metadata"]["name"]): e["metadata"]["version"] for e in entries}
    return dict(sorted(named.items()))


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read() -> dict[str, str]:
    """The file's versions; exits if a line is anything but NAME==VERSION."""
    versions = {}
    for number, line in enumerate(FILE.read_text().splitlines(), start=1):
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9A-Za-z.+]*)", line)
        if match is None:
            sys.exit(f"error: {FILE.name} line {number} is not NAME==VERSION: {line}")
        versions[match[1]] = match[2]
    return versions


def check() -> None:
    """Exit unless every requirement of pyproject.toml has a version in the file that fits it."""
    versions = read()
    for python in ("3.11", "3.12"):
        for line in wanted(python):
            requirement = Requirement(line)
            found = versions.get(normalised(requirement.name))
            if found is None or found not in requirement.specifier:
                sys.exit(
                    f"error: pyproject.toml asks for {line}, {FILE.name} has {found}: "
                    "run .ci/constraints.py"
                )
    print(f"{FILE.name}: {len(versions)} versions, all requirements of pyproject.toml are met")


def write() -> None:
    """Resolve anew, write the file, and see that the other version of Python can take it."""
    versions = resolve("3.11")
    # TensorFlow for GPUs comes in the same version under its own name.
    versions["tensorflow"] = versions["tensorflow-cpu"]
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    FILE.write_text(HEADER + "".join(lines))
    other = resolve("3.12", "--constraint", str(FILE))
    more = sorted(other.keys() - versions.keys())
    if more:
        sys.exit(f"error: Python 3.12 needs more: {', '.join(more)}")
    check()


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else write()
