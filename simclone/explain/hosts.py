"""The table behind one decision: for every host the flow that refused it, and the numbers it was judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simclone.allocator.host.chain import run
from simclone.allocator.host.flow import Candidates, FilterFlow, HardStop, HostRow, Pass
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.placement.host import strategy_of


@dataclass(frozen=True, slots=True)
class HostVerdict:
    """One host in one decision; *flow* and *reason* are empty for a host that survived. vCPUs and bytes."""

    host: str
    page: int
    flow: str
    reason: str
    needed_cpu: int
    available_cpu: int
    needed_memory: int
    available_memory: int
    reserved_memory: int
    memory_ratio: float
    vm_count: int


def host_table(cloud: Cloud, request: HostRequest) -> list[HostVerdict]:
    """A verdict for every host in rank order, by the same flows that decide, in their scalar face."""
    refused: dict[int, tuple[int, str, str]] = {}
    pages: dict[int, int] = {}

    def trace(flow: FilterFlow, facts: Any, candidates: Candidates) -> None:
        for host in candidates.index.tolist():
            reason = first_refusal(flow, facts, HostRow(cloud.fleet, host))
            pages[host] = candidates.page
            if reason:
                refused.setdefault(host, (candidates.page, flow.name, reason))

    run(strategy_of(request, cloud), request, cloud, trace)
    return [_verdict(cloud, request, host, refused, pages) for host in range(cloud.fleet.size)]


def first_refusal(flow: FilterFlow, facts: Any, host: HostRow) -> str:
    """The first test of a flow that a host fails; empty when it passes."""
    if isinstance(facts, Pass | HardStop):
        return ""
    for test in flow.tests:
        if not test.keep(host, facts):
            return test.reason
    return ""


def _verdict(
    cloud: Cloud,
    request: HostRequest,
    host: int,
    refused: dict[int, tuple[int, str, str]],
    pages: dict[int, int],
) -> HostVerdict:
    get = cloud.fleet.get
    page, flow, reason = refused.get(host, (pages.get(host, 0), "", ""))
    return HostVerdict(
        host=cloud.fleet.names[host],
        page=page,
        flow=flow,
        reason=reason,
        needed_cpu=request.cpu,
        available_cpu=get("available_cpu", host),
        needed_memory=request.memory,
        available_memory=get("available_memory", host),
        reserved_memory=get("reserved_memory", host),
        memory_ratio=cloud.fleet.memory_ratio(host),
        vm_count=get("vm_count", host),
    )
