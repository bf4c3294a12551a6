"""A GWAS as one interactive HTML file that needs nothing else, drawn by plotly."""

from typing import Any

import numpy as np

from train.errors import MissingExtra
from train.gwas.pictures import Genome
from train.gwas.result import Points

_DARK, _LIGHT, _ACCENT = "#1f4e79", "#8fb3d9", "#c0392b"

#: All SNPs beyond this value are drawn; of the others as many as this, at even steps.
_ALWAYS, _OTHERS = 2.0, 20_000


def interactive(above: Points, below: Points | None, title: str, line: float | None) -> bytes:
    """The page: a Manhattan plot, or with `below` a Miami plot; SNPs say their name and place.

    Raises
    ------
    MissingExtra
        plotly is not installed.
    """
    try:
        from plotly import graph_objects as go
        from plotly.subplots import make_subplots
    except ImportError:
        raise MissingExtra(
            "--html needs plotly, which is not installed", 'pip install -e ".[train,html]"'
        ) from None
    sets = [above] if below is None else [above, below]
    genome = Genome(sets)
    figure = make_subplots(rows=len(sets), cols=1, shared_xaxes=True, vertical_spacing=0.03)
    for row, points in enumerate(sets, 1):
        figure.add_trace(_trace(go, genome, points), row=row, col=1)
        figure.update_yaxes(title_text=points.label, row=row, col=1)
    if line is not None:
        figure.add_hline(y=line, line={"color": _ACCENT, "dash": "dash", "width": 1}, row=1, col=1)
    if below is not None:
        figure.update_yaxes(autorange="reversed", row=2, col=1)
    figure.update_xaxes(tickvals=genome.middles, ticktext=genome.names, showgrid=False)
    figure.update_layout(
        title=title, template="plotly_white", showlegend=False, height=350 * len(sets) + 100
    )
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, div_id="gwas")
    return page.encode()


def _trace(go: Any, genome: Genome, points: Points) -> Any:
    kept = shown(points.values)
    words = [
        f"{points.snps[at]}<br>{points.chromosome[at]}:{int(points.position[at])}" for at in kept
    ]
    odd = genome.odd(points)[kept]
    return go.Scattergl(
        x=genome.at(points)[kept],
        y=points.values[kept],
        mode="markers",
        marker={"size": 4, "color": np.where(odd, _LIGHT, _DARK).tolist()},
        text=words,
        hovertemplate="%{text}<br>%{y:.3g}<extra></extra>",
    )


def shown(values: np.ndarray) -> np.ndarray:
    """Places of the values that are drawn, ascending."""
    small = np.flatnonzero(values < _ALWAYS)
    step = max(1, -(-len(small) // _OTHERS))
    return np.sort(np.concatenate([np.flatnonzero(values >= _ALWAYS), small[::step]]))
