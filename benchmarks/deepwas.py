"""The likelihood of DeepWAS exactly and with random probes: agreement and seconds.

    python benchmarks/deepwas.py [--cores 300,1000,3000] [--repeat 3]

Windows of simulated people with a halo as long as the core on either side, and prior variances
around ½ on the log scale (SD 1). Seconds are the best of the repeats, of value and gradient. The
error of the value is that of 25 probes, in nats for the whole window; that of the gradient is the
root mean square over variants by the root mean square of the gradient itself.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from train.deepwas.cutting import Span
from train.deepwas.iterative import sampled_loss
from train.deepwas.likelihood import exact_loss
from train.deepwas.simulation import BAND, draw_codes, draw_genome
from train.deepwas.window import Window, correlations, make_window


def window(core: int, people: int = 4000) -> tuple[Window, float]:
    """One, and the seconds that its eigenvalues and products took."""
    random = np.random.default_rng(1)
    genome = draw_genome(random, 3 * core, 1, 3 * core / 3)
    codes = draw_codes(random, genome, people)
    span = Span(0, 3 * core, core, 2 * core)
    began = time.monotonic()
    r = correlations(codes, span.core, genome.position, BAND)
    made = make_window(span, r, random.normal(size=core) * 2)
    return made, time.monotonic() - began


def seconds(what: Callable[[], object], repeat: int) -> float:
    """The best of some."""
    found = []
    for _ in range(repeat):
        began = time.monotonic()
        what()
        found.append(time.monotonic() - began)
    return min(found)


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", default="300,1000,3000")
    parser.add_argument("--repeat", type=int, default=3)
    o = parser.parse_args()
    print("| core | variants | made, s | exact, s | probes, s | value off | SE | gradient off |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for core in map(int, o.cores.split(",")):
        own, made = window(core)
        prior = np.exp(np.random.default_rng(2).normal(-0.5, 1, own.n_all))
        exact, sampled = exact_loss(own, prior), sampled_loss(own, prior)
        off = sampled.loss.by_log_prior - exact.by_log_prior
        gradient = np.sqrt((off**2).mean() / (exact.by_log_prior**2).mean())
        cells = [
            f"{core:,}",
            f"{own.n_all:,}",
            f"{made:.1f}",
            f"{seconds(lambda w=own, p=prior: exact_loss(w, p), o.repeat):.3f}",
            f"{seconds(lambda w=own, p=prior: sampled_loss(w, p), o.repeat):.3f}",
            f"{sampled.loss.value - exact.value:+.2f}",
            f"{sampled.value_error:.2f}",
            f"{gradient:.2f}",
        ]
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
