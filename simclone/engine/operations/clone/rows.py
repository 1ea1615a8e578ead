"""Step 6: one VM row per name, always JustCreate; what a clone inherits (rules/clone-call.md#inherited)."""

from __future__ import annotations

from msgspec.structs import replace

from simclone.allocator.host.strategies import LEAST_VM, LIFETIME_AWARE
from simclone.engine.context import Context, operation_error
from simclone.engine.operations.clone.job import Job, source_host, taken_names
from simclone.engine.operations.create_vm import NewVm, add_row
from simclone.model.inventory import Shape, Wish
from simclone.model.vms import NONE
from simclone.wire.tags import GROUP_KEYS, parse_tags

COPIED_TAGS = frozenset(
    [
        "vmPriority",
        "RDPEnable",
        "usbRedirect",
        "securityElementEnable",
        "userdata",
        "sshkey",
        "consolePassword",
        "rootPassword",
        "VDIMonitorNumber",
        "vmMachineType",
        "vRingBufferSize",
        "driver",
        "qxlMemory",
        "directoryUuid",
        "bootMode",
        "cleanTraffic",
        "GuestTools",
        "ha",
        "cpuSockets",
        "cpuCores",
        "cpuThreads",
        "vmCpuPinning",
        "vmNumaEnable",
        "vmEmulatorPinning",
        "vmConsoleMode",
    ]
)
_MEMBERSHIP = (*GROUP_KEYS, "ephemeral")


def clone_tags(source_tags: tuple[str, ...], offering_tags: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    """The clone's system tags: the offering's, the copied ones, the request's; ``-tag`` takes one away.

    >>> clone_tags(("ha::NeverStop", "hostname::a"), (), ("ha::None",))
    ('ha::None',)
    """
    if not (source_tags or offering_tags or asked):
        return ()
    result = {_head(tag): tag for tag in offering_tags}
    result.update({_head(tag): tag for tag in source_tags if _head(tag) in COPIED_TAGS})
    for tag in asked:
        head = _head(tag)
        if tag.startswith("-"):
            result.pop(head[1:], None)
        elif head not in _MEMBERSHIP:
            result[head] = tag
    return tuple(result.values())


def _head(tag: str) -> str:
    """What a tag overrides: all tags of its name, or for device wishes those of its specification."""
    parts = tag.split("::")
    return "::".join(parts[:2]) if parts[0] in ("pciDeviceSpec", "mdevDeviceSpec") else parts[0]


def clone_shape(ctx: Context, job: Job) -> Shape:
    """What the clones share: the source's shape on the temporary root image, without data disks."""
    cloud = ctx.cloud
    shape = cloud.vms.shape_of(job.source)
    root = cloud.vms.root[job.source]
    offering = None if shape.offering is None else cloud.offerings[shape.offering]
    return replace(
        shape,
        strategy=shape.strategy or LEAST_VM,
        image=job.images[root],
        l3s=tuple([cloud.nics.l3[nic] for nic in cloud.vms.nics[job.source]]),
        root_size=cloud.volumes.size[root],
        root_offering=None,
        disks=(),
        constraint=offering.constraint if offering else None,
        tags=parse_tags(
            clone_tags(shape.tags.texts, offering.system_tags if offering else (), job.request.system_tags)
        ),
        description=job.request.description or f"cloned from vm[uuid:{cloud.vm_uuid(job.source)}]",
        user_tags=job.request.user_tags,
    )


def clone_wish(ctx: Context, job: Job) -> Wish:
    """Where the clones go: whole and fast clones stay on the source's root storage unless another is named."""
    cloud, request, table = ctx.cloud, job.request, ctx.cloud.vms
    root, zone = table.root[job.source], table.zone[job.source]
    storage = cloud.volumes.storage[root]
    pinned = job.root_storage
    if pinned is None and (request.full or job.fast):
        pinned = storage
    local = cloud.storages[storage].per_host
    return Wish(
        zone=None if zone == NONE or job.host is not None or job.cluster is not None else zone,
        cluster=job.cluster if job.host is None else None,
        host=job.host,
        root_storage=pinned,
        paused=request.strategy == "CreateStopped",
        fast=job.fast,
        fast_host=source_host(ctx, job) if job.fast and local else None,
        static_ips=tuple([(cloud.find("l3Network", l3), address) for l3, address in job.tags.static_ips]),
        cloned=True,
        volume_tags=parse_tags(_volume_tags(ctx, root, request.root_tags)),
    )


def _volume_tags(ctx: Context, root: int, asked: tuple[str, ...]) -> tuple[str, ...]:
    own = ctx.cloud.volumes.tags.get(root)
    if not own:
        return asked
    inherited = [tag for tag in own if tag.split("::")[0] in ("volumeProvisioningStrategy", "capability")]
    heads = {tag.split("::")[0] for tag in asked}
    return (*(tag for tag in inherited if tag.split("::")[0] not in heads), *asked)


def add_rows(ctx: Context, job: Job) -> None:
    """The rows, in the order of ``names``; members of the requested group from now on.

    A create-time rule, such as unique names, fails the one name it meets.
    """
    shape, wish = clone_shape(ctx, job), clone_wish(ctx, job)
    table = ctx.cloud.vms
    cpu, memory = table.cpu[job.source], table.memory[job.source]
    taken = taken_names(ctx)
    for position, name in enumerate(job.request.names):
        if taken is not None and name in taken:
            job.vms.append(NONE)
            job.errors.append(operation_error(f"a VM named {name!r} exists and names must be unique", "request.name"))
            job.order.append(position)
            continue
        if taken is not None:
            taken.add(name)
        new = NewVm(
            name=name,
            shape=shape,
            cpu=cpu,
            memory=memory,
            account=job.account,
            wish=wish,
            group=job.group,
            source=job.request.source,
            ordinal=job.request.ordinal,
            position=position,
            occasion=job.request.occasion,
        )
        row = add_row(ctx, new)
        if shape.strategy == LIFETIME_AWARE:
            _foresee(ctx, row, job.request.stays_us, position)
        job.vms.append(row)
        job.errors.append(None)


def _foresee(ctx: Context, vm: int, stays_us: tuple[int | None, ...], position: int) -> None:
    """Note when the VM will end, if its stream knows."""
    stay = stays_us[position] if stays_us else None
    if stay is not None:
        ctx.ledger.vms.set(vm, until_us=ctx.ledger.now_us + stay)
