"""The thirteen steps of one clone call in order (rules/clone-call.md#steps)."""

from __future__ import annotations

from msgspec.structs import replace

from simclone.engine.context import Context, wrapped
from simclone.engine.operations.clone import checks, copies
from simclone.engine.operations.clone.data_volumes import copy_data_volumes
from simclone.engine.operations.clone.job import Job, resolve, volumes_to_clone
from simclone.engine.operations.clone.rows import add_rows
from simclone.engine.operations.create_vm import start_new, stop_row
from simclone.engine.operations.start_vm import START_FAILED
from simclone.engine.operations.vm_snapshot import snapshot
from simclone.engine.waits import Together, Work, Workflow, run_now
from simclone.model.vms import NONE
from simclone.records import CloneAnswer, CloneRecord, CloneRequest, ErrorCode


def clone(ctx: Context, request: CloneRequest) -> Workflow[CloneAnswer]:
    """Run a call to its answer. A check's refusal writes nothing; what a later failure leaves behind is in
    rules/clone-call.md#steps.
    """
    started = ctx.ledger.now_us
    job = resolve(ctx, request)
    error = job if isinstance(job, ErrorCode) else checks.refusal(ctx, job)
    if error is None and isinstance(job, Job):
        error = yield from _steps(ctx, job)
    clones = () if error is not None or isinstance(job, ErrorCode) else _elements(ctx, job)
    return CloneAnswer(request, error, clones, started, ctx.ledger.now_us)


def clone_now(ctx: Context, request: CloneRequest) -> CloneAnswer:
    """`clone` without a clock."""
    return run_now(clone(ctx, request))


def _elements(ctx: Context, job: Job) -> tuple[CloneRecord, ...]:
    """One element per name in order of completion; a failed clone shows the row it was before its start."""
    name, names, order = job.request.name, job.request.names, job.order
    if len(order) < len(names):
        finished = set(order)
        order = [*order, *(number for number in range(len(names)) if number not in finished)]
    result = []
    for position in order:
        vm = job.vms[position]
        shown = job.gone.get(position) or (snapshot(ctx.cloud, vm) if vm >= 0 else None)
        result.append(CloneRecord(name, position, names[position], vm, job.errors[position], shown))
    return tuple(result)


def _steps(ctx: Context, job: Job) -> Workflow[ErrorCode | None]:
    error = yield from _prepare(ctx, job)
    if error is not None:
        return error
    add_rows(ctx, job)
    if job.request.strategy != "JustCreate":
        yield Together([ctx.alone(job.vms[position], _start(ctx, job, position)) for position in job.alive()])
    error = yield from copy_data_volumes(ctx, job)
    if error is not None:
        copies.drop_images(ctx, job, "rollback")
        return error
    if job.request.strategy == "CreateStopped":
        yield Together(
            [ctx.alone(job.vms[index_in_list], _stop(ctx, job, index_in_list)) for index_in_list in job.alive()]
        )
    if ctx.slow:
        yield Work("deleteTemporaryImages")
    copies.drop_images_at_end(ctx, job)
    if job.tags.flatten:
        yield Together([_flatten(ctx, job.vms[slot]) for slot in job.alive()])
    return None


def _prepare(ctx: Context, job: Job) -> Workflow[ErrorCode | None]:
    """Steps 1 to 5, each of which fails the whole call."""
    slow = ctx.slow
    if job.request.strategy != "JustCreate":
        if slow:
            yield Work("dryRun", ("host-allocator",), vm=job.source)
        error = checks.dry_run_refusal(ctx, job)
        if error is not None:
            return error
    if slow:
        yield Work("syncVolumeSize", vm=job.source)
    error = copies.choose_backups(ctx, job)
    if error is not None:
        return error
    if slow:
        error = yield from ctx.step(Work("takeSnapshot", vm=job.source))
    error = error or copies.take_snapshots(ctx, job)
    if error is None and slow:
        error = yield from ctx.step(_commit(ctx, job))
    if error is not None:
        return error
    copies.make_images(ctx, job)
    return None


def _commit(ctx: Context, job: Job) -> Work:
    size = sum(ctx.cloud.volumes.actual_size[volume] for volume in volumes_to_clone(ctx, job))
    return Work("commitImage", ("image-store", *sorted(set(job.backups.values()))), size, job.source)


def _start(ctx: Context, job: Job, place: int) -> Workflow[None]:
    """Step 8 for one name: its failure is that name's error and its row is removed."""
    vm = job.vms[place]
    changed_us = ctx.cloud.vms.changed_us[vm]
    failed = yield from start_new(ctx, vm, job.request.name)
    if failed is not None:
        job.gone[place] = replace(snapshot(ctx.cloud, vm), changed_us=changed_us)
        job.errors[place] = wrapped(START_FAILED, wrapped("SYS.1006", failed))
    job.order.append(place)


def _stop(ctx: Context, job: Job, place: int) -> Workflow[None]:
    """Step 11: the paused clones of CreateStopped are stopped cold and give their host back."""
    vm = job.vms[place]
    yield Work("stop", ("host", ctx.cloud.vms.host[vm]), vm=vm)
    if ctx.cloud.vms.hold_host[vm] != NONE:
        stop_row(ctx, vm)


def _flatten(ctx: Context, vm: int) -> Workflow[None]:
    """Step 13: a full copy of the chain; the virtual ledger does not change."""
    yield Work("flatten", size=ctx.cloud.volumes.size[ctx.cloud.vms.root[vm]], vm=vm)
