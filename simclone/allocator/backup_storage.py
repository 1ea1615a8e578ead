"""Backup storage: which primary storages it feeds, which one a VM or a temporary image uses."""

from __future__ import annotations

from collections.abc import Sequence

from simclone.chance import Order
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode

_FILE_TYPES = ("NFS", "SharedMountPoint", "LocalStorage", "Addon")
_PREMIUM = ("SharedBlock", "Ceph", "ZSES", "BlockStorage", "AliyunNAS", "MiniStorage")
METRIC: dict[str, tuple[str, ...]] = {
    "SftpBackupStorage": _FILE_TYPES,
    "ImageStoreBackupStorage": (*_FILE_TYPES, "Ceph"),
    "Ceph": ("Ceph",),
    "AliyunEBS": ("AliyunEBS",),
    "VCenter": ("VCenter",),
    "SimulatorBackupStorage": ("SimulatorPrimaryStorage",),
}
"""Backup storage type → primary storage types it can feed (rules/primary-storage.md#backup-types)."""


def usable_types(cloud: Cloud, kind: str) -> tuple[str, ...]:
    """The primary storage types a backup storage of type *kind* feeds in this cloud's profile."""
    types = METRIC.get(kind, ())
    if kind == "ImageStoreBackupStorage" and cloud.settings.profile == "cloud":
        return (*types, *_PREMIUM)
    return types


def related_storages(cloud: Cloud, backup: int) -> set[int] | None:
    """The primary storages a Ceph backup storage is bound to (same fsid); None for other types."""
    record = cloud.backups[backup]
    if record.type != "Ceph":
        return None
    return {
        row
        for row, storage in enumerate(cloud.storages)
        if storage.type == "Ceph" and storage.ceph_fsid == record.ceph_fsid
    }


def feeds(cloud: Cloud, backup: int, storage: int) -> bool:
    """True when an image on *backup* can be used on *storage*."""
    related = related_storages(cloud, backup)
    if related is not None:
        return storage in related
    return cloud.storages[storage].type in usable_types(cloud, cloud.backups[backup].type)


def select_for_vm(cloud: Cloud, image: int, zone: int | None, root_candidates: Sequence[int]) -> int | ErrorCode | None:
    """The backup storage a new VM's image comes from (clone-storage-affinity.md 2.2).

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
    if cloud.storages[storage].type == "Ceph":
        rows = [row for row in _in_zone(cloud, storage, "Ceph", size) if feeds(cloud, row, storage)]
        if rows:
            return next(order.walk(rows))
    rows = _in_zone(cloud, storage, "ImageStoreBackupStorage", size)
    keeping = [] if image is None else [row for row in cloud.images[image].backup_storages if row in rows]
    if keeping:
        return keeping[0]
    if rows:
        return next(order.walk(rows))
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
