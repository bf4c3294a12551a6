"""How much of what networks predict for the real lines is additive, where loci go together.

Between linked loci variances of single effects do not add up. So one number is asked for: how well
does any sum over loci, ``A = Σ_i c_i x_i``, predict the network's f? The first guess of c are the
mean average effects of the alleles in the real lines; what they leave is fitted by ridge regression
on all loci. A line's A is that without the line in the regression: many loci fit any line that they
were given. Phenotypes have no part in it. Then

    additive    the share of Var f that A explains by a straight line
    curvature   what a cubic of A explains beyond that: all loci together, on a scale of their own
    rest        what no function of A explains: dominance, and loci that depend on each other

Within families all four are taken less the family's mean. A and f are also held against phenotypes
of lines that the network was not trained on: if f does better, what is not additive is real.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from train.decomposition.contrasts import Contrasts
from train.decomposition.diploid import Tell
from train.decomposition.fold_functions import FoldFunction
from train.decomposition.networks import Networks

#: Lines that the regression sees, and those in which average effects are taken.
LINES, OF_EFFECTS = 3000, 300

#: Penalties that it chooses from, as shares of the mean eigenvalue of Z Z'.
_PENALTIES = np.logspace(-5, 2, 15)


@dataclass(frozen=True)
class Shares:
    """Of Var f: they add up to 1."""

    additive: float
    curvature: float
    rest: float


@dataclass(frozen=True)
class UnderLinkage:
    """Of one fold.

    Attributes
    ----------
    variance : float
        Var f over the real lines, trait units squared.
    pooled : Shares
    within_families : Shares or None
    r_network, r_additive : float
        Correlation of f, and of A, with the phenotypes of the fold's test lines.
    r_network_within, r_additive_within : float or None
        The same less family means.
    """

    variance: float
    pooled: Shares
    within_families: Shares | None
    r_network: float
    r_additive: float
    r_network_within: float | None
    r_additive_within: float | None


def under_linkage(networks: Networks, seed: int, tell: Tell = lambda: None) -> list[UnderLinkage]:
    """Fold by fold, over the lines of the run.

    Parameters
    ----------
    networks : Networks
        Of a run.
    tell : callable
        Is told of every locus of every fold.
    """
    run = networks.run
    assert run is not None
    codes = run.data.genotypes.nearest()
    random = np.random.default_rng([seed, 32])
    seen = np.sort(random.permutation(len(codes))[:LINES])
    regression = _Regression(_standardised(codes, networks.contrasts), seen)
    few = np.sort(random.permutation(len(codes))[:OF_EFFECTS])
    families = None
    if run.data.families is not None:
        families = np.unique(np.array(run.data.families), return_inverse=True)[1]
    found = []
    for function, rows in zip(networks.functions, run.rows, strict=True):
        f = function.predictions(codes)
        a = _additive(function, codes, few, regression, networks.contrasts, f, tell)
        y = run.data.phenotype[rows]
        in_family = None if families is None else families[rows]
        found.append(
            UnderLinkage(
                float(f.var(ddof=1)),
                _shares(f, a, None),
                None if families is None else _shares(f, a, families),
                _r(f[rows], y),
                _r(a[rows], y),
                None if in_family is None else _r(f[rows], y, in_family),
                None if in_family is None else _r(a[rows], y, in_family),
            )
        )
    return found


def told(each: Sequence[UnderLinkage]) -> dict[str, object]:
    """Mean and SD over the folds of all of it."""
    records = [_flat(asdict(one)) for one in each]
    summary: dict[str, object] = {}
    for name in records[0]:
        values = np.array([record[name] for record in records])
        sd = float(values.std(ddof=1)) if len(values) > 1 else None
        summary[name] = {"mean": float(values.mean()), "sd": sd}
    return summary


def _flat(record: dict) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{inner}": number for inner, number in value.items()}
        elif value is not None:
            flat[name] = value
    return flat


def _additive(
    function: FoldFunction,
    codes: np.ndarray,
    few: np.ndarray,
    regression: "_Regression",
    contrasts: Contrasts,
    f: np.ndarray,
    tell: Tell,
) -> np.ndarray:
    """A of all lines."""
    effects = np.empty(codes.shape[1])
    for locus, each in enumerate(function.each_genotype(codes[few])):
        effects[locus] = contrasts.average_effects(each, locus).mean()
        tell()
    guess = regression.z @ (effects * np.sqrt(contrasts.additive_variance)).astype(np.float32)
    return guess + regression.of(f - guess)


def _standardised(codes: np.ndarray, contrasts: Contrasts) -> np.ndarray:
    return contrasts.coded(codes)[0]


class _Regression:
    """Ridge regression on all loci of some lines, for all lines.

    Attributes
    ----------
    z : ndarray (lines, loci) of float32
    """

    def __init__(self, z: np.ndarray, seen: np.ndarray):
        self.z, self._seen = z, seen

    @cached_property
    def _kernel(self) -> np.ndarray:
        """Of all lines with those that are seen."""
        return (self.z @ self.z[self._seen].T).astype(np.float64)

    @cached_property
    def _rotation(self) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = np.linalg.eigh(self._kernel[self._seen])
        return np.maximum(values, 0), vectors

    def of(self, remainder: np.ndarray) -> np.ndarray:
        """What is additive of it, (lines,): of a seen line as the others predict it."""
        values, vectors = self._rotation
        mean = remainder[self._seen].mean()
        y = remainder[self._seen] - mean
        rotated = vectors.T @ y
        best, left_out, dual = np.inf, y, y
        for penalty in _PENALTIES * values.mean():
            shrunk = 1 / (values + penalty)
            weights = vectors @ (shrunk * rotated)
            # The error without the line itself: that of the fit by what the line leaves free.
            errors = weights / ((vectors**2) @ shrunk)
            if (loss := float((errors**2).sum())) < best:
                best, left_out, dual = loss, y - errors, weights
        if best >= float((y**2).sum()):
            return np.full(len(remainder), mean)
        found = mean + self._kernel @ dual
        found[self._seen] = mean + left_out
        return found


def _shares(f: np.ndarray, a: np.ndarray, families: np.ndarray | None) -> Shares:
    scaled = (a - a.mean()) / (a.std() or 1)
    f = _centred(f, families)
    straight, cubic = (
        _explained(f, np.stack([_centred(scaled**k, families) for k in powers], axis=1))
        for powers in ((1,), (1, 2, 3))
    )
    return Shares(straight, cubic - straight, 1 - cubic)


def _explained(y: np.ndarray, x: np.ndarray) -> float:
    coefficients = np.linalg.lstsq(x, y, rcond=None)[0]
    return float(1 - ((y - x @ coefficients) ** 2).sum() / (y**2).sum())


def _r(one: np.ndarray, other: np.ndarray, families: np.ndarray | None = None) -> float:
    one, other = _centred(one, families), _centred(other, families)
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def _centred(values: np.ndarray, families: np.ndarray | None) -> np.ndarray:
    if families is None:
        return values - values.mean()
    sums = np.bincount(families, values)
    counts = np.maximum(np.bincount(families), 1)
    return values - (sums / counts)[families]
