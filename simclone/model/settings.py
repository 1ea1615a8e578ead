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
    """One setting: its kind, its default in each profile and its bounds.

    *kind* is ``int``, ``float``, ``bool``, ``size`` (bytes) or ``choice``; *dead* settings exist in the product and
    decide nothing (rules/host-capacity.md#dead-settings).
    """

    key: str
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


def _count(key: str, default: int, low: int = 0, high: int | None = None) -> Setting:
    return Setting(key, "int", default, low=low, high=high)


def _flag(key: str, default: bool, dead: bool = False) -> Setting:
    return Setting(key, "bool", default, dead=dead)


def _choice(key: str, default: str, *others: str) -> Setting:
    return Setting(key, "choice", default, choices=(default, *others))


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

QUOTA_DEFAULTS: Mapping[str, int] = {
    "vm.totalNum": 20,
    "vm.num": 20,
    "vm.cpuNum": 80,
    "vm.memorySize": 80 * GIB,
    "volume.data.num": 40,
    "volume.capacity": 10 * TIB,
    "image.num": 20,
    "image.size": 10 * TIB,
    "snapshot.volume.num": 200,
}
"""Limits of an ordinary account (rules/quotas.md#limits)."""

DEFINITIONS: Mapping[str, Setting] = _define(
    _count("host.cpu.overProvisioning.ratio", 10, 1, 1000),
    Setting("mevoco.overProvisioning.memory", "float", 1.0, low=0.01, high=1000),
    Setting("mevoco.overProvisioning.primaryStorage", "float", 1.0, low=0.01, high=1000),
    Setting("mevoco.threshold.primaryStorage.physicalCapacity", "float", 0.9, open_default=1.0, low=0.0, high=1.0),
    Setting("kvm.reservedMemory", "size", GIB, low=0, high=TIB),
    Setting("kvm.reservedCpu", "int", 512, low=0, dead=True),
    Setting("primaryStorage.reservedCapacity", "size", GIB, low=0),
    Setting("backupStorage.reservedCapacity", "size", GIB, low=0),
    _flag("hostAllocator.hostAllocator.checkHostMem", True),
    _flag("hostAllocator.usePagination", True),
    _count("hostAllocator.paginationLimit", 500, 1),
    _flag("hostAllocator.hostAllocator.concurrent", False),
    _count("hostAllocator.hostAllocator.concurrent.level", 10, 1, 255),
    _flag("hostAllocator.reservedCapacity.zoneLevel", True, dead=True),
    _flag("hostAllocator.reservedCapacity.clusterLevel", True, dead=True),
    _flag("hostAllocator.reservedCapacity.hostLevel", True, dead=True),
    _flag("hostAllocator.migration.differentOs", False),
    _choice("vm.deletionPolicy", "Delay", "Direct", "Never"),
    _choice("volume.deletionPolicy", "Delay", "Direct", "Never"),
    _count("vm.expungePeriod", 604800),
    _count("volume.expungePeriod", 259200),
    _choice("host.maintenance.policy", "StopVmOnMigrationFailure", "JustMigrate"),
    _count("host.reportHostCapacityInterval", 1800, 1),
    _flag("vm.numa", False),
    _choice("vm.resourceBinding.strategy", "Hard", "Soft"),
    _choice("vm.resourceBinding.Scene", "All", "Auto"),
    _flag("vm.vm.ha.across.clusters", True),
    _flag("vm.uniqueVmName", False),
    _flag("vm.multivNic.support", False),
    _flag("kvm.checkHostCpuModelName", False),
    _choice(
        "l3Network.ipAllocateStrategy",
        "RandomIpAllocatorStrategy",
        "FirstAvailableIpAllocatorStrategy",
        "AscDelayRecycleIpAllocatorStrategy",
    ),
    _flag("mevoco.deleteTempImages", True),
    _choice("mevoco.hostAllocatorStrategy", *HOST_STRATEGY_NAMES),
    _count("kvm.host.syncLevel", 10, 1),
    _count("kvm.vm.createConcurrency", 1, 1),
    _count("imagestore.imageStore.syncLevel", 16, 1),
    _count("primaryStorage.imageCache.garbageCollector.interval", 86400, 1),
    _count("apiTimeout.cloneVmInstance", 129600, 1),
    _count("ceph.backupstorage.primary.storage.priority", 2),
    _count("imagestore.backupstorage.primary.storage.priority", 100),
    _flag("affinity.group.host.count.all.vms", False),
    *(
        Setting(f"quota.{name}", "size" if name.endswith(("Size", "capacity", "size")) else "int", value, low=0)
        for name, value in QUOTA_DEFAULTS.items()
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
    _flag("doubleReturn", True),
    _flag("anyCachedImage", True),
    _flag("cloudPaging", True),
    _flag("snapshotUsesRatio", True),
    _flag("dryRunQuota", True),
    _flag("imageSizeQuotaVirtual", True),
    _choice("quotaAtAllocation", "SYS.1000", "ID.1003"),
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
