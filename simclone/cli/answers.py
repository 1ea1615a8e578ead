"""A planning answer's table on the terminal: units in words, empty columns left out, a bar where rows are compared."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table
from rich.text import Text

from simclone.cli.output import clock_text, share_bar, table
from simclone.units import format_size

if TYPE_CHECKING:
    from simclone.planning.parts.answer import Answer

WIDTH = 24
UNITS = {"_bytes": format_size, "_s": clock_text}
"""How values of columns with these endings are told; the ending goes from the heading."""


def answer_table(answer: Answer, most: int, *, bars: bool = True) -> tuple[Table, int]:
    """The first *most* rows as a table, with *bars* of what the answer has to draw, and how many more there are."""
    frame = answer.to_frame()
    shown = frame.head(most)
    target = [str(name) for name in frame.columns if name not in answer.secondary_columns()]
    columns = [name for name in target if not all(map(_empty, shown[name]))]
    numbers = [at for at, name in enumerate(columns) if shown[name].dtype.kind in "iuf" or _ending(name)]
    rows: list[list[object]] = [[_cell(name, shown[name].iloc[row]) for name in columns] for row in range(len(shown))]
    headings = [_heading(name) for name in columns]
    drawn = [name for name in answer.chart_columns() if name in columns and bars]
    position = columns.index(drawn[-1]) + 1 if drawn and len(shown) > 1 else None
    if position is not None:
        marks = _intervals(shown, *drawn) if len(drawn) == 3 else _bars(shown[drawn[0]])
        headings.insert(position, "")
        numbers = [at + (at >= position) for at in numbers]
        for row, bar in zip(rows, marks, strict=True):
            row.insert(position, bar)
    result = table("", headings, rows, numbers=numbers)
    if position is not None:
        result.columns[position].no_wrap = True
    return result, len(frame) - len(shown)


def _empty(value: Any) -> bool:
    return value is None or value == "" or value != value


def _ending(name: str) -> str:
    return next((item for item in UNITS if name.endswith(item)), "")


def _heading(name: str) -> str:
    if name == "cpu_vcpus":
        return "vCPUs"
    return name.removesuffix(_ending(name)).replace("_vcpus", " vCPUs").replace("_", " ") if "." not in name else name


def _cell(name: str, value: Any) -> str:
    if _empty(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float) and not isfinite(value):
        return ""
    ending = _ending(name)
    if ending:
        return UNITS[ending](round(value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _bars(values: Any) -> list[Text]:
    """Bars from 0, the largest as wide as there is room."""
    top = max((value for value in values if not _empty(value)), default=0)
    return [share_bar(0 if _empty(value) else value, top, WIDTH) for value in values]


def _intervals(frame: Any, middle: str, low: str, high: str) -> list[Text]:
    """Estimates between the ends of their intervals, all on one scale."""
    ends = [value for name in (low, middle, high) for value in frame[name] if not _empty(value) and isfinite(value)]
    remaining, span = (min(ends), max(ends) - min(ends)) if ends else (0.0, 0.0)

    def at(value: float) -> int:
        return round((WIDTH - 1) * (value - remaining) / span)

    result = []
    for row in range(len(frame)):
        values = [frame[name].iloc[row] for name in (low, middle, high)]
        if span <= 0 or any(_empty(value) or not isfinite(value) for value in values):
            result.append(Text(""))
            continue
        begin, point, end = map(at, values)
        marks = ["─" if begin <= number <= end else " " for number in range(WIDTH)]
        marks[begin], marks[end] = "├", "┤"
        marks[point] = "●"
        result.append(Text("".join(marks)))
    return result
