"""Our decoders beside the libraries that read the same formats, in one process, in turn.

PYTHONPATH=. python benchmarks/readers.py FOLDER

FOLDER keeps the simulated files. Needs `pip install bed-reader cyvcf2`, and bgzip of htslib.

- PLINK .bed: all of it, and in blocks of samples, which is how scoring takes a file of any size;
- VCF: the genotypes of every record, cyvcf2's as its `gt_types`.

Ours match the variants to the model's SNPs as well, which the libraries do not.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.simulate import write_bed, write_vcf
from snpredict.bundle.load import Bundle, load_bundle
from snpredict.matching.matched_file import match_file

BED_SAMPLES, VCF_SAMPLES = 20_000, 5_142
BLOCK = 2_048
THREADS = 2


def ours(path: Path, bundle: Bundle) -> None:
    for _ in match_file(path, bundle).blocks():
        pass


def bed_reader_whole(path: Path) -> None:
    from bed_reader import open_bed

    with open_bed(path, num_threads=THREADS) as bed:
        bed.read(dtype="int8")


def bed_reader_blocks(path: Path) -> None:
    from bed_reader import open_bed

    with open_bed(path, num_threads=THREADS) as bed:
        for start in range(0, bed.iid_count, BLOCK):
            bed.read((slice(start, start + BLOCK), slice(None)), dtype="int8")


def cyvcf2(path: Path) -> None:
    from cyvcf2 import VCF

    # gts012 counts the second allele, 3 is missing.
    for variant in VCF(str(path), gts012=True, threads=THREADS):
        _ = variant.gt_types


def compare(readers: Mapping[str, Callable[[], None]], repeats: int) -> None:
    """Print the median of each reader's seconds, after a round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(repeats + 1):
        for name, read in readers.items():
            began = time.perf_counter()
            read()
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    first = next(iter(medians.values()))
    print("| reader | seconds | ratio |\n| --- | --- | --- |")
    for name, median in medians.items():
        print(f"| {name} | {median:.3f} | {median / first:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    bundle = load_bundle()

    bed = folder / f"simulated_{BED_SAMPLES}.bed"
    if not bed.exists():
        write_bed(bed, bundle.snps, BED_SAMPLES)
    print(f"\n### PLINK .bed, {BED_SAMPLES:,} samples × {len(bundle.snps):,} SNPs\n")
    readers = {
        "snpredict, matched, in blocks of samples": lambda: ours(bed, bundle),
        f"bed-reader, the whole file, {THREADS} threads": lambda: bed_reader_whole(bed),
        f"bed-reader, in blocks of {BLOCK:,} samples": lambda: bed_reader_blocks(bed),
    }
    compare(readers, options.repeats)

    vcf = folder / "simulated.vcf.gz"
    if not vcf.exists():
        write_vcf(vcf, bundle.snps, VCF_SAMPLES)
    print(f"\n### VCF.gz, {VCF_SAMPLES:,} samples × {len(bundle.snps):,} SNPs\n")
    readers = {
        "snpredict, matched, in blocks of samples": lambda: ours(vcf, bundle),
        f"cyvcf2, {THREADS} threads": lambda: cyvcf2(vcf),
    }
    compare(readers, options.repeats)


if __name__ == "__main__":
    main()
