"""The tables of planning answers on the terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from simclone.cli.answers import WIDTH, answer_table
from simclone.planning.parts.answer import Answer


@dataclass(frozen=True)
class Told(Answer):
    """An answer of any table."""

    columns: dict[str, list[Any]]
    draw: tuple[str, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)

    def summary(self) -> str:
        """Nothing."""
        return ""

    def to_frame(self) -> pd.DataFrame:
        """The columns."""
        return pd.DataFrame(self.columns)

    def secondary_columns(self) -> frozenset[str]:
        """As given."""
        return self.hidden

    def chart_columns(self) -> tuple[str, ...]:
        """As given."""
        return self.draw


def cells(answer: Told, most: int = 100) -> dict[str, list[str]]:
    """The text under each heading."""
    made, _ = answer_table(answer, most)
    return {str(column.header): [str(cell) for cell in column.cells] for column in made.columns}


def test_units_are_told_and_empty_columns_left_out() -> None:
    """Sizes and times as people write them; a column without a value is not shown, nor one that is set aside."""
    columns = {
        "cpu_vcpus": [2],
        "memory_bytes": [3 << 30],
        "p50_s": [90_061.4],
        "note": [""],
        "gap": [float("nan")],
        "ok": [True],
        "share_ratio": [0.123456],
        "low": [0.1],
    }
    assert cells(Told(columns, hidden=frozenset({"low"}))) == {
        "vCPUs": ["2"],
        "memory": ["3 GiB"],
        "p50": ["1 d 1:01:01"],
        "ok": ["yes"],
        "share ratio": ["0.1235"],
    }


def test_bars_start_at_nothing_and_a_little_is_seen() -> None:
    """The largest is as wide as there is room, a thousandth of it one mark, nothing is nothing; one row has no bar."""
    shown = cells(Told({"name": list("abcd"), "total": [1000, 500, 1, 0]}, ("total",)))
    assert [len(bar) for bar in shown[""]] == [WIDTH, WIDTH // 2, 1, 0]
    assert "" not in cells(Told({"name": ["a"], "total": [1000]}, ("total",)))


def test_intervals_lie_on_one_scale() -> None:
    """Ends and estimates at their places; equal values have nothing to draw."""
    shown = cells(Told({"it": [0.5, 0.25], "low": [0.0, 0.25], "high": [1.0, 0.25]}, ("it", "low", "high")))
    whole, point = shown[""]
    assert (whole[0], whole[-1]) == ("├", "┤")
    assert whole.index("●") == round((WIDTH - 1) / 2)
    assert point.strip() == "●"
    assert point.index("●") == round((WIDTH - 1) / 4)
    same = cells(Told({"it": [1.0, 1.0], "low": [1.0, 1.0], "high": [1.0, 1.0]}, ("it", "low", "high")))
    assert same[""] == ["", ""]


def test_long_tables_say_how_much_more_there_is() -> None:
    """Three of five rows, two more."""
    made, more = answer_table(Told({"n": [1, 2, 3, 4, 5]}), 3)
    assert (made.row_count, more) == (3, 2)
