"""Ceph pools on OSD groups (rules/primary-storage.md#ceph)."""

from __future__ import annotations

from simclone.allocator.primary_storage.request import CREATE_VM, DOWNLOAD_IMAGE, StorageRequest
from simclone.allocator.rules.storage_capacity import shortage, taken_of
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode


def choose_osd(cloud: Cloud, storage: int, request: StorageRequest) -> int | ErrorCode | None:
    """The OSD group that takes the request; None where the storage describes no pools.

    A named pool must pass, otherwise the first pool of the kind that does.
    """
    record = cloud.storages[storage]
    if not record.pools:
        return None
    kinds = {CREATE_VM: "Root", DOWNLOAD_IMAGE: "ImageCache"}
    kind = kinds.get(request.purpose, "Data")
    pools = [pool for pool in record.pools if pool.type == kind]
    if request.pool is not None:
        pools = [pool for pool in pools if pool.name == request.pool]
    for pool in pools:
        if _passes(cloud, storage, pool.osd_group, request):
            return pool.osd_group
    text = f"no {kind} pool of {record.uuid} has {request.size} bytes of available virtual capacity"
    return ErrorCode(code="SYS.1006", details=text, reason="storage.cephPool")


def _passes(cloud: Cloud, storage: int, osd: int, request: StorageRequest) -> bool:
    group = cloud.storages[storage].osd_groups[osd]
    short = shortage(
        cloud,
        storage,
        available=group.available,
        total_physical=group.total_physical,
        available_physical=group.available_physical,
        size=request.size,
        exact=request.exact,
    )
    taken = taken_of(cloud, storage, request.size, exact=request.exact)
    return short is None and group.available >= taken
