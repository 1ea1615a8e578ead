"""Questions that change nothing: candidate hosts and storages, capacity reports.

Rule: rules/host-capacity.md#capacity-query, rules/host-selection.md#other-operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from simclone.allocator.backup_storage import feeds
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import DEFAULT, DESIGNATED
from simclone.allocator.primary_storage.chain import filtered
from simclone.allocator.primary_storage.request import CREATE_DATA, CREATE_VM, StorageRequest
from simclone.allocator.rules.storage_capacity import share_threshold, shares_that_fit
from simclone.chance import Identity
from simclone.engine.context import Context, operation_error
from simclone.engine.operations.migrate_vm import migrate_request
from simclone.engine.operations.start_vm import existing_request
from simclone.model.inventory import Shape
from simclone.model.vms import NONE
from simclone.placement.host import candidates
from simclone.placement.search import hypervisor_of
from simclone.records import ErrorCode, Unplaced


def _hosts(ctx: Context, request: HostRequest) -> list[int] | ErrorCode:
    result = candidates(request, ctx.cloud, Identity("query", ctx.next_ordinal("query")))
    if isinstance(result, Unplaced):
        return [] if result.error.code == "HOST_ALLOCATION.1000" else result.error
    return result


def hosts_for_create(ctx: Context, shape: Shape, cpu: int, memory: int) -> list[int] | ErrorCode:
    """Hosts a new VM of this shape could start on, in no order that means anything."""
    from simclone.model.inventory import Wish

    cloud = ctx.cloud
    request = HostRequest(
        cpu=cpu,
        memory=memory,
        strategy=DESIGNATED,
        disk_size=shape.root_size_at_host(cloud.images) + sum(disk.size for disk in shape.disks),
        l3s=shape.l3s,
        image=shape.image,
        zone=cloud.l3s[shape.l3s[0]].zone if shape.l3s else None,
        hypervisor=hypervisor_of(cloud, shape, Wish()) if shape.image is None else None,
        vm_constraint=shape.constraint,
        dry_run=True,
        list_all=True,
    )
    return _hosts(ctx, request)


def hosts_for_start(ctx: Context, vm: int) -> list[int] | ErrorCode:
    """Hosts a stopped VM could start on, best first."""
    strategy = ctx.cloud.vms.shape_of(vm).strategy or DEFAULT
    request = existing_request(ctx.cloud, vm, "Start", strategy)
    return _hosts(ctx, replace(request, dry_run=True, list_all=True, allow_no_l3=False))


def hosts_for_migration(ctx: Context, vm: int) -> list[int] | ErrorCode:
    """Live-migration targets as the platform lists them."""
    if ctx.cloud.vms.state_name(vm) != "Running":
        return operation_error("only a running VM has migration targets", "vm.state")
    return _hosts(ctx, replace(migrate_request(ctx.cloud, vm, None), dry_run=True, list_all=True))


def storages_for_create(ctx: Context, shape: Shape) -> tuple[list[int], list[list[int]]] | ErrorCode:
    """Storages offered for the root volume, and for each data disk."""
    cloud = ctx.cloud
    image = None if shape.image is None else cloud.images[shape.image]
    if image is not None and image.is_iso and shape.root_offering is None:
        return operation_error("an ISO needs a root disk offering", "request.invalid")
    clusters = cloud.clusters_of_l3s(shape.l3s)
    known = [row for row, storage in enumerate(cloud.storages) if storage.clusters & clusters]
    if image is not None:
        known = [row for row in known if any(feeds(cloud, backup, row) for backup in image.backup_storages)]
    root = _fitting(ctx, known, shape.root_size, CREATE_VM)
    return root, [_fitting(ctx, known, disk.size, CREATE_DATA) for disk in shape.disks]


def _fitting(ctx: Context, rows: list[int], size: int, purpose: str) -> list[int]:
    cloud = ctx.cloud
    result = []
    for row in rows:
        if cloud.storages[row].per_host:
            threshold = share_threshold(cloud, row, size)
            fits = cloud.storages[row].usable(True) and bool(shares_that_fit(cloud, row, threshold).any())
        else:
            fits = not isinstance(filtered(cloud, StorageRequest(size, purpose, candidates=(row,))), ErrorCode)
        if fits:
            result.append(row)
    return result


@dataclass(frozen=True, slots=True)
class CapacityReport:
    """What planners see: vCPUs and bytes of Enabled and Connected hosts."""

    total_cpu: int
    available_cpu: int
    total_memory: int
    available_memory: int
    managed_cpu_num: int


def capacity_report(ctx: Context, scopes: Iterable[set[int]], hypervisor: str | None = None) -> CapacityReport:
    """Sums over elements, each a set of hosts; memory after reserve is floored at zero per element."""
    fleet, cloud = ctx.cloud.fleet, ctx.cloud
    usable = fleet.usable()
    if hypervisor is not None:
        usable &= fleet.array(fleet.hypervisor) == cloud.code("hypervisor", hypervisor)
    sums = dict.fromkeys(("total_cpu", "available_cpu", "total_memory", "cpu_num"), 0)
    memory = 0
    for hosts in scopes:
        rows = np.array(sorted(host for host in hosts if usable[host]), dtype=np.int64)
        for name in sums:
            sums[name] += int(fleet.array(fleet.cells[name])[rows].sum())
        free = int(fleet.array(fleet.available_memory)[rows].sum()) - int(
            fleet.array(fleet.reserved_memory)[rows].sum()
        )
        memory += max(0, free)
    return CapacityReport(sums["total_cpu"], sums["available_cpu"], sums["total_memory"], memory, sums["cpu_num"])


def running_per_host(ctx: Context, vms: Iterable[int]) -> dict[int, int]:
    """How many of *vms* run on each host."""
    counts: dict[int, int] = {}
    for vm in vms:
        host = ctx.cloud.vms.host[vm]
        if ctx.cloud.vms.alive[vm] and host != NONE and ctx.cloud.vms.state_name(vm) == "Running":
            counts[host] = counts.get(host, 0) + 1
    return counts
