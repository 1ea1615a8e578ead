"""Primary storages, backup storages and images as a file writes them; capacities in bytes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simclone.scenario.document.base import Count, Doc, Name, PositiveSize, SignedSize, Size, Uuid
from simclone.scenario.document.hosts import State, Status

StorageType = Literal[
    "NFS",
    "SharedMountPoint",
    "SharedBlock",
    "Ceph",
    "LocalStorage",
    "SimulatorPrimaryStorage",
    "ZSES",
    "BlockStorage",
    "AliyunNAS",
    "AliyunEBS",
    "MiniStorage",
    "VCenter",
    "Addon",
]
BackupType = Literal[
    "ImageStoreBackupStorage", "SftpBackupStorage", "Ceph", "SimulatorBackupStorage", "AliyunEBS", "VCenter"
]


class LocalHostDoc(Doc):
    """What one host brings to a local storage, or *count* hosts whose names follow a pattern."""

    host: Name
    total_capacity: Size
    available_capacity: SignedSize | None = None
    total_physical_capacity: Size | None = None
    available_physical_capacity: Size | None = None
    count: Count | None = None


class HostLinkDoc(Doc):
    """The recorded connection between one host and the storage."""

    host: Name
    status: Status


class OsdGroupDoc(Doc):
    """Ceph OSDs whose space several pools share."""

    name: Name
    total_physical_capacity: PositiveSize
    available_capacity: SignedSize | None = None
    available_physical_capacity: Size | None = None


class PoolDoc(Doc):
    """A Ceph pool on an OSD group."""

    name: Name
    type: Literal["Root", "Data", "ImageCache"]
    osd_group: Name


class PrimaryStorageDoc(Doc):
    """A primary storage; without *attachedClusters* it is attached to every cluster of its zone."""

    name: Name
    uuid: Uuid | None = None
    zone: Name | None = None
    type: StorageType
    total_capacity: Size | None = None
    available_capacity: SignedSize | None = None
    total_physical_capacity: Size | None = None
    available_physical_capacity: Size | None = None
    attached_clusters: list[Name] | None = None
    tags: list[Name] = Field(default_factory=list)
    system_tags: list[Name] = Field(default_factory=list)
    state: Literal["Enabled", "Disabled", "Maintenance", "Deleting"] = "Enabled"
    status: Status = "Connected"
    local_hosts: list[LocalHostDoc] | None = None
    host_links: list[HostLinkDoc] = Field(default_factory=list)
    ceph_fsid: Name | None = None
    pools: list[PoolDoc] = Field(default_factory=list)
    osd_groups: list[OsdGroupDoc] = Field(default_factory=list)


class BackupStorageDoc(Doc):
    """Where images are kept; without *attachedZones* it serves every zone, without capacities it has no limit."""

    name: Name
    uuid: Uuid | None = None
    type: BackupType = "ImageStoreBackupStorage"
    attached_zones: list[Name] | None = None
    state: State = "Enabled"
    status: Status = "Connected"
    ceph_fsid: Name | None = None
    total_capacity: Size | None = None
    available_capacity: SignedSize | None = None


class ImageDoc(Doc):
    """An image; without *backupStorages* every backup storage keeps it."""

    name: Name
    uuid: Uuid | None = None
    media_type: Literal["RootVolumeTemplate", "ISO", "DataVolumeTemplate"] = "RootVolumeTemplate"
    format: Name = "qcow2"
    size: Size
    actual_size: Size = 0
    backup_storages: list[Name] | None = None
    state: State = "Enabled"
    architecture: Name | None = None
    platform: Name = "Linux"
    guest_os_type: Name | None = None
