"""The checks before any work: type, full capacity, fast clone's host, quota, state, dry run.

Rule: rules/clone-call.md#checks.
"""

from __future__ import annotations

from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules import quota
from simclone.chance import Identity
from simclone.engine.context import Context, invalid_argument, operation_error
from simclone.engine.operations.clone.job import Job, source_host, volumes_to_clone
from simclone.engine.operations.start_vm import wrong_state
from simclone.model.cloud import Cloud
from simclone.model.inventory import ADMIN
from simclone.model.vms import NONE
from simclone.placement.host import dry_run
from simclone.reason import NO_AVAILABLE_HOST
from simclone.records import ErrorCode, Unplaced


def refusal(ctx: Context, job: Job) -> ErrorCode | None:
    """The first check that fails, in the order of the API; nothing has been written when one does."""
    return (
        _type(ctx, job)
        or _tag_conflicts(job)
        or _full_capacity(ctx, job)
        or _fast_host(ctx, job)
        or _quota(ctx, job)
        or _state(ctx, job)
    )


def _type(ctx: Context, job: Job) -> ErrorCode | None:
    kind = ctx.cloud.vms.shape_of(job.source).vm_type
    return None if kind == "UserVm" else invalid_argument(f"a VM of type {kind} cannot be cloned")


def _tag_conflicts(job: Job) -> ErrorCode | None:
    request = job.request
    if request.data_tags and not request.full:
        return invalid_argument("dataVolumeSystemTags need full")
    return None


def _full_capacity(ctx: Context, job: Job) -> ErrorCode | None:
    """rules/clone-call.md#full-check: per storage of the source, sizes minus snapshots, times the number of names."""
    if not job.request.full:
        return None
    cloud, volumes = ctx.cloud, ctx.cloud.volumes
    need: dict[int, int] = {}
    for volume in cloud.vms.volumes[job.source]:
        storage = volumes.storage[volume]
        if storage != NONE:
            snapshots = sum(cloud.snapshots.size[row] for row in volumes.snapshots.get(volume, ()))
            need[storage] = need.get(storage, 0) + volumes.size[volume] - snapshots
    for storage, item in need.items():
        target, result = item * len(job.request.names), cloud.storages[storage]
        if result.available < target:
            text = f"primary storage {result.uuid} has {result.available} bytes available, a full clone needs {target}"
            return operation_error(text, "storage.fullClone")
    return None


def _fast_host(ctx: Context, job: Job) -> ErrorCode | None:
    """A fast clone with a local data volume stays on the source's host."""
    if not job.fast:
        return None
    cloud = ctx.cloud
    data = [v for v in cloud.vms.volumes[job.source] if cloud.volumes.type[v] == 1]
    if not any(cloud.volumes.host[volume] != NONE for volume in data):
        return None
    own = source_host(ctx, job)
    if job.host is not None and job.host != own:
        return invalid_argument("a fast clone with local data volumes can only be made on the source's host")
    job.host = own
    return None


def _quota(ctx: Context, job: Job) -> ErrorCode | None:
    cloud, request = ctx.cloud, job.request
    table, root = cloud.vms, cloud.vms.root[job.source]
    size = cloud.volumes.size[root] if root != NONE else 0
    asks = quota.clone_asks(
        len(request.names),
        table.cpu[job.source],
        table.memory[job.source],
        size,
        len(volumes_to_clone(ctx, job)),
        request.strategy,
    )
    if not cloud.settings.fidelity["imageSizeQuotaVirtual"] and root != NONE:
        actual = cloud.volumes.actual_size[root]
        asks = [(name, actual if name == "image.size" else requested) for name, requested in asks]
    return quota.refusal(cloud, job.account, asks)


def _state(ctx: Context, job: Job) -> ErrorCode | None:
    if ctx.cloud.vms.state_name(job.source) in ("Running", "Stopped", "Paused"):
        return None
    return wrong_state(ctx.cloud, job.source, "clone")


def dry_run_request(ctx: Context, job: Job) -> HostRequest:
    """Step 1: is there a host for one VM of the source's size? Its own group counts, the requested one does not."""
    cloud, vm = ctx.cloud, job.source
    vms = cloud.vms
    l3s = tuple([cloud.nics.l3[nic] for nic in cloud.vms.nics[vm]])
    figures = (vms.cpu[vm], vms.memory[vm], vms.shape[vm], vms.account[vm])
    positions = (vms.zone[vm], vms.group[vm], vms.last_host[vm], job.host, job.cluster)
    known, key = cloud.remembered(), ("dryRun", vm, figures, positions, l3s)
    result: HostRequest | None = known.get(key)
    if result is None:
        result = known[key] = _dry_run_request(cloud, job, l3s)
    return result


def _dry_run_request(cloud: Cloud, job: Job, l3s: tuple[int, ...]) -> HostRequest:
    table, vm = cloud.vms, job.source
    zone, group, last = table.zone[vm], table.group[vm], table.last_host[vm]
    return HostRequest(
        cpu=table.cpu[vm],
        memory=table.memory[vm],
        strategy="DefaultHostAllocatorStrategy",
        vm=vm,
        account=table.account[vm] if cloud.settings.fidelity["dryRunQuota"] else ADMIN,
        l3s=l3s,
        zone=None if zone == NONE or job.cluster is not None or job.host is not None else zone,
        clusters=() if job.cluster is None else (job.cluster,),
        host=job.host,
        hypervisor=cloud.vms.shape_of(vm).hypervisor_type,
        group=None if group == NONE else group,
        last_host=None if last == NONE else last,
        dry_run=True,
    )


def dry_run_refusal(ctx: Context, job: Job) -> ErrorCode | None:
    """The error of step 1, or None."""
    request = dry_run_request(ctx, job)
    mine, requested = ctx.identity(job.source), job.request
    identity = Identity(requested.source, requested.ordinal, mine.position, mine.occasion)
    ctx.announce(request)
    decision = dry_run(request, ctx.cloud, identity)
    ctx.note(job.request.name, ctx.cloud.vms.names[job.source], "dryRun", request.strategy, decision)
    if not isinstance(decision, Unplaced):
        return None
    error = decision.error
    if error.code == NO_AVAILABLE_HOST:
        return ErrorCode(NO_AVAILABLE_HOST, error.details, error, reason=error.root_reason)
    return error
