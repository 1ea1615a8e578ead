"""Bars: use before and after, what remains, reasons, ladders, waterfalls, funnels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simclone.figures.style import BLUE, GREEN, GREY, ORANGE, RED, figure, whole

if TYPE_CHECKING:
    import pandas as pd

ROW = 26
"""Pixels a horizontal bar takes."""


def before_after(frame: pd.DataFrame) -> Any:
    """Share in use before and after; columns: place, before, after (ratios)."""
    from plotly.graph_objects import Bar

    positions = frame["place"].tolist()
    grown = [max(after - before, 0) for before, after in zip(frame["before"], frame["after"], strict=True)]
    base = [min(before, after) for before, after in zip(frame["before"], frame["after"], strict=True)]
    values = [max(before - after, 0) for before, after in zip(frame["before"], frame["after"], strict=True)]
    result = figure(
        Bar(y=positions, x=base, orientation="h", name="in use before", marker_color=BLUE),
        Bar(y=positions, x=grown, orientation="h", name="added", marker_color=ORANGE),
        Bar(y=positions, x=values, orientation="h", name="given back", marker_color=GREEN),
        height=150 + ROW * len(positions),
        barmode="stack",
    )
    result.update_xaxes(tickformat=".0%", range=[0, max(1.0, *base, *frame["after"].tolist())], title="share in use")
    result.update_yaxes(autorange="reversed")
    return result


def remaining(frame: pd.DataFrame) -> Any:
    """Clones that still fit; columns: name, total, with_failures (may be missing)."""
    from plotly.graph_objects import Bar

    traces = [Bar(x=frame["name"].tolist(), y=frame["total"].tolist(), name="fit now", marker_color=BLUE)]
    if "with_failures" in frame and frame["with_failures"].notna().any():
        retained = frame["with_failures"].tolist()
        traces.append(Bar(x=frame["name"].tolist(), y=retained, name="with a failure survived", marker_color=ORANGE))
    result = figure(*traces, barmode="group")
    result.update_yaxes(title="clones", **whole(frame["total"].tolist()))
    return result


def counts(frame: pd.DataFrame, unit: str = "clones") -> Any:
    """Horizontal bars, most first; columns: name, count."""
    from plotly.graph_objects import Bar

    ranked = frame.sort_values("count", ascending=True, kind="stable")
    bar = Bar(y=ranked["name"].tolist(), x=ranked["count"].tolist(), orientation="h", marker_color=RED)
    result = figure(bar, height=90 + ROW * len(ranked))
    result.update_xaxes(title=unit, **whole(ranked["count"].tolist()))
    return result


def ladder(frame: pd.DataFrame) -> Any:
    """How many VMs are safe by hosts lost at once; columns: k, ceiling, vms."""
    from plotly.graph_objects import Bar, Scatter

    ks = [str(k) for k in frame["k"]]
    result = figure(
        Bar(x=ks, y=frame["ceiling"].tolist(), name="safe ceiling", marker_color=GREEN),
        Scatter(x=ks, y=frame["vms"].tolist(), name="VMs today", mode="lines+markers", line_color=RED),
    )
    result.update_xaxes(title="hosts lost at once", type="category")
    result.update_yaxes(title="VMs", **whole([*frame["ceiling"].tolist(), *frame["vms"].tolist()]))
    return result


def waterfall(frame: pd.DataFrame, unit: str) -> Any:
    """From raw to usable; columns: step, amount, kind (``absolute``, ``relative`` or ``total``)."""
    from plotly.graph_objects import Waterfall

    trace = Waterfall(
        x=frame["step"].tolist(),
        y=frame["amount"].tolist(),
        measure=frame["kind"].tolist(),
        increasing_marker_color=GREEN,
        decreasing_marker_color=ORANGE,
        totals_marker_color=BLUE,
        connector_line_color=GREY,
    )
    result = figure(trace)
    result.update_yaxes(title=unit)
    return result


def funnel(frame: pd.DataFrame) -> Any:
    """Hosts left after each flow; columns: flow, after, full, unfit."""
    from plotly.graph_objects import Bar

    flows = frame["flow"].tolist()
    result = figure(
        Bar(y=flows, x=frame["after"].tolist(), orientation="h", name="left", marker_color=BLUE),
        Bar(y=flows, x=frame["full"].tolist(), orientation="h", name="full", marker_color=ORANGE),
        Bar(y=flows, x=frame["unfit"].tolist(), orientation="h", name="unfit", marker_color=GREY),
        height=150 + ROW * len(flows),
        barmode="stack",
    )
    result.update_xaxes(title="hosts", **whole(frame["after"].tolist()))
    result.update_yaxes(autorange="reversed")
    return result
