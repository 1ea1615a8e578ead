"""Primary storages, backup storages and images as a file writes them; capacities in bytes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from simclone.model.storage_types import BUILT_IN, storage_types
from simclone.scenario.document.base import Count, Doc, Name, PositiveSize, SignedSize, Size, Uuid
from simclone.scenario.document.hosts import State, Status


def _storage_type(value: object) -> object:
    if isinstance(value, str) and (value in BUILT_IN or value in storage_types()):
        return value
    names = [repr(name) for name in storage_types()]
    expected = f"{', '.join(names[:-1])} or {names[-1]}"
    raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})


TypeName = Annotated[str, BeforeValidator(_storage_type), WithJsonSchema({"enum": list(BUILT_IN), "type": "string"})]
"""The name of a storage type: a built-in one, or one that an installed distribution brings."""
BackupType = Literal[
    "ImageStoreBackupStorage", "SftpBackupStorage", "Ceph", "SimulatorBackupStorage", "AliyunEBS", "VCenter"
]


class LocalHostDoc(Doc):
    """What one host brings to a local storage, or *count* hosts whose names follow a pattern."""

    host: Name
    """The host; with *count* a pattern that holds `{n}`."""
    total_capacity: Size
    """Bytes that this host brings."""
    available_capacity: SignedSize | None = None
    """Bytes free at the start in the reported book."""
    total_physical_capacity: Size | None = None
    """Bytes of the medium."""
    available_physical_capacity: Size | None = None
    """Bytes of the medium free at the start."""
    count: Count | None = None
    """So many hosts with equal shares."""


class HostLinkDoc(Doc):
    """The recorded connection between one host and the storage."""

    host: Name
    """The host."""
    status: Status
    """How the host sees the storage."""


class OsdGroupDoc(Doc):
    """Ceph OSDs whose space several pools share."""

    name: Name
    """The name by which the rest of the file refers to it."""
    total_physical_capacity: PositiveSize
    """Bytes of the OSDs."""
    available_capacity: SignedSize | None = None
    """Bytes free at the start in the reported book."""
    available_physical_capacity: Size | None = None
    """Bytes of the OSDs free at the start."""


class PoolDoc(Doc):
    """A Ceph pool on an OSD group."""

    name: Name
    """The name by which the rest of the file refers to it."""
    type: Literal["Root", "Data", "ImageCache"]
    """What lies in the pool."""
    osd_group: Name
    """The OSD group whose space it shares."""


class PrimaryStorageDoc(Doc):
    """A primary storage; without *attachedClusters* it is attached to every cluster of its zone."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    zone: Name | None = None
    """The zone it belongs to; may be left out where there is one."""
    type: TypeName
    """The storage type; it says whether space is shared, per host or pooled, and which backup storages feed it."""
    total_capacity: Size | None = None
    """Bytes in all."""
    available_capacity: SignedSize | None = None
    """Bytes free at the start in the reported book."""
    total_physical_capacity: Size | None = None
    """Bytes of the medium."""
    available_physical_capacity: Size | None = None
    """Bytes of the medium free at the start."""
    attached_clusters: list[Name] | None = None
    """The clusters it is attached to; every cluster of its zone when left out."""
    tags: list[Name] = Field(default_factory=list)
    """User tags, for offerings that want a tagged storage."""
    system_tags: list[Name] = Field(default_factory=list)
    """System tags of the storage."""
    state: Literal["Enabled", "Disabled", "Maintenance", "Deleting"] = "Enabled"
    """Only an Enabled storage takes volumes of new VMs."""
    status: Status = "Connected"
    """Only a Connected storage takes volumes."""
    local_hosts: list[LocalHostDoc] | None = None
    """Local storage: what each host brings."""
    host_links: list[HostLinkDoc] = Field(default_factory=list)
    """Recorded connections of hosts to the storage; without one a host has no recorded trouble."""
    ceph_fsid: Name | None = None
    """Ceph: the cluster's fsid, equal for a backup storage on the same cluster."""
    pools: list[PoolDoc] = Field(default_factory=list)
    """Ceph: the pools."""
    osd_groups: list[OsdGroupDoc] = Field(default_factory=list)
    """Ceph: the OSD groups whose space pools share."""


class BackupStorageDoc(Doc):
    """Where images are kept; without *attachedZones* it serves every zone, without capacities it has no limit."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    type: BackupType = "ImageStoreBackupStorage"
    """The backup storage type."""
    attached_zones: list[Name] | None = None
    """The zones it serves; every zone when left out."""
    state: State = "Enabled"
    """Only an Enabled one takes images."""
    status: Status = "Connected"
    """Only a Connected one takes images."""
    ceph_fsid: Name | None = None
    """Ceph: the cluster's fsid."""
    total_capacity: Size | None = None
    """Bytes in all; without it there is no limit."""
    available_capacity: SignedSize | None = None
    """Bytes free at the start."""


class ImageDoc(Doc):
    """An image; without *backupStorages* every backup storage keeps it."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    media_type: Literal["RootVolumeTemplate", "ISO", "DataVolumeTemplate"] = "RootVolumeTemplate"
    """A root volume template gives its VMs the size of their root disk, an ISO does not."""
    format: Name = "qcow2"
    """The image format; it tells the hypervisor where nothing else does."""
    size: Size
    """Bytes of the disk it describes."""
    actual_size: Size = 0
    """Bytes as stored, which a cached copy takes."""
    backup_storages: list[Name] | None = None
    """Where it is kept; every backup storage when left out."""
    state: State = "Enabled"
    """A Disabled image is refused by the API's checks."""
    architecture: Name | None = None
    """The processor architecture its VMs need; none is not checked."""
    platform: Name = "Linux"
    """The platform written into answers."""
    guest_os_type: Name | None = None
    """The guest system written into answers."""
