"""The example for Snakemake, run where Snakemake is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="snakemake is not installed")
def test_batches_are_predicted_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    for name in ("one", "two"):
        shutil.copy(REPOSITORY / "examples" / "lines.vcf.gz", tmp_path / f"batches/{name}.vcf.gz")
    snakefile = REPOSITORY / "examples" / "snakemake" / "Snakefile"
    words = ["snakemake", "--cores", "2", "--snakefile", str(snakefile)]
    subprocess.run(words, cwd=tmp_path, env=os.environ, check=True, capture_output=True)
    rows = (tmp_path / "predictions.tsv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 24
    assert rows[1] == rows[25]
