"""A rate that changes by the hour of the week: its integral, and the inverse of that, one week at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simclone.workload.clock import Clock
from simclone.workload.laws import Floats

HOUR_S = 3600
WEEK = 168


class Hours:
    """Walks the hours from t = 0 to *horizon_s*; `moments` must be asked in ascending order."""

    def __init__(self, per_hour: Sequence[float], weekday: Sequence[float], clock: Clock, horizon_s: float) -> None:
        self._rates: Floats = np.outer(weekday, per_hour).ravel() / HOUR_S
        self._clock, self._horizon_s = clock, horizon_s
        start = clock.start
        self._hour = start.weekday() * 24 + start.hour
        self._into_s = start.minute * 60 + start.second + start.microsecond / 1e6
        self._slot, self._before = 0, 0.0
        self._next_week()

    def _next_week(self) -> None:
        """The next 168 hours of the calendar, the first of all cut where t = 0 falls into it."""
        slots = np.arange(self._slot, self._slot + WEEK + 1)
        edges = np.maximum(slots * float(HOUR_S) - self._into_s, 0.0)
        self._end_s = float(edges[-1])
        self._rate = self._rates[(self._hour + slots[:-1]) % WEEK]
        loads = self._clock.load(edges)
        self._load = loads[:-1]
        masses = np.cumsum(self._rate * np.diff(loads)) + self._before
        self._left = np.concatenate(([self._before], masses[:-1]))
        self._right = masses
        self._before = float(masses[-1])
        self._slot += WEEK

    def moments(self, masses: Floats) -> Floats:
        """The seconds by which the integral of the rate has reached *masses*, infinite beyond the horizon."""
        result = np.full_like(masses, math.inf)
        finished = 0
        while True:
            upto = int(np.searchsorted(masses, self._before, side="left"))
            result[finished:upto] = self._within(masses[finished:upto])
            finished = upto
            if finished == len(masses) or self._end_s >= self._horizon_s:
                return result
            self._next_week()

    def _within(self, masses: Floats) -> Floats:
        slot = np.searchsorted(self._right, masses, side="right")
        return self._clock.moment(self._load[slot] + (masses - self._left[slot]) / self._rate[slot])


def expected(per_hour: Sequence[float], weekday: Sequence[float], clock: Clock, horizon_s: float) -> float:
    """How many arrivals there are before *horizon_s*, on average."""
    start = clock.start
    into_s = start.minute * 60 + start.second + start.microsecond / 1e6
    slots = np.arange(math.ceil((horizon_s + into_s) / HOUR_S) + 1)
    edges = np.clip(slots * float(HOUR_S) - into_s, 0.0, horizon_s)
    rates = np.outer(weekday, per_hour).ravel() / HOUR_S
    hour = start.weekday() * 24 + start.hour
    return float(np.dot(rates[(hour + slots[:-1]) % WEEK], np.diff(clock.load(edges))))
