"""Time that runs faster as the load grows: where a steady process has its s-th second, calendar and growth known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from simclone.workload.laws import Floats

GROWTH_PERIOD_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Clock:
    """The calendar time *start* of t = 0, and the *growth* of all rates per 30 days as a factor."""

    start: datetime
    growth: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.growth) and self.growth > 0):
            raise ValueError(f"growthPer30Days must be more than 0, not {self.growth:g}")

    @property
    def _pace(self) -> float:
        return math.log(self.growth) / GROWTH_PERIOD_S

    def load(self, t: Floats) -> Floats:
        """The integral of the growth from 0 to t seconds: what a rate of one has brought by then."""
        pace = self._pace
        return np.asarray(np.expm1(pace * t) / pace) if pace else t

    def moment(self, load: Floats) -> Floats:
        """The inverse of `load`; infinite for what a shrinking load never brings."""
        pace = self._pace
        if not pace:
            return load
        grown = pace * load
        result = np.full_like(load, math.inf)
        reached = grown > -1.0
        result[reached] = np.log1p(grown[reached]) / pace
        return result
