"""Seconds of each method of attribution, on one thread.

    python benchmarks/attribution.py TABLE --trait height [--preset default] [--rows 128]
    python benchmarks/attribution.py --simulated 50000 [--preset deeplift] [--rows 128]

One fold's network of the preset is trained on the table, or on 1,000 simulated inbred lines with so
many SNPs and fifty additive loci; then every method explains so many of its test rows. With each
the seconds, and the process's largest memory so far.
"""

import argparse
import resource
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from snpredict.formulas.genotypes import Genotypes
from train.attribution.methods import METHODS, attribute
from train.data.folds import random_folds, split
from train.data.genotypes import HowRead
from train.data.traits import read_traits
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.presets import load_preset
from train.simulate.pedigrees import Families
from train.simulate.traits import Design, simulate_trait


def main() -> None:
    """A line per method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, nargs="?")
    parser.add_argument("--trait")
    parser.add_argument("--simulated", type=int)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--methods", default=",".join(METHODS))
    o = parser.parse_args()
    if o.table is not None:
        table = read_traits(o.table, traits=[o.trait], how=HowRead())
        genotypes, y = table.genotypes, table.values[:, :1]
    else:
        lines = Families(20, 50, o.simulated, seed=1)
        genotypes = Genotypes(lines.codes())
        y = simulate_trait(lines, Design({"additive": 50}, 0.5), 1).y[:, None]
    rows = split(random_folds(len(y), 10, 1), 1, 1)
    inputs = Inputs(genotypes)
    with threadpool_limits(1):
        model = network_of(load_preset(o.preset))
        fitted = model.fit(FoldData.of(inputs, y, rows))
        explained = fitted.explained()
        assert explained is not None
        network, inputs_of = explained
        test = inputs.rows(rows.test[: o.rows])
        print(f"{len(test)} rows × {genotypes.n_snps} SNPs, {len(network.snp_of)} inputs")
        for method in o.methods.split(","):
            began = time.perf_counter()
            attribute(network, lambda at: inputs_of(test.rows(at)), len(test), method)
            seconds = time.perf_counter() - began
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{method}: {seconds:.2f} s, {memory} MB", flush=True)


if __name__ == "__main__":
    main()
