"""The closed sets of the model as enums, and the reasons a request can be refused for.

States stand in integer columns, so their enums are integers in the order of the columns' codes; `word` is ZStack's
spelling. A `Reason` says once what a refusal means; whoever judges, counts or explains refusals asks the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from simclone.errors import Fault, InvalidInput, UnknownName


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


class Meaning(StrEnum):
    """Whether more of something would have helped, or something else stands in the way."""

    TOO_LITTLE = "too little"
    NOT_ALLOWED = "not allowed"


class Extent(StrEnum):
    """What a refusal ends: one clone, or the whole call."""

    CLONE = "one clone"
    CALL = "the whole call"


class Subject(StrEnum):
    """What a refusal is about, so that one knows what to change."""

    HOST = "host"
    PLACE = "place"
    NETWORK = "network"
    ADDRESS = "address"
    STORAGE = "storage"
    IMAGE = "image"
    AFFINITY = "affinity"
    QUOTA = "quota"
    VM = "vm"
    VOLUME = "volume"
    REQUEST = "request"
    INJECTED = "injected fault"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused.

    *code* is the short constant that tables, logs and tests show (``host.memory``), *sentence* says it to a person,
    *page* names the page of rules it follows from. *key* is the limit of a quota or the step of an injected fault.
    """

    code: str
    sentence: str
    subject: Subject
    meaning: Meaning = Meaning.NOT_ALLOWED
    extent: Extent = Extent.CLONE
    page: str = ""
    key: str = ""

    def __str__(self) -> str:
        return self.code

    @property
    def too_little(self) -> bool:
        """True where more capacity would have helped."""
        return self.meaning is Meaning.TOO_LITTLE


REASONS: dict[str, Reason] = {}
"""Every reason that is loaded, by its code."""


def declare(reason: Reason) -> Reason:
    """Make a reason known; raises InvalidInput for a code that stands for another reason already."""
    known = REASONS.setdefault(reason.code, reason)
    if known != reason:
        raise InvalidInput(
            [Fault(f"reason {reason.code}", f"stands for {known.sentence!r} already", "a code of its own")]
        )
    return reason


def reason_of(code: str) -> Reason:
    """The reason with a code; raises UnknownName for one that nobody declared."""
    reason = REASONS.get(code)
    if reason is None:
        raise UnknownName("reason", code, REASONS)
    return reason


PAGES: Mapping[Subject, str] = {
    Subject.AFFINITY: "rules/affinity.md#evaluation",
    Subject.NETWORK: "rules/networks.md#cards",
    Subject.ADDRESS: "rules/networks.md#strategies",
    Subject.STORAGE: "rules/primary-storage.md#main-filter",
    Subject.IMAGE: "rules/primary-storage.md#backup-types",
    Subject.QUOTA: "rules/quotas.md#limits",
    Subject.REQUEST: "rules/clone-call.md#checks",
}
"""Where the rules about a subject begin."""
LITTLE_PAGES: Mapping[Subject, str] = {
    **PAGES,
    Subject.HOST: "rules/host-capacity.md#filter",
    Subject.STORAGE: "rules/primary-storage.md#capacity",
}
"""Where it says how much is enough."""


def _little(code: str, sentence: str, subject: Subject) -> Reason:
    return declare(Reason(code, sentence, subject, Meaning.TOO_LITTLE, page=LITTLE_PAGES.get(subject, "")))


def _forbidden(code: str, sentence: str, subject: Subject) -> Reason:
    return declare(Reason(code, sentence, subject, page=PAGES.get(subject, "")))


def _call(code: str, sentence: str, subject: Subject = Subject.REQUEST) -> Reason:
    return declare(Reason(code, sentence, subject, extent=Extent.CALL, page=PAGES.get(subject, "")))


UNSTATED = declare(Reason("", "no reason was recorded", Subject.REQUEST))

