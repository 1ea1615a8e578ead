"""The closed sets of the model as enums, and the reasons a request can be refused for.

States stand in integer columns, so their enums are integers in the order of the columns' codes; `word` is ZStack's
spelling. A `Reason` says once what a refusal means; whoever judges, counts or explains refusals asks the reason.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from simclone.reason import (
    INTERNAL_ERROR,
    INVALID_ARGUMENT,
    OPERATION,
    OPERATION_ERROR,
    PAGES,
    QUOTA_EXCEEDING,
    REASONS,
    SEARCH,
    SEARCH_OR_OPERATION,
    Extent,
    Meaning,
    Reason,
    Subject,
    declare,
    declare_ban,
    declare_call_refusal,
    declare_shortage,
    page_of,
    reason_of,
)

__all__ = ["REASONS", "Extent", "Meaning", "Reason", "Subject", "declare", "reason_of"]
"""What is passed on; the enums and reasons of this module are had by their names."""


class Word(IntEnum):
    """Base of integer codes that have a name in ZStack's spelling."""

    @property
    def word(self) -> str:
        """ZStack's spelling.

        >>> HostState.PRE_MAINTENANCE.word, VmState.NO_STATE.word
        ('PreMaintenance', 'NoState')
        """
        return "".join(part.capitalize() for part in self.name.split("_"))


class HostState(Word):
    """What an administrator lets a host do."""

    ENABLED = 0
    DISABLED = 1
    PRE_MAINTENANCE = 2
    MAINTENANCE = 3


class StorageState(Word):
    """What an administrator lets a primary storage do."""

    ENABLED = 0
    DISABLED = 1
    MAINTENANCE = 2
    DELETING = 3


class ObjectState(Word):
    """The state of zones, clusters, images and backup storages."""

    ENABLED = 0
    DISABLED = 1


class Status(Word):
    """Whether the management node reaches a host or a storage."""

    CONNECTED = 0
    CONNECTING = 1
    DISCONNECTED = 2


class VmState(Word):
    """The states of a VM."""

    CREATED = 0
    STARTING = 1
    RUNNING = 2
    STOPPING = 3
    STOPPED = 4
    REBOOTING = 5
    DESTROYING = 6
    DESTROYED = 7
    MIGRATING = 8
    EXPUNGING = 9
    PAUSING = 10
    PAUSED = 11
    RESUMING = 12
    VOLUME_MIGRATING = 13
    VOLUME_RECOVERING = 14
    ERROR = 15
    NO_STATE = 16
    UNKNOWN = 17
    CRASHED = 18


class VolumeStatus(Word):
    """The statuses of a volume."""

    NOT_INSTANTIATED = 0
    CREATING = 1
    READY = 2
    DELETED = 3
    MIGRATING = 4


class VolumeType(Word):
    """The types of a volume."""

    ROOT = 0
    DATA = 1


class PolicyKind(StrEnum):
    """What a policy wants: members apart, together, or spread evenly over domains."""

    ANTI = "anti"
    AFFINITY = "affinity"
    SPREAD = "spread"


class Policy(StrEnum):
    """The policy of an affinity group or a VM-host rule; *spread…* are simclone's own.

    >>> Policy("antiHard").hard, Policy.AFFINITY_SOFT.kind, Policy.ANTI_HARD.soft
    (True, <PolicyKind.AFFINITY: 'affinity'>, <Policy.ANTI_SOFT: 'antiSoft'>)
    """

    ANTI_HARD = "antiHard"
    ANTI_SOFT = "antiSoft"
    AFFINITY_HARD = "affinityHard"
    AFFINITY_SOFT = "affinitySoft"
    SPREAD_HARD = "spreadHard"
    SPREAD_SOFT = "spreadSoft"

    @property
    def hard(self) -> bool:
        """True for a policy that forbids hosts, False for one that only prefers some."""
        return self in _HARD

    @property
    def kind(self) -> PolicyKind:
        """What the policy wants."""
        return _KINDS[self]

    @property
    def soft(self) -> Policy:
        """The policy of the same kind that only prefers."""
        return Policy(f"{self.kind}Soft")


