"""The VMs that are there before the first request: adopted where a file places them, else placed by the allocator."""

from __future__ import annotations

from ipaddress import IPv4Address

from msgspec.structs import replace

from simclone.engine.context import Context
from simclone.engine.operations.create_vm import NewVm, add_row, create_now, normalised, stop_row
from simclone.engine.queries import storages_for_create
from simclone.engine.shapes import shape_of
from simclone.errors import Fault, UnplacedVms
from simclone.model.inventory import Wish
from simclone.model.storage import ANYWHERE
from simclone.model.vms import DATA, NONE, ROOT
from simclone.placement.start_stages import add_cards, take_addresses
from simclone.records import ErrorCode
from simclone.scenario.document.offerings import VmDoc
from simclone.scenario.load import Case, Scenario
from simclone.vocabulary import Subject, VmState, reason_of

SOURCE = "vms"


def place_all(ctx: Context, scenario: Scenario | Case) -> None:
    """Put every VM of the file into the cloud; raises UnplacedVms naming all that cannot be placed.

    A VM with host and primary storage is taken as it is, even where that over-commits (real clouds are), and so is a
    stopped one that names its storage; a stopped one that names none and finds no host takes only space. All of the
    first come before those without a place, which are created like any other VM, in the order of the file: what is
    there leaves no room by being listed later.
    """
    docs = enumerate(zip(scenario.vms, scenario.vm_uuids, strict=True))
    entries = [(position, doc, uuid, new_vm(ctx, doc)) for position, (doc, uuid) in docs]
    last = max((position for position, doc, *_ in entries if is_placed(ctx, doc)), default=-1)
    later = [entry for entry in entries if entry[0] < last and needs_place(ctx, entry[1])]
    ready = [entry for entry in entries[: last + 1] if entry not in later]
    faults = {}
    for position, doc, uuid, new in (*ready, *later, *entries[last + 1 :]):
        error = _place(ctx, doc, uuid, new)
        if error is not None:
            why = f"cannot be placed: {error.root.details}"
            expected = "room for it, or its host and primaryStorage"
            faults[position] = Fault(f"vms[{position}] {doc.name}", why, expected)
    if faults:
        raise UnplacedVms([faults[position] for position in sorted(faults)])


def is_placed(ctx: Context, doc: VmDoc) -> bool:
    """Whether a VM of the file is taken as it is: it names its storage, and a host where it needs one."""
    if doc.primary_storage is None or doc.state == "Created":
        return False
    storage = ctx.cloud.storages[ctx.cloud.find("primaryStorage", doc.primary_storage)]
    return _home(doc) is not None or (doc.state == "Stopped" and not storage.per_host)


def needs_place(ctx: Context, doc: VmDoc) -> bool:
    """Whether the allocator places a VM of the file."""
    return doc.state != "Created" and not is_placed(ctx, doc)


def _home(doc: VmDoc) -> str | None:
    return doc.host or (doc.last_host if doc.state == "Stopped" else None)


def new_vm(ctx: Context, doc: VmDoc) -> NewVm:
    """The VM a document describes."""
    cloud = ctx.cloud

    def row(kind: str, name: str | None) -> int | None:
        return None if name is None else cloud.find(kind, name)

    offering = row("instanceOffering", doc.instance_offering)
    l3s = tuple(cloud.find("l3Network", name) for name in doc.l3_networks)
    shape = shape_of(
        cloud,
        offering=offering,
        image=row("image", doc.image),
        l3s=l3s,
        root_offering=row("diskOffering", doc.root_disk_offering),
        disks=tuple(cloud.find("diskOffering", name) for name in doc.data_disk_offerings),
        system_tags=tuple(doc.system_tags),
        user_tags=tuple(doc.user_tags),
        strategy=doc.strategy,
    )
    if doc.utilisation is not None:
        shape = replace(shape, use=doc.utilisation.key())
    item = None if offering is None else cloud.offerings[offering]
    ips = tuple((cloud.find("l3Network", l3), int(IPv4Address(address))) for l3, address in doc.ips.items())
    wish = Wish(host=row("host", doc.host), root_storage=row("primaryStorage", doc.primary_storage), static_ips=ips)
    return NewVm(
        name=doc.name,
        shape=shape,
        cpu=doc.cpu_num or (item.cpu_num if item else 0),
        memory=doc.memory_size or (item.memory_size if item else 0),
        account=ctx.account(doc.account),
        wish=wish,
        group=row("affinityGroup", doc.affinity_group),
        source=SOURCE,
        ordinal=ctx.next_ordinal(SOURCE),
    )