HOST_CPU = _little("host.cpu", "too few free vCPUs on every host that is allowed", Subject.HOST)
HOST_MEMORY = _little("host.memory", "too little memory on every host that is allowed", Subject.HOST)
HOST_RESERVED_MEMORY = _little(
    "host.reservedMemory", "the memory would have to come out of the hosts' reserve", Subject.HOST
)
HOST_PHYSICAL_MEMORY = _little(
    "host.physicalMemory", "the VM is not smaller than the physical memory of any host", Subject.HOST
)
HOST_DEVICES = _little("host.devices", "too few free PCI devices on every host that is allowed", Subject.HOST)
HOST_STATE = _forbidden("host.state", "no host is Enabled", Subject.HOST)
HOST_STATUS = _forbidden("host.status", "no host is Connected", Subject.HOST)
HOST_HYPERVISOR = _forbidden("host.hypervisor", "no host has the hypervisor", Subject.HOST)
HOST_ARCHITECTURE = _forbidden("host.architecture", "no host has the CPU architecture", Subject.HOST)
HOST_OS = _forbidden("host.os", "no host runs the operating system of the present one", Subject.HOST)
HOST_AVOIDED = _forbidden("host.avoided", "only hosts are left that the caller excludes", Subject.HOST)
HOST_BINDING = _forbidden("host.binding", "none of the hosts the VM is bound to is available", Subject.HOST)
HOST_NOT_LAST = _forbidden("host.notLast", "it is not the host the VM ran on last", Subject.HOST)
HOST_MAX_INSTANCES = _forbidden("host.maxInstances", "every host has as many VMs as allowed", Subject.HOST)
HOST_NO_MORE_PAGES = _forbidden("host.noMorePages", "there is no further page of hosts", Subject.HOST)
HOST_NO_MONITORING = _forbidden("host.noMonitoring", "the hosts' utilisation is not measured", Subject.HOST)
HOST_LOST = _forbidden("host.lost", "the host was lost while the VM started", Subject.HOST)
HOST_MAINTENANCE = _forbidden("host.maintenance", "a VM cannot be moved off the host", Subject.HOST)

DESIGNATED = _forbidden("designated", "no usable host is at the place that is asked for", Subject.PLACE)
DESIGNATED_ZONE = _forbidden("designated.zone", "the host is not in the zone asked for", Subject.PLACE)
DESIGNATED_CLUSTER = _forbidden("designated.cluster", "the host is not in the cluster asked for", Subject.PLACE)
DESIGNATED_HOST = _forbidden("designated.host", "it is not the host asked for", Subject.PLACE)
DESIGNATED_HYPERVISOR = _forbidden("designated.hypervisor", "the host has not the hypervisor asked for", Subject.PLACE)

AFFINITY_RULES = {
    policy: _forbidden(f"affinity.{policy}", sentence, Subject.AFFINITY)
    for policy, sentence in (
        (Policy.ANTI_HARD, "another member of the group is on every host that is allowed"),
        (Policy.AFFINITY_HARD, "the members of the group are on other hosts"),
        (Policy.SPREAD_HARD, "one more would make the group uneven over its domains"),
    )
}
"""The reason of each hard policy of an affinity group."""
AFFINITY_HOST_RULE = _forbidden("affinity.hostRule", "a VM-host rule forbids every host", Subject.AFFINITY)
AFFINITY_JOIN = _forbidden("affinity.join", "the VM cannot become a member of the group", Subject.AFFINITY)
AFFINITY_LEAVE = _forbidden("affinity.leave", "the VM cannot leave the group", Subject.AFFINITY)
AFFINITY_ENABLE = _forbidden("affinity.enable", "the group's members do not meet its policy", Subject.AFFINITY)

