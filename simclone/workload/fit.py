"""A recorded trace into a stream that resembles it: profile, batches, shapes and lifetimes, as plain data.

What the stream leaves out: that shapes, batches and lifetimes of one tenant belong together, and that requests come in
flocks beyond what the hour explains. `simclone.workload.goodness` says how much that is.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from simclone.traces.lines import FaultList
from simclone.traces.rows import Batch
from simclone.units import SECOND
from simclone.workload.laws import Floats
from simclone.workload.profile_fit import SLOT_S, profile_of
from simclone.workload.recorded import Lives
from simclone.workload.replay import SOURCE, vm_name
from simclone.workload.values import ValueTable

QUANTILES = 64
MOST_POINTS = 40

Shape = tuple[int, int, int]


@dataclass(slots=True)
class Seen:
    """What was seen of a trace: arrivals (microseconds) and sizes of batches, shapes by requests, lives."""

    arrivals: array[int] = field(default_factory=lambda: array("q"))
    counts: array[int] = field(default_factory=lambda: array("q"))
    shapes: Counter[Shape] = field(default_factory=Counter)
    lives: Lives = field(default_factory=Lives)

    @classmethod
    def of(cls, batches: Iterable[Batch], name: str = "") -> Seen:
        """All of the trace *name*, in one pass; raises InvalidInput for an empty one."""
        known = cls()
        for batch in batches:
            known.arrivals.append(batch.arrival_us)
            known.counts.append(batch.count)
            known.shapes[batch.cpu_milli, batch.memory_bytes, batch.gpus] += 1
            known.lives.add(batch)
        if not known.arrivals:
            faults = FaultList(name)
            faults.add("there are no VMs to fit", "at least one")
            faults.raise_any()
        return known

    @property
    def moments(self) -> Floats:
        """The arrivals in seconds."""
        return np.array(self.arrivals, np.float64) / SECOND

    @property
    def window(self) -> tuple[float, float]:
        """The seconds the record covers, as far as the arrivals tell: in whole slots of five minutes."""
        moments = self.moments
        return float(moments[0] // SLOT_S * SLOT_S), float((moments[-1] // SLOT_S + 1) * SLOT_S)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted stream; tables are what was fitted, not what was seen."""

    per_hour: Floats
    weekday: Floats
    batch: ValueTable
    lifetime: ValueTable
    shapes: tuple[tuple[Shape, int], ...]

    def workload(self, name: str = "fitted", vm_for: str = SOURCE) -> list[dict[str, Any]]:
        """The ``workload`` of a scenario file, one stream."""
        profile: dict[str, Any] = {"perHour": [_short(rate) for rate in self.per_hour.tolist()]}
        if not np.all(self.weekday == 1.0):
            profile["weekday"] = [_short(factor) for factor in self.weekday.tolist()]
        mix: Counter[str] = Counter()
        for shape, weight in self.shapes:
            mix[vm_name(vm_for, *shape)] += weight
        return [
            {
                "name": name,
                "mix": [{"vm": vm, "weight": weight} for vm, weight in mix.most_common()],
                "arrivals": {"profile": profile},
                "batch": {"choice": _choice(self.batch)},
                "lifetime": {"empirical": _quantiles(self.lifetime)},
            }
        ]


def fit(seen: Seen, start: datetime) -> Fit:
    """A stream like the trace; *start* is the calendar time of its second 0."""
    per_hour, weekday = profile_of(seen.moments, seen.window, start)
    counts = np.array(seen.counts, np.float64)
    return Fit(per_hour, weekday, fewer_points(counts), strata(seen.lives.table()), tuple(sorted(seen.shapes.items())))


def fewer_points(counts: Floats, most: int = MOST_POINTS) -> ValueTable:
    """The law of *counts* with at most *most* values; the two that lie closest for their weight are merged first."""
    values, weights = (part.astype(np.float64) for part in np.unique(counts, return_counts=True))
    while len(values) > most:
        remaining, right = weights[:-1], weights[1:]
        at = int(np.argmin(remaining * right / (remaining + right) * np.diff(values) ** 2))
        total = weights[at] + weights[at + 1]
        values[at] = (values[at] * weights[at] + values[at + 1] * weights[at + 1]) / total
        weights[at] = total
        values, weights = np.delete(values, at + 1), np.delete(weights, at + 1)
    return ValueTable.of(np.rint(values), weights)


def strata(table: ValueTable, pieces: int = QUANTILES) -> ValueTable:
    """*pieces* equally likely values: the means of equal shares of *table*, so the mean is kept.

    A share most of which has no end has none.
    """
    edges = np.linspace(0.0, 1.0, pieces + 1)
    least, most = table.quantile(edges[:-1]), table.quantile(np.nextafter(edges[1:], 0.0))
    ends = np.isfinite(table.values)
    whole = np.concatenate(([0.0], np.cumsum(np.where(ends, table.values, 0.0) * table.weights)))
    shares = np.concatenate(([0.0], table.below))
    finite = float(table.below[ends][-1]) if ends.any() else 0.0
    sums = np.diff(np.interp(np.minimum(edges, finite), shares, whole))
    widths = np.diff(np.minimum(edges, finite))
    known = widths > 0.5 / pieces
    means = np.clip(sums / np.where(known, widths, 1.0), least, most)
    return ValueTable.of(np.where(known, means, np.inf))


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _choice(table: ValueTable) -> list[dict[str, Any]]:
    pairs = zip(table.values.tolist(), table.weights.tolist(), strict=True)
    return [{"value": round(value), "weight": _short(weight)} for value, weight in pairs]


def _quantiles(table: ValueTable) -> list[float | str]:
    middles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return ["forever" if value == np.inf else round(value, 6) for value in table.quantile(middles).tolist()]
