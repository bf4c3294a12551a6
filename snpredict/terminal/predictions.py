"""Predictions on a terminal: one model with all its columns, several with one column each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from snpredict.results.selection import Selection
from snpredict.results.tables import Results
from snpredict.terminal.messages import decimals
from snpredict.terminal.streams import printable
from snpredict.terminal.tables import (
    FIRST_ROWS,
    LAST_ROWS,
    MAX_ROWS,
    heading_table,
    say,
    show,
    shown_rows,
)

if TYPE_CHECKING:
    from rich.console import Console

#: Shorter headings, where the terminal has no room for the columns' own names.
_SHORT = {
    "predicted_by": "by",
    "low_call_rate": "low calls",
    "distance_percentile": "distance %",
    "unlike_training": "unlike",
    "unlike_because": "because",
}

#: Columns from the most to the least wanted; what is not here comes behind.
_WANTED = (
    "sample",
    "rank",
    "index",
    "prediction",
    "lower",
    "upper",
    "reliability",
    "largest",
    "unlike_training",
    "spread",
)
_LEAST_WANTED = ("distance_percentile", "predicted_by")

#: Decimals of columns whose numbers are not in the unit of the trait.
_DECIMALS = {"distance_percentile": 1, "index": 2, "reliability": 2}

#: Flags of several models in one column: their columns, and what they are called there.
_FLAGS = {"unlike_training": "unlike training", "low_call_rate": "low calls"}


def show_selection(console: "Console", selection: Selection, per_fold: bool) -> None:
    """One row per listed sample; of many samples the first and the last ones."""
    results = selection.results(per_fold)
    n = len(results.columns["sample"])
    if len(selection.predictions) == 1:
        _show_one(console, selection, results)
    else:
        _show_several(console, selection, results)
    if n > MAX_ROWS:
        text = (
            f"{FIRST_ROWS + LAST_ROWS} of {n:,} samples; all of them with --out predictions.tsv "
            "or in a pipe"
        )
        say(console, [("", text)])


def _show_one(console: "Console", selection: Selection, results: Results) -> None:
    """All columns, as far as there is room for them."""
    bundle = selection.predictions[0].check.bundle
    digits, unit = decimals(bundle), bundle.manifest.unit
    columns, top = results.columns, results.top
    headings = [f"{name} ({unit})" if name == "prediction" else name for name in columns]
    if top:
        headings.append("largest contributions")
    table = heading_table(*headings, right=range(1, len(columns)))
    for row in shown_rows(len(columns["sample"])):
        if row is None:
            table.add_row(*["⋮"] * len(headings))
            continue
        cells = [
            _cell(column[row], _DECIMALS.get(name, digits)) for name, column in columns.items()
        ]
        if top:
            cells.append(_top_lines(top[row], digits + 1))
        table.add_row(*cells)
    show(console, table, way_out="--out FILE", short=_SHORT, rank=_importance)


def _show_several(console: "Console", selection: Selection, results: Results) -> None:
    """The prediction of every model, with its interval where there is one, and all flags."""
    columns, names = results.columns, selection.plan.columns
    own = [name for name in ("sample", "rank", "index") if name in columns]
    bundles = [prediction.check.bundle for prediction in selection.predictions]
    digits = dict(zip(names, map(decimals, bundles), strict=True))
    units = [bundle.manifest.unit for bundle in bundles]
    traits = [f"{n} ({unit})" if unit else n for n, unit in zip(names, units, strict=True)]
    rows = shown_rows(len(columns["sample"]))
    flags = {row: _flags(results, names, row) for row in rows if row is not None}
    flagged = ["flags"] if any(flags.values()) else []
    headings = [*own, *traits, *flagged]
    table = heading_table(*headings, right=range(1, len(own) + len(traits)))
    for row in rows:
        if row is None:
            table.add_row(*["⋮"] * len(headings))
            continue
        cells = [_cell(columns[name][row], _DECIMALS.get(name, 0)) for name in own]
        for name in names:
            cell = _cell(columns[name][row], digits[name])
            if f"{name}_lower" in columns:
                ends = [
                    _cell(columns[f"{name}_{e}"][row], digits[name]) for e in ("lower", "upper")
                ]
                cell += f" ({' to '.join(ends)})"
            cells.append(cell)
        table.add_row(*cells, *([flags[row]] if flagged else []))
    # Where room is short, a flag is wanted more than one more trait.
    first = {name: at for at, name in enumerate([*own, *flagged])}
    show(console, table, way_out="--out FILE", rank=lambda heading: first.get(heading, len(first)))
    say(console, [("", "spread, reliability and all other columns: --out FILE, or a pipe")])


def _flags(results: Results, names: Sequence[str], row: int) -> str:
    said = []
    for flag, words in _FLAGS.items():
        columns = [results.columns.get(f"{name}_{flag}") for name in names]
        flagged = [
            name
            for name, column in zip(names, columns, strict=True)
            if column is not None and column[row]
        ]
        if flagged:
            said.append(words if len(flagged) == len(names) else f"{words}: {', '.join(flagged)}")
    return "; ".join(said)


def _importance(heading: str) -> int:
    name = heading.split()[0]
    if name in _WANTED:
        return _WANTED.index(name)
    return len(_WANTED) + (name in _LEAST_WANTED)


def _top_lines(pairs: Sequence[tuple[str, float]], digits: int) -> str:
    """A SNP and its contribution per line."""
    values = [f"{value:+.{digits}f}" for _, value in pairs]
    names, numbers = max(len(snp) for snp, _ in pairs), max(map(len, values))
    return "\n".join(
        f"{snp:{names}} {value:>{numbers}}" for (snp, _), value in zip(pairs, values, strict=True)
    )


def _cell(value: object, digits: int) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.{digits}f}"
        case _:
            return printable(str(value))
