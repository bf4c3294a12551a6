"""A genome with LD, annotations, effects whose sizes they tell, and a study's z-scores."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from train.deepwas.window import standardised, tapering

#: Base pairs from which on variants do not correlate.
BAND = 1_000_000

#: Base pairs after which haplotypes' correlation has fallen to 1 / e.
REACH = 150_000

#: Annotations that are drawn; the logarithm of the frequencies is one more.
N_ANNOTATIONS = 12

#: Added to the variances, so that variants in perfect LD do not keep R from having a factor.
_EVEN = 1e-5

#: What belongs to the genome, and not to the people drawn.
_FIXED = 100

TRUTHS = ("enrichments", "network", "null")


@dataclass(frozen=True, kw_only=True)
class Genome:
    """Variants in order.

    Attributes
    ----------
    chromosome : ndarray (variants,) of int64
    position : ndarray (variants,) of int64
    frequency : ndarray (variants,) of float64
        Of the counted allele, in the population.
    """

    chromosome: np.ndarray
    position: np.ndarray
    frequency: np.ndarray

    def pieces(self) -> list[slice]:
        """Places of each chromosome's variants."""
        edges = np.flatnonzero(np.diff(self.chromosome, prepend=-1, append=-1))
        return [slice(a, b) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]


def draw_genome(
    random: np.random.Generator, n_variants: int, n_chromosomes: int, per_megabase: float
) -> Genome:
    """Variants at random places, frequencies with a density of 1 / p from 0.01 to a half.

    Either allele may be the counted one.
    """
    which = np.arange(n_variants) * n_chromosomes // n_variants
    chromosome, position = which + 1, np.empty(n_variants, np.int64)
    for number in range(n_chromosomes):
        rows = which == number
        count = int(rows.sum())
        length = max(int(count / per_megabase * 1e6), 2 * count)
        position[rows] = np.sort(random.choice(length, count, replace=False)) + 1
    p = 0.01 * 50 ** random.uniform(size=n_variants)
    p = np.where(random.uniform(size=n_variants) < 0.5, p, 1 - p)
    return Genome(chromosome=chromosome, position=position, frequency=p)


def draw_codes(random: np.random.Generator, genome: Genome, people: int) -> np.ndarray:
    """Genotype codes (people, variants) int8: two haplotypes each.

    A haplotype is a normal process along the chromosome, cut at each variant's frequency (a
    copula). Neighbours correlate by exp(−d / 150 kb), and 0.4 of that across hot spots, on average
    one every 100 kb.
    """
    from scipy.special import ndtri

    cut = ndtri(genome.frequency).astype(np.float32)
    # Which allele rides with which is a matter of chance, but the same for all people.
    side = np.random.default_rng(_FIXED).choice(np.array([-1, 1], np.float32), len(cut))
    codes = np.empty((len(cut), people), np.int8)
    for piece in genome.pieces():
        steps = np.diff(genome.position[piece])
        hot = _hot_spots(genome.position[piece])
        stay = (np.where(hot, 0.4, 1.0) * np.exp(-steps / REACH)).astype(np.float32)
        x = random.standard_normal((2, people), np.float32)
        for at in range(piece.start, piece.stop):
            if at > piece.start:
                keep = stay[at - piece.start - 1]
                noise = random.standard_normal((2, people), np.float32)
                x = keep * x + np.sqrt(1 - keep * keep) * noise
            codes[at] = (side[at] * x < cut[at]).sum(axis=0)
    return codes.T


def _hot_spots(position: np.ndarray) -> np.ndarray:
    """Whether a hot spot lies between a variant and the next one; the same for all people."""
    fixed = np.random.default_rng([_FIXED, int(position[0])])
    count = max(1, int((position[-1] - position[0]) / 100_000))
    at = fixed.uniform(position[0], position[-1], count)
    return np.histogram(at, position)[0] > 0


