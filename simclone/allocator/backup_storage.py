"""Backup storage: which primary storages it feeds, which one a VM or a temporary image uses."""

from __future__ import annotations

from collections.abc import Sequence

from simclone.chance import Order
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.model.storage_types import BOUND_BY_FSID
from simclone.records import ErrorCode


def related_storages(cloud: Cloud, backup: int) -> set[int] | None:
    """The primary storages that a backup storage is bound to (by the fsid of its cluster); None where it is to none."""
    record = cloud.backups[backup]
    if record.type not in BOUND_BY_FSID:
        return None
    return {
        row
        for row, storage in enumerate(cloud.storages)
        if storage.kind.pooled and record.type in storage.kind.fed_by and storage.ceph_fsid == record.ceph_fsid
    }


def feeds(cloud: Cloud, backup: int, storage: int) -> bool:
    """True when an image on *backup* can be used on *storage*."""
    related = related_storages(cloud, backup)
    if related is not None:
        return storage in related
    profile = cloud.settings.profile == "cloud"
    return cloud.storages[storage].kind.usable_with(cloud.backups[backup].type, cloud_profile=profile)


def select_for_vm(cloud: Cloud, image: int, zone: int | None, root_candidates: Sequence[int]) -> int | ErrorCode | None:
    """The backup storage a new VM's image comes from (rules/vm-life.md#reserved).

    None when every candidate root storage has the image cached already.
    """
    refs = cloud.images[image].backup_storages
    if root_candidates and all(cloud.storages[row].caches_image(image) for row in root_candidates):
        return None
    if len(refs) == 1:
        return refs[0]
    for row in refs:
        backup = cloud.backups[row]
        if backup.status == CONNECTED and (zone is None or zone in backup.zones):
            return row
    text = f"no connected backup storage of the zone keeps image {cloud.images[image].uuid}"
    return ErrorCode(code="SYS.1006", details=text, reason="image.backupStorage")


def select_for_commit(cloud: Cloud, storage: int, size: int, image: int | None, order: Order) -> int | ErrorCode:
    """Where a clone call puts its temporary image (rules/primary-storage.md#temporary-images).

    *size* bytes of the volume as written, *image* the volume's own root image or None.
    """
    for backup_type in cloud.storages[storage].kind.commits_to:
        rows = _in_zone(cloud, storage, backup_type, size)
        if backup_type in BOUND_BY_FSID:
            rows = [row for row in rows if feeds(cloud, row, storage)]
        elif image is not None:
            rows = [row for row in cloud.images[image].backup_storages if row in rows][:1] or rows
        if rows:
            return rows[0] if len(rows) == 1 else next(order.walk(rows))
    text = f"can not find backup storage for {size} bytes in the zone of primary storage {cloud.storages[storage].uuid}"
    return ErrorCode(code="SYS.1006", details=text, reason="image.backupStorage")


def _in_zone(cloud: Cloud, storage: int, kind: str, size: int) -> list[int]:
    zone = cloud.storages[storage].zone
    rows = []
    for row, record in enumerate(cloud.backups):
        if record.type == kind and record.state == ENABLED and record.status == CONNECTED and zone in record.zones:
            reserved = int(cloud.settings.get("backupStorage.reservedCapacity", [("backupStorage", row)]))
            if record.available is None or record.available >= reserved + size:
                rows.append(row)
    return rows
