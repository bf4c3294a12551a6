"""A fold's network as a function of genotypes, and as the linear map that it is at every line.

A prediction is asked for with each genotype of a locus without starting again: what the locus adds
to the score and to what goes into the units is taken out and put back.

A network of rectified units with any slope below 0, of SiLU units ``s · σ(s)`` and of an ISRU
``z · (1 + α z²)^(−1/2)`` is a product of its inputs and gates. With the gates held at their values
for a line it is linear, ``f = J x + b``, and equals the network there to rounding (Golden 2025,
arXiv 2505.24293). b comes from the network's biases and not as what is left over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.errors import InvalidBundle
from snpredict.formulas.dense_function import DenseFold, DenseFunction
from snpredict.formulas.dense_layers import DenseEnsemble, DenseLayers, relu, relu_slope
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING, channel_of
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import Isru, TraitScale, sigmoid
from snpredict.formulas.score_function import ScoreFunction, silu
from snpredict.scoring.graph_score import dense_of, dense_output_names
from snpredict.scoring.onnx_session import open_session
from train.decomposition.contrasts import CODES
from train.errors import UnsuitableModel
from train.networks.score import function_of
from train.runs.folder import Run, fold_folder
from train.runs.scores import fixed_of, hidden_of, link_of, read_score


@dataclass(frozen=True)
class FoldFunction:
    """Of one fold; covariates are at their means.

    Attributes
    ----------
    number : int
        Of the fold.
    score : ScoreFunction or DenseFunction
        Of that fold alone.
    scale : TraitScale
        Of that fold; of a binary trait values are logits, on which effects add up.
    """

    number: int
    score: ScoreFunction | DenseFunction
    scale: TraitScale

    def predictions(self, codes: np.ndarray) -> np.ndarray:
        """Of lines (lines, loci) of int8: (lines,) float64, trait units."""
        return self.scale.of_fold(0, self._parts(codes).scores())

    def each_genotype(
        self, codes: np.ndarray, genotypes: Sequence[int] = CODES
    ) -> Iterator[np.ndarray]:
        """Predictions (lines, genotypes) float64 with each genotype of a locus, locus by locus."""
        parts = self._parts(codes)
        for locus in range(codes.shape[1]):
            z = np.stack([parts.moved(locus, code) for code in genotypes], axis=1)
            yield self.scale.of_fold(0, z.astype(np.float64))

    def distance_of_map(self, codes: np.ndarray) -> float:
        """Largest ``|J x + b − f|`` over lines, in SDs of the trait: 0 but for rounding."""
        mapped, z = self._parts(codes).mapped()
        link = self.scale.link
        if isinstance(link, Isru):
            mapped = mapped / np.sqrt(1 + link.alpha * z**2)
        return float(np.abs(mapped - link.value(z)).max())

    def _parts(self, codes: np.ndarray) -> "_Score | _Dense":
        if isinstance(self.score, DenseFunction):
            return _Dense(self.score.folds[0], codes)
        return _Score(self.score, codes)


class _Score:
    """A `ScoreFunction` of one fold in given lines, with its sums kept."""

    def __init__(self, function: ScoreFunction, codes: np.ndarray):
        self._codes = codes
        self._weights = function.weights[:, :, 0].astype(np.float64)
        self._bias = float(function.bias[0])
        self._channels = channel_of(codes)
        self._hidden = hidden = function.hidden
        self._linear = np.full(len(codes), self._bias)
        for locus in range(codes.shape[1]):
            self._linear += self._weights[locus].take(self._channels[:, locus])
        if hidden is not None:
            self._place = {int(snp): at for at, snp in enumerate(hidden.snps[0])}
            self._x = hidden.inputs(0, Genotypes(codes))
            self._s = hidden.bias[0] + self._x @ hidden.weights[0]
            self._of_units = silu(self._s) @ hidden.output[0]
            # Moved again and again: half the digits are plenty for what a locus changes.
            self._s32 = self._s.astype(np.float32)
            self._u32 = hidden.weights[0].astype(np.float32)
            self._v32 = hidden.output[0].astype(np.float32)

    def scores(self) -> np.ndarray:
        return self._linear if self._hidden is None else self._linear + self._of_units

    def moved(self, locus: int, code: int) -> np.ndarray:
        """Scores with that genotype of a locus in all lines."""
        row = self._weights[locus]
        z = self._linear + row[CHANNEL_CODES.index(code)] - row.take(self._channels[:, locus])
        hidden = self._hidden
        if hidden is None:
            return z
        at = self._place.get(locus)
        if at is None or not self._u32[at].any():
            return z + self._of_units
        step = (code - hidden.means[0][at] - self._x[:, at]).astype(np.float32)
        return z + silu(self._s32 + step[:, None] * self._u32[at]) @ self._v32

    def mapped(self) -> tuple[np.ndarray, np.ndarray]:
        """``J x + b`` with x the channels and the hidden layer's inputs, and the scores."""
        linear = self._linear
        if self._hidden is None:
            return linear, self.scores()
        gated = sigmoid(self._s) * self._hidden.output[0]
        jacobian = gated @ self._hidden.weights[0].T
        return (
            linear + (jacobian * self._x).sum(axis=1) + gated @ self._hidden.bias[0],
            self.scores(),
        )


