"""Training: a step takes some windows, whose gradients by log Λ go back through the network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from train.deepwas.genome import losses
from train.deepwas.ld_score import ld_score_loss
from train.deepwas.likelihood import Loss
from train.deepwas.networks import HIGHEST, LOWEST, Inputs, build, clipped
from train.deepwas.solving import full_loss
from train.deepwas.window import Window

#: Variants that go through a network at once.
_AT_ONCE = 8192


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a network is trained.

    Attributes
    ----------
    network, objective : str
        Of `NETWORKS` and `OBJECTIVES`.
    epochs : int
        At most; training stops after `patience` epochs in which the validation likelihood did not
        grow, and the best epoch's weights stay.
    windows_per_step : int
    learning_rate : float
        Of AdamW, after `warm_up` steps (a tenth of all steps where that is fewer), falling to 0 by
        a cosine.
    clip : float
        Largest norm of a step's gradient, of the mean over its variants.
    solver : str
        Of `train.deepwas.solving.SOLVERS`.
    learn_sigma : bool
        Whether σ is learned or 1.
    seed : int
    """

    network: str
    objective: str
    epochs: int = 10
    patience: int = 3
    windows_per_step: int = 4
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3
    warm_up: int = 100
    clip: float = 0.2
    solver: str = "auto"
    learn_sigma: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Fitted:
    """A trained network.

    Attributes
    ----------
    model : keras.Model
    sigma : float
    history : list of float
        Validation loss per variant after each epoch, beginning before the first; see `Loss`.
    best : int
        The epoch that stays.
    """

    model: Any
    sigma: float
    history: list[float] = field(default_factory=list)
    best: int = 0

    def log_prior(self, inputs: Inputs) -> np.ndarray:
        """log Λ of all variants, (variants,) float64; not yet within its ends."""
        found = np.empty(len(inputs))
        for start in range(0, len(inputs), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(inputs)))
            found[rows] = self.model.predict_on_batch(inputs.rows(rows))
        return found


def loss_per_variant(windows: Sequence[Window], log_prior: np.ndarray, sigma: float) -> float:
    """Mean negative log likelihood over the cores, less that of no effects; lower is better.

    Parameters
    ----------
    log_prior : ndarray (variants,)
        Of the whole genome.
    """
    total = losses(windows, log_prior, sigma).sum()
    return float(total) / sum(w.n_core for w in windows)


def start_of(windows: Sequence[Window]) -> float:
    """The constant log Λ at which z² is what LD scores make of it on average."""
    chi2 = sum(float((w.z.astype(np.float64) ** 2).sum()) for w in windows)
    scores = sum(float(w.squares.sum()) for w in windows)
    count = sum(w.n_core for w in windows)
    # No less than a hundredth of the noise.
    return float(np.log(max(chi2 - count, 0.01 * count) / scores))


def fit(
    windows: Sequence[Window],
    validation: Sequence[Window],
    inputs: Inputs,
    offset: np.ndarray,
    settings: FitSettings,
    *,
    mean_effect: float,
    tell: Callable[[], None] = lambda: None,
) -> Fitted:
    """Train a network on windows.

    Parameters
    ----------
    inputs : Inputs
        Of the whole genome.
    offset : ndarray (variants,)
        Added to the output, for a known scaling with frequency; mostly 0.
    mean_effect : float
        See `ld_score_loss`.
    tell : callable
        Called after every epoch.
    """
    import keras
    import tensorflow as tf

    s = settings
    start = start_of(windows) - float(offset.mean())
    model = build(s.network, inputs.shape, start, s.seed)
    log_sigma = tf.Variable(0.0)
    parameters = [*model.trainable_variables, *([log_sigma] if s.learn_sigma else [])]
    steps = -(-len(windows) // s.windows_per_step) * s.epochs
    warm_up = max(1, min(s.warm_up, steps // 10))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=s.learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=s.weight_decay, global_clipnorm=s.clip)
    optimizer.build(parameters)
    shape = tf.TensorSpec([None, *inputs.shape], tf.float32)
    vector, number = tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.float32)

    @tf.function(input_signature=[shape])
    def forward(x: Any) -> Any:
        return model(x, training=True)

    @tf.function(input_signature=[shape, vector, number])
    def step(x: Any, by_output: Any, by_log_sigma: Any) -> None:
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(by_output * model(x, training=True)) + by_log_sigma * log_sigma
        gradients = tape.gradient(value, parameters)
        optimizer.apply_gradients(zip(gradients, parameters, strict=True))

    def fitted(history: list[float], best: int) -> Fitted:
        return Fitted(model, float(np.exp(log_sigma.numpy())), history, best)

    def judged() -> float:
        now = fitted([], 0)
        return loss_per_variant(validation, clipped(now.log_prior(inputs) + offset), now.sigma)

    random = np.random.default_rng([s.seed, 22])
    history, best = [judged()], 0
    kept = [p.numpy() for p in parameters]
    for epoch in range(1, s.epochs + 1):
        order = random.permutation(len(windows))
        for at in range(0, len(order), s.windows_per_step):
            chosen = [windows[i] for i in order[at : at + s.windows_per_step]]
            rows = np.concatenate([np.arange(w.span.start, w.span.stop) for w in chosen])
            x = tf.constant(inputs.rows(rows))
            raw = forward(x).numpy().astype(np.float64) + offset[rows]
            sigma = float(np.exp(log_sigma.numpy()))
            loss = partial(_loss, s, sigma, mean_effect, epoch * len(windows) + at)
            by_output, by_log_sigma = _gradient(chosen, raw, loss)
            step(x, tf.constant(by_output, tf.float32), tf.constant(by_log_sigma, tf.float32))
        history.append(judged())
        tell()
        if history[-1] < history[best]:
            best, kept = epoch, [p.numpy() for p in parameters]
        elif epoch - best >= s.patience:
            break
    for parameter, value in zip(parameters, kept, strict=True):
        parameter.assign(value)
    return fitted(history, best)


def _gradient(
    windows: Sequence[Window], raw: np.ndarray, loss: Callable[[Window, np.ndarray], Loss]
) -> tuple[np.ndarray, float]:
    """By the network's output, for all windows' variants below each other, and by log σ."""
    by_output, by_log_sigma, at = np.empty(len(raw)), 0.0, 0
    for window in windows:
        rows = slice(at, at + window.n_all)
        at = rows.stop
        found = loss(window, np.exp(clipped(raw[rows])))
        by_output[rows] = found.by_log_prior
        by_log_sigma += found.by_log_sigma
    # Beyond the ends a gradient may lead back only.
    lost = ((raw < LOWEST) & (by_output > 0)) | ((raw > HIGHEST) & (by_output < 0))
    by_output[lost] = 0
    count = sum(w.n_core for w in windows)
    return by_output / count, by_log_sigma / count


def _loss(
    s: FitSettings,
    sigma: float,
    mean_effect: float,
    seed: int,
    window: Window,
    prior: np.ndarray,
) -> Loss:
    if s.objective == "ldsr":
        return ld_score_loss(window, prior, sigma, mean_effect=mean_effect)
    return full_loss(window, prior, sigma, s.solver, seed)
