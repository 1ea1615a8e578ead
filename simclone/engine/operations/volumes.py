"""Data volumes, snapshots, sizes as the storage reports them."""

from __future__ import annotations

from simclone.allocator.primary_storage.chain import DEFAULT, LOCAL_STRATEGY
from simclone.allocator.primary_storage.request import CREATE_DATA, StorageRequest
from simclone.allocator.rules import quota
from simclone.allocator.rules.storage_capacity import has_share
from simclone.chance import Identity
from simclone.engine.context import Context, Outcome, operation_error
from simclone.engine.operations.clone.copies import take_snapshot
from simclone.engine.operations.start_vm import volumes_of
from simclone.model.inventory import ADMIN, Disk
from simclone.model.vms import DATA, NONE
from simclone.placement.storage import allocate, local_storages
from simclone.records import ErrorCode
from simclone.vocabulary import HostState, Status, VolumeStatus

DELETED = VolumeStatus.DELETED


def create_data_volume(
    ctx: Context, name: str, disk: Disk, *, storage: int | None = None, host: int | None = None, account: int = ADMIN
) -> Outcome:
    """Record a volume; with *storage* it is made there at once, on *host* for local storage."""
    ledger, cloud = ctx.ledger, ctx.cloud
    error = quota.refusal(cloud, account, [("volume.capacity", disk.size), ("volume.data.num", 1)])
    if error is not None:
        return Outcome(NONE, error)
    space = None
    if storage is not None:
        local = cloud.storages[storage].per_host
        if local and host is None:
            return Outcome(NONE, operation_error("a volume on local storage needs a host", "storage.localHost"))
        request = StorageRequest(
            disk.size,
            CREATE_DATA,
            host=host,
            candidates=(storage,),
            strategy=None if local else DEFAULT,
            constraint=disk.constraint,
            require_local=local,
        )
        result = allocate(ledger, request, name, Identity("api", ctx.next_ordinal("api")))
        if isinstance(result, ErrorCode):
            return Outcome(NONE, result)
        space = result
    offering = NONE if disk.offering is None else disk.offering
    row = ledger.volumes.add(name, type=DATA, size=disk.size, account=account, offering=offering)
    if space is not None:
        ledger.volumes.place(row, space)
    return Outcome(row)


def attach_data_volume(ctx: Context, vm: int, volume: int) -> Outcome:
    """Attach; a volume that is only recorded is made now, where the VM's host sees it."""
    ledger, cloud = ctx.ledger, ctx.cloud
    state = cloud.vms.state_name(vm)
    if state not in ("Running", "Stopped", "Paused"):
        return Outcome(volume, operation_error(f"a VM in state {state} takes no volume", "vm.state"))
    if cloud.volumes.vm[volume] != NONE or cloud.volumes.status[volume] == DELETED:
        return Outcome(volume, operation_error("the volume is attached or deleted", "volume.state"))
    missing = cloud.volumes.storage[volume] == NONE
    error = _instantiate(ctx, vm, volume) if missing else _reachable(ctx, vm, volume)
    if error is not None:
        return Outcome(volume, error)
    taken = {cloud.volumes.device[row] for row in cloud.vms.volumes[vm]}
    ledger.volumes.attach(volume, vm, next(n for n in range(1, len(taken) + 2) if n not in taken))
    return Outcome(volume)


def _home(ctx: Context, vm: int) -> int:
    table = ctx.cloud.vms
    return table.host[vm] if table.host[vm] != NONE else table.last_host[vm]


def _instantiate(ctx: Context, vm: int, volume: int) -> ErrorCode | None:
    """Like the product: a VM whose root is local gets a local data volume only if nothing shared is attached."""
    ledger, cloud = ctx.ledger, ctx.cloud
    host = _home(ctx, vm)
    local_rows = frozenset(row for row, storage in enumerate(cloud.storages) if storage.per_host)
    cluster = cloud.fleet.cluster[host]
    shared = [row for row in cloud.storages_of(cluster) if row not in local_rows and cloud.storages[row].usable(True)]
    only_local = bool(local_storages(cloud, host)) and not shared
    request = StorageRequest(
        cloud.volumes.size[volume],
        CREATE_DATA,
        host=host,
        strategy=LOCAL_STRATEGY if only_local else DEFAULT,
        excluded=frozenset() if only_local else local_rows,
    )
    space = allocate(ledger, request, cloud.volumes.names[volume], ctx.next_occasion(vm))
    if isinstance(space, ErrorCode):
        return space
    ledger.volumes.place(volume, space)
    return None


def _reachable(ctx: Context, vm: int, volume: int) -> ErrorCode | None:
    """The volume's storage must be seen from where the VM is or may start."""
    cloud = ctx.cloud
    storage, position = cloud.volumes.storage[volume], cloud.volumes.host[volume]
    running = cloud.vms.host[vm]
    local = {cloud.volumes.host[row] for row in volumes_of(cloud, vm)} - {NONE}
    if position != NONE and ((running not in (NONE, position)) or (local and position not in local)):
        return operation_error("the volume lies on another host's local storage", "storage.localHost")
    if running != NONE:
        clusters = {cloud.vms.cluster[vm]}
    else:
        clusters = set(range(len(cloud.clusters)))
        for row in volumes_of(cloud, vm):
            clusters &= cloud.storages[cloud.volumes.storage[row]].clusters
    if not clusters & cloud.storages[storage].clusters:
        return operation_error("no cluster sees the VM's volumes and this one together", "storage.volumes")
    return None