_KINDS = {policy: PolicyKind(policy.removesuffix("Hard").removesuffix("Soft")) for policy in Policy}
_HARD = frozenset(policy for policy in Policy if policy.endswith("Hard"))


class Purpose(StrEnum):
    """What a decision is made for; part of the key of its draws."""

    HOST = "host"
    DRY_RUN = "dryRun"
    PRIMARY_STORAGE = "primaryStorage"
    BACKUP_STORAGE = "backupStorage"
    IP = "ip"
    MAC = "mac"
    UUID = "uuid"


UNSTATED = declare(Reason("", "no reason was recorded", Subject.REQUEST))

HOST_CPU = declare_shortage(
    "host.cpu", "too few free vCPUs on every host that is allowed", Subject.HOST, codes=SEARCH_OR_OPERATION
)
HOST_MEMORY = declare_shortage(
    "host.memory", "too little memory on every host that is allowed", Subject.HOST, codes=SEARCH_OR_OPERATION
)
HOST_RESERVED_MEMORY = declare_shortage(
    "host.reservedMemory",
    "the memory would have to come out of the hosts' reserve",
    Subject.HOST,
    codes=SEARCH_OR_OPERATION,
)
HOST_PHYSICAL_MEMORY = declare_shortage(
    "host.physicalMemory",
    "the VM is not smaller than the physical memory of any host",
    Subject.HOST,
)
HOST_DEVICES = declare_shortage(
    "host.devices",
    "too few free PCI devices on every host that is allowed",
    Subject.HOST,
    "host-filters#devices",
    codes=SEARCH_OR_OPERATION,
)
HOST_STATE = declare_ban("host.state", "no host is Enabled", Subject.HOST)
HOST_STATUS = declare_ban("host.status", "no host is Connected", Subject.HOST, codes=SEARCH_OR_OPERATION)
HOST_HYPERVISOR = declare_ban("host.hypervisor", "no host has the hypervisor", Subject.HOST)
HOST_ARCHITECTURE = declare_ban(
    "host.architecture", "no host has the CPU architecture", Subject.HOST, "host-filters#architecture"
)
HOST_OS = declare_ban(
    "host.os", "no host runs the operating system of the present one", Subject.HOST, "host-filters#os"
)
HOST_AVOIDED = declare_ban(
    "host.avoided", "only hosts are left that the caller excludes", Subject.HOST, "host-filters#avoided"
)
HOST_BINDING = declare_ban(
    "host.binding", "none of the hosts the VM is bound to is available", Subject.HOST, "host-filters#binding"
)
HOST_NOT_LAST = declare_ban(
    "host.notLast", "it is not the host the VM ran on last", Subject.HOST, "host-filters#last-host", codes=()
)
HOST_MAX_INSTANCES = declare_ban(
    "host.maxInstances",
    "every host has as many VMs as allowed",
    Subject.HOST,
    "host-filters#instance-limit",
    codes=SEARCH_OR_OPERATION,
)
HOST_NO_MORE_PAGES = declare_ban(
    "host.noMorePages", "there is no further page of hosts", Subject.HOST, "host-selection#pagination"
)
HOST_NO_MONITORING = declare_ban(
    "host.noMonitoring",
    "the hosts' utilisation is not measured",
    Subject.HOST,
    "host-selection#commercial",
    codes=OPERATION,
)
HOST_LOST = declare_ban(
    "host.lost", "the host was lost while the VM started", Subject.HOST, "vm-life#host-lost", codes=("HOST.1010",)
)
HOST_MAINTENANCE = declare_ban(
    "host.maintenance", "a VM cannot be moved off the host", Subject.HOST, "states#maintenance", codes=OPERATION
)

DESIGNATED = declare_ban("designated", "no usable host is at the place that is asked for", Subject.PLACE)
DESIGNATED_ZONE = declare_ban("designated.zone", "the host is not in the zone asked for", Subject.PLACE)
DESIGNATED_CLUSTER = declare_ban("designated.cluster", "the host is not in the cluster asked for", Subject.PLACE)
DESIGNATED_HOST = declare_ban("designated.host", "it is not the host asked for", Subject.PLACE)
DESIGNATED_HYPERVISOR = declare_ban("designated.hypervisor", "the host has not the hypervisor asked for", Subject.PLACE)

