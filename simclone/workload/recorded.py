"""Lifetimes and batch sizes of a trace, as tables of values."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from simclone.traces.batches import batched
from simclone.traces.formats import open_trace
from simclone.traces.lines import FaultList
from simclone.traces.rows import Batch
from simclone.units import SECOND
from simclone.workload.values import ValueTable, survival

FIELDS = ("lifetime", "batch")
"""What can be taken from a trace."""


@dataclass(slots=True)
class Lives:
    """Arrivals and ends of VMs, in microseconds; an end of -1 was not seen."""

    arrivals: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))

    def add(self, batch: Batch) -> None:
        """The VMs of one more batch."""
        self.arrivals.extend([batch.arrival_us] * batch.count)
        self.ends.extend(-1 if end is None else end for end in batch.ends_us)

    def table(self) -> ValueTable:
        """Lifetimes in seconds; one without an end lasted at least to the last moment of the record."""
        arrivals, ends = np.array(self.arrivals), np.array(self.ends)
        last = max(int(arrivals.max()), int(ends.max()))
        ended = ends >= 0
        return survival((np.where(ended, ends, last) - arrivals) / SECOND, ended)


@lru_cache(maxsize=8)
def recorded(path: str, field_: str) -> ValueTable:
    """The lifetimes (seconds) or batch sizes of the trace at *path*; raises InvalidInput."""
    lives, counts = Lives(), array("q")
    for batch in batched(open_trace(path)):
        lives.add(batch)
        counts.append(batch.count)
    if not counts:
        faults = FaultList(path)
        faults.add("the trace has no VMs", "at least one")
        faults.raise_any()
    return lives.table() if field_ == "lifetime" else ValueTable.of(np.array(counts, np.float64))