def detach_data_volume(ctx: Context, volume: int) -> Outcome:
    """Take a volume from its VM."""
    if ctx.cloud.volumes.vm[volume] == NONE:
        return Outcome(volume, operation_error("the volume is not attached", "volume.state"))
    ctx.ledger.volumes.detach(volume)
    return Outcome(volume)


def delete_data_volume(ctx: Context, volume: int) -> Outcome:
    """Delete: under ``Delay`` it stays as Deleted and keeps its space; an attached one is detached first."""
    cloud = ctx.cloud
    if cloud.volumes.type[volume] != DATA:
        return Outcome(volume, operation_error("only data volumes can be deleted", "volume.state"))
    if cloud.volumes.vm[volume] != NONE:
        ctx.ledger.volumes.detach(volume)
    direct = cloud.settings.values["volume.deletionPolicy"] == "Direct"
    if direct or cloud.volumes.storage[volume] == NONE:
        ctx.ledger.volumes.remove(volume, "delete")
    else:
        ctx.ledger.volumes.set(volume, status=DELETED)
    return Outcome(volume)


def expunge_data_volume(ctx: Context, volume: int) -> Outcome:
    """Remove a deleted volume for good."""
    if ctx.cloud.volumes.status[volume] != DELETED:
        return Outcome(volume, operation_error("only a deleted volume can be expunged", "volume.state"))
    ctx.ledger.volumes.remove(volume, "expunge")
    return Outcome(volume)


def migrate_volume(ctx: Context, volume: int, host: int) -> Outcome:
    """Move an unattached (or a stopped VM's) local volume to another host of the same storage."""
    if host not in migration_hosts(ctx, volume):
        return Outcome(volume, operation_error("the host cannot take the volume", "storage.local"))
    space = ctx.ledger.space.move(ctx.cloud.volumes.space[volume], host)
    ctx.ledger.volumes.set(volume, space=space, host=host)
    return Outcome(volume)


def migration_hosts(ctx: Context, volume: int) -> list[int]:
    """Hosts of the same local storage with room for the volume, virtual and physical."""
    cloud = ctx.cloud
    storage, own = cloud.volumes.storage[volume], cloud.volumes.host[volume]
    shares = cloud.storages[storage].shares
    if shares is None:
        return []
    size = cloud.volumes.size[volume]
    fleet = cloud.fleet
    vm = cloud.volumes.vm[volume]
    l3s = () if vm == NONE else tuple(cloud.nics.l3[nic] for nic in cloud.vms.nics[vm])
    clusters = cloud.clusters_of_l3s(l3s) & cloud.storages[storage].clusters
    return [
        host
        for host in range(fleet.row_count)
        if host != own
        and fleet.exists[host]
        and fleet.state[host] == HostState.ENABLED
        and fleet.status[host] == Status.CONNECTED
        and fleet.cluster[host] in clusters
        and has_share(cloud, storage, host)
        and shares.available[host] >= size
        and shares.available_physical[host] >= size
    ]


def resize_volume(ctx: Context, volume: int, size: int) -> Outcome:
    """Enlarge a volume of a stopped VM."""
    ledger, cloud = ctx.ledger, ctx.cloud
    old, vm = cloud.volumes.size[volume], cloud.volumes.vm[volume]
    if vm != NONE and cloud.vms.state_name(vm) != "Stopped":
        return Outcome(volume, operation_error("the VM is not stopped", "vm.state"))
    if size <= old:
        return Outcome(volume, operation_error("a volume can only grow", "volume.state"))
    storage, host = cloud.volumes.storage[volume], cloud.volumes.host[volume]
    local = host != NONE
    request = StorageRequest(
        size - old, CREATE_DATA, host=host if local else None, candidates=(storage,), require_local=local
    )
    with ledger.trial():
        more = allocate(ledger, request, cloud.volumes.names[volume], Identity("api", 0))
    if isinstance(more, ErrorCode):
        return Outcome(volume, more)
    space = ledger.space.resize(cloud.volumes.space[volume], size)
    ledger.volumes.set(volume, size=size, space=space)
    return Outcome(volume)


def set_actual_size(ctx: Context, volume: int, size: int) -> Outcome:
    """From now on the storage reports this many written bytes."""
    ctx.ledger.volumes.set(volume, actual_size=size)
    return Outcome(volume)


def create_snapshot(ctx: Context, volume: int, account: int = ADMIN) -> Outcome:
    """Take a snapshot of a volume."""
    result = take_snapshot(ctx, volume, f"snapshot-of-{ctx.cloud.volumes.names[volume]}", account)
    return Outcome(NONE, result) if isinstance(result, ErrorCode) else Outcome(result)
