"""Settings of a cloud: shipped defaults by profile, presets, global values and overrides nearer to the object."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simclone.units import GIB, TIB, parse_size

PROFILES = ("cloud", "open")
Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it means, its kind, its default in each profile and its bounds.

    *kind* is ``int``, ``float``, ``bool``, ``size`` (bytes) or ``choice``; *dead* settings exist in the product and
    decide nothing (rules/host-capacity.md#dead-settings).
    """

    key: str
    meaning: str
    kind: str
    default: Value
    open_default: Value | None = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    dead: bool = False

    def default_in(self, profile: str) -> Value:
        """The shipped default in *profile*."""
        return self.open_default if profile == "open" and self.open_default is not None else self.default

    def parse(self, value: object) -> Value:
        """The value in its own type; raises ValueError saying what was expected."""
        parsed = self._typed(value)
        if isinstance(parsed, int | float) and not isinstance(parsed, bool):
            low, high = self.low, self.high
            if (low is not None and parsed < low) or (high is not None and parsed > high):
                raise ValueError(
                    f"{self.kind} between {low:g} and {high:g}" if high is not None else f"at least {low:g}"
                )
        return parsed

    def _typed(self, value: object) -> Value:
        if self.kind == "bool":
            if isinstance(value, bool):
                return value
            if value in ("true", "false"):
                return value == "true"
            raise ValueError("true or false")
        if self.kind == "choice":
            if value in self.choices:
                return str(value)
            raise ValueError("one of " + ", ".join(self.choices))
        return self._number(value)

    def _number(self, value: object) -> Value:
        if self.kind == "size":
            try:
                return parse_size(value)
            except ValueError as error:
                raise ValueError(f"a size in bytes or with a unit ({error})") from None
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ValueError
            number = float(value)
            if number != number or number in (float("inf"), float("-inf")):
                raise ValueError
            if self.kind == "float":
                return number
            if number != int(number):
                raise ValueError
            return int(value)
        except (ValueError, OverflowError):
            raise ValueError("a whole number" if self.kind == "int" else "a number") from None


def _define(*settings: Setting) -> dict[str, Setting]:
    return {setting.key: setting for setting in settings}


def _count(key: str, meaning: str, default: int, low: int = 0, high: int | None = None) -> Setting:
    return Setting(key, meaning, "int", default, low=low, high=high)


def _flag(key: str, meaning: str, default: bool, dead: bool = False) -> Setting:
    return Setting(key, meaning, "bool", default, dead=dead)


def _choice(key: str, meaning: str, default: str, *others: str) -> Setting:
    return Setting(key, meaning, "choice", default, choices=(default, *others))


HOST_STRATEGY_NAMES = (
    "LeastVmPreferredHostAllocatorStrategy",
    "DefaultHostAllocatorStrategy",
    "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy",
    "DesignatedHostAllocatorStrategy",
    "LastHostPreferredAllocatorStrategy",
    "MinimumCPUUsageHostAllocatorStrategy",
    "MinimumMemoryUsageHostAllocatorStrategy",
    "MaxInstancePerHostHostAllocatorStrategy",
)

_QUOTAS: Mapping[str, tuple[int, str]] = {
    "vm.totalNum": (20, "VMs an account may have in any state."),
    "vm.num": (20, "VMs an account may have running."),
    "vm.cpuNum": (80, "vCPUs an account may have running."),
    "vm.memorySize": (80 * GIB, "Memory that an account's running VMs may have."),
    "volume.data.num": (40, "Data volumes an account may have."),
    "volume.capacity": (10 * TIB, "Bytes of root and data volumes an account may have."),
    "image.num": (20, "Images an account may have."),
    "image.size": (10 * TIB, "Bytes of images an account may have."),
    "snapshot.volume.num": (200, "Volume snapshots an account may have."),
}
QUOTA_DEFAULTS: Mapping[str, int] = {name: limit for name, (limit, _) in _QUOTAS.items()}
"""Limits of an ordinary account (rules/quotas.md#limits)."""

