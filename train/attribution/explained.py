"""What a method of attribution is given: a network as functions of its inputs.

Inputs belong to SNPs: one standardised number each, or four channels. Covariates and principal
components are inputs that belong to no SNP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from snpredict.formulas.dense_layers import DenseEnsemble, DenseLayers, relu
from snpredict.formulas.encoding import CHANNEL_CODES, N_CHANNELS, centred_codes
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import TraitScale
from snpredict.formulas.score_function import ScoreFunction, silu, silu_chord, silu_slope

#: The SNP of an input that belongs to none.
NO_SNP = -1


#: From places of inputs and values for them, the same in all samples, to outputs (samples,).
Replaced = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Explained(Protocol):
    """A network, and what belongs to it.

    Attributes
    ----------
    n_snps : int
        Of the model.
    snp_of : ndarray (inputs,) of int64
        Place of the SNP that an input belongs to, `NO_SNP` for none; those of a SNP stand together.
    reference : ndarray (inputs,) of float64
        The mean genotype of the training rows, and the means of all else.
    occurs : ndarray (inputs,) of bool
        Whether the input was anything but 0 in training: channels that no training row has are not.
    """

    @property
    def n_snps(self) -> int:
        """See above."""
        ...

    @property
    def snp_of(self) -> np.ndarray:
        """See above."""
        ...

    @property
    def reference(self) -> np.ndarray:
        """See above."""
        ...

    @property
    def occurs(self) -> np.ndarray:
        """See above."""
        ...

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Logits or standardised predictions (samples,) of inputs (samples, inputs)."""
        ...

    def replaced(self, x: np.ndarray) -> Replaced:
        """Outputs of the same samples with other values of a few inputs, without a new start."""
        ...

    def gradients(self, x: np.ndarray) -> np.ndarray:
        """Their derivatives, (samples, inputs)."""
        ...

    def multipliers(self, x: np.ndarray) -> np.ndarray:
        """Slopes from the reference, by DeepLIFT's rescale rule, (samples, inputs)."""
        ...


@dataclass(frozen=True)
class ExplainedDense:
    """A `train.networks.dense` network: one input per SNP that has a weight, then all else.

    Attributes
    ----------
    layers : DenseLayers or DenseEnsemble
    """

    layers: DenseLayers | DenseEnsemble
    n_snps: int
    snp_of: np.ndarray

    @property
    def reference(self) -> np.ndarray:
        """0: inputs are in SDs from the mean."""
        return np.zeros(len(self.snp_of))

    @property
    def occurs(self) -> np.ndarray:
        """All of them."""
        return np.ones(len(self.snp_of), bool)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """See `Explained`."""
        return self.layers.scores(x)[:, 0]

    def replaced(self, x: np.ndarray) -> Replaced:
        """See `Explained`; what goes into the first layers is kept."""
        layers = self.layers
        each = layers.networks if isinstance(layers, DenseEnsemble) else [layers]
        parts = [_replaced(network, x) for network in each]
        return lambda columns, values: np.mean([part(columns, values) for part in parts], axis=0)

    def gradients(self, x: np.ndarray) -> np.ndarray:
        """See `Explained`."""
        return self.layers.gradients(x)

    def multipliers(self, x: np.ndarray) -> np.ndarray:
        """See `Explained`."""
        return self.layers.multipliers(x, self.reference)


