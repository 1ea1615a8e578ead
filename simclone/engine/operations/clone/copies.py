"""Steps 3 to 5 and 12: backup storage, snapshots, temporary images, and their removal."""

from __future__ import annotations

from simclone.allocator.backup_storage import select_for_commit
from simclone.allocator.primary_storage.request import SNAPSHOT, StorageRequest
from simclone.engine.context import Context
from simclone.engine.operations.clone.job import Job, volumes_to_clone
from simclone.model.inventory import Image
from simclone.model.vms import NONE
from simclone.placement.storage import allocate
from simclone.records import ErrorCode


def choose_backups(ctx: Context, job: Job) -> ErrorCode | None:
    """Step 3: a backup storage for each volume's temporary image; a fast clone needs none."""
    if job.fast:
        return None
    cloud = ctx.cloud
    for volume in volumes_to_clone(ctx, job):
        image = cloud.volumes.image[volume]
        result = select_for_commit(
            cloud,
            cloud.volumes.storage[volume],
            cloud.volumes.actual_size[volume],
            None if image == NONE else image,
            cloud.chance.order(ctx.identity(job.source), "backupStorage"),
        )
        if isinstance(result, ErrorCode):
            return result
        job.backups[volume] = result
    return None


def take_snapshots(ctx: Context, job: Job) -> ErrorCode | None:
    """Step 4: one snapshot per volume to clone. They are never deleted, also when a later one fails."""
    first = job.request.names[0]
    name = "snapshot-group-for-clone" if job.request.full else f"for-clone-vm-{first}"
    for volume in volumes_to_clone(ctx, job):
        result = take_snapshot(ctx, volume, name, job.account)
        if isinstance(result, ErrorCode):
            return result
        job.snapshots.append(result)
    return None


def take_snapshot(ctx: Context, volume: int, name: str, account: int) -> int | ErrorCode:
    """A snapshot of a volume; its actual size is charged on its storage (rules/primary-storage.md#snapshots)."""
    ledger, volumes = ctx.ledger, ctx.cloud.volumes
    size = volumes.actual_size[volume]
    held = NONE
    if size:
        storage, host = volumes.storage[volume], volumes.host[volume]
        exact = not ctx.cloud.settings.fidelity["snapshotUsesRatio"]
        local = ctx.cloud.storages[storage].per_host
        request = StorageRequest(
            size, SNAPSHOT, host=host if local else None, candidates=(storage,), exact=exact, require_local=local
        )
        space = allocate(ledger, request, f"snapshot {name}", ctx.identity(max(volumes.vm[volume], 0)))
        if isinstance(space, ErrorCode):
            return space
        held = space
    return ledger.volumes.add_snapshot(name, volume, size, account, held)


def make_images(ctx: Context, job: Job) -> None:
    """Step 5: a temporary image of each snapshot."""
    cloud, volumes = ctx.cloud, ctx.cloud.volumes
    shape = cloud.vms.shape_of(job.source)
    root = cloud.vms.root[job.source]
    source = cloud.vm_uuid(job.source)
    for volume in volumes_to_clone(ctx, job):
        if job.fast and volume != root:
            continue
        kind = "rootVolume" if volume == root else "volume"
        image = Image(
            uuid=cloud.born("image", len(cloud.images)),
            name=f"for-clone-vm-{source}-{kind}-{cloud.volume_uuid(volume)}",
            media_type="RootVolumeTemplate" if volume == root else "DataVolumeTemplate",
            format="qcow2",
            size=volumes.size[volume],
            actual_size=volumes.actual_size[volume],
            backup_storages=() if job.fast else (job.backups[volume],),
            architecture=shape.architecture,
            platform=shape.platform,
            temporary=True,
            account=job.account,
        )
        job.images[volume] = ctx.ledger.volumes.add_image(image)


def drop_images(ctx: Context, job: Job, cause: str) -> None:
    """Delete the temporary images, at once and for good; their caches stay until they are collected."""
    for image in job.images.values():
        ctx.ledger.volumes.remove_image(image, cause)
    job.images.clear()


def drop_images_at_end(ctx: Context, job: Job) -> None:
    """Step 12: JustCreate keeps them, since the rows need them; a fast clone's template goes whatever the setting."""
    if job.request.strategy == "JustCreate":
        return
    if job.fast or ctx.cloud.settings.flag("mevoco.deleteTempImages"):
        drop_images(ctx, job, "temporary")
