"""Primary and backup storage as it stands: capacities, shares of local storage, Ceph pools, image cache."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from simclone.model.columns import IntColumn, IntTable
from simclone.model.inventory import CONNECTED, DISABLED, ENABLED
from simclone.model.storage_types import StorageType, storage_type

ANYWHERE = -1
"""The host of space that is not bound to one."""


class LocalShares(IntTable):
    """What each host brings to one local storage, in bytes; the row number is the host."""

    present = IntColumn()
    total = IntColumn()
    available = IntColumn()
    total_physical = IntColumn()
    available_physical = IntColumn()
    held = IntColumn()
    drift = IntColumn()

    def reach(self, hosts: int) -> None:
        """Make rows for all of *hosts* hosts; new ones are absent."""
        while self.row_count < hosts:
            self.new_row()

    def copy(self) -> LocalShares:
        """An independent copy."""
        twin = LocalShares(1)
        self.copy_columns(twin)
        return twin


@dataclass(slots=True)
class OsdGroup:
    """Ceph OSDs whose space several pools share (rules/primary-storage.md#local), bytes."""

    name: str
    available: int
    total_physical: int
    available_physical: int
    held: int = 0
    drift: int = 0


@dataclass(frozen=True, slots=True)
class CephPool:
    """A pool of type Root, Data or ImageCache on an OSD group (an index into the storage's groups)."""

    name: str
    type: str
    osd_group: int


@dataclass(slots=True)
class PrimaryStorage:
    """A primary storage; capacities in bytes, `available` in the allocator's book-keeping.

    *clusters* are attached ones, *links* the recorded host links (absent means no recorded trouble), *caches* maps
    (image, host or `ANYWHERE`) to the hold of the cached bytes. *kind* is what the rules ask of its type, *per_host*
    whether its space belongs to single hosts.
    """

    uuid: str
    name: str
    zone: int
    type: str
    total: int
    available: int
    total_physical: int
    available_physical: int
    state: int = ENABLED
    status: int = CONNECTED
    clusters: set[int] = field(default_factory=set)
    tags: frozenset[str] = frozenset()
    system_tags: tuple[str, ...] = ()
    links: dict[int, int] = field(default_factory=dict)
    ceph_fsid: str | None = None
    pools: tuple[CephPool, ...] = ()
    osd_groups: list[OsdGroup] = field(default_factory=list)
    shares: LocalShares | None = None
    caches: dict[tuple[int, int], int] = field(default_factory=dict)
    cached_images: dict[int, int] = field(default_factory=dict)
    cached_hosts: dict[int, int] = field(default_factory=dict)
    system_used: int = 0
    held: int = 0
    drift: int = 0
    volume_count: int = 0

    kind: StorageType = field(init=False, repr=False)
    per_host: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.kind = storage_type(self.type)
        self.per_host = self.kind.per_host

    def usable(self, new_vm: bool) -> bool:
        """Connected, and Enabled (a new VM) or Enabled/Disabled (anything else); rules/host-filters.md#storage."""
        return self.status == CONNECTED and (self.state == ENABLED or (not new_vm and self.state == DISABLED))

    def caches_image(self, image: int) -> bool:
        """True when the image is cached here, on any host."""
        return self.cached_images.get(image, 0) > 0

    def duplicate(self) -> PrimaryStorage:
        """An independent copy."""
        twin = copy.copy(self)
        twin.clusters, twin.links, twin.caches = set(self.clusters), dict(self.links), dict(self.caches)
        twin.cached_images, twin.cached_hosts = dict(self.cached_images), dict(self.cached_hosts)
        twin.osd_groups = [copy.copy(group) for group in self.osd_groups]
        twin.shares = self.shares.copy() if self.shares else None
        return twin


@dataclass(slots=True)
class BackupStorage:
    """Where images are kept; `available` None means without limit (bytes otherwise)."""

    uuid: str
    name: str
    type: str
    zones: set[int] = field(default_factory=set)
    state: int = ENABLED
    status: int = CONNECTED
    ceph_fsid: str | None = None
    total: int | None = None
    available: int | None = None
    held: int = 0

    def duplicate(self) -> BackupStorage:
        """An independent copy."""
        twin = copy.copy(self)
        twin.zones = set(self.zones)
        return twin
