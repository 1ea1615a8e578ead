"""What one host allocation asks for (rules/host-selection.md#request)."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from simclone.model.inventory import ADMIN, StorageConstraint
from simclone.records import NO_TAGS, Tags

NEW_CREATE, START, MIGRATE = "NewCreate", "Start", "Migrate"


class HostRequest(Struct, frozen=True, gc=False):
    """One question to the host allocator; indices where the cloud has rows, None where ZStack has null.

    *cpu* vCPUs, *memory* bytes, *disk_size* bytes of all disks that will be made. *required_storages* must all be
    attached, of each of *optional_storages* one. *bindings* are (type, index) pairs, *volume_hosts*
    hosts that hold the VM's local volumes, *volume_storages* the storages of its volumes. *vm* is its row or None.
    """

    cpu: int
    memory: int
    strategy: str | None = None
    vm: int | None = None
    account: int = ADMIN
    operation: str = NEW_CREATE
    disk_size: int = 0
    volume_sizes: int = 0
    snapshot_sizes: int = 0
    l3s: tuple[int, ...] = ()
    allow_no_l3: bool = True
    image: int | None = None
    architecture: str | None = None
    hypervisor: str | None = None
    backup_storage: int | None = None
    required_storages: frozenset[int] = frozenset()
    optional_storages: tuple[frozenset[int], ...] = ()
    vm_constraint: StorageConstraint | None = None
    disk_constraints: tuple[StorageConstraint, ...] = ()
    zone: int | None = None
    clusters: tuple[int, ...] = ()
    host: int | None = None
    avoid: frozenset[int] = frozenset()
    soft_avoid: frozenset[int] = frozenset()
    vm_cluster: int | None = None
    last_host: int | None = None
    current_host: int | None = None
    root_storage: int | None = None
    volume_storages: frozenset[int] = frozenset()
    volume_hosts: frozenset[int] = frozenset()
    root_ready: bool = True
    group: int | None = None
    bindings: tuple[tuple[str, int], ...] = ()
    tags: Tags = NO_TAGS
    scene: str | None = None
    dry_run: bool = False
    list_all: bool = False
    full_allocate: bool = True
    old_memory: int = 0

    def dry(self) -> HostRequest:
        """The same question without intent to reserve."""
        return self if self.dry_run else replace(self, dry_run=True)

    def tag(self, prefix: str) -> str | None:
        """The value of the first system tag ``prefix::value``."""
        return self.tags.value(prefix)
