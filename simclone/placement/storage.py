"""Choose a primary storage and charge it; a VM's root and data volumes together.

Rule: rules/primary-storage.md#strategies.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from simclone.allocator.primary_storage import local
from simclone.allocator.primary_storage.chain import DEFAULT, LOCAL_STRATEGY, filtered, ordered
from simclone.allocator.primary_storage.pools import choose_osd
from simclone.allocator.primary_storage.request import CREATE_DATA, CREATE_VM, StorageRequest
from simclone.allocator.rules.storage_capacity import taken_of
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.model.inventory import Disk, StorageConstraint
from simclone.model.ledger.ledger import Ledger
from simclone.model.vms import NONE
from simclone.records import ErrorCode
from simclone.vocabulary import Purpose


def allocate(
    ledger: Ledger, request: StorageRequest, owner: str, identity: Identity, occasion: int | None = None
) -> int | ErrorCode:
    """Charge the request to the storage the allocator gives; the hold, or why there is none.

    *occasion* stands in for the identity's own.
    """
    cloud = ledger.cloud
    if wants_local(cloud, request):
        result = local.local_candidates(cloud, request)
        if isinstance(result, ErrorCode):
            return result
        host = request.host if request.host is not None else NONE
        rows = sorted(result, key=lambda row: -_share(cloud, row, host))
        return _hold_local(ledger, request, owner, rows, host)
    rows_or_error = filtered(cloud, request)
    if isinstance(rows_or_error, ErrorCode):
        return rows_or_error
    rows = rows_or_error
    if len(rows) > 1:
        asker = identity if occasion is None else identity.again(occasion)
        rows = ordered(cloud, request, rows, cloud.chance.order(asker, Purpose.PRIMARY_STORAGE))
    return _hold_shared(ledger, request, owner, rows)


def wants_local(cloud: Cloud, request: StorageRequest) -> bool:
    """Whether the request goes to the local storage chain (rules/primary-storage.md#which-strategy)."""
    if request.require_local or request.strategy == LOCAL_STRATEGY:
        return True
    if request.candidates and all(cloud.storages[row].per_host for row in request.candidates):
        return True
    if request.host is None or request.strategy is not None:
        return False
    return bool(local_storages(cloud, request.host)) and not request.candidates


def local_storages(cloud: Cloud, host: int) -> list[int]:
    """Usable local storages attached to a host's cluster."""
    known, cluster = cloud.remembered(), cloud.fleet.cluster[host]
    result: list[int] | None = known.get(("local", cluster))
    if result is None:
        storages = cloud.storages
        result = [row for row in cloud.storages_of(cluster) if storages[row].per_host and storages[row].usable(True)]
        known["local", cluster] = result
    return result


def _share(cloud: Cloud, storage: int, host: int) -> int:
    shares = cloud.storages[storage].shares
    return shares.available[host] if shares is not None else 0


def _hold_local(ledger: Ledger, request: StorageRequest, owner: str, rows: list[int], host: int) -> int | ErrorCode:
    cloud = ledger.cloud
    for row in rows:
        taken = taken_of(cloud, row, request.size, exact=request.exact)
        if _share(cloud, row, host) >= taken and cloud.storages[row].available >= taken:
            return ledger.space.hold(owner, row, request.size, host=host, exact=request.exact)
    text = f"local storage on host {cloud.fleet.uuids[host]} doesn't have enough capacity for {request.size} bytes"
    return ErrorCode(code="SYS.1006", details=text, reason="storage.virtual")


def _hold_shared(ledger: Ledger, request: StorageRequest, owner: str, rows: list[int]) -> int | ErrorCode:
    cloud = ledger.cloud
    last: ErrorCode | None = None
    for row in rows:
        osd = choose_osd(cloud, row, request)
        if isinstance(osd, ErrorCode):
            last = osd
            continue
        taken = taken_of(cloud, row, request.size, exact=request.exact)
        if cloud.storages[row].per_host:
            return _hold_local(ledger, request, owner, [row], request.host if request.host is not None else NONE)
        if cloud.storages[row].available >= taken:
            return ledger.space.hold(owner, row, request.size, osd=NONE if osd is None else osd, exact=request.exact)
    if last is not None:
        return last
    text = f"cannot find any qualified primary storage for {request.size} bytes"
    return ErrorCode(code="SYS.1006", details=text, reason="storage.virtual")


class VolumePlan(Struct, frozen=True, gc=False):
    """The volumes of new VMs: the root's bytes, data disks, the image and where it comes from."""

    root_size: int
    disks: tuple[Disk, ...]
    image: int | None
    backup_storage: int | None
    constraint: StorageConstraint | None
    root_pool: str | None = None
    data_pool: str | None = None
    root_pin: int | None = None
    data_pin: int | None = None


class Spaces(Struct, frozen=True, gc=False):
    """Holds for the root and each data disk, in order."""

    root: int
    data: tuple[int, ...]


def reserve_volumes(ledger: Ledger, plan: VolumePlan, owner: str, host: int, identity: Identity) -> Spaces | ErrorCode:
    """Charge a VM's volumes on what its host sees; all or nothing (rules/primary-storage.md#local, table of flows).

    *owner* is the VM's name.
    """
    requests = _requests(ledger.cloud, plan, host)
    if isinstance(requests, ErrorCode):
        return requests
    held: list[int] = []
    for turn, request in enumerate(requests):
        space = allocate(ledger, request, owner, identity, (identity.occasion << 8) | turn)
        if isinstance(space, ErrorCode):
            for item in reversed(held):
                ledger.space.end(item, "rollback")
            return space
        held.append(space)
    return Spaces(held[0], tuple(held[1:]))


def _requests(cloud: Cloud, plan: VolumePlan, host: int) -> list[StorageRequest] | ErrorCode:
    shared_only = not local_storages(cloud, host) or _explicitly_shared(cloud, plan)
    root = StorageRequest(
        plan.root_size,
        CREATE_VM,
        host=host,
        constraint=plan.constraint,
        image=plan.image,
        backup_storage=plan.backup_storage,
        pool=plan.root_pool,
        strategy=DEFAULT if shared_only else None,
        candidates=() if plan.root_pin is None or not shared_only else (plan.root_pin,),
    )
    data = [
        StorageRequest(
            disk.size, CREATE_DATA, host=host, constraint=disk.constraint, strategy=disk.strategy, pool=plan.data_pool
        )
        for disk in plan.disks
    ]
    if shared_only:
        return [root, *(_pinned(item, plan.data_pin) for item in data)]
    cluster = cloud.fleet.cluster[host]
    shared = [row for row in cloud.storages_of(cluster) if not cloud.storages[row].per_host]
    if shared and (plan.root_pin is not None or plan.data_pin is not None):
        return _both_designated(plan, root, data)
    return _default_local(cloud, plan, root, data, bool(shared))


def _explicitly_shared(cloud: Cloud, plan: VolumePlan) -> bool:
    if plan.root_pin is None or cloud.storages[plan.root_pin].per_host:
        return False
    return not plan.disks or (plan.data_pin is not None and not cloud.storages[plan.data_pin].per_host)


def _pinned(request: StorageRequest, pin: int | None) -> StorageRequest:
    strategy = request.strategy or DEFAULT
    return replace(request, strategy=strategy, candidates=() if pin is None else (pin,))


def _both_designated(
    plan: VolumePlan, root: StorageRequest, data: list[StorageRequest]
) -> list[StorageRequest] | ErrorCode:
    if plan.root_pin is None or (data and plan.data_pin is None):
        text = "with local and shared storage in one cluster, root and data storage must both be named"
        return ErrorCode(code="SYS.1006", details=text, reason="storage.mixed")
    return [_pinned(root, plan.root_pin), *(_pinned(item, plan.data_pin) for item in data)]


def _default_local(
    cloud: Cloud, plan: VolumePlan, root: StorageRequest, data: list[StorageRequest], shared: bool
) -> list[StorageRequest] | ErrorCode:
    if plan.root_pin is not None and not cloud.storages[plan.root_pin].per_host:
        text = f"root storage {cloud.storages[plan.root_pin].uuid} is not local"
        return ErrorCode(code="SYS.1007", details=text, reason="storage.mixed")
    pins = () if plan.root_pin is None else (plan.root_pin,)
    requested = [replace(root, strategy=LOCAL_STRATEGY, candidates=pins)]
    local_rows = frozenset(row for row, storage in enumerate(cloud.storages) if storage.per_host)
    for item in data:
        if plan.data_pin is not None:
            requested.append(_pinned(item, plan.data_pin))
        elif shared:
            requested.append(replace(item, strategy=item.strategy or DEFAULT, excluded=local_rows))
        else:
            requested.append(replace(item, strategy=LOCAL_STRATEGY))
    return requested
