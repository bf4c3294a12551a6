"""Peak memory and seconds of reading a training set from a VCF, up to the data folder of its runs.

    python benchmarks/training_files.py [LINES] [SNPS]

A process of its own reads the file, so that its peak is that of the reading.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

_READ = """
import resource, sys, time
from pathlib import Path
from train.data.phenotypes import read_phenotypes
from train.data.traits import read_traits
from train.runs.data_folder import DataFolder
import json
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
folder = Path(sys.argv[1])
table = read_traits(folder / "panel.vcf", traits=["yield"],
                    phenotypes=read_phenotypes(folder / "yield.csv"))
seconds = time.perf_counter() - began
DataFolder(folder / "data").save(table, "--out")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"shape": table.codes.shape, "codes_mb": table.codes.nbytes / 1e6,
                  "start_mb": base / 1e3, "peak_mb": peak / 1e3, "read_seconds": seconds}))
"""


def write_panel(folder: Path, n_lines: int, n_snps: int) -> None:
    """A VCF and a table of yields for its lines."""
    random = np.random.default_rng(1)
    samples = [f"line{at}" for at in range(n_lines)]
    cells = np.array(["0/0", "0/1", "1/1", "./."])
    with (folder / "panel.vcf").open("w") as file:
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
        file.write("##fileformat=VCFv4.2\n" + "\t".join([*columns, *samples]) + "\n")
        for at in range(n_snps):
            codes = random.choice(4, n_lines, p=(0.4, 0.19, 0.4, 0.01))
            site = [f"{1 + at * 10 // n_snps}", f"{100 * at + 1}", ".", "A", "G"]
            file.write("\t".join([*site, ".", "PASS", ".", "GT", *cells[codes]]) + "\n")
    rows = [f"{sample},{random.normal():.4f}" for sample in samples]
    (folder / "yield.csv").write_text("\n".join(["line,yield", *rows]) + "\n")


def main() -> None:
    """Write a panel, read it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=int, nargs="?", default=2000)
    parser.add_argument("snps", type=int, nargs="?", default=50000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_panel(Path(folder), asked.lines, asked.snps)
        print(f"panel.vcf: {(Path(folder) / 'panel.vcf').stat().st_size / 1e6:.0f} MB")
        done = subprocess.run(
            [sys.executable, "-c", _READ, folder], check=True, capture_output=True, text=True
        )
    found = json.loads(done.stdout)
    print(", ".join(f"{name} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
