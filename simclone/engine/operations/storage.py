"""Primary storage: state, attachments, host links; raw space (rules/primary-storage.md#strategies)."""

from __future__ import annotations

from simclone.allocator.primary_storage.request import StorageRequest
from simclone.chance import Identity
from simclone.engine.context import Context, Outcome, operation_error
from simclone.engine.operations.create_vm import stop_row
from simclone.model.inventory import STATUSES, STORAGE_STATES
from simclone.model.vms import NONE
from simclone.placement.storage import allocate
from simclone.records import ErrorCode
from simclone.vocabulary import StorageState

_STATES = {"enable": StorageState.ENABLED, "disable": StorageState.DISABLED, "maintain": StorageState.MAINTENANCE}


def change_primary_storage_state(ctx: Context, row: int, event: str) -> Outcome:
    """``enable``, ``disable`` or ``maintain``; maintenance stops the VMs that have a volume on it."""
    if event not in _STATES:
        return Outcome(row, operation_error(f"unknown storage state event {event!r}"))
    ctx.ledger.space.set_storage(row, state=_STATES[event])
    if event == "maintain":
        _stop_users(ctx, row, None)
    return Outcome(row)


def set_storage_state(ctx: Context, row: int, state: str) -> Outcome:
    """Set the state of a primary storage; nothing else reacts."""
    ctx.ledger.space.set_storage(row, state=STORAGE_STATES.index(state))
    return Outcome(row)


def set_storage_status(ctx: Context, row: int, status: str) -> Outcome:
    """Set the connection status of a primary storage; nothing else reacts."""
    ctx.ledger.space.set_storage(row, status=STATUSES.index(status))
    return Outcome(row)


def set_available_physical(ctx: Context, row: int, size: int) -> Outcome:
    """Set the bytes that are physically free on a primary storage."""
    ctx.ledger.space.set_storage(row, available_physical=size)
    return Outcome(row)


def _stop_users(ctx: Context, storage: int, cluster: int | None) -> None:
    volumes, vms = ctx.cloud.volumes, ctx.cloud.vms
    users = dict.fromkeys(
        volumes.vm[row]
        for row in range(volumes.row_count)
        if volumes.alive[row] and volumes.storage[row] == storage and volumes.vm[row] != NONE
    )
    for vm in users:
        if vms.hold_host[vm] != NONE and cluster in (None, vms.cluster[vm]):
            stop_row(ctx, vm)


def attach_primary_storage(ctx: Context, row: int, cluster: int) -> Outcome:
    """Make a storage visible in a cluster."""
    storage = ctx.cloud.storages[row]
    ctx.ledger.space.set_storage(row, clusters=storage.clusters | {cluster})
    return Outcome(row)


def detach_primary_storage(ctx: Context, row: int, cluster: int) -> Outcome:
    """Take it away again; running VMs of the cluster with a volume on it stop."""
    storage = ctx.cloud.storages[row]
    ctx.ledger.space.set_storage(row, clusters=storage.clusters - {cluster})
    _stop_users(ctx, row, cluster)
    return Outcome(row)


def set_host_storage_status(ctx: Context, host: int, row: int, status: str) -> Outcome:
    """Record the link between one host and one storage."""
    storage = ctx.cloud.storages[row]
    ctx.ledger.space.set_storage(row, links={**storage.links, host: STATUSES.index(status)})
    return Outcome(row)


def allocate_primary_storage(ctx: Context, size: int, host: int | None) -> Outcome:
    """Take raw space for no particular purpose; the outcome's row is the storage."""
    identity = Identity("api", ctx.next_ordinal("api"))
    space = allocate(ctx.ledger, StorageRequest(size, "Allocate", host=host), "raw", identity)
    if isinstance(space, ErrorCode):
        return Outcome(NONE, space)
    return Outcome(ctx.ledger.space.holds[space].storage)
