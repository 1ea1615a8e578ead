"""Host and storage of a new VM together, with the search over local and shared combinations.

Source: rules/vm-life.md#storage-choice, rules/host-selection.md#request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from simclone.allocator.host.request import NEW_CREATE, HostRequest
from simclone.allocator.host.strategies import DESIGNATED, LEAST_VM, LIFETIME_AWARE
from simclone.allocator.primary_storage.chain import ordered
from simclone.allocator.primary_storage.request import CREATE_DATA, CREATE_VM, StorageRequest
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.model.inventory import Shape, Wish
from simclone.model.ledger.ledger import Ledger
from simclone.model.vms import NONE
from simclone.placement.host import allocate_host, give_back_host
from simclone.placement.storage import Spaces, VolumePlan, reserve_volumes
from simclone.records import Decision, ErrorCode, Placed, Tags


class FoundPlace(Struct, frozen=True, gc=False):
    """A host and the space of all volumes, charged."""

    host: int
    spaces: Spaces


class SearchResult(Struct, frozen=True, gc=False):
    """The outcome and every host decision on the way, with the request that led to it.

    *violations* are the reasons of rules that hosts no longer met when they were reserved.
    """

    outcome: FoundPlace | ErrorCode
    decisions: tuple[tuple[HostRequest, Decision], ...]
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Reach:
    """Where a search may go: *clusters* ascending (none: anywhere; None: no storage is usable).

    *attached* are the storages all of them see, where local and shared ones are tried in combinations, else None.
    """

    clusters: tuple[int, ...] | None
    attached: frozenset[int] | None = None


@dataclass(slots=True)
class _Hunt:
    """A search on its way: what its filters see, and what it has met."""

    seen: Cloud | None
    decisions: list[tuple[HostRequest, Decision]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def result(self, outcome: FoundPlace | ErrorCode) -> SearchResult:
        return SearchResult(outcome, tuple(self.decisions), tuple(self.violations))


def host_request(cloud: Cloud, vm: int, wish: Wish, backup: int | None, clusters: tuple[int, ...] = ()) -> HostRequest:
    """What a first start asks the host allocator; *clusters* narrow it further than the wish does."""
    table, shape = cloud.vms, cloud.vms.shape_of(vm)
    group = table.group[vm]
    disks = shape.disks
    return HostRequest(
        cpu=table.cpu[vm],
        memory=table.memory[vm],
        strategy=create_strategy(shape, wish),
        vm=vm,
        account=table.account[vm],
        operation=NEW_CREATE,
        disk_size=shape.root_size_at_host(cloud.images) + (sum([disk.size for disk in disks]) if disks else 0),
        l3s=shape.l3s,
        image=None if wish.fast else shape.image,
        architecture=shape.architecture,
        hypervisor=hypervisor_of(cloud, shape, wish),
        backup_storage=backup,
        required_storages=frozenset([p for p in (wish.root_storage, wish.data_storage) if p is not None]),
        vm_constraint=shape.constraint,
        disk_constraints=tuple([disk.constraint for disk in disks if disk.constraint is not None]),
        zone=wish.zone,
        clusters=clusters or (() if wish.cluster is None else (wish.cluster,)),
        host=wish.host,
        group=None if group == NONE else group,
        bindings=bindings(cloud, shape.tags),
        tags=shape.tags,
    )


def _shared(
    cloud: Cloud, vm: int, wish: Wish, backup: int | None, clusters: tuple[int, ...]
) -> tuple[HostRequest, VolumePlan]:
    """What is asked for, one for all VMs of a call: the index knows it again.

    Only groups, lifetimes, and rules of the user's own, ask which VM it is.
    """
    table = cloud.vms
    group = table.group[vm]
    if cloud.strategies or cloud.vms.shape_of(vm).strategy == LIFETIME_AWARE:
        return host_request(cloud, vm, wish, backup, clusters), _plan(cloud, vm, wish, backup)
    known = cloud.remembered()
    key = ("asked", table.shape[vm], table.cpu[vm], table.memory[vm], table.account[vm], backup)
    result: tuple[Wish, HostRequest, VolumePlan] | None = known.get(key)
    if result is None or result[0] is not wish:
        request = replace(host_request(cloud, vm, wish, backup, clusters), group=None)
        result = known[key] = (wish, request, _plan(cloud, vm, wish, backup))
    request = result[1] if group == NONE else replace(result[1], vm=vm, group=group)
    return request, result[2]


def create_strategy(shape: Shape, wish: Wish) -> str | None:
    """The chain a create runs; clone rows always run their own.

    Rule: rules/host-selection.md#create, rules/vm-life.md#storage-choice.
    """
    if wish.cloned:
        return shape.strategy or LEAST_VM
    if wish.host is not None or not shape.l3s or shape.strategy is None:
        return DESIGNATED
    return shape.strategy


def hypervisor_of(cloud: Cloud, shape: Shape, wish: Wish) -> str | None:
    """The hypervisor wanted: VM, host, cluster, image format (rules/host-selection.md#request)."""
    if shape.hypervisor_type is not None:
        return shape.hypervisor_type
    if wish.host is not None:
        return cloud.decode("hypervisor", cloud.fleet.hypervisor[wish.host])
    if wish.cluster is not None:
        return cloud.clusters[wish.cluster].hypervisor_type
    formats = {"qcow2": "KVM", "raw": "KVM", "vmdk": "KVM", "simulator": "Simulator"}
    return None if shape.image is None else formats.get(cloud.images[shape.image].format)


def bindings(cloud: Cloud, tags: Tags) -> tuple[tuple[str, int], ...]:
    """The resource bindings of tags ``resourceBindings::Host:…,Cluster:…`` as rows."""
    return tuple([(kind, cloud.find(kind.lower(), name)) for kind, name in tags.bindings])


def search(
    ledger: Ledger, vm: int, wish: Wish, backup: int | None, identity: Identity, seen: Cloud | None = None
) -> SearchResult:
    """Allocate host and storage for a new VM, combination by combination where ZStack does.

    *seen* is the cloud as the host filters saw it, where it is not the cloud of now.
    """
    cloud = ledger.cloud
    hunt = _Hunt(seen)
    reach = _reach(cloud, wish, cloud.vms.shape_of(vm))
    if reach.clusters is None:
        return SearchResult(_no_storage(), ())
    request, plan = _shared(cloud, vm, wish, backup, reach.clusters)
    if reach.attached is None:
        outcome = _attempt(ledger, vm, request, plan, identity, hunt)
        return hunt.result(outcome)
    first: ErrorCode | None = None
    failed_host: int | None = None
    for turn, (root, data) in enumerate(_combinations(cloud, plan, reach.attached, identity)):
        pins = frozenset(pin for pin in (root, data) if pin is not None)
        narrowed = replace(request, clusters=reach.clusters, required_storages=pins)
        asker = identity.again((identity.occasion << 4) | turn)
        outcome = _attempt(ledger, vm, narrowed, replace(plan, root_pin=root, data_pin=data), asker, hunt)
        if isinstance(outcome, FoundPlace):
            return hunt.result(outcome)
        placed = hunt.decisions[-1][1]
        if failed_host is not None and not isinstance(placed, Placed) and cloud.settings.fidelity["doubleReturn"]:
            ledger.hosts.return_again(vm, failed_host)
        failed_host = placed.host if isinstance(placed, Placed) else None
        first = first or outcome
    return hunt.result(first or _no_storage())


def _no_storage() -> ErrorCode:
    text = "none of the specified primary storages is usable"
    return ErrorCode(code="SYS.1006", details=text, reason="storage.none")


def _attempt(
    ledger: Ledger,
    vm: int,
    request: HostRequest,
    plan: VolumePlan,
    identity: Identity,
    hunt: _Hunt,
) -> FoundPlace | ErrorCode:
    """One host, then its storage; a storage failure gives the host back (twice, as the product does)."""
    decision = allocate_host(request, ledger, identity, hunt.seen, hunt.violations, vm)
    hunt.decisions.append((request, decision))
    if not isinstance(decision, Placed):
        return decision.error
    spaces = reserve_volumes(ledger, plan, ledger.cloud.vms.names[vm], decision.host, identity)
    if isinstance(spaces, Spaces):
        return FoundPlace(decision.host, spaces)
    give_back_host(ledger, vm, "rollback")
    if ledger.cloud.settings.fidelity["doubleReturn"]:
        ledger.hosts.return_again(vm, decision.host)
    return spaces


def _plan(cloud: Cloud, vm: int, wish: Wish, backup: int | None) -> VolumePlan:
    shape = cloud.vms.shape_of(vm)
    return VolumePlan(
        root_size=shape.root_size,
        disks=shape.disks,
        image=shape.image,
        backup_storage=backup,
        constraint=shape.constraint,
        root_pool=wish.volume_tags.root_pool,
        data_pool=wish.volume_tags.data_pool,
        root_pin=wish.root_storage,
        data_pin=wish.data_storage,
    )


def _reach(cloud: Cloud, wish: Wish, shape: Shape) -> _Reach:
    """Where a VM of a shape may go, worked out once for all that wish the same."""
    known = cloud.remembered()
    position = (
        wish.zone,
        wish.cluster,
        wish.host,
        wish.root_storage,
        wish.data_storage,
        bool(shape.disks),
        shape.l3s[:1],
    )
    result: _Reach | None = known.get(position)
    if result is None:
        clusters = _possible_clusters(cloud, wish, shape)
        result = _Reach(None) if clusters is None else _Reach(tuple(sorted(clusters)), _mixed(cloud, clusters))
        known[position] = result
    return result


def _possible_clusters(cloud: Cloud, wish: Wish, shape: Shape) -> set[int] | None:
    """Clusters the search is narrowed to; empty means no narrowing, None that no storage is usable."""
    unique_root = wish.root_storage is not None
    if unique_root and (wish.data_storage is not None or not shape.disks):
        return set()
    if wish.host is not None:
        clusters = {cloud.fleet.cluster[wish.host]}
    elif wish.cluster is not None:
        clusters = {wish.cluster}
    else:
        clusters = {row for row, item in enumerate(cloud.clusters) if wish.zone is None or item.zone == wish.zone}
    for pin, needed in ((wish.root_storage, True), (wish.data_storage, bool(shape.disks))):
        rows = range(len(cloud.storages)) if pin is None else (pin,)
        usable = [row for row in rows if cloud.storages[row].usable(True)]
        if needed and not usable:
            return None if pin is not None else set()
        clusters &= set().union(*(cloud.storages[row].clusters for row in usable)) if needed else clusters
    if len(clusters) >= 2 and shape.l3s:
        clusters &= cloud.l2_clusters[cloud.l3s[shape.l3s[0]].l2]
    return clusters


def _mixed(cloud: Cloud, clusters: set[int]) -> frozenset[int] | None:
    """The storages of clusters that all see the same, local and shared ones among them; None where it is not so."""
    sets = {frozenset(cloud.storages_of(cluster)) for cluster in clusters}
    if len(sets) != 1:
        return None
    (attached,) = sets
    kinds = {cloud.storages[row].per_host for row in attached}
    return attached if kinds == {True, False} else None


def _combinations(
    cloud: Cloud, plan: VolumePlan, attached: frozenset[int], identity: Identity
) -> list[tuple[int, int | None]]:
    """(root, data) storages in the order tried."""
    roots = _listed(cloud, plan.root_pin, attached, CREATE_VM, plan.backup_storage, identity, local_first=True)
    data: list[int | None] = [None]
    if plan.disks:
        data = list(_listed(cloud, plan.data_pin, attached, CREATE_DATA, None, identity, local_first=False))
    return [(root, item) for root in roots for item in data]


def _listed(
    cloud: Cloud,
    pin: int | None,
    attached: frozenset[int],
    purpose: str,
    backup: int | None,
    identity: Identity,
    *,
    local_first: bool,
) -> Iterator[int]:
    if pin is not None:
        return iter((pin,))
    rows = sorted(row for row in attached if cloud.storages[row].usable(True))
    request = StorageRequest(0, purpose, backup_storage=backup)
    order = ordered(cloud, request, rows, cloud.chance.order(identity.again(255), "primaryStorage"))
    return iter(sorted(order, key=lambda row: cloud.storages[row].per_host != local_first))
