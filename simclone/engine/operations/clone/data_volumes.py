"""Step 9: copies of the source's data volumes, clone by clone."""

from __future__ import annotations

from simclone.allocator.primary_storage.chain import DEFAULT
from simclone.allocator.primary_storage.request import CREATE_DATA, StorageRequest
from simclone.engine.context import Context, operation_error
from simclone.engine.operations.clone.job import Job, volumes_to_clone
from simclone.engine.waits import Work, Workflow
from simclone.model.vms import DATA
from simclone.placement.storage import allocate
from simclone.records import ErrorCode


def copy_data_volumes(ctx: Context, job: Job) -> Workflow[ErrorCode | None]:
    """Make and attach them; the first error is remembered, fails the call, and later copies stay unattached."""
    if not job.request.full:
        return None
    sources = volumes_to_clone(ctx, job)[1:]
    failed: ErrorCode | None = None
    for position in job.alive():
        vm = job.vms[position]
        result: list[int] = []
        for source in sources:
            size = ctx.cloud.volumes.actual_size[source]
            error = yield from ctx.step(Work("createDataVolume", size=size, vm=vm))
            item = error or _copy(ctx, job, vm, source)
            if isinstance(item, ErrorCode):
                failed = failed or item
            else:
                result.append(item)
        for device, volume in enumerate(result):
            if failed is None:
                failed = _attach(ctx, vm, volume, device + 1)
    return failed


def _attach(ctx: Context, vm: int, volume: int, device: int) -> ErrorCode | None:
    state = ctx.cloud.vms.state_name(vm)
    if state not in ("Running", "Stopped", "Paused"):
        return operation_error(f"a data volume cannot be attached to a VM in state {state}", "vm.state")
    ctx.ledger.volumes.attach(volume, vm, device)
    return None


def _copy(ctx: Context, job: Job, vm: int, source: int) -> int | ErrorCode:
    ledger, cloud = ctx.ledger, ctx.cloud
    size, storage = cloud.volumes.size[source], cloud.volumes.storage[source]
    if job.data_storage is not None:
        storage = job.data_storage
    host = cloud.vms.host[vm]
    local = cloud.storages[storage].per_host
    request = StorageRequest(
        size,
        CREATE_DATA,
        host=None if host < 0 else host,
        candidates=(storage,),
        strategy=None if local else DEFAULT,
        require_local=local,
    )
    name = f"{cloud.volumes.names[source]}-clone"
    space = allocate(ledger, request, name, ctx.identity(vm))
    if isinstance(space, ErrorCode):
        return operation_error(f"data volume {name}: {space.details}", space.reason, space)
    row = ledger.volumes.add(
        name,
        job.request.data_tags,
        type=DATA,
        size=size,
        actual_size=cloud.volumes.actual_size[source],
        account=job.account,
        offering=cloud.volumes.offering[source],
    )
    ledger.volumes.place(row, space)
    return row
