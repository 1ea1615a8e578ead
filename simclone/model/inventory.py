"""Frozen descriptions of what a cloud is made of; figures that change live in columns beside them."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from simclone.records import NO_TAGS, Tags
from simclone.vocabulary import HostState, ObjectState, Policy, Status, StorageState

ENABLED, DISABLED, PRE_MAINTENANCE, MAINTENANCE = (int(state) for state in HostState)
HOST_STATES = tuple(state.word for state in HostState)
CONNECTED, CONNECTING, DISCONNECTED = (int(status) for status in Status)
STATUSES = tuple(status.word for status in Status)
OBJECT_STATES = tuple(state.word for state in ObjectState)
STORAGE_STATES = tuple(state.word for state in StorageState)
ADMIN = -1
"""The account index of the administrator, who has no limits."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone; its state is only what the API pre-checks and the cascade to hosts look at."""

    uuid: str
    name: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Hosts of one hypervisor in one zone; *zone* is an index."""

    uuid: str
    name: str
    zone: int
    hypervisor_type: str
    architecture: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


class Image(Struct, frozen=True, gc=False):
    """A template or ISO. *size* is virtual, *actual_size* stored bytes; *backup_storages* are indices.

    *temporary* marks an image a clone call made for itself, *system* one the platform made.
    """

    uuid: str
    name: str
    media_type: str
    format: str
    size: int
    actual_size: int
    backup_storages: tuple[int, ...]
    architecture: str | None = None
    platform: str = "Linux"
    guest_os_type: str | None = None
    temporary: bool = False
    account: int = ADMIN

    @property
    def is_iso(self) -> bool:
        """True for installation media, which give a VM no root disk size."""
        return self.media_type == "ISO"


@dataclass(frozen=True, slots=True)
class IpRange:
    """Addresses *start* … *end*, both included, as integers."""

    uuid: str
    start: int
    end: int
    netmask: str = "255.255.255.0"
    gateway: str = ""

    @property
    def size(self) -> int:
        """How many addresses the range holds."""
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True)
class L2Network:
    """A layer-2 network; which clusters it is attached to stands in the topology."""

    uuid: str
    name: str
    zone: int


@dataclass(frozen=True, slots=True)
class L3Network:
    """A layer-3 network on an L2; *dhcp* False means its cards get no address (rules/networks.md#no-address)."""

    uuid: str
    name: str
    l2: int
    zone: int
    dhcp: bool = True
    strategy: str | None = None
    state: str = "Enabled"
    system: bool = False


@dataclass(frozen=True, slots=True)
class StorageConstraint:
    """A wish of an offering for its volumes' storage (rules/primary-storage.md#tags).

    Exactly one of *storage* (an index) and *tag* is set; *required* False makes a tag a preference.
    """

    storage: int | None = None
    tag: str | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class InstanceOffering:
    """A VM shape on offer: vCPUs, bytes of memory, host allocator strategy."""

    uuid: str
    name: str
    cpu_num: int
    memory_size: int
    strategy: str | None
    constraint: StorageConstraint | None = None
    system_tags: tuple[str, ...] = ()
    cpu_speed: int = 0
    state: str = "Enabled"


@dataclass(frozen=True, slots=True)
class DiskOffering:
    """A disk shape on offer: bytes and primary storage strategy."""

    uuid: str
    name: str
    disk_size: int
    strategy: str | None = None
    constraint: StorageConstraint | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account with limits; usage is counted by the ledger."""

    uuid: str
    name: str


@dataclass(frozen=True, slots=True)
class HostGroup:
    """Hosts named together for VM-host scheduling rules (rules/affinity.md#scheduling-rules)."""

    uuid: str
    name: str
    hosts: frozenset[int]


@dataclass(frozen=True, slots=True)
class HostRule:
    """A VM-host rule: *policy* is affinityHard, affinitySoft, antiHard or antiSoft towards *group*'s hosts."""

    policy: Policy
    group: int


@dataclass(frozen=True, slots=True)
class Disk:
    """A data disk a VM asks for: bytes, the offering it came from, storage strategy and constraint."""

    size: int
    offering: int | None = None
    strategy: str | None = None
    constraint: StorageConstraint | None = None


class Wish(Struct, frozen=True, gc=False):
    """Where a new VM is wanted, and how it is started.

    *root_storage* and *data_storage* pin volumes, *static_ips* are (l3, address) pairs, *paused* starts leave the
    VM paused (CreateStopped), *fast_host* is the only host that holds a fast clone's local cache, *fast* skips the
    backup storage.
    """

    zone: int | None = None
    cluster: int | None = None
    host: int | None = None
    root_storage: int | None = None
    data_storage: int | None = None
    static_ips: tuple[tuple[int, int], ...] = ()
    paused: bool = False
    fast: bool = False
    fast_host: int | None = None
    strategy: str | None = None
    cloned: bool = False
    volume_tags: Tags = NO_TAGS


class Shape(Struct, frozen=True, gc=False):
    """What many VMs share; each row of `simclone.model.vms` names one.

    *image*, *offering* and *l3s* are indices (None where there is none), *root_size* is the root disk in bytes.
    *use* says how much of it is used, in words of the file that only the engine reads.
    """

    strategy: str | None
    image: int | None
    offering: int | None
    l3s: tuple[int, ...]
    root_size: int
    root_offering: int | None = None
    disks: tuple[Disk, ...] = ()
    constraint: StorageConstraint | None = None
    tags: Tags = NO_TAGS
    vm_type: str = "UserVm"
    platform: str = "Linux"
    hypervisor_type: str | None = None
    architecture: str | None = None
    description: str | None = None
    cpu_speed: int = 0
    user_tags: tuple[str, ...] = ()
    use: str = ""

    def root_size_at_host(self, images: list[Image]) -> int:
        """The root's bytes as the host search counts them: a template's own size, else the root offering's."""
        image = None if self.image is None else images[self.image]
        return self.root_size if image is None or image.is_iso else image.size