def _replaced(network: DenseLayers, x: np.ndarray) -> Replaced:
    first, *rest = network.kernels
    units = x @ first + network.biases[0]
    behind = DenseLayers(rest, network.biases[1:], network.leak)

    def outputs(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        moved = units + (values - x[:, columns]) @ first[columns]
        return (behind.scores(relu(moved, network.leak)) if rest else moved)[:, 0]

    return outputs


@dataclass(frozen=True)
class ExplainedScore:
    """A network whose score is a `ScoreFunction` of one fold: four channels per SNP.

    Attributes
    ----------
    function : ScoreFunction
        Of one fold.
    trait : TraitScale
        Of that fold; its link is part of what is explained, its units are not.
    frequencies : ndarray (SNPs, 4)
        Of the training rows, channel order.
    """

    function: ScoreFunction
    trait: TraitScale
    frequencies: np.ndarray

    @property
    def n_snps(self) -> int:
        """Of the model."""
        return len(self.frequencies)

    @property
    def snp_of(self) -> np.ndarray:
        """Four inputs per SNP."""
        return np.repeat(np.arange(self.n_snps), N_CHANNELS)

    @property
    def reference(self) -> np.ndarray:
        """The frequencies of the channels."""
        return self.frequencies.reshape(-1)

    @property
    def occurs(self) -> np.ndarray:
        """Channels that training rows have."""
        return self.frequencies.reshape(-1) > 0

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """See `Explained`."""
        return self.trait.link.value(self._score(x)[0])

    def replaced(self, x: np.ndarray) -> Replaced:
        """See `Explained`; the sums over the SNPs are kept."""
        hidden = self.function.hidden
        weights = self.function.weights[:, :, 0].reshape(-1)
        z = x @ weights + self.function.bias[0]
        s, to_units = np.zeros((len(x), 0)), np.zeros((x.shape[1], 0))
        output = np.zeros(0)
        if hidden is not None:
            s = hidden.bias[0] + self._hidden_inputs(x) @ hidden.weights[0]
            output = hidden.output[0]
            of_snps = np.zeros((self.n_snps, N_CHANNELS, s.shape[1]))
            codes = centred_codes(hidden.means[0])
            of_snps[hidden.snps[0]] = codes[:, :, None] * hidden.weights[0][:, None, :]
            to_units = of_snps.reshape(-1, s.shape[1])

        def outputs(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
            moved = values - x[:, columns]
            units = silu(s + moved @ to_units[columns]) @ output
            return self.trait.link.value(z + moved @ weights[columns] + units)

        return outputs

    def gradients(self, x: np.ndarray) -> np.ndarray:
        """See `Explained`."""
        z, s = self._score(x)
        return self.trait.link.slope(z)[:, None] * self._passed(
            None if s is None else silu_slope(s), len(x)
        )

    def multipliers(self, x: np.ndarray) -> np.ndarray:
        """See `Explained`."""
        z, s = self._score(x)
        z_ref, s_ref = self._score(self.reference[None])
        slopes = None if s is None or s_ref is None else silu_chord(s, s_ref)
        return self.trait.link.chord_slope(z, z_ref)[:, None] * self._passed(slopes, len(x))

    def _score(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Score (samples,), and what goes into the hidden units (samples, units)."""
        function = self.function
        z = x @ function.weights[:, :, 0].reshape(-1) + function.bias[0]
        if function.hidden is None:
            return z, None
        hidden = function.hidden
        s = hidden.bias[0] + self._hidden_inputs(x) @ hidden.weights[0]
        return z + silu(s) @ hidden.output[0], s

    def _hidden_inputs(self, x: np.ndarray) -> np.ndarray:
        hidden = self.function.hidden
        assert hidden is not None
        chosen = x.reshape(len(x), self.n_snps, N_CHANNELS)[:, hidden.snps[0]]
        return np.einsum("njc,jc->nj", chosen, centred_codes(hidden.means[0]))

    def _passed(self, slopes: np.ndarray | None, n: int) -> np.ndarray:
        """Derivatives of the score by the channels, given the units' slopes (samples, units)."""
        weights = self.function.weights[:, :, 0]
        passed = np.tile(weights.reshape(-1).astype(np.float64), (n, 1))
        hidden = self.function.hidden
        if hidden is None or slopes is None:
            return passed
        by_snp = (slopes * hidden.output[0]) @ hidden.weights[0].T
        channels = by_snp[:, :, None] * centred_codes(hidden.means[0])
        passed.reshape(n, self.n_snps, N_CHANNELS)[:, hidden.snps[0]] += channels
        return passed


@dataclass(frozen=True)
class Among:
    """A network of some SNPs as one of all.

    Attributes
    ----------
    network : Explained
    kept : ndarray of int64
        Places of its SNPs among all, ascending.
    n_snps : int
        Of all.
    """

    network: Explained
    kept: np.ndarray
    n_snps: int

    @property
    def snp_of(self) -> np.ndarray:
        """Places among all SNPs."""
        own = self.network.snp_of
        return np.where(own == NO_SNP, NO_SNP, self.kept[own])

    @property
    def reference(self) -> np.ndarray:
        """The network's."""
        return self.network.reference

    @property
    def occurs(self) -> np.ndarray:
        """The network's."""
        return self.network.occurs

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """The network's."""
        return self.network.outputs(x)

    def replaced(self, x: np.ndarray) -> Replaced:
        """The network's."""
        return self.network.replaced(x)

    def gradients(self, x: np.ndarray) -> np.ndarray:
        """The network's."""
        return self.network.gradients(x)

    def multipliers(self, x: np.ndarray) -> np.ndarray:
        """The network's."""
        return self.network.multipliers(x)


def channels_of(genotypes: Genotypes) -> np.ndarray:
    """Genotypes as the inputs of `ExplainedScore`, (samples, SNPs · 4) float64."""
    shares = [genotypes.share_of(code) for code in CHANNEL_CODES]
    return np.stack(shares, axis=2).reshape(len(genotypes), -1).astype(np.float64)


def by_snp(values: np.ndarray, network: Explained) -> np.ndarray:
    """Sums over the inputs of each SNP: (samples, SNPs) of (samples, inputs)."""
    found = np.zeros((len(values), network.n_snps))
    of_snps = np.flatnonzero(network.snp_of != NO_SNP)
    snps = network.snp_of[of_snps]
    if len(snps):
        starts = np.flatnonzero(np.diff(snps, prepend=-1))
        found[:, snps[starts]] = np.add.reduceat(values[:, of_snps], starts, axis=1)
    return found
