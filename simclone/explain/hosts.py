"""The table behind one decision: for every host the flow that refused it, and the numbers it was judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simclone.allocator.host.chain import run
from simclone.allocator.host.flow import Candidates, FilterFlow, Pass
from simclone.allocator.host.order import classes, sort_key
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.placement.host import strategy_of
from simclone.records import ErrorCode, Unplaced


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
    """A verdict for every host in rank order, by the tests that decide."""
    fleet = cloud.fleet
    reasons = [""]
    flows = [""]
    refused = np.zeros(fleet.row_count, dtype=np.int64)
    pages = np.zeros(fleet.row_count, dtype=np.int64)

    def trace(flow: FilterFlow, facts: Any, candidates: Candidates) -> None:
        index = candidates.index
        pages[index] = candidates.page
        if isinstance(facts, Pass):
            return
        alive = refused[index] == 0
        for test in flow.tests:
            lost = alive & ~np.asarray(test.keep(candidates.hosts, facts), dtype=np.bool_)
            refused[index[lost]] = len(reasons)
            reasons.append(test.reason)
            flows.append(flow.name)
            alive &= ~lost

    run(strategy_of(request, cloud), request, cloud, trace)
    columns = ("available_cpu", "available_memory", "reserved_memory", "vm_count")
    figures = zip(*(fleet.array(fleet.cells[name]).tolist() for name in columns), strict=True)
    rows = zip(fleet.names, pages.tolist(), refused.tolist(), figures, range(fleet.row_count), strict=False)
    return [
        HostVerdict(
            host=name,
            page=page,
            flow=flows[why],
            reason=reasons[why],
            needed_cpu=request.cpu,
            available_cpu=cpu,
            needed_memory=request.memory,
            available_memory=memory,
            reserved_memory=reserved,
            memory_ratio=fleet.memory_ratio(host),
            vm_count=count,
        )
        for name, page, why, (cpu, memory, reserved, count), host in rows
    ]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A host that passed every filter; *keys* are the sort flows' parts, smaller first, equal ones stand by chance."""

    host: str
    place: int
    keys: tuple[int, ...]


def runners_up(cloud: Cloud, request: HostRequest, most: int = 10) -> list[Ranked]:
    """The best hosts of the winning page in the order of the sort keys; empty when no host passed.

    Hosts with equal keys share a *place* (from 1): among them chance decides.
    """
    strategy = strategy_of(request, cloud)
    survivors = run(strategy, request, cloud)
    if isinstance(survivors, Unplaced):
        return []
    keyed = sort_key(request, cloud, survivors.hosts, strategy.sorters)
    if isinstance(keyed, ErrorCode):
        return []
    parts = np.stack(keyed[0]) if keyed[0] else np.zeros((1, len(survivors.hosts)), dtype=np.int64)
    key_of = {host: tuple(part) for host, part in zip(survivors.hosts.tolist(), parts.T.tolist(), strict=True)}
    ranked: list[Ranked] = []
    for position, block in enumerate(classes(survivors.hosts, keyed[0]), 1):
        ranked += [Ranked(cloud.fleet.names[host], position, key_of[host]) for host in block[: most - len(ranked)]]
        if len(ranked) >= most:
            break
    return ranked
