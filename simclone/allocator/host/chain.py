"""The plain driver of a filter chain: page by page over columns, as ZStack does.

Rule: rules/host-selection.md#chain, rules/host-selection.md#pagination.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simclone.allocator.host.flow import (
    PAGE_NOT_DONE,
    Candidates,
    Counts,
    FilterFlow,
    FlowFacts,
    HardStop,
    Pass,
    Skip,
    Test,
)
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.reason import NO_AVAILABLE_HOST
from simclone.records import ErrorCode, Step, Unplaced
from simclone.vocabulary import HOST_NO_MORE_PAGES


@dataclass(frozen=True, slots=True)
class Survivors:
    """Hosts of the winning page, ascending by rank, and what each flow did."""

    hosts: IntArray
    page: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Ended:
    """A page without a host: *last* means no further page is tried."""

    error: ErrorCode
    last: bool
    immediate: bool = False


_WORDLESS = ErrorCode(None)
NO_MORE_PAGES = ErrorCode(NO_AVAILABLE_HOST, "no further page of hosts", reason=HOST_NO_MORE_PAGES.code)
Trace = Callable[[FilterFlow, Any, Candidates], None]


def run(
    strategy: Strategy,
    request: HostRequest,
    cloud: Cloud,
    trace: Trace | None = None,
    only: Mapping[int, Sequence[Test]] | None = None,
) -> Survivors | Unplaced:
    """The first page that survives every filter, or why none does.

    *trace* is shown each flow with its facts and candidates before it filters; it cannot change the outcome. With
    *only*, flows at these positions take part, with these of their tests; then errors have no words.
    """
    steps: list[Step] = []
    series: dict[ErrorCode, None] = {}
    page = 0
    while True:
        result = _page(_Run(strategy.filters, request, cloud, trace, only), page, steps)
        if isinstance(result, Survivors):
            return result
        if not result.last:
            series[result.error] = None
            page += 1
            continue
        error = result.error if result.immediate or not series else merged(list(series))
        return Unplaced(error, (), tuple(steps))


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same on all pages of a search."""

    flows: tuple[FilterFlow, ...]
    request: HostRequest
    cloud: Cloud
    trace: Trace | None
    only: Mapping[int, Sequence[Test]] | None

    def parts(self) -> Iterable[tuple[FilterFlow, Sequence[Test]]]:
        """The flows that take part, each with its tests."""
        if self.only is None:
            return ((flow, flow.tests) for flow in self.flows)
        return ((flow, self.only[position]) for position, flow in enumerate(self.flows) if position in self.only)

    def why(self, flow: FilterFlow, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """The flow's reason; on later pages the first flow only says that there is no further page."""
        if candidates.first and candidates.page:
            return NO_MORE_PAGES
        return _WORDLESS if self.only is not None else flow.refuses(self.request, self.cloud, facts, candidates)


def merged(series: list[ErrorCode]) -> ErrorCode:
    """The error of a search that found no host on any page."""
    texts = "; ".join(str(error.details) for error in series)
    text = f"no host on any page (pagination is on); reasons by page: [{texts}]"
    return ErrorCode(code=NO_AVAILABLE_HOST, details=text, cause=series[0], reason=series[0].reason)


def _page(search: _Run, page: int, steps: list[Step]) -> Survivors | _Ended:
    cloud, request = search.cloud, search.request
    index, first = np.flatnonzero(cloud.fleet.array(cloud.fleet.exists) == 1), True
    for flow, tests in search.parts():
        candidates = Candidates(cloud, index, first=first, page=page)
        facts = flow.facts(request, cloud, candidates)
        if isinstance(facts, Skip):
            continue
        if isinstance(facts, HardStop):
            return _stopped(flow, facts, len(index), page, steps)
        if search.trace is not None:
            search.trace(flow, facts, candidates)
        before = len(index)
        refused: Counts = ()
        retained = index
        if not isinstance(facts, Pass):
            retained, refused = narrowed(tests, facts, candidates)
        if first:
            retained = cut(retained, cloud, page)
        outcome = "passed" if isinstance(facts, Pass) else "kept" if len(retained) else "emptied"
        if not len(retained):
            error = search.why(flow, facts, candidates)
            steps.append(Step(flow.name, page, before, 0, outcome, refused, error.details or ""))
            return _emptied(flow, error, cloud, first)
        steps.append(Step(flow.name, page, before, len(retained), outcome, refused))
        index, first = retained, False
    return Survivors(index, page, tuple(steps))


def narrowed(tests: Sequence[Test], facts: FlowFacts, candidates: Candidates) -> tuple[IntArray, Counts]:
    """The candidates that all tests keep, and how many each of them refused first."""
    hosts = candidates.hosts
    alive = np.ones(len(candidates.index), dtype=np.bool_)
    refused = []
    for test in tests:
        truth = alive & test.keep(hosts, facts)
        lost = int(np.count_nonzero(alive)) - int(np.count_nonzero(truth))
        if lost:
            refused.append((test.reason, lost))
        alive = truth
    return candidates.index[alive], tuple(refused)


def cut(index: IntArray, cloud: Cloud, page: int) -> IntArray:
    """The hosts of one page."""
    settings = cloud.settings
    if not settings.flag("hostAllocator.usePagination") or not cloud_pages(cloud):
        return index if page == 0 else index[:0]
    limit = int(settings.values["hostAllocator.paginationLimit"])
    return index[page * limit : (page + 1) * limit]


def cloud_pages(cloud: Cloud) -> bool:
    """Whether pages are cut at all in this profile."""
    return cloud.settings.profile == "open" or bool(cloud.settings.fidelity["cloudPaging"])


def _emptied(flow: FilterFlow, error: ErrorCode, cloud: Cloud, first: bool) -> _Ended:
    if flow.ends_search:
        return _Ended(error, last=True)
    paging = cloud.settings.flag("hostAllocator.usePagination") and cloud_pages(cloud)
    if first or not paging:
        return _Ended(ErrorCode(NO_AVAILABLE_HOST, error.details, reason=error.reason), last=True)
    return _Ended(ErrorCode(PAGE_NOT_DONE, error.details, reason=error.reason), last=False)


def _stopped(flow: FilterFlow, stop: HardStop, before: int, page: int, steps: list[Step]) -> _Ended:
    refused = ((stop.error.reason, before),)
    steps.append(Step(flow.name, page, before, 0, "stopped", refused, stop.error.details or ""))
    return _Ended(stop.error, last=True, immediate=stop.immediate)
