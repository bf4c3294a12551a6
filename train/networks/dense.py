"""The network of the deep-learning GWAS: two hidden layers over SNPs that an L1 penalty picks.

Standardised genotypes, a missing one being the mean, of the SNPs that go with the trait most
(`train.networks.strongest`, `train.networks.pairs`) go in, and beside them covariates and principal
components of the training genotypes, which are not penalised. The size of the layers and
the penalty are chosen by the loss on the validation rows, and the scores of several networks, which
start from other weights, are averaged: with correlated SNPs single trainings rely on different
ones. A binary trait's scores are logits. Their slope and intercept are fitted on the validation
rows (Platt 1999), so that the probabilities are calibrated, also where classes were balanced.

Source: docs/methods.md; the design is that of a workshop paper on genome-wide association by
feature attribution, with proximal steps, covariates and averaging added.
"""

import numpy as np

from snpredict.bundle.manifest import BINARY, CONTINUOUS
from snpredict.formulas.dense_function import DenseInputs
from train.model import FoldData, Inputs, Record
from train.networks.dense_fitted import FittedDense
from train.networks.dense_inputs import inputs_by
from train.networks.network import JointNetwork
from train.networks.pairs import snps_of, strongest_pairs
from train.networks.presets import DenseArchitecture, DenseTraining
from train.networks.proximal import Recipe, Rows, Trained, walk
from train.networks.strongest import residuals, strongest_snps

#: Seeds of networks lie so far apart that those of neighbouring folds do not meet.
_SEEDS_APART = 1000


class DenseNetwork(JointNetwork):
    """Dense layers over the SNPs, trained along a path of penalties; see the module's text."""

    tasks = (CONTINUOUS, BINARY)
    covariates = True
    dosages = True

    def prepare(self, threads: int) -> None:
        """Nothing: it is trained in numpy, which the process has loaded."""

    def fit_all(self, data: FoldData, record: Record | None) -> list["FittedDense"]:
        """Choose the size, then train the networks that are averaged."""
        a, recipe = self.preset.architecture, self.preset.training
        assert isinstance(a, DenseArchitecture)
        assert isinstance(recipe, DenseTraining)
        seed = _SEEDS_APART * (data.seed + data.fold)
        y = data.train_targets
        center, scale = np.zeros(data.n_targets), np.ones(data.n_targets)
        if data.task != BINARY:
            center, scale = y.mean(axis=0), y.std(axis=0)
        encoder = inputs_by(data.train, a.components, seed)
        train = _rows(encoder, data.train, (y - center) / scale)
        validation = _rows(encoder, data.validation, (data.validation_targets - center) / scale)
        kept = _entering(a, train)
        encoder = encoder.only(kept)
        train, validation = (r._replace(snps=r.snps[:, kept]) for r in (train, validation))
        weights = _balanced(y) if recipe.balance and data.task == BINARY else None
        told = 0

        def trained(units: tuple[int, int], number: int) -> Trained:
            nonlocal told
            begin = told

            def tell(epoch: int, figures: dict[str, float]) -> None:
                nonlocal told
                told = begin + epoch
                if record is not None:
                    record(told, {**figures, "val_mae": float(scale.mean()) * figures["val_mae"]})

            return walk(
                train,
                validation,
                _recipe(recipe, units),
                task=data.task,
                seed=seed + number,
                weights=weights,
                tell=tell,
            )

        sizes = a.sizes
        tried = {
            units: [trained(units, number) for number in range(recipe.tried)]
            for units in (sizes if len(sizes) > 1 else ())
        }
        units = min(tried, key=lambda of: np.mean([t.loss for t in tried[of]]), default=sizes[0])
        networks = tried.get(units, [])[: recipe.networks]
        networks += [trained(units, n) for n in range(len(networks), recipe.networks)]
        chosen = {
            "units": list(units),
            "penalties": [round(network.penalty, 4) for network in networks],
            "snps": [network.n_snps for network in networks],
            "validation_loss": float(np.mean([network.loss for network in networks])),
        }
        found = []
        for at in range(data.n_targets):
            layers = [network.layers.only(at) for network in networks]
            moments = float(center[at]), float(scale[at])
            fitted = FittedDense(encoder, layers, *moments, data.target(at), dict(chosen))
            if data.task == BINARY:
                fitted = fitted.calibrated(
                    validation._replace(targets=validation.targets[:, at : at + 1])
                )
            found.append(fitted)
        return found


def _entering(a: DenseArchitecture, train: Rows) -> np.ndarray:
    """Places of the SNPs that go into the network, ascending; training rows choose them."""
    if a.snps == "all":
        return np.arange(train.snps.shape[1])
    kept = np.empty(0, np.int64)
    for y in train.targets.astype(np.float64).T:
        kept = np.union1d(kept, strongest_snps(train.snps, y, train.others, a.strongest))
        if a.snps == "pairs":
            left, _ = residuals(y, train.others)
            kept = np.union1d(kept, snps_of(strongest_pairs(train.snps, left, a.pairs)))
    return kept


def _rows(encoder: DenseInputs, inputs: Inputs, targets: np.ndarray) -> Rows:
    return Rows(
        encoder.of_snps(inputs.genotypes),
        encoder.of_others(inputs.genotypes, inputs.covariates),
        targets.astype(np.float32),
    )


def _recipe(recipe: DenseTraining, units: tuple[int, int]) -> Recipe:
    return Recipe(
        units=units,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        first_rate=recipe.first_rate,
        penalty_from=recipe.penalty_from,
        penalty_to=recipe.penalty_to,
    )


def _balanced(y: np.ndarray) -> np.ndarray:
    """Weights (rows, targets) by which both classes of a target weigh half, mean 1."""
    share = y.mean(axis=0)
    return np.where(y > 0, 0.5 / share, 0.5 / (1 - share))
