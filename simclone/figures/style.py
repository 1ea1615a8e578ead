"""Colours and layout all pictures share; backgrounds are clear, so a page's own light or dark shows through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#8a8f98"
"""Okabe & Ito's palette, told apart by colour-blind readers."""
ORDER = (BLUE, ORANGE, GREEN, RED, PURPLE, "#56B4E9", "#F0E442", GREY)
HEAT = ((0.0, "#f1f4f9"), (0.5, "#56B4E9"), (0.85, "#0072B2"), (1.0, "#D55E00"))
"""From empty to full; what is over the edge of full stands out."""
FEW = 12
"""Up to so many an axis of counts has a tick at each."""
NEUTRAL = "#7a808a"
"""Readable on white and on black."""


def whole(values: Sequence[float]) -> dict[str, Any]:
    """Axis settings for counts: ticks at whole numbers only."""
    return {"rangemode": "tozero", "dtick": 1} if max(values, default=0) <= FEW else {"rangemode": "tozero"}


def figure(*traces: Any, height: int = 320, **layout: Any) -> Any:
    """A figure with the common layout; keywords go over it."""
    from plotly.graph_objects import Figure

    base = {
        "height": height,
        "autosize": True,
        "margin": {"l": 60, "r": 20, "t": 44 if len(traces) > 1 else 16, "b": 45},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": NEUTRAL},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        "colorway": list(ORDER),
        "hoverlabel": {"namelength": -1},
    }
    result = Figure(data=list(traces), layout={**base, **layout})
    result.update_xaxes(gridcolor="rgba(127,127,127,0.25)", zerolinecolor="rgba(127,127,127,0.4)", automargin=True)
    result.update_yaxes(gridcolor="rgba(127,127,127,0.25)", zerolinecolor="rgba(127,127,127,0.4)", automargin=True)
    return result
