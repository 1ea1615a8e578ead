"""A walk through a chain over all hosts of a page: what a shape must know, test by test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simclone.allocator.host.chain import cut
from simclone.allocator.host.filters.affinity import AffinityGroupFlow
from simclone.allocator.host.flow import Candidates, Counts, FilterFlow, Floor, HardStop, Pass, Skip, Watch
from simclone.allocator.host.index.request_class import ELSEWHERE, FREE, Ordinals, Part, Shape
from simclone.allocator.host.index.thresholds import floors_by_class
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray


def shape_of(strategy: Strategy, request: HostRequest, cloud: Cloud, page: int) -> Shape | None:
    """Walk the chain once over all hosts of a page; None where only the plain driver can answer."""
    walk = _Walk(cloud, page)
    for flow in strategy.filters:
        if not walk.take(flow, request):
            return None
    return walk.shape(request)


class _Walk:
    """Where a walk through the chain is: hosts left, hosts left whatever stands on them, the parts so far."""

    def __init__(self, cloud: Cloud, page: int) -> None:
        self.cloud, self.page, size = cloud, page, cloud.fleet.row_count
        self.early: Ordinals = np.full(size, ELSEWHERE, dtype=np.int16)
        self.late: Ordinals = np.full(size, FREE, dtype=np.int16)
        self.index: IntArray = np.flatnonzero(cloud.fleet.array(cloud.fleet.exists) == 1)
        self.open = self.index
        self.first, self.each = True, False
        self.floors_at: int | None = None
        self.floor_tests: tuple[Floor, ...] = ()
        self.before: tuple[int, ...] = ()
        self.first_refused: Counts = ()
        self.clusters: tuple[int, ...] = ()
        self.early_clusters: list[int] = []
        self.parts: list[Part] = []
        self.briefs: list[int] = []
        self.fleeting: list[tuple[FilterFlow, Any, bool]] = []
        self.watched: tuple[int, Watch] | None = None

    def take(self, flow: FilterFlow, request: HostRequest) -> bool:
        """Go through one flow; False where the index cannot follow."""
        candidates = Candidates(self.cloud, self.index, first=self.first, page=self.page)
        facts = flow.facts(request, self.cloud, candidates)
        clusters = candidates.clusters() if len(self.index) else []
        behind = self.floors_at is not None
        brief, floors, watch = flow.brief and behind, _floors(flow, facts), flow.watch(self.cloud, facts)
        lasts = brief or floors or watch or flow.still(request, self.cloud, facts, clusters) is not None
        if isinstance(facts, HardStop) or not lasts:
            return False
        if flow.fleeting:
            self.fleeting.append((flow, facts, behind))
        if isinstance(facts, Skip):
            return True
        if self.each and not brief and not isinstance(facts, Pass):
            return False
        part = Part(flow, facts, sum(len(one.flow.tests) for one in self.parts))
        self.parts.append(part)
        if brief:
            self.briefs.append(len(self.parts) - 1)
            self.each = self.each or not isinstance(facts, Pass)
            return True
        if floors:
            return self._take_floors(part, floors, candidates, clusters)
        if watch is not None:
            return self._take_watch(part, candidates, watch)
        self._narrow(part)
        return behind or bool(len(self.index))

    def _take_floors(self, part: Part, floors: tuple[Floor, ...], candidates: Candidates, clusters: list[int]) -> bool:
        """What depends on the VMs of a host is not noted: whoever passes now is only told from the others."""
        if self.floors_at is not None or self.first:
            return False
        self.floors_at, self.floor_tests = len(self.parts) - 1, floors
        self.early_clusters, self.open = clusters, self.index
        self.index = self.index[part.flow.keep(candidates.hosts, part.facts)]
        self.clusters = tuple(np.unique(self.cloud.fleet.array(self.cloud.fleet.cluster)[self.index]).tolist())
        return True

    def _take_watch(self, part: Part, candidates: Candidates, watch: Watch) -> bool:
        """The same, but for hosts that fail anyway."""
        if self.floors_at is None or self.watched is not None:
            return False
        self.watched = (len(self.parts) - 1, watch)
        shut = watch.shut[self.open]
        self.late[self.open[shut]] = part.first
        self.open = self.open[~shut]
        self.index = self.index[part.flow.keep(candidates.hosts, part.facts)]
        return True

    def _narrow(self, part: Part) -> None:
        """Note which test refuses each host that is still open, and go on with the others."""
        behind = self.floors_at is not None
        pool = self.open if behind else self.index
        hosts, noted = Candidates(self.cloud, pool).hosts, self.late if behind else self.early
        left = np.ones(len(pool), dtype=np.bool_)
        refused = []
        for at, test in enumerate(() if isinstance(part.facts, Pass) else part.flow.tests):
            truth = left & np.asarray(test.keep(hosts, part.facts), dtype=np.bool_)
            lost = pool[left & ~truth]
            if len(lost):
                refused.append((test.reason, len(lost)))
                noted[lost] = part.first + at
            left = truth
        kept = pool[left]
        if self.first:
            kept = self._cut(pool, kept, tuple(refused))
        if behind:
            self.open = kept
            self.index = np.intersect1d(self.index, kept, assume_unique=True)
        else:
            self.index = kept

    def _cut(self, pool: IntArray, kept: IntArray, refused: Counts) -> IntArray:
        """The hosts of the page, of those the first flow kept."""
        self.first, self.first_refused = False, refused
        self.early[pool] = ELSEWHERE
        kept = cut(kept, self.cloud, self.page)
        self.early[kept] = FREE
        self.before = (len(pool), len(kept))
        return kept

    def shape(self, request: HostRequest) -> Shape | None:
        """What has been learnt; None where nothing depends on the VMs of a host."""
        if self.floors_at is None:
            return None
        part = self.parts[self.floors_at]
        place, watch = self.watched or (-1, None)
        return Shape(
            request,
            self.page,
            self.parts,
            self.floors_at,
            self.floor_tests,
            floors_by_class(self.floor_tests, part.facts, len(self.cloud.fleet.memory_ratios)),
            self.early,
            self.late,
            self.before,
            self.clusters,
            self.early_clusters,
            self.fleeting,
            self.first_refused,
            _rule_at(self.parts),
            watch,
            place,
            _briefs(self.parts, self.briefs),
            self.each,
            by_cluster=[0] * len(self.cloud.clusters),
        )


def _briefs(parts: Sequence[Part], places: Sequence[int]) -> tuple[int, ...] | None:
    """The places of brief flows; None where another flow behind the first of them refuses hosts."""
    others = [at for at in range(places[0] + 1, len(parts)) if at not in places] if places else []
    return tuple(places) if all(isinstance(parts[at].facts, Pass) for at in others) else None


def _rule_at(parts: Sequence[Part]) -> int:
    place = next((at for at, part in enumerate(parts) if isinstance(part.flow, AffinityGroupFlow)), -1)
    return place if all(isinstance(part.facts, Pass) for part in parts[place + 1 :]) else -1


def _floors(flow: FilterFlow, facts: Any) -> tuple[Floor, ...]:
    """The tests of a flow where all of them are floors, and it has something to say."""
    found = () if isinstance(facts, Pass) else tuple(test for test in flow.tests if isinstance(test, Floor))
    return found if len(found) == len(flow.tests) else ()