NETWORK_L2 = _forbidden("network.l2", "no cluster has the L2 networks of the VM's cards", Subject.NETWORK)
NETWORK_MAC = _forbidden("network.mac", "the drawn MAC address is taken", Subject.NETWORK)
NETWORK_NIC = _forbidden("network.nic", "the VM has no card on the network", Subject.NETWORK)
IP_EXHAUSTED = _little("ip.exhausted", "no address of the L3 network is free", Subject.ADDRESS)
IP_NO_RANGE = _forbidden("ip.noRange", "the L3 network has no address range", Subject.ADDRESS)
IP_STATIC = _forbidden("ip.static", "the address that is asked for is not free", Subject.ADDRESS)
IP_FREE = _forbidden("ip.free", "the address is not in use", Subject.ADDRESS)

STORAGE_CAPACITY = _little(
    "storage.capacity", "the primary storages of no cluster are large enough together", Subject.STORAGE
)
STORAGE_VIRTUAL = _little("storage.virtual", "too little is available on primary storage", Subject.STORAGE)
STORAGE_PHYSICAL = _little("storage.physical", "physical use of primary storage is over its threshold", Subject.STORAGE)
STORAGE_TOO_LARGE = _little(
    "storage.tooLarge", "the volume is larger than what a primary storage may use", Subject.STORAGE
)
STORAGE_LOCAL = _little("storage.local", "no host has the local storage", Subject.STORAGE)
STORAGE_IMAGE_CACHE = _little("storage.imageCache", "no room to cache the image", Subject.STORAGE)
STORAGE_CEPH_POOL = _little("storage.cephPool", "no Ceph pool has room", Subject.STORAGE)
STORAGE_FULL_CLONE = _little("storage.fullClone", "no room for the full copies", Subject.STORAGE)
STORAGE_ATTACHED = _forbidden("storage.attached", "no usable primary storage is attached", Subject.STORAGE)
STORAGE_LINK = _forbidden("storage.link", "the host does not reach the primary storage", Subject.STORAGE)
STORAGE_VOLUMES = _forbidden("storage.volumes", "no cluster sees all of the VM's volumes", Subject.STORAGE)
STORAGE_TAG = _forbidden("storage.tag", "no primary storage is one its offering demands", Subject.STORAGE)
STORAGE_NONE = _forbidden("storage.none", "no primary storage is in reach", Subject.STORAGE)
STORAGE_MIXED = _forbidden("storage.mixed", "local and shared storage cannot be combined as asked for", Subject.STORAGE)
STORAGE_LOCAL_HOST = _forbidden("storage.localHost", "the host of the local storage cannot be used", Subject.STORAGE)
STORAGE_FAST_CLONE = _forbidden(
    "storage.fastClone", "a fast clone starts only where the source's image is cached", Subject.STORAGE
)
STORAGE_LOST = _forbidden("storage.lost", "the primary storage of a volume is lost", Subject.STORAGE)
IMAGE_STORAGE_TYPE = _forbidden(
    "image.storageType", "the image's backup storage feeds no storage in reach", Subject.IMAGE
)
IMAGE_BACKUP_STORAGE = _forbidden(
    "image.backupStorage", "no backup storage in reach keeps or takes the image", Subject.IMAGE
)

QUOTAS = {
    limit: declare(
        Reason(
            f"quota.{limit}",
            f"the account's limit {limit} is reached",
            Subject.QUOTA,
            page=PAGES[Subject.QUOTA],
            key=limit,
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

REQUEST_INVALID = _call("request.invalid", "the call is not written as the API demands")
REQUEST_NOT_FOUND = _call("request.notFound", "the call names something that does not exist")
REQUEST_REFUSED = _call("request.refused", "the call asks for something the VM cannot have")
REQUEST_NAME = _call("request.name", "VM names must be unique and this one is taken")
REQUEST_TIMEOUT = _call("request.timeout", "the call took longer than its timeout")
VM_STATE = _call("vm.state", "the VM is in the wrong state", Subject.VM)
VOLUME_STATE = _forbidden("volume.state", "the volume is in the wrong state", Subject.VOLUME)


def injected(step: str) -> Reason:
    """The reason of a fault injected into a step."""
    return declare(Reason(f"fault.{step}", f"a fault was injected into step {step}", Subject.INJECTED, key=step))
