"""The stages of a first start after host and storage: volumes, cards, addresses, image cache, and their undo."""

from __future__ import annotations

from collections.abc import Callable

from simclone.allocator import ip
from simclone.allocator.backup_storage import select_for_vm
from simclone.allocator.primary_storage.chain import DEFAULT
from simclone.allocator.primary_storage.request import DOWNLOAD_IMAGE, StorageRequest
from simclone.chance import Identity
from simclone.model.inventory import Wish
from simclone.model.ledger.ledger import Ledger
from simclone.model.storage import ANYWHERE
from simclone.model.vms import DATA, NONE, ROOT
from simclone.placement.search import Found
from simclone.placement.storage import allocate
from simclone.records import ErrorCode


def choose_backup(ledger: Ledger, vm: int, wish: Wish) -> int | ErrorCode | None:
    """The backup storage the image comes from; None when none is needed."""
    cloud, shape = ledger.cloud, ledger.cloud.vms.shape(vm)
    if shape.image is None or wish.fast:
        return None
    roots = [wish.root_storage] if wish.root_storage is not None else range(len(cloud.storages))
    return select_for_vm(cloud, shape.image, wish.zone, roots)


def make_volumes(ledger: Ledger, vm: int, wish: Wish, found: Found) -> None:
    """Root and data volumes on the space that is held for them."""
    vms = ledger.cloud.vms
    shape, name, account = vms.shape(vm), vms.names[vm], vms.cells("account")[vm]
    image = NONE if shape.image is None else shape.image
    offering = NONE if shape.root_offering is None else shape.root_offering
    root = ledger.make_volume(
        f"ROOT-for-{name}",
        found.spaces.root,
        vm,
        wish.volume_tags,
        type=ROOT,
        size=shape.root_size,
        account=account,
        image=image,
        offering=offering,
        device=0,
    )
    ledger.set_vm(vm, root=root)
    for turn, (disk, space) in enumerate(zip(shape.disks, found.spaces.data, strict=True)):
        offering = NONE if disk.offering is None else disk.offering
        ledger.make_volume(
            f"DATA-for-{name}",
            space,
            vm,
            type=DATA,
            size=disk.size,
            account=account,
            offering=offering,
            device=turn + 1,
        )


def make_nics(ledger: Ledger, vm: int, identity: Identity) -> ErrorCode | None:
    """One card per network, with a drawn MAC; a taken MAC is an error, not a new draw (rules/networks.md#mac)."""
    cloud = ledger.cloud
    cards = cloud.vms.nics[vm]
    present = {cloud.nics.get("l3", nic) for nic in cards} if cards else ()
    for device, l3 in enumerate(cloud.vms.shape(vm).l3s):
        if l3 not in present:
            mac = cloud.chance.key(identity.again((identity.occasion << 8) | device), "mac") >> 32
            if (mac, device & 0xFF) in cloud.nics.macs:
                return ErrorCode(code="SYS.1006", details="Duplicate mac address", reason="network.mac")
            ledger.add_nic(vm, l3, device, mac)
    return None


def take_addresses(ledger: Ledger, vm: int, wish: Wish, identity: Identity) -> ErrorCode | None:
    """An address for every card that needs one, card by card; stops at the first that gets none."""
    cloud = ledger.cloud
    wanted = dict(wish.static_ips) if wish.static_ips else {}
    cells = cloud.nics.cells
    for device, nic in enumerate(cloud.vms.nics[vm]):
        l3 = cells("l3")[nic]
        if cells("ip")[nic] != NONE or not (ip.needs_address(cloud, l3) or l3 in wanted):
            continue
        key = cloud.chance.key(identity.again((identity.occasion << 8) | device), "ip")
        found = take_address(ledger, l3, wanted.get(l3), key, nic)
        if isinstance(found, ErrorCode):
            return found
    return None


def take_address(ledger: Ledger, l3: int, wanted: int | None, key: int, nic: int = NONE) -> int | ErrorCode:
    """One address of a network, held."""
    cloud = ledger.cloud
    found = ip.pick(cloud, l3, wanted=wanted, key=None if cloud.chance.ties_lowest else key)
    if isinstance(found, ErrorCode):
        return found
    ledger.hold_ip(l3, found, nic)
    if wanted is None and ip.strategy_of(cloud, l3) == "AscDelayRecycleIpAllocatorStrategy":
        ledger.set_cursor(l3, found + 1)
    return found


def cache_queue(ledger: Ledger, vm: int, wish: Wish) -> tuple[tuple[str | int, ...], Callable[[], int]]:
    """The queue of one download per image and storage (and host, on local storage), and the bytes still missing."""
    cloud, shape = ledger.cloud, ledger.cloud.vms.shape(vm)
    storage = cloud.volumes.get("storage", cloud.vms.get("root", vm))
    one = cloud.storages[storage]
    where = cloud.vms.get("host", vm) if one.is_local else ANYWHERE
    image = -1 if shape.image is None or wish.fast else shape.image

    def missing() -> int:
        return 0 if image < 0 or (image, where) in one.caches else cloud.images[image].actual_size

    return ("image-cache", image, storage, where), missing


def cache_image(ledger: Ledger, vm: int, wish: Wish, identity: Identity) -> ErrorCode | None:
    """Make sure the root volume's storage (or the host's share of it) has the image; its stored size is charged."""
    cloud, shape = ledger.cloud, ledger.cloud.vms.shape(vm)
    cells = cloud.vms.cells
    root, host = cells("root")[vm], cells("host")[vm]
    if shape.image is None or root == NONE or wish.fast:
        return None
    storage = cloud.volumes.cells("storage")[root]
    one = cloud.storages[storage]
    where = host if one.is_local else ANYWHERE
    if (shape.image, where) in one.caches:
        return None
    size = cloud.images[shape.image].actual_size
    if size == 0:
        ledger.cache_image(shape.image, storage, where, NONE)
        return None
    strategy = None if one.is_local else DEFAULT
    request = StorageRequest(
        size,
        DOWNLOAD_IMAGE,
        host=host,
        candidates=(storage,),
        exact=True,
        require_local=one.is_local,
        strategy=strategy,
    )
    space = allocate(ledger, request, f"image {cloud.images[shape.image].name}", identity)
    if isinstance(space, ErrorCode):
        text = f"no room to cache image {cloud.images[shape.image].uuid} ({size} bytes)"
        return ErrorCode(code="SYS.1006", details=text, cause=space, reason="storage.imageCache")
    ledger.cache_image(shape.image, storage, where, space)
    return None


def undo(ledger: Ledger, vm: int, cause: str) -> None:
    """Take back everything a first start holds: cards, volumes, host. What was cached stays cached."""
    cloud = ledger.cloud
    for nic in list(cloud.vms.nics[vm]):
        ledger.remove_nic(nic, cause)
    if cloud.vms.get("root", vm) != NONE:
        ledger.set_vm(vm, root=NONE)
    for volume in list(cloud.vms.volumes[vm]):
        ledger.remove_volume(volume, cause)
    if cloud.vms.get("hold_host", vm) != NONE:
        ledger.end_host(vm, cause)
    ledger.set_vm(vm, host=NONE, cluster=NONE)