DEFINITIONS: Mapping[str, Setting] = _define(
    _count("host.cpu.overProvisioning.ratio", "vCPUs that a host offers for each of its logical threads.", 10, 1, 1000),
    Setting(
        "mevoco.overProvisioning.memory",
        "A VM's memory is divided by this before it is charged to its host.",
        "float",
        1.0,
        low=0.01,
        high=1000,
    ),
    Setting(
        "mevoco.overProvisioning.primaryStorage",
        "A volume's virtual size is divided by this before it is charged to its storage.",
        "float",
        1.0,
        low=0.01,
        high=1000,
    ),
    Setting(
        "mevoco.threshold.primaryStorage.physicalCapacity",
        "Share of a storage's physical space in use from which it takes no further volume.",
        "float",
        0.9,
        open_default=1.0,
        low=0.0,
        high=1.0,
    ),
    Setting("kvm.reservedMemory", "Memory of each host that no VM may get.", "size", GIB, low=0, high=TIB),
    Setting("kvm.reservedCpu", "CPU that a host is said to keep for itself.", "int", 512, low=0, dead=True),
    Setting(
        "primaryStorage.reservedCapacity", "Space of each primary storage that no volume may get.", "size", GIB, low=0
    ),
    Setting(
        "backupStorage.reservedCapacity", "Space of each backup storage that no image may get.", "size", GIB, low=0
    ),
    _flag(
        "hostAllocator.hostAllocator.checkHostMem",
        "Whether a VM must be smaller than the physical memory of its host.",
        True,
    ),
    _flag("hostAllocator.usePagination", "Whether hosts are searched page by page.", True),
    _count("hostAllocator.paginationLimit", "Hosts on one page of the search.", 500, 1),
    _flag("hostAllocator.hostAllocator.concurrent", "Whether hosts are sought for several VMs at once.", False),
    _count(
        "hostAllocator.hostAllocator.concurrent.level",
        "So many searches for a host run at once where they may.",
        10,
        1,
        255,
    ),
    _flag(
        "hostAllocator.reservedCapacity.zoneLevel",
        "Whether a zone's tag reserves capacity of its hosts.",
        True,
        dead=True,
    ),
    _flag(
        "hostAllocator.reservedCapacity.clusterLevel",
        "Whether a cluster's tag reserves capacity of its hosts.",
        True,
        dead=True,
    ),
    _flag("hostAllocator.reservedCapacity.hostLevel", "Whether a host's tag reserves capacity of it.", True, dead=True),
    _flag(
        "hostAllocator.migration.differentOs",
        "Whether a VM may migrate to a host with another operating system.",
        False,
    ),
    _choice(
        "vm.deletionPolicy", "Whether a destroyed VM keeps its space until it is expunged.", "Delay", "Direct", "Never"
    ),
    _choice(
        "volume.deletionPolicy",
        "Whether a deleted data volume keeps its space until it is expunged.",
        "Delay",
        "Direct",
        "Never",
    ),
    _count("vm.expungePeriod", "Seconds from the destruction of a VM until it is expunged.", 604800),
    _count(
        "volume.expungePeriod",
        "Seconds until a deleted data volume is expunged; simclone expunges only when told to.",
        259200,
    ),
    _choice(
        "host.maintenance.policy",
        "What happens to a VM that cannot be moved off a host that enters maintenance.",
        "StopVmOnMigrationFailure",
        "JustMigrate",
    ),
    _count("host.reportHostCapacityInterval", "Seconds between two recalculations of what hosts have free.", 1800, 1),
    _flag("vm.numa", "Whether vCPUs and memory of a running VM may be changed.", False),
    _choice(
        "vm.resourceBinding.strategy",
        "Whether a VM may leave the hosts it is bound to when none of them is available.",
        "Hard",
        "Soft",
    ),
    _choice(
        "vm.resourceBinding.Scene",
        "Whether bindings count always, or only in starts for availability and evacuations.",
        "All",
        "Auto",
    ),
    _flag("vm.vm.ha.across.clusters", "Whether a VM may run outside of the cluster it is in.", True),
    _flag("vm.uniqueVmName", "Whether the name of a new VM must be one that no other VM has.", False),
    _flag("vm.multivNic.support", "Whether a VM may have several cards on one network.", False),
    _flag(
        "kvm.checkHostCpuModelName",
        "Whether a VM migrates only to the same model of CPU; simclone knows no models.",
        False,
    ),
    _choice(
        "l3Network.ipAllocateStrategy",
        "How addresses are chosen on a network that names no strategy.",
        "RandomIpAllocatorStrategy",
        "FirstAvailableIpAllocatorStrategy",
        "AscDelayRecycleIpAllocatorStrategy",
    ),
    _flag("mevoco.deleteTempImages", "Whether a clone call deletes its temporary images at its end.", True),
    _choice("mevoco.hostAllocatorStrategy", "The host strategy that the name Mevoco stands for.", *HOST_STRATEGY_NAMES),
    _count("kvm.host.syncLevel", "Operations that one host works off at once.", 10, 1),
    _count("kvm.vm.createConcurrency", "VMs that one host starts at once.", 1, 1),
    _count("imagestore.imageStore.syncLevel", "Operations that one image store works off at once.", 16, 1),
    _count(
        "primaryStorage.imageCache.garbageCollector.interval",
        "Seconds between two clean-ups of cached images that nobody uses.",
        86400,
        1,
    ),
    _count("apiTimeout.cloneVmInstance", "Seconds after which a clone call is given up.", 129600, 1),
    _count(
        "ceph.backupstorage.primary.storage.priority",
        "How early a Ceph storage is tried for an image on Ceph; smaller is earlier.",
        2,
    ),
    _count(
        "imagestore.backupstorage.primary.storage.priority",
        "How early a Ceph storage is tried for an image of an image store; smaller is earlier.",
        100,
    ),
    _flag(
        "affinity.group.host.count.all.vms",
        "Whether stopped members on local storage count in their group; in simclone they never do.",
        False,
    ),
    *(
        Setting(
            f"quota.{name}", meaning, "size" if name.endswith(("Size", "capacity", "size")) else "int", limit, low=0
        )
        for name, (limit, meaning) in _QUOTAS.items()
    ),
)

