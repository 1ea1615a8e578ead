"""Lines, bands, intervals and time-lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simclone.figures.style import BLUE, GREY, ORANGE, ORDER, figure

if TYPE_CHECKING:
    import pandas as pd

ROW = 28


def series(frame: pd.DataFrame, columns: dict[str, str], unit: str) -> Any:
    """Columns of a frame over its at_s, in hours; *columns* maps names to titles."""
    from plotly.graph_objects import Scatter

    hours = (frame["at_s"] / 3600).tolist()
    traces = [
        Scatter(x=hours, y=frame[name].tolist(), name=title, mode="lines", line={"shape": "hv", "color": ORDER[at]})
        for at, (name, title) in enumerate(columns.items())
    ]
    result = figure(*traces)
    result.update_xaxes(title="hours")
    result.update_yaxes(title=unit, rangemode="tozero")
    return result


def intervals(frame: pd.DataFrame, title: str, *, share: bool = False) -> Any:
    """Estimates with their intervals, best on top; columns: name, estimate, low, high."""
    from plotly.graph_objects import Scatter

    high = [max(top - middle, 0) for top, middle in zip(frame["high"], frame["estimate"], strict=True)]
    low = [max(middle - bottom, 0) for bottom, middle in zip(frame["low"], frame["estimate"], strict=True)]
    trace = Scatter(
        x=frame["estimate"].tolist(),
        y=frame["name"].tolist(),
        mode="markers",
        marker={"size": 10, "color": BLUE},
        error_x={"type": "data", "symmetric": False, "array": high, "arrayminus": low, "color": GREY},
    )
    result = figure(trace, height=130 + ROW * len(frame))
    result.update_xaxes(title=title, tickformat=".1%" if share else None)
    result.update_yaxes(autorange="reversed")
    return result


def bands(frame: pd.DataFrame) -> Any:
    """Runways in days from a tenth to nine tenths of the runs; columns: name, low, middle, high."""
    from plotly.graph_objects import Bar, Scatter

    names = frame["name"].tolist()
    width = [top - bottom for top, bottom in zip(frame["high"], frame["low"], strict=True)]
    result = figure(
        Bar(y=names, x=width, base=frame["low"].tolist(), orientation="h", name="a tenth to nine tenths",
            marker={"color": BLUE, "opacity": 0.35}),
        Scatter(x=frame["middle"].tolist(), y=names, mode="markers", name="half", marker={"size": 12, "color": ORANGE}),
        height=150 + ROW * len(names),
    )  # fmt: skip
    result.update_xaxes(title="days", rangemode="tozero")
    result.update_yaxes(autorange="reversed")
    return result


def timeline(frame: pd.DataFrame) -> Any:
    """What happens when; columns: name, kind, at_h (hours)."""
    from plotly.graph_objects import Scatter

    kinds = list(dict.fromkeys(frame["kind"]))
    traces = []
    for at, kind in enumerate(kinds):
        part = frame[frame["kind"] == kind]
        traces.append(
            Scatter(
                x=part["at_h"].tolist(),
                y=part["name"].tolist(),
                mode="markers",
                name=kind,
                marker={"size": 11, "color": ORDER[at % len(ORDER)], "symbol": "diamond"},
            )
        )
    result = figure(*traces, height=150 + ROW * frame["name"].nunique())
    result.update_xaxes(title="hours", rangemode="tozero")
    result.update_yaxes(autorange="reversed")
    return result


def tornado(frame: pd.DataFrame, base: float, title: str) -> Any:
    """What moves a figure; columns: path, at_low, at_high."""
    from plotly.graph_objects import Bar

    names = frame["path"].tolist()
    result = figure(
        Bar(y=names, x=[value - base for value in frame["at_low"]], base=base, orientation="h", name="low end",
            marker_color=BLUE),
        Bar(y=names, x=[value - base for value in frame["at_high"]], base=base, orientation="h", name="high end",
            marker_color=ORANGE),
        height=150 + ROW * len(names),
        barmode="overlay",
    )  # fmt: skip
    result.update_xaxes(title=title)
    result.update_yaxes(autorange="reversed")
    return result
