"""What is known of a request class on one page: its facts, the first test that refuses each host, the counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simclone.allocator.host.flow import CellThreshold, Counts, FilterFlow, FlowFacts, Pass, Threshold
from simclone.allocator.host.index.buckets import NOWHERE
from simclone.allocator.host.index.hints import IndexHint
from simclone.allocator.host.request import HostRequest
from simclone.errors import InvariantViolation
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray
from simclone.records import ErrorCode, Step

Ordinals = npt.NDArray[np.int16]
FREE, ELSEWHERE = -1, 32_000
"""Instead of a test: no test refuses the host; the host is not on this page."""


@dataclass(frozen=True, slots=True)
class Part:
    """A flow that took part: its facts, and the ordinal of its first test."""

    flow: FilterFlow
    facts: FlowFacts
    first: int


@dataclass(slots=True, eq=False)
class RequestClass:
    """One request class on one page, known by *bit* among the sorted hosts.

    *threshold_tests* are those of the part at *threshold_position*, which depend on the VMs of a host, *thresholds* the
    amounts they ask for. *early* and *late* are the first tests that refuse a host before and behind the thresholds,
    whatever VMs it has. Behind them *cell_threshold* may be the one test of the part at *cell_position* (-1 for none),
    which depends on VMs too. *rule_position* is that of the flow of groups, -1 where a flow behind it refuses hosts.
    *per_decision* are the positions of flows that can be asked at every decision, None where that would not do;
    *asks_each* says that a decision must ask them, or sort the hosts, by itself. *usage_facts* are flows whose facts
    can change with what VMs hold. *clusters* are those the candidates behind the thresholds were in when the facts were
    made, ascending; *open* are the hosts that no test refuses, *room* is their number; *first_kept* is the number that
    the first flow keeps, on all pages.
    """

    request: HostRequest
    page: int
    parts: list[Part]
    threshold_position: int
    threshold_tests: tuple[Threshold, ...]
    thresholds: list[list[int]]
    early: Ordinals
    late: Ordinals
    before: tuple[int, ...]
    clusters: tuple[int, ...]
    early_clusters: list[int]
    usage_facts: list[tuple[IndexHint, FilterFlow, Any, bool]]
    first_refused: Counts
    rule_position: int
    cell_threshold: CellThreshold | None = None
    cell_position: int = -1
    per_decision: tuple[int, ...] | None = ()
    asks_each: bool = False
    bit: int = 0
    low: int = -NOWHERE
    amounts: int = -1
    image: int | None = None
    cursor: int = 0
    first: Ordinals | None = None
    counts: list[int] = field(default_factory=list)
    open: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    room: int = 0
    by_cluster: list[int] = field(default_factory=list)
    stale: bool = False
    answer: tuple[ErrorCode, tuple[Step, ...]] | None = None
    kept_steps: tuple[Step, ...] | None = None
    first_kept: int = field(init=False)

    def __post_init__(self) -> None:
        self.first_kept = self.before[0] - sum(count for _, count in self.first_refused)

    @property
    def inside(self) -> BoolArray:
        """The hosts of its page."""
        result: BoolArray = self.early != ELSEWHERE
        return result

    @property
    def closed(self) -> BoolArray:
        """Hosts it cannot have whatever stands on them."""
        result: BoolArray = (self.early != FREE) | (self.late != FREE)
        return result

    @property
    def threshold_ordinal(self) -> int:
        """The ordinal of the first threshold."""
        return self.parts[self.threshold_position].first

    @property
    def cell_ordinal(self) -> int:
        """The ordinal of the test of a cell."""
        return self.parts[self.cell_position].first

    def facts_hold(self, request: HostRequest, cloud: Cloud) -> bool:
        """Whether the facts hold for a request of this request class although amounts have changed."""
        for hint, flow, facts, behind in self.usage_facts:
            if not hint.facts_hold(flow, request, cloud, facts, self.clusters if behind else self.early_clusters):
                return False
        return True

    # -- the first refusing test of each host ----------------------------------------------------------

    def below_thresholds(self, cloud: Cloud) -> BoolArray:
        """Hosts that some threshold refuses, whatever else does."""
        return self._first_threshold(cloud) >= 0

    def _first_threshold(self, cloud: Cloud) -> Ordinals:
        """The first threshold each host does not reach."""
        fleet = cloud.fleet
        blocked = np.full(fleet.row_count, FREE, dtype=np.int16)
        ratio = fleet.array(fleet.ratio_class)
        for position in range(len(self.threshold_tests) - 1, -1, -1):
            ((name, _), *others) = self.threshold_tests[position].columns
            value = fleet.array(fleet.cells[name])
            for other, sign in others:
                value = value + sign * fleet.array(fleet.cells[other])
            threshold = np.array([row[position] for row in self.thresholds], dtype=np.int64)[ratio]
            blocked[value < threshold] = self.threshold_ordinal + position
        return blocked

    def below_cells(self) -> BoolArray:
        """Hosts that the test of a cell refuses by what their cells say."""
        below = np.zeros(len(self.early), dtype=np.bool_)
        if self.cell_threshold is not None:
            hosts = np.flatnonzero(self.cell_threshold.hosts)
            below[hosts] = np.asarray(self.cell_threshold.cells)[hosts] < self.cell_threshold.least
        return below

    def count_all(self, cloud: Cloud) -> None:
        """Look at every host."""
        blocked, late = self._first_threshold(cloud), self.late
        if self.cell_threshold is not None:
            sooner = self.below_cells() & ((late == FREE) | (late > self.cell_ordinal))
            late = np.where(sooner, np.int16(self.cell_ordinal), late)
        self.answer = self.kept_steps = None
        self.first = np.where(self.early >= 0, self.early, np.where(blocked >= 0, blocked, late)).astype(np.int16)
        size = max(part.first + len(part.flow.tests) for part in self.parts)
        self.counts = np.bincount(self.first[(self.first >= 0) & (self.first != ELSEWHERE)], minlength=size).tolist()

    def count_again(self, cloud: Cloud, host: int, small: int, below: int) -> None:
        """Look at one host that has changed; *small* and *below* are not 0 where a threshold or its cell refuses it."""
        first = self.first
        if first is None or self.early.item(host) >= 0:
            return
        now = self._threshold_of(cloud, host) if small else self.late.item(host)
        if below and not small and (now == FREE or now > self.cell_ordinal):
            now = self.cell_ordinal
        was = first.item(host)
        if now == was:
            return
        first[host] = now
        self.answer = self.kept_steps = None
        for test, change in ((was, -1), (now, 1)):
            if test != FREE:
                self.counts[test] += change

    def _threshold_of(self, cloud: Cloud, host: int) -> int:
        table = cloud.fleet
        thresholds = self.thresholds[table.ratio_class[host]]
        for position, test in enumerate(self.threshold_tests):
            value = 0
            for name, sign in test.columns:
                value += sign * table.cells[name][host]
            if value < thresholds[position]:
                return self.threshold_ordinal + position
        return FREE

    # -- what a decision says --------------------------------------------------------------------------

    def steps(self, stop_at: int | None = None, error: ErrorCode | None = None) -> tuple[Step, ...]:
        """A step per flow from the counts; with *stop_at* that part emptied the page with *error*."""
        steps = []
        for position, part in enumerate(self.parts):
            refused = self.refused(position)
            if not position:
                before, after = self.before
                refused = self.first_refused
            else:
                before = after
                after = before - sum(count for _, count in refused)
            if position == stop_at:
                text = (error.details or "") if error is not None else ""
                steps.append(Step(part.flow.name, self.page, before, 0, "emptied", refused, text))
                break
            outcome = "passed" if isinstance(part.facts, Pass) else "kept"
            steps.append(Step(part.flow.name, self.page, before, after, outcome, refused))
        return tuple(steps)

    def refused(self, position: int) -> Counts:
        """Hosts each test of a part refused first, by reason."""
        part = self.parts[position]
        if isinstance(part.facts, Pass):
            return ()
        tests = part.flow.tests
        result = ((test.reason, self.counts[part.first + at]) for at, test in enumerate(tests))
        return tuple((reason, count) for reason, count in result if count)

    def emptying_position(self) -> int:
        """The first part behind the one that cuts pages that leaves nobody; raises InvariantViolation for none."""
        first_kept = self.before[1]
        for position in range(1, len(self.parts)):
            first_kept -= sum(count for _, count in self.refused(position))
            if not first_kept:
                return position
        raise InvariantViolation(f"a page without a host has {first_kept} hosts left")
