"""The stages of a VM's start: what each does, the step of time it takes, the queue it stands in, what undoes it.

`FIRST_START` brings a Created row to life, `LATER_START` a VM that has its volumes. Whoever runs a table goes through
it in order and, when a stage fails, asks every stage in reverse order to undo what there is of it. An undo that finds
nothing of its stage does nothing, so that one order serves failures anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from simclone.allocator.backup_storage import select_for_vm
from simclone.allocator.host.request import HostRequest
from simclone.allocator.primary_storage.chain import DEFAULT
from simclone.allocator.primary_storage.request import DOWNLOAD_IMAGE, StorageRequest
from simclone.allocator.rules import addresses
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, Wish
from simclone.model.ledger.ledger import Ledger
from simclone.model.storage import ANYWHERE
from simclone.model.vms import DATA, NONE, ROOT
from simclone.placement.host import allocate_host
from simclone.placement.search import FoundPlace, host_request, search
from simclone.placement.storage import allocate
from simclone.records import Decision, ErrorCode, Placed

Queue = tuple[str | int, ...]
Size = int | Callable[[], int]
ROLLBACK = "rollback"


@dataclass(slots=True)
class Start:
    """A start on its way: what it is given, and what its stages found.

    *seen* is the cloud as the host filters see it where that is not the cloud of now. *announce* is shown each host
    request before it is decided. *decisions* are the host decisions made, *violations* the reasons of rules that the
    host no longer met when it was reserved.
    """

    ledger: Ledger
    vm: int
    wish: Wish
    identity: Identity
    request: HostRequest | None = None
    seen: Cloud | None = None
    announce: Callable[[HostRequest, Cloud | None], None] | None = None
    backup: int | None = None
    found: FoundPlace | None = None
    decisions: list[tuple[HostRequest, Decision]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    without_address: list[int] = field(default_factory=list)

    @property
    def cloud(self) -> Cloud:
        """The cloud of now."""
        return self.ledger.cloud

    @property
    def placed_beside_others(self) -> bool:
        """Whether a host was found by filters that saw an older cloud."""
        return self.seen is not None and bool(self.decisions) and isinstance(self.decisions[-1][1], Placed)

    def look(self) -> None:
        """Let the filters see the cloud as it is now, whatever others reserve from here on."""
        self.seen = self.cloud.fork()


def _nothing(_: Start) -> None:
    """Leave nothing to undo."""


def _no_queue(_: Start) -> tuple[Queue, Size]:
    return (), 0


class StartStage(NamedTuple):
    """One stage. *step* names the step of time as ``run.timing`` and ``faults`` know it; none takes no time.

    *queue* gives the queue to stand in and the bytes that are moved. An *exempt* step is never struck by a fault.
    """

    do: Callable[[Start], ErrorCode | None]
    step: str = ""
    queue: Callable[[Start], tuple[Queue, Size]] = _no_queue
    undo: Callable[[Start], None] = _nothing
    exempt: bool = False


# -- host and storage ----------------------------------------------------------------------------------


def choose_backup(start: Start) -> ErrorCode | None:
    """The backup storage the image comes from, where one is needed; a fast clone keeps to the host of its cache."""
    wish, cloud = start.wish, start.cloud
    if wish.fast_host is not None:
        if wish.host not in (None, wish.fast_host):
            text = "creation relies on the image cache of another host"
            return ErrorCode(code="SYS.1006", details=text, reason="storage.fastClone")
        start.wish = wish = replace(wish, host=wish.fast_host)
    image = cloud.vms.shape_of(start.vm).image
    if image is None or wish.fast:
        return None
    roots = [wish.root_storage] if wish.root_storage is not None else range(len(cloud.storages))
    backup = select_for_vm(cloud, image, wish.zone, roots)
    if isinstance(backup, ErrorCode):
        return backup
    start.backup = backup
    return None


def find_host_and_storage(start: Start) -> ErrorCode | None:
    """A host and space for all volumes, charged."""
    if start.announce is not None:
        start.announce(host_request(start.cloud, start.vm, start.wish, start.backup), start.seen)
    result = search(start.ledger, start.vm, start.wish, start.backup, start.identity, start.seen)
    start.decisions.extend(result.decisions)
    start.violations.extend(result.violations)
    if not isinstance(result.outcome, FoundPlace):
        return result.outcome
    start.found = result.outcome
    return None


def forget_host(start: Start) -> None:
    """Give the host back; the row forgets host and cluster."""
    ledger, vm = start.ledger, start.vm
    if start.cloud.vms.hold_host[vm] != NONE:
        ledger.hosts.end(vm, ROLLBACK)
    ledger.vms.set(vm, host=NONE, cluster=NONE)


def find_host(start: Start) -> ErrorCode | None:
    """A host for a VM that has its volumes, charged."""
    if start.request is None:
        raise ValueError("a later start needs its host request")
    decision = allocate_host(start.request, start.ledger, start.identity, start.seen, start.violations)
    start.decisions.append((start.request, decision))
    return None if isinstance(decision, Placed) else decision.error


def give_back_host(start: Start) -> None:
    """Give the host back; the caller writes the row as it was."""
    if start.cloud.vms.hold_host[start.vm] != NONE:
        start.ledger.hosts.end(start.vm, ROLLBACK)


def _allocator_queue(_: Start) -> tuple[Queue, Size]:
    return ("host-allocator",), 0


# -- volumes -------------------------------------------------------------------------------------------


def make_volumes(start: Start) -> None:
    """Root and data volumes on the space that is held for them."""
    ledger, vm, result = start.ledger, start.vm, start.found
    if result is None:
        raise ValueError("volumes need the space that is held for them")
    vms = ledger.cloud.vms
    shape, name, account = vms.shape_of(vm), vms.names[vm], vms.account[vm]
    image = NONE if shape.image is None else shape.image
    offering = NONE if shape.root_offering is None else shape.root_offering
    root = ledger.volumes.add_ready(
        f"ROOT-for-{name}",
        result.spaces.root,
        vm,
        start.wish.volume_tags.texts,
        type=ROOT,
        size=shape.root_size,
        account=account,
        image=image,
        offering=offering,
        device=0,
    )
    ledger.vms.set(vm, root=root)
    for number, (disk, space) in enumerate(zip(shape.disks, result.spaces.data, strict=True)):
        offering = NONE if disk.offering is None else disk.offering
        ledger.volumes.add_ready(
            f"DATA-for-{name}",
            space,
            vm,
            type=DATA,
            size=disk.size,
            account=account,
            offering=offering,
            device=number + 1,
        )


def remove_volumes(start: Start) -> None:
    """Take the volumes away; their space ends."""
    ledger, vm = start.ledger, start.vm
    if start.cloud.vms.root[vm] != NONE:
        ledger.vms.set(vm, root=NONE)
    for volume in list(start.cloud.vms.volumes[vm]):
        ledger.volumes.remove(volume, ROLLBACK)


# -- cards and addresses -------------------------------------------------------------------------------


def make_cards(start: Start) -> ErrorCode | None:
    """One card per network that has none."""
    return add_cards(start.ledger, start.vm, start.identity)


def add_cards(ledger: Ledger, vm: int, identity: Identity) -> ErrorCode | None:
    """One card per network, with a drawn MAC; a taken MAC is an error, not a new draw (rules/networks.md#mac)."""
    cloud = ledger.cloud
    cards = cloud.vms.nics[vm]
    present = {cloud.nics.l3[nic] for nic in cards} if cards else ()
    for device, l3 in enumerate(cloud.vms.shape_of(vm).l3s):
        if l3 not in present:
            mac = cloud.chance.key(identity.again((identity.occasion << 8) | device), "mac") >> 32
            if (mac, device & 0xFF) in cloud.nics.macs:
                return ErrorCode(code="SYS.1006", details="Duplicate mac address", reason="network.mac")
            ledger.addresses.add_card(vm, l3, device, mac)
    return None


def remove_cards(start: Start) -> None:
    """Take the cards away; their addresses return."""
    for card in list(start.cloud.vms.nics[start.vm]):
        start.ledger.addresses.remove_card(card, ROLLBACK)


def allocate_addresses(start: Start) -> ErrorCode | None:
    """An address for every card that needs one."""
    nics = start.cloud.nics
    start.without_address = [card for card in start.cloud.vms.nics[start.vm] if nics.ip[card] == NONE]
    return take_addresses(start.ledger, start.vm, start.wish, start.identity)


def return_addresses(start: Start) -> None:
    """Return the addresses that this start took; the cards stay."""
    for card in start.without_address:
        start.ledger.addresses.return_address(card, ROLLBACK)


def take_addresses(ledger: Ledger, vm: int, wish: Wish, identity: Identity) -> ErrorCode | None:
    """An address for every card that needs one, card by card; stops at the first that gets none."""
    cloud = ledger.cloud
    static = dict(wish.static_ips) if wish.static_ips else {}
    nics = cloud.nics
    for device, card in enumerate(cloud.vms.nics[vm]):
        l3 = nics.l3[card]
        if nics.ip[card] != NONE or not (addresses.needs_address(cloud, l3) or l3 in static):
            continue
        key = cloud.chance.key(identity.again((identity.occasion << 8) | device), "ip")
        address = take_address(ledger, l3, static.get(l3), key, card)
        if isinstance(address, ErrorCode):
            return address
    return None


def take_address(ledger: Ledger, l3: int, wanted: int | None, key: int, nic: int = NONE) -> int | ErrorCode:
    """One address of a network, held."""
    cloud = ledger.cloud
    address = addresses.pick(cloud, l3, requested=wanted, key=None if cloud.chance.ties_lowest else key)
    if isinstance(address, ErrorCode):
        return address
    ledger.addresses.hold(l3, address, nic)
    if wanted is None and addresses.strategy_of(cloud, l3) == "AscDelayRecycleIpAllocatorStrategy":
        ledger.addresses.set_cursor(l3, address + 1)
    return address


# -- image cache and hypervisor ------------------------------------------------------------------------


def cache_queue(start: Start) -> tuple[Queue, Size]:
    """The queue of one download per image and storage (and host, on local storage), and the bytes still missing."""
    cloud, vm, wish = start.cloud, start.vm, start.wish
    shape = cloud.vms.shape_of(vm)
    row = cloud.volumes.storage[cloud.vms.root[vm]]
    storage = cloud.storages[row]
    where = cloud.vms.host[vm] if storage.per_host else ANYWHERE
    image = -1 if shape.image is None or wish.fast else shape.image

    def missing() -> int:
        return 0 if image < 0 or (image, where) in storage.caches else cloud.images[image].actual_size

    return ("image-cache", image, row, where), missing


def cache_image(start: Start) -> ErrorCode | None:
    """Make sure the root volume's storage (or the host's share of it) has the image; its stored size is charged."""
    ledger, cloud, vm = start.ledger, start.cloud, start.vm
    vms, image = cloud.vms, cloud.vms.shape_of(vm).image
    root, host = vms.root[vm], vms.host[vm]
    if image is None or root == NONE or start.wish.fast:
        return None
    row = cloud.volumes.storage[root]
    storage = cloud.storages[row]
    where = host if storage.per_host else ANYWHERE
    if (image, where) in storage.caches:
        return None
    size = cloud.images[image].actual_size
    if size == 0:
        ledger.volumes.cache_image(image, row, where, NONE)
        return None
    request = StorageRequest(
        size,
        DOWNLOAD_IMAGE,
        host=host,
        candidates=(row,),
        exact=True,
        require_local=storage.per_host,
        strategy=None if storage.per_host else DEFAULT,
    )
    space = allocate(ledger, request, f"image {cloud.images[image].name}", start.identity)
    if isinstance(space, ErrorCode):
        text = f"no room to cache image {cloud.images[image].uuid} ({size} bytes)"
        return ErrorCode(code="SYS.1006", details=text, cause=space, reason="storage.imageCache")
    ledger.volumes.cache_image(image, row, where, space)
    return None


def _host_queue(start: Start) -> tuple[Queue, Size]:
    return ("host", start.cloud.vms.host[start.vm]), 0


def host_lost(cloud: Cloud, host: int) -> ErrorCode | None:
    """The error of a start or move whose host was lost on the way."""
    fleet = cloud.fleet
    if fleet.status[host] == CONNECTED and fleet.exists[host]:
        return None
    text = f"host {fleet.uuids[host]} was lost while the VM was being started on it"
    return ErrorCode("HOST.1010", text, reason="host.lost")


def check_host(start: Start) -> ErrorCode | None:
    """Whether the host that was found is still there."""
    placed = start.decisions[-1][1]
    return host_lost(start.cloud, placed.host) if isinstance(placed, Placed) else None


FIRST_START: tuple[StartStage, ...] = (
    StartStage(choose_backup),
    # host and storage are one stage: the search goes through combinations of storages, each with a host of its own
    StartStage(find_host_and_storage, "allocateHost", _allocator_queue, forget_host),
    StartStage(make_volumes, undo=remove_volumes),
    StartStage(make_cards, undo=remove_cards),
    # addresses return with their cards
    StartStage(allocate_addresses, "allocateAddress"),
    # what was cached stays cached
    StartStage(cache_image, "cacheImage", cache_queue),
    StartStage(check_host, "startOnHypervisor", _host_queue),
)

LATER_START: tuple[StartStage, ...] = (
    StartStage(find_host, "allocateHost", _allocator_queue, give_back_host, exempt=True),
    StartStage(allocate_addresses, undo=return_addresses),
    StartStage(check_host, "startOnHypervisor", _host_queue),
)
