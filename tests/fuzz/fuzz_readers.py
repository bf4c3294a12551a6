"""Feeds mutated genotype files to a reader: only errors of ours, only valid genotypes.

python -m tests.fuzz.fuzz_readers vcf -max_total_time=300

Formats: wide, rows, vcf, hapmap, bed, parquet, pgen, bcf, raw. Further arguments go to libFuzzer.
Needs atheris (``pip install atheris``), which is why this is not part of the test suite; the suite
has smaller mutation tests of its own. What is found lies in crash-* files; a file set is stored
with its parts behind one another, see `split`.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["snpredict"]):
    from snpredict.errors import SnpredictError
    from snpredict.genotypes.detect import open_genotypes
    from snpredict.genotypes.reader import Selection
    from snpredict.genotypes.variants import Variant, Wanted

import numpy as np

from tests.formats import hapmap, plink, tables, vcf

VARIANTS = [
    Variant("m1", "Gm01", 100, "A", "G"),
    Variant("m2", "Gm01", 200, "T", "C"),
    Variant("m3", "Gm02", 300, "C", "A"),
]
SAMPLES = ["s1", "s2", "s3", "s4", "s5"]
CODES = np.array([[0, 1, 2], [2, -1, 0], [1, 1, 1], [-1, 0, 2], [2, 2, 0]], np.int8)
WANTED = Wanted(
    [v.id or "" for v in VARIANTS],
    [v.chromosome for v in VARIANTS],
    [v.position for v in VARIANTS],
)

#: Parts of a file set, the one that is opened first.
SUFFIXES = {"bed": (".bed", ".bim", ".fam"), "pgen": (".pgen", ".pvar", ".psam")}
BOUNDARY = b"\n-- next part --\n"


def split(data: bytes, format: str) -> list[bytes]:
    """The parts of a file set; of a single file the whole."""
    n_parts = len(SUFFIXES.get(format, ("",)))
    parts = data.split(BOUNDARY, n_parts - 1)
    return parts + [b""] * (n_parts - len(parts))


def example(format: str, folder: Path) -> bytes:
    """A valid file of the format."""
    path = folder / "example"
    writers = {
        "wide": tables.write_wide,
        "rows": tables.write_snp_rows,
        "vcf": vcf.write,
        "hapmap": hapmap.write,
        "bed": plink.write_bed,
        "pgen": plink.write_pgen,
        "parquet": tables.write_parquet_wide,
        "raw": plink.write_raw,
    }
    written = writers[format](path, SAMPLES, VARIANTS, CODES)
    files = [written.with_suffix(suffix) for suffix in SUFFIXES.get(format, (written.suffix,))]
    return BOUNDARY.join(file.read_bytes() for file in files)


def read(path: Path) -> None:
    try:
        reader = open_genotypes(path, snps=WANTED)
        variants = reader.variants(WANTED)
        n = len(variants.candidates)
        seen: set[str] = set()
        for block in reader.genotypes(Selection(np.arange(n), np.arange(n) % 2 == 1)):
            assert block.codes.shape == (len(block.samples), n)
            assert block.codes.dtype == np.int8
            assert ((block.codes >= -1) & (block.codes <= 2)).all()
            if block.genotypes.fractions is not None:
                assert ((block.genotypes.fractions >= 0) & (block.genotypes.fractions < 1)).all()
            assert not seen & set(block.samples)
            seen.update(block.samples)
        assert seen
    except SnpredictError:
        pass


def main() -> None:
    format = sys.argv.pop(1)
    folder = Path(tempfile.mkdtemp())
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "valid").write_bytes(example(format, folder))
    suffixes = SUFFIXES.get(format, ("",))

    def one_input(data: bytes) -> None:
        for suffix, part in zip(suffixes, split(data, format), strict=True):
            (folder / f"input{suffix}").write_bytes(part)
        read(folder / f"input{suffixes[0]}")

    atheris.Setup([*sys.argv, str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