ALIASES: Mapping[str, str] = {
    "hostAllocator.checkHostMem": "hostAllocator.hostAllocator.checkHostMem",
    "hostAllocator.concurrent": "hostAllocator.hostAllocator.concurrent",
    "hostAllocator.concurrent.level": "hostAllocator.hostAllocator.concurrent.level",
    "vm.ha.across.clusters": "vm.vm.ha.across.clusters",
}
"""Shorter spellings that are accepted; one table for every file."""

PRESETS: Mapping[str, Mapping[str, Value]] = {
    "ProductionRecommended": {
        "kvm.reservedMemory": 16 * GIB,
        "mevoco.overProvisioning.primaryStorage": 1.0,
        "mevoco.overProvisioning.memory": 1.0,
        "host.cpu.overProvisioning.ratio": 4,
        "mevoco.threshold.primaryStorage.physicalCapacity": 0.8,
        "primaryStorage.reservedCapacity": 200 * GIB,
        "backupStorage.reservedCapacity": 200 * GIB,
        "quota.snapshot.volume.num": 5,
    }
}
"""Named sets of values (rules/primary-storage.md#capacity)."""

FIDELITY: Mapping[str, Setting] = _define(
    _flag("doubleReturn", "Whether capacity is returned twice after a chosen host's storage fails.", True),
    _flag(
        "anyCachedImage",
        "Whether any cached image on a host's local storage counts as a copy of the one asked for.",
        True,
    ),
    _flag("cloudPaging", "Whether profile cloud searches hosts page by page as the open core does.", True),
    _flag(
        "snapshotUsesRatio", "Whether a snapshot's size is divided by the over-provisioning ratio of its storage.", True
    ),
    _flag("dryRunQuota", "Whether the dry run of a clone call looks at quotas.", True),
    _flag(
        "imageSizeQuotaVirtual",
        "Whether a temporary image counts with its virtual size against the quota of image bytes.",
        True,
    ),
    _choice(
        "quotaAtAllocation", "The error code of a quota that is exceeded while a host is sought.", "SYS.1000", "ID.1003"
    ),
)
"""Behaviours that look like slips of the product or whose cause is in doubt; each default is the likeliest reading."""

RESOURCE_TYPES = ("zone", "cluster", "host", "primaryStorage", "backupStorage", "l3Network")


def canonical(key: str) -> str:
    """The full spelling of a key; raises KeyError with the nearest known key in its second argument."""
    full = ALIASES.get(key, key)
    if full in DEFINITIONS:
        return full
    near = difflib.get_close_matches(key, [*DEFINITIONS, *ALIASES], n=1)
    raise KeyError(key, near[0] if near else "")


class Settings:
    """The values in force. Nearest level wins: host, cluster, zone, global (rules/host-capacity.md#ratios)."""

    def __init__(self, profile: str = "cloud", preset: str | None = None) -> None:
        self.profile = profile
        self.values: dict[str, Value] = {key: item.default_in(profile) for key, item in DEFINITIONS.items()}
        self.values.update(PRESETS[preset] if preset else {})
        self.overrides: dict[tuple[str, int], dict[str, Value]] = {}
        self.fidelity: dict[str, Value] = {key: entry.default_in(profile) for key, entry in FIDELITY.items()}

    def get(self, key: str, levels: Iterable[tuple[str, int]] = ()) -> Any:
        """The value of *key* at the nearest of *levels* (nearest first) that overrides it."""
        for level in levels:
            result = self.overrides.get(level)
            if result is not None and key in result:
                return result[key]
        return self.values[key]

    def flag(self, key: str) -> bool:
        """A global yes or no."""
        return bool(self.values[key])

    def copy(self) -> Settings:
        """An independent copy."""
        twin = Settings(self.profile)
        twin.values = dict(self.values)
        twin.overrides = {level: dict(override) for level, override in self.overrides.items()}
        twin.fidelity = dict(self.fidelity)
        return twin
