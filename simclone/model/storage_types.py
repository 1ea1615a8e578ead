"""Types of primary storage as data: what the rules ask of a type, so that no code knows one by its name.

A type is one row of `BUILT_IN`. Installed distributions bring more by entry points of the group
``simclone.storage_types``: each is a `StorageType`, found by its own name and loaded when a file names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from simclone.installed import PlugIn, entry_points_of, plug_in

GROUP = "simclone.storage_types"
IMAGE_STORE, SFTP, CEPH_BACKUP = "ImageStoreBackupStorage", "SftpBackupStorage", "Ceph"
SIMULATOR_BACKUP, EBS_BACKUP, VCENTER_BACKUP = "SimulatorBackupStorage", "AliyunEBS", "VCenter"
BACKUP_TYPES = (IMAGE_STORE, SFTP, CEPH_BACKUP, SIMULATOR_BACKUP, EBS_BACKUP, VCENTER_BACKUP)
BOUND_BY_FSID = frozenset({CEPH_BACKUP})
"""Backup storage types that feed only primary storages with the same fsid."""


class Scope(Enum):
    """Whose the space of a storage is."""

    SHARED = "shared"
    """One space, seen by every host of the attached clusters."""
    PER_HOST = "per host"
    """A share of its own on each host."""
    POOLED = "pooled"
    """One space over groups of disks that pools share."""


@dataclass(frozen=True, slots=True)
class StorageType:
    """What the rules ask of a storage type (rules/primary-storage.md#backup-types).

    *fed_by* are the backup storage types whose images it can use, *fed_by_in_cloud* further ones in profile cloud.
    *commits_to* are the backup storage types a temporary image goes to, in order. *priority_settings* name, by backup
    storage type, the setting that says how early it is tried. *hosts_report* says that its capacity is known through
    hosts only, so that it counts nothing when the last one goes. *volume_format* is written into answers.
    """

    name: str
    scope: Scope = Scope.SHARED
    fed_by: tuple[str, ...] = ()
    fed_by_in_cloud: tuple[str, ...] = ()
    commits_to: tuple[str, ...] = (IMAGE_STORE,)
    priority_settings: Mapping[str, str] = field(default_factory=dict)
    hosts_report: bool = False
    volume_format: str = "qcow2"

    @property
    def per_host(self) -> bool:
        """Whether each host has a share of its own."""
        return self.scope is Scope.PER_HOST

    @property
    def pooled(self) -> bool:
        """Whether pools share groups of disks."""
        return self.scope is Scope.POOLED

    def usable_with(self, backup_type: str, *, cloud_profile: bool) -> bool:
        """Whether images of a backup storage type can be used on it."""
        return backup_type in self.fed_by or (cloud_profile and backup_type in self.fed_by_in_cloud)


_FILES = (SFTP, IMAGE_STORE)
BUILT_IN: Mapping[str, StorageType] = {
    row.name: row
    for row in (
        StorageType("NFS", fed_by=_FILES),
        StorageType("SharedMountPoint", fed_by=_FILES, hosts_report=True),
        StorageType("SharedBlock", fed_by_in_cloud=(IMAGE_STORE,)),
        StorageType(
            "Ceph",
            Scope.POOLED,
            fed_by=(IMAGE_STORE, CEPH_BACKUP),
            commits_to=(CEPH_BACKUP, IMAGE_STORE),
            priority_settings={
                CEPH_BACKUP: "ceph.backupstorage.primary.storage.priority",
                IMAGE_STORE: "imagestore.backupstorage.primary.storage.priority",
            },
            volume_format="raw",
        ),
        StorageType("LocalStorage", Scope.PER_HOST, fed_by=_FILES),
        StorageType("SimulatorPrimaryStorage", fed_by=(SIMULATOR_BACKUP,)),
        StorageType("ZSES", fed_by_in_cloud=(IMAGE_STORE,)),
        StorageType("BlockStorage", fed_by_in_cloud=(IMAGE_STORE,)),
        StorageType("AliyunNAS", fed_by_in_cloud=(IMAGE_STORE,)),
        StorageType("AliyunEBS", fed_by=(EBS_BACKUP,)),
        StorageType("MiniStorage", fed_by_in_cloud=(IMAGE_STORE,)),
        StorageType("VCenter", fed_by=(VCENTER_BACKUP,)),
        StorageType("Addon", fed_by=_FILES),
    )
}


@cache
def storage_types() -> Mapping[str, StorageType]:
    """Every type by name: the built-in ones, then those of installed distributions, which are loaded now."""
    installed: list[StorageType] = [point.load() for point in entry_points_of(GROUP)]
    return {**{row.name: row for row in installed}, **BUILT_IN}


def storage_type_origins() -> Mapping[str, PlugIn]:
    """The names of the installed types, with the entry point that brings each."""
    origins = {point.load().name: plug_in(point) for point in entry_points_of(GROUP)}
    return {name: origin for name, origin in origins.items() if name not in BUILT_IN}


def storage_type(name: str) -> StorageType:
    """The type of a name that a checked file says; installed ones are looked up only where no built-in one is meant."""
    return BUILT_IN.get(name) or storage_types()[name]
