"""Where the real data lies: the folder in SNPREDICT_SOYNAM, else ../shared/data/soynam."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("SNPREDICT_SOYNAM", REPOSITORY.parent / "shared/data/soynam"))

needs_soynam = pytest.mark.skipif(
    not (FOLDER / "height_chip.tsv.gz").is_file(),
    reason=f"needs the SoyNAM tables in {FOLDER} (set SNPREDICT_SOYNAM)",
)