AFFINITY_RULES = {
    policy: declare_ban(f"affinity.{policy}", sentence, Subject.AFFINITY, codes=SEARCH_OR_OPERATION)
    for policy, sentence in (
        (Policy.ANTI_HARD, "another member of the group is on every host that is allowed"),
        (Policy.AFFINITY_HARD, "the members of the group are on other hosts"),
        (Policy.SPREAD_HARD, "one more would make the group uneven over its domains"),
    )
}
"""The reason of each hard policy of an affinity group."""
AFFINITY_HOST_RULE = declare_ban(
    "affinity.hostRule", "a VM-host rule forbids every host", Subject.AFFINITY, "affinity#scheduling-rules"
)
AFFINITY_JOIN = declare_ban(
    "affinity.join",
    "the VM cannot become a member of the group",
    Subject.AFFINITY,
    "affinity#membership",
    codes=OPERATION,
)
AFFINITY_LEAVE = declare_ban(
    "affinity.leave", "the VM cannot leave the group", Subject.AFFINITY, "affinity#membership", codes=OPERATION
)
AFFINITY_ENABLE = declare_ban(
    "affinity.enable",
    "the group's members do not meet its policy",
    Subject.AFFINITY,
    "affinity#membership",
    codes=OPERATION,
)

NETWORK_L2 = declare_ban(
    "network.l2",
    "no cluster has the L2 networks of the VM's cards",
    Subject.NETWORK,
    "host-filters#network",
    codes=SEARCH,
)
NETWORK_MAC = declare_ban("network.mac", "the drawn MAC address is taken", Subject.NETWORK, "networks#mac")
NETWORK_NIC = declare_ban("network.nic", "the VM has no card on the network", Subject.NETWORK)
IP_EXHAUSTED = declare_shortage("ip.exhausted", "no address of the L3 network is free", Subject.ADDRESS)
IP_NO_RANGE = declare_ban("ip.noRange", "the L3 network has no address range", Subject.ADDRESS, codes=OPERATION)
IP_STATIC = declare_ban("ip.static", "the address that is asked for is not free", Subject.ADDRESS)
IP_FREE = declare_ban("ip.free", "the address is not in use", Subject.ADDRESS, codes=OPERATION)

