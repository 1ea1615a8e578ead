"""A walk through a chain over all hosts of a page: what a request class must know, test by test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simclone.allocator.host.chain import cut
from simclone.allocator.host.filters.affinity import AffinityGroupFlow
from simclone.allocator.host.flow import (
    Candidates,
    CellThreshold,
    Counts,
    FilterFlow,
    FlowFacts,
    HardStop,
    Pass,
    Skip,
    Threshold,
)
from simclone.allocator.host.index.hints import IndexHint, hint_of
from simclone.allocator.host.index.request_class import ELSEWHERE, FREE, Ordinals, Part, RequestClass
from simclone.allocator.host.index.thresholds import thresholds_by_ratio
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray


def class_of(strategy: Strategy, request: HostRequest, cloud: Cloud, page: int) -> RequestClass | None:
    """Walk the chain once over all hosts of a page; None where only the plain driver can answer."""
    walk = _Build(cloud, page)
    for flow in strategy.filters:
        if not walk.add_flow(flow, request):
            return None
    return walk.result(request)


class _Build:
    """Where a walk through the chain is: hosts left, hosts left whatever stands on them, the parts so far."""

    def __init__(self, cloud: Cloud, page: int) -> None:
        self.cloud, self.page, size = cloud, page, cloud.fleet.row_count
        self.early: Ordinals = np.full(size, ELSEWHERE, dtype=np.int16)
        self.late: Ordinals = np.full(size, FREE, dtype=np.int16)
        self.index: IntArray = np.flatnonzero(cloud.fleet.array(cloud.fleet.exists) == 1)
        self.open = self.index
        self.first, self.asks_each = True, False
        self.threshold_position: int | None = None
        self.threshold_tests: tuple[Threshold, ...] = ()
        self.before: tuple[int, ...] = ()
        self.first_refused: Counts = ()
        self.clusters: tuple[int, ...] = ()
        self.early_clusters: list[int] = []
        self.parts: list[Part] = []
        self.per_decision: list[int] = []
        self.usage_facts: list[tuple[IndexHint, FilterFlow, Any, bool]] = []
        self.cell_part: tuple[int, CellThreshold] | None = None

    def add_flow(self, flow: FilterFlow, request: HostRequest) -> bool:
        """Go through one flow; False where the index cannot follow."""
        behind, hint = self.threshold_position is not None, hint_of(flow)
        if hint is None:
            return behind and not flow.ends_search and self._take_unknown(flow)
        candidates = Candidates(self.cloud, self.index, first=self.first, page=self.page)
        facts = flow.facts(request, self.cloud, candidates)
        clusters = candidates.clusters() if len(self.index) else []
        if isinstance(facts, HardStop):
            return False
        brief, cell_threshold = hint.per_decision and behind, hint.cell_threshold(self.cloud, facts)
        holds = hint.facts_hold(flow, request, self.cloud, facts, clusters) is not None
        thresholds = _thresholds(flow, facts) if holds else ()
        if not (brief or thresholds or cell_threshold or holds):
            return False
        if hint.depends_on_usage:
            self.usage_facts.append((hint, flow, facts, behind))
        if isinstance(facts, Skip):
            return True
        if self.asks_each and not brief and not isinstance(facts, Pass):
            return False
        part = Part(flow, facts, sum(len(item.flow.tests) for item in self.parts))
        self.parts.append(part)
        if brief:
            self.per_decision.append(len(self.parts) - 1)
            self.asks_each = self.asks_each or not isinstance(facts, Pass)
            return True
        if thresholds:
            return self._take_thresholds(part, thresholds, candidates, clusters)
        if cell_threshold is not None:
            return self._take_cells(part, candidates, cell_threshold)
        self._narrow(part)
        return behind or bool(len(self.index))

    def _take_unknown(self, flow: FilterFlow) -> bool:
        """A flow without a hint is asked at every decision, and not before: there may be no candidate now."""
        self.parts.append(Part(flow, None, sum(len(part.flow.tests) for part in self.parts)))
        self.per_decision.append(len(self.parts) - 1)
        self.asks_each = True
        return True

    def _take_thresholds(
        self, part: Part, thresholds: tuple[Threshold, ...], candidates: Candidates, clusters: list[int]
    ) -> bool:
        """What depends on the VMs of a host is not noted: whoever passes now is only told from the others."""
        if self.threshold_position is not None or self.first:
            return False
        self.threshold_position, self.threshold_tests = len(self.parts) - 1, thresholds
        self.early_clusters, self.open = clusters, self.index
        self.index = self.index[part.flow.keep(candidates.hosts, part.facts)]
        self.clusters = tuple(np.unique(self.cloud.fleet.array(self.cloud.fleet.cluster)[self.index]).tolist())
        return True

    def _take_cells(self, part: Part, candidates: Candidates, cell_threshold: CellThreshold) -> bool:
        """The same, but for hosts that fail anyway."""
        if self.threshold_position is None or self.cell_part is not None:
            return False
        self.cell_part = (len(self.parts) - 1, cell_threshold)
        shut = cell_threshold.shut[self.open]
        self.late[self.open[shut]] = part.first
        self.open = self.open[~shut]
        self.index = self.index[part.flow.keep(candidates.hosts, part.facts)]
        return True

    def _narrow(self, part: Part) -> None:
        """Note which test refuses each host that is still open, and go on with the others."""
        behind = self.threshold_position is not None
        pool = self.open if behind else self.index
        hosts, noted = Candidates(self.cloud, pool).hosts, self.late if behind else self.early
        alive = np.ones(len(pool), dtype=np.bool_)
        refused = []
        for at, test in enumerate(() if isinstance(part.facts, Pass) else part.flow.tests):
            truth = alive & np.asarray(test.keep(hosts, part.facts), dtype=np.bool_)
            lost = pool[alive & ~truth]
            if len(lost):
                refused.append((test.reason, len(lost)))
                noted[lost] = part.first + at
            alive = truth
        retained = pool[alive]
        if self.first:
            retained = self._cut(pool, retained, tuple(refused))
        if behind:
            self.open = retained
            self.index = np.intersect1d(self.index, retained, assume_unique=True)
        else:
            self.index = retained

    def _cut(self, pool: IntArray, kept: IntArray, refused: Counts) -> IntArray:
        """The hosts of the page, of those the first flow kept."""
        self.first, self.first_refused = False, refused
        self.early[pool] = ELSEWHERE
        kept = cut(kept, self.cloud, self.page)
        self.early[kept] = FREE
        self.before = (len(pool), len(kept))
        return kept

    def result(self, request: HostRequest) -> RequestClass | None:
        """What has been learnt; None where nothing depends on the VMs of a host."""
        if self.threshold_position is None:
            return None
        part = self.parts[self.threshold_position]
        position, cell_threshold = self.cell_part or (-1, None)
        return RequestClass(
            request,
            self.page,
            self.parts,
            self.threshold_position,
            self.threshold_tests,
            thresholds_by_ratio(self.threshold_tests, part.facts, len(self.cloud.fleet.memory_ratios)),
            self.early,
            self.late,
            self.before,
            self.clusters,
            self.early_clusters,
            self.usage_facts,
            self.first_refused,
            _rule_position(self.parts),
            cell_threshold,
            position,
            _per_decision(self.parts, self.per_decision),
            self.asks_each,
            by_cluster=[0] * len(self.cloud.clusters),
        )


def _per_decision(parts: Sequence[Part], places: Sequence[int]) -> tuple[int, ...] | None:
    """The places of flows asked per decision; None where another flow behind the first of them refuses hosts."""
    others = [at for at in range(places[0] + 1, len(parts)) if at not in places] if places else []
    return tuple(places) if all(isinstance(parts[at].facts, Pass) for at in others) else None


def _rule_position(parts: Sequence[Part]) -> int:
    position = next((at for at, part in enumerate(parts) if isinstance(part.flow, AffinityGroupFlow)), -1)
    return position if all(isinstance(part.facts, Pass) for part in parts[position + 1 :]) else -1


def _thresholds(flow: FilterFlow, facts: FlowFacts) -> tuple[Threshold, ...]:
    """The tests of a flow where all of them are thresholds, and it has something to say."""
    tests = () if isinstance(facts, Pass) else tuple(test for test in flow.tests if isinstance(test, Threshold))
    return tests if len(tests) == len(flow.tests) else ()
