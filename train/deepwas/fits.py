"""Fits of several networks, objectives and seeds, each in a process of its own and kept on disk."""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.files import write_files
from train.deepwas.splitting import Split

#: A fit's file, by network, objective and seed.
_NAME = "{network}-{objective}-{seed}"


@dataclass(frozen=True)
class FitTask:
    """One fit, as what a process needs for it.

    Attributes
    ----------
    folder : Path
        Of the run: it holds ``windows`` and ``features.npy``, and gets ``fits``.
    settings : dict
        Of `train.deepwas.fit.FitSettings`.
    split : Split
    offset : float
        Power of 4pq in the prior variance; 0 leaves it to the network.
    mean_effect : float
        See `train.deepwas.ld_score`.
    features : str
        Digest of the standardised annotations: a fit on others is another fit.
    """

    folder: Path
    settings: dict[str, Any]
    split: Split
    offset: float
    mean_effect: float
    features: str

    @property
    def name(self) -> str:
        """Network, objective and seed."""
        return _NAME.format(**self.settings)

    @property
    def described(self) -> str:
        """All that the outcome depends on beside the windows, as JSON."""
        split = {name: rows.tolist() for name, rows in vars(self.split).items()}
        rest = {"offset": self.offset, "mean_effect": self.mean_effect}
        return json.dumps({**self.settings, **split, **rest, "features": self.features})


@dataclass(frozen=True)
class Fit:
    """The outcome of one.

    Attributes
    ----------
    log_prior : ndarray (variants,) of float64
        log Λ of the whole genome.
    sigma : float
    losses : ndarray (held-out windows,) of float64
        Each window's, in nats; see `train.deepwas.likelihood.Loss`.
    validation : float
        Loss per variant of the validation windows.
    history : list of float
        See `train.deepwas.fit.Fitted`.
    best : int
    seconds : float
    seed : int
    n_weights : int
        Arrays of the network's weights in the fit's file, ``weight_0`` and so on.
    """

    log_prior: np.ndarray
    sigma: float
    losses: np.ndarray
    validation: float
    history: list[float]
    best: int
    seconds: float
    seed: int
    n_weights: int


def run_fits(
    tasks: Sequence[FitTask], jobs: int, finished: Callable[[FitTask, Fit], None]
) -> list[Fit]:
    """Fit those that are not on disk, and read all.

    Parameters
    ----------
    jobs : int
        Processes at a time, of one thread each.
    finished : callable
        Told of every fit as it ends, of those on disk first.
    """
    left = []
    for task in tasks:
        if (kept := read_fit(task)) is not None:
            finished(task, kept)
        else:
            left.append(task)
    if left:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(left)), spawn, _alone) as pool:
            waiting = {pool.submit(_fit, task): task for task in left}
            try:
                for done in as_completed(waiting):
                    done.result()
                    found = read_fit(waiting[done])
                    assert found is not None
                    finished(waiting[done], found)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return [fit for task in tasks if (fit := read_fit(task)) is not None]


def read_fit(task: FitTask) -> Fit | None:
    """What is on disk of it, if that is of the same settings."""
    path = task.folder / "fits" / f"{task.name}.npz"
    if not path.exists():
        return None
    with np.load(path) as file:
        if str(file["described"]) != task.described:
            return None
        numbers = {name: float(file[name]) for name in ("sigma", "validation", "seconds")}
        return Fit(
            log_prior=file["log_prior"],
            losses=file["losses"],
            history=file["history"].tolist(),
            best=int(file["best"]),
            seed=int(task.settings["seed"]),
            n_weights=sum(name.startswith("weight_") for name in file.files),
            **numbers,
        )


def _alone() -> None:
    """One thread for each process, of linear algebra and of TensorFlow."""
    from threadpoolctl import threadpool_limits

    from train.runtime import configure_tensorflow, keep_to_itself

    keep_to_itself()
    threadpool_limits(1)
    with _silent():
        configure_tensorflow(1)


@contextmanager
def _silent() -> Iterator[None]:
    """TensorFlow's libraries write to file descriptor 2 while they are loaded."""
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _fit(task: FitTask) -> None:
    import io
    import time

    from train.deepwas.fit import FitSettings, fit
    from train.deepwas.genome import losses
    from train.deepwas.networks import Inputs, clipped
    from train.deepwas.store import open_windows

    started = time.monotonic()
    windows = open_windows(task.folder / "windows")
    arrays = ("features", "chromosome", "position")
    features, *places = (np.load(task.folder / f"{name}.npy", mmap_mode="r") for name in arrays)
    inputs = Inputs(task.settings["network"], features, *places)
    scaling = np.load(task.folder / "log_4pq.npy")
    of = {name: [windows[at] for at in rows.tolist()] for name, rows in vars(task.split).items()}
    fitted = fit(
        of["train"],
        of["validation"],
        inputs,
        task.offset * scaling,
        FitSettings(**task.settings),
        mean_effect=task.mean_effect,
    )
    log_prior = clipped(fitted.log_prior(inputs) + task.offset * scaling)
    file = io.BytesIO()
    np.savez(
        file,
        described=task.described,
        log_prior=log_prior,
        sigma=fitted.sigma,
        losses=losses(of["held_out"], log_prior, fitted.sigma),
        validation=fitted.history[fitted.best],
        history=fitted.history,
        best=fitted.best,
        seconds=time.monotonic() - started,
        **{f"weight_{at}": value for at, value in enumerate(fitted.model.get_weights())},
    )
    folder = task.folder / "fits"
    folder.mkdir(exist_ok=True)
    write_files({folder / f"{task.name}.npz": file.getvalue()})


def settings_of(**given: Any) -> dict[str, Any]:
    """The settings of a fit, with the defaults of what is not given."""
    from train.deepwas.fit import FitSettings

    return asdict(FitSettings(**given))
