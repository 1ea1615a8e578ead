"""Rates by hour of the day and day of the week out of recorded moments."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from simclone.workload.laws import Floats

Ints = npt.NDArray[np.int64]

SLOT_S = 300
HOUR_S = 3600
ENOUGH_DAYS = 14
"""With fewer days, a factor for each day of the week would only repeat the noise."""

_ROUNDS = 20


def profile_of(moments: Floats, window: tuple[float, float], start: datetime) -> tuple[Floats, Floats]:
    """Requests per hour for 24 hours, and seven factors from Monday whose mean is 1.

    Fitted as a product, by the most likely values. Hours without a record get the mean rate; records of less than
    14 days get factors of 1.
    """
    counts, covered = by_hour(moments, window, start)
    mean = counts.sum() / covered.sum()
    weekday = np.ones(7)
    hours = _ratio(counts.sum(axis=0), covered.sum(axis=0), mean)
    if window[1] - window[0] < ENOUGH_DAYS * 86_400:
        return hours, weekday
    for _ in range(_ROUNDS):
        weekday = _ratio(counts.sum(axis=1), covered @ hours, 1.0)
        weekday /= weekday.mean()
        hours = _ratio(counts.sum(axis=0), weekday @ covered, mean)
    return hours, weekday


def by_hour(moments: Floats, window: tuple[float, float], start: datetime) -> tuple[Floats, Floats]:
    """Requests, and hours covered by the record, by day of the week and hour of the day."""
    edges = hour_edges(window, start)
    slots = _slots(edges[:-1], start)
    known = np.histogram(moments, edges)[0].astype(np.float64)
    return _by_slot(slots, known), _by_slot(slots, np.diff(edges) / HOUR_S)


def _by_slot(slots: Ints, amounts: Floats) -> Floats:
    return np.bincount(slots, amounts, 168).astype(np.float64).reshape(7, 24)


def hour_edges(window: tuple[float, float], start: datetime) -> Floats:
    """The ends of the window and the full hours of the calendar between them, in seconds."""
    into_s = start.minute * 60 + start.second + start.microsecond / 1e6
    first, last = int((window[0] + into_s) // HOUR_S) + 1, int(np.ceil((window[1] + into_s) / HOUR_S))
    return np.concatenate(([window[0]], np.arange(first, last) * float(HOUR_S) - into_s, [window[1]]))


def rates_at(edges: Floats, per_hour: Floats, weekday: Floats, start: datetime) -> Floats:
    """The rate per hour in each piece between *edges*."""
    return np.asarray(np.outer(weekday, per_hour).ravel()[_slots(edges[:-1], start)])


def _slots(begins: Floats, start: datetime) -> Ints:
    """The hour of the week of moments."""
    into_week = start.weekday() * 86_400 + start.hour * HOUR_S + start.minute * 60 + start.second
    return ((begins + into_week + start.microsecond / 1e6 + 1e-6) // HOUR_S).astype(np.int64) % 168


def _ratio(counts: Floats, covered: Floats, otherwise: float) -> Floats:
    return np.where(covered > 0, counts / np.where(covered > 0, covered, 1.0), otherwise)
