"""Imported weights against ``plink2 --score``, on the example VCF.

plink2 scores the VCF as it is; here the same lines come with half of the variants' alleles
exchanged and with half of the strands changed, which plink2 does not undo. Its flags are
``--score FILE header-read no-mean-imputation cols=+scoresums --score-col-nums 3-5``; with
frequencies, ``--read-freq`` in place of ``no-mean-imputation``.

plink2 prints six digits. A weight is therefore given in three columns of whole numbers, units,
thousandths and millionths, whose sums it prints exactly.
"""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from snpredict.cli import main

EXAMPLE = Path(__file__).parents[3] / "examples" / "lines.vcf.gz"
COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}
UNITS = (1, 1e-3, 1e-6)
SWAPPED_CALLS = str.maketrans("01", "10")

pytestmark = pytest.mark.skipif(
    shutil.which("plink2") is None, reason="plink2, which is compared with, is not installed"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The VCF with names for its variants, the same exchanged, and weights with frequencies."""
    folder = tmp_path_factory.mktemp("plink2")
    rng = np.random.default_rng(11)
    lines = gzip.decompress(EXAMPLE.read_bytes()).decode().splitlines()
    plain, changed = [], []
    scores = ["#ID\tA1\tW0\tW3\tW6"]
    frequencies = ["#CHROM\tID\tREF\tALT\tALT_FREQS\tOBS_CT"]
    pgs = [
        "#format_version=2.0",
        "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
        "\tallelefrequency_effect",
    ]
    for number, line in enumerate(lines):
        cells = line.split("\t")
        if line.startswith("#"):
            plain.append(line)
            changed.append(line)
            continue
        cells[2] = name = f"v{number}"
        ref, alt = cells[3:5]
        plain.append("\t".join(cells))
        effect, other = (ref, alt) if number % 3 else (alt, ref)
        digits, p = (
            [rng.integers(-2, 3), *rng.integers(-499, 500, 2)],
            rng.choice([0.25, 0.5, 0.75]),
        )
        weight = sum(digit * scale for digit, scale in zip(digits, UNITS, strict=True))
        scores.append("\t".join([name, effect, *map(str, digits)]))
        pgs.append(f"{name}\t{cells[0]}\t{cells[1]}\t{effect}\t{other}\t{weight:.6f}\t{p}")
        of_alt = p if effect == alt else 1 - p
        frequencies.append(f"{cells[0]}\t{name}\t{ref}\t{alt}\t{of_alt:.6g}\t48")
        # A/T and C/G look alike on both strands: they stay, and --ambiguous keep says so.
        if COMPLEMENT[ref] != alt:
            if number % 2:
                ref, alt, cells[9:] = alt, ref, [c.translate(SWAPPED_CALLS) for c in cells[9:]]
            if number % 4 < 2:
                ref, alt = COMPLEMENT[ref], COMPLEMENT[alt]
        changed.append("\t".join([*cells[:3], ref, alt, *cells[5:]]))
    for file, content in (
        ("plain.vcf", plain),
        ("changed.vcf", changed),
        ("score", scores),
        ("freq.afreq", frequencies),
        ("pgs.txt", pgs),
    ):
        (folder / file).write_text("\n".join(content) + "\n")
    return folder


def by_plink2(folder: Path, *flags: str) -> np.ndarray:
    words = [
        "--vcf",
        "plain.vcf",
        "--allow-extra-chr",
        "--out",
        "plink2",
        "--threads",
        "1",
        "--score-col-nums",
        "3-5",
    ]
    subprocess.run(["plink2", *words, *flags], cwd=folder, check=True, capture_output=True)
    rows = [line.split("\t") for line in (folder / "plink2.sscore").read_text().splitlines()]
    sums = [
        [float(row[rows[0].index(f"{name}_SUM")]) for name in ("W0", "W3", "W6")]
        for row in rows[1:]
    ]
    return np.array(sums) @ UNITS


def by_snpredict(folder: Path, weights: str, capsys) -> np.ndarray:
    model = str(folder / f"model-{weights}")
    assert main(["import", str(folder / weights), "--out", model]) == 0
    words = ["--model", model, "--format", "json", "--ambiguous", "keep"]
    assert main(["predict", str(folder / "changed.vcf"), *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["match"]["rate"] == 1
    used = found["match"]["used"]
    assert min(used["same"], used["swapped"], used["other strand"]) > 500
    return np.array([row["prediction"] for row in found["results"]])


def test_a_missing_genotype_is_no_copy(folder, capsys):
    expected = by_plink2(
        folder, "--score", "score", "header-read", "no-mean-imputation", "cols=+scoresums"
    )
    # The score file has no other allele, so that another strand may not be seen: both alleles
    # are taken from the PGS file, without its frequencies.
    rows = [line.split("\t") for line in (folder / "pgs.txt").read_text().splitlines()]
    bare = "".join("\t".join(row[:6]) + "\n" for row in rows)
    (folder / "bare.txt").write_text(bare)
    found = by_snpredict(folder, "bare.txt", capsys)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * expected.std())


def test_a_missing_genotype_is_twice_the_frequency(folder, capsys):
    flags = ["--read-freq", "freq.afreq", "--score", "score", "header-read", "cols=+scoresums"]
    expected = by_plink2(folder, *flags)
    found = by_snpredict(folder, "pgs.txt", capsys)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * expected.std())
