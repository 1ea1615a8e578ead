"""Placement orders that are not ZStack's: first, best and worst fit, round robin, weighted scores.

Ties go to the lowest rank, as in the literature, so none of them but `random` draws anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simclone.allocator.host.flow import Candidates, Elementwise, Figure, FlowFacts, HostView, SortFlow
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud

RANK_BITS = 24
CPU_BITS = 31
_CPU_BASE = 1 << 30


class LowestRankSortFlow(SortFlow):
    """First fit: hosts in rank order; also the last tie-break of the others."""

    name: ClassVar[str] = "simclone.LowestRank"
    reads: ClassVar[frozenset[str]] = frozenset({"static"})
    width: ClassVar[int] = RANK_BITS

    def key(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """The rank."""
        return host.index


class FewestFreeCpuSortFlow(SortFlow):
    """Best fit: the fewest free vCPUs first."""

    name: ClassVar[str] = "simclone.FewestFreeCpu"
    reads: ClassVar[frozenset[str]] = frozenset({"capacity"})
    by: ClassVar[Figure] = ("available_cpu", 1, _CPU_BASE)
    width: ClassVar[int] = CPU_BITS


class MostFreeCpuSortFlow(SortFlow):
    """Worst fit: the most free vCPUs first."""

    name: ClassVar[str] = "simclone.MostFreeCpu"
    reads: ClassVar[frozenset[str]] = frozenset({"capacity"})
    by: ClassVar[Figure] = ("available_cpu", -1, _CPU_BASE)
    width: ClassVar[int] = CPU_BITS


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """*after* is the host placed on last, *count* the number of hosts."""

    after: int
    count: int


class RoundRobinSortFlow(SortFlow):
    """The next host after the one placed on last, in rank order."""

    name: ClassVar[str] = "simclone.RoundRobin"
    reads: ClassVar[frozenset[str]] = frozenset({"count"})
    width: ClassVar[int] = RANK_BITS
    rotates: ClassVar[bool] = True

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Where the round stands."""
        return TurnFacts(cloud.last_placed, cloud.fleet.row_count)

    def key(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """Steps from the last host, wrapping round."""
        return (host.index - facts.after - 1) % facts.count


SCORERS: dict[str, str] = {
    "freeCpu": "available_cpu",
    "freeMemory": "available_memory",
    "vmCount": "vm_count",
    "cpuUse": "cpu_use_ppm",
    "memoryUse": "memory_use_ppm",
}
"""Names a strategies block may weigh; a positive weight prefers larger figures."""

SCALE = 10_000


@dataclass(frozen=True, slots=True)
class ScoreFacts:
    """Per scorer: column, weight, smallest figure and range among the candidates."""

    parts: tuple[tuple[str, int, int, int], ...]
    top: int


@dataclass(frozen=True)
class WeightedScoreSortFlow(SortFlow):
    """Σ weight × normalised figure, largest first.

    Figures are scaled to 0 … 10,000 among the candidates; weights are thousandths.
    """

    weights: tuple[tuple[str, int], ...]
    name: ClassVar[str] = "simclone.WeightedScore"
    reads: ClassVar[frozenset[str]] = frozenset({"capacity", "count", "utilisation"})
    width: ClassVar[int] = 40

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The range of each figure over the candidates."""
        parts = []
        for scorer, weight in self.weights:
            values = cloud.fleet.array(cloud.fleet.cells[SCORERS[scorer]])[candidates.index]
            low, high = int(np.min(values)), int(np.max(values))
            parts.append((SCORERS[scorer], weight, low, max(high - low, 1)))
        return ScoreFacts(tuple(parts), SCALE * sum(abs(weight) for _, weight in self.weights))

    def key(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """The score turned round, so that the best is smallest."""
        score = host.index * 0
        for column, weight, low, span in facts.parts:
            scaled = (getattr(host, column) - low) * SCALE // span
            score = score + weight * scaled
        return 2 * facts.top - score
