"""Hosts come, go, change state, go into maintenance (rules/states.md#effect)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from simclone.chance import place_uuid
from simclone.engine.context import Context, Outcome, operation_error
from simclone.engine.operations.create_vm import stop_row, vms_on
from simclone.engine.operations.migrate_vm import migrate_vm
from simclone.engine.operations.settings import host_figures, refresh_host
from simclone.engine.waits import Work, Workflow, alone
from simclone.model.inventory import DISABLED, ENABLED, MAINTENANCE, PRE_MAINTENANCE, STATUSES
from simclone.model.vms import NONE
from simclone.records import ErrorCode
from simclone.units import MAX_AMOUNT
from simclone.vocabulary import STORAGE_ATTACHED, Status


def add_host(
    ctx: Context,
    name: str,
    cluster: int,
    cpu_num: int,
    memory: int,
    local: dict[int, int] | None = None,
    *,
    like: int | None = None,
    labels: Mapping[str, str] | None = None,
) -> Outcome:
    """An empty, Enabled, Connected host of *cpu_num* cores and *memory* bytes; *local* bytes per local storage.

    It has the labels, architecture, operating system and devices of a host it is *like*, and before those its *labels*.
    """
    cloud, ledger = ctx.cloud, ctx.ledger
    fleet, joined = cloud.fleet, cloud.clusters[cluster]
    every = dict(joined.labels)
    values = {
        "zone": joined.zone,
        "cluster": cluster,
        "hypervisor": cloud.code("hypervisor", joined.hypervisor_type),
        "architecture": cloud.code("architecture", joined.architecture),
        "os": -1,
        "cpu_num": cpu_num,
        "total_memory": memory,
        "available_memory": memory,
    }
    if like is not None:
        every |= _own_labels(ctx, like)
        values["os"] = fleet.os[like]
        if fleet.architecture[like] != cloud.code("architecture", cloud.clusters[fleet.cluster[like]].architecture):
            values["architecture"] = fleet.architecture[like]
    host = ledger.hosts.add(place_uuid("host", name, fleet.row_count), name, every | dict(labels or {}), **values)
    figures = host_figures(cloud, host)
    ledger.hosts.set(host, "add", available_cpu=figures["total_cpu"], **figures)
    if like is not None:
        copy_devices(ctx, like, host)
    for row, size in (local or {}).items():
        ledger.space.set_share(
            row, host, present=1, total=size, available=size, total_physical=size, available_physical=size
        )
        storage = cloud.storages[row]
        ledger.space.set_storage(
            row,
            total=storage.total + size,
            available=storage.available + size,
            total_physical=storage.total_physical + size,
            available_physical=storage.available_physical + size,
        )
    return Outcome(host)


def _own_labels(ctx: Context, host: int) -> dict[str, str]:
    """The labels of a host that it has not from its cluster."""
    inherited = dict(ctx.cloud.clusters[ctx.cloud.fleet.cluster[host]].labels)
    return {key: value for key, value in ctx.cloud.fleet.labels[host].items() if inherited.get(key) != value}


def host_size(ctx: Context, host: int) -> tuple[int, int]:
    """The cores of a host and its memory in bytes."""
    return ctx.cloud.fleet.cpu_num[host], ctx.cloud.fleet.total_memory[host]


def resize_host(ctx: Context, host: int, cpu_num: int, memory: int) -> Outcome:
    """Give a host other cores and memory; what is free moves by as much, also below zero."""
    fleet, ledger = ctx.cloud.fleet, ctx.ledger
    more = memory - fleet.total_memory[host]
    if fleet.cpu_num[host] != cpu_num:
        ledger.hosts.set(host, "resize", cpu_num=cpu_num)
        refresh_host(ledger, host)
    if more:
        ledger.hosts.set(host, "resize", total_memory=memory, available_memory=fleet.available_memory[host] + more)
    return Outcome(host)


def copy_machine(ctx: Context, like: int, host: int) -> None:
    """Give a host the architecture of another one, where that has one, and its PCI devices."""
    cloud, fleet = ctx.cloud, ctx.cloud.fleet
    inherited = cloud.code("architecture", cloud.clusters[fleet.cluster[host]].architecture)
    architecture = fleet.architecture[like] if fleet.architecture[like] != NONE else inherited
    if fleet.architecture[host] != architecture:
        ctx.ledger.hosts.set(host, "resize", architecture=architecture)
    copy_devices(ctx, like, host)


def copy_devices(ctx: Context, like: int, host: int) -> None:
    """Give a host the PCI devices of another one."""
    for spec, present in ctx.cloud.fleet.devices.items():
        ctx.ledger.hosts.set_devices(host, spec, present.get(like, 0))


def set_devices(ctx: Context, host: int, devices: Mapping[str, int]) -> None:
    """Give a host so many PCI devices of each specification, and none of the others."""
    for spec in {**ctx.cloud.fleet.devices, **devices}:
        ctx.ledger.hosts.set_devices(host, spec, devices.get(spec, 0))


def put_on_host(ctx: Context, vm: int, host: int) -> Outcome:
    """Take a VM with its local disks to a host without asking the allocator; it holds as much of the other one.

    Refused where the host does not see the VM's storage or networks.
    """
    ledger, vms = ctx.ledger, ctx.cloud.vms
    if not _sees(ctx, vm, host):
        text = f"host {ctx.cloud.fleet.uuids[host]} does not see the storage or the networks of VM {vms.names[vm]}"
        return Outcome(vm, operation_error(text, STORAGE_ATTACHED.code))
    if vms.hold_host[vm] != NONE:
        ledger.hosts.end(vm, "move")
        ledger.vms.set(vm, host=NONE)
        ledger.hosts.hold(vm, host, "move")
        ledger.vms.set(vm, host=host, cluster=ctx.cloud.fleet.cluster[host])
    ledger.vms.set(vm, last_host=host)
    volumes = ctx.cloud.volumes
    for volume in vms.volumes.get(vm, ()):
        if volumes.host[volume] not in (NONE, host):
            ledger.volumes.set(volume, space=ledger.space.move(volumes.space[volume], host), host=host)
    return Outcome(vm)


def _sees(ctx: Context, vm: int, host: int) -> bool:
    """Whether a host is attached to every storage with a volume of a VM, and to the networks of its cards."""
    cloud = ctx.cloud
    cluster = cloud.fleet.cluster[host]
    storages = [cloud.storages[cloud.volumes.storage[volume]] for volume in cloud.vms.volumes.get(vm, ())]
    return all(
        cluster in storage.clusters and (storage.shares is None or bool(storage.shares.present[host]))
        for storage in storages
    ) and all(cluster in cloud.l2_clusters[cloud.l3s[cloud.nics.l3[nic]].l2] for nic in cloud.vms.nics.get(vm, ()))


def delete_host(ctx: Context, host: int) -> Outcome:
    """Remove a host; VMs on it stop, its share of local storages goes."""
    cloud, ledger = ctx.cloud, ctx.ledger
    for vm in vms_on(ctx, host):
        stop_row(ctx, vm)
    for row, storage in enumerate(cloud.storages):
        shares = storage.shares
        if shares is None or host >= shares.row_count or not shares.present[host]:
            continue
        removed = {name: shares.cells[name][host] for name in ("total", "total_physical", "available_physical")}
        ledger.volumes.forget_share(row, host)
        ledger.space.set_storage(
            row,
            total=storage.total - removed["total"],
            total_physical=storage.total_physical - removed["total_physical"],
            available_physical=storage.available_physical - removed["available_physical"],
        )
    ledger.hosts.set(host, "delete", exists=0)
    _empty_mount_points(ctx, ctx.cloud.fleet.cluster[host])
    return Outcome(host)


def _empty_mount_points(ctx: Context, cluster: int) -> None:
    """A shared mount point of a cluster that a host has left reports nothing once no host mounts it."""
    fleet = ctx.cloud.fleet
    clusters = set(fleet.array(fleet.cluster)[fleet.array(fleet.exists) == 1].tolist())
    for row, storage in enumerate(ctx.cloud.storages):
        if storage.kind.hosts_report and cluster in storage.clusters and not storage.clusters & clusters:
            ctx.ledger.space.zero_storage(row)


def change_host_state(ctx: Context, host: int, event: str) -> Workflow[Outcome]:
    """``enable``, ``disable`` or ``maintain``."""
    fleet = ctx.cloud.fleet
    if event == "maintain":
        return (yield from maintain(ctx, host))
    if event == "enable":
        if fleet.state[host] == MAINTENANCE:
            ctx.ledger.hosts.set(host, "enable", status=Status.CONNECTED)
        ctx.ledger.hosts.set(host, "enable", state=ENABLED)
    elif event == "disable":
        ctx.ledger.hosts.set(host, "disable", state=DISABLED)
    else:
        return Outcome(host, operation_error(f"unknown host state event {event!r}"))
    return Outcome(host)


def maintain(ctx: Context, host: int) -> Workflow[Outcome]:
    """Move every VM away; what cannot move is stopped, or blocks, by ``host.maintenance.policy``."""
    ledger, fleet = ctx.ledger, ctx.cloud.fleet
    status = fleet.status[host]
    if status == Status.CONNECTING:
        return Outcome(host, operation_error(f"host {fleet.uuids[host]} is Connecting", "host.status"))
    before = fleet.state[host]
    ledger.hosts.set(host, "maintain", state=PRE_MAINTENANCE)
    policy = ctx.cloud.settings.values["host.maintenance.policy"]
    while True:
        remaining = vms_on(ctx, host)
        if not remaining:
            break
        error = None
        for vm in remaining:
            error = error or (yield from alone(vm, _evacuate(ctx, vm, host, str(policy))))
        if error is not None or not _improves(ctx, host, remaining):
            if fleet.state[host] == PRE_MAINTENANCE:
                ledger.hosts.set(host, "maintain", state=before)
            return Outcome(host, operation_error("a VM cannot be moved away", "host.maintenance", error))
    if fleet.state[host] == PRE_MAINTENANCE:
        ledger.hosts.set(host, "maintain", state=MAINTENANCE)
    return Outcome(host)


def _improves(ctx: Context, host: int, before: list[int]) -> bool:
    """Whether somebody has left since; VMs of a host that died on the way stay where they are."""
    return set(vms_on(ctx, host)) != set(before)


def _evacuate(ctx: Context, vm: int, host: int, policy: str) -> Workflow[ErrorCode | None]:
    """Move one VM away or stop it; whoever left by itself meanwhile, or is lost, is left alone."""
    cloud = ctx.cloud
    if not cloud.vms.alive[vm] or cloud.vms.host[vm] != host or cloud.vms.state_name(vm) == "Unknown":
        return None
    if cloud.vms.state_name(vm) == "Running":
        moved = yield from migrate_vm(ctx, vm)
        if moved.ok or cloud.vms.state_name(vm) != "Running":
            return None
        if policy == "JustMigrate":
            return moved.error
        yield Work("stop", ("host", host), vm=vm)
    if cloud.vms.hold_host[vm] == host and cloud.vms.state_name(vm) != "Unknown":
        stop_row(ctx, vm)
    return None


def set_host_status(ctx: Context, host: int, status: str) -> Outcome:
    """Set the connection status; nothing else reacts."""
    ctx.ledger.hosts.set(host, "status", status=STATUSES.index(status))
    return Outcome(host)


def change_zone_state(ctx: Context, zone: int, event: str) -> Outcome:
    """Enable or disable a zone: its clusters and their hosts follow, except those in maintenance."""
    state = ENABLED if event == "enable" else DISABLED
    ctx.ledger.set_state(ctx.cloud.zone_states, zone, state, ctx.cloud.zones[zone].name, event)
    for row, cluster in enumerate(ctx.cloud.clusters):
        if cluster.zone == zone:
            change_cluster_state(ctx, row, event)
    return Outcome(zone)


def change_cluster_state(ctx: Context, cluster: int, event: str) -> Outcome:
    """Enable or disable a cluster: a bulk operation on its hosts (rules/states.md#disabled-cluster)."""
    state = ENABLED if event == "enable" else DISABLED
    ctx.ledger.set_state(ctx.cloud.cluster_states, cluster, state, ctx.cloud.clusters[cluster].name, event)
    fleet = ctx.cloud.fleet
    for host in np.flatnonzero((fleet.array(fleet.cluster) == cluster) & (fleet.array(fleet.exists) == 1)).tolist():
        if fleet.state[host] not in (PRE_MAINTENANCE, MAINTENANCE):
            ctx.ledger.hosts.set(host, event, state=state)
    return Outcome(cluster)


def resize_vm(ctx: Context, vm: int, cpu: int | None, memory: int | None, asker: int | None = None) -> Outcome:
    """New size for a VM; a running one only with ``vm.numa``, on its own host (rules/host-capacity.md#return)."""
    from simclone.allocator.host.strategies import DESIGNATED
    from simclone.allocator.rules import quota
    from simclone.engine.operations.start_vm import existing_request, wrong_state
    from simclone.placement.host import decide
    from simclone.records import Unplaced

    cloud, ledger = ctx.cloud, ctx.ledger
    table = cloud.vms
    old_cpu, old_memory = table.cpu[vm], table.memory[vm]
    new_cpu = old_cpu if cpu is None else cpu
    new_memory = old_memory if memory is None else memory
    state = cloud.vms.state_name(vm)
    if state not in ("Running", "Stopped"):
        return Outcome(vm, wrong_state(cloud, vm, "update"))
    account = table.account[vm]
    if asker is not None and asker >= 0 and state == "Running":
        asks = [("vm.cpuNum", max(new_cpu - old_cpu, 0)), ("vm.memorySize", max(new_memory - old_memory, 0))]
        error = quota.refusal(cloud, account, asks)
        if error is not None:
            return Outcome(vm, error)
    if state == "Running":
        if not cloud.settings.flag("vm.numa"):
            return Outcome(vm, operation_error("a running VM is resized only with vm.numa", "vm.state"))
        step = aligned(new_memory - old_memory) if new_memory != old_memory else 0
        new_memory = old_memory + step
        request = replace(
            existing_request(cloud, vm, "UpdateVm", DESIGNATED),
            cpu=max(new_cpu - old_cpu, 0),
            memory=max(step, 0),
            old_memory=old_memory,
            host=table.host[vm],
            full_allocate=False,
            last_host=None,
            group=None,
        )
        decision = decide(request, cloud, ctx.next_occasion(vm))
        if isinstance(decision, Unplaced):
            return Outcome(vm, operation_error("the VM's host has no room", decision.error.root_reason, decision.error))
        ledger.hosts.resize_hold(vm, new_cpu, new_memory)
    ledger.vms.set(vm, cpu=new_cpu, memory=new_memory)
    return Outcome(vm)


def aligned(change: int) -> int:
    """A memory change in steps of 128 MiB: less than half a step is dropped, never to nothing.

    >>> aligned(200 << 20) >> 20, aligned(10 << 20) >> 20
    (256, 128)
    """
    step = 128 << 20
    whole, others = divmod(min(change, MAX_AMOUNT), step)
    rounded = (whole + (others >= step // 2)) * step
    return rounded or step