STORAGE_CAPACITY = declare_shortage(
    "storage.capacity",
    "the primary storages of no cluster are large enough together",
    Subject.STORAGE,
    "host-filters#storage",
    codes=SEARCH,
)
STORAGE_VIRTUAL = declare_shortage("storage.virtual", "too little is available on primary storage", Subject.STORAGE)
STORAGE_PHYSICAL = declare_shortage(
    "storage.physical", "physical use of primary storage is over its threshold", Subject.STORAGE
)
STORAGE_TOO_LARGE = declare_shortage(
    "storage.tooLarge", "the volume is larger than what a primary storage may use", Subject.STORAGE
)
STORAGE_LOCAL = declare_shortage(
    "storage.local",
    "no host has the local storage",
    Subject.STORAGE,
    "primary-storage#local",
    codes=SEARCH_OR_OPERATION,
)
STORAGE_IMAGE_CACHE = declare_shortage(
    "storage.imageCache", "no room to cache the image", Subject.STORAGE, "primary-storage#image-cache"
)
STORAGE_CEPH_POOL = declare_shortage(
    "storage.cephPool", "no Ceph pool has room", Subject.STORAGE, "primary-storage#ceph"
)
STORAGE_FULL_CLONE = declare_shortage(
    "storage.fullClone", "no room for the full copies", Subject.STORAGE, "clone-call#full-check"
)
STORAGE_ATTACHED = declare_ban(
    "storage.attached", "no usable primary storage is attached", Subject.STORAGE, "host-filters#storage", codes=SEARCH
)
STORAGE_LINK = declare_ban(
    "storage.link", "the host does not reach the primary storage", Subject.STORAGE, "host-filters#storage", codes=SEARCH
)
STORAGE_VOLUMES = declare_ban(
    "storage.volumes",
    "no cluster sees all of the VM's volumes",
    Subject.STORAGE,
    "host-filters#storage",
    codes=SEARCH_OR_OPERATION,
)
STORAGE_TAG = declare_ban(
    "storage.tag",
    "no primary storage is one its offering demands",
    Subject.STORAGE,
    "primary-storage#tags",
    codes=SEARCH_OR_OPERATION,
)
STORAGE_NONE = declare_ban("storage.none", "no primary storage is in reach", Subject.STORAGE)
STORAGE_MIXED = declare_ban(
    "storage.mixed",
    "local and shared storage cannot be combined as asked for",
    Subject.STORAGE,
    "vm-life#storage-choice",
    codes=(OPERATION_ERROR, INVALID_ARGUMENT),
)
STORAGE_LOCAL_HOST = declare_ban(
    "storage.localHost",
    "the host of the local storage cannot be used",
    Subject.STORAGE,
    "primary-storage#local",
    codes=(*SEARCH_OR_OPERATION, INVALID_ARGUMENT),
)
STORAGE_FAST_CLONE = declare_ban(
    "storage.fastClone",
    "a fast clone starts only where the source's image is cached",
    Subject.STORAGE,
    "clone-call#flavours",
)
STORAGE_LOST = declare_ban(
    "storage.lost", "the primary storage of a volume is lost", Subject.STORAGE, "states#effect", codes=()
)
IMAGE_STORAGE_TYPE = declare_ban(
    "image.storageType",
    "the image's backup storage feeds no storage in reach",
    Subject.IMAGE,
)
IMAGE_BACKUP_STORAGE = declare_ban(
    "image.backupStorage",
    "no backup storage in reach keeps or takes the image",
    Subject.IMAGE,
    "host-filters#image",
    codes=SEARCH_OR_OPERATION,
)

WHILE_A_HOST_IS_SOUGHT = frozenset({"vm.num", "vm.totalNum", "vm.cpuNum", "vm.memorySize"})
"""Limits that are looked at again then (rules/quotas.md#allocation-check)."""
QUOTAS = {
    limit: declare(
        Reason(
            f"quota.{limit}",
            f"the account's limit {limit} is reached",
            Subject.QUOTA,
            page=page_of(PAGES[Subject.QUOTA]),
            key=limit,
            api_codes=(QUOTA_EXCEEDING, INTERNAL_ERROR) if limit in WHILE_A_HOST_IS_SOUGHT else (QUOTA_EXCEEDING,),
        )
    )
    for limit in (
        "vm.totalNum",
        "vm.num",
        "vm.cpuNum",
        "vm.memorySize",
        "volume.data.num",
        "volume.capacity",
        "image.num",
        "image.size",
        "snapshot.volume.num",
    )
}
"""The reason of each limit of an account."""

REQUEST_INVALID = declare_call_refusal(
    "request.invalid", "the call is not written as the API demands", codes=(INVALID_ARGUMENT, OPERATION_ERROR)
)
REQUEST_NOT_FOUND = declare_call_refusal(
    "request.notFound", "the call names something that does not exist", codes=("SYS.1003",)
)
REQUEST_REFUSED = declare_call_refusal(
    "request.refused", "the call asks for something the VM cannot have", codes=OPERATION
)
REQUEST_NAME = declare_call_refusal(
    "request.name", "VM names must be unique and this one is taken", rule="clone-call#request", codes=OPERATION
)
REQUEST_TIMEOUT = declare_call_refusal(
    "request.timeout", "the call took longer than its timeout", rule="clone-call#job", codes=("SYS.1001",)
)
VM_STATE = declare_call_refusal("vm.state", "the VM is in the wrong state", Subject.VM)
VOLUME_STATE = declare_ban("volume.state", "the volume is in the wrong state", Subject.VOLUME)


def injected(step: str) -> Reason:
    """The reason of a fault injected into a step."""
    return declare(Reason(f"fault.{step}", f"a fault was injected into step {step}", Subject.INJECTED, key=step))