def _place(ctx: Context, doc: VmDoc, uuid: str, new: NewVm) -> ErrorCode | None:
    if doc.state == "Created":
        _name(ctx, add_row(ctx, replace(new, wish=normalised(ctx.cloud, new.shape, new.wish))), uuid)
        return None
    home = _home(doc)
    if is_placed(ctx, doc):
        vm = _adopt(ctx, new, NONE if home is None else ctx.cloud.find("host", home))
    else:
        finished = create_now(ctx, new)
        storage = None if finished.error is None else _storage_without_host(ctx, doc, new, finished.error)
        if storage is not None:
            vm = _adopt(ctx, replace(new, wish=replace(new.wish, root_storage=storage)), NONE)
        elif finished.error is not None:
            return finished.error
        else:
            vm = finished.row
    _name(ctx, vm, uuid)
    if doc.state == "Stopped" and ctx.cloud.vms.host[vm] != NONE:
        stop_row(ctx, vm)
    if doc.last_host is not None:
        ctx.ledger.vms.set(vm, last_host=ctx.cloud.find("host", doc.last_host))
    if doc.root_actual_size is not None:
        ctx.ledger.volumes.set(ctx.cloud.vms.root[vm], actual_size=doc.root_actual_size)
    return None


def _storage_without_host(ctx: Context, doc: VmDoc, new: NewVm, error: ErrorCode) -> int | None:
    """The first shared storage with room for a stopped VM that no host could take to begin with; None for others."""
    if doc.state != "Stopped" or reason_of(error.root_reason).subject is not Subject.HOST:
        return None
    storages = storages_for_create(ctx, new.shape)
    if isinstance(storages, ErrorCode):
        return None
    root, disks = storages
    fitting = [row for row in root if not ctx.cloud.storages[row].per_host and all(row in rows for rows in disks)]
    return next(iter(fitting), None)


def _name(ctx: Context, vm: int, uuid: str) -> None:
    ctx.ledger.set_vm_uuid(vm, uuid)


def _adopt(ctx: Context, new: NewVm, host: int) -> int:
    """Take a placed VM as it is: its holds are charged without asking whether they fit; a stopped one needs no host."""
    ledger, cloud = ctx.ledger, ctx.cloud
    storage = new.wish.root_storage
    assert storage is not None
    vm = add_row(ctx, new)
    where = host if cloud.storages[storage].per_host else ANYWHERE
    if host == NONE:
        ledger.vms.set(vm, zone=cloud.storages[storage].zone, state=VmState.STOPPED)
    else:
        ledger.hosts.hold(vm, host, "adopt")
        cluster = cloud.fleet.cluster[host]
        zone = cloud.clusters[cluster].zone
        ledger.vms.set(vm, host=host, last_host=host, cluster=cluster, zone=zone, state=VmState.RUNNING)
    image = NONE if new.shape.image is None else new.shape.image
    sizes = [new.shape.root_size, *(disk.size for disk in new.shape.disks)]
    for device, size in enumerate(sizes):
        kind = DATA if device else ROOT
        osd = _osd_group(ctx, storage, "Data" if device else "Root")
        space = ledger.space.hold(f"adopt {new.name}", storage, size, host=where, osd=osd)
        row = ledger.volumes.add(
            f"{'DATA' if device else 'ROOT'}-for-{new.name}",
            type=kind,
            size=size,
            account=new.account,
            image=NONE if device else image,
        )
        ledger.volumes.place(row, space)
        ledger.volumes.attach(row, vm, device)
        if not device:
            ledger.vms.set(vm, root=row)
    add_cards(ledger, vm, ctx.identity(vm))
    _take_given(ctx, vm, new.wish)
    take_addresses(ledger, vm, new.wish, ctx.identity(vm))
    return vm


def _take_given(ctx: Context, vm: int, wish: Wish) -> None:
    """Addresses the file names, where they are free; the others are allocated like any."""
    nics = ctx.cloud.nics
    for nic in ctx.cloud.vms.nics[vm]:
        l3 = nics.l3[nic]
        address = dict(wish.static_ips).get(l3)
        if address is not None and address not in ctx.cloud.pools[l3].used:
            ctx.ledger.addresses.hold(l3, address, nic)


def _osd_group(ctx: Context, storage: int, kind: str) -> int:
    """The OSD group an adopted volume lies on: that of the first pool of its kind."""
    pools = ctx.cloud.storages[storage].pools
    return next((pool.osd_group for pool in pools if pool.type == kind), NONE)
