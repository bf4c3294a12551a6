"""From predictions of one or several models to a list to select from: columns, index, ranking."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import Manifest
from snpredict.errors import UsageError
from snpredict.matching.low_call_rate import low_call_rate
from snpredict.names import listed
from snpredict.results.facts import input_facts, model_facts, sample_facts
from snpredict.results.of_files import FilePrediction
from snpredict.results.selection_index import IndexTerm, index_terms
from snpredict.results.tables import Results

#: Columns of a list that are not of one model.
_OWN = ("sample", "rank", "index")


@dataclass(frozen=True)
class SelectionPlan:
    """What is to be made of the predictions of some models, checked before anything is scored.

    Attributes
    ----------
    columns : tuple of str
        For each model what its prediction is called, and what its other columns begin with.
    index : tuple of IndexTerm
        Empty for no index.
    rank : bool
        Whether samples are sorted.
    best : int or None
        How many of them are kept.
    """

    columns: tuple[str, ...]
    index: tuple[IndexTerm, ...]
    rank: bool
    best: int | None

    def of(self, predictions: Sequence[FilePrediction]) -> "Selection":
        """The list, from the predictions of these models for one file."""
        return Selection(self, tuple(predictions))


def plan_selection(
    bundles: Sequence[Bundle],
    *,
    index: str | None = None,
    rank: bool = False,
    best: int | None = None,
) -> SelectionPlan:
    """Check what is asked of the predictions of some models.

    Parameters
    ----------
    bundles : sequence of Bundle
        At least one.
    index : str, optional
        Traits with their weights, such as ``"yield:2,height:-1"``.
    rank : bool
        Sort the samples by the index or, without one, by the prediction of the only model, from
        the highest to the lowest.
    best : int, optional
        Sort them and keep the so many first, with all that tie with the last of them.

    Raises
    ------
    UsageError
        The index is none, or has a trait that no model predicts or whose mean and SD are not
        known; a model is given twice; there is nothing to rank several models by; or `best` is
        less than 1.
    """
    manifests = [bundle.manifest for bundle in bundles]
    _refuse_repeated(bundles)
    columns = _column_names(manifests)
    if best is not None and best < 1:
        raise UsageError(f"--best {best}: expected a whole number from 1", "for example --best 10")
    rank = rank or best is not None
    if rank and index is None and len(bundles) > 1:
        raise UsageError(
            f"{len(bundles)} models predict {listed(columns)}: there is no one value to rank by",
            f'give each trait its weight: --index "{columns[0]}:1,{columns[1]}:-1"',
        )
    terms = () if index is None else index_terms(index, columns, manifests)
    return SelectionPlan(columns, terms, rank, best)


@dataclass(frozen=True)
class Selection:
    """Predictions of one file by one or several models, as a list.

    Attributes
    ----------
    plan : SelectionPlan
    predictions : tuple of FilePrediction
        One per model, in the order of the plan.
    """

    plan: SelectionPlan
    predictions: tuple[FilePrediction, ...]

    @cached_property
    def index(self) -> np.ndarray | None:
        """The index of every sample of the file, (samples,) float64; None without one."""
        if not self.plan.index:
            return None
        of = dict(zip(self.plan.columns, self.predictions, strict=True))
        return np.sum(
            [t.weight * (of[t.column].scores.prediction - t.mean) / t.sd for t in self.plan.index],
            axis=0,
        )

    @cached_property
    def ranks(self) -> np.ndarray | None:
        """Rank of every sample of the file, (samples,) int64, from 1; None where none is asked for.

        One more than the number of samples with a higher value: equal values have one rank.
        """
        if not self.plan.rank:
            return None
        value = self.predictions[0].scores.prediction if self.index is None else self.index
        return 1 + np.searchsorted(np.sort(-value), -value, side="left")

    @cached_property
    def rows(self) -> np.ndarray:
        """Places in the file of the samples that are listed, in their order."""
        if self.ranks is None:
            return np.arange(len(self.samples))
        order = np.argsort(self.ranks, kind="stable")
        best = self.plan.best
        return order if best is None else order[self.ranks[order] <= best]

    @property
    def samples(self) -> list[str]:
        """All samples of the file."""
        return self.predictions[0].scores.samples

    @property
    def tied(self) -> int:
        """Listed samples that share their rank with another one."""
        if self.ranks is None:
            return 0
        counts = Counter(self.ranks[self.rows].tolist())
        return sum(count for count in counts.values() if count > 1)

    def flagged(self) -> dict[str, int]:
        """Listed samples that a flag of any model is about, by the name of the flag."""
        unlike = [p.check.unlike.any for p in self.predictions if p.check.unlike is not None]
        low = [low_call_rate(prediction.check) for prediction in self.predictions]
        flags = {"unlike_training": unlike, "low_call_rate": low}
        counts = {
            name: int(np.logical_or.reduce([one[self.rows] for one in rows]).sum())
            for name, rows in flags.items()
            if rows
        }
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def table(self) -> pa.Table:
        """What `snpredict predict` writes, a row per listed sample."""
        return self.results().to_arrow()

    def results(self, per_fold: bool = False) -> Results:
        """Columns sample, rank and index where asked for, then those of the predictions.

        One model's columns are those of `FilePrediction.results`. Of several models each has its
        own, which begin with its name in the plan: ``height`` is the prediction,
        ``height_spread`` the spread.
        """
        each = [prediction.results(per_fold) for prediction in self.predictions]
        own: dict[str, Any] = {"sample": self.samples}
        if self.ranks is not None:
            own["rank"] = self.ranks
        if self.index is not None:
            own["index"] = self.index
        if len(each) == 1:
            (one,) = each
            asked = self.ranks is not None or self.index is not None
            selection = {"selection": self._facts()} if asked else {}
            joined = Results(one.metadata | selection, own | one.columns, one.top, one.digits)
        else:
            columns = own
            for name, one in zip(self.plan.columns, each, strict=True):
                columns = _joined(columns, name, one)
            digits = max(one.digits for one in each)
            joined = Results(self._facts_of_several(each), columns, None, digits)
        return joined if self.ranks is None else joined.rows(self.rows)

    def _facts(self) -> dict[str, Any]:
        return {
            "ranked_by": None if self.ranks is None else self.ranked_by,
            "best": self.plan.best,
            "samples": len(self.samples),
            "index": [vars(term) for term in self.plan.index] or None,
        }

    @property
    def ranked_by(self) -> str:
        """The column whose highest value has rank 1."""
        return "prediction" if self.index is None else "index"

    def _facts_of_several(self, each: Sequence[Results]) -> dict[str, Any]:
        models = []
        for column, prediction, results in zip(
            self.plan.columns, self.predictions, each, strict=True
        ):
            facts = model_facts(prediction.check.bundle) | sample_facts(prediction.check)
            keys = ("match", "interval", "reliability")
            facts |= {key: results.metadata[key] for key in keys if key in results.metadata}
            version = facts.pop("snpredict_version")
            models.append({"column": column} | facts)
        source = self.predictions[0].check.source
        return {
            "snpredict_version": version,
            **input_facts(source),
            "models": models,
            "selection": self._facts(),
        }


def _refuse_repeated(bundles: Sequence[Bundle]) -> None:
    for digest, times in Counter(bundle.digest for bundle in bundles).items():
        if times > 1:
            name = next(b.manifest.name for b in bundles if b.digest == digest)
            raise UsageError(f"--model: found {name} {times} times, expected it once")


def _column_names(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """For each model its trait, or its name where two models have one trait.

    Letters, digits and underscores, so that they are names in R and pandas too.
    """
    if len(manifests) == 1:
        return (_plain(manifests[0].trait),)
    traits = [_plain(manifest.trait) for manifest in manifests]
    taken = Counter([*traits, *_OWN])
    names = [
        trait if taken[trait] == 1 else _plain(manifest.name)
        for trait, manifest in zip(traits, manifests, strict=True)
    ]
    for name, count in Counter([*names, *_OWN]).items():
        if count > 1:
            raise UsageError(
                f"--model: found two models with columns of the name {name!r}, expected one",
                "run the command once for each",
            )
    return tuple(names)


def _plain(name: str) -> str:
    plain = re.sub(r"\W+", "_", name).strip("_")
    return plain if plain[:1].isalpha() else f"trait_{plain}".rstrip("_")


def _joined(columns: dict[str, Any], name: str, one: Results) -> dict[str, Any]:
    """Columns with those of one more model behind them."""
    more = {
        name if column == "prediction" else f"{name}_{column}": values
        for column, values in one.flat().items()
        if column != "sample"
    }
    if both := sorted(set(more) & set(columns)):
        raise UsageError(
            f"--model: found two models with a column {both[0]!r}, expected one",
            "run the command once for each",
        )
    return columns | more