def draw_annotations(random: np.random.Generator, genome: Genome) -> np.ndarray:
    """Annotations (variants, 12) float32 that change along the genome, N(0, 1) each.

    The first keeps to itself over 2 kb, the last over 100 kb.
    """
    lengths = np.geomspace(2_000, 100_000, N_ANNOTATIONS)
    found = random.standard_normal((len(genome.position), N_ANNOTATIONS))
    for piece in genome.pieces():
        steps = np.diff(genome.position[piece])
        keep = np.exp(-steps[:, None] / lengths)
        new = np.sqrt(1 - keep**2)
        for at in range(piece.start + 1, piece.stop):
            of = at - piece.start - 1
            found[at] = keep[of] * found[at - 1] + new[of] * found[at]
    return found.astype(np.float32)


def true_log_prior(
    random: np.random.Generator, annotations: np.ndarray, frequency: np.ndarray, truth: str
) -> np.ndarray:
    """log f of each variant but for a constant, (variants,) float64.

    ``enrichments``: −4 where the first annotation is above −0.12, and 2 where exactly one of the
    next two is above 0. ``network``: a random network of the first five. Both grow with frequency,
    by log 4pq.
    """
    c = annotations.astype(np.float64)
    scaling = np.log(4 * frequency * (1 - frequency))
    if truth == "network":
        x = c[:, :5]
        for units in (32, 32):
            x = np.tanh(x @ random.normal(size=(x.shape[1], units)) * 2 / x.shape[1] ** 0.5)
        x = x @ random.normal(size=32)
        return 2 * (x - x.mean()) / x.std() + scaling
    return -4.0 * (c[:, 0] > -0.12) + 2.0 * ((c[:, 1] > 0) != (c[:, 2] > 0)) + scaling


def z_scores(
    random: np.random.Generator, genome: Genome, codes: np.ndarray, effects: np.ndarray
) -> np.ndarray:
    """z-scores of a study whose LD is exactly R: N(R e, R) of each chromosome, float64.

    R are the correlations of `codes`, tapered to 0 at `BAND`: without that, what is far away would
    add up, as all correlations in a sample have an error.

    Parameters
    ----------
    codes : ndarray (people, variants) of int8
    effects : ndarray (variants,)
        √N b, in standard deviations of the trait per standard deviation of the genotype.
    """
    found = np.empty(len(effects))
    for piece in genome.pieces():
        band = _band(codes[:, piece], genome.position[piece])
        factor = linalg.cholesky_banded(band, lower=True, check_finite=False)
        noise = random.standard_normal(band.shape[1])
        found[piece] = _times(band, effects[piece])
        for below, values in enumerate(factor):
            found[piece][below:] += values[: len(noise) - below] * noise[: len(noise) - below]
    return found


def _band(codes: np.ndarray, position: np.ndarray) -> np.ndarray:
    """R in LAPACK's lower banded form, (width, variants) float64: row k holds r of j and j + k."""
    x = standardised(codes).astype(np.float64)
    n = len(position)
    end = np.searchsorted(position, position + BAND)
    width = int((end - np.arange(n)).max())
    band = np.zeros((width, n))
    for start in range(0, n, 512):
        stop = min(start + 512, n)
        last = min(stop + width, n)
        r = x[:, start:stop].T @ x[:, start:last]
        r *= tapering(np.abs(position[start:stop, None] - position[start:last]), BAND)
        for row in range(stop - start):
            own = r[row, row : row + width]
            band[: len(own), start + row] = own
    band[0] = 1 + _EVEN
    return band


def _times(band: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A symmetric matrix in lower banded form times a vector."""
    found = band[0] * vector
    n = len(vector)
    for below, values in enumerate(band[1:], 1):
        found[below:] += values[: n - below] * vector[: n - below]
        found[: n - below] += values[: n - below] * vector[below:]
    return found


def phenotypes(
    random: np.random.Generator, codes: np.ndarray, effects: np.ndarray, heritability: float
) -> np.ndarray:
    """The trait of people, (people,) float64: genetic values, and noise of 1 − heritability.

    Parameters
    ----------
    codes : ndarray (people, variants) of int8
    effects : ndarray (variants,)
        Per standard deviation of the genotype.
    """
    value = np.zeros(len(codes))
    for start in range(0, codes.shape[1], 4096):
        own = slice(start, start + 4096)
        value += (standardised(codes[:, own]) * len(codes) ** 0.5) @ effects[own]
    return value + random.standard_normal(len(codes)) * (1 - heritability) ** 0.5
