"""The generic storage chain: Main, Avoid, Tag, ReservedCapacity, then a sorter.

Rule: rules/primary-storage.md#strategies, rules/primary-storage.md#capacity.
"""

from __future__ import annotations

from collections.abc import Iterable

from simclone.allocator.backup_storage import feeds
from simclone.allocator.primary_storage.request import CREATE_VM, StorageRequest
from simclone.allocator.rules.storage_capacity import VIRTUAL, storage_shortage
from simclone.chance import Order
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, StorageConstraint
from simclone.model.storage import PrimaryStorage
from simclone.model.storage_types import BOUND_BY_FSID, StorageType
from simclone.records import ErrorCode
from simclone.units import multiplied

DEFAULT = "DefaultPrimaryStorageAllocationStrategy"
LEAST_VOLUME = "LeastVolumePrimaryStorageAllocationStrategy"
MAXIMUM_AVAILABLE = "MaximumAvailableCapacityAllocationStrategy"
CUSTOM_ORDER = "CustomOrderPrimaryStorageAllocationStrategy"
LOCAL_STRATEGY = "LocalPrimaryStorageStrategy"
STRATEGIES = (DEFAULT, LEAST_VOLUME, MAXIMUM_AVAILABLE, CUSTOM_ORDER, LOCAL_STRATEGY)
DEFAULT_PRIORITY = 10


def type_priority(cloud: Cloud, backup: int | None, kind: StorageType) -> int:
    """How early a storage type is tried for images of a backup storage; smaller is earlier."""
    setting = None if backup is None else kind.priority_settings.get(cloud.backups[backup].type)
    return DEFAULT_PRIORITY if setting is None else int(cloud.settings.values[setting])


def _main(cloud: Cloud, request: StorageRequest) -> list[int]:
    reachable = _reachable(cloud, request)
    if request.purpose == CREATE_VM:
        backup = request.backup_storage
        return reachable if backup is None else [row for row in reachable if _bound(cloud, backup, row)]
    storages = cloud.storages
    return [row for row in reachable if multiplied(storages[row].available, cloud.storage_ratio(row)) > request.size]


def _reachable(cloud: Cloud, request: StorageRequest) -> list[int]:
    rows: Iterable[int] = range(len(cloud.storages))
    if request.host is not None:
        rows = cloud.storages_of(cloud.fleet.cluster[request.host])
    preferred, result = request.candidates, []
    for row in rows:
        storage = cloud.storages[row]
        if not storage.usable(True) or row in request.excluded or not _in_reach(request, storage):
            continue
        if preferred and row not in preferred:
            continue
        if storage.per_host and request.host is None and not preferred:
            continue
        result.append(row)
    return result


def _bound(cloud: Cloud, backup: int, storage: int) -> bool:
    """Only a backup storage that is bound to particular primary storages (Ceph) restricts the root's place."""
    return cloud.backups[backup].type not in BOUND_BY_FSID or feeds(cloud, backup, storage)


def _in_reach(request: StorageRequest, storage: PrimaryStorage) -> bool:
    """Whether a storage is seen from where it must be; those of a host's cluster need the host's link."""
    if request.host is not None:
        return storage.links.get(request.host, CONNECTED) == CONNECTED
    if request.cluster is not None:
        return request.cluster in storage.clusters
    return request.zone is None or storage.zone == request.zone


def _tagged(cloud: Cloud, rows: list[int], wish: StorageConstraint) -> list[int] | ErrorCode:
    result = [r for r in rows if r == wish.storage or (wish.tag is not None and wish.tag in cloud.storages[r].tags)]
    if result or not wish.required:
        return result or rows
    text = "no candidate primary storage is the one the offering demands"
    return ErrorCode(code="SYS.1006", details=text, reason="storage.tag")


def filtered(cloud: Cloud, request: StorageRequest) -> list[int] | ErrorCode:
    """The storages that may take the request, ascending by uuid, or why there is none."""
    rows = _main(cloud, request)
    if request.avoid:
        rows = [row for row in rows if row not in request.avoid]
    if not rows:
        text = f"cannot find primary storage satisfying conditions: attached, usable, {request.size} bytes"
        small = request.purpose != CREATE_VM and any(row not in request.avoid for row in _reachable(cloud, request))
        return ErrorCode(code="SYS.1006", details=text, reason=VIRTUAL if small else "storage.none")
    tagged = rows if request.constraint is None else _tagged(cloud, rows, request.constraint)
    if isinstance(tagged, ErrorCode):
        return tagged
    shorts = [storage_shortage(cloud, row, request.size, request.exact) for row in tagged]
    fitting = [row for row, short in zip(tagged, shorts, strict=True) if short is None]
    if fitting:
        return fitting
    reason = next(short for short in shorts if short is not None)
    text = f"no primary storage has {request.size} bytes after subtracting reserved capacity, within its threshold"
    return ErrorCode(code="SYS.1006", details=text, reason=reason)


def ordered(cloud: Cloud, request: StorageRequest, rows: list[int], order: Order) -> list[int]:
    """The order in which storages are tried: type priority, the strategy's figure, chance."""
    if len(rows) == 1:
        return rows
    shuffled = list(order.walk(rows))
    strategy = request.strategy or DEFAULT

    def figure(row: int) -> int:
        storage = cloud.storages[row]
        if strategy == LEAST_VOLUME:
            return storage.volume_count
        if strategy == MAXIMUM_AVAILABLE:
            return -storage.available
        if strategy == CUSTOM_ORDER:
            return request.candidates.index(row) if row in request.candidates else len(request.candidates)
        return -storage.available_physical

    return sorted(
        shuffled,
        key=lambda row: (type_priority(cloud, request.backup_storage, cloud.storages[row].kind), figure(row)),
    )
