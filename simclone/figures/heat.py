"""The fleet at a glance: a cell per host, a block per cluster, with a slider where there is a series."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from simclone.figures.style import HEAT, figure

if TYPE_CHECKING:
    import pandas as pd

MOST_FRAMES = 60
GAP = 1


def heat_map(frame: pd.DataFrame, series: pd.DataFrame | None = None) -> Any:
    """Use of hosts; *frame* columns: cluster, host, use (ratio), text. *series*: at_s, host, use, for the slider."""
    from plotly.graph_objects import Heatmap

    positions, width, height, labels = _placed(frame)
    texts = dict(zip(frame["host"], frame["text"], strict=True))
    first = dict(zip(frame["host"], frame["use"], strict=True))

    def trace(use: dict[str, float]) -> Any:
        rows: list[list[float | None]] = [[None] * width for _ in range(height)]
        words = [[""] * width for _ in range(height)]
        for host, (row, column) in positions.items():
            rows[row][column] = round(use.get(host, float("nan")), 4) if host in use else None
            words[row][column] = texts[host]
        return Heatmap(
            z=rows,
            text=words,
            hovertemplate="%{text}<br>%{z:.0%} in use<extra></extra>",
            colorscale=[list(item) for item in HEAT],
            zmin=0,
            zmax=1,
            xgap=1,
            ygap=1,
            colorbar={"tickformat": ".0%", "thickness": 12},
        )

    result = figure(trace(first), height=min(max(150 + 18 * height, 240), 760))
    for name, row, column in labels:
        result.add_annotation(x=column - 0.5, y=row, text=name, showarrow=False, xanchor="left", yanchor="middle")
    result.update_xaxes(visible=False, range=[-0.6, width - 0.4])
    result.update_yaxes(visible=False, autorange="reversed")
    if series is not None and len(series):
        _slide(result, series, trace)
    return result


def _placed(frame: pd.DataFrame) -> tuple[dict[str, tuple[int, int]], int, int, list[tuple[str, int, int]]]:
    """A cell for each host: blocks side by side, each with its name above it."""
    blocks = {name: part["host"].tolist() for name, part in frame.groupby("cluster", sort=False)}
    total = max(sum(len(hosts) for hosts in blocks.values()), 1)
    wide = max(ceil(sqrt(total * 2.5)), 8)
    positions: dict[str, tuple[int, int]] = {}
    labels, row, column, deepest = [], 0, 0, 0
    for name, hosts in blocks.items():
        side = min(max(ceil(sqrt(len(hosts) * 1.6)), 4), wide)
        if column and column + side > wide:
            row, column, deepest = row + deepest + GAP, 0, 0
        labels.append((str(name), row, column))
        for at, host in enumerate(hosts):
            positions[host] = (row + 1 + at // side, column + at % side)
        deepest = max(deepest, 1 + ceil(len(hosts) / side))
        column += side + GAP
    width = max((column for _, column in positions.values()), default=0) + 1
    return positions, max(width, 4), row + deepest, labels


def _slide(made: Any, series: pd.DataFrame, trace: Any) -> None:
    """Frames over time, at most `MOST_FRAMES` of them."""
    from plotly.graph_objects import Frame

    times = sorted(series["at_s"].unique().tolist())
    times = times[:: max(ceil(len(times) / MOST_FRAMES), 1)]
    by_time = dict(iter(series.groupby("at_s")))
    frames, steps = [], []
    for at in times:
        part = by_time[at]
        name = f"{at / 3600:g} h"
        frames.append(Frame(data=[trace(dict(zip(part["host"], part["use"], strict=True)))], name=name))
        how = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
        steps.append({"label": name, "method": "animate", "args": [[name], how]})
    made.frames = frames
    made.update_layout(sliders=[{"steps": steps, "currentvalue": {"prefix": "at "}, "active": len(steps) - 1}])