class _Dense:
    """Dense layers of one fold in given lines, with what goes into the first units kept."""

    def __init__(self, fold: DenseFold, codes: np.ndarray):
        self._fold = fold
        self._x = fold.inputs.of(Genotypes(codes)).astype(np.float64)
        self._codes = np.where(codes == MISSING, np.nan, codes)
        layers = fold.layers
        self._networks = list(layers.networks if isinstance(layers, DenseEnsemble) else [layers])
        self._place = {int(snp): at for at, snp in enumerate(fold.inputs.snps)}
        self._behind = [_narrow(network) for network in self._networks]
        self._units = [
            (self._x @ network.kernels[0] + network.biases[0]).astype(np.float32)
            for network in self._networks
        ]

    def scores(self) -> np.ndarray:
        return self._fold.layers.scores(self._x)[:, 0]

    def moved(self, locus: int, code: int) -> np.ndarray:
        """Scores with that genotype of a locus in all lines."""
        inputs = self._fold.inputs
        mean = inputs.means[locus]
        # A missing genotype is the mean.
        step = code - np.where(np.isnan(self._codes[:, locus]), mean, self._codes[:, locus])
        per_copy = np.zeros(self._x.shape[1])
        if (at := self._place.get(locus)) is not None:
            per_copy[at] = 1 / inputs.sds[at]
        per_copy[len(per_copy) - inputs.loadings.shape[1] :] += inputs.loadings[locus]
        found = np.zeros(len(step))
        for network, behind, units in zip(self._networks, self._behind, self._units, strict=True):
            to_units = (per_copy @ network.kernels[0]).astype(np.float32)
            s = units + step.astype(np.float32)[:, None] * to_units
            found += (s if behind is None else behind.scores(relu(s, network.leak)))[:, 0]
        return found / len(self._networks)

    def mapped(self) -> tuple[np.ndarray, np.ndarray]:
        """``J x + b`` with x the inputs of the first layer, and the scores."""
        mapped = np.zeros(len(self._x))
        for network in self._networks:
            *hidden, _ = network.inputs_of_units(self._x)
            offset = np.zeros((len(self._x), 0))
            for at, bias in enumerate(network.biases):
                offset = bias if at == 0 else offset @ network.kernels[at] + bias
                if at < len(hidden):
                    offset = relu_slope(hidden[at], network.leak) * offset
            mapped += (network.gradients(self._x) * self._x).sum(axis=1) + offset[..., 0]
        return mapped / len(self._networks), self.scores()


def _narrow(network: DenseLayers) -> DenseLayers | None:
    """The layers behind the first, in float32."""
    if len(network.kernels) == 1:
        return None
    kernels, biases = (
        [part.astype(np.float32) for part in parts[1:]]
        for parts in (network.kernels, network.biases)
    )
    return DenseLayers(kernels, biases, network.leak)


def functions_of(run: Run) -> list[FoldFunction]:
    """Of every finished fold of a run.

    Raises
    ------
    UnsuitableModel
        The model does not tell its layers as numbers.
    """
    link = link_of(run.settings).link
    found = []
    for number, result in zip(run.folds, run.results, strict=True):
        folder = fold_folder(run.path, number)
        score = _dense(run, folder) or _fused(folder)
        if score is None:
            raise UnsuitableModel(
                f"model {run.settings.model} of {run.path} does not tell its layers as numbers: it "
                "cannot be mapped exactly",
                "train a network, such as --preset default",
            )
        scale = TraitScale(
            np.array([result.get("center", 0.0)]), np.array([result.get("scale", 1.0)]), link
        )
        found.append(FoldFunction(number, score, scale.additive()))
    return found


def _fused(folder: Path) -> ScoreFunction | None:
    score = read_score(folder)
    if "weights" not in score:
        return None
    weights, bias = score["weights"][:, :, None], np.array([score["bias"]])
    return function_of(weights, bias, hidden_of([score]), fixed_of([score]))


def _dense(run: Run, folder: Path) -> DenseFunction | None:
    path = folder / "model.onnx"
    if not path.exists():
        return None
    session = open_session(path.read_bytes())
    names, n_snps = dense_output_names(session), len(run.data.snps)
    if names is None:
        return None
    n_covariates = 0 if run.covariates is None else run.covariates.shape[1]
    fed: dict[str, np.ndarray] = {"genotypes": np.full((1, n_snps), MISSING, np.int8)}
    if n_covariates:
        fed["covariates"] = np.full((1, n_covariates), np.nan, np.float32)
    try:
        return DenseFunction([dense_of(session.run(names, fed), n_snps, n_covariates, path)])
    except InvalidBundle as error:
        raise UnsuitableModel(str(error), "train the run again") from None
