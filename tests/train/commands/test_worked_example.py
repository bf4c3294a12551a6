"""The commands of docs/training.md, as they stand there, on generated files."""

import gzip
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra 'train'")

from snpredict.genotypes.variants import Variant
from tests.formats import vcf
from tests.simulated import simulate

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
#: What makes the training quick, behind the words of the page.
QUICK = ["--preset", "gblup", "--n-folds", "3", "--threads", "1"]


def commands() -> list[list[str]]:
    page = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    block = re.search(r"```console\n(.*?)```", page, re.DOTALL)
    assert block is not None
    return [shlex.split(line.removeprefix("$ ")) for line in block.group(1).splitlines()]


def write_files(folder: Path) -> None:
    """140 lines of which 120 were measured, and 20 candidates; two sites have several alleles."""
    _, codes, phenotype, _ = simulate(n_samples=160, n_snps=120)
    lines = [f"L{n:03d}" for n in range(1, 161)]
    variants = [
        Variant(None, str(1 + at // 40), 1000 * (at + 1), *(("T", "C"), ("G", "A"))[at % 2])
        for at in range(120)
    ]
    path = vcf.write(folder / "panel.vcf", lines[:140], variants, codes[:140])
    records = path.read_text().splitlines()
    calls = "\t".join(["0/1"] * 140)
    records += [f"9\t{at}\t.\tA\tC,T\t.\t.\t.\tGT\t{calls}" for at in (10, 20)]
    (folder / "panel.vcf.gz").write_bytes(gzip.compress(("\n".join(records) + "\n").encode()))
    vcf.write(folder / "candidates.vcf.gz", lines[140:], variants, codes[140:], pack=gzip.compress)
    rows = [f"{line},{value / 20:.2f}" for line, value in zip(lines[:120], phenotype, strict=False)]
    (folder / "yield.csv").write_text("\n".join(["line,yield", *rows]) + "\n")


def test_three_commands_lead_to_predictions_of_new_lines(tmp_path: Path) -> None:
    write_files(tmp_path)
    said = []
    for program, *words in commands():
        words = [*words[1:], *QUICK] if program == "python" else ["snpredict", *words]
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        said.append(" ".join(done.stderr.split()))
    page = " ".join((REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8").split())
    told = re.findall(r"(reading panel.vcf.gz .*? 'L125', ...)", page)
    assert told
    assert told[0] in said[0]
    header, *rows = (tmp_path / "predictions.csv").read_text().splitlines()
    assert header.startswith("sample,prediction,spread")
    predicted = {row.split(",")[0]: float(row.split(",")[1]) for row in rows}
    assert list(predicted) == [f"L{n}" for n in range(141, 161)]
    _, _, phenotype, _ = simulate(n_samples=160, n_snps=120)
    assert np.corrcoef(list(predicted.values()), phenotype[140:])[0, 1] > 0
