"""Counting what fits on whole columns, where every host is judged by itself.

The flows' own tests are asked, on all hosts at once. Where something is shared and might run short (storage, addresses,
limits) or hosts depend on each other (affinity, local storage, devices), there is no answer here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simclone.allocator.host import chain
from simclone.allocator.host.flow import Candidates, HardStop, Pass, Skip
from simclone.allocator.host.index.hints import couples_hosts
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.allocator.rules.capacity import times_it_fits
from simclone.allocator.rules.storage_capacity import threshold_of
from simclone.engine.context import Context
from simclone.engine.operations.settings import update_global_config
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.model.ledger.ledger import Ledger
from simclone.placement.host import strategy_of
from simclone.planning.parts.clone_calls import Ask, clone_once, host_request
from simclone.planning.parts.filled import MOST, Filled
from simclone.records import Unplaced

PAGES = "hostAllocator.usePagination"
SPARE = 0.02
"""A shared storage that would be left with less than this share of its size may bind before the hosts do."""


@dataclass(frozen=True, eq=False)
class Counted:
    """Clones by host row, shape (hosts,), the request that was counted, and what it comes to."""

    counts: IntArray
    request: HostRequest
    filled: Filled


def count_by_columns(ctx: Context, ask: Ask) -> Counted | None:
    """How many clones fit into the cloud, whose source is dressed; None where only placing them one by one tells."""
    requested = host_request(ctx, ask)
    if requested is None or requested[0].dry_run or not _by_itself(*requested):
        return None
    request, known = requested
    counts, reason = _counts(request, known)
    total = int(counts.sum())
    if total >= MOST or not total or not _enough(ctx, ask, request, counts):
        return None
    cloud, fleet = ctx.cloud, ctx.cloud.fleet
    clusters = _by_name(counts, fleet.array(fleet.cluster), [entry.name for entry in cloud.clusters])
    zones = _by_name(counts, fleet.array(fleet.zone), [item.name for item in cloud.zones])
    return Counted(counts, request, Filled(total, total, reason, clusters, zones))


def _by_name(counts: IntArray, places: IntArray, names: list[str]) -> dict[str, int]:
    sums = np.bincount(places, weights=counts, minlength=len(names)).astype(np.int64).tolist()
    return {name: count for name, count in zip(names, sums, strict=True) if count}


def _by_itself(request: HostRequest, cloud: Cloud) -> bool:
    """Whether each host's verdict depends on that host alone."""
    if request.account >= 0 or request.tags.devices or any(storage.per_host for storage in cloud.storages):
        return False
    if request.group is not None and cloud.groups[request.group].policy.hard:
        return False
    if not _same_storages(cloud):
        return False
    everybody = Candidates(cloud, np.flatnonzero(cloud.fleet.array(cloud.fleet.exists) == 1), first=True)
    for flow in strategy_of(request, cloud).filters:
        facts = flow.facts(request, cloud, everybody)
        if isinstance(facts, HardStop):
            return False
        if not isinstance(facts, Skip | Pass) and couples_hosts(flow):
            return False
    return True


def _same_storages(cloud: Cloud) -> bool:
    """Whether every cluster with a usable host sees the same usable storages: else one kind of request is not all."""
    clusters = {cloud.fleet.cluster[host] for host in np.flatnonzero(cloud.fleet.usable()).tolist()}
    views = {
        frozenset(row for row in cloud.storages_of(cluster) if cloud.storages[row].usable(True)) for cluster in clusters
    }
    return len(views) <= 1


def _counts(request: HostRequest, cloud: Cloud) -> tuple[IntArray, str]:
    """VMs each host takes, and the reason of the refusal after them; the cloud is left as it is."""
    ctx = Context(Ledger(cloud).fork())
    update_global_config(ctx, PAGES, False)
    strategy, twin = strategy_of(request, cloud), ctx.cloud
    counts = np.zeros(twin.fleet.row_count, dtype=np.int64)
    _leap(request, ctx.ledger, strategy, counts)
    while True:
        result = chain.run(strategy, request, twin)
        if isinstance(result, Unplaced):
            return counts, result.error.root_reason
        ctx.ledger.hosts.fill(result.hosts, request.cpu, request.memory)
        counts[result.hosts] += 1
        if counts.sum() >= MOST:
            return counts, ""


def _leap(request: HostRequest, ledger: Ledger, strategy: Strategy, counts: IntArray) -> None:
    """Nearly as many as fit at once: the last of them is tested on each host, the rest follow one by one.

    What a host still has only shrinks as it fills, so one that takes its last VM took those before.
    """
    fleet = ledger.cloud.fleet
    most = np.clip(times_it_fits(fleet, request.cpu, request.memory) - 1, 0, MOST)
    hosts = np.flatnonzero(most > 0)
    ledger.hosts.fill(hosts, request.cpu, request.memory, most[hosts] - 1)
    result = chain.run(strategy, request, ledger.cloud)
    good = np.zeros(len(most), dtype=np.bool_)
    if not isinstance(result, Unplaced):
        good[result.hosts] = True
    retained, removed = hosts[good[hosts]], hosts[~good[hosts]]
    ledger.hosts.fill(retained, request.cpu, request.memory)
    ledger.hosts.fill(removed, request.cpu, request.memory, -(most[removed] - 1))
    counts[retained] = most[retained]


def _enough(ctx: Context, ask: Ask, request: HostRequest, counts: IntArray) -> bool:
    """Whether storage and addresses, on the careful side, last for as many as the hosts take."""
    cloud, total = ctx.cloud, int(counts.sum())
    for l3 in request.l3s:
        pool = cloud.pools[l3]
        if cloud.l3s[l3].dhcp and sum(range_.end - range_.start + 1 for range_ in pool.ranges) - len(pool.used) < total:
            return False
    item, three = (_taken(ctx, ask, names) for names in (1, 3))
    if item is None or three is None:
        return False
    each = [max(-(-(more - less) // 2), 0) for less, more in zip(item, three, strict=True)]
    largest = max(each)
    clusters = np.bincount(
        ctx.cloud.fleet.array(ctx.cloud.fleet.cluster), weights=counts, minlength=len(cloud.clusters)
    )
    for row, storage in enumerate(cloud.storages):
        count = int(sum(clusters[cluster] for cluster in storage.clusters))
        if count and not _lasts(cloud, row, count * largest + item[row]):
            return False
    return True


def _taken(ctx: Context, ask: Ask, names: int) -> list[int] | None:
    """Bytes a call of so many names takes of each storage; None where not all of them succeed."""
    twin = ctx.fork()
    answer = clone_once(twin, ask, [f"probe-{turn}" for turn in range(names)])
    if answer.error is not None or answer.succeeded < names:
        return None
    return [
        before.available - after.available
        for before, after in zip(ctx.cloud.storages, twin.cloud.storages, strict=True)
    ]


def _lasts(cloud: Cloud, row: int, taken: int) -> bool:
    storage = cloud.storages[row]
    ratio = cloud.storage_ratio(row)
    spare = int(SPARE * storage.total)
    physical = storage.available_physical - int((1 - threshold_of(cloud, row)) * storage.total_physical) - spare
    return storage.available - spare >= taken and physical >= taken * ratio
