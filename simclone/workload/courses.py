"""Courses of utilisation over time, in parts per million."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from simclone.traces.numbers import moment, share
from simclone.traces.table import Chronology, Column, CsvTable, Record
from simclone.units import SECOND, java_round
from simclone.workload.distributions import Distribution

MILLION = 1_000_000
TABLE = CsvTable(
    (Column("second", "whole seconds from the start", moment), Column("share", "a number from 0 to 1", share))
)


@dataclass(frozen=True, slots=True)
class Course:
    """A share of 1 in parts per million: by hour of the day, by recorded moments, or drawn.

    *times_us* ascend from 0 and each value holds until the next; a *law* is asked with a uniform.
    """

    hours: tuple[int, ...] = ()
    times_us: tuple[int, ...] = ()
    values: tuple[int, ...] = ()
    law: Distribution | None = None

    @classmethod
    def constant(cls, part: float) -> Course:
        """Always the same."""
        return cls(times_us=(0,), values=(_ppm(part),))

    @classmethod
    def daily(cls, parts: Sequence[float]) -> Course:
        """A value for each hour of the day; ValueError unless there are 24."""
        if len(parts) != 24:
            raise ValueError(f"daily has {len(parts)} values, not 24")
        return cls(hours=tuple(_ppm(part) for part in parts))

    @classmethod
    def drawn(cls, law: Distribution) -> Course:
        """A value of *law* each time."""
        return cls(law=law)

    @classmethod
    def recorded(cls, path: Path) -> Course:
        """A CSV file ``second,share``, sorted; 0 before its first row. Raises InvalidInput for an unusable one."""
        order = Chronology("second")

        def build(record: Record) -> tuple[int, int]:
            at_us, part = record.amount("second"), record.amount("share")
            order.check(record, at_us)
            return at_us, part

        rows = dict(TABLE.read(path, build))
        return cls(times_us=(-1, *rows), values=(0, *rows.values()))

    @property
    def is_drawn(self) -> bool:
        """True when every VM and window has a value of its own."""
        return self.law is not None

    def at(self, at_us: int, start: datetime, uniform: float = 0.5) -> int:
        """The value at a time; *start* is the calendar time of 0, *uniform* in (0, 1) is for laws."""
        if self.law is not None:
            return _ppm(min(float(self.law.quantile(np.array([uniform]))[0]), 1.0))
        if self.hours:
            return self.hours[(start + timedelta(seconds=at_us / SECOND)).hour]
        return self.values[bisect_right(self.times_us, at_us) - 1]


def _ppm(part: float) -> int:
    return java_round(part * MILLION)
