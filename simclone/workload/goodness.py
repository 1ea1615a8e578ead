"""How well a fitted stream resembles the trace it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from simclone.workload.fit import Fit, Seen
from simclone.workload.laws import Floats
from simclone.workload.profile_fit import HOUR_S, SLOT_S, hour_edges, rates_at
from simclone.workload.values import ValueTable


@dataclass(frozen=True, slots=True)
class Goodness:
    """Distances and indices of a fit.

    *lifetime_ks* and *batch_ks* are the largest differences of the two distribution functions. *dispersion* is the
    variance of the requests per hour over their mean, *residual_dispersion* that of the requests in five minutes around
    the fitted profile: about 1 for a Poisson process, more for requests that come in flocks, None where the record is
    too short.
    *gap_variation* is the coefficient of variation of the gaps, 1 for a Poisson process of one rate.
    """

    requests: int
    vms: int
    hours: float
    lifetime_ks: float
    batch_ks: float
    dispersion: float | None
    residual_dispersion: float | None
    gap_variation: float | None


def goodness(seen: Seen, fitted: Fit, start: datetime) -> Goodness:
    """Compare *fitted* with what was *seen*."""
    window = seen.window
    gaps = np.diff(seen.moments)
    return Goodness(
        requests=len(seen.arrivals),
        vms=sum(seen.counts),
        hours=(window[1] - window[0]) / HOUR_S,
        lifetime_ks=distance(seen.lives.table(), fitted.lifetime),
        batch_ks=distance(ValueTable.of(np.array(seen.counts, np.float64)), fitted.batch),
        dispersion=_dispersion(seen.moments, window, start),
        residual_dispersion=_residual(seen.moments, window, fitted, start),
        gap_variation=float(gaps.std() / gaps.mean()) if len(gaps) and gaps.mean() else None,
    )


def distance(one: ValueTable, other: ValueTable) -> float:
    """Kolmogorov and Smirnov's distance of two laws."""
    points = np.union1d(one.values, other.values)
    return float(np.max(np.abs(_share(one, points) - _share(other, points))))


def _share(table: ValueTable, points: Floats) -> Floats:
    position = np.searchsorted(table.values, points, side="right")
    return np.concatenate(([0.0], table.below))[position]


def _dispersion(moments: Floats, window: tuple[float, float], start: datetime) -> float | None:
    edges = hour_edges(window, start)
    counts = np.histogram(moments, edges)[0].astype(np.float64)[np.isclose(np.diff(edges), HOUR_S)]
    return float(counts.var(ddof=1) / counts.mean()) if len(counts) > 1 and counts.sum() else None


def _residual(moments: Floats, window: tuple[float, float], fitted: Fit, start: datetime) -> float | None:
    edges = np.arange(window[0], window[1] + SLOT_S, SLOT_S)
    counts = np.histogram(moments, edges)[0].astype(np.float64)
    means = rates_at(edges, fitted.per_hour, fitted.weekday, start) * (SLOT_S / HOUR_S)
    rated = means > 0
    free = int(rated.sum()) - len(np.unique(means[rated]))
    return float(np.sum((counts[rated] - means[rated]) ** 2 / means[rated]) / free) if free > 0 else None
