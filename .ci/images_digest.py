"""Print a digest of what the images depend on: while it is the same, they need not be built again.

It covers the Dockerfiles, pyproject.toml, the versions of packages, the scripts that build and try
the images, and the names of all packages that `snpredict` and `train` import.
"""

import ast
import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = (
    "Dockerfile.runtime",
    "Dockerfile.train",
    "pyproject.toml",
    ".dockerignore",
    ".ci/constraints.txt",
    ".ci/images",
    ".ci/image_contents.py",
)


def imports() -> set[str]:
    """The top-level names that our packages import, wherever they stand in a module."""
    names = set()
    for path in [*ROOT.glob("snpredict/**/*.py"), *ROOT.glob("train/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.add(node.module.partition(".")[0])
    return names


digest = hashlib.sha256()
for name in FILES:
    digest.update((ROOT / name).read_bytes())
digest.update("\n".join(sorted(imports())).encode())
print(digest.hexdigest())
