"""Several files of the same samples as one: a pattern instead of a file."""

import gzip
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import snpredict
from snpredict.cli import main
from snpredict.errors import FileNotFound, SamplesDiffer, SnpredictError, UsageError
from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import Selection
from snpredict.genotypes.several import expanded
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats import plink, vcf

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "lines.vcf.gz"
SAMPLES = [f"S{n}" for n in range(600)]
CODES = np.random.default_rng(1).integers(-1, 3, (600, 9)).astype(np.int8)
VARIANTS = [Variant(f"rs{n}", str(1 + n // 3), 100 * n + 100, "A", "G") for n in range(9)]


def per_chromosome(folder: Path) -> list[str]:
    """The example's VCF in a file per chromosome."""
    lines = gzip.decompress(EXAMPLE.read_bytes()).decode().splitlines(keepends=True)
    head = [line for line in lines if line.startswith("#")]
    names = list(dict.fromkeys(line.partition("\t")[0] for line in lines[len(head) :]))
    for name in names:
        own = [line for line in lines if line.startswith(f"{name}\t")]
        (folder / f"chr{name}.vcf.gz").write_bytes(gzip.compress("".join(head + own).encode()))
    return names


def everything(path: Path) -> tuple[list[str], np.ndarray, np.ndarray | None]:
    """Samples, codes and fractions of all variants."""
    reader = open_genotypes(path)
    n = len(reader.variants(Wanted.everything()).candidates)
    # Backwards, so that the files' SNPs are mixed.
    selection = Selection(np.arange(n)[::-1].copy(), np.arange(n) % 2 == 0)
    blocks = list(reader.genotypes(selection))
    whole = [block.genotypes for block in blocks]
    joined = type(whole[0]).joined(whole)
    return [s for block in blocks for s in block.samples], joined.codes, joined.fractions


def test_a_file_per_chromosome_predicts_what_the_whole_file_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = per_chromosome(tmp_path)
    (tmp_path / "chr1.vcf.gz.tbi").write_bytes(b"an index")
    monkeypatch.chdir(tmp_path)
    outputs = []
    for path in (str(EXAMPLE), "chr*.vcf.gz"):
        assert main(["predict", path, "--top", "3", "--per-fold"]) == 0
        outputs.append(capsys.readouterr())
    assert outputs[0].out == outputs[1].out
    assert f"chr*.vcf.gz (vcf, {len(names)} files), SHA-256 " in outputs[1].err
    facts = [line for o in outputs for line in o.err.splitlines() if "found (" in line]
    assert facts[0] == facts[1]


def test_json_names_every_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = per_chromosome(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "chr*.vcf.gz", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    digests = found["input_files"]
    assert list(digests)[:2] == ["chr1.vcf.gz", "chr2.vcf.gz"]
    assert len(digests) == len(names)
    assert found["input_sha256"] == hashlib.sha256("".join(digests.values()).encode()).hexdigest()


def test_from_python(tmp_path: Path) -> None:
    per_chromosome(tmp_path)
    model = snpredict.load("soynam-height")
    assert model.predict(tmp_path / "chr*.vcf.gz").table == model.predict(EXAMPLE).table


@pytest.mark.parametrize("format", ["bed", "vcf"])
def test_blocks_of_all_files_line_up(format: str, tmp_path: Path) -> None:
    write = {"bed": plink.write_bed, "vcf": lambda p, *rest: vcf.write(Path(f"{p}.vcf"), *rest)}
    write[format](tmp_path / "whole", SAMPLES, VARIANTS, CODES)
    for at in range(3):
        part = slice(3 * at, 3 * at + 3)
        write[format](tmp_path / f"part{at}", SAMPLES, VARIANTS[part], CODES[:, part])
    one = everything(tmp_path / f"whole.{format}")
    several = everything(tmp_path / (f"part*.{format}" if format == "vcf" else "part*"))
    assert one[0] == several[0]
    np.testing.assert_array_equal(one[1], several[1])


def test_dosages_of_one_file_stay(tmp_path: Path) -> None:
    dosages = np.where(CODES < 0, np.nan, np.minimum(CODES + 0.25, 2))
    fields = {"fields": "GT:DS", "dosages": dosages[:, :3]}
    vcf.write(tmp_path / "part0.vcf", SAMPLES, VARIANTS[:3], CODES[:, :3], **fields)
    vcf.write(tmp_path / "part1.vcf", SAMPLES, VARIANTS[3:], CODES[:, 3:])
    fractions = everything(tmp_path / "part*.vcf")[2]
    assert fractions is not None
    assert fractions[:, -3:].max() == 0.75 or fractions[:, -3:].max() == 0.25
    assert not fractions[:, :-3].any()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (SAMPLES[:-1], "ends before sample 'S599'"),
        (["S1", "S0", *SAMPLES[2:]], "sample 1 is 'S0' in .*part0.vcf and 'S1' in .*part1.vcf"),
    ],
)
def test_other_samples_are_an_error(other: list[str], told: str, tmp_path: Path) -> None:
    vcf.write(tmp_path / "part0.vcf", SAMPLES, VARIANTS[:3], CODES[:, :3])
    vcf.write(tmp_path / "part1.vcf", other, VARIANTS[3:], CODES[: len(other), 3:])
    with pytest.raises(SamplesDiffer, match=told):
        everything(tmp_path / "part*.vcf")


def test_patterns_of_nothing_of_several_formats_and_of_tables(tmp_path: Path) -> None:
    vcf.write(tmp_path / "p1.vcf", SAMPLES, VARIANTS[:3], CODES[:, :3])
    plink.write_bed(tmp_path / "p2", SAMPLES, VARIANTS[3:], CODES[:, 3:])
    with pytest.raises(UsageError, match=r"several formats: vcf \(p1.vcf\), bed \(p2.bed\)"):
        open_genotypes(tmp_path / "p*")
    with pytest.raises(FileNotFound, match="no file has a name like"):
        open_genotypes(tmp_path / "q*.vcf")
    for name in ("t1.tsv", "t2.tsv"):
        (tmp_path / name).write_text("line\tm1\tm2\na\t0\t1\nb\t2\t1\n")
    with pytest.raises(SnpredictError, match="2 files of the format"):
        open_genotypes(tmp_path / "t*.tsv")


def test_a_pattern_of_one_file_and_a_file_named_like_a_pattern(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "a[1].vcf.gz")
    assert open_genotypes(tmp_path / "a[1].vcf.gz").path.name == "a[1].vcf.gz"
    shutil.copy(EXAMPLE, tmp_path / "only.vcf.gz")
    assert open_genotypes(tmp_path / "onl?.vcf.gz").path == tmp_path / "only.vcf.gz"


def test_files_stand_in_natural_order(tmp_path: Path) -> None:
    for name in ("chr10.vcf", "chr2.vcf", "chrX.vcf", "chr1.vcf"):
        (tmp_path / name).touch()
    found = [path.name for path in expanded(tmp_path / "chr*.vcf")]
    assert found == ["chr1.vcf", "chr2.vcf", "chr10.vcf", "chrX.vcf"]
