"""Compare the contents of a wheel and of a source archive with what is committed.

    python .ci/release_contents.py WHEEL SDIST

The wheel holds the package `snpredict`, the shipped models and the example; the source archive
holds every file of the commit. Exits with the differences.
"""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
#: What a build adds to a wheel.
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")


def committed(*folders: str) -> set[str]:
    """Paths of files in the last commit."""
    words = ["git", "ls-tree", "-r", "--name-only", "HEAD", *folders]
    return set(
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    )


def compare(name: str, found: list[str], expected: set[str]) -> None:
    """Exit where files are missing, not wanted, or there twice."""
    assert len(found) == len(set(found)), f"{name} holds a file twice"
    lines = [f"missing from {name}: {p}" for p in sorted(expected - set(found))]
    lines += [f"not wanted in {name}: {p}" for p in sorted(set(found) - expected)]
    if lines:
        sys.exit("\n".join(f"error: {line}" for line in lines))
    print(f"{name}: {len(found)} files, as expected")


def main(wheel: Path, sdist: Path) -> None:
    """Compare both archives with the last commit."""
    expected = committed("snpredict")
    expected |= {f"snpredict/{path}" for path in committed("models")}
    expected.add("snpredict/examples/genotypes.tsv")
    expected |= {f"snpredict-{VERSION}.dist-info/{name}" for name in METADATA}
    with zipfile.ZipFile(wheel) as archive:
        compare(wheel.name, archive.namelist(), expected)
        metadata = archive.read(f"snpredict-{VERSION}.dist-info/METADATA").decode()
    needed = [
        line
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist") and "extra ==" not in line
    ]
    names = {line.split()[1].split(">")[0] for line in needed}
    assert names == {"numpy", "onnxruntime", "pyarrow", "typer", "rich"}, (
        f"the wheel asks for {names}"
    )
    with tarfile.open(sdist) as archive:
        prefix = f"snpredict-{VERSION}/"
        found = [m.name.removeprefix(prefix) for m in archive.getmembers() if not m.isdir()]
    compare(sdist.name, found, committed() | {"PKG-INFO"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
